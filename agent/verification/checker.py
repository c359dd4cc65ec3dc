"""Does a text say only what is so? Every claim of plain English is held against the ledger of one case.

The check knows nothing of how the text was made: not its slots, not its template. A claim must agree with a fact in
value, unit and attribute, and in what is denied, supposed or determined; a policy's threshold is never a result, and
what is only supposed is so only where the sentence says "if". What code cannot judge, such as an opinion, passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from agent.ledger import Ledger
from agent.verification.courses import check_courses
from agent.verification.index import LedgerIndex
from agent.verification.known_facts import enter_bound, enter_determination
from agent.verification.sentence import Issue, Sentence
from agent.verification.statements import check_line_of_clause, check_statements
from agent.verification.text import sentences
from agent.verification.values import check_values
from tools.domain.records import Determination
from tools.queries.bound import Bound

__all__ = ["Checked", "Checker", "Issue", "verifier", "verify"]


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence or line: where it stands in the text, what is wrong with it, and the facts that bear it."""

    text: str
    start: int
    end: int
    issues: tuple[Issue, ...] = ()
    facts: tuple[str, ...] = ()


class Checker:
    """Checks any number of texts against one ledger, which is read once."""

    def __init__(self, ledger: Ledger) -> None:
        self.index = LedgerIndex(ledger)

    def check(self, text: str) -> list[Checked]:
        """Every sentence of the text, in order."""
        read: list[Sentence] = []
        for span in sentences(text):
            before = read[-1] if read else None
            read.append(Sentence(text[span.start : span.end], span.start, self.index, before))
        return [_checked(sentence, read[place + 1 : place + 3]) for place, sentence in enumerate(read)]


def _checked(sentence: Sentence, below: Sequence[Sentence]) -> Checked:
    check_courses(sentence)
    check_values(sentence)
    check_statements(sentence)
    check_line_of_clause(sentence, below)
    return Checked(
        text=sentence.shown,
        start=sentence.offset,
        end=sentence.offset + len(sentence.shown),
        issues=tuple(sorted(sentence.issues, key=lambda issue: issue.start)),
        facts=tuple(sentence.used),
    )


def verify(text: str, ledger: Ledger) -> list[Checked]:
    """One Checked for each sentence or line of the text."""
    return Checker(ledger).check(text)


def lines_of(checked: Iterable[Checked]) -> list[str]:
    """What is wrong, one line each: `8.9 %: the chart's HbA1c: 8.4 (Aug 17, 2026)`."""
    return [f"{issue.text}: {issue.why}" for one in checked for issue in one.issues]


def verifier(
    bound: Bound, determinations: Sequence[Determination], ledger: Ledger
) -> Callable[[str], list[str]]:
    """A check of rendered sentences against an answer's own ledger and all else that is known of the patient; it gives
    one line per thing wrong, [] if the sentence holds. What it needs is read at the first sentence."""
    checker: list[Checker] = []

    def wrong(sentence: str) -> list[str]:
        if not checker:
            checker.append(Checker(_everything(bound, determinations, ledger)))
        return lines_of(checker[0].check(sentence))

    return wrong


def _everything(bound: Bound, determinations: Sequence[Determination], ledger: Ledger) -> Ledger:
    """The answer's facts first, under their own ids, then all that is known."""
    everything = Ledger.of(ledger.facts.values())
    hypothetical = any(fact.origin == "supposed" for fact in ledger.facts.values())
    enter_bound(everything, bound, [d.drug for d in determinations])
    if not hypothetical:
        for determination in determinations:
            enter_determination(everything, determination)
    return everything
