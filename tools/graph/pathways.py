"""What was tried, in which order and how it went, by patients like this one: counts, never people.

Alike is who has the same conditions (model.LIKE), the same payer, and began with the same medicines. Where that is
too few to tell anything, the payer goes, then the medicines, then all conditions but the main one; the answer says at
which of these it stands, with the N of each.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import msgspec

from tools.common.errors import NotFound, Refused
from tools.common.statistics import LEAST, shown, shown_together, wilson
from tools.domain.records import Record
from tools.graph.asking import Asked
from tools.graph.facts import NONE, RESPONSES
from tools.terminology.conditions import CONCEPTS

ENOUGH = 20  # people; fewer, and the next wider circle is taken
MOST_PATHS = 12


class Taken(Record, frozen=True, kw_only=True):
    """A course of the patient who is asked about."""

    medicine: str
    place: int  # 0: when it began is not recorded
    start: date | None
    days: int | None
    response: str
    ended: str


class Circle(Record, frozen=True, kw_only=True):
    """Everybody with the same conditions, or the main one of them, and, if so, the same payer and first medicines;
    `n` None is fewer than 5."""

    same_conditions: bool
    same_payer: bool
    same_start: bool
    n: int | None


class Tried(Record, frozen=True, kw_only=True):
    """A medicine that people of the circle took after what the patient took. `n` began it; of the `recorded` ones the
    response is known. `share` of those responded fully, with its 95 % interval. None is hidden: it would tell of
    fewer than five people."""

    medicine: str
    n: int
    effective: int | None
    partial: int | None
    inadequate: int | None
    intolerance: int | None
    not_recorded: int | None
    recorded: int | None
    share: float | None
    interval: tuple[float, float] | None
    ongoing: int | None


class Pathway(Record, frozen=True, kw_only=True):
    """Medicines in the order in which they were begun, after those that the patient took; `n` went so."""

    medicines: tuple[str, ...]
    n: int


class Pathways(Record, frozen=True, kw_only=True):
    """The answer. All of it is counted from made-up charts where the world is a made-up one."""

    patient_id: str
    as_of: date
    conditions: tuple[str, ...]
    payer: str
    taken: tuple[Taken, ...]
    circles: tuple[Circle, ...]
    circle: int  # which of them the rest is about
    no_further: int | None  # of that circle, who took nothing after
    tried: tuple[Tried, ...] = ()
    paths: tuple[Pathway, ...] = ()
    fewer_than_five: int = 0  # medicines and paths that are left out, since fewer than five people took them


_WIDER = ((True, True, True), (True, False, True), (True, False, False), (False, False, False))


class _Cohort(NamedTuple):
    medicines: tuple[str, ...]
    ends: tuple[str, ...]
    n: int


def pathways(asked: Asked, patient_id: str) -> Pathways:
    """NotFound for nobody; Refused where the chart does not record what would make others alike."""
    mine = asked.rows("patient", id=patient_id)
    if not mine:
        raise NotFound("patient", patient_id, hint="of the graph")
    ((payer, profile, path, ends),) = mine
    if profile is None:
        raise Refused(
            f"nobody can be called alike: {patient_id}'s diagnoses, medications or plan are not recorded;"
            " enter them with `pa chart add`"
        )
    (main, *_), me = profile.split(), (_split(path), _split(ends))
    circles: list[Circle] = []
    alike: list[_Cohort] = []
    for same_conditions, same_payer, same_start in _WIDER:
        rows = asked.rows(
            "pathways",
            profile=profile if same_conditions else main,
            more="" if same_conditions else f"{main} ",
            payer=payer if same_payer else "",
            path=path if same_start else "",
        )
        found = [_Cohort(_split(path), _split(ends), n) for path, ends, n in rows]
        # the patient is no evidence for what would become of the patient
        alike = [one._replace(n=left) for one in found if (left := one.n - (one[:2] == me))]
        n = sum(one.n for one in alike)
        circles.append(
            Circle(same_conditions=same_conditions, same_payer=same_payer, same_start=same_start, n=shown(n))
        )
        if n >= ENOUGH:
            break
    before = len(me[0]) if circles[-1].same_start else 0
    tried, few = _tried(alike, before)
    paths, rare = _paths(alike, before)
    rows = asked.rows("courses", id=patient_id)
    taken = [msgspec.convert(dict(zip(Taken.__struct_fields__, row, strict=True)), Taken) for row in rows]
    return Pathways(
        patient_id=patient_id,
        as_of=asked.state.as_of,
        conditions=tuple(CONCEPTS[key].label for key in profile.split() if profile != NONE),
        payer=payer,
        taken=tuple(sorted(taken, key=lambda one: (one.place == 0, one.place, one.medicine))),
        circles=tuple(circles),
        circle=len(circles) - 1,
        no_further=shown(sum(one.n for one in alike if len(one.medicines) <= before)),
        tried=tried,
        paths=paths,
        fewer_than_five=few + rare,
    )


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split(">")[:-1])


def _tried(cohorts: Sequence[_Cohort], before: int) -> tuple[tuple[Tried, ...], int]:
    """Each medicine after the first `before`, by how many began it; and how many medicines are left out."""
    ends: dict[str, Counter[str]] = defaultdict(Counter)
    for cohort in cohorts:
        for medicine, end in list(zip(cohort.medicines, cohort.ends, strict=True))[before:]:
            ends[medicine][end] += cohort.n
    enough = [_of_medicine(*counted) for counted in ends.items() if counted[1].total() >= LEAST]
    return tuple(sorted(enough, key=lambda one: (-one.n, one.medicine))), len(ends) - len(enough)


def _of_medicine(medicine: str, ends: Counter[str]) -> Tried:
    n = ends.total()
    counts = {letter: sum(count for end, count in ends.items() if end[0] == letter) for letter in RESPONSES}
    cells = shown_together(counts)
    recorded = n - counts["-"]
    low, high = wilson(counts["e"], recorded)
    ongoing = sum(count for end, count in ends.items() if end[1] == "a")
    hidden = cells["e"] is None or cells["-"] is None or not recorded
    return Tried(
        medicine=medicine,
        n=n,
        **{name.replace(" ", "_"): cells[letter] for letter, name in RESPONSES.items()},
        recorded=None if cells["-"] is None else recorded,
        share=None if hidden else round(counts["e"] / recorded, 3),
        interval=None if hidden else (round(low, 3), round(high, 3)),
        # a count of which the rest can be reckoned
        ongoing=None if None in (shown(ongoing), shown(n - ongoing)) else ongoing,
    )


def _paths(cohorts: Sequence[_Cohort], before: int) -> tuple[tuple[Pathway, ...], int]:
    counted: Counter[tuple[str, ...]] = Counter()
    for cohort in cohorts:
        if len(cohort.medicines) > before:
            counted[cohort.medicines[before:]] += cohort.n
    frequent = [Pathway(medicines=way, n=n) for way, n in counted.items() if n >= LEAST]
    frequent.sort(key=lambda path: (-path.n, path.medicines))
    return tuple(frequent[:MOST_PATHS]), len(counted) - len(frequent)
