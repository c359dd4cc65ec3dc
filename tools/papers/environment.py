"""The templates of what we write, in `templates/`, and what they may call."""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.papers import formats
from tools.terminology.observations import TESTS
from tools.terminology.terms import INDICATIONS, TOPICS

if TYPE_CHECKING:
    from jinja2 import Environment

PEOPLE = {"male": "man", "female": "woman", "unknown": "patient"}


@lru_cache(maxsize=1)
def templates() -> Environment:
    """They escape nothing: none of what they make is HTML."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder = FileSystemLoader(Path(__file__).with_name("templates"))
    found = Environment(loader=folder, undefined=StrictUndefined, auto_reload=False)
    found.filters |= {
        "sentence": formats.sentence, "inside": inside, "article": _with_article, "long_date": formats.long_date,
        "dates": partial(formats.dates_in, write=formats.long_date),
    }  # fmt: skip
    found.globals |= {
        "formats": formats, "TESTS": TESTS, "INDICATIONS": INDICATIONS, "TOPICS": TOPICS, "PEOPLE": PEOPLE,
    }  # fmt: skip
    return found


def said(template: str, macro: str, *given: Any) -> str:
    """What one macro of a template says of this."""
    return str(getattr(templates().get_template(template).module, macro)(*given))


def inside(text: str) -> str:
    """Inside a sentence; HbA1c and other words with capitals or digits within stay as they are."""
    first = text.split(" ", 1)[0]
    return text[:1].lower() + text[1:] if len(first) == 1 or first[1:].islower() else text


def _with_article(name: str) -> str:
    return f"{'an' if name[:1] in 'aeiou' else 'a'} {name}"
