"""Runs the server on loopback."""

from __future__ import annotations

import ipaddress
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess

import uvicorn
from fastapi import FastAPI

from agent.api.session import link
from agent.settings import Settings, read_settings
from tools.common.errors import Refused, Unavailable
from tools.store.store import Store

GRACE = 5.0  # seconds for a worker whose server is gone to end what it answers


def run(
    settings: Settings,
    host: str,
    port: int,
    workers: int = 1,
    begun: Callable[[str, int], object] | None = None,
) -> None:
    """Serve until interrupted; Refused for an address that other machines reach. `begun` is told where, once nothing
    stands in the way."""
    check_host(host)

    store = Store.open(settings.database_url)
    check_port(host, port)
    base = f"http://{_shown(host)}:{port}"
    print(f"Paladin is at {base}  (docs at /docs; Ctrl-C ends it)", flush=True)
    print(_who_may(store, base), flush=True)
    store.close()
    if begun is not None:
        begun(host, port)
    uvicorn.run(
        "agent.api.serving:from_environment",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        log_level="warning",
        access_log=False,
    )


def _who_may(store: Store, base: str) -> str:
    """Whom the door lets in, and the owner's way in."""
    admins = [user.name for user in store.users() if user.role == "admin" and not user.disabled]
    if not store.has_users():
        return "No user was made: whoever reaches this port acts as you. `pa users add NAME --role admin` ends that."
    if not admins:
        return "Everybody signs in, and no admin is let in: `pa users set NAME --role admin`"
    return f"Everybody signs in. {admins[0]}, once and within ten minutes: {link(store, base, admins[0])}"


def from_environment() -> FastAPI:
    """The application as the environment sets it; each worker process makes its own, and ends with its parent."""
    from agent.api.app import create_app

    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()
    return create_app(read_settings())


def _end_after(parent: BaseProcess) -> None:
    """Whoever kills the server means its workers too; they hold the port."""
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(0)


def check_host(host: str) -> None:
    """Charts are on the other side of this door, and what it says is not encrypted."""
    if host == "localhost":
        return
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise Refused(
            f"host {host!r} is not loopback: other machines could read what goes over the wire, which is not encrypted;"
            " use 127.0.0.1, ::1 or localhost"
        )


def check_port(host: str, port: int) -> None:
    """Unavailable, and another port to try, if this one is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Unavailable(
                f"port {port} on {host} can't be used ({error.strerror}); try --port {port + 1}"
            ) from error


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
