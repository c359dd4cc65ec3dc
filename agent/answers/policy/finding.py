"""Which clauses answer a question, or that none does.

The clauses are ranked by what they share with the question. That the policy does not say is asserted only of something
that the question names and that no clause is about; where nothing of the kind is named and no clause is likely enough,
none is found. `python -m evals.train policy` measures it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from agent.answers.policy.contents import WHOLES, Contents, Section
from agent.answers.policy.ranking import rank
from tools.domain.records import Clause
from tools.terminology.matcher import loose_matches

if TYPE_CHECKING:
    from tools.store.clauses import Hit

SILENT = 0.6  # that no clause answers, from which none is said to …
SILENT_OF_HELD = 0.85  # … where clauses are about everything that is named
NEAR = 0.45  # of the best clause's likelihood, from which another is quoted with it
ALIKE = 0.8  # of it, from which two are told as the policy prints them
MOST_QUOTES = 4


class Found(NamedTuple):
    """What the policy has for a question: the clauses, best first; none, and `about` names what it has no clause for.
    `whole` is a section that was asked for as a whole; `nearest` are clauses where none clearly answers."""

    clauses: tuple[Clause, ...] = ()
    about: str = ""
    whole: Section | None = None
    nearest: tuple[Clause, ...] = ()


def find(held: Contents, question: str, hits: Iterable[Hit], indication: str) -> Found:
    """The clauses of this policy that answer the question.

    Args:
        held: what is asked.
        question: as it was typed, without the name of the drug.
        hits: all of its clauses as the search scores them.
        indication: the use for which it is asked; "" if it is not known.

    Raises:
        Unavailable: the encoder, the embedding model or the weights are not installed.
    """
    ranking = rank(question, held, {hit.clause_id: hit.score for hit in hits if hit.by == "meaning"})
    likely = ranking.clauses
    order = sorted(held.clauses, key=lambda one: -likely[one])
    if ranking.none >= (SILENT_OF_HELD if ranking.held else SILENT):
        about = ranking.lacking[0] if ranking.lacking else ""
        return Found(about=about, nearest=() if about else tuple(held.clauses[one] for one in order))
    best = max(likely, key=likely.__getitem__)
    if whole := next((section for section in WHOLES if section == best), None):
        return section_of(whole, held, indication)
    ours = [one for one in order if _is_for(one, held, indication)] or order
    near = [one for one in ours if likely[one] >= NEAR * likely[ours[0]]][:MOST_QUOTES]
    alike = [one for one in near if likely[one] >= ALIKE * likely[ours[0]]]
    told = [*(one for one in held.clauses if one in alike), *near[len(alike) :]]
    return Found(tuple(held.clauses[one] for one in told))


def named_in(text: str, ids: Iterable[str]) -> list[str]:
    """The clauses whose numbers stand in a text, as "1(a)(3)" does for § 1(a)(3); none that could be another number, or
    that names a thing of the terminology, as A1c does."""
    low, found = text.casefold(), []
    for clause_id in ids:
        number = clause_id.casefold().rpartition(" ")[2]
        start = low.find(number)
        if start < 0 or not _is_a_number_of_a_clause(number) or loose_matches(number):
            continue
        before, behind = low[:start][-1:], low[start + len(number) :][:2]
        goes_on = (
            behind[:1].isalnum() or behind[:1] in ("(", "-") or (behind[:1] == "." and behind[1:].isalnum())
        )
        if not (before.isalnum() or before in (".", "-") or goes_on):
            found.append(clause_id)
    return found


def _is_a_number_of_a_clause(number: str) -> bool:
    letters, digits = any(map(str.isalpha, number)), any(map(str.isdigit, number))
    return len(number) > 2 and digits and (letters or number.count(".") > 1 or number.count("-") > 1)


def section_of(section: Section, held: Contents, indication: str) -> Found:
    """A section as a whole: its clauses that state something; of a composite, its lead-in and not its branches."""
    depth = 1 if section in ("criteria", "renewal") else 0
    inside = (
        one for one, entry in held.printed.items() if entry.section == section and len(entry.above) == depth
    )
    stated = (one for one in inside if one in held.clauses and _is_for(one, held, indication))
    return Found(tuple(held.clauses[one] for one in stated), whole=section)


def _is_for(clause_id: str, held: Contents, indication: str) -> bool:
    """Does the clause hold for this use, as far as a rule says?"""
    entry = held.printed.get(clause_id)
    return not (indication and entry) or any(rule.indication == indication for rule in entry.rules)
