"""Which findings of a determination a stated reason is about: by the clause that it names, by its kind, by
its words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

from tools.denials.records import Denial, StatedReason
from tools.domain.records import Finding
from tools.domain.rules import (
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
from tools.engine.documents import walk
from tools.papers.case import Case
from tools.terminology.conditions import CONCEPTS
from tools.terminology.matcher import medicines_in
from tools.terminology.medicines import ingredients_of, medicines_of, terminology
from tools.terminology.observations import TESTS


class Pointed(NamedTuple):
    """`baseless`: the rule has nothing of the kind, so that all its criteria stand for it. `beside` is what
    the letter's words name and no criterion or paper of the rule is about."""

    findings: tuple[Finding, ...]
    baseless: bool = False
    beside: tuple[str, ...] = ()


def pointed_at(reason: StatedReason, denial: Denial, case: Case) -> Pointed:
    """The findings, whole criteria and not their branches, that the reason is about: those whose clause it
    names and those of which its words name something; all of its kind where neither names any."""
    of_kind = _of_kind(reason.code, case)
    by_clause = tuple(_by_clause(_clauses(reason, denial), case))
    if not (of_kind or by_clause):
        return Pointed(tuple(_criteria(case)), baseless=reason.code in {**_CRITERIA, **_EXCLUSIONS})
    said = reason.quote.text.casefold()
    named = _named(said, of_kind, case)
    beside = tuple(_beside(reason.code, said, (*named, *by_clause), case))
    if beside and reason.code == "medical_necessity" and not named:
        return Pointed(tuple(_criteria(case)), baseless=True)
    found = {id(f): f for f in (*named, *by_clause)}.values()
    return Pointed(tuple(found) or _at_large(reason.code, of_kind, case), beside=beside)


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


# The kinds of leaves that a reason is about: of the criteria, and of the exclusions.
_CRITERIA: dict[str, Any] = {"step_therapy": Trial, "age": Age, "diagnosis_mismatch": Condition}
_EXCLUSIONS: dict[str, Any] = {
    "diagnosis_mismatch": Use,
    "duplicate_therapy": Taking,
    "exclusion": Condition | Attested | AllergyTo,
}


def _of_kind(code: str, case: Case) -> tuple[Finding, ...]:
    criteria, findings = tuple(_criteria(case)), case.determination.findings
    if code == "medical_necessity":
        return criteria
    if code == "quantity_limit":
        return tuple(f for f in findings if f.criterion == "quantity")
    if code == "insufficient_documentation":
        return findings
    shown = _holding(criteria, case, _CRITERIA.get(code, ()))
    if code == "diagnosis_mismatch":
        shown = tuple(f for f in shown if isinstance(case.nodes.get(f.criterion), Condition)) or shown
    return (*shown, *_holding((f for f in findings if f.exclusion), case, _EXCLUSIONS.get(code, ())))


def _criteria(case: Case) -> Iterator[Finding]:
    """The criteria of the rule, without exclusions, quantity and papers."""
    for finding in case.determination.findings:
        if not finding.exclusion and finding.criterion != "quantity" and finding.criterion not in case.papers:
            yield finding


def _holding(findings: Iterable[Finding], case: Case, kinds: Any) -> tuple[Finding, ...]:
    """Those with a leaf of these kinds."""
    return tuple(f for f in findings if any(isinstance(leaf, kinds) for leaf in _leaves(f, case)))


def _leaves(finding: Finding, case: Case) -> Iterator[Node]:
    return leaves(case.nodes.get(finding.criterion))


def leaves(node: Node | None) -> Iterator[Node]:
    if node is None:
        return
    children = getattr(node, "children", ())
    if not children:
        yield node
    for child in children:
        yield from leaves(child)


# --- by words --------------------------------------------------------------------------------------------


def _named(said: str, findings: tuple[Finding, ...], case: Case) -> tuple[Finding, ...]:
    """Those of which the letter's words name something; its own drug is none of it."""
    asked_for = {case.drug.name.casefold(), *case.drug.ingredients}

    def is_named(finding: Finding) -> bool:
        paper = case.papers.get(finding.criterion)
        return _names_paper(said, paper, asked_for) if paper else _names(said, finding, case, asked_for)

    return tuple(filter(is_named, findings))


def _at_large(code: str, findings: tuple[Finding, ...], case: Case) -> tuple[Finding, ...]:
    """What a reason is about that names nothing: of documents, the papers of the rule and what is not settled."""
    if code != "insufficient_documentation":
        return findings
    return tuple(f for f in findings if f.criterion in case.papers or f.status != "met") or findings


def _beside(code: str, said: str, found: tuple[Finding, ...], case: Case) -> Iterator[str]:
    """What the words name and none of these findings is about."""
    if code in ("medical_necessity", "insufficient_documentation"):
        for test in tests_named(said):
            if not any(_about_test(f, test, case) for f in found):
                yield TESTS[test].name
    if code == "insufficient_documentation":
        yield from _papers_beside(said, found, case)
    if code == "exclusion":
        yield from _conditions_beside(said, found, case)


