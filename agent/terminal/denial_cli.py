"""`pa denial read`: what a payer's letter says, with the words that say it, and by when to act."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group
from rich.table import Table
from rich.text import Text
from typer import Option

from agent.cases.denials import as_data, read_alone, read_for
from agent.runtime.settings import read_as_of
from agent.terminal.common import JsonObject, Letter, group, opened
from agent.terminal.lines import answer
from agent.terminal.screen import say, under
from tools.common.errors import Invalid
from tools.denials.codes import REASONS
from tools.denials.identity import Compared
from tools.denials.papers import text_of
from tools.denials.records import Denial
from tools.denials.working import WorkTo

app = group("Read a payer's letter.")
DECISIONS = {
    "denial": "Denied",
    "partial_approval": "Approved in part",
    "pend": "Held: the payer asks for more",
    "approval": "Approved",
    "appeal_upheld": "Appeal decided: the denial is upheld",
    "appeal_overturned": "Appeal decided: the denial is overturned",
    "withdrawn": "Withdrawn: nothing was decided",
    "duplicate": "Closed as a duplicate",
    "returned": "Returned without a decision",
    "extension": "The payer takes more time",
    "not_required": "No authorization is required",
    "change_notice": "Notice of a change, about no request",
    "wrong_member": "About somebody else, or nobody whom the payer could tell",
    "payment_advice": "Payment advice",
    "other": "No decision",
    "unclear": "It is not clear what this letter decides",
}


@app.callback()
def denial() -> None:
    """Read a payer's letter."""


@app.command()
def read(
    file: Letter,
    case: int = Option(0, metavar="CASE", help="The case that it answers."),
    patient: str = Option("", metavar="PATIENT", help="Or the patient whom it is about, e.g. P001."),
    drug: str = Option("", metavar="DRUG", help="And the drug that was asked for."),
    received: str = Option(
        "", metavar="DATE", help="The day on which the letter came in: YYYY-MM-DD or today."
    ),
    as_json: JsonObject = False,
) -> None:
    """Read a letter: who, what, why, and what may be done by when. Every statement with its words."""
    came = read_as_of(received)
    if case and (patient or drug):
        raise Invalid("--case names patient and drug itself; leave --patient and --drug out")
    if drug and not patient:
        raise Invalid("--drug needs the patient whom the letter is about: --patient P001")
    text = text_of(file)
    if not (case or patient):
        found = read_alone(text, came)
    else:
        _, store = opened()
        found = read_for(store, text, case_id=case or None, patient_id=patient, drug=drug, received=came)
    answer({"file": file.name} | as_data(*found), as_json, lambda: _show(*found))


def _show(denial: Denial, compared: tuple[Compared, ...], due: WorkTo | None) -> None:
    drugs = " and ".join(drug.name for drug in denial.drugs)
    headline = f"{DECISIONS[denial.kind]}{f': {drugs}' if drugs else ''}"
    facts = Table.grid(padding=(0, 2))
    for name, value in _facts(denial):
        facts.add_row(Text(name, "dim"), value)
    sections = [under(title, *map(Text, lines)) for title, lines in _sections(denial, compared, due) if lines]
    say(Group(Text(headline, "bold"), facts, *sections))


def _facts(denial: Denial) -> list[tuple[str, str]]:
    stated = (
        ("Payer", denial.payer),
        ("Member", denial.member),
        ("Member id", denial.member_id),
        ("Birth date", denial.birth_date),
        ("Reference", denial.reference),
        ("Date", denial.dated),
        ("Received by payer", denial.received),
    )
    rows = [(name, str(one.value) if one else "not stated") for name, one in stated]
    if not denial.received:
        rows.pop()
    for drug in denial.drugs:
        amount = f", {drug.quantity:g} per {drug.days_supply or '?'} days" if drug.quantity else ""
        decision = f" ({drug.decision})" if drug.decision else ""
        rows.append(("Drug", f"{drug.name} {drug.strength}".strip() + amount + decision))
    return rows


def _sections(
    denial: Denial, compared: tuple[Compared, ...], due: WorkTo | None
) -> list[tuple[str, list[str]]]:
    cited = [f"  {one.id}{' (not in the policy)' if one.known is False else ''}" for one in denial.cited]
    return [
        ("Reasons", list(_reasons(denial))),
        ("Clauses named", cited),
        ("Approved", _approved(denial)),
        ("Asked", [f"  {_short(question.text)}" for question in denial.questions]),
        ("Rights", list(_rights(denial))),
        ("Orders in it, not followed", [f'  "{_short(order.text)}"' for order in denial.orders]),
        ("By when", _by_when(denial, due)),
        ("Whose letter", [_agreement(one) for one in compared]),
        ("Look at it yourself", [f"  {what}" for what in denial.unclear]),
    ]


def _reasons(denial: Denial) -> Iterator[str]:
    for number, reason in enumerate(denial.reasons, 1):
        about = f" ({reason.drug})" if reason.drug else ""
        how = {"words": "", "clause": ", by its clause", "code": ", by its code"}[reason.by]
        how += "" if reason.confirmed else ", unconfirmed"
        yield f"  {number}. {reason.code}: {REASONS[reason.code].title}{about}{how}"
        yield f'     "{_short(reason.quote.text)}" (characters {reason.quote.start}-{reason.quote.end})'


def _rights(denial: Denial) -> Iterator[str]:
    for right in denial.rights:
        until = f", by {right.deadline.day}" if right.deadline and right.deadline.day else ""
        yield f'  {right.kind.replace("_", " ")}{until}: "{_short(right.quote.text)}"'


def _approved(denial: Denial) -> list[str]:
    if (one := denial.approved) is None:
        return []
    span = f"{one.start} to {one.end}" if one.start else "no dates stated"
    amount = f", {one.quantity:g} per {one.days_supply} days" if one.quantity and one.days_supply else ""
    return [f"  {span}{amount}"]


def _by_when(denial: Denial, due: WorkTo | None) -> list[str]:
    stated = denial.next_deadline
    lines = []
    if stated is not None:
        day = f" = {stated.day}" if stated.day else "; its day depends on when it was received"
        lines.append(f'  The letter: "{_short(stated.quote.text)}"{day}')
    if due and due.computed:
        lines.append(f"  The rule:   {due.computed} for the {due.level} ({due.by}; {due.cite})")
    if due and due.day:
        lines.append(f"  Work to:    {due.day}{' (the earlier of the two)' if due.differs else ''}")
    return lines


def _agreement(one: Compared) -> str:
    if one.agreement == "same":
        return f"  {one.what} agrees: {one.stated}"
    where = "the letter" if not one.stated else "the chart"
    return f"  {one.what}: {where} does not state it"


def _short(text: str, most: int = 150) -> str:
    said = " ".join(text.split())
    return said if len(said) <= most else said[: most - 1].rstrip() + "…"
