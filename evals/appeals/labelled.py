"""The labelled letters of cases.yaml, each made into a case and a denial, and what the strategy does with
them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from evals.stores import read_drugs
from tools.appeals.records import Strategy
from tools.appeals.strategy import strategy
from tools.appeals.timing import clocks_of_letter
from tools.charts import casefile
from tools.denials import records
from tools.denials.records import Denial, LetterKind, Quote, Right, RightKind
from tools.domain.records import Drug
from tools.engine.alternatives import alternatives
from tools.engine.determine import determine
from tools.papers.case import Case

FOLDER = Path(__file__).parent
AS_OF, DATED = date(2026, 9, 1), date(2026, 8, 25)


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A letter with its label, as cases.yaml says it. `steps` are kinds, with the level behind a colon; `expect` is how
    each reason stands; `draft`: is a letter drafted?"""

    name: str
    why: str
    plan: str
    drug: str
    chart: str
    instead: dict[str, Any] = msgspec.field(name="with", default={})
    request: dict[str, Any] = {}
    kind: LetterKind = "denial"
    decided: str = ""
    dated: date | None = DATED
    received: date | None = None
    within: int | None = None
    rights: tuple[RightKind, ...] = ()
    clauses: dict[str, tuple[str, ...]] = {}
    quantity: float | None = None
    says: dict[str, str]
    expect: tuple[str, ...]
    steps: tuple[str, ...]
    draft: bool


class Labelled(NamedTuple):
    """A labelled letter, made into a case and a denial."""

    label: Entry
    case: Case
    denial: Denial


def judge(one: Labelled) -> Strategy:
    """What the strategy says of it."""
    label = one.label
    clocks = clocks_of_letter(one.denial, one.case, label.decided, label.received)
    return strategy(one.case, one.denial, clocks, decided=label.decided)


def compare(one: Labelled, found: Strategy) -> dict[str, tuple[object, object]]:
    """What is labelled and what was found: how each reason stands, the steps, and whether a letter is drafted."""
    steps = tuple(f"{step.kind}:{step.level}" if step.level else step.kind for step in found.steps)
    return {
        "standings": (one.label.expect, tuple(reason.standing for reason in found.reasons)),
        "steps": (one.label.steps, steps),
        "draft": (one.label.draft, not found.refusal),
    }


# --- from the file ---------------------------------------------------------------------------------------


@cache
def labelled(file: Path = FOLDER / "cases.yaml") -> tuple[Labelled, ...]:
    """All of the file's letters; msgspec.ValidationError names an entry that is no such letter."""
    given = yaml.safe_load(file.read_text(encoding="utf-8"))
    drugs = tuple(read_drugs().values())
    with tempfile.TemporaryDirectory() as folder:
        return tuple(
            Labelled(entry, case := _case(entry, given, drugs, Path(folder)), _denial(entry, case))
            for entry in msgspec.convert(given["cases"], tuple[Entry, ...])
        )


def _case(entry: Entry, given: Mapping[str, Any], drugs: tuple[Drug, ...], folder: Path) -> Case:
    """Read as `pa check --case` reads it, from a file that says the same."""
    table = given["plans"][entry.plan]
    plan = {
        "id": entry.plan, "payer": "Fernleaf Health", "line_of_business": table["line"], "drugs": table["drugs"]
    }  # fmt: skip
    written = {
        "as_of": AS_OF, "policies": str(FOLDER / "policies.yaml"), "plan": plan,
        "request": {"drug": entry.drug, **entry.request}, "patient": {**given["charts"][entry.chart], **entry.instead},
    }  # fmt: skip
    path = folder / "case.yaml"
    path.write_text(yaml.safe_dump(written, sort_keys=False), encoding="utf-8")
    read = casefile.read_case(path, casefile.Known(casefile.no_store, drugs))
    peers = table.get("peer_to_peer_days")
    plan_read = msgspec.structs.replace(
        read.plan, internal_levels=table.get("internal_levels", 1), peer_to_peer_days=peers
    )
    case = Case(
        patient=read.patient, plan=plan_read, drug=next(drug for drug in drugs if drug.name == read.request.drug),
        request=read.request, determination=determine(read.patient, plan_read, read.request, AS_OF), as_of=AS_OF,
    )  # fmt: skip
    return decided(case, drugs)


def decided(case: Case, drugs: tuple[Drug, ...]) -> Case:
    """The case with what else its plan covers that the patient meets."""
    found = alternatives(case.patient, case.plan, case.request, case.as_of, drugs, case.determination)
    told = msgspec.structs.replace(case.determination, alternatives=found)
    return msgspec.structs.replace(case, determination=told)


def _denial(entry: Entry, case: Case) -> Denial:
    dated, name = entry.dated, case.drug.name
    rights = [Right(kind=kind, quote=_quote(kind)) for kind in entry.rights]
    if entry.within is not None:
        within = records.Deadline(
            quote=_quote("within"), amount=entry.within, unit="days", runs_from="receipt"
        )
        rights.append(Right(kind="appeal", quote=_quote("appeal"), deadline=within))
    return Denial(
        kind=entry.kind,
        dated=records.StatedDate(value=dated, quote=_quote(str(dated))) if dated else None,
        drugs=(records.RequestedDrug(name=name, quantity=entry.quantity, quote=_quote(name)),),
        reasons=tuple(
            records.StatedReason(code=code, quote=_quote(words), clauses=entry.clauses.get(code, ()))
            for code, words in entry.says.items()
        ),
        rights=tuple(rights),
    )


def _quote(text: str) -> Quote:
    return Quote(text=text, start=0, end=len(text))
