"""Who is spoken about, and in which language: what stays the same through all that one reader is told."""

from __future__ import annotations

from typing import Any, NamedTuple

from tools.common.errors import NotFound
from tools.messages.catalogue import LANGUAGE, TEXT, languages, render, term
from tools.messages.message import Message


class Voice(NamedTuple):
    """Says messages in one language about one patient; `sex` is "female", "male" or ""."""

    language: str = LANGUAGE
    sex: str = ""

    def says(self, message: Message, form: str = TEXT, **context: Any) -> str:
        """The message in words; arguments as for `render`."""
        who = {"she": self.term(f"patient.{self.sex}" if self.sex else "patient")}
        return render(message, form, language=self.language, **{**who, **context})

    def term(self, code: str) -> str:
        """The word for a code that stands for a thing."""
        return term(code, language=self.language)


def voice(language: str, sex: str | None = "") -> Voice:
    """The voice of a language that the catalogue has.

    Errors: NotFound, for another one.
    """
    if language not in languages():
        raise NotFound("language", language, languages())
    return Voice(language, sex if sex in ("female", "male") else "")