def _papers_beside(said: str, found: tuple[Finding, ...], case: Case) -> Iterator[str]:
    for kind, words in _PAPERS.items():
        if re.search(words, said) and not any(_about_paper(f, kind, case) for f in found):
            yield kind
    own = (case.drug.name.casefold(), *case.drug.ingredients)
    if not any(_about_drug(f, said, case) for f in found):
        yield from (name for name in drugs_named(said) if name not in own)


def _conditions_beside(said: str, found: tuple[Finding, ...], case: Case) -> Iterator[str]:
    for concept in CONCEPTS.values():
        words = [word.casefold() for word in (concept.label, *concept.phrases)]
        about = [_names(word, f, case) for f in found for word in words]
        if any(_word(said, word) for word in words) and not any(about):
            yield concept.label


def _about_test(finding: Finding, test: str, case: Case) -> bool:
    if finding.criterion in case.papers:
        return case.papers[finding.criterion].test == test
    return any(test in _tests(leaf) for leaf in _leaves(finding, case))


def _about_paper(finding: Finding, kind: str, case: Case) -> bool:
    if finding.criterion in case.papers:
        return case.papers[finding.criterion].of == kind
    shown = list(_leaves(finding, case))
    if kind == "programme":
        return any(isinstance(leaf, Programme) for leaf in shown)
    if kind == "study":
        return any(isinstance(leaf, Lab) and leaf.test in ("ahi", "fibrosis_stage", "lvef") for leaf in shown)
    return kind == "fills" and any(isinstance(leaf, Trial) and leaf.wants_fills for leaf in shown)


def _about_drug(finding: Finding, said: str, case: Case) -> bool:
    if finding.criterion in case.papers:
        drugs = case.papers[finding.criterion].drugs
        return any(_word(said, name) for name in _drug_names(drugs, ()))
    courses = (leaf for leaf in _leaves(finding, case) if isinstance(leaf, Trial | Intolerance))
    return any(_names_leaf(said, leaf, set()) for leaf in courses)


_PAPERS: dict[str, str] = {
    "note": r"\b(?:chart|office|clinic(?:al)?|progress|visit|signed) note|\bnotes\b",
    "fills": r"\bfills?\b|\bclaims?\b|pharmacy (?:record|history)|dispens",
    "programme": r"\bprogram(?:me)?\b|lifestyle",
    "study": r"\bsleep stud(?:y|ies)\b|biops|polysomnogra|imaging",
}


def _names_paper(said: str, paper: Required, asked_for: set[str]) -> bool:
    if paper.of == "lab":
        return paper.test in TESTS and _names_test(said, paper.test)
    names = _drug_names(paper.drugs, ()) - asked_for
    if any(_word(said, name) for name in names):
        return True
    return paper.of in _PAPERS and bool(re.search(_PAPERS[paper.of], said))


def _tests(leaf: Node) -> tuple[str, ...]:
    if isinstance(leaf, Lab | Change):
        return (leaf.test,)
    return leaf.tests if isinstance(leaf, Measured) else ()


def _names(said: str, finding: Finding, case: Case, asked_for: Iterable[str] = ()) -> bool:
    return any(_names_leaf(said, leaf, set(asked_for)) for leaf in _leaves(finding, case))


def _names_leaf(said: str, leaf: Node, asked_for: set[str]) -> bool:
    if isinstance(leaf, Lab | Change | Measured):
        return any(_names_test(said, test) for test in _tests(leaf))
    if isinstance(leaf, Trial | Intolerance | Taking | AllergyTo):
        return any(_word(said, name) for name in _drug_names(leaf.drugs, leaf.classes) - asked_for)
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


def drugs_named(said: str) -> tuple[str, ...]:
    """Brands and ingredients that the words name, in lower case, in their order."""
    return tuple(dict.fromkeys(span.key for span in medicines_in(said)))


def tests_named(said: str) -> tuple[str, ...]:
    """Keys of the tests that the words name."""
    return tuple(test for test in TESTS if _names_test(said, test))


def _names_test(said: str, test: str) -> bool:
    names = {TESTS[test].name, *TESTS[test].names} | ({test} - {"weight", "height"})
    also = _ALSO.get(test, r"(?!)")
    return any(_word(said, name.casefold()) for name in names) or bool(re.search(also, said))


_ALSO = {
    "bmi": r"body[- ]mass",
    "ahi": r"apnea-hypopnea|sleep stud",
    "weight": r"(?:baseline|starting|body) weight|weight loss of|loss (?:is |of )?[^.]{0,20}%",
}


def _word(said: str, word: str) -> re.Match[str] | None:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", said)


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
    made_of = {one for name in drugs for one in ingredients_of(name) or (name.casefold(),)}
    of_class = {row.name for row in medicines_of(classes) if row.kind == "ingredient"}
    alone = {(one,) for one in made_of | of_class}
    brands = {row.name.casefold() for row in terminology().rows() if row.ingredients in alone}
    spoken = {word for kind in classes for word in _SPOKEN.get(kind, (kind,))}
    return frozenset({*(name.casefold() for name in drugs), *made_of, *of_class, *brands, *spoken})


@cache
def _concept_words(codes: tuple[str, ...]) -> frozenset[str]:
    found = [concept for concept in CONCEPTS.values() if set(concept.codes) & set(codes)]
    return frozenset(word for concept in found for word in (concept.label, *concept.phrases))
