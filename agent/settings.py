"""What the surroundings say, read once at the door; below it, everything is passed in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import msgspec

from tools.errors import Invalid

BIGGEST = 2**63 - 1  # the last number that a database counts to
VARIABLES = {
    "PALADIN_HOME": "folder of the store, the policy index, drafts and checkpoints",
    "PALADIN_DATABASE_URL": "any SQLAlchemy URL instead of the SQLite file in that folder",
    "PALADIN_DATA": "world folder to load, as `pa generate` writes it",
    "PALADIN_CATALOG": "a clinic's own catalog folder, laid over ours",
    "PALADIN_AS_OF": "date on which everything is judged, YYYY-MM-DD or `today`",
    "PALADIN_DEBUG": "1 shows a traceback where `pa` would print one line",
}


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Where things lie and which day it is; `as_of` None means the world's own date."""

    home: Path
    database_url: str
    data: Path
    catalog: Path | None = None
    as_of: date | None = None

    @property
    def drafts(self) -> Path:
        return self.home / "drafts"

    @property
    def index(self) -> Path:
        return self.home / "index"

    @property
    def checkpoints(self) -> Path:
        return self.home / "checkpoints.db"


def read_settings(environ: Mapping[str, str] | None = None, cwd: Path | None = None) -> Settings:
    """The settings of this process.

    Home is `.paladin` beside the `mock_data` (or the `.paladin`) of this folder or the nearest above it, so
    that a checkout keeps to itself; elsewhere it is the user's data folder. A clinic's own catalog makes a
    world of its own there and leaves mock_data as it is.
    """
    environ = os.environ if environ is None else environ
    root = _root(cwd or Path.cwd())
    home = Path(environ["PALADIN_HOME"]) if environ.get("PALADIN_HOME") else _home(root)
    home = home.expanduser().absolute()
    catalog = Path(environ["PALADIN_CATALOG"]).expanduser() if environ.get("PALADIN_CATALOG") else None
    ours = root / "mock_data" if root and not catalog else home / "world"
    return Settings(
        home=home,
        database_url=environ.get("PALADIN_DATABASE_URL") or f"sqlite:///{home / 'paladin.db'}",
        data=Path(environ.get("PALADIN_DATA") or ours).expanduser().absolute(),
        catalog=catalog,
        as_of=read_as_of(environ.get("PALADIN_AS_OF", "")),
    )


def read_as_of(text: str) -> date | None:
    """The date that `YYYY-MM-DD` or `today` means; None for an empty text. The one place that reads the clock."""
    if not text:
        return None
    if text == "today":
        return date.today()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{text!r} is no date: write it as 2026-09-01, or `today`") from None


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
