"""What is said in the language that was asked for: what a determination comes to, before an answer in English, and a
message to the patient."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial
from typing import Any

from agent.answers.answer import Said
from agent.answers.wording.findings import asks_for_all, worth_trying
from agent.dialogue.query import Query
from agent.ledger import Ledger
from tools.domain.records import Determination, Finding, Patient, Plan
from tools.engine.next_steps import name_of
from tools.messages import PATIENT, SAID, Action, Message, any_of, iso, message, tells, voice

MOST_OPEN = 6  # criteria and documents
MOST_OTHERS = 3  # drugs that are named to the patient in place of one
MOST_HOURS = 72  # that are told as hours
_SETTLED = ("not_covered", "not_required")
_HEADS = {
    "not_covered": "chat.to_patient.not_covered",
    "not_required": "chat.to_patient.not_required",
    "ready": "chat.to_patient.ready",
    "likely_denial": "chat.to_patient.not_yet",
}
_OF_THE_PRICE: frozenset[Query] = frozenset(("copay", "tier", "coverage"))
_OF_AN_APPROVAL: frozenset[Query] = frozenset(("approval", "deadline", "status"))


def translated(
    language: str,
    determinations: Sequence[Determination],
    patient: Patient,
    ledger: Ledger,
    said: Sequence[Said] = (),
    *,
    decides: bool = True,
) -> list[Said]:
    """An answer with what the determinations come to in this language, of a single one also what is open and what comes
    next. It stands before what is said in English where a decision was asked for, or several, else behind. Every value
    is a slot."""
    english = _Telling(language, None, patient, ledger).line(message("chat.english"))
    if not determinations:
        return [english, *said]
    told = [_Telling(language, found, patient, ledger) for found in determinations]
    lines = [
        telling.line(found.conclusion, bullet=len(told) > 1)
        for telling, found in zip(told, determinations, strict=True)
    ]
    if len(told) == 1 and not decides:
        return [english, *said, *lines]
    if len(told) == 1:
        lines += _open_and_next(determinations[0], told[0])
    return [*lines, told[0].line(message("chat.follows")), *said]


def to_patient(
    language: str,
    found: Determination,
    open_ones: Sequence[Finding],
    patient: Patient,
    plan: Plan,
    ledger: Ledger,
) -> list[Said]:
    """A message to the patient: how the request stands, what is needed of the patient, and what is not; of a drug that
    is not covered, or that needs no authorization, that and what is to be had instead."""
    telling = _Telling(language, found, patient, ledger)
    head = _HEADS.get(found.outcome, "chat.to_patient")
    said = [telling.line(message(head, name=patient.name, drug=found.drug, plan=plan.name))]
    others = tuple(one.drug for one in found.alternatives[:MOST_OTHERS])
    instead = (
        [telling.line(message("chat.to_patient.instead", plan=plan.name, drugs=others))] if others else []
    )
    if found.outcome in _SETTLED:
        return [*said, *instead]
    if found.outcome == "ready":
        ordering = any(action.code == "order_drug" for action in found.actions)
        said += [telling.line(message("chat.to_patient.order"))] if ordering else []
        return [*said, *for_patient(language, "turnaround", found, patient, plan, ledger)]
    told = [[step for step in patient_steps(one) if tells(step.code, PATIENT)] for one in open_ones]
    steps = list(dict.fromkeys(step for own in told for step in own))[:MOST_OPEN]
    if steps:
        said.append(telling.line(message("chat.to_patient.first")))
        said += [telling.line(step, bullet=True, form=PATIENT) for step in steps]
    said += instead if found.outcome == "likely_denial" else []
    return said if all(told) else [*said, telling.line(message("chat.to_patient.office"))]


def patient_steps(finding: Finding) -> list[Action]:
    """The steps that would change a finding: of ways that are alike but for a name as one, of others the first."""
    if not finding.parts:
        return [finding.action] if finding.action is not None else []
    parts = worth_trying(finding)
    if asks_for_all(finding):
        return [step for part in parts for step in patient_steps(part)]
    ways = [part.action for part in parts[:2] if part.action is not None]
    either = any_of(ways) if ways else None
    return (
        [either]
        if isinstance(either, Action)
        else [step for part in parts[:1] for step in patient_steps(part)]
    )


def for_patient(
    language: str, query: Query, found: Determination, patient: Patient, plan: Plan, ledger: Ledger
) -> list[Said]:
    """What a query asks as the patient is told it; nothing of a query that no patient is told of."""
    telling = _Telling(language, found, patient, ledger)
    benefit = plan.benefits.get(found.drug)
    said: list[Message] = []
    if query == "turnaround" and plan.review_hours:
        in_days = plan.review_hours > MOST_HOURS and plan.review_hours % 24 == 0
        count, unit = (plan.review_hours // 24, "days") if in_days else (plan.review_hours, "hours")
        within = message("period", count=count, unit=unit)
        said.append(message("chat.to_patient.answers", plan=plan.name, within=within))
    if query in _OF_THE_PRICE and benefit is not None and benefit.copay:
        said.append(message("chat.to_patient.copay", copay=benefit.copay))
    if query in _OF_AN_APPROVAL:
        ends = [
            one.end for one in patient.authorizations if one.drug == found.drug and one.plan_id == plan.id
        ]
        said += [message("chat.to_patient.approved", drug=found.drug, day=iso(max(ends)))] if ends else []
    return [telling.line(one) for one in said]


def thanks(language: str, patient: Patient, ledger: Ledger) -> Said:
    """The end of a message."""
    return _Telling(language, None, patient, ledger).line(message("chat.thanks"))


class _Telling:
    """Says messages about one determination."""

    def __init__(self, language: str, found: Determination | None, patient: Patient, ledger: Ledger) -> None:
        source = found.rule_id or f"plan:{found.plan_id}" if found is not None else ""
        self.voice, self.add = (
            voice(language, patient.sex),
            partial(ledger.add, origin="determination", source=source),
        )

    def line(self, told: Message, *, bullet: bool = False, form: str = SAID) -> Said:
        text = self.voice.says(told, form, hold=self._hold, only=True)
        return Said(text=text, verbatim=True, bullet=bullet)

    def _hold(self, rule: str, value: Any, text: str) -> str:
        if rule == "date":
            return self.add("date", date.fromisoformat(str(value)), shown=text)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return self.add("value" if rule == "amount" else "count", value, shown=text)
        return self.add("words", text, shown=text)


def _open_and_next(found: Determination, telling: _Telling) -> Iterator[Said]:
    still_open = [one for one in found.findings if one.status != "met"][:MOST_OPEN]
    if still_open:
        yield telling.line(message("chat.open_heads"))
        yield from (telling.line(_point(one), bullet=True) for one in still_open)
    if found.actions:
        yield telling.line(message("chat.next"))
        yield from (telling.line(message("chat.step", step=step), bullet=True) for step in found.actions)


def _point(finding: Finding) -> Message:
    """What is open, what was found of it, what would change it, and who does that."""
    step = finding.action
    who = f"actor.{step.actor}" if step is not None and step.actor else None
    return message("chat.open", name=name_of(finding), found=finding.found, step=step, who=who)
