"""The clinic's patients and its store: each patient's chart as it is on the day on which the patient comes."""

from __future__ import annotations

import heapq
import random
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from data_gen.catalog_loader import our_catalog
from data_gen.world import Maker, Span
from evals.making.folder import write_world
from evals.payer.answering import Payer
from tools.store.load import load
from tools.store.store import Store

START = date(2026, 9, 1)
STAYING = 0.9


class Arrival(NamedTuple):
    """Who comes when."""

    patient_id: str
    on: date


class Agenda(ABC):
    """The days of an office: what is planned for a day is done on it, in the order in which it was planned."""

    def __init__(self) -> None:
        self.day = START
        self._waiting: list[tuple[date, int, Callable[[], object]]] = []
        self._count = 0

    def plan(self, on: date, what: Callable[[], object]) -> None:
        """Do this on that day, or today if it is over."""
        self._count += 1
        heapq.heappush(self._waiting, (max(on, self.day), self._count, what))

    @abstractmethod
    def arrive(self, patient_id: str) -> None:
        """What is done for a patient who comes today."""

    def live(
        self, arrivals: Sequence[Arrival], last: date, end_of_day: Callable[[], None] = lambda: None
    ) -> None:
        """Let the days pass, to the last one, and these people come."""
        for arrival in arrivals:
            self.plan(arrival.on, partial(self.arrive, arrival.patient_id))
        while self.day <= last:
            while self._waiting and self._waiting[0][0] <= self.day:
                heapq.heappop(self._waiting)[2]()
            end_of_day()
            self.day += timedelta(days=1)


def arrivals(patients: int, months: int, seed: int) -> list[Arrival]:
    """Working days of the first eleven twelfths of the time, so that most requests are answered by its end."""
    draw = random.Random(f"{seed}/arrivals")
    length = int(months * 30.4 * 11 / 12)
    found = []
    for index in range(1, patients + 1):
        day = START + timedelta(days=draw.randint(0, max(length, 1)))
        day += timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)
        found.append(Arrival(f"P{index:03d}", day))
    return sorted(found, key=lambda one: (one.on, one.patient_id))


def furnish(folder: Path, coming: list[Arrival], seed: int) -> Store:
    """A store of its own in this folder, with these patients in it."""
    catalog = our_catalog()
    by_day: dict[date, list[int]] = defaultdict(list)
    for one in coming:
        by_day[one.on].append(int(one.patient_id[1:]))
    charts: list[dict[str, Any]] = []
    for day, numbers in by_day.items():
        maker = Maker(catalog, seed, day, "json")
        for number in numbers:
            made = msgspec.json.decode(b"[" + maker.text(Span(number - 1, number)).patients + b"]")
            charts += [_staying(chart, day, seed) for chart in made]
    write_world(folder / "world", sorted(charts, key=lambda chart: int(chart["id"][1:])), seed)
    store = Store.create(f"sqlite:///{folder / 'paladin.db'}")
    load(store, folder / "world")
    return store


def _staying(chart: dict[str, Any], day: date, seed: int) -> dict[str, Any]:
    """Plan years end in December, and most members stay for the next one."""
    stays = random.Random(f"{seed}/{chart['id']}/stays").random() < STAYING
    for period in chart["coverages"] if stays else ():
        end = period.get("end")
        if end and end.endswith("-12-31") and period.get("start", "") <= day.isoformat() <= end:
            del period["end"]
    return chart


def payer_of(store: Store, world: Path, seed: int, mistakes: float) -> Payer:
    """The payer has what it prints: plans, drugs and policies, as the files of a world."""
    plans, drugs = (msgspec.json.decode((world / f"{name}.json").read_bytes()) for name in ("plans", "drugs"))
    return Payer(
        seed=seed,
        plans={plan.id: plan for plan in store.plans()},
        tables={plan["id"]: plan for plan in plans},
        drugs={drug["name"]: drug for drug in drugs},
        policies={(policy.plan_id, policy.drug): policy.text for policy in store.policies()},
        mistakes=mistakes,
    )
