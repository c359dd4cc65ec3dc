"""The labelled letters of cases.yaml, each made into a case and a denial, and what the strategy does with
them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from evals.stores import MOCK_DATA, read_drugs
from tools.appeals.records import Strategy
from tools.appeals.strategy import strategy
from tools.appeals.timing import clocks_of_letter
from tools.charts import casefile
from tools.denials.records import (
    Deadline,
    Denial,
    Quote,
    RequestedDrug,
    Right,
    StatedDate,
    StatedReason,
)
from tools.domain.records import Drug
from tools.engine.alternatives import alternatives
from tools.engine.determine import determine
from tools.papers.case import Case

FOLDER = Path(__file__).parent
AS_OF, DATED = date(2026, 9, 1), date(2026, 8, 25)
_KEYS = frozenset(
    [
        "name",
        "why",
        "plan",
        "drug",
        "chart",
        "with",
        "request",
        "kind",
        "decided",
        "dated",
        "received",
        "within",
        "rights",
        "clauses",
        "quantity",
        "says",
        "expect",
        "steps",
        "draft",
    ]
)


class Labelled(NamedTuple):
    """A letter with its label. `steps` are kinds, with the level behind a colon; `draft`: is a letter
    drafted?"""

    name: str
    why: str
    case: Case
    denial: Denial
    decided: str
    received: date | None
    standings: tuple[str, ...]
    steps: tuple[str, ...]
    draft: bool


def judge(one: Labelled) -> Strategy:
    """What the strategy says of it."""
    clocks = clocks_of_letter(one.denial, one.case, one.decided, one.received)
    return strategy(one.case, one.denial, clocks, decided=one.decided)


def compare(one: Labelled, found: Strategy) -> dict[str, tuple[object, object]]:
    """What is labelled and what was found: how each reason stands, the steps, and whether a letter is drafted."""
    steps = tuple(f"{step.kind}:{step.level}" if step.level else step.kind for step in found.steps)
    return {
        "standings": (one.standings, tuple(reason.standing for reason in found.reasons)),
        "steps": (one.steps, steps),
        "draft": (one.draft, not found.refusal),
    }


# --- from the file ---------------------------------------------------------------------------------------


@cache
def labelled(file: Path = FOLDER / "cases.yaml") -> tuple[Labelled, ...]:
    """All of the file's letters; AssertionError names an entry with a key that it cannot have."""
    given = yaml.safe_load(file.read_text(encoding="utf-8"))
    drugs = tuple(read_drugs().values())
    with tempfile.TemporaryDirectory() as folder:
        return tuple(_one(entry, given, drugs, Path(folder)) for entry in given["cases"])


def _json(name: str) -> Any:
    return json.loads((MOCK_DATA / f"{name}.json").read_text(encoding="utf-8"))


def _one(
    entry: Mapping[str, Any], given: Mapping[str, Any], drugs: tuple[Drug, ...], folder: Path
) -> Labelled:
    assert set(entry) <= _KEYS, f"{entry['name']}: {set(entry) - _KEYS}"
    case = _case(entry, given, drugs, folder)
    denial = _denial(entry, case)
    return Labelled(
        name=entry["name"],
        why=entry["why"],
        case=case,
        denial=denial,
        decided=entry.get("decided", ""),
        received=entry.get("received"),
        standings=tuple(entry["expect"]),
        steps=tuple(entry["steps"]),
        draft=entry["draft"],
    )


def _case(entry: Mapping[str, Any], given: Mapping[str, Any], drugs: tuple[Drug, ...], folder: Path) -> Case:
    """Read as `pa check --case` reads it, from a file that says the same."""
    table = given["plans"][entry["plan"]]
    chart = {**given["charts"][entry["chart"]], **entry.get("with", {})}
    written = {
        "as_of": AS_OF,
        "policies": str(FOLDER / "policies.yaml"),
        "plan": {
            "id": entry["plan"],
            "payer": "Fernleaf Health",
            "line_of_business": table["line"],
            "drugs": table["drugs"],
        },
        "request": {"drug": entry["drug"], **entry.get("request", {})},
        "patient": chart,
    }
    path = folder / "case.yaml"
    path.write_text(yaml.safe_dump(written, sort_keys=False), encoding="utf-8")
    read = casefile.read_case(path, casefile.Known(casefile.no_store, drugs))
    plan = msgspec.structs.replace(
        read.plan,
        internal_levels=table.get("internal_levels", 1),
        peer_to_peer_days=table.get("peer_to_peer_days"),
    )
    return decided(Case(
        patient=read.patient,
        plan=plan,
        drug=next(drug for drug in drugs if drug.name == read.request.drug),
        request=read.request,
        determination=determine(read.patient, plan, read.request, AS_OF),
        as_of=AS_OF,
    ), drugs)  # fmt: skip


def decided(case: Case, drugs: tuple[Drug, ...]) -> Case:
    """The case with what else its plan covers that the patient meets."""
    found = alternatives(case.patient, case.plan, case.request, case.as_of, drugs, case.determination)
    told = msgspec.structs.replace(case.determination, alternatives=found)
    return msgspec.structs.replace(case, determination=told)


def _denial(entry: Mapping[str, Any], case: Case) -> Denial:
    dated = entry.get("dated", DATED)
    quantity = entry.get("quantity")
    return Denial(
        kind=entry.get("kind", "denial"),
        dated=StatedDate(value=dated, quote=_quote(str(dated))) if dated else None,
        drugs=(RequestedDrug(name=case.drug.name, quantity=quantity, quote=_quote(case.drug.name)),),
        reasons=tuple(
            StatedReason(
                code=code, quote=_quote(words), clauses=tuple(entry.get("clauses", {}).get(code, ()))
            )
            for code, words in entry["says"].items()
        ),
        rights=tuple(_rights(entry)),
    )


def _rights(entry: Mapping[str, Any]) -> Iterator[Right]:
    for kind in entry.get("rights", ()):
        yield Right(kind=kind, quote=_quote(kind))
    if "within" in entry:
        within = Deadline(quote=_quote("within"), amount=entry["within"], unit="days", runs_from="receipt")
        yield Right(kind="appeal", quote=_quote("appeal"), deadline=within)


def _quote(text: str) -> Quote:
    return Quote(text=text, start=0, end=len(text))
