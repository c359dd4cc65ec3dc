"""Can this patient get it: the outcome, what decides it, and what to do next."""

from __future__ import annotations

from agent.answers.answer import Answer, Said
from agent.answers.wording import (
    Sorted,
    Words,
    all_wrong_plan,
    ask_back,
    asks_for_all,
    deciding_leaf,
    drugs_meant,
    fitted,
    line,
    listed,
    lower,
    note_sources,
    plan_slot,
    sources,
    unlisted,
    worth_trying,
)
from agent.dialogue.query import Ask
from agent.ledger import Ledger
from tools.domain.records import Finding, Outcome
from tools.messages import Message
from tools.queries.bound import Bound
from tools.terminology.observations import TESTS

MOST_FACTS = 2
MOST_OPEN = 6
MOST_STEPS = 3


def answer(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """One drug in full; several, a line each; none named and none ordered, a question back."""
    drugs = tuple(bound.plan.benefits) if ask.all_drugs else drugs_meant(ask, bound)
    if not drugs:
        return ask_back("eligibility", bound, ledger)
    reply = Answer(intent="eligibility", ledger=ledger, drugs=drugs)
    lines: list[Said] = []
    for drug in drugs:
        if drug not in bound.plan.benefits:
            lines.append(unlisted(drug, bound, ledger))
            continue
        found = bound.determination(drug, ask.indication if len(drugs) == 1 else _labeled(ask, drug, bound))
        reply.determinations.append(found)
        words = Words(bound, ledger, found)
        lines += (
            [line(words, found)]
            if len(drugs) > 1
            else _in_full(words, plainly=ask.form == "yes_no" and ask.sure >= SURE)
        )
        relevant = Sorted.of(found).unmet or found.findings
        quoted = [*note_sources(found)[:1], *sources(relevant)]
        reply.sources += [item for item in quoted if item not in reply.sources]
    wrong = all_wrong_plan(reply, bound, ledger)
    if wrong:
        lines = wrong
    elif len(drugs) > 1:
        lines.insert(0, _several(bound, ledger, len(lines)))
    reply.said = fitted(lines, ledger)
    return reply


def _labeled(ask: Ask, drug: str, bound: Bound) -> str:
    """The use that is named, where the drug has it: of several it may be that of another ("this for her diabetes rather
    than that")."""
    uses = {use.key for use in bound.store.drug(drug).indications}
    return ask.indication if ask.indication in uses else ""


def _several(bound: Bound, ledger: Ledger, count: int) -> Said:
    number = ledger.add("count", count, origin="derived", attribute="drugs", formula="drugs asked about")
    return Said(
        text=f"Under {plan_slot(ledger, bound.plan)}, the {number} drugs stand as follows.", verbatim=True
    )


SURE = 0.6  # of likelihood, from which yes or no is an answer to just this question
_PLAINLY: dict[Outcome, str] = {
    "ready": "Yes",
    "not_required": "Yes",
    "likely_denial": "No",
    "not_covered": "No",
    "wrong_plan": "No",
    "quantity_exception": "Not as ordered",
}


def _in_full(words: Words, *, plainly: bool = False) -> list[Said]:
    """The outcome, what decides it and what is next; `plainly` begins with yes or no."""
    found = words.found
    said = [Said(text=words.headline())]
    if plainly and (word := _PLAINLY.get(found.outcome)):
        said = [Said(text=f"{word}. {words.headline()}")]
    said += [Said(text=text) for text in deciding(words)]
    off_label = words.off_label() if found.outcome == "not_required" else ""
    if off_label:
        said.append(Said(text=off_label, verbatim=True))
    steps = words.next_steps(1 if found.outcome in ("not_required", "ready") else MOST_STEPS)
    if steps:
        said.append(Said(text=f"Next: {'; '.join(map(lower, steps))}."))
    said += [Said(text=words.lead(lead), verbatim=True) for lead in found.leads[:1]]
    other = words.alternatives()
    if other and found.outcome not in ("ready", "not_required"):
        said.append(Said(text=other, must=False))
    return said


def standing(words: Words) -> list[Said]:
    """How a request stands, beside another answer: the outcome and, where it is no yes, what is in the way."""
    said = [Said(text=words.headline())]
    if words.found.outcome in ("needs_documentation", "likely_denial"):
        said += [Said(text=text, must=False) for text in deciding(words)]
    return said


def deciding(words: Words) -> list[str]:
    """What the outcome rests on: for a case that is ready the measured and the tried, else what is not met or open."""
    found, kinds = words.found, Sorted.of(words.found)
    if found.outcome == "ready":
        facts = [words.against(finding) for finding in _telling(kinds.criteria)[:MOST_FACTS]]
        return [f"It rests on {'; and '.join(facts)}."] if facts else []
    if found.outcome not in ("needs_documentation", "likely_denial"):
        return []
    if found.stopped_by == "exclusion":
        proven = [finding for finding in kinds.exclusions if finding.status == "not_met"]
        clauses = [words.clause(finding) for finding in proven if finding.clause is not None]
        return [f"The policy excludes it in clause {' and '.join(clauses[:2])}."] if clauses else []
    failing = [finding for finding in kinds.unmet if finding.status == "not_met"]
    unknown = [finding for finding in kinds.unmet if finding.status == "unknown"]
    judged = [finding for finding in unknown if finding not in kinds.documents] or unknown
    told = []
    if failing:
        told.append(f"Not met: {'; '.join(point(words, finding) for finding in failing[:MOST_OPEN])}.")
    if judged:
        names = [open_point(words, finding) for finding in judged]
        told.append(f"{'Also open' if failing else 'Open'}: {listed(names, MOST_OPEN, words)}.")
    return told


def open_point(words: Words, finding: Finding) -> str:
    """What is open by its name, with what there is of it if there is anything."""
    telling = finding.reason not in (None, "missing") and finding.kind != "document"
    if telling and finding.evidence and not _is_absent(finding.found):
        return words.shown(finding)
    return words.named(finding)


def _is_absent(found: Message | None) -> bool:
    """Does it say, at first, that there is no value?"""
    while found is not None and found.code in ("several", "lab.after_course"):
        inner = found.params["found"]
        found = inner[0] if isinstance(inner, tuple) else inner  # type: ignore[assignment]
    return found is not None and found.code in ("lab.unusable", "measured.missing", "change.none_since")


def point(words: Words, finding: Finding) -> str:
    """A criterion that is not met, with what was found."""
    leaf = deciding_leaf(finding)
    if leaf.criterion == "age" or any(item.kind in TESTS for item in leaf.evidence):
        return words.against(finding)
    unmet = [part for part in finding.parts if part.status != "met"]
    if asks_for_all(finding) and len(unmet) > 1:
        told = dict.fromkeys(words.shown(_first_way(part)) for part in unmet)
        return f"{words.named(finding)}, since {' and '.join(filter(None, told))}"
    shown = words.shown(finding, 2)
    if finding.parts:
        return f"{words.named(finding)}, since {shown}" if shown else words.named(finding)
    found = finding.found
    if found is not None and not finding.exclusion and found.code in ("document.missing", "document.too_old"):
        return f"{words.named(finding)} ({shown})"
    return shown or words.named(finding)


def _first_way(finding: Finding) -> Finding:
    """The leaf that stands in the way of it, of several ways the one that is tried first."""
    while finding.parts:
        finding = (worth_trying(finding) or [part for part in finding.parts if part.status != "met"])[0]
    return finding


def _telling(criteria: list[Finding]) -> list[Finding]:
    """Measured values first, then trials; age and bare diagnoses tell a specialist nothing."""
    measured = [f for f in criteria if any(item.kind in TESTS for item in f.evidence)]
    tried = [f for f in criteria if any(item.kind in ("medication", "fill") for item in f.evidence)]
    first = [*measured[:1], *tried[:1], *measured[1:], *tried[1:]]
    return [*dict.fromkeys(first)] or criteria[:1]
