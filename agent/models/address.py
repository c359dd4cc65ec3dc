"""Where a model's server is, and whether that is this machine."""

from __future__ import annotations

import ipaddress
import socket
from typing import NamedTuple
from urllib.parse import urlsplit

from agent.models.model import ModelTrouble
from tools.common.errors import Invalid

PORT = 11434
REMOTE = (
    "{} is not on this machine, and what a chart says would go there: PALADIN_ALLOW_REMOTE_MODEL=1 allows it;"
    " without OLLAMA_HOST it is this machine's"
)


class Address(NamedTuple):
    """Where a server is; `where` is how a line names it."""

    url: str
    host: str
    port: int

    @property
    def where(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def addresses(text: str = "") -> list[Address]:
    """All that a list with commas names, each once; this machine's own where it names none."""
    found = [_address(part) for part in text.split(",") if part.strip()]
    return list({one.url: one for one in found}.values()) or [_address("")]


def address(text: str = "") -> Address:
    """What OLLAMA_HOST says, as Ollama reads it, or the first that it says; an address that a server listens at
    everywhere is taken as here."""
    return addresses(text)[0]


def _address(text: str) -> Address:
    scheme, found, rest = text.strip().partition("://")
    if not found:
        scheme, rest = "http", text.strip()
    port = {"http": 80, "https": 443}.get(scheme) if found else PORT
    try:
        split = urlsplit(f"{scheme}://{rest}")
        host, port = split.hostname or "127.0.0.1", split.port or port
    except ValueError:
        port = None
    if port is None:
        raise Invalid(f"OLLAMA_HOST is {text!r}: write it as 127.0.0.1:{PORT} or http://127.0.0.1:{PORT}")
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    shown = f"[{host}]" if ":" in host else host
    return Address(f"{scheme}://{shown}:{port}{split.path.rstrip('/')}", host, port)


def is_loopback(ip: str) -> bool:
    """Whether an IP address is this machine's own."""
    found = _ip(ip)
    mapped = getattr(found, "ipv4_mapped", None) or found
    return mapped is not None and mapped.is_loopback


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def is_here(host: str) -> bool:
    """Whether all that a name resolves to is this machine; False for one that resolves to nothing."""
    if _ip(host) is not None:
        return is_loopback(host)
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return bool(found) and all(is_loopback(str(entry[4][0])) for entry in found)


def guard(where: Address, allow_remote: bool) -> None:
    """ModelTrouble if the server is not on this machine and that is not allowed."""
    if not allow_remote and not is_here(where.host):
        raise ModelTrouble("remote", REMOTE.format(where.host))


def source_address(where: Address, allow_remote: bool) -> str | None:
    """What a connection to this server is bound to: loopback, from which none leads off this machine, whatever the
    server's name resolves to by then; None where it may."""
    return None if allow_remote else "::1" if ":" in where.host else "127.0.0.1"
