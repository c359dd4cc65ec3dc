"""Signing in: a page with a form, the link that `pa serve` prints, and signing out."""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from agent.api import wire
from agent.api.doorkeeper import Accepts
from agent.api.limits import RateLimit
from agent.runtime.home import now
from tools.store.store import Store
from tools.store.users import LONGEST

router = APIRouter(include_in_schema=False)
FORM = Accepts(frozenset({"application/x-www-form-urlencoded"}), 4_000)
ACCEPTS = {"/sign-in": FORM, "/sign-out": FORM}
COOKIE = "paladin"
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Sign in · Paladin</title>
<meta name="viewport" content="width=device-width"><style>body{font:1rem system-ui;margin:4rem auto;max-width:20rem}
label{display:block;margin:1rem 0}input,button{font:inherit;padding:.4rem;width:100%;box-sizing:border-box}</style>
<main><h1>Sign in</h1>{said}<form method="post" action="/sign-in">
<label>Name<input name="name" autocomplete="username" required autofocus></label>
<label>Password<input name="password" type="password" autocomplete="current-password" required></label>
<button>Sign in</button></form>{other}</main></html>"""
OTHER = '<p><a href="/sign-in/oidc">Sign in with your organisation</a></p>'
# A browser that may tell no referrer sends a form with the origin "null", which no door takes.
OF_THIS_PAGE = {"referrer-policy": "same-origin"}
WHO = "who"  # the cookie in which a page remembers who signs; it is of one user
# Each try costs a fifth of a second of a processor, so that an address that tries one name after the other waits, too.
TRIES, TRIES_FROM = RateLimit(5, 60.0), RateLimit(60, 60.0)


def link(store: Store, base: str, name: str) -> str:
    """Where this user is signed in without a password, once and within ten minutes."""
    return f"{base}/sign-in?token={store.begin_session(name, now(), link=True)}"


@router.get("/sign-in")
async def page(request: Request, token: str = "") -> Response:
    if not token:
        other = OTHER if request.app.state.context.settings.provider.exists() else ""
        return HTMLResponse(PAGE.replace("{said}", "").replace("{other}", other), headers=OF_THIS_PAGE)
    user = await run_in_threadpool(_users(request).take_link, token, now())
    return (
        await run_in_threadpool(begin, request, user.name, _leading_to("/"))
        if user
        else again("This link is not one, or is over.")
    )


@router.post("/sign-in")
async def sign_in(request: Request) -> Response:
    given = {
        name: values[0]
        for name, values in parse_qs((await request.body()).decode("utf-8", "replace")).items()
    }
    name, store = given.get("name", "").strip(), _users(request)
    where = request.client.host if request.client else ""
    if wait := TRIES.wait(name) or TRIES_FROM.wait(where):  # before it is looked at: tries at once count too
        return wire.full(f"too many tries; wait {wait} s", wait)
    user = await run_in_threadpool(store.sign_in, name, given.get("password", ""))
    if user is None:
        return again("Name or password is not right.")
    TRIES.forget(name)
    return await run_in_threadpool(begin, request, user.name, _leading_to("/"))


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    await run_in_threadpool(_users(request).end_session, request.cookies.get(COOKIE, ""))
    answer = _leading_to("/sign-in")
    answer.delete_cookie(COOKIE)
    return answer


def _users(request: Request) -> Store:
    """Of the server's own home, whatever practice a user is of."""
    store: Store = request.app.state.context.store
    return store


def _leading_to(address: str) -> Response:
    answer = RedirectResponse(address, 303)
    answer.delete_cookie(WHO)
    return answer


def begin(request: Request, name: str, answer: Response) -> Response:
    """The answer, with which a session of this user begins in the place of the browser's old one."""
    store = _users(request)
    store.end_session(request.cookies.get(COOKIE, ""))
    answer.set_cookie(
        COOKIE,
        store.begin_session(name, now()),
        max_age=int(LONGEST.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


def again(said: str) -> Response:
    """The page, and why nobody was signed in."""
    told = PAGE.replace("{said}", f"<p role=alert>{escape(said)}</p>").replace("{other}", "")
    return HTMLResponse(told, 401, headers=OF_THIS_PAGE)
