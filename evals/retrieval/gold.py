"""The gold set of policy search: questions in a user's words, and which clauses answer them.

A question names its clauses by what they are (a lab criterion on HbA1c, the initial approval period), never by
their numbers, so that it outlives a re-printing of the documents. `held_out` questions were not looked at while
the search was tuned.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tools.records import Benefit, Policy
from tools.rules import Part
from tools.store.validation import descend

QUESTIONS = Path(__file__).with_name("questions.jsonl")
_NAMES = (
    "label",
    "test",
    "tests",
    "topic",
    "statement",
    "drugs",
    "classes",
    "specialties",
    "programme",
    "uses",
    "of",
)


class Gold(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Which clauses answer: those of `section` that print a criterion of this `kind` that names `has`; or the
    quantity `limit`; or whose text matches `says`."""

    section: str
    kind: str = ""
    has: str = ""
    says: str = ""


class Question(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    id: str
    plan_id: str
    drug: str
    ask: str
    gold: Gold
    held_out: bool = False


def read_questions(path: Path = QUESTIONS) -> list[Question]:
    return [msgspec.json.decode(line, type=Question) for line in path.read_bytes().splitlines() if line]


def answers(gold: Gold, benefit: Benefit, policy: Policy) -> set[str]:
    """The ids of the clauses that answer; empty where this policy has none."""
    if gold.says:
        found = [c.id for c in policy.clauses if re.search(gold.says, c.text, re.IGNORECASE)]
    elif gold.kind == "limit":
        limits = [benefit.quantity_limit, *benefit.strength_limits.values()]
        found = [limit.clause_id for limit in limits if limit]
    else:
        found = [
            part.clause_id
            for part in _parts(benefit, gold.section)
            if _tag(part) == gold.kind and gold.has in _named(part)
        ]
    in_section = {clause.id for clause in policy.clauses if clause.section == gold.section}
    return set(found) & in_section


def _parts(benefit: Benefit, section: str) -> Iterator[Part]:
    for rule in benefit.rules:
        roots: dict[str, tuple[Part, ...]] = {
            "criteria": (rule.criteria,),
            "renewal": (rule.renewal,) if rule.renewal else (),
            "exclusions": rule.exclusions,
            "documentation": rule.documents,
        }
        yield from descend(roots.get(section, ()))


def _tag(part: Part) -> str:
    return str(type(part).__struct_config__.tag)


def _named(part: Part) -> str:
    values = (getattr(part, name, "") for name in _NAMES)
    return " ".join(value if isinstance(value, str) else " ".join(value) for value in values).lower()
