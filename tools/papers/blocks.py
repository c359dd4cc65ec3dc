"""A composed letter: its blocks, the facts it rests on, and the same as text and Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from tools.papers.environment import templates

BREAK = "\v"  # a line's end within a value, which ends no line of a template

Kind = Literal[
    "head",
    "lines",
    "subject",
    "heading",
    "text",
    "bullet",
    "criterion",
    "signature",
    "notice",
    "verbatim",
    "numbered",
    "page",
    "row",
]


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """A value as the letter writes it, and the ids of the records that it comes from, joined by commas."""

    value: str
    record_id: str


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of the letter. A criterion's lines are its number, its quote, and what the record shows; those of a row
    of the table the criterion, what the record shows, the clause's number and its quote; a text's are its sentences,
    which run on. After a `page` comes the appendix."""

    kind: Kind
    lines: tuple[str, ...]


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A letter that awaits a signature."""

    title: str
    case_id: str
    blocks: tuple[Block, ...]
    facts: tuple[Fact, ...]
    gaps: tuple[str, ...] = ()
    identity: str = ""  # whom it is about, at the foot of each page

    @property
    def text(self) -> str:
        return "\n".join(_plain(block) for block in self.blocks).strip() + "\n"

    @property
    def markdown(self) -> str:
        return "\n".join(_markdown(block) for block in self.blocks).strip() + "\n"


class Composer:
    """Keeps the blocks that a template writes."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []

    def block(self, kind: Kind, *lines: str, caller: Callable[[], str] | None = None) -> str:
        """Keep a block of these lines, or of those that the call's body has."""
        if caller is not None:
            lines = tuple(filter(None, map(str.strip, caller().split("\n"))))
        elif kind not in ("criterion", "row"):
            lines = tuple(filter(None, lines))
        self.blocks.append(Block(kind=kind, lines=tuple(line.replace(BREAK, "\n") for line in lines)))
        return ""


def composed(template: str, **given: Any) -> tuple[Block, ...]:
    """The blocks of a template that says nothing beyond what it is given."""
    composer = Composer()
    templates().get_template(template).render(given, block=composer.block)
    return tuple(composer.blocks)


def paragraph(*sentences: str) -> Block:
    return Block(kind="text", lines=tuple(filter(None, sentences)))


def heading(text: str) -> Block:
    return Block(kind="heading", lines=(text,))


# --- as text and as Markdown -------------------------------------------------------------------------------

SIGN = "Signature: ______________________   Date: ____________"
SIGN_IN_MARKDOWN = "Signature: \\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_ Date: \\_\\_\\_\\_\\_\\_"
WHOLE = ("verbatim", "criterion", "row")  # kinds whose empty lines count


def _written(block: Block, kinds: Mapping[str, Callable[..., str]], otherwise: Callable[..., str]) -> str:
    lines = block.lines if block.kind in WHOLE else filter(None, block.lines)
    return kinds.get(block.kind, otherwise)(*lines)


def _plain_row(what: str, shown: str, number: str, quote: str) -> str:
    cited = f'\n     {number}  "{quote}"' if quote else f" ({number})" if number else ""
    return f"- {f'{what}: ' if what else ''}{shown}{cited}"


def _plain_criterion(number: str, quote: str, shown: str) -> str:
    said = f'{number or "-"}  "{quote}"' if quote else number or "-"
    return f"{said}\n     {shown}" if shown else said


_PLAIN: dict[str, Callable[..., str]] = {
    "text": lambda *sentences: f"{' '.join(sentences)}\n",
    "heading": lambda line, *_: f"\n{line.upper()}\n",
    "bullet": lambda line, *_: f"- {line}",
    "numbered": lambda number, line: f"{number}. {line}",
    "row": _plain_row,
    "criterion": _plain_criterion,
    "signature": lambda first, *lines: "\n" + "\n".join((first, "", SIGN, *lines)),
    "notice": lambda line, *_: f"*** {line} ***\n",
}


def _plain(block: Block) -> str:
    return _written(block, _PLAIN, lambda *lines: "\n".join(lines) + "\n")


def _broken(*lines: str) -> str:
    """Lines that stay lines in Markdown."""
    return "  \n".join(lines) + "\n"


def _markdown_criterion(number: str, quote: str, shown: str) -> str:
    return (f"> **{number}** {quote}\n" if number else f"> {quote}\n") + (f"\n{shown}\n" if shown else "")


def _markdown_row(what: str, shown: str, number: str, quote: str) -> str:
    return f"\n**{f'{number} {what}'.strip()}**  \n{shown}  \n" + (f"> {quote}\n" if quote else "")


_MARKDOWN = _PLAIN | {
    "verbatim": lambda *lines: "```\n" + "\n".join(lines) + "\n```\n",
    "head": lambda first, *lines: f"**{first}**  \n{_broken(*lines)}",
    "subject": lambda first, *lines: f"**{first}**  \n{_broken(*lines)}",
    "heading": lambda line, *_: f"\n## {line}\n",
    "criterion": _markdown_criterion,
    "row": _markdown_row,
    "signature": lambda first, *lines: f"\n{first}\n\n{SIGN_IN_MARKDOWN}\n\n" + "  \n".join(lines),
    "notice": lambda line, *_: f"> **{line}**\n",
}


def _markdown(block: Block) -> str:
    return _written(block, _MARKDOWN, _broken)
