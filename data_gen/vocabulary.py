"""What stands in charts.yaml: how diseases, medicines, lists and notes are worded in the charts that are made."""

from __future__ import annotations

from pathlib import Path

import msgspec

Dosing = tuple[
    str, float, str, float, str
]  # name, dose per administration, unit, administrations a day, formulation


class NoteTexts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sentences of notes, of which one is drawn; {drug}, {Drug}, {who}, {history} and {measured} are filled in.
    `history` is what a note calls a disease, by the field of a person that has it; {lvef} is filled in."""

    history: dict[str, str]
    openings: tuple[str, ...]
    symptoms: tuple[str, ...]
    plans: tuple[str, ...]
    renewal_plans: tuple[str, ...]
    plain_plans: tuple[str, ...]
    causes: tuple[str, ...]
    diabetic_traps: tuple[str, ...]
    other_traps: tuple[str, ...]
    outcomes: dict[str, tuple[str, ...]]


class Statements(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a planted chart states or denies, by topic."""

    denied: dict[str, str]
    stated: dict[str, str]


class Vocabulary(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """charts.yaml, of which its comments tell."""

    conditions: dict[str, str]
    unrelated: tuple[str, ...]
    rare: dict[str, tuple[str, str]]
    medicines: dict[str, Dosing]
    representative: dict[str, str]
    allergies: tuple[dict[str, str | list[str]], ...]
    relatives: tuple[dict[str, str], ...]
    statements: Statements
    notes: NoteTexts


VOCABULARY = msgspec.yaml.decode(Path(__file__).with_name("charts.yaml").read_bytes(), type=Vocabulary)
