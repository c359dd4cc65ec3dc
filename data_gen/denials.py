"""Prints a payer's letter from the facts of its decision: text, PDF and label, in the style of the ten payers.

The facts come from whoever decided (the evals' simulated payer, a test); nothing here decides anything. The label
says what the letter states, by construction: it names the words that were printed for each reason.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from data_gen.denial_pdf import letter_pdf
from tools.common.dates import add_months
from tools.common.errors import Invalid, NotFound
from tools.denials.codes import REASONS
from tools.domain.records import Plan, Record
from tools.papers.formats import address
from tools.rulebook.located import Place, as_map, convert, only, read_yaml

FOLDER = Path(__file__).parent / "catalog" / "denials"
Kind = Literal["denial", "pend", "partial_approval", "approval", "appeal_upheld", "appeal_overturned"]


class GivenReason(Record, frozen=True, kw_only=True):
    """A reason with what it says of this case: the slots of the style's sentences ("first", "needed", "shown"; "test",
    "limit", "value", "on"; …), and the clause that it rests on."""

    code: str
    details: Mapping[str, str] = {}
    policy_id: str = ""
    clause_id: str = ""
    quote: str = ""


class Granted(Record, frozen=True, kw_only=True):
    """What was approved; both days included."""

    start: date
    end: date
    quantity: float | None = None
    days_supply: int | None = None


class DecisionFacts(Record, frozen=True, kw_only=True):
    """What was decided on whose request. `again` is the day of the decision that was appealed; `met` are criteria
    that the letter may say were met; `questions` and `reply_by` are a pend's."""

    kind: Kind
    plan: Plan
    name: str
    member_id: str
    birth_date: date | None = None
    drug: str
    strength: str = ""
    quantity: float = 1.0
    unit: str = "mL"
    days_supply: int = 28
    prescriber: str = "Prescriber"
    reference: str
    policy_id: str = ""
    requested: date
    dated: date
    again: date | None = None
    reasons: tuple[GivenReason, ...] = ()
    met: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    reply_by: date | None = None
    granted: Granted | None = None


class PrintedRight(Record, frozen=True, kw_only=True):
    """A right with its sentence. `absolute`: the sentence gives the day as well, in its slot {by}."""

    kind: str
    text: str
    amount: int | None = None
    unit: str | None = None
    runs_from: str | None = msgspec.field(default=None, name="from")
    absolute: bool = False


class Style(Record, frozen=True, kw_only=True):
    """How a payer's letters read (catalog/denials/*.yaml)."""

    date: str
    head: tuple[str, ...]
    title: dict[str, str]
    about: tuple[str, ...]
    greeting: str
    opening: dict[str, str]
    lead: str
    item: str
    cited: str
    reasons: dict[str, tuple[str, ...]]
    ticks: dict[str, str] = {}
    met: str
    met_item: str = ""
    notes: tuple[str, ...]
    pend: str
    question: str
    partial: str
    approved: str
    rights: tuple[PrintedRight, ...]
    rights_upheld: tuple[PrintedRight, ...]
    closing: tuple[str, ...]


class Letter:
    """A printed letter. `label` has the keys of the head of a labelled letter; `pdf` is drawn when it is asked for."""

    def __init__(self, text: str, title: str, policy_id: str, label: dict[str, Any]) -> None:
        self.text, self.title, self.policy_id, self.label = text, title, policy_id, label

    @cached_property
    def pdf(self) -> bytes:
        """The same text gives the same bytes."""
        return letter_pdf(self.text, self.title)


def denial_letter(facts: DecisionFacts, style: str = "") -> Letter:
    """The letter in the plan's own style, or in another payer's."""
    return _Printer(facts, style_named(style or facts.plan.payer_id)).letter()


@cache
def style_named(name: str) -> Style:
    """A style by its payer's id."""
    file = FOLDER / f"{name}.yaml"
    if not file.is_file():
        raise NotFound("style of denial letters", name, sorted(path.stem for path in FOLDER.glob("*.yaml")))
    found = as_map(read_yaml(file, file.name), Place(file.name, 1), "a style of letters")
    for table, allowed in (("reasons", REASONS), ("title", get_args(Kind)), ("opening", get_args(Kind))):
        only(as_map(found.get(table), found.at(table), table), allowed, table)
    return convert(found, Style, found.place)


