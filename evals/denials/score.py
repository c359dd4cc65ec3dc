"""What was read of a letter beside its labels: the reasons, and every field exactly."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from evals.denials.gold import Label
from tools.denials.identity import same_name
from tools.denials.records import Denial, StatedReason


def reasons(one: Label, got: Denial) -> dict[str, tuple[int, int]]:
    """Precision, recall and F1 of the reasons, and the F1 of each; F1 is counted as twice the right ones, of all that
    were given on either side. Codes that may be read as well count neither way."""
    want, have = set(one.reasons), set(got.codes)
    found = {code: (code in want and code in have, code not in want) for code in want | (have - one.either)}
    right, extra = sum(hit for hit, _ in found.values()), sum(more for _, more in found.values())
    tally = {
        "reasons, precision": (right, right + extra),
        "reasons, recall": (right, len(want)),
        "F1 of reasons": (2 * right, right + extra + len(want)),
    }
    return tally | {f"F1 of {code}": (2 * hit, 1 + hit) for code, (hit, _) in found.items()}


def wrong_reasons(one: Label, got: Denial) -> Iterator[str]:
    """A line for every reason that was missed, and for every one too many."""
    want, have = set(one.reasons), set(got.codes)
    for code in want - have:
        yield f"reason missed: {code} | {one.reasons[code]!r}"
    for reason in got.reasons:
        if reason.code in have - want - one.either:
            yield f"reason extra: {reason.code} | {reason.quote.text!r}"


def fields(one: Label, got: Denial) -> dict[str, tuple[Any, Any, bool]]:
    """Each field: what was wanted, what was read, and whether that is the same. What is not stated must not be read."""
    wanted = {str(drug["drug"]) for drug in one.drugs}
    strengths = {(str(d["drug"]), str(d.get("strength", ""))) for d in one.drugs}
    due = got.next_deadline
    read = (due.amount, due.unit, due.runs_from) if due else None
    found = {
        "kind": _same(one.kind, got.kind),
        "payer": _same(one.payer, _value(got.payer), _same_payer),
        "member": _same(one.member, _value(got.member), same_name),
        "member id": _same(one.member_id, _value(got.member_id)),
        "reference": _same(one.reference, _value(got.reference)),
        "birth date": _same(one.birth_date, got.birth_date.value if got.birth_date else None),
        "letter date": _same(one.letter_date, got.dated.value if got.dated else None),
        "drugs": _same(wanted, {drug.name for drug in got.drugs}),
        "strengths": _same(strengths, {(drug.name, drug.strength) for drug in got.drugs}),
        "deadline as stated": _same(one.deadline and one.deadline[:3], read),
        "deadline as a day": _same(one.deadline and one.deadline[3], due.day if due else None),
        "rights": _same(set(one.rights), {right.kind for right in got.rights}),
    }
    if one.questions:
        found["questions"] = _same(one.questions, len(got.questions))
    if one.criteria:
        cited = tuple(clause.id for clause in got.cited)
        found["criteria"] = (one.criteria, cited, set(one.criteria) <= set(cited))
    if one.reasons and one.kind != "pend":  # a pend asks in many places at once
        missed = [r.code for r in got.reasons if r.code in one.reasons and not _stands_in(one, r)]
        found["reasons quoted where they stand"] = ([], missed, not missed)
    return found


def _value(stated: Any) -> str:
    return stated.value if stated else ""


def _same(wanted: Any, found: Any, alike: Callable[[Any, Any], bool] | None = None) -> tuple[Any, Any, bool]:
    return wanted, found, wanted == found or bool(wanted and found and alike and alike(wanted, found))


def _same_payer(wanted: str, found: str) -> bool:
    one, two = wanted.casefold(), found.casefold()
    return one in two or two in one


def _stands_in(one: Label, reason: StatedReason) -> bool:
    """The quote and the label's words share a place in the letter."""
    places = re.finditer(re.escape(one.reasons[reason.code]), one.text)
    return any(m.start() < reason.quote.end and reason.quote.start < m.end() for m in places)
