"""Who worded a letter, and the letter as it was worded; a draft keeps both."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from tools.papers.blocks import Letter

if TYPE_CHECKING:
    from agent.models.model import Model
    from tools.papers.case import Case


class Wording(msgspec.Struct, frozen=True, kw_only=True):
    """Who worded a letter: a model, a model with code's help, or code; and what went wrong, if anything did."""

    path: Literal["llm", "repaired", "template"] = "template"
    model: str = "offline"
    model_calls: int = 0
    prompt_tokens: int = 0
    output_tokens: int = 0
    rejected: tuple[str, ...] = ()
    notice: str = ""


class Reworded(NamedTuple):
    letter: Letter
    wording: Wording


def worded(letter: Letter, case: Case, model: Model | None, decided: date | None = None) -> Reworded:
    """The letter in the model's words where they hold, or in code's; `decided` as letter_prose.reword takes it."""
    if model is None:
        return Reworded(letter, Wording())
    from agent.drafts.letter_prose import reword  # all that verifies a model's words, which code's do without

    return reword(letter, case, model, decided)
