"""The gold set of policy search: questions in a user's words, and which clauses answer them.

A question names its clauses by what they are (a lab criterion on HbA1c, the initial approval period), never by
their numbers, so that it outlives a re-printing of the documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from tools.domain.records import Benefit, Drug, Policy
from tools.domain.rules import Part
from tools.store.everyday import fixed_clauses
from tools.store.validation import descend

QUESTIONS = Path(__file__).with_name("questions.jsonl")
_NAMES = (
    "label", "test", "tests", "topic", "statement", "drugs", "classes", "specialties", "programme", "uses", "of",
)  # fmt: skip


class Gold(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Which clauses of `section` answer: those that print a criterion of this `kind` that names `has`; those of the
    quantity `limit`, the `starting` strengths, the `initial` or `renewal` period; or whose text matches `says`."""

    section: str
    kind: str = ""
    has: str = ""
    op: str = ""  # how the criterion's comparison begins: "<" a ceiling, ">" a floor
    says: str = ""


class Query(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """`gold` names the clauses that answer, any one of them; without, the policy does not say.

    `tuned` ones were looked at while the search was tuned. `held_out` ones were not, but were written together with
    them; `blind` ones were written when the tuning was over. Each of the four numbered sets was written before it was
    scored, and scored before the answering was mended after it.
    """

    id: str
    plan_id: str
    drug: str
    ask: str
    set: Literal["tuned", "held_out", "blind", "first", "second", "third", "fourth", "dev"]
    gold: tuple[Gold, ...] = ()


def read_queries() -> list[Query]:
    """Those of abstention.jsonl, and those of questions.jsonl as `dev`."""
    own = _read(QUESTIONS.with_name("abstention.jsonl"))
    return own + [msgspec.structs.replace(one, set="dev") for one in read_questions()]


def read_questions() -> list[Query]:
    """Those of questions.jsonl: each has one answer."""
    return _read(QUESTIONS)


def _read(path: Path) -> list[Query]:
    return [msgspec.json.decode(line, type=Query) for line in path.read_bytes().splitlines() if line]


def answers(gold: Gold, benefit: Benefit, policy: Policy, drug: Drug) -> set[str]:
    """The ids of the clauses that answer; empty where this policy has none."""
    section = [clause for clause in policy.clauses if clause.section == gold.section]
    if gold.says:
        return {clause.id for clause in section if re.search(gold.says, clause.text, re.IGNORECASE)}
    if gold.kind in ("limit", "starting", "initial", "renewal"):
        stated = fixed_clauses(policy, benefit, drug)
        return {clause.id for clause in section if stated.get(clause.id) == gold.kind}
    found = {
        part.clause_id
        for part in _parts(benefit, gold.section)
        if _tag(part) == gold.kind
        and gold.has in _named(part)
        and getattr(part, "op", "").startswith(gold.op)
    }
    return found & {clause.id for clause in section}


def _parts(benefit: Benefit, section: str) -> Iterator[Part]:
    for rule in benefit.rules:
        roots: dict[str, tuple[Part, ...]] = {
            "criteria": (rule.criteria,),
            "renewal": rule.renewals,
            "exclusions": rule.exclusions,
            "documentation": rule.documents,
        }
        yield from descend(roots.get(section, ()))


def _tag(part: Part) -> str:
    return str(type(part).__struct_config__.tag)


def _named(part: Part) -> str:
    values = (getattr(part, name, "") for name in _NAMES)
    return " ".join(value if isinstance(value, str) else " ".join(value) for value in values).lower()
