"""What one policy holds, as it is asked about: its clauses, what they print, and what they are about."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from agent.answers.policy.phrases import WORD, Section, compiled, stem
from tools.records import Benefit, Clause, Drug, Policy
from tools.rules import Composite, Part, Rule
from tools.store.clauses import policy_chunks
from tools.store.everyday import fixed_clauses

MOST_KEPT = 512  # policies whose words are remembered


class Contents(NamedTuple):
    """One policy as it is asked about."""

    clauses: dict[str, Clause]
    printed: dict[str, Printed]
    fixed: dict[str, str]  # clauses of fixed wording: limit, starting, initial, renewal
    by_section: dict[str, list[str]]
    words: frozenset[str]
    words_of: dict[str, frozenset[str]]
    payer: frozenset[str]  # words of its name
    says: dict[str, frozenset[str]]  # what clauses of the payer's own wording are about: review, deadline, …


def contents_of(policy: Policy, benefit: Benefit, drug: Drug) -> Contents:
    """Worked out once for a policy and its benefit."""
    kept = _kept.get(policy.id)
    if kept and kept[0] is policy and kept[1] is benefit:
        return kept[2]
    by_section: dict[str, list[str]] = {}
    for clause in policy.clauses:
        by_section.setdefault(clause.section, []).append(clause.id)
    texts = {clause.id: clause.text for clause in policy.clauses}
    for chunk in policy_chunks(policy, benefit, drug):
        texts[chunk.clause_id] = " ".join((texts[chunk.clause_id], *chunk.views))
    words_of = {
        one: frozenset(stem(word) for word in WORD.findall(text.casefold())) for one, text in texts.items()
    }
    made = Contents(
        clauses={clause.id: clause for clause in policy.clauses},
        printed={entry.part.clause_id: entry for entry in printed(benefit)},
        fixed=fixed_clauses(policy, benefit, drug),
        by_section=by_section,
        words=frozenset().union(*words_of.values()),
        words_of=words_of,
        payer=frozenset(WORD.findall(f"{policy.payer} {policy.plan_id}".casefold().replace("-", " "))),
        says=_says(policy),
    )
    if len(_kept) > MOST_KEPT:
        _kept.clear()
    _kept[policy.id] = (policy, benefit, made)
    return made


# What was worked out, by policy id; good while policy and benefit are the same.
_kept: dict[str, tuple[Policy, Benefit, Contents]] = {}


class Printed(NamedTuple):
    """A criterion or document as a clause prints it, with the composites over it, outermost first, and its rules."""

    part: Part
    section: str
    above: tuple[Composite, ...]
    rules: tuple[Rule, ...]


def printed(benefit: Benefit) -> Iterator[Printed]:
    """Every criterion, exclusion and document of the rules; a clause that several rules share stands once."""
    seen: dict[str, Printed] = {}
    for rule in benefit.rules:
        roots: list[tuple[str, Part]] = [("criteria", rule.criteria)]
        roots += [("renewal", tree) for tree in rule.renewals]
        roots += [("exclusions", node) for node in rule.exclusions]
        roots += [("documentation", node) for node in rule.documents]
        for section, root in roots:
            for part, above in _walk(root, ()):
                before = seen.get(part.clause_id)
                rules = (*before.rules, rule) if before else (rule,)
                seen[part.clause_id] = Printed(part, section, above, rules)
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
    `renewal` period."""
    said = _says(policy)
    fixed = fixed_clauses(policy, benefit, drug) if benefit and drug else {}
    return [one for one in policy.clauses if kind in said[one.id] or fixed.get(one.id) == kind]


def _says(policy: Policy) -> dict[str, frozenset[str]]:
    """What clauses of the payer's own wording are about; of several deadlines the first one is meant."""
    found: dict[str, frozenset[str]] = {}
    dated = False
    for clause in policy.clauses:
        kinds = {
            kind
            for section, kind, words in _SAYS
            if clause.section == section and compiled(words).search(clause.text)
        }
        if dated or "peer" in kinds:
            kinds.discard("deadline")
        dated = dated or "deadline" in kinds
        found[clause.id] = frozenset(kinds)
    return found


# Clauses of the payer's own wording: section, what it is about, by which words.
_SAYS: tuple[tuple[Section, str, str], ...] = (
    ("authorization", "beyond", r"plan year"),
    ("authorization", "formulary", r"formulary"),
    ("authorization", "review", r"\b(?:decid|answer|determinations are made)"),
    (
        "appeal",
        "deadline",
        r"(?:appeal|grievance|redetermination|write|ask)\b[^.]*\d+ |\d+ [^.]*(?:appeal|grievance)",
    ),
    ("quantity", "exception", r"exception|larger"),
    ("appeal", "next", r"next level|go on to|then seek|after (?:the|both)|still say no"),
    ("appeal", "peer", r"peer|speak|clinician may"),
    ("appeal", "decision", r"\b(?:decid|answer|resolv|repl)\w* "),
    ("appeal", "outside", r"external|independent|outside|hearing"),
    ("appeal", "urgent", r"urgent|expedit|72"),
)
