"""What the answers about cases share: which drugs are meant, a drug as one line, how much an answer holds, and where
what is said stands."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Literal

from agent.answers.answer import Answer, Said, Source, Standing
from agent.answers.wording.findings import Sorted, deciding_leaf
from agent.answers.wording.slots import SUPPOSED, clause_source, drug_slot, listed, lower, plan_slot, tame
from agent.answers.wording.words import Words
from agent.ledger import Ledger
from tools.common.errors import NotFound
from tools.domain.records import Determination, Evidence, Finding
from tools.terminology.observations import TESTS

if TYPE_CHECKING:
    from agent.dialogue.query import Ask
    from tools.queries.bound import Bound


def sources(findings: Iterable[Finding], most: int = 12) -> list[Source]:
    """The clauses of these findings and of what decides them, word for word, and the records that they rest on."""
    found: dict[tuple[str, str], Source] = {}
    for finding in (one for top in findings for one in (top, deciding_leaf(top))):
        if finding.clause is not None and finding.clause.quote:
            where = clause_source(finding)
            found.setdefault((where, ""), Source(source=where, quote=finding.clause.quote))
        for item in finding.evidence:
            if item.value is None or item.record_id in _NO_RECORDS or item.record_id.startswith(SUPPOSED):
                continue
            where = f"chart {item.record_id}"
            kind: Literal["chart", "note"] = "note" if item.kind == "note" else "chart"
            found.setdefault((where, item.kind), Source(source=where, quote=_record(item), kind=kind))
    return [*found.values()][:most]


_NO_RECORDS = ("request", "medications", "conditions", "allergies")


def _record(item: Evidence) -> str:
    name = TESTS[item.kind].name if item.kind in TESTS else item.kind.replace("_", " ")
    told = f"{name} {item.value} {item.unit or ''}".strip()
    return f"{told}, {item.date}" if item.date and str(item.date) not in told else told


def note_sources(found: Determination) -> list[Source]:
    """The words of notes that leads quote."""
    return [Source(source=f"chart {lead.document}", quote=lead.quote, kind="note") for lead in found.leads]


LONGEST = 900  # characters of an answer
LONGEST_QUOTE = 320


def drugs_meant(ask: Ask, bound: Bound) -> tuple[str, ...]:
    """The drugs asked about, else the one ordered last."""
    if ask.drugs:
        return tuple(bound.store.drug(name).name for name in dict.fromkeys(ask.drugs))
    orders = sorted(bound.patient.orders, key=lambda order: order.date or date.min, reverse=True)
    for order in orders:
        try:
            return (bound.store.drug(order.drug).name,)
        except NotFound:
            continue
    return ()


def labeled_use(drug: str, use: str, bound: Bound) -> str:
    """The use, if the plan covers the drug for it; else none, since of several drugs it may be that of another."""
    return use if drug in bound.benefits and use in bound.benefits[drug].indications else ""


def ask_back(bound: Bound, ledger: Ledger) -> Answer:
    """No drug was named and none is ordered."""
    choice = tuple(name for name, benefit in bound.plan.benefits.items() if benefit.covered)
    names = ", ".join(drug_slot(ledger, name) for name in choice)
    text = f"Which drug do you mean? {plan_slot(ledger, bound.plan)} covers {names}."
    return Answer(said=[Said(text=text, verbatim=True)], ledger=ledger, offered=choice)


def unlisted(drug: str, bound: Bound, ledger: Ledger) -> Said:
    """The plan has no rule for the drug."""
    name, plan = drug_slot(ledger, drug), plan_slot(ledger, bound.plan)
    return Said(text=f"{plan} does not list {name}, so there is no rule to check it against.", verbatim=True)


def line(words: Words, most: int = 1) -> Said:
    """One drug as one line of a list: the outcome and what decides, at most so many things of it."""
    found, unmet = words.found, Sorted.of(words.found).unmet
    told = f"{words.drug()}: {words.outcome()}"
    if found.outcome in ("not_covered", "wrong_plan"):
        reason = words.benefit.reason if words.benefit and found.outcome == "not_covered" else ""
        if reason and found.stopped_by != "benefit":
            told += f" ({words.of_plan('words', tame(reason), 'reason')})"
        return Said(text=f"{told}.", bullet=True)
    if cost := words.cost():
        told += f" ({cost})"
    if found.outcome == "not_required" and words.off_label():
        told += "; the chart shows no use within its label"
    elif found.outcome != "ready" and unmet:
        lead, why = _LEADS[unmet[0].status], listed([words.named(one) for one in unmet], most, words)
        if unmet[0].status == "not_met" and found.stopped_by == "exclusion":
            lead, why = "excluded:", words.shown(unmet[0])
        told += f"; {lead} {why}"
    return Said(text=f"{told}.", bullet=True)


_LEADS = {"not_met": "fails on", "unknown": "open:"}


def finding_told(words: Words, finding: Finding) -> Said:
    """A finding as a line of a list: its status, what it is, what shows it, its clause."""
    clause = words.clause(finding)
    cited = f" ({clause})" if clause else ""
    name = words.named(finding)
    shown = words.against(finding) if finding.parts else words.shown(finding)
    told = shown if _tells_itself(finding, name, shown, words) else f"{name}: {shown}" if shown else name
    text = f"{words.status(finding, capital=True)}: {told}{cited}."
    return Said(text=text, bullet=True, standing=standing_of(finding))


def standing_of(finding: Finding) -> Standing:
    """How a finding stands, as a sentence on it says."""
    if finding.status == "unknown":
        return "unsettled" if finding.exclusion else "open"
    return finding.status


def _tells_itself(finding: Finding, name: str, shown: str, words: Words) -> bool:
    """What was found says already what it is about."""
    render = words.ledger.render
    return bool(shown) and (
        (finding.criterion == "age" and finding.status == "met")
        or (not finding.parts and finding.found is not None and finding.found.topic in ("taking", "attested"))
        or (finding.exclusion and finding.status == "unknown")
        or render(name).casefold() in render(shown).casefold()
    )


def all_wrong_plan(reply: Answer, bound: Bound, ledger: Ledger) -> list[Said]:
    """Where the plan itself is the wrong one, it is said once, not drug by drug."""
    found = reply.determinations
    if len(found) < 2 or any(one.outcome != "wrong_plan" for one in found):
        return []
    words = Words(bound, ledger, found[0])
    steps = "; ".join(map(lower, words.next_steps()))
    every = words.headline().replace(f" for {words.drug()}:", " for every drug:")
    return [Said(text=every), *([Said(text=f"Next: {steps}.")] if steps else [])]


def fitted(said: Iterable[Said], ledger: Ledger, most: int = LONGEST) -> list[Said]:
    """As much of it as an answer should hold: what need not be said goes first, then what comes last."""
    kept = list(said)
    while len(kept) > 1 and sum(len(ledger.render(one.text)) + 3 for one in kept) > most:
        spare = [at for at, one in enumerate(kept) if at and not one.must]
        del kept[spare[-1] if spare else -1]
    return kept
