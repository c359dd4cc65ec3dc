"""Which clauses answer a question, or that none does.

Whether the policy says anything is decided here, in code. A question's subjects (HbA1c, a specialist, metformin …)
are looked for among the criteria that the policy prints, so that a subject that it has no clause for is known to be
none; search by meaning ranks the clauses. Words that neither the policy nor its everyday questions use speak
against an answer. evals/retrieval/abstention.py measures it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from agent.answers.policy.asked import meant_of, sections_named, subjects_of, tag
from agent.answers.policy.contents import Contents, contents_of
from agent.answers.policy.phrases import (
    ALLERGY,
    ALWAYS,
    ASKS,
    BENEFIT,
    CHANGED,
    EXCLUDED,
    LOOSE,
    MENTION,
    OFTEN,
    ON_FILE,
    ONLY_THERE,
    OWN_WORDS,
    SPOKEN,
    STEP,
    STOMACH,
    TESTED,
    TOGETHER,
    WHOLE,
    WHOLES,
    WORD,
    Section,
    compiled,
    stem,
)
from tools.records import Benefit, Clause, Drug, Policy
from tools.rules import Composite
from tools.terms import INDICATIONS

if TYPE_CHECKING:
    from tools.store.clauses import Hit


MOST_QUOTES = 4
# What a clause's rank owes to, beside its cosine with the question; tuned on the questions of questions.jsonl and the
# `dev` ones of abstention.jsonl.
SECTION, KIND, LEAF, OVERLAP = 0.18, 0.10, 0.10, 0.25
ENOUGH = 0.45  # cosine from which a clause may answer a question of no known subject …
THERE = 0.30  # … of a section that it names …
STRANGE = 0.30  # … of a known subject, with words that the policy does not know …
FOREIGN = 0.55  # … of a section, with such words …
CERTAIN = 0.62  # … and of none, with such words
STRANGER = 0.08  # more than those, with two such words
NEAR = 0.14  # clauses this much below the best one are quoted with it, if they are of the subject


class Found(NamedTuple):
    """What the policy has for a question: the clauses, best first; none, and `about` names what it has no clause for.
    `whole` is a section that was asked for as a whole."""

    clauses: tuple[Clause, ...] = ()
    about: str = ""
    whole: Section | None = None


def find(
    policy: Policy, benefit: Benefit, drug: Drug, question: str, hits: Iterable[Hit], indication: str = ""
) -> Found:
    """The clauses of this policy that answer the question. `hits` are all of its clauses as the search scores them."""
    held = contents_of(policy, benefit, drug)
    asked = _plain(question, drug)
    if BENEFIT.search(asked) or TESTED.search(asked) or OFTEN.search(asked):
        return Found()
    sections = sections_named(asked)
    subjects, indication = meant_of(subjects_of(asked, held), asked, sections, benefit, held, indication)
    of_subject = frozenset[str]().union(*(ids for _, ids in subjects))
    words = _foreign(asked, held)
    if _asks_for(words, asked):
        return Found()
    foreign = bool(words)
    if subjects:
        allowed = _in_sections(of_subject, asked, sections, held)
        floor = (CERTAIN if MENTION.search(asked) else STRANGE) if foreign else 0.0
        if not allowed:
            return Found(about="" if of_subject else subjects[0][0])
    elif not foreign and (whole := _whole(asked, sections)):
        return Found(tuple(_leaves(whole, held, indication)), whole=whole)
    else:
        allowed, floor = _of_no_subject(asked, sections, foreign, held)
        floor += STRANGER if floor and len(words) > 1 else 0.0
    scores = {hit.clause_id: _cosine(hit) for hit in hits}
    if max((scores.get(one, 0.0) for one in allowed), default=0.0) < floor:
        return Found()
    content = {stem(word) for word in WORD.findall(asked) if word not in ALWAYS}
    ranked = {
        one: scores.get(one, 0.0) + _bonus(one, asked, content, sections, held, indication)
        for one in held.clauses
        if one in allowed
    }
    return Found(tuple(held.clauses[one] for one in _best(ranked, of_subject)))


def _plain(question: str, drug: Drug) -> str:
    """The question in lower case, with the drug that it is about as "it"."""
    names = sorted({drug.name, drug.generic, *drug.ingredients, *drug.aliases}, key=len, reverse=True)
    return re.sub(
        rf"\b(?:{'|'.join(map(re.escape, names))})\b", "it", question.casefold(), flags=re.IGNORECASE
    )


def _whole(asked: str, sections: list[Section]) -> Section | None:
    """The section that is asked for as a whole."""
    if not WHOLE.search(asked):
        return None
    for name in WHOLES:
        if name in sections:
            return name
    return None if sections else "criteria"


def _leaves(section: Section, held: Contents, indication: str) -> Iterator[Clause]:
    """The clauses of a section that state something; of a composite, its lead-in and not its branches."""
    depth = 1 if section in ("criteria", "renewal") else 0
    for clause_id, entry in held.printed.items():
        ours = not indication or any(rule.indication == indication for rule in entry.rules)
        if entry.section == section and len(entry.above) == depth and ours and clause_id in held.clauses:
            yield held.clauses[clause_id]


def _of_no_subject(
    asked: str, sections: list[Section], foreign: bool, held: Contents
) -> tuple[frozenset[str], float]:
    """Which clauses may answer, and the cosine that one of them must reach."""
    named = [name for name in sections if name not in LOOSE]
    if not named:
        return frozenset(held.clauses), CERTAIN if foreign else ENOUGH
    allowed = frozenset(one for name in named for one in held.by_section.get(name, ()))
    floor = FOREIGN if foreign else THERE
    for kind in ASKS.keys() & OWN_WORDS:
        if compiled(ASKS[kind]).search(asked):
            saying = frozenset(
                one for one in allowed if kind in held.says[one] or held.fixed.get(one) == kind
            )
            if saying and not foreign:
                floor = 0.0
            elif kind in ONLY_THERE:
                allowed = saying
    return allowed, floor


def _best(ranked: dict[str, float], of_subject: frozenset[str]) -> list[str]:
    """The best clause, and those of the subject that come near it; of equals the first in the policy."""
    order = sorted(ranked, key=lambda one: -round(ranked[one], 2))
    near = [one for one in order if one in of_subject and ranked[order[0]] - ranked[one] <= NEAR]
    return list(dict.fromkeys((*order[:1], *near)))[:MOST_QUOTES]


def _foreign(asked: str, held: Contents) -> set[str]:
    """Words of the question that neither the policy, nor the questions it is known to answer, nor plain
    English uses."""
    words = {
        word for word in WORD.findall(asked) if word not in ALWAYS and not word[0].isdigit()
    } - held.payer
    said = {
        word
        for words in SPOKEN
        for match in compiled(words).finditer(asked)
        for word in WORD.findall(match[0])
    }
    begun = tuple(word for word in said if len(word) > 3)  # "cardiolog" of "cardiologist"
    return {
        word
        for word in words - said
        if stem(word) not in held.words and not (begun and word.startswith(begun))
    }


def _asks_for(words: set[str], asked: str) -> bool:
    """Is the thing itself that is to be paid for, or to be done, one that the policy has no word for?"""
    if not words:
        return False
    strange = rf"(?:{'|'.join(map(re.escape, sorted(words)))})"
    return bool(
        re.search(
            r"\b(?:pays? for|covers?|reimburses?|includes?|recommends?|suggests?) "
            rf"(?:an? |the |any |her |his )?(?:[\w-]+ ){{0,2}}{strange}\b"
            rf"|\b(?:is|are) (?:an? |any |the )?(?:[\w-]+ )?{strange}(?: [\w-]+){{0,3}} (?:required|needed|"
            r"necessary|mandatory|asked for|expected|covered|reimbursed|included|paid)\b",
            asked,
        )
    )


def _in_sections(ids: frozenset[str], asked: str, sections: list[Section], held: Contents) -> frozenset[str]:
    """Those of the first section named that has any; what is asked for as an exclusion is looked for nowhere else."""
    for name in sections:
        inside = ids.intersection(held.by_section.get(name, ()))
        if inside:
            return inside
    return frozenset() if EXCLUDED.search(asked) else ids


def _bonus(
    clause_id: str, asked: str, content: set[str], sections: list[Section], held: Contents, indication: str
) -> float:
    clause, entry = held.clauses[clause_id], held.printed.get(clause_id)
    score = SECTION if clause.section in sections[:1] else SECTION / 2 if clause.section in sections else 0.0
    if clause.section == "criteria" and not {"renewal", "exclusions", "documentation"}.intersection(sections):
        score += SECTION / 2
    if entry is not None and not isinstance(entry.part, Composite):
        score += LEAF + KIND * (tag(entry.part) in _leading(asked))
    if indication and (
        INDICATIONS.get(indication, indication) in clause.text.casefold()
        or (entry is not None and any(rule.indication == indication for rule in entry.rules))
    ):
        score += SECTION
    if content:
        score += OVERLAP * len(content & held.words_of[clause_id]) / len(content)
    kinds = {held.fixed.get(clause_id, ""), *held.says.get(clause_id, ())}
    if compiled(ASKS["renewal"]).search(asked):
        kinds.discard("initial")
    if compiled(ASKS["exception"]).search(asked):
        kinds.discard("limit")
    return score + SECTION * any(
        compiled(ASKS[kind]).search(asked) is not None for kind in kinds if kind in ASKS
    )


def _leading(asked: str) -> tuple[str, ...]:
    if ALLERGY.search(asked):
        return ("allergy",)
    if STOMACH.search(asked):
        return ("intolerance",)
    if TOGETHER.search(asked) and not STEP.search(asked):
        return ("taking",)
    if ON_FILE.search(asked):
        return ("measured",)
    return ("change",) if CHANGED.search(asked) else ("trial", "lab", "use", "programme")


def _cosine(hit: Hit) -> float:
    """A score between 0 and 1; what BM25 finds is brought near to what a cosine would be."""
    return hit.score if hit.by == "meaning" else hit.score / (hit.score + 6.0)
