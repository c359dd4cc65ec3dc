"""Signing in: a page with a form, the link that `pa serve` prints, and signing out."""

from __future__ import annotations

from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from agent.api import wire
from agent.api.doorkeeper import Accepts
from agent.api.limits import RateLimit
from agent.runtime.home import now
from agent.web.wording import language_of, pages
from tools.store.store import Store
from tools.store.users import LONGEST

router = APIRouter(include_in_schema=False)
FORM = Accepts(frozenset({"application/x-www-form-urlencoded"}), 4_000)
ACCEPTS = {"/sign-in": FORM, "/sign-out": FORM}
COOKIE = "paladin"
STYLE = """body{font:1rem system-ui;margin:4rem auto;padding:0 1rem;max-width:20rem}label{display:block;margin:1rem 0}
input,button{font:inherit;padding:.5rem;width:100%;box-sizing:border-box;border-radius:4px}
button{border:0;background:#1a56c4;color:#fff;font-weight:600}"""
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
        return _page(request, with_provider=request.app.state.context.settings.provider.exists())
    user = await run_in_threadpool(_users(request).take_link, token, now())
    if user is None:
        return again(request, "This link is not one, or is over.")
    return await run_in_threadpool(begin, request, user.name, _leading_to("/"))


@router.post("/sign-in")
async def sign_in(request: Request) -> Response:
    given = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
    name, store = given.get("name", "").strip(), _users(request)
    where = request.client.host if request.client else ""
    if wait := TRIES.wait(name) or TRIES_FROM.wait(where):  # before it is looked at: tries at once count too
        return wire.full(f"too many tries; wait {wait} s", wait)
    user = await run_in_threadpool(store.sign_in, name, given.get("password", ""))
    if user is None:
        return again(request, "Name or password is not right.")
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


def again(request: Request, said: str) -> Response:
    """The page, and why nobody was signed in."""
    return _page(request, 401, said=said)


def _page(request: Request, status: int = 200, *, said: str = "", with_provider: bool = False) -> Response:
    shown = pages(language_of(request)).get_template("sign_in.html")
    told = shown.render(style=STYLE, said=said, with_provider=with_provider)
    return HTMLResponse(told, status, headers=OF_THIS_PAGE)
