"""From which day it would stand otherwise if nothing but time passed: the same determination on later days."""

from __future__ import annotations

from datetime import date, timedelta

from agent.answers.answer import Answer, Said
from agent.answers.wording import Sorted, Words, ask_back, drugs_meant, fitted, lower, sources, unlisted
from agent.dialogue.query import Ask
from agent.ledger import Ledger
from tools.bound import Bound
from tools.records import Determination, Outcome
from tools.what_if import On

AHEAD = 400  # days that are tried
_BETTER: tuple[Outcome, ...] = ("not_required", "ready", "needs_documentation")


def answer(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """The first day on which the outcome is better, with what changes on it; that time alone changes nothing, if so."""
    drugs = drugs_meant(ask, bound)[:1]
    if not drugs:
        return ask_back(ask.intent, bound, ledger)
    reply = Answer(intent=ask.intent, ledger=ledger, drugs=drugs)
    if drugs[0] not in bound.plan.benefits:
        reply.said = [unlisted(drugs[0], bound, ledger)]
        return reply
    now = bound.determination(drugs[0], ask.indication)
    words = Words(bound, ledger, now)
    if now.outcome in ("ready", "not_required"):
        reply.determinations.append(now)
        reply.said = [Said(text=f"Today already. {words.headline()}")]
        return reply
    day, then = _first_better(now, bound, ask.indication)
    if day is None or then is None:
        reply.determinations.append(now)
        reply.said = [
            Said(text="Time alone does not change it: what is open needs a step, not a date."),
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
    met = {finding.criterion for finding in now.findings if finding.status == "met"}
    gained = [one for one in then.findings if one.status == "met" and one.criterion not in met]
    reply.said = [Said(text=told)]
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


def _first_better(
    now: Determination, bound: Bound, indication: str
) -> tuple[date | None, Determination | None]:
    """By weeks and then by days: outcomes that time brings seldom pass within a week."""
    rank = _rank(now)
    before = bound.as_of
    for weeks in range(1, AHEAD // 7 + 1):
        day = bound.as_of + timedelta(days=7 * weeks)
        if _is_gained(now, bound.supposed(now.drug, (On(date=day),), indication), rank):
            for days in range(1, 8):
                exact = before + timedelta(days=days)
                then = bound.supposed(now.drug, (On(date=exact),), indication)
                if _is_gained(now, then, rank):
                    return exact, then
        before = day
    return None, None


def _is_gained(now: Determination, then: Determination, rank: int) -> bool:
    """Is the outcome better because something is met that was not, and not because a result went stale?"""
    met = {finding.criterion for finding in now.findings if finding.status == "met"}
    gained = any(one.status == "met" and one.criterion not in met for one in then.findings)
    return gained and _rank(then) < rank


def _rank(found: Determination) -> int:
    return _BETTER.index(found.outcome) if found.outcome in _BETTER else len(_BETTER)
