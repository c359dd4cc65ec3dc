"""What is said in the language that was asked for: what a determination comes to, before an answer in English, and a
message to the patient."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from agent.answers.answer import Said
from agent.ledger import Kind, Ledger
from tools.domain.records import Determination, Finding, Patient, Plan
from tools.engine.next_steps import name_of
from tools.messages import Actor, Message, message, voice

MOST_OPEN = 6  # criteria and documents
_SETTLED = {
    "not_covered": "chat.to_patient.not_covered",
    "not_required": "chat.to_patient.not_required",
}


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
    bare = _Telling(language, None, patient, ledger)
    if not determinations:
        return [bare.line(message("chat.english")), *said]
    told = [_Telling(language, found, patient, ledger) for found in determinations]
    lines = [one.summary(bullet=len(told) > 1) for one in told]
    if len(told) == 1 and not decides:
        return [bare.line(message("chat.english")), *said, *lines]
    if len(told) == 1:
        lines += told[0].open_and_next()
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


def _actor(finding: Finding) -> Actor:
    """Whose turn it is first, by the first part of it that anybody can do something about."""
    if finding.action is not None:
        return finding.action.actor
    parts = (_actor(one) for one in finding.parts if one.status != "met")
    return next((one for one in parts if one), "")


class _Telling:
    """Says messages about one determination."""

    def __init__(self, language: str, found: Determination | None, patient: Patient, ledger: Ledger) -> None:
        self.voice, self.found, self.ledger = voice(language, patient.sex), found, ledger

    def summary(self, *, bullet: bool) -> Said:
        assert self.found is not None
        return self.line(self.found.conclusion, bullet=bullet)

    def open_and_next(self) -> Iterator[Said]:
        assert self.found is not None
        still_open = [one for one in self.found.findings if one.status != "met"][:MOST_OPEN]
        if still_open:
            yield self.line(message("chat.open_heads"))
            yield from (self.line(_point(one), bullet=True) for one in still_open)
        if self.found.actions:
            yield self.line(message("chat.next"))
            steps = [message("chat.step", step=step) for step in self.found.actions]
            yield from (self.line(step, bullet=True) for step in steps)

    def line(self, told: Message, *, bullet: bool = False) -> Said:
        text = self.voice.says(told, "said", hold=self._hold, only=True)
        return Said(text=text, verbatim=True, bullet=bullet)

    def _hold(self, rule: str, value: Any, text: str) -> str:
        source = self.found.rule_id or f"plan:{self.found.plan_id}" if self.found is not None else ""
        if rule == "date":
            day = date.fromisoformat(str(value))
            return self.ledger.add("date", day, shown=text, origin="determination", source=source)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        kind: Kind = "words" if not number else "value" if rule == "amount" else "count"
        return self.ledger.add(
            kind, value if number else text, shown=text, origin="determination", source=source
        )


def _point(finding: Finding) -> Message:
    """What is open, what was found of it, what would change it, and who does that."""
    step = finding.action
    who = f"actor.{step.actor}" if step is not None and step.actor else None
    return message("chat.open", name=name_of(finding), found=finding.found, step=step, who=who)
