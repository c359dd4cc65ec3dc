"""Which findings of a determination a stated reason is about: by the clause that it names, by its kind, by its words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import NamedTuple

from tools.cases import Case
from tools.denials.records import Denial, StatedReason
from tools.documents import walk
from tools.records import Finding
from tools.rules import (
    Age,
    AllergyTo,
    Attested,
    Change,
    Condition,
    Intolerance,
    Lab,
    Measured,
    Node,
    OnDrug,
    Programme,
    Required,
    Specialist,
    Taking,
    Trial,
    Use,
)
from tools.terms import BRANDS, CONCEPTS, INGREDIENTS, TESTS


class Pointed(NamedTuple):
    """`baseless`: the rule has nothing of the kind, so that all its criteria stand for it."""

    findings: tuple[Finding, ...]
    baseless: bool = False


def pointed_at(reason: StatedReason, denial: Denial, case: Case) -> Pointed:
    """The findings, whole criteria and not their branches, that the reason is about."""
    of_kind = _of_kind(reason.code, case)
    named = tuple(_by_clause(_clauses(reason, denial), case))
    if named:
        return Pointed(named)
    if not of_kind:
        return Pointed(tuple(_criteria(case)), baseless=_is_criterion(reason.code))
    if reason.code == "insufficient_documentation":
        return Pointed(_missing_papers(reason, of_kind, case))
    return Pointed(_narrowed(of_kind, reason.quote.text, case))


# --- by clause -------------------------------------------------------------------------------------------


def _clauses(reason: StatedReason, denial: Denial) -> tuple[str, ...]:
    if reason.clauses or len(denial.reasons) > 1:
        return reason.clauses
    return tuple(cited.id for cited in denial.cited if cited.known)


def _by_clause(clauses: Iterable[str], case: Case) -> Iterator[Finding]:
    """A clause that is one way of several stands for the whole criterion: another way may be met."""
    wanted = {_bare(clause) for clause in clauses}
    for finding in case.determination.findings:
        if any(part.clause and _bare(part.clause.clause_id) in wanted for part in walk([finding])):
            yield finding


def _bare(clause: str) -> str:
    return re.sub(r"[^0-9a-z.()-]", "", clause.casefold()).strip(".")


# --- by kind ---------------------------------------------------------------------------------------------


def _of_kind(code: str, case: Case) -> tuple[Finding, ...]:
    criteria, exclusions = list(_criteria(case)), [f for f in case.determination.findings if f.exclusion]
    if code == "medical_necessity":
        return tuple(criteria)
    if code == "step_therapy":
        return _holding(criteria, case, lambda leaf: isinstance(leaf, Trial))
    if code == "age":
        return _holding(criteria, case, lambda leaf: isinstance(leaf, Age))
    if code == "diagnosis_mismatch":
        plain = tuple(f for f in criteria if isinstance(case.nodes.get(f.criterion), Condition))
        shown = plain or _holding(criteria, case, lambda leaf: isinstance(leaf, Condition))
        return (*shown, *_holding(exclusions, case, lambda leaf: isinstance(leaf, Use)))
    if code == "duplicate_therapy":
        return _holding(exclusions, case, lambda leaf: isinstance(leaf, Taking))
    if code == "exclusion":
        return _holding(exclusions, case, lambda leaf: isinstance(leaf, Condition | Attested | AllergyTo))
    if code == "quantity_limit":
        return tuple(f for f in case.determination.findings if f.criterion == "quantity")
    if code == "insufficient_documentation":
        return case.determination.findings
    return ()


def _is_criterion(code: str) -> bool:
    return code in ("step_therapy", "age", "diagnosis_mismatch", "duplicate_therapy", "exclusion")


def _criteria(case: Case) -> Iterator[Finding]:
    """The criteria of the rule, without exclusions, quantity and papers."""
    papers = {paper.id for paper in case.rule.documents} if case.rule else set()
    for finding in case.determination.findings:
        if not finding.exclusion and finding.criterion != "quantity" and finding.criterion not in papers:
            yield finding


def _holding(
    findings: Iterable[Finding], case: Case, wanted: Callable[[Node], bool]
) -> tuple[Finding, ...]:
    return tuple(f for f in findings if any(wanted(leaf) for leaf in leaves(case.nodes.get(f.criterion))))


def leaves(node: Node | None) -> Iterator[Node]:
    if node is None:
        return
    children = getattr(node, "children", ())
    if not children:
        yield node
    for child in children:
        yield from leaves(child)


# --- papers ----------------------------------------------------------------------------------------------


def _missing_papers(reason: StatedReason, findings: tuple[Finding, ...], case: Case) -> tuple[Finding, ...]:
    """The papers that the rule wants and the criteria that are not settled; what the letter names of them, if it names
    any."""
    papers = {paper.id: paper for paper in case.rule.documents} if case.rule else {}
    asked = [f for f in findings if f.criterion in papers or f.status != "met"]
    said = reason.quote.text.casefold()
    named = [
        f
        for f in findings
        if (f.criterion in papers and _names_paper(said, papers[f.criterion]))
        or (f.criterion not in papers and _names(said, case.nodes.get(f.criterion)))
    ]
    return tuple(named or asked or findings)


_PAPERS: dict[str, str] = {
    "note": r"\b(?:chart|office|clinic(?:al)?|progress|visit|signed) notes?\b|\bnotes?\b",
    "fills": r"\bfills?\b|\bclaims?\b|pharmacy (?:record|history)|dispens",
    "programme": r"\bprogram(?:me)?\b|lifestyle",
    "study": r"\bstud(?:y|ies)\b|biops|polysomnogra|imaging",
    "medication": r"\bmedication list\b|\bcurrent therapy\b",
}


def _names_paper(said: str, paper: Required) -> bool:
    if paper.of == "lab":
        return paper.test in TESTS and _names_test(said, paper.test)
    return bool(re.search(_PAPERS[paper.of], said))


# --- by words --------------------------------------------------------------------------------------------


def _narrowed(findings: tuple[Finding, ...], quote: str, case: Case) -> tuple[Finding, ...]:
    """Those of which the letter's words name something; all where they name nothing."""
    said = quote.casefold()
    asked_for = {case.drug.name.casefold(), *case.drug.ingredients}
    named = tuple(f for f in findings if _names(said, case.nodes.get(f.criterion), asked_for))
    return named or findings


