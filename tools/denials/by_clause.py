"""Reasons that a letter gives only by a clause's number: what the policy says there tells which they are."""

from __future__ import annotations

from tools.denials.learned import code_shares
from tools.denials.records import Cited, StatedReason
from tools.domain.records import Clause, Policy

_OF_SECTION = {
    "quantity": "quantity_limit",
    "documentation": "insufficient_documentation",
    "exclusions": "exclusion",
}
_ASKED = ("step_therapy", "age", "diagnosis_mismatch", "medical_necessity")


def reasons_by_clause(cited: tuple[Cited, ...], policy: Policy | None) -> tuple[StatedReason, ...]:
    """A reason for every clause that the policy has; none where there is no policy to look it up in."""
    clauses = {clause.id: clause for clause in policy.clauses} if policy else {}
    found: dict[str, StatedReason] = {}
    for one in cited:
        clause = clauses.get(one.id)
        code = _code_of(clause) if clause else ""
        if code and code not in found:
            found[code] = StatedReason(code=code, quote=one.quote, clauses=(one.id,), by="clause")
    return tuple(found.values())


def _code_of(clause: Clause) -> str:
    if clause.section in _OF_SECTION:
        return _OF_SECTION[clause.section]
    if clause.section not in ("criteria", "renewal"):
        return ""
    shares = code_shares(clause.text)
    return max(_ASKED, key=lambda code: shares[code])
