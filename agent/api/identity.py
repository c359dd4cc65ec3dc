"""Who calls over HTTP, and whether they may: decided before anything is looked up, so that what one may not see is
answered as what is not there. Each request is one access in the audit, and what was refused is recorded too.

Until a user is made the door is the local owner's, as whom everybody on this machine acts who reaches the port.
From then on everybody signs in (a cookie, SameSite, of a session in the store, which ends after half an hour of
nothing, after twelve hours, and with the sign-out) or brings a key (`Authorization: Bearer`).
"""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.administration.roles import ALL, ANYONE, EMERGENCY, READ, ROLES, needs
from agent.api import wire
from agent.api.context import Context
from agent.api.limits import RateLimit
from agent.api.session import COOKIE
from agent.runtime import access
from agent.runtime.home import now
from tools.audit.events import Actor, system_user
from tools.common.errors import Invalid, PaladinError, Refused
from tools.common.printable import one_line
from tools.store.store import Store

REFUSED = {401, 403, 409}


class Caller(NamedTuple):
    """Who calls, what they may do, and to whose charts."""

    name: str
    role: str
    may: tuple[str, ...]
    practice: str = ""


NOBODY = Caller("nobody", "", ())
LONGEST_VIA = 300  # characters of an address that an event keeps
EMERGENCY_HEADER = "break-glass"  # of a read: `practice: reason`


class Identity:
    """ASGI middleware; the context of the caller's practice is in the scope.

    Args:
        app: what callers are let in to.
        limit: how often one calls: a user, or an address from which nobody has signed in.
    """

    def __init__(self, app: ASGIApp, limit: RateLimit) -> None:
        self.app, self.limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        main: Context = scope["app"].state.context
        store, headers = _store(main), Headers(scope=scope)
        caller = await _caller(store, scope) if store else Caller(system_user(), "owner", ALL)
        via = f"{scope['method']} {scope['path']}"[:LONGEST_VIA]
        where = (scope["client"] or ("",))[0]
        access.begin(Actor(who=caller.name, role=caller.role, where=where, via=via))

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in REFUSED:
                with suppress(PaladinError, SQLAlchemyError):
                    scope.get("context", main).store.note("refused", of=via, why=str(message["status"]))
            await send(message)

        refusal = _refusal(caller, scope["method"], scope["path"], headers)
        if wait := self.limit.wait(where if caller is NOBODY else caller.name):
            refusal = wire.full(f"{caller.name} calls too often; wait {wait} s", wait)
        try:
            if refusal is None and EMERGENCY_HEADER in headers:
                caller = _in_emergency(main, caller, scope["method"], headers[EMERGENCY_HEADER])
            scope["context"] = main.of(caller.practice)
        except PaladinError as error:
            refusal = wire.problem(error)
        await (self.app if refusal is None else refusal)(scope, receive, sent)


def _in_emergency(main: Context, caller: Caller, method: str, given: str) -> Caller:
    """Who may read another practice's charts where somebody's life hangs on it: both logs tell who did, and why."""
    practice, _, why = (one_line(part).strip() for part in given.partition(":"))
    if method != "GET" or EMERGENCY not in caller.may:
        raise Refused(f"{caller.role} {caller.name} may break no glass with {method}")
    if not why:
        raise Invalid(f"say why: {EMERGENCY_HEADER}: PRACTICE: REASON")
    why, theirs = why[:LONGEST_VIA], main.of(practice).store
    main.of(caller.practice).store.note("glass.broken", of=f"to {practice or 'the main practice'}", why=why)
    theirs.note("glass.broken", of=f"from {caller.practice or 'the main practice'}", why=why)
    return caller._replace(practice=practice, may=(READ,))


def _refusal(caller: Caller, method: str, path: str, headers: Headers) -> Response | None:
    if caller.may is ALL:  # the usual case, and asked with every request
        return None
    wanted = needs(method, path)
    if wanted == ANYONE or wanted in caller.may:
        return None
    if caller is not NOBODY:
        return wire.refuse("not-yours", f"{caller.role} {caller.name} may not {wanted} here")
    if method == "GET" and "text/html" in headers.get("accept", ""):
        return RedirectResponse("/sign-in", 303)
    said = "sign in at /sign-in, or send a key: Authorization: Bearer pa_…"
    return wire.refuse("unknown", said, headers={"www-authenticate": "Bearer"})


def _store(main: Context) -> Store | None:
    """The store that knows who may come in; None where there is none yet: the endpoint says so."""
    with suppress(PaladinError, SQLAlchemyError):
        return main.store
    return None


async def _caller(store: Store, scope: Scope) -> Caller:
    try:
        if not store.has_users():
            return Caller(system_user(), "owner", ALL)
        return await run_in_threadpool(_signed_in, store, HTTPConnection(scope))
    except SQLAlchemyError:  # it cannot be known who calls, so it is nobody
        return NOBODY


def _signed_in(store: Store, asking: HTTPConnection) -> Caller:
    """Whose key a call brings, and for what; else who signed in with its cookie."""
    scheme, _, given = asking.headers.get("authorization", "").partition(" ")
    found = store.bearer(given.strip(), now()) if scheme.casefold() == "bearer" else None
    user, scopes = found or (None, ALL)
    if user is None and (token := asking.cookies.get(COOKIE)):
        user = store.session(token, now())
    if user is None:
        return NOBODY
    may = tuple(one for one in ROLES.get(user.role, ()) if one in scopes)
    return Caller(user.name, user.role, may, user.practice)
