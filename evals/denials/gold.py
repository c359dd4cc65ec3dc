"""The labelled letters, read from their files; README.md says how labels are written."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, NamedTuple, get_args

import yaml

from tools.denials.codes import REASONS
from tools.denials.records import LetterKind, RightKind
from tools.domain.records import Policy

FOLDER = Path(__file__).parent / "letters"
SETS = ("dev", "dev2", "dev3", "dev4", "dev5", "heldout", "heldout2", "heldout3")


class Label(NamedTuple):
    """What a letter states. `either` are codes that may be read as well; `deadline` is (amount, unit, runs
    from, day)."""

    name: str
    voice: str
    text: str
    kind: str
    payer: str
    member: str
    member_id: str
    reference: str
    birth_date: date | None
    letter_date: date | None
    drugs: tuple[dict[str, Any], ...]
    reasons: dict[str, str]
    either: frozenset[str]
    criteria: tuple[str, ...]
    rights: frozenset[str]
    deadline: tuple[int | None, str | None, str | None, date | None] | None
    questions: int
    policy: Policy | None = None  # the one that the letter applies, where it is at hand


def load(which: str) -> list[Label]:
    """A set of labelled letters; AssertionError names a label that does not fit its letter."""
    return [
        read(file.stem, file.read_text(encoding="utf-8")) for file in sorted((FOLDER / which).glob("*.txt"))
    ]


def read(name: str, raw: str) -> Label:
    head, _, text = raw.partition("\n---\n")
    return label(name, yaml.safe_load(head), text)


def label(name: str, given: dict[str, Any], text: str) -> Label:
    """The label as data, checked against its letter."""
    reasons = {code: str(words) for code, words in (given.get("reasons") or {}).items()}
    assert set(reasons) | set(given.get("either") or ()) <= set(REASONS), f"{name}: {reasons}"
    assert given["kind"] in get_args(LetterKind), f"{name}: {given['kind']}"
    assert set(given["rights"]) <= set(get_args(RightKind)), f"{name}: {given['rights']}"
    for words in reasons.values():
        assert words in text, f"{name}: {words!r} does not stand in the letter"
    due = given.get("deadline")
    return Label(
        name=name,
        voice=given.get("voice", ""),
        text=text,
        kind=given["kind"],
        payer=str(given.get("payer") or ""),
        member=str(given.get("member") or ""),
        member_id=str(given.get("member_id") or ""),
        reference=str(given.get("reference") or ""),
        birth_date=given.get("birth_date"),
        letter_date=given.get("letter_date"),
        drugs=tuple(given.get("drugs") or ()),
        reasons=reasons,
        either=frozenset(given.get("either") or ()),
        criteria=tuple(given.get("criteria") or ()),
        rights=frozenset(given["rights"]),
        deadline=(due["amount"], due["unit"], due["from"], due["date"]) if due else None,
        questions=given.get("questions") or 0,
    )
