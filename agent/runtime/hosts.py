"""Servers that keep or see charts: on this machine, or allowed by name and then encrypted."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from tools.common.errors import Refused

ENCRYPTED = ("https", "rediss", "falkors")
TO_ENCRYPT = "write https://, rediss:// or falkors://, and for PostgreSQL ?sslmode=verify-full"
SSL_MODES = ("require", "verify-ca", "verify-full")  # of PostgreSQL, that do not fall back


def check_hosts(urls: Mapping[str, str], allowed: str) -> None:
    """Refused for a server on another machine that is not allowed, or whose connection is not encrypted.

    Args:
        urls: by the setting that names each.
        allowed: names of hosts, with commas.
    """
    names = {name.strip().casefold() for name in allowed.split(",")}
    for setting, url in urls.items():
        for host in _hosts(url):
            if is_loopback(host):
                continue
            if host.casefold() not in names:
                raise Refused(
                    f"{setting} names {host}, another machine; PALADIN_ALLOW_HOSTS={host} lets charts go there"
                )
            if not _is_encrypted(url):
                raise Refused(f"{setting} sends charts to {host} unencrypted; {TO_ENCRYPT}")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _hosts(url: str) -> list[str]:
    """Whom a URL names; a socket and a file are here, and what is no URL is told by whoever reads it."""
    try:
        parts = urlsplit(url)
        found = [parts.hostname or "", *parse_qs(parts.query).get("host", ())]
    except ValueError:
        return []
    named = (host for host in found if host[:1] not in ("", "/"))
    return [host.rsplit(":", 1)[0] if host.count(":") == 1 else host for host in named]


def _is_encrypted(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ENCRYPTED or parse_qs(parts.query).get("sslmode", [""])[-1] in SSL_MODES
