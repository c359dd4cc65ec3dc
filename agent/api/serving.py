"""Runs the server: on loopback, or encrypted and for those who sign in."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple

import uvicorn
from fastapi import FastAPI

from agent.api.context import Context
from agent.api.limits import Connection
from agent.api.session import link
from agent.runtime.hosts import is_loopback
from agent.runtime.settings import Settings, read_settings
from tools.common.errors import PaladinError, Refused, Unavailable
from tools.store.store import Store

# Seconds for a process to start on a machine that has much to do, before another takes its place.
PATIENCE = 60
GRACE = 5.0  # seconds for a worker whose server is gone to end what it answers


class Encryption(NamedTuple):
    """TLS: PEM files of the certificate and its key, and the names by which other machines call the server."""

    certificate: Path
    key: Path
    names: tuple[str, ...] = ()


def run(
    settings: Settings,
    host: str,
    port: int,
    workers: int = 1,
    begun: Callable[[str, int], object] | None = None,
    encryption: Encryption | None = None,
) -> None:
    """Serve until interrupted.

    Args:
        begun: is told where, once nothing stands in the way.
        encryption: without it, loopback alone is served.

    Raises:
        Refused: other machines would reach what is not encrypted, or whoever reaches it acts as the owner.
        Unavailable: the port is taken, or there is no such certificate or key.
    """
    store = Store.open(settings.database_url)
    beyond = not is_loopback(host)
    if beyond:
        check_beyond(host, encryption, has_users=store.has_users())
    check_port(host, port)
    names = [*(encryption.names if encryption else ()), host]
    os.environ["PALADIN_SERVED_AS"] = ",".join(filter(None, (*names, settings.served_as)))  # workers read it
    base = f"{'https' if encryption else 'http'}://{_shown(names[0])}:{port}"
    if beyond:
        print(f"! other machines reach this server at {_shown(host)}:{port}, and sign in to it", flush=True)
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
        timeout_worker_healthcheck=PATIENCE,
        http=Connection,
        limit_concurrency=settings.connections,
        # uvicorn would take the word of any program of this machine for where a call comes from, and how
        forwarded_allow_ips=os.environ.get("FORWARDED_ALLOW_IPS", ""),
        ssl_certfile=encryption and readable(encryption.certificate),
        ssl_keyfile=encryption and readable(encryption.key),
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

    if parent := multiprocessing.parent_process():
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()
    app = create_app(read_settings())
    threading.Thread(target=_read_ahead, args=(app.state.context,), daemon=True).start()
    return app


def _read_ahead(ctx: Context) -> None:
    """The worklist and the approvals that end, before somebody asks for them; where there is no store, whoever asks is
    told. What was read stays, so that no collection of garbage looks at it again."""
    with suppress(PaladinError):
        ctx.board.work()
        ctx.board.endings(timedelta())
        gc.collect()
        gc.freeze()


def _end_after(parent: BaseProcess) -> None:
    """Whoever kills the server means its workers too; they hold the port."""
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(0)


def check_beyond(host: str, encryption: Encryption | None, *, has_users: bool) -> None:
    """Charts are on the other side of this door: Refused unless what it says is encrypted and everybody signs in."""
    if encryption is None:
        raise Refused(
            f"host {host!r} is not loopback: other machines could read what goes over the wire, which is not encrypted;"
            " use 127.0.0.1, ::1 or localhost, or encrypt it with --certificate and --key"
        )
    if not encryption.names:
        raise Refused(f"say by which name other machines call {host!r}, e.g. --name paladin.clinic.example")
    if not has_users:
        raise Refused("whoever reaches this port would act as you; `pa users add NAME --role admin` first")


def readable(file: Path) -> str:
    """Its path; Unavailable unless it can be read."""
    try:
        file.open("rb").close()
    except OSError as error:
        raise Unavailable(f"{file} cannot be read: {error.strerror}") from None
    return str(file)


def check_port(host: str, port: int) -> None:
    """Unavailable, and another port to try, if this one is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            why = f"port {port} on {host} can't be used ({error.strerror})"
            raise Unavailable(f"{why}; try --port {port + 1}") from error


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
