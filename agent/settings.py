"""What the surroundings say, read once at the door; below it, everything is passed in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import msgspec

from tools.common.errors import Invalid, Unavailable

BIGGEST = 2**63 - 1  # the last number that a database counts to
FIRST_DAY, LAST_DAY = (
    date(1900, 1, 1),
    date(2199, 12, 31),
)  # that anything is judged on; a calendar ends in 9999
VARIABLES = {
    "PALADIN_HOME": "folder of the store, the policy index, drafts and checkpoints",
    "PALADIN_DATABASE_URL": "any SQLAlchemy URL instead of the SQLite file in that folder",
    "PALADIN_REDIS_URL": "a Redis that keeps policy searches, e.g. redis://127.0.0.1:56379; unset keeps none",
    "PALADIN_GRAPH_URL": "a graph database, e.g. falkor://127.0.0.1:56380; unset asks the embedded one",
    "PALADIN_CHROMA_URL": "a Chroma server for the policy index, e.g. http://127.0.0.1:58000; unset keeps it on disk",
    "PALADIN_DATA": "world folder to load, as `pa generate` writes it",
    "PALADIN_CATALOG": "a clinic's own catalog folder, laid over ours",
    "PALADIN_AS_OF": "date on which everything is judged, YYYY-MM-DD or `today`; unset judges each chart on its day",
    "PALADIN_MODEL": "language model, e.g. qwen2.5-coder:1.5b; `offline` is none; unset takes the best there is",
    "OLLAMA_HOST": "where Ollama answers; 127.0.0.1:11434 unless it says otherwise",
    "PALADIN_OLLAMA_HOSTS": "several Ollama servers that share the work, with commas; instead of OLLAMA_HOST",
    "PALADIN_ALLOW_REMOTE_MODEL": "1 lets charts go to a model that is not on this machine",
    "PALADIN_NUM_CTX": "tokens that a prompt and its answer have together",
    "PALADIN_CONNECT_SECONDS": "how long a model's server is given to take a connection",
    "PALADIN_FIRST_TOKEN_SECONDS": "how long a model is given to load, read the prompt and say its first word",
    "PALADIN_MODEL_SECONDS": "how long a model is given for one whole answer",
    "PALADIN_DEBUG": "1 shows a traceback where `pa` would print one line",
}


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Where things lie, and which day everything is judged on: `judged` is a date, `today`, or nothing."""

    home: Path
    database_url: str
    data: Path
    catalog: Path | None = None
    judged: str = ""
    model: str = ""
    ollama_host: str = ""  # or several, with commas
    redis_url: str = ""
    graph_url: str = ""
    chroma_url: str = ""
    allow_remote_model: bool = False
    num_ctx: int = 4096
    connect_seconds: float = 2.0
    first_token_seconds: float = 90.0
    model_seconds: float = 180.0

    def day(self, typed: str | date | None = None) -> date | None:
        """The day that was named, here or in the settings; None leaves it to the chart (Store.day_of).

        Args:
            typed: what a person or a caller gave: a date, `YYYY-MM-DD`, `today`, or nothing.
        """
        return judgeable(typed) if isinstance(typed, date) else read_as_of(typed or self.judged)

    @property
    def drafts(self) -> Path:
        return self.home / "drafts"

    @property
    def payer_forms(self) -> Path:
        """Payers' own PDFs, with what goes where on them."""
        return self.home / "forms"

    @property
    def index(self) -> Path:
        return self.home / "index"

    @property
    def checkpoints(self) -> Path:
        return self.home / "checkpoints.db"

    @property
    def conversations(self) -> Path:
        return self.home / "conversations.db"

    @property
    def evaluated(self) -> Path:
        """What the evals found of models, as agent/models/host.py says; there may be none."""
        return self.home / "models.json"


