"""A catalog from the committed world, without a store; and the sets of questions."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

from agent.understanding.known import Known
from agent.understanding.reading import INTENTS, Ask, Reading, Talk
from tools.records import Drug, Plan
from tools.what_if import Change, Value

WORLD = Path(__file__).parents[3] / "mock_data"


class Named:
    """A store that knows two patients' names."""

    def patient(self, patient_id: str) -> Any:
        return type("Somebody", (), {"name": "Antonio Nguyen"})()

    def find_patients(self, query: str, limit: int) -> list[Any]:
        people = (("Antonio", "Nguyen"), ("Ngozi", "Wojtanowska"))
        return [type("Row", (), {"given": given, "family": family})() for given, family in people][:limit]


_store = Named()


@lru_cache(maxsize=1)
def known() -> Known:
    import weakref

    return Known(
        tuple(msgspec.json.decode((WORLD / "drugs.json").read_bytes(), type=list[Drug])),
        tuple(msgspec.json.decode((WORLD / "plans.json").read_bytes(), type=list[Plan])),
        date(2026, 9, 1),
        weakref.ref(_store),  # type: ignore[arg-type]
    )


def questions(name: str) -> list[dict[str, Any]]:
    return list(
        yaml.load(
            (Path(__file__).parent / f"{name}.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
        )
    )


def talk_of(row: dict[str, Any]) -> Talk:
    said = row.get("t", {})
    drugs = tuple(said.get("drugs", ()))
    supposed = (Value(test="hba1c", value=7.4),)
    return Talk(
        patient_id=said.get("patient", "P001"),
        drugs=drugs,
        earlier=tuple(said.get("earlier", ())),
        asks=tuple(
            Ask(intent=one, drugs=drugs[:1], changes=supposed if one == "what_if" else ())
            for one in said.get("asks", ())
        ),
        offered=tuple(said.get("offered", ())),
    )


def wrong(row: dict[str, Any], reading: Reading) -> list[str]:
    """Which parts of the reading are not as the row says."""
    intents = list(dict.fromkeys(ask.intent for ask in reading.asks))
    drugs = {drug for ask in reading.asks for drug in ask.drugs}
    assert set(intents) <= set(INTENTS)
    checks = {
        "intents": intents == row["i"] or intents in row.get("or", ()),
        "drugs": drugs == set(row.get("d", ())),
        "cand": "cand" not in row or set(reading.candidates) == set(row["cand"]),
        "strangers": "strangers" not in row or list(reading.strangers) == row["strangers"],
        "all": "all" not in row or any(ask.all_drugs for ask in reading.asks),
        "person": "person" not in row
        or (bool(reading.person) if row["person"] == "any" else reading.person == row["person"]),
        "plan": "plan" not in row or reading.plan_id == row["plan"],
        "ind": "ind" not in row or any(ask.indication == row["ind"] for ask in reading.asks),
        "about": "about" not in row
        or any(ask.about.casefold() == str(row["about"]).casefold() for ask in reading.asks),
        "changes": "changes" not in row
        or "; ".join(shown(change) for ask in reading.asks for change in ask.changes) == row["changes"],
    }
    return [part for part, right in checks.items() if not right]


def shown(change: Change) -> str:
    """A change as its repr, without what is as it would be anyway."""
    said = [
        f"{one.name}={getattr(change, one.name)!r}"
        for one in msgspec.structs.fields(type(change))
        if getattr(change, one.name) != one.default
    ]
    return f"{type(change).__name__}({', '.join(said)})"
