"""What was tried, in which order and how it went, by patients like this one: counts, never people.

Alike is who has the same conditions (model.LIKE), the same payer, and began with the same medicines. Where that is
too few to tell anything, the payer goes, then the medicines, then all conditions but the main one; the answer says at
which of these it stands, with the N of each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from tools.errors import NotFound, Refused
from tools.graph.asking import Asked
from tools.graph.cells import LEAST, shown, shown_together
from tools.graph.facts import NONE, RESPONSES
from tools.graph.statistics import wilson
from tools.records import Record
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


class _Group(NamedTuple):
    medicines: tuple[str, ...]
    ends: tuple[str, ...]
    n: int


def pathways(asked: Asked, patient_id: str) -> Pathways:
    """NotFound for nobody; Refused where the chart does not record what would make others alike."""
    mine = asked.rows("group", id=patient_id)
    if not mine and not asked.rows("patient", id=patient_id):
        raise NotFound("patient", patient_id, hint="of the graph")
    if not mine:
        raise Refused(
            f"nobody can be called alike: {patient_id}'s diagnoses, medications or plan are not recorded;"
            " enter them with `pa chart add`"
        )
    ((payer, profile, path, ends),) = mine
    me = _Group(_split(path), _split(ends), 1)
    circles = []
    for same_conditions, same_payer, same_start in _WIDER:
        rows = asked.rows(
            "pathways",
            profile=profile if same_conditions else profile.split()[0],
            more="" if same_conditions else f"{profile.split()[0]} ",
            payer=payer if same_payer else "",
            path=path if same_start else "",
        )
        groups = _others([_Group(_split(a), _split(b), n) for a, b, n in rows], me)
        circle = Circle(
            same_conditions=same_conditions, same_payer=same_payer, same_start=same_start, n=_sum(groups)
        )
        circles.append((circle, groups))
        if sum(group.n for group in groups) >= ENOUGH:
            break
    _, groups = circles[-1]
    before = len(me.medicines) if circles[-1][0].same_start else 0
    tried, few = _tried(groups, before)
    paths, rare = _paths(groups, before)
    return Pathways(
        patient_id=patient_id,
        as_of=asked.state.as_of,
        conditions=tuple(CONCEPTS[key].label for key in profile.split() if profile != NONE),
        payer=payer,
        taken=tuple(sorted(map(_taken, asked.rows("courses", id=patient_id)), key=_begun)),
        circles=tuple(circle for circle, _ in circles),
        circle=len(circles) - 1,
        no_further=shown(sum(group.n for group in groups if len(group.medicines) <= before)),
        tried=tried,
        paths=paths,
        fewer_than_five=few + rare,
    )


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split(">")[:-1])


def _sum(groups: Iterable[_Group]) -> int | None:
    return shown(sum(group.n for group in groups))


def _others(groups: list[_Group], me: _Group) -> list[_Group]:
    """Without the patient, who is no evidence for what would become of the patient."""
    return [
        group._replace(n=group.n - 1) if group[:2] == me[:2] else group
        for group in groups
        if group.n > 1 or group[:2] != me[:2]
    ]


def _tried(groups: Sequence[_Group], before: int) -> tuple[tuple[Tried, ...], int]:
    """Each medicine after the first `before`, by how many began it; and how many medicines are left out."""
    ends: dict[str, Counter[str]] = {}
    for group in groups:
        for medicine, end in list(zip(group.medicines, group.ends, strict=True))[before:]:
            ends.setdefault(medicine, Counter())[end] += group.n
    enough = {medicine: counted for medicine, counted in ends.items() if counted.total() >= LEAST}
    found = [_of_medicine(medicine, counted) for medicine, counted in enough.items()]
    return tuple(sorted(found, key=lambda one: (-one.n, one.medicine))), len(ends) - len(enough)


def _of_medicine(medicine: str, ends: Counter[str]) -> Tried:
    n = ends.total()
    counts = {letter: sum(count for end, count in ends.items() if end[0] == letter) for letter in RESPONSES}
    cells = shown_together(counts)
    recorded = n - counts["-"]
    hidden = cells["e"] is None or cells["-"] is None or not recorded
    return Tried(
        medicine=medicine,
        n=n,
        effective=cells["e"],
        partial=cells["p"],
        inadequate=cells["i"],
        intolerance=cells["n"],
        not_recorded=cells["-"],
        recorded=None if cells["-"] is None else recorded,
        share=None if hidden else round(counts["e"] / recorded, 3),
        interval=None if hidden else _rounded(wilson(counts["e"], recorded)),
        ongoing=_one_of_two(sum(count for end, count in ends.items() if end[1] == "a"), n),
    )


def _rounded(interval: tuple[float, float]) -> tuple[float, float]:
    return round(interval[0], 3), round(interval[1], 3)


def _one_of_two(count: int, of: int) -> int | None:
    """A count of which the rest can be reckoned."""
    return None if shown(count) is None or shown(of - count) is None else count


def _paths(groups: Sequence[_Group], before: int) -> tuple[tuple[Pathway, ...], int]:
    counted: Counter[tuple[str, ...]] = Counter()
    for group in groups:
        if len(group.medicines) > before:
            counted[group.medicines[before:]] += group.n
    frequent = [Pathway(medicines=way, n=n) for way, n in counted.items() if n >= LEAST]
    frequent.sort(key=lambda path: (-path.n, path.medicines))
    return tuple(frequent[:MOST_PATHS]), len(counted) - len(frequent)


def _begun(course: Taken) -> tuple[bool, int, str]:
    return course.place == 0, course.place, course.medicine


def _taken(row: tuple[object, ...]) -> Taken:
    medicine, place, start, days, response, ended = row
    return Taken(
        medicine=str(medicine),
        place=int(str(place)),
        start=date.fromisoformat(str(start)) if start else None,
        days=None if days is None else int(str(days)),
        response=str(response),
        ended=str(ended),
    )
