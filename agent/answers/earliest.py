"""From which day it would stand otherwise as time passes: the same determination on later days."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from agent.answers.answer import Answer, Said
from agent.answers.what_if import marker
from agent.answers.wording import (
    Sorted,
    Words,
    ask_back,
    drug_slot,
    drugs_meant,
    fitted,
    lower,
    sources,
    unlisted,
)
from agent.dialogue.query import Ask
from agent.ledger import Ledger
from tools.common.dates import months_between
from tools.domain.records import Determination, Outcome
from tools.engine.what_if import Change, Enrolled, Later, On, Started, Tried
from tools.queries.bound import Bound

AHEAD = 400  # days that are tried
_BETTER: tuple[Outcome, ...] = ("not_required", "ready", "needs_documentation")


def answer(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """The first day on which the outcome is better, with what changes on it; that time alone changes nothing, if so.
    What is supposed beside it, a drug that is begun say, holds from the day that is named, or today."""
    drugs = drugs_meant(ask, bound)[:1]
    if not drugs:
        return ask_back(ask.intent, bound, ledger)
    reply = Answer(intent=ask.intent, ledger=ledger, drugs=drugs)
    if drugs[0] not in bound.plan.benefits:
        reply.said = [unlisted(drugs[0], bound, ledger)]
        return reply
    course = _Course.of(ask, bound)
    today = course.on(bound.as_of) if course.changes else ()
    now = bound.supposed(drugs[0], today, ask.indication)
    words = Words(bound, ledger, now, supposed=bool(course.changes))
    supposed = (
        [Said(text=marker(course.changes, drugs[0], bound, ledger), verbatim=True)] if course.changes else []
    )
    if now.outcome in ("ready", "not_required"):
        reply.determinations.append(now)
        reply.said = [*supposed, Said(text=f"Today already. {words.headline()}")]
        return reply
    day, then = _first_better(now, course, bound, ask.indication)
    started = [change for change in course.changes if isinstance(change, Started)]
    if day is None and (started or not course.changes):  # with what takes time begun, and gone through with
        rest = tuple(change for change in course.changes if change not in started)
        trials = tuple(Tried(drug=change.drug, days=AHEAD) for change in started)
        done = (*rest, *(trials or bound.steps_supposed(drugs[0], ask.indication)))
        begun = _Course.begun_on(course.since, done)
        wanted = _met(bound.supposed(drugs[0], done, ask.indication)) - _met(now)
        if begun.begun and wanted:
            day, then = _first_better(now, begun, bound, ask.indication, wanted)
            supposed = [Said(text=_begun(begun, drugs[0], bound, ledger), verbatim=True)] if day else supposed
    if day is None or then is None:
        reply.determinations.append(now)
        alone = "Time does not change it even so" if supposed else "Time alone does not change it"
        reply.said = [
            *supposed,
            Said(text=f"{alone}: what is open needs a step, not a date."),
            Said(text=words.headline()),
        ]
        steps = words.next_steps(2)
        if steps:
            reply.said.append(Said(text=f"Next: {'; '.join(map(lower, steps))}."))
        return reply
    reply.hypothetical = True
    reply.determinations += [then, now]
    later = Words(bound, ledger, then, supposed=True)
    shown = ledger.add(
        "date", day, origin="derived", attribute="earliest", source="determination",
        formula="the first later day with another outcome, nothing else changed",
    )  # fmt: skip
    wait = ledger.add(
        "duration", (day - bound.as_of).days, unit="days", origin="derived", attribute="wait", source="determination",
        formula=f"{day} - {bound.as_of}",
    )  # fmt: skip
    told = f"From {shown} on, in {wait}, if nothing else changes: {later.request()} would be “{later.outcome()}”."
    gained = [one for one in then.findings if one.status == "met" and one.criterion not in _met(now)]
    reply.said = [*supposed, Said(text=told)]
    if gained:
        reply.said.append(
            Said(
                text=f"On that day {later.named(gained[0])} is {later.status(gained[0])}: {later.shown(gained[0])}."
            )
        )
    left = Sorted.of(then).unmet
    if left:
        reply.said.append(Said(text=f"Still open then: {'; '.join(later.named(one) for one in left[:3])}."))
    reply.said = fitted(reply.said, ledger)
    reply.sources = sources(gained or left)
    return reply


def _begun(course: _Course, drug: str, bound: Bound, ledger: Ledger) -> str:
    ours = {one.name.casefold(): one.name for one in bound.drugs}
    names = [
        drug_slot(ledger, ours.get(change.drug, change.drug))
        if isinstance(change, Tried)
        else "a lifestyle program"
        for change in course.begun
    ]
    since = ledger.add("date", course.since, origin="supposed", attribute="begun", source="question")
    text = f"Hypothetical: if {' and '.join(names)} began on {since}"
    if course.changes:
        text += f" and {marker(course.changes, drug, bound, ledger).removeprefix('Hypothetical: ')}"
        return text
    return f"{text}; the chart is unchanged."


class _Course(NamedTuple):
    """What is supposed beside the time that passes, the day from which it holds, and what begins on that day."""

    changes: tuple[Change, ...]
    since: date
    begun: tuple[Tried | Enrolled, ...] = ()

    @classmethod
    def of(cls, ask: Ask, bound: Bound) -> _Course:
        days = [change.date for change in ask.changes if isinstance(change, On)]
        changes = tuple(change for change in ask.changes if not isinstance(change, On | Later))
        return cls(changes, max([*days, bound.as_of]))

    @classmethod
    def begun_on(cls, day: date, steps: tuple[Change, ...]) -> _Course:
        begun = tuple(change for change in steps if isinstance(change, Tried | Enrolled))
        return cls(tuple(change for change in steps if change not in begun), day, begun)

    def on(self, day: date) -> tuple[Change, ...]:
        """The same seen on a later day, on which what was begun has gone on so long."""
        passed = (day - self.since).days
        seen: list[Change] = [On(date=day)]
        for change in (*self.changes, *self.begun):
            match change:
                case Started():
                    seen += [Started(drug=change.drug, days=change.days + passed)] if passed >= 0 else []
                case Tried() if change in self.begun:
                    days = min(change.days, passed)
                    seen += [Tried(drug=change.drug, days=days, outcome=change.outcome)] if days > 0 else []
                case Enrolled() if change in self.begun:
                    months = months_between(self.since, day)
                    seen += [Enrolled(months=months)] if months > 0 else []
                case _:
                    seen.append(change)
        return tuple(seen)


def _first_better(
    now: Determination, course: _Course, bound: Bound, indication: str, wanted: frozenset[str] = frozenset()
) -> tuple[date | None, Determination | None]:
    """By weeks and then by days: outcomes that time brings seldom pass within a week. `wanted` are the criteria that
    what was begun is to meet, whatever goes stale meanwhile."""
    before = bound.as_of
    for weeks in range(1, AHEAD // 7 + 1):
        day = bound.as_of + timedelta(days=7 * weeks)
        if _is_gained(now, bound.supposed(now.drug, course.on(day), indication), wanted):
            for days in range(1, 8):
                exact = before + timedelta(days=days)
                then = bound.supposed(now.drug, course.on(exact), indication)
                if _is_gained(now, then, wanted):
                    return exact, then
        before = day
    return None, None


def _is_gained(now: Determination, then: Determination, wanted: frozenset[str]) -> bool:
    """Is what is wanted met, or the outcome better because something is met that was not, and not because a result went
    stale?"""
    gained = _met(then) - _met(now)
    return wanted <= gained if wanted else bool(gained) and _rank(then) < _rank(now)


def _met(found: Determination) -> frozenset[str]:
    return frozenset(finding.criterion for finding in found.findings if finding.status == "met")


def _rank(found: Determination) -> int:
    return _BETTER.index(found.outcome) if found.outcome in _BETTER else len(_BETTER)
