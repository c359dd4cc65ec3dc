"""Pieces of a question: the text with markers for all that has a name, and what is found out about each piece."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from agent.understanding.drugs import Mention
from agent.understanding.reading import ABOUT_A_DRUG, Ask, Intent
from tools.what_if import Change

AGAINABLE = ABOUT_A_DRUG | {"chart", "advice", "dosing", "cases"}


class Item(NamedTuple):
    """What a marker stands for."""

    marker: str
    mention: Mention | None = None
    said: str = ""  # a test's key, a diagnosis' key, a plan's id, a person


@dataclass
class Piece:
    """One thing asked: its text with markers, what they stand for by place, and the words as typed."""

    text: str
    items: list[tuple[int, Item]]
    typed: str

    def of(self, *markers: str) -> list[Item]:
        return [item for _, item in self.items if item.marker in markers]

    @property
    def mentions(self) -> list[Mention]:
        return [item.mention for _, item in self.items if item.mention]

    def at(self, place: int) -> Item | None:
        return next((item for start, item in self.items if start == place), None)


@dataclass
class Found:
    """What a piece asks, before the drugs are settled."""

    piece: Piece
    intent: Intent
    about: str = ""
    sure: float = 0.95
    changes: tuple[Change, ...] = ()
    again: tuple[Ask, ...] = ()  # the last turn's asks, asked again about another drug
    drugs: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    all_drugs: bool = False
    indication: str = ""
    named: bool = False
    context: bool = False  # it only leads up to the question


def cut_out(whole: Piece, start: int, end: int, alone: bool) -> Piece:
    text = whole.text[start:end]
    lead = len(text) - len(text.lstrip(" ,.;:-"))
    items = [(at - start - lead, item) for at, item in whole.items if start + lead <= at < end]
    text = text[lead:]
    return Piece(text, items, whole.typed if alone else as_typed(text, items))


def as_typed(text: str, items: list[tuple[int, Item]]) -> str:
    """The piece in words again."""
    made, done = [], 0
    for at, item in items:
        made.append(text[done:at])
        said = item.mention.word if item.mention else item.said.split("|")[-1]
        made.append(said)
        done = at + len(item.marker)
    return "".join((*made, text[done:])).strip()


def overlaps(start: int, end: int, spans: list[tuple[int, int]]) -> bool:
    return any(start < other_end and other_start < end for other_start, other_end in spans)


def unmarked(piece: Piece, markers: tuple[str, ...]) -> str:
    made, done = [], 0
    for at, item in piece.items:
        if item.marker in markers:
            said = item.mention.word if item.mention else item.said.split("|")[-1]
            made += [piece.text[done:at], said]
            done = at + len(item.marker)
    return "".join((*made, piece.text[done:]))


def put_together(first: Piece, second: Piece) -> Piece:
    shift = len(first.text) + 1
    return Piece(
        f"{first.text} {second.text}",
        [*first.items, *((at + shift, item) for at, item in second.items)],
        f"{first.typed} {second.typed}",
    )
