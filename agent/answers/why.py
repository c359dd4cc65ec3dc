"""Why it stands as it does: criterion by criterion, or one criterion with what shows it and its clause."""

from __future__ import annotations

import re
from collections.abc import Iterable

from agent.answers import plan
from agent.answers.answer import Answer, Said
from agent.answers.wording import (
    LONGEST_QUOTE,
    Sorted,
    Words,
    ask_back,
    clause_source,
    drugs_meant,
    fitted,
    listed,
    sources,
    unlisted,
)
from agent.ledger import Ledger
from agent.understanding.reading import Ask
from tools.bound import Bound
from tools.documents import walk
from tools.eligibility import active_coverage
from tools.records import Determination, Finding
from tools.terminology.observations import TESTS

MOST_LINES = 6
BEFORE_CRITERIA = ("eligibility", "formulary", "benefit", "pa")  # what stops a case before any is judged
_IDLE = frozenset(
    re.findall(
        r"\w+",
        """a an and any are as at be because by can could did do does for from had has have he her him his how i if in
        is
    it its me my no not of on or our patient plan policy say says she so that the their them they this to was we
    what when which who why will with count counts counted met fail fails failed enough need needs want wants""",
    )
)


def answer(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """The first drug meant; `about` narrows it to the criterion that its words name."""
    drugs = drugs_meant(ask, bound)[:1]
    if not drugs:
        return _enrolled_elsewhere(bound, ledger) or ask_back("why", bound, ledger)
    reply = Answer(intent="why", ledger=ledger, drugs=drugs)
    if drugs[0] not in bound.plan.benefits:
        reply.said = [unlisted(drugs[0], bound, ledger)]
        return reply
    found = bound.determination(drugs[0], ask.indication)
    reply.determinations.append(found)
    words = Words(bound, ledger, found)
    about = about_criterion(ask.about, found) if ask.about else None
    if about is not None:
        reply.said = fitted(_one(words, *about), ledger)
        reply.sources = sources([*about])
        return reply
    said = [Said(text=words.headline()), *_every(words)]
    if ask.about and found.stopped_by not in BEFORE_CRITERIA:
        named = ledger.add("words", ask.about[:60], origin="request", attribute="asked about")
        said.insert(1, Said(text=f"No criterion of it is about {named}.", verbatim=True))
    reply.said = fitted(said, ledger)
    kinds = Sorted.of(found)
    reply.sources = sources([*kinds.unmet, *(item for item in found.findings if item.status == "met")], 24)
    return reply


def _enrolled_elsewhere(bound: Bound, ledger: Ledger) -> Answer | None:
    """Whatever the drug: the patient is not in this plan."""
    if active_coverage(bound.patient, bound.plan.id, bound.as_of) is not None:
        return None
    reply = plan.answer(Ask(intent="plan", about="enrolment"), bound, ledger)
    reply.intent = "why"
    return reply


def about_criterion(about: str, found: Determination) -> tuple[Finding, Finding] | None:
    """The top criterion and the part of it that these words name best; nothing if none does."""
    wanted = _tokens(about)
    best: tuple[float, Finding, Finding] | None = None
    for top in found.findings:
        for finding in walk([top]):
            score = _likeness(wanted, finding, top)
            if score and (best is None or score > best[0]):
                best = (score, top, finding)
    return None if best is None else (best[1], best[2])


def _likeness(wanted: set[str], finding: Finding, top: Finding) -> float:
    """Words of its name count most, then those of its text, then those of what was found; of parts that are named
    alike, the one that decides."""
    name = _tokens(finding.criterion.replace("_", " "))
    tests = {
        word for item in finding.evidence if item.kind in TESTS for word in _tokens(TESTS[item.kind].name)
    }
    text = set() if finding.parts else _tokens(finding.text)
    score = (
        3.0 * len(wanted & name) + 2.0 * len(wanted & (text | tests)) + len(wanted & _tokens(finding.detail))
    )
    if not score:
        return 0.0
    opened = {"not_met": 0.3, "unknown": 0.2, "met": 0.1}[top.status]
    return score + (0.6 if finding.parts else 0.0) + (1.5 if finding.status == top.status else 0.0) + opened


def _tokens(text: str) -> set[str]:
    words = re.findall(r"[a-z0-9]+", text.casefold().replace("a1c", "hba1c").replace("hbhba1c", "hba1c"))
    return {word.rstrip("s") if len(word) > 4 else word for word in words if word not in _IDLE}


def _one(words: Words, top: Finding, part: Finding) -> list[Said]:
    """One criterion: its status, what shows it, what would change it, and the clause."""
    named = words.named(top)
    shown = words.against(part) if part.status == top.status or not top.parts else words.against(top)
    said = [Said(text=f"For {words.drug()} under {words.plan()}, {named} is {words.status(top)}: {shown}.")]
    if part.status != top.status:
        said.append(
            Said(
                text=f"By itself, {words.named(part)} is {words.status(part)}: {words.shown(part)}.",
                must=False,
            )
        )
    step = words.step(top)
    if step:
        said.append(Said(text=f"{step}."))
    clause = top.clause if part.clause is None else part.clause
    if clause is not None and clause.quote and len(clause.quote) <= LONGEST_QUOTE:
        source = clause_source(top if part.clause is None else part)
        quote = words.ledger.add(
            "quote",
            clause.quote,
            shown=f"“{clause.quote}”",
            origin="policy",
            source=source,
            attribute="clause",
        )
        number = words.ledger.add(
            "code", clause.clause_id, origin="policy", source=source, attribute="clause"
        )
        said.append(Said(text=f"The policy says in clause {number}: {quote}", verbatim=True))
    said.append(Said(text=words.headline()))
    return said


def _every(words: Words) -> list[Said]:
    """A line for each criterion that keeps it open, then those that are met, then exclusions and papers."""
    kinds = Sorted.of(words.found)
    said = [_line(words, finding) for finding in kinds.unmet[:MOST_LINES]]
    if len(kinds.unmet) > MOST_LINES:
        said.append(_names("Also open", kinds.unmet[MOST_LINES:], words))
    met = [finding for finding in kinds.criteria if finding.status == "met"]
    room = max(0, MOST_LINES - len(said))
    said += [_line(words, finding) for finding in met[:room]]
    if met[room:]:
        said.append(_names("Met as well", met[room:], words))
    clear = [finding for finding in kinds.exclusions if finding.status == "met"]
    if clear:
        count = words.count(len(clear), "exclusions ruled out")
        plural = "exclusion" if len(clear) == 1 else "exclusions"
        said.append(Said(text=f"Ruled out: {count} {plural}.", bullet=True, must=False))
    return said


def _line(words: Words, finding: Finding) -> Said:
    clause = words.clause(finding)
    cited = f" ({clause})" if clause else ""
    name = words.named(finding)
    shown = words.against(finding) if finding.parts else words.shown(finding)
    told = shown if _tells_itself(finding, name, shown, words) else f"{name}: {shown}" if shown else name
    return Said(text=f"{words.status(finding, capital=True)}: {told}{cited}.", bullet=True)


def _tells_itself(finding: Finding, name: str, shown: str, words: Words) -> bool:
    """What was found says already what it is about."""
    if not shown:
        return False
    if finding.criterion == "age" and finding.status == "met":
        return True
    if not finding.parts and finding.found is not None and finding.found.topic in ("taking", "attested"):
        return True
    if finding.exclusion and finding.status == "unknown":
        return True
    return words.ledger.render(name).casefold() in words.ledger.render(shown).casefold()


def _names(head: str, findings: Iterable[Finding], words: Words) -> Said:
    return Said(
        text=f"{head}: {listed([words.named(item) for item in findings], 6, words)}.", bullet=True, must=False
    )
