"""Signing in: a page with a form, the link that `pa serve` prints, and signing out."""

from __future__ import annotations

from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from agent.api import wire
from agent.api.context import own_context
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
    own = own_context(request)
    if not token:
        return form(request, with_provider=own.settings.provider.exists())
    user = await run_in_threadpool(own.store.take_link, token, now())
    if user is None:
        return form(request, "This link is not one, or is over.")
    return await run_in_threadpool(begin, request, user.name, _leading_to("/"))


@router.post("/sign-in")
async def sign_in(request: Request) -> Response:
    given = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
    name, store = given.get("name", "").strip(), own_context(request).store
    where = request.client.host if request.client else ""
    if wait := TRIES.wait(name) or TRIES_FROM.wait(where):  # before it is looked at: tries at once count too
        return wire.full(f"too many tries; wait {wait} s", wait)
    user = await run_in_threadpool(store.sign_in, name, given.get("password", ""))
    if user is None:
        return form(request, "Name or password is not right.")
    TRIES.forget(name)
    return await run_in_threadpool(begin, request, user.name, _leading_to("/"))


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    await run_in_threadpool(own_context(request).store.end_session, request.cookies.get(COOKIE, ""))
    answer = _leading_to("/sign-in")
    answer.delete_cookie(COOKIE)
    return answer


def _leading_to(address: str) -> Response:
    answer = RedirectResponse(address, 303)
    answer.delete_cookie(WHO)
    return answer


def begin(request: Request, name: str, answer: Response) -> Response:
    """The answer, with which a session of this user begins in the place of the browser's old one."""
    store = own_context(request).store
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


def form(request: Request, said: str = "", *, with_provider: bool = False) -> Response:
    """The page; why nobody was signed in, if that is said."""
    page = pages(language_of(request)).get_template("sign_in.html")
    shown = page.render(said=said, with_provider=with_provider)
    return HTMLResponse(shown, 401 if said else 200, headers=OF_THIS_PAGE)
