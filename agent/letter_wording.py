"""Who worded a letter, and the letter as it was worded; a draft keeps both."""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from tools.papers.blocks import Letter


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
