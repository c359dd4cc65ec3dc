"""`pa encrypt`: the home encrypted, by a key in a file or in the system's keyring."""

from __future__ import annotations

from pathlib import Path

import typer
from typer import Option

from agent.administration.encryption import encrypt
from agent.runtime.settings import read_settings
from agent.terminal.lines import tell


def encrypt_home(
    key: Path | None = Option(
        None, metavar="FILE", help="Where the key lies, or is to lie: not in the home."
    ),
    keyring: bool = Option(False, "--keyring", help="Have it in the system's keyring."),
) -> None:
    """Encrypt what this home holds, by a key of yours."""
    if keyring == (key is not None):
        raise typer.BadParameter("say where the key lies: --key FILE, or --keyring")
    settings = read_settings()
    aside = encrypt(settings, key.expanduser() if key else None)
    tell(f"{settings.home} is encrypted. As it was, it lies at {aside}: remove that when you have looked.")