def read_settings(environ: Mapping[str, str] | None = None, cwd: Path | None = None) -> Settings:
    """The settings of this process.

    Home is `.paladin` beside the `mock_data` (or the `.paladin`) of this folder or the nearest above it, so
    that a checkout keeps to itself; elsewhere it is the user's data folder. A clinic's own catalog makes a
    world of its own there and leaves mock_data as it is.
    """
    environ = os.environ if environ is None else environ
    root = _root(cwd or _here())
    home = Path(environ["PALADIN_HOME"]) if environ.get("PALADIN_HOME") else _home(root)
    home = home.expanduser().absolute()
    catalog = Path(environ["PALADIN_CATALOG"]).expanduser() if environ.get("PALADIN_CATALOG") else None
    ours = root / "mock_data" if root and not catalog else home / "world"
    read_as_of(environ.get("PALADIN_AS_OF", ""))
    return Settings(
        home=home,
        database_url=environ.get("PALADIN_DATABASE_URL") or f"sqlite:///{home / 'paladin.db'}",
        data=Path(environ.get("PALADIN_DATA") or ours).expanduser().absolute(),
        catalog=catalog,
        judged=environ.get("PALADIN_AS_OF", ""),
        model=environ.get("PALADIN_MODEL", "").strip(),
        ollama_host=(environ.get("PALADIN_OLLAMA_HOSTS") or environ.get("OLLAMA_HOST", "")).strip(),
        redis_url=environ.get("PALADIN_REDIS_URL", "").strip(),
        graph_url=environ.get("PALADIN_GRAPH_URL", "").strip(),
        chroma_url=environ.get("PALADIN_CHROMA_URL", "").strip(),
        allow_remote_model=_yes(environ, "PALADIN_ALLOW_REMOTE_MODEL"),
        num_ctx=int(_number(environ, "PALADIN_NUM_CTX", 4096, 512, 1_048_576)),
        connect_seconds=_number(environ, "PALADIN_CONNECT_SECONDS", 2.0, 0.05, 600),
        first_token_seconds=_number(environ, "PALADIN_FIRST_TOKEN_SECONDS", 90.0, 0.05, 3600),
        model_seconds=_number(environ, "PALADIN_MODEL_SECONDS", 180.0, 0.05, 3600),
    )


def today() -> date:
    """The day on the clock of this machine."""
    return date.today()


def read_as_of(text: str) -> date | None:
    """The date that `YYYY-MM-DD` or `today` means; None for an empty text."""
    if not text:
        return None
    if text == "today":
        return today()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{text!r} is no date: write it as 2026-09-01, or `today`") from None
    return judgeable(day)


def judgeable(day: date) -> date:
    """The day; Invalid if it lies where a calendar begins or ends."""
    if not FIRST_DAY <= day <= LAST_DAY:
        raise Invalid(f"{day} is no day to judge on: give one from {FIRST_DAY} to {LAST_DAY}")
    return day


def _number(environ: Mapping[str, str], name: str, usual: float, least: float, most: float) -> float:
    text = environ.get(name, "").strip()
    try:
        number = float(text or usual)
    except ValueError:
        number = float("nan")
    if not least <= number <= most:
        raise Invalid(
            f"{name} is {text!r}: give a number from {least:g} to {most:g}, or unset it for {usual:g}"
        )
    return number


def _yes(environ: Mapping[str, str], name: str) -> bool:
    """Only a plain yes is one: it is about what leaves the machine."""
    text = environ.get(name, "").strip().casefold()
    if text in ("", "0", "no", "false", "off"):
        return False
    if text in ("1", "yes", "true", "on"):
        return True
    raise Invalid(f"{name} is {text!r}: 1 is yes, 0 or unset is no")


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise Unavailable("the folder in which you are is gone; go to another one") from None


def _root(cwd: Path) -> Path | None:
    for folder in (cwd, *cwd.parents):
        if (folder / ".paladin").is_dir() or (folder / "mock_data" / "dataset.json").is_file():
            return folder
    return None


def _home(root: Path | None) -> Path:
    if root:
        return root / ".paladin"
    from platformdirs import user_data_path

    return user_data_path("paladin", appauthor=False)
