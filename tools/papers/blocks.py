"""A composed letter: its blocks, the facts it rests on, and the same as text and Markdown."""

from __future__ import annotations

from collections.abc import Callable
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


def _plain(block: Block) -> str:
    if block.kind == "verbatim":
        return "\n".join(block.lines) + "\n"
    lines = [line for line in block.lines if line]
    if block.kind == "text":
        return " ".join(lines) + "\n"
    if block.kind == "heading":
        return f"\n{lines[0].upper()}\n"
    if block.kind == "bullet":
        return f"- {lines[0]}"
    if block.kind == "numbered":
        return f"{lines[0]}. {lines[1]}"
    if block.kind == "row":
        what, shown, number, quote = block.lines
        return f"- {f'{what}: ' if what else ''}{shown}" + (
            f'\n     {number}  "{quote}"' if quote else f" ({number})" if number else ""
        )
    if block.kind == "criterion":
        number, quote, shown = block.lines
        said = f'{number or "-"}  "{quote}"' if quote else number or "-"
        return f"{said}\n     {shown}" if shown else said
    if block.kind == "signature":
        return "\n" + "\n".join(
            (lines[0], "", "Signature: ______________________   Date: ____________", *lines[1:])
        )
    if block.kind == "notice":
        return f"*** {lines[0]} ***\n"
    return "\n".join(lines) + "\n"


def _markdown(block: Block) -> str:
    if block.kind == "verbatim":
        return "```\n" + "\n".join(block.lines) + "\n```\n"
    lines = [line for line in block.lines if line]
    if block.kind == "text":
        return " ".join(lines) + "\n"
    if block.kind == "head":
        return f"**{lines[0]}**  \n" + "  \n".join(lines[1:]) + "\n"
    if block.kind == "heading":
        return f"\n## {lines[0]}\n"
    if block.kind == "bullet":
        return f"- {lines[0]}"
    if block.kind == "numbered":
        return f"{lines[0]}. {lines[1]}"
    if block.kind == "criterion":
        number, quote, shown = block.lines
        return (f"> **{number}** {quote}\n" if number else f"> {quote}\n") + (f"\n{shown}\n" if shown else "")
    if block.kind == "row":
        what, shown, number, quote = block.lines
        return f"\n**{f'{number} {what}'.strip()}**  \n{shown}  \n" + (f"> {quote}\n" if quote else "")
    if block.kind == "subject":
        return f"**{lines[0]}**  \n" + "  \n".join(lines[1:]) + "\n"
    if block.kind == "signature":
        return (
            f"\n{lines[0]}\n\nSignature: \\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_ Date: \\_\\_\\_\\_\\_\\_\n\n"
            + "  \n".join(lines[1:])
        )
    if block.kind == "notice":
        return f"> **{lines[0]}**\n"
    return "  \n".join(lines) + "\n"
