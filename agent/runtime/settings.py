"""What the surroundings say, read once at the door; below it, everything is passed in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from agent.runtime.home import make_whole
from agent.runtime.hosts import check_hosts
from tools.common.errors import Invalid, Unavailable
from tools.common.structs import read_json

BIGGEST = 2**63 - 1  # the last number that a database counts to
# That anything is judged on; a calendar ends in 9999.
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)
# Settings that a variable of their own name says as it is, and those that are numbers, with their bounds.
TEXTS = ("model", "redis_url", "graph_url", "chroma_url", "served_as")
NUMBERS = {
    "calls_per_second": (0.1, 1_000_000), "connections": (1, 1_000_000), "num_ctx": (512, 1_048_576),
    "connect_seconds": (0.05, 600), "first_token_seconds": (0.05, 3600), "model_seconds": (0.05, 3600),
}  # fmt: skip
SERVERS = ("database_url", "redis_url", "graph_url", "chroma_url")


class Practice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a practice wants of its own, as `practice.json` in its home says: whether those who drafted or edited a
    request may not approve it."""

    two_persons: bool = False


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Where things lie, and which day everything is judged on: `judged` is a date, `today`, or nothing."""

    home: Path  # PALADIN_HOME: store, policy index, drafts and checkpoints
    database_url: str  # PALADIN_DATABASE_URL: any SQLAlchemy URL instead of the SQLite file in that folder
    data: Path  # PALADIN_DATA: world folder to load, as `pa generate` writes it
    catalog: Path | None = None  # PALADIN_CATALOG: a clinic's own catalog folder, laid over ours
    judged: str = ""  # PALADIN_AS_OF: a date or `today`; unset judges each chart on its day
    # PALADIN_MODEL: e.g. qwen2.5-coder:1.5b; `offline` is none; unset takes the best there is
    model: str = ""
    ollama_host: str = ""  # OLLAMA_HOST, or PALADIN_OLLAMA_HOSTS: several that share the work, with commas
    redis_url: str = ""  # PALADIN_REDIS_URL: a Redis that keeps policy searches; unset keeps none
    graph_url: str = ""  # PALADIN_GRAPH_URL: a graph database; unset asks the embedded one
    chroma_url: str = ""  # PALADIN_CHROMA_URL: a Chroma server for the policy index; unset keeps it on disk
    allow_remote_model: bool = False  # PALADIN_ALLOW_REMOTE_MODEL: charts may go to a model elsewhere
    served_as: str = ""  # PALADIN_SERVED_AS: names, with commas, by which other machines call the server
    # Of each process of the server: a caller's requests a second, ten seconds of them at once, and open connections.
    calls_per_second: float = 100.0  # PALADIN_CALLS_PER_SECOND
    connections: int = 400  # PALADIN_CONNECTIONS
    num_ctx: int = 4096  # PALADIN_NUM_CTX: tokens that a prompt and its answer have together
    connect_seconds: float = 2.0  # PALADIN_CONNECT_SECONDS: for a model's server to take a connection
    first_token_seconds: float = 90.0  # PALADIN_FIRST_TOKEN_SECONDS: to load, read and say the first word
    model_seconds: float = 180.0  # PALADIN_MODEL_SECONDS: for one whole answer

    def day(self, typed: str | date | None = None) -> date | None:
        """The day that was named, here or in the settings; None leaves it to the chart (Store.day_of).

        Args:
            typed: what a person or a caller gave: a date, `YYYY-MM-DD`, `today`, or nothing.
        """
        return judgeable(typed) if isinstance(typed, date) else read_as_of(typed or self.judged)

    def of_practice(self, name: str) -> Settings:
        """The settings of a practice whose home, with all that it keeps, lies beside this one; "" is this one. On a
        server each has a database of its own: beside `paladin`, `paladin_north`.

        Raises:
            Invalid: it is no name of a practice, or the store is a file that is not in the home.
        """
        if not name:
            return self
        plain = name.isascii() and name.replace("-", "").isalnum() and name == name.lower()
        if not plain or len(name) > 40:
            said = "small letters, digits and hyphens, e.g. north-clinic"
            raise Invalid(f"{name!r} is no name of a practice: {said}")
        home = self.home.with_name(f"{self.home.name}-{name}")
        if self.database_url == f"sqlite:///{self.home / 'paladin.db'}":
            url = f"sqlite:///{home / 'paladin.db'}"
        elif self.database_url.startswith("postgres"):
            from sqlalchemy.engine import make_url  # where nothing else needs it, a cold start does without

            server = make_url(self.database_url)
            named = server.set(database=f"{server.database}_{name.replace('-', '_')}")
            url = named.render_as_string(hide_password=False)
        else:
            raise Invalid("a practice has its store in a home of its own; unset PALADIN_DATABASE_URL")
        return msgspec.structs.replace(self, home=home, database_url=url, graph_url="", chroma_url="")

    @property
    def environ(self) -> dict[str, str]:
        """The environment of a process that works in this very home."""
        own = ("home", "database_url", "graph_url", "chroma_url")
        return (
            os.environ
            | {_variable(name): str(getattr(self, name)) for name in own}
            | {"PALADIN_PRACTICE": ""}
        )

    @property
    def practice(self) -> Practice:
        file = self.home / "practice.json"
        return read_json(file, Practice, "is not what a practice wants") if file.exists() else Practice()

    @property
    def provider(self) -> Path:
        """Who signs people in, as agent/api/oidc.py says; there may be none."""
        return self.home / "oidc.json"

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
    """The settings of this process; Refused where a server is on another machine (agent/runtime/hosts.py).

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
    settings = Settings(
        home=home,
        database_url=environ.get("PALADIN_DATABASE_URL") or f"sqlite:///{home / 'paladin.db'}",
        data=Path(environ.get("PALADIN_DATA") or ours).expanduser().absolute(),
        catalog=catalog,
        judged=environ.get("PALADIN_AS_OF", ""),
        ollama_host=(environ.get("PALADIN_OLLAMA_HOSTS") or environ.get("OLLAMA_HOST", "")).strip(),
        allow_remote_model=_yes(environ, "PALADIN_ALLOW_REMOTE_MODEL"),
        **_stated(environ),
    )
    check_hosts(
        {_variable(name): getattr(settings, name) for name in SERVERS}, environ.get("PALADIN_ALLOW_HOSTS", "")
    )
    settings = settings.of_practice(environ.get("PALADIN_PRACTICE", "").strip())
    make_whole(settings.home)
    return settings


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


def _stated(environ: Mapping[str, str]) -> dict[str, Any]:
    texts = {name: environ.get(_variable(name), "").strip() for name in TEXTS}
    return texts | {name: _number(environ, name) for name in NUMBERS}


def _variable(setting: str) -> str:
    return f"PALADIN_{setting.upper()}"


def _number(environ: Mapping[str, str], setting: str) -> Any:
    """The number that a setting's variable says, whole where the usual one is; else the usual one."""
    (usual,) = (one.default for one in msgspec.structs.fields(Settings) if one.name == setting)
    name, (least, most) = _variable(setting), NUMBERS[setting]
    text = environ.get(name, "").strip()
    try:
        number = float(text or usual)
    except ValueError:
        number = float("nan")
    if not least <= number <= most:
        said = f"give a number from {least:g} to {most:g}, or unset it for {usual:g}"
        raise Invalid(f"{name} is {text!r}: {said}")
    return type(usual)(number)


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
