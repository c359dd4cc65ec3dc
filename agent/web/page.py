"""What every page shares: templates that escape all that they are given, headers, forms, and errors that are pages too.

The doorkeeper of the HTTP door stands before all of this. Forms are read here alone, on the page's own routes, and only
from a page that names itself as one of ours.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from datetime import date
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, unquote

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from agent.api import wire
from agent.api.doorkeeper import Accepts
from agent.api.session import WHO
from agent.runtime.settings import read_as_of
from agent.web.wording import language_of, pages
from tools.common.errors import Invalid, PaladinError
from tools.common.printable import one_line
from tools.messages import voice
from tools.papers.uploads import MOST_BYTES

HERE = Path(__file__).parent
FORM = Accepts(frozenset({"application/x-www-form-urlencoded"}), 300_000)
UPLOAD = Accepts(frozenset({"multipart/form-data"}), MOST_BYTES + 100_000)
MOST_FIELDS = 500
HEADERS = {
    "content-security-policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'self'"
    ),
    "referrer-policy": "same-origin",  # under no-referrer a browser sends `Origin: null` with our own forms
}
FRAMED = {  # of papers that a page of ours shows inside itself
    "content-security-policy": "default-src 'self'; frame-ancestors 'self'",
    "x-frame-options": "SAMEORIGIN",
}
_log = logging.getLogger(__name__)


def render(request: Request, template: str, status: int = 200, **given: Any) -> HTMLResponse:
    """A page, or the part of one that htmx asked for."""
    return HTMLResponse(part(request, template, **given), status)


def part(request: Request, template: str, **given: Any) -> str:
    """A template with what it is given, who sits before it, and its address."""
    by, language = one_line(unquote(request.cookies.get(WHO, ""))), language_of(request)
    speaking = voice(language, getattr(given.get("patient"), "sex", ""))
    return (
        pages(language).get_template(template).render(by=by, here=request.url.path, voice=speaking, **given)
    )


def is_part(request: Request) -> bool:
    """Whether htmx asked, and only a part of the page is to be exchanged."""
    return "hx-request" in request.headers and "hx-history-restore-request" not in request.headers


def go(url: str, by: str = "") -> Response:
    """Where a form leads once it is done; a reload then sends nothing twice."""
    answer = RedirectResponse(url, 303)
    if by:
        answer.set_cookie(WHO, quote(by), max_age=90 * 86_400, httponly=True, samesite="strict")
    return answer


# --- forms -----------------------------------------------------------------------------------------------


class Form:
    """The fields of a form that was sent; what cannot be read is Invalid, by the field's name."""

    def __init__(self, data: FormData) -> None:
        self._data = data

    def text(self, name: str) -> str:
        """On one line."""
        return one_line(self.words(name))

    def words(self, name: str) -> str:
        """As it was typed, lines and all."""
        found = self._data.get(name)
        return found.replace("\r\n", "\n").strip() if isinstance(found, str) else ""

    def every(self, name: str) -> list[str]:
        """Of each field of this name, as boxes that were ticked."""
        return [one_line(one) for one in self._data.getlist(name) if isinstance(one, str)]

    def by(self, what: str) -> str:
        """Who sent it; Invalid, with what they are to say, for nobody."""
        found = self.text("by")
        if not found:
            raise Invalid(f"say who {what}")
        return found

    def day(self, name: str) -> date | None:
        return read_as_of(self.text(name))

    def required_day(self, name: str) -> date:
        found = self.day(name)
        if found is None:
            raise Invalid(f"{_label(name)}: give a day, as 2026-09-01")
        return found

    def number(self, name: str) -> float | None:
        return read_number(name, self.text(name))

    def whole(self, name: str) -> int | None:
        return read_whole(name, self.text(name))

    def file(self, name: str) -> tuple[str, bytes]:
        """Name and content of an uploaded file; "" and nothing if none was chosen."""
        found = self._data.get(name)
        if not isinstance(found, UploadFile) or not found.filename:
            return "", b""
        return one_line(Path(found.filename.replace("\\", "/")).name), found.file.read()

    def starting(self, prefix: str) -> dict[str, str]:
        """The fields whose names begin so, by the rest of their names."""
        return {name.removeprefix(prefix): self.text(name) for name in self._data if name.startswith(prefix)}


def read_number(name: str, text: str) -> float | None:
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise Invalid(f"{_label(name)}: {text!r} is no number") from None


def read_whole(name: str, text: str) -> int | None:
    found = read_number(name, text)
    if found is not None and (found != found or abs(found) > 1e9 or found != int(found)):
        raise Invalid(f"{_label(name)}: {text!r} is no whole number")
    return None if found is None else int(found)


async def _form(request: Request) -> Form:
    return Form(await request.form(max_files=1, max_fields=MOST_FIELDS))


Sent = Annotated[Form, Depends(_form)]


# --- routes ----------------------------------------------------------------------------------------------


class PageRoute(APIRoute):
    """A route whose errors are pages, or parts of one, with the status that the HTTP door gives them."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def page(request: Request) -> Response:
            try:
                _require_own(request)
                found = await answer(request)
            except (PaladinError, RequestValidationError, HTTPException) as error:
                found = _problem(request, error)
            except Exception as error:
                _log.exception("%s %s", request.method, request.url.path)
                found = _problem(request, error)
            for name, value in HEADERS.items():
                found.headers.setdefault(name, value)
            return found

        return page


def _require_own(request: Request) -> None:
    """Browsers name the page that a form is on. The door refuses another page's; what names none is no page's form."""
    if request.method == "POST" and "origin" not in request.headers:
        raise HTTPException(403, "a form is taken only from a page of this server, which Origin names")


def _problem(request: Request, error: Exception) -> Response:
    kind = wire.kind_of(error)
    usual, title = wire.PROBLEMS[kind]
    status = error.status_code if isinstance(error, HTTPException) else usual
    said = one_line(str(error.detail) if isinstance(error, HTTPException) else str(error))
    if kind == "fault":
        said = f"{type(error).__name__}; the server's log has the details"
    if isinstance(error, RequestValidationError):
        said = "; ".join(f"{_label(str(e['loc'][-1]))}: {e['msg']}" for e in error.errors())
    template = "problem_part.html" if is_part(request) else "problem.html"
    given = {"title": title, "said": said[: wire.LONGEST_DETAIL], "near": wire.near(error)}
    return render(request, template, status, code=status, **given)


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()
