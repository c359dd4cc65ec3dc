"""In which language a page speaks: its templates, by a language each, and the link by which a person chooses one.

A template's own words stand in it in English, `_("Open requests")`, and in `tools/messages/LANGUAGE/pages.json` as
that language has them. What a payer printed, a chart says or a person wrote stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from jinja2 import Environment
from markupsafe import Markup

from agent.runtime.home import now
from agent.runtime.templates import shown, templates
from tools.common.errors import NotFound
from tools.messages import languages, page_words
from tools.messages.catalogue import catalogue
from tools.papers.formats import PRINTED_UNITS
from tools.screening.needs import told
from tools.terminology.terms import INDICATIONS

router = APIRouter(include_in_schema=False)
LANGUAGES = languages()
COOKIE, YEAR = "language", 365 * 86_400  # seconds
NAMES = {"en": "English", "es": "Español"}
HERE = Path(__file__).parent
# Where a link inside leads takes the place of what is shown, without the browser beginning a new page.
SWAPPING = Markup(
    ' hx-boost="true" hx-target="#main" hx-select="#main" hx-select-oob="#places" hx-swap="outerHTML show:window:top"'
)


@router.get("/language/{language}")
def choose(request: Request, language: str) -> RedirectResponse:
    """Speak this language from now on, and go back to the page with the link."""
    if language not in LANGUAGES:
        raise NotFound("language", language, LANGUAGES)
    came = urlsplit(request.headers.get("referer", ""))
    back = f"{came.path}?{came.query}" if came.query else came.path
    ours = came.netloc == request.url.netloc and back.startswith("/") and not back.startswith("//")
    answer = RedirectResponse(back if ours else "/", 303)
    answer.set_cookie(COOKIE, language, max_age=YEAR, httponly=True, samesite="strict")
    return answer


def language_of(request: Request) -> str:
    """What was chosen, else the first that the browser asks for and there is."""
    asked = [request.cookies.get(COOKIE, ""), *request.headers.get("accept-language", "").split(",")]
    known = (tag for one in asked if (tag := one.strip()[:2].lower()) in LANGUAGES)
    return next(known, LANGUAGES[0])


class Wording:
    """What a page's words are in one language; what it has no words for is said as it stands."""

    def __init__(self, words: Mapping[str, str]) -> None:
        self._words = words

    def says(self, text: str, many: str = "", /, **values: Any) -> str:
        """The text with its values; with `many`, that one unless `n` is 1."""
        form = self._form(text, many, values)
        return form.format(**_filled(values)) if values else form

    def marked(self, text: str, many: str = "", /, **values: Any) -> Markup:
        """The same of a template's own text with elements in it; values are escaped."""
        return Markup(self._form(text, many, values)).format(**_filled(values))

    def words(self, key: Any) -> str:
        """A key as a person reads it: `needs_documentation`."""
        return self.says(str(key).replace("_", " ").replace("(", " ("))

    def under(self, key: str, text: str) -> str:
        """The text, as it is told in English; in another language what stands under the key, if there is something."""
        return self._words.get(key) or self.says(text)

    def _form(self, text: str, many: str, values: Mapping[str, Any]) -> str:
        text = many if many and values["n"] != 1 else text
        return self._words.get(text, text)


@cache
def pages(language: str) -> Environment:
    """The templates in this language."""
    made = templates(HERE / "templates", _shown)
    wording, named = Wording(page_words(language)), catalogue(language).grammar.named
    made.globals |= {
        "_": wording.says,
        "marked": wording.marked,
        "under": wording.under,
        "language": language,
        "static": _static,
        "swapping": SWAPPING,
        "now": now,
    }
    made.globals["other_languages"] = {code: NAMES[code] for code in LANGUAGES if code != language}
    made.filters |= {
        "words": wording.words,
        "named": named,
        "use": lambda key: named(INDICATIONS.get(key, key or "")),
        "number": _number,
        "unit": _unit,
        "moment": _moment,
        "told": told,
    }
    return made


@cache
def _static(name: str) -> str:
    """The address of one of our files as it is now, which is another once the file is."""
    return f"/static/{name}?{sha256((HERE / 'static' / name).read_bytes()).hexdigest()[:12]}"


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _shown(value) for name, value in values.items()}


def _shown(value: Any) -> Any:
    """Nothing is an empty text."""
    return "" if value is None else shown(value)


def _number(value: float | str | None) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value or "")


def _unit(unit: str | None) -> str:
    """As papers print it, and not as UCUM codes it."""
    return PRINTED_UNITS.get(unit or "", unit or "")


def _moment(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M}"
