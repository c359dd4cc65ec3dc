"""What is remembered of the services between commands: their ports and the password that opens them."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path

import msgspec

from tools.errors import Unavailable

LOOPBACK = "127.0.0.1"


class Ledger(msgspec.Struct, kw_only=True):
    """services.json. Loopback is open to everybody on a machine, so a password stands before the charts."""

    password: str
    ports: dict[str, int] = {}


def read(folder: Path) -> Ledger:
    """What is written there; a new password where nothing is."""
    file = folder / "services.json"
    try:
        return msgspec.json.decode(file.read_bytes(), type=Ledger)
    except FileNotFoundError:
        return Ledger(password=secrets.token_hex(16))
    except (OSError, msgspec.DecodeError) as error:
        raise Unavailable(f"{file} cannot be read ({error}); remove {folder} to begin anew") from None


def write(folder: Path, ledger: Ledger) -> None:
    private(folder / "services.json", msgspec.json.encode(ledger))


def private(file: Path, content: bytes) -> None:
    """Write a file that only its owner can read."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = file.with_name(f"{file.name}.{os.getpid()}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(content)
    beside.replace(file)


def port_for(ledger: Ledger, name: str, usual: int) -> int:
    """The port this service had, or its usual one, or, where that is taken, a free one."""
    for port in (ledger.ports.get(name, usual), usual, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Unavailable(f"no port is free on {LOOPBACK} for {name}")
