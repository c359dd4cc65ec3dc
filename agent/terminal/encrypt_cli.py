"""`pa encrypt`: the home encrypted, by a key in a file or in the system's keyring."""

from __future__ import annotations

from pathlib import Path

import typer

from agent.administration.encryption import encrypt
from agent.runtime.settings import read_settings
from agent.terminal.lines import tell

app = typer.Typer(add_completion=False)


@app.command(
    epilog="""[bold]Example[/]
  pa encrypt --key /media/usb/paladin.key
  pa encrypt --keyring      by a new key that the system's keyring keeps, with
                            the user's other secrets (extra: keyring)

The key is made if it is not there. Who loses it has lost the home and its
backups, which are encrypted, too: keep a copy. Store, conversations, drafts,
attachments and letters are encrypted, and read as ever while the key is there.
What is handed out is not: papers of `pa draft --out`, batches and screens; nor
are files that were dropped on the page to begin a batch or an import, what was
typed or taught in chats, and the settings. The home as it was is moved aside:
look, then remove it."""
)
def _encrypt(
    key: Path | None = typer.Option(
        None, metavar="FILE", help="Where the key lies, or is to lie: not in the home."
    ),
    keyring: bool = typer.Option(False, "--keyring", help="Have it in the system's keyring."),
) -> None:
    """Encrypt what this home holds, by a key of yours."""
    if keyring == (key is not None):
        raise typer.BadParameter("say where the key lies: --key FILE, or --keyring")
    settings = read_settings()
    aside = encrypt(settings, key.expanduser() if key else None)
    tell(f"{settings.home} is encrypted. As it was, it lies at {aside}: remove that when you have looked.")
