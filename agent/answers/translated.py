"""What is said in the language that was asked for: what a determination comes to, before an answer in English, and a
message to the patient."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial
from typing import Any

from agent.answers.answer import Said
from agent.ledger import Ledger
from tools.domain.records import Determination, Finding, Patient, Plan
from tools.engine.next_steps import name_of
from tools.messages import Actor, Message, message, voice

MOST_OPEN = 6  # criteria and documents
_SETTLED = {"not_covered": "chat.to_patient.not_covered", "not_required": "chat.to_patient.not_required"}


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
    """A message to the patient: on what is worked, what to bring or to come for, and what the prescriber will ask; of a
    drug that is not covered, or that needs no authorization, that alone."""
    telling = _Telling(language, found, patient, ledger)
    head = _SETTLED.get(found.outcome, "chat.to_patient")
    said = [telling.line(message(head, name=patient.name, drug=found.drug, plan=plan.name))]
    if found.outcome in _SETTLED:
        return said
    theirs = [one for one in open_ones if _actor(one) in ("patient", "lab", "office")]
    asked = [one for one in open_ones if _actor(one) == "prescriber"]
    for heads, ones in (("chat.bring", theirs), ("chat.asked", asked)):
        if ones:
            said.append(telling.line(message(heads)))
            points = (message("chat.step", step=name_of(one)) for one in ones[:MOST_OPEN])
            said += [telling.line(one, bullet=True) for one in points]
    return said if theirs or asked else [*said, telling.line(message("chat.nothing"))]


def thanks(language: str, patient: Patient, ledger: Ledger) -> Said:
    """The end of a message."""
    return _Telling(language, None, patient, ledger).line(message("chat.thanks"))


def _actor(finding: Finding) -> Actor:
    """Whose turn it is first, by the first part of it that anybody can do something about."""
    if finding.action is not None:
        return finding.action.actor
    parts = (_actor(one) for one in finding.parts if one.status != "met")
    return next((one for one in parts if one), "")


class _Telling:
    """Says messages about one determination."""

    def __init__(self, language: str, found: Determination | None, patient: Patient, ledger: Ledger) -> None:
        source = found.rule_id or f"plan:{found.plan_id}" if found is not None else ""
        self.voice, self.add = (
            voice(language, patient.sex),
            partial(ledger.add, origin="determination", source=source),
        )

    def line(self, told: Message, *, bullet: bool = False) -> Said:
        text = self.voice.says(told, "said", hold=self._hold, only=True)
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
