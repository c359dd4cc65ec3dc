"""Signing in: a page with a form, the link that `pa serve` prints, and signing out."""

from __future__ import annotations

import os
import time
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.concurrency import run_in_threadpool

from agent.api import wire
from agent.api.doorkeeper import Accepts
from agent.api.office import office
from agent.settings import Settings
from tools.common.errors import NotFound
from tools.common.private import secret_of
from tools.store.users import User

router = APIRouter(include_in_schema=False)
FORM = Accepts(frozenset({"application/x-www-form-urlencoded"}), 4_000)
ACCEPTS = {"/sign-in": FORM, "/sign-out": FORM}
KEY = "session.key"
LINK_SECONDS, TRIES, WITHIN_SECONDS = 600, 5, 60.0
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Sign in · Paladin</title>
<meta name="viewport" content="width=device-width"><style>body{font:1rem system-ui;margin:4rem auto;max-width:20rem}
label{display:block;margin:1rem 0}input,button{font:inherit;padding:.4rem;width:100%;box-sizing:border-box}</style>
<main><h1>Sign in</h1>{said}<form method="post" action="/sign-in">
<label>Name<input name="name" autocomplete="username" required autofocus></label>
<label>Password<input name="password" type="password" autocomplete="current-password" required></label>
<button>Sign in</button></form></main></html>"""
# A browser that may tell no referrer sends a form with the origin "null", which no door takes.
OF_THIS_PAGE = {"referrer-policy": "same-origin"}
WHO = "who"  # the cookie in which a page remembers who signs; it is of one user
_tries: dict[str, list[float]] = {}


def secret(settings: Settings) -> str:
    """What sessions are signed with: kept in the home; without one there, of this process alone."""
    path = settings.home / KEY
    return secret_of(path).hex() if path.exists() else os.urandom(32).hex()


def link(settings: Settings, base: str, name: str) -> str:
    """Where this user is signed in without a password, for ten minutes."""
    return f"{base}/sign-in?token={_signer(secret_of(settings.home / KEY).hex()).dumps(name)}"


@router.get("/sign-in")
async def page(request: Request, token: str = "") -> Response:
    if not token:
        return HTMLResponse(PAGE.replace("{said}", ""), headers=OF_THIS_PAGE)
    user = await run_in_threadpool(_of_link, request, token)
    return _begin(request, user) if user else _again("This link is not one, or is over.")


@router.post("/sign-in")
async def sign_in(request: Request) -> Response:
    given = {
        name: values[0]
        for name, values in parse_qs((await request.body()).decode("utf-8", "replace")).items()
    }
    name, store = given.get("name", "").strip(), office(request).store
    wait = _must_wait(name)
    if wait:
        return wire.full(f"too many tries; wait {wait} s", wait)
    _tries.setdefault(name, []).append(time.monotonic())  # before it is looked at: tries at once count too
    user = await run_in_threadpool(store.sign_in, name, given.get("password", ""))
    if user is None:
        return _again("Name or password is not right.")
    _tries.pop(name, None)
    return _begin(request, user)


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    office(request).store.note("session.ended", of=str(request.session.get("user", "")))
    request.session.clear()
    return _leading_to("/sign-in")


def _leading_to(address: str) -> Response:
    answer = RedirectResponse(address, 303)
    answer.delete_cookie(WHO)
    return answer


def _begin(request: Request, user: User) -> Response:
    request.session.clear()
    request.session.update(user=user.name, stamp=user.stamp, began=time.time())
    office(request).store.note("session.begun", of=user.name)
    return _leading_to("/")


def _again(said: str) -> Response:
    return HTMLResponse(PAGE.replace("{said}", f"<p role=alert>{said}</p>"), 401, headers=OF_THIS_PAGE)


def _of_link(request: Request, token: str) -> User | None:
    try:
        name = _signer(secret(office(request).settings)).loads(token, max_age=LINK_SECONDS)
        user = office(request).store.user(str(name))
    except (BadData, NotFound):
        return None
    return None if user.disabled else user


def _must_wait(name: str) -> int:
    """Seconds until this name may be tried again."""
    now = time.monotonic()
    recent = [tried for tried in _tries.get(name, ()) if now - tried < WITHIN_SECONDS]
    if len(_tries) > 10_000:
        _tries.clear()
    if name in _tries:
        _tries[name] = recent
    return int(WITHIN_SECONDS - (now - recent[0])) + 1 if len(recent) >= TRIES else 0


def _signer(key: str):  # type: ignore[no-untyped-def]

    return URLSafeTimedSerializer(key, salt="sign-in")