def styles() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


class _Printer:
    def __init__(self, facts: DecisionFacts, style: Style) -> None:
        self.facts, self.style = facts, style
        self.words: dict[str, str] = {}
        plan = facts.plan
        first, _, last = facts.name.rpartition(" ")
        self.slots: dict[str, str] = {
            "payer": plan.payer,
            "PAYER": plan.payer.upper(),
            "short": plan.payer.split()[0],
            "plan": plan.name,
            "address": address(plan.address),
            "phone": plan.phone,
            "fax": plan.fax,
            "member": facts.name,
            "last_first": f"{last}, {first}" if first else last,
            "member_id": facts.member_id,
            "born": self.day(facts.birth_date),
            "drug": facts.drug,
            "strength": facts.strength,
            "amount": amount(facts.quantity, facts.unit, facts.days_supply),
            "quantity": f"{facts.quantity:g}",
            "days": str(facts.days_supply),
            "prescriber": facts.prescriber,
            "reference": facts.reference,
            "policy": facts.policy_id,
            "requested": self.day(facts.requested),
            "dated": self.day(facts.dated),
            "again": self.day(facts.again),
            "reply_by": self.day(facts.reply_by),
            "met": _listed(facts.met),
            "approved": self._granted(),
        }

    def day(self, day: date | None) -> str:
        return day.strftime(self.style.date) if day else ""

    def letter(self) -> Letter:
        blocks = ("\n".join(line.rstrip() for line in block if line.strip()) for block in self._blocks())
        text = "\n\n".join(filter(None, blocks)) + "\n"
        title = f"{self.facts.plan.payer}: {self.style.title[self.facts.kind].strip()}"
        return Letter(text, title, self.facts.policy_id, self._label(text))

    # --- blocks ------------------------------------------------------------------------------------------

    def _blocks(self) -> Iterator[list[str]]:
        style, facts = self.style, self.facts
        yield [self.say(line) for line in style.head]
        yield [self.say(style.title[facts.kind])]
        yield [self.say(self._known(line)) for line in style.about]
        yield [self.say(style.greeting)]
        yield [self.say(style.opening[facts.kind])]
        if facts.kind == "pend":
            yield [self.say(style.pend), *self._questions()]
        if facts.granted is not None:
            yield [self.say(style.partial if facts.kind == "partial_approval" else style.approved)]
        if facts.reasons and facts.kind not in ("pend", "approval", "appeal_overturned"):
            yield [self.say(style.lead), *self._reasons()]
            yield [self.say(style.met) if facts.met else ""]
        yield [self.say(note) for note in style.notes[: 1 + self.pick(2, "notes")]]
        if facts.kind != "pend":
            yield [self.say(right.text, by=self.day(self._due(right))) for right in self._rights()]
        yield [self.say(line) for line in style.closing]

    def _known(self, line: str) -> str:
        """The line without the parts in double brackets whose facts are not known."""
        return re.sub(
            r"\[\[(.*?)\]\]",
            lambda part: part[1] if all(self.slots[s] for s in _slots(part[1])) else "",
            line,
        )

    def _reasons(self) -> Iterator[str]:
        given = {reason.code for reason in self.facts.reasons}
        for number, reason in enumerate(self.facts.reasons, 1):
            text = self.words[reason.code] = self._sentence(reason)
            cites = reason.clause_id and ("{quote}" not in self.style.cited or reason.quote)
            rests_on = {"policy": reason.policy_id, "clause": reason.clause_id, "quote": reason.quote}
            cited = self.say(self.style.cited, **rests_on) if cites else ""
            yield self.say(self.style.item, n=str(number), text=text, cited=cited)
        yield from (f"[ ] {label}" for code, label in self.style.ticks.items() if code not in given)
        if self.style.met_item:
            yield from (self.say(self.style.met_item, text=text) for text in self.facts.met)

    def _sentence(self, reason: GivenReason) -> str:
        """The sentence that uses most of what is known of the reason; of equals, one by the letter's reference."""
        known = {key for key, value in {**self.slots, **reason.details}.items() if value}
        fitting = [s for s in self.style.reasons[reason.code] if _slots(s) <= known]
        if not fitting:
            raise Invalid(f"no sentence for {reason.code} fits the details {sorted(reason.details)}")
        most = max(len(_slots(s) & set(reason.details)) for s in fitting)
        best = [s for s in fitting if len(_slots(s) & set(reason.details)) == most]
        return _capital(self.say(best[self.pick(len(best), reason.code)], **reason.details))

    def _questions(self) -> list[str]:
        numbered = enumerate(self.facts.questions, 1)
        return [self.say(self.style.question, n=str(n), text=text) for n, text in numbered]

    def _granted(self) -> str:
        granted = self.facts.granted
        if granted is None:
            return ""
        span = f"from {self.day(granted.start)} through {self.day(granted.end)}"
        if granted.quantity is None or granted.days_supply is None:
            return span
        return f"{span}, up to {amount(granted.quantity, self.facts.unit, granted.days_supply)}"

    # --- rights ------------------------------------------------------------------------------------------

    def _rights(self) -> tuple[PrintedRight, ...]:
        if self.facts.kind in ("denial", "partial_approval"):
            return self.style.rights
        return self.style.rights_upheld if self.facts.kind == "appeal_upheld" else ()

    def _due(self, right: PrintedRight) -> date | None:
        """The day, where the letter itself gives it or enough to count it."""
        if right.amount is None or right.runs_from != "notice":
            return None
        if right.unit == "months":
            return add_months(self.facts.dated, right.amount)
        return self.facts.dated + timedelta(days=right.amount)

    # --- label -------------------------------------------------------------------------------------------

    def _label(self, text: str) -> dict[str, Any]:
        facts = self.facts
        timed = next((right for right in self._rights() if right.amount is not None), None)
        due: dict[str, Any] | None = None
        if timed is not None:
            span = {"amount": timed.amount, "unit": timed.unit, "from": timed.runs_from}
            due = span | {"date": self._due(timed)}
        elif facts.kind == "pend" and facts.reply_by:
            due = {"amount": None, "unit": None, "from": None, "date": facts.reply_by}
        package = {"strength": facts.strength, "quantity": facts.quantity, "days": facts.days_supply}
        shown = [r.clause_id for r in facts.reasons if r.clause_id in text and self.words.get(r.code)]
        if facts.kind == "pend":
            self.words["insufficient_documentation"] = self.say(self.style.opening["pend"])
        born = self.day(facts.birth_date)
        return {
            "voice": "generated",
            "kind": facts.kind,
            "payer": facts.plan.payer,
            "member": facts.name,
            "member_id": facts.member_id,
            "birth_date": facts.birth_date if born and born in text else None,
            "reference": facts.reference,
            "letter_date": facts.dated,
            "drugs": [{"drug": facts.drug, **package}],
            "reasons": self.words,
            "criteria": list(filter(None, shown)),
            "rights": sorted({right.kind for right in self._rights()}),
            "deadline": due,
            "questions": len(facts.questions) if facts.kind == "pend" else 0,
        }

    # --- words -------------------------------------------------------------------------------------------

    def say(self, template: str, /, **more: str) -> str:
        """The template with its slots filled."""
        return template.format_map({**self.slots, **more})

    def pick(self, of: int, what: str) -> int:
        """A choice that depends on the letter's reference alone, the same on any machine."""
        return hashlib.sha256(f"{self.facts.reference}/{what}".encode()).digest()[0] % of


def amount(quantity: float, unit: str, days: int) -> str:
    """ "3 mL per 28 days", "30 tablets per 30 days"."""
    plural = "" if unit == "mL" or quantity == 1 else "s"
    return f"{quantity:g} {unit}{plural} per {days} days"


def _slots(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def _listed(items: tuple[str, ...]) -> str:
    return ", ".join(items[:-1]) + (" and " if len(items) > 1 else "") + items[-1] if items else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
