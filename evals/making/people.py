"""The people that items are made of: planted cases of the generator, with the labels that they were made from.

The truth vector of a label was fixed before the chart was made, so no engine is asked. A thousand people of one seed
hold every kind of every plan and drug; where more are wanted, further seeds follow from the first, and their people
are numbered on.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from agent.runtime.settings import read_settings
from data_gen.cases import Label
from data_gen.catalog_loader import Catalog, load_catalog, our_catalog
from data_gen.setting import AS_OF
from data_gen.world import Maker, Span
from evals.oracle import decide
from tools.domain.records import Outcome, Status

THOUSAND = 1000
PLANTED = 600  # at least, of a thousand
_NEXT_SEED = 7_919
LONG_AGO = "2020-01-01"


@dataclass(frozen=True)
class Planted:
    """A label and the chart that realises it."""

    label: Label
    chart: dict[str, Any]

    @property
    def patient(self) -> str:
        return str(self.chart["id"])

    @property
    def truth(self) -> dict[str, Status]:
        """The criteria that a determination lists; where the plan has ended, none is looked at."""
        return {} if self.label.kind == "former_plan" else dict(self.label.truth)

    @property
    def plan_id(self) -> str:
        """The plan that holds today; that of the label, unless it has ended."""
        today = AS_OF.isoformat()
        periods = self.chart["coverages"]
        return next(
            (one["plan_id"] for one in periods if one["start"] <= today <= one.get("end", today)),
            self.label.plan_id,
        )

    @cached_property
    def outcome(self) -> Outcome:
        """What a request for the drug comes to today. Who is in the plan of the label no more is judged under the one
        that is active, by the oracle, for no label was made for it.
        """
        if self.label.kind != "former_plan":
            return self.label.outcome
        plan, drug = catalog().plans[self.plan_id], catalog().drugs[self.label.drug]
        benefit = plan.benefits.get(drug.name)
        policy = catalog().policies.get(benefit.policy_id) if benefit else None
        table, label = (json.loads(msgspec.json.encode(record)) for record in (plan, drug))
        read = decide(policy.text if policy else None, self.chart, table, label, {"drug": drug.name}, AS_OF)
        outcome: Outcome = msgspec.convert(read.outcome, Outcome)
        return outcome


def planted(seed: int, wanted: int) -> tuple[Planted, ...]:
    """At least so many planted people, if a whole number of thousands of them allow it."""
    found: list[Planted] = []
    for turn in count():
        if len(found) >= wanted:
            break
        found += _thousand(seed + turn * _NEXT_SEED, turn)
    return tuple(found)


@lru_cache(maxsize=1)
def catalog() -> Catalog:
    """Ours, or ours with a clinic's own laid over it."""
    return load_catalog(overlay()) if overlay() else our_catalog()


def overlay() -> Path | None:
    """The clinic's own catalog, if the settings name one."""
    return read_settings().catalog


@lru_cache(maxsize=8)
def _thousand(seed: int, turn: int) -> list[Planted]:
    text = Maker(catalog(), seed, AS_OF, "json").text(Span(0, THOUSAND))
    charts = {chart["id"]: chart for chart in msgspec.json.decode(b"[" + text.patients + b"]")}
    labels = [msgspec.json.decode(line, type=Label) for line in text.labels.splitlines()]
    numbered = {
        name: chart | {"id": f"P{int(name[1:]) + turn * THOUSAND:03d}"} for name, chart in charts.items()
    }
    return [Planted(label, numbered[label.patient_id]) for label in labels]


def balanced(people: Sequence[Planted], wanted: int, draw: random.Random) -> list[Planted]:
    """So many of them: kinds in turn, and of each kind the payers and drugs that were taken least so far."""
    queues = defaultdict[str, list[Planted]](list)
    for one in draw.sample(people, len(people)):
        queues[one.label.kind].append(one)
    taken: Counter[str] = Counter()
    chosen: list[Planted] = []
    while len(chosen) < min(wanted, len(people)):
        for kind in sorted(queues):
            if queues[kind] and len(chosen) < wanted:
                best = min(queues[kind], key=lambda one: taken[one.label.plan_id] + taken[one.label.drug])
                queues[kind].remove(best)
                chosen.append(best)
                taken.update((best.label.plan_id, best.label.drug))
    return chosen


def with_note(one: Planted, number: int, words: str) -> Planted:
    """A double of the person, under a number, name and member ids of their own, with these words at the end of the
    newest note."""
    text = json.dumps(one.chart, ensure_ascii=False)
    name = _surname(number)
    text = re.sub(rf"\b{re.escape(one.chart['family'])}\b", name, text)
    for period in one.chart["coverages"]:
        text = text.replace(period["member_id"], f"{period['member_id'][:3]}{number:09d}")
    chart = json.loads(text)
    chart["id"] = f"P{number}"
    notes = chart.setdefault("notes", [])
    if notes:  # a further note might be the very document that the case lacks
        notes[-1]["text"] += f"\n{words}"
    else:
        notes.append({"id": "N1", "date": LONG_AGO, "text": words})
    return Planted(one.label, chart)


def _surname(number: int) -> str:
    """A name that nobody else has: Abelton, Abelrow, …"""
    heads = ("Abel", "Brack", "Corwen", "Dunnel", "Eskel", "Farring", "Gildren", "Hask", "Ivers", "Jossel")
    middles = ("a", "e", "i", "o", "u", "ar", "en", "il", "or", "us")
    tails = ("ton", "row", "ley", "ford", "wick", "stead", "mond", "by", "gard", "more")
    return heads[number % 10] + middles[number // 10 % 10] + tails[number // 100 % 10]


def charts_of(people: Iterable[Planted]) -> list[dict[str, Any]]:
    """Each chart once, by number."""
    charts = {one.patient: one.chart for one in people}
    return [charts[name] for name in sorted(charts, key=lambda name: int(name[1:]))]
