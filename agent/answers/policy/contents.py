"""One policy, as it is asked about: its clauses, the criteria that they print, and what is compared of them."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Literal, NamedTuple, get_args

from tools.domain.records import Benefit, Clause, Drug, Policy
from tools.domain.rules import Composite, Node, Part, Required, Rule
from tools.language.stems import stems
from tools.rulebook.plain import describe
from tools.store.clauses import Chunk, policy_chunks
from tools.store.everyday import fixed_clauses, section_questions
from tools.terminology.conditions import conditions
from tools.terminology.matcher import Span, loose_matches, matches
from tools.terminology.medicines import ingredients_of, medicine
from tools.terminology.terms import INDICATIONS
from tools.terminology.terms import SECTIONS as TITLES

Section = Literal["criteria", "renewal", "exclusions", "documentation"]
WHOLES: tuple[Section, ...] = get_args(Section)  # sections that can be told as a whole
MOST_KEPT = 512  # policies that are remembered
_KINDS = frozenset(
    ("test", "condition", "medicine", "class", "procedure", "specialty", "allergen", "supply")
)  # of concepts that a clause can be about


class Printed(NamedTuple):
    """A criterion or document as a clause prints it, with the composites over it, outermost first, and its rules."""

    part: Part
    section: str
    above: tuple[Composite, ...]
    rules: tuple[Rule, ...]


class Compared(NamedTuple):
    """What is compared of a clause with a question."""

    section: str
    kind: str  # the criterion's, or limit, starting, initial, renewal; a lead, the payer's own words, a whole section
    topic: str  # the everyday question that it answers, which is the same for every payer; or its section
    views: tuple[str, ...]
    words: frozenset[str]  # stems, of the clause and its views
    stated: frozenset[str]  # stems, of the clause alone
    concepts: frozenset[str]
    wider: frozenset[str]  # the classes of its medicines, what its conditions imply
    uses: frozenset[str]


class Contents(NamedTuple):
    """One policy as it is asked about."""

    clauses: dict[str, Clause]
    printed: dict[str, Printed]
    keys: tuple[str, ...]  # of what is compared: clause ids, then the sections that can be told as a whole
    compared: tuple[Compared, ...]
    names: frozenset[str]  # stems of the names of drug, payer and plan
    own: frozenset[str]  # the drug itself, as concepts


def contents_of(policy: Policy, benefit: Benefit, drug: Drug) -> Contents:
    """Worked out once for a policy and its benefit."""
    kept = _kept.get(policy.id)
    if kept and kept[0] is policy and kept[1] is benefit:
        return kept[2]
    shown = {entry.part.clause_id: entry for entry in printed(benefit)}
    fixed = fixed_clauses(policy, benefit, drug)
    chunks = zip(policy.clauses, policy_chunks(policy, benefit, drug), strict=True)
    compared = tuple(
        _compared(clause, chunk, shown.get(clause.id), fixed.get(clause.id, "")) for clause, chunk in chunks
    )
    called = (drug.name, drug.generic, *drug.ingredients, *drug.aliases)
    held = {entry.section for entry in shown.values()}
    wholes = tuple(section for section in WHOLES if section in held)
    compared += tuple(_whole(section) for section in wholes)
    made = Contents(
        clauses={clause.id: clause for clause in policy.clauses},
        printed=shown,
        keys=(*(clause.id for clause in policy.clauses), *wholes),
        compared=compared,
        names=stems(" ".join((*called, policy.payer, policy.plan_id))),
        own=frozenset(f"medicine:{name.casefold()}" for name in called),
    )
    if len(_kept) > MOST_KEPT:
        _kept.clear()
    _kept[policy.id] = (policy, benefit, made)
    return made


# What was worked out, by policy id; good while policy and benefit are the same.
_kept: dict[str, tuple[Policy, Benefit, Contents]] = {}


def _compared(clause: Clause, chunk: Chunk, entry: Printed | None, fixed: str) -> Compared:
    part = entry.part if entry else None
    leaf = part if isinstance(part, Node | Required) and not isinstance(part, Composite) else None
    said = f"{clause.text} {describe(leaf)} {getattr(leaf, 'label', '')}" if leaf else clause.text
    concepts = concepts_of(matches(said)) | (_named(leaf) if leaf else frozenset())
    kind = str(type(leaf).__struct_config__.tag) if leaf else "lead" if part else "own"
    return Compared(
        section=clause.section,
        kind=fixed or kind,
        topic=chunk.views[1] if len(chunk.views) > 1 else clause.section,
        views=chunk.views,
        words=stems(" ".join((clause.text, *chunk.views))),
        stated=stems(clause.text),
        concepts=concepts,
        wider=wider_of(concepts),
        uses=frozenset(rule.indication for rule in entry.rules) if entry else frozenset(),
    )


def _whole(section: str) -> Compared:
    """A section as a whole, which is known by its title and by how people ask for it."""
    views, none = (TITLES[section], section_questions()[section]), frozenset[str]()
    return Compared(
        section, "whole", f"whole {section}", views, stems(" ".join(views)), none, none, none, none
    )


def without_drug(text: str, held: Contents) -> str:
    """The question with "it" for the drug that the policy is of: every clause is about that."""
    spans = {span.start: span for span in loose_matches(text) if concepts_of([span]) & held.own}
    for start, span in sorted(spans.items(), reverse=True):
        text = f"{text[:start]}it{text[span.end :]}"
    return text


def weight_of(compared: Iterable[Compared]) -> dict[str, float]:
    """Of every word of these clauses: the rarer, the more."""
    held = [one.words for one in compared]
    count = Counter(word for words in held for word in words)
    return {word: math.log((len(held) + 1) / (seen + 0.5)) for word, seen in count.items()}


def concepts_of(spans: Iterable[Span]) -> frozenset[str]:
    """What these name, and what a brand is made of."""
    found = set[str]()
    for span in spans:
        if span.kind in _KINDS:
            found.add(span.concept)
            found.update(f"medicine:{one}" for one in ingredients_of(span.key) if span.kind == "medicine")
    return frozenset(found)


def wider_of(concepts: Iterable[str]) -> frozenset[str]:
    """The classes of the medicines among these, and what the conditions among them imply."""
    found = set[str]()
    for kind, _, key in (concept.partition(":") for concept in concepts):
        if kind == "medicine":
            found.update(f"class:{one}" for one in medicine(key).classes)
        elif kind == "condition" and key in conditions():
            found.update(f"condition:{one}" for one in conditions()[key].implies)
    return frozenset(found)


@cache
def concepts_of_use(indication: str) -> frozenset[str]:
    """The conditions that a use of the drug is for."""
    found = concepts_of(loose_matches(INDICATIONS.get(indication, indication)))
    return found | wider_of(found) | {f"condition:{indication}"}


def _named(part: Part) -> frozenset[str]:
    """The medicines, classes and tests of a criterion."""
    drugs = getattr(part, "drugs", ())
    found = {f"medicine:{one}" for name in drugs for one in (name.casefold(), *ingredients_of(name))}
    found |= {f"class:{one}" for one in getattr(part, "classes", ())}
    return frozenset(found | {f"test:{one}" for one in tests_of(part)})


def tests_of(part: Part) -> frozenset[str]:
    """The tests that a criterion is about."""
    return frozenset((*getattr(part, "tests", ()), getattr(part, "test", ""))) - {""}


def printed(benefit: Benefit) -> Iterator[Printed]:
    """Every criterion, exclusion and document of the rules; a clause that several rules share stands once."""
    seen: dict[str, Printed] = {}
    for rule in benefit.rules:
        sections: dict[str, Iterable[Part]] = {
            "criteria": (rule.criteria,),
            "renewal": rule.renewals,
            "exclusions": rule.exclusions,
            "documentation": rule.documents,
        }
        for section, roots in sections.items():
            for part, above in (found for root in roots for found in _walk(root, ())):
                before = seen[part.clause_id].rules if part.clause_id in seen else ()
                seen[part.clause_id] = Printed(part, section, above, (*before, rule))
    yield from seen.values()


def _walk(part: Part, above: tuple[Composite, ...]) -> Iterator[tuple[Part, tuple[Composite, ...]]]:
    yield part, above
    if isinstance(part, Composite):
        for child in part.children:
            yield from _walk(child, (*above, part))


def clauses_about(
    policy: Policy, kind: str, benefit: Benefit | None = None, drug: Drug | None = None
) -> list[Clause]:
    """The clauses that state the `review` time, a `deadline`, or with benefit and drug the `initial` or
    `renewal` period; of several deadlines the first is meant."""
    if kind not in _SAYS:
        fixed = fixed_clauses(policy, benefit, drug) if benefit and drug else {}
        return [one for one in policy.clauses if fixed.get(one.id) == kind]
    section, says = _SAYS[kind]
    found = [one for one in policy.clauses if one.section == section and says.search(one.text)]
    if kind == "review":
        return found
    return [one for one in found if not any(word in one.text.casefold() for word in _OF_A_TALK)][:1]


# Clauses of the payer's own wording, which no rule prints: section, and the words by which they are told.
_SAYS = {
    "review": ("authorization", re.compile(r"\b(?:decid|answer|determinations are made)", re.IGNORECASE)),
    "deadline": (
        "appeal",
        re.compile(
            r"(?:appeal|grievance|redetermination|write|ask)\b[^.]*\d+ |\d+ [^.]*(?:appeal|grievance)",
            re.IGNORECASE,
        ),
    ),
}
_OF_A_TALK = ("peer", "speak", "clinician may")  # between doctors, which is no appeal
