"""Can this patient get it: the outcome, what decides it, and what to do next."""

from __future__ import annotations

from collections.abc import Callable

from agent.answers import terms
from agent.answers.answer import Answer, Said, plain
from agent.answers.wording import (
    Sorted,
    Words,
    ask_back,
    deciding_leaf,
    drugs_meant,
    fitted,
    line,
    listed,
    lower,
    note_sources,
    sources,
    unlisted,
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
OPEN: tuple[Outcome, ...] = ("needs_documentation", "likely_denial")


def of_one_drug(tell: Callable[[Ask, Words, Answer], None]) -> Callable[[Ask, Bound, Ledger], Answer]:
    """An answer on the determination of the first drug meant, which `tell` puts into words: a question back where none
    is named and none ordered, and that the plan does not list it."""

    def answer(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
        drugs = drugs_meant(ask, bound)[:1]
        if not drugs:
            return ask_back(bound, ledger)
        reply = Answer(ledger=ledger, drugs=drugs)
        if drugs[0] not in bound.plan.benefits:
            reply.said = [unlisted(drugs[0], bound, ledger)]
            return reply
        words = Words(bound, ledger, bound.determination(drugs[0], ask.indication))
        reply.determinations.append(words.found)
        tell(ask, words, reply)
        return reply

    return answer


@of_one_drug
def answer(ask: Ask, words: Words, reply: Answer) -> None:
    """The outcome, what decides it and what is next; yes or no first, where that is surely asked."""
    found, headline = words.found, words.headline()
    asks_plainly = ask.form == "yes_no" and ask.sure >= SURE and ask.yes != "hurdle"
    plainly = _PLAINLY.get(found.outcome) if asks_plainly else None
    said = [Said(text=f"{plainly}. {headline}" if plainly else headline)]
    said += [Said(text=text, leans=True) for text in deciding(words)]
    said += covered_instead(words, reply)
    said += plain(words.off_label() if found.outcome == "not_required" else "")
    goes_through = found.outcome in ("not_required", "ready")
    said += next_told(words, 2 if goes_through else MOST_STEPS, leans=True)
    said += plain(*(words.lead(lead) for lead in found.leads[:1]))
    others = alternatives_told(words)
    said += others if not goes_through else []
    reply.said = fitted(said, words.ledger)
    reply.sources = [*note_sources(found)[:1], *sources(Sorted.of(found).unmet or found.findings)]


SURE = 0.6  # of likelihood, from which yes or no is an answer to just this question
# Where none is required, the headline answers whether one is needed, too, to which a yes would say the opposite.
_PLAINLY: dict[Outcome, str] = {
    "ready": "Yes",
    "likely_denial": "No",
    "not_covered": "No",
    "wrong_plan": "No",
    "quantity_exception": "Not as ordered",
}


def next_told(words: Words, most: int, *, leans: bool = False) -> list[Said]:
    """The next steps in one sentence, if there are any."""
    steps = words.next_steps(most)
    return [Said(text=f"Next: {'; '.join(map(lower, steps))}.", leans=leans)] if steps else []


def alternatives_told(words: Words) -> list[Said]:
    """The covered drugs that the patient meets today, if there are any."""
    return [Said(text=text, must=False) for text in [words.alternatives()] if text]


def standing(words: Words) -> list[Said]:
    """How a request stands, beside another answer: the outcome and, where it is no yes, what is in the way."""
    said = [Said(text=words.headline())]
    if words.found.outcome in OPEN:
        said += [Said(text=text, must=False, leans=True) for text in deciding(words)]
    return said


def covered_instead(words: Words, reply: Answer) -> list[Said]:
    """Of a drug that the plan does not cover, a line for each that it covers in its place, as it stands; the reply gets
    their determinations."""
    if words.found.outcome != "not_covered":
        return []
    names = terms.covered_instead(words.found.drug, words.bound, words.plan_record)
    others = [words.bound.determination(name) for name in names]
    reply.determinations += others
    lines = [sheet(Words(words.bound, words.ledger, one)) for one in others]
    return [Said(text=f"{words.plan()} covers instead:"), *lines] if lines else []


def sheet(words: Words, with_use: bool = False) -> Said:
    """A drug as a line: the outcome, what the plan's table says of it, and all that decides."""
    if words.benefit is None or words.found.outcome in ("not_covered", "wrong_plan"):
        return line(words)
    name = words.request(capital=True) if with_use else words.drug()
    table = terms.Row(words.benefit, words.plan_record, words.ledger).terms()
    off_label = words.off_label() if words.found.outcome == "not_required" else ""
    told = (f"{name}: {words.outcome()} ({table}).", *deciding(words), off_label)
    return Said(text=" ".join(filter(None, told)), bullet=True)


def deciding(words: Words) -> list[str]:
    """What the outcome rests on: for a case that is ready the measured and the tried, else what is not met or open."""
    found, kinds = words.found, Sorted.of(words.found)
    if found.outcome == "ready":
        facts = [words.against(finding) for finding in _telling(kinds.criteria)[:MOST_FACTS]]
        return [f"It rests on {'; and '.join(facts)}."] if facts else []
    if found.outcome not in OPEN:
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
    papers = [finding for finding in kinds.documents if finding.status != "met" and finding not in judged]
    if papers:
        told.append(f"Papers to get: {listed([words.named(one) for one in papers], MOST_OPEN, words)}.")
    if any(action.code == "order_drug" for action in found.actions):
        told.append(f"The chart has no order for {words.drug()}.")
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
    shown = words.shown(finding, 2)
    if finding.parts:
        return f"{words.named(finding)}, since {shown}" if shown else words.named(finding)
    found = finding.found
    if found is not None and not finding.exclusion and found.code in ("document.missing", "document.too_old"):
        return f"{words.named(finding)} ({shown})"
    return shown or words.named(finding)


def _telling(criteria: list[Finding]) -> list[Finding]:
    """Measured values first, then trials; age and bare diagnoses tell a specialist nothing."""
    measured = [f for f in criteria if any(item.kind in TESTS for item in f.evidence)]
    tried = [f for f in criteria if any(item.kind in ("medication", "fill") for item in f.evidence)]
    first = [*measured[:1], *tried[:1], *measured[1:], *tried[1:]]
    return [*dict.fromkeys(first)] or criteria[:1]
