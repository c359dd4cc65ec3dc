"""The clauses of the store's policies as they are searched: under their own words and those of everyday questions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING, Literal

import msgspec

from tools.domain.records import Benefit, Clause, Drug, Policy, Record
from tools.domain.rules import Composite, Node, Part, Required
from tools.rulebook.plain import describe
from tools.store.everyday import fixed_clauses, questions
from tools.store.validation import parts
from tools.terminology.terms import SECTIONS

if TYPE_CHECKING:
    from tools.store.store import Store


class Hit(Record, frozen=True, kw_only=True):
    """A clause that answers, verbatim. Scores of one search compare with each other only: cosine by meaning,
    BM25 by words."""

    policy_id: str
    clause_id: str
    section: str
    text: str
    score: float
    by: Literal["meaning", "words"] = "meaning"


def hit(policy: Policy, clause_id: str, score: float, by: Literal["meaning", "words"]) -> Hit:
    """A clause of this policy, as the store has it, that answers so well."""
    clause = next(clause for clause in policy.clauses if clause.id == clause_id)
    return Hit(
        policy_id=policy.id,
        clause_id=clause_id,
        section=clause.section,
        text=clause.text,
        score=round(score, 4),
        by=by,
    )


class Chunk(Record, frozen=True, kw_only=True):
    """One clause of one policy, and the texts under which it is found."""

    plan_id: str
    drug: str
    policy_id: str
    clause_id: str
    section: str
    effective_from: date | None = None
    effective_to: date | None = None
    views: tuple[str, ...]


def chunks(store: Store) -> Iterator[Chunk]:
    """Every clause of every policy."""
    benefits = {(plan.id, name): benefit for plan in store.plans() for name, benefit in plan.benefits.items()}
    drugs = {drug.name: drug for drug in store.drugs()}
    for policy in store.policies():
        yield from policy_chunks(policy, benefits.get((policy.plan_id, policy.drug)), drugs[policy.drug])


def policy_chunks(policy: Policy, benefit: Benefit | None, drug: Drug) -> Iterator[Chunk]:
    """The clauses of one policy, in its order."""
    printed: dict[str, Part | str] = {}
    for rule in benefit.rules if benefit else ():
        for part in parts(rule):
            printed.setdefault(part.clause_id, part)
    if benefit:
        printed |= fixed_clauses(policy, benefit, drug)
    for clause in policy.clauses:
        yield Chunk(
            plan_id=policy.plan_id,
            drug=policy.drug,
            policy_id=policy.id,
            clause_id=clause.id,
            section=clause.section,
            effective_from=policy.effective_from,
            effective_to=policy.effective_to,
            views=_views(clause, printed.get(clause.id)),
        )


def fingerprint(found: Iterable[Chunk]) -> str:
    """Of everything that an index is made from, beside the model."""
    digest = hashlib.sha256()
    for chunk in found:
        digest.update(msgspec.json.encode(chunk))
    return digest.hexdigest()


def _views(clause: Clause, part: Part | str | None) -> tuple[str, ...]:
    """A criterion in our own words, which are the same for every payer; any other clause in the payer's."""
    said = part.text or describe(part) if isinstance(part, Node | Required) else ""
    if isinstance(part, Composite) or not said:
        said = clause.text
    return (f"{SECTIONS[clause.section]}: {said}", *questions(part, clause))