def _names(said: str, node: Node | None, asked_for: Iterable[str] = ()) -> bool:
    return any(_names_leaf(said, leaf, set(asked_for)) for leaf in leaves(node))


def _names_leaf(said: str, leaf: Node, asked_for: set[str]) -> bool:
    if isinstance(leaf, Lab | Change):
        return _names_test(said, leaf.test)
    if isinstance(leaf, Measured):
        return any(_names_test(said, test) for test in leaf.tests)
    if isinstance(leaf, Trial | Intolerance | Taking | AllergyTo):
        return any(_word(said, name) for name in _drug_names(leaf.drugs, leaf.classes) if name not in asked_for)
    if isinstance(leaf, Condition):
        words = {leaf.label, *leaf.phrases, *_concept_words(leaf.codes)}
        return any(_word(said, word.casefold()) for word in words if len(word) > 2)
    if isinstance(leaf, Programme):
        return bool(re.search(r"\bprogram(?:me)?\b|lifestyle|behaviou?r", said))
    if isinstance(leaf, Specialist):
        return any(name in said for name in (*leaf.specialties, "specialist"))
    if isinstance(leaf, Age):
        return bool(re.search(r"\bage\b|years", said))
    if isinstance(leaf, OnDrug):
        return bool(re.search(r"maintenance|months? (?:of|on)", said))
    if isinstance(leaf, Attested):
        return leaf.topic.replace("_", " ") in said or leaf.statement.casefold() in said
    return False


def _names_test(said: str, test: str) -> bool:
    known = TESTS[test]
    names = {known.name, test, *known.names, *({"a1c"} if test == "hba1c" else ())}
    also = {"bmi": "body mass", "ahi": "apnea-hypopnea", "weight": "weight loss"}.get(test, "")
    return any(_word(said, name.casefold()) for name in names) or (bool(also) and also in said)


def _word(said: str, word: str) -> bool:
    return bool(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", said))


_SPOKEN: dict[str, tuple[str, ...]] = {
    "glp1": ("glp-1", "glp1", "incretin"),
    "dpp4": ("dpp-4", "dpp4"),
    "sglt2": ("sglt2", "sglt-2"),
    "sulfonylurea": ("sulfonylurea",),
    "tzd": ("thiazolidinedione",),
    "biguanide": ("metformin",),
}


@cache
def _drug_names(drugs: tuple[str, ...], classes: tuple[str, ...]) -> frozenset[str]:
    """Every name under which a letter may speak of them."""
    made_of = {i for name in drugs for i in BRANDS.get(name.casefold(), (name.casefold(),))}
    of_class = {name for name, (kind, _) in INGREDIENTS.items() if kind in classes}
    brands = {b for b, parts in BRANDS.items() if set(parts) & (made_of | of_class) and len(parts) == 1}
    spoken = {word for kind in classes for word in _SPOKEN.get(kind, (kind,))}
    return frozenset({*(name.casefold() for name in drugs), *made_of, *of_class, *brands, *spoken})


@cache
def _concept_words(codes: tuple[str, ...]) -> frozenset[str]:
    found = [concept for concept in CONCEPTS.values() if set(concept.codes) & set(codes)]
    return frozenset(word for concept in found for word in (concept.label, *concept.phrases))
