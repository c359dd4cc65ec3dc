"""Scores what was read of letters against their labels."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from evals.denials.gold import Label
from tools.denials.identity import same_name
from tools.denials.records import Denial, StatedReason

Reader = Callable[[Label], Denial]


class Score(NamedTuple):
    """Counts over a set. `wrong` has one line for everything that was read otherwise than it is labelled."""

    letters: int
    codes: dict[str, Counter[str]]  # code → right, extra, missed
    exact: dict[str, tuple[int, int]]  # field → right, of
    by_voice: dict[str, tuple[int, int]]  # letters whose reasons are all right, of
    wrong: tuple[str, ...]

    def summary(self) -> dict[str, Any]:
        total: Counter[str] = sum(self.codes.values(), Counter())
        per_code = {code: _f1(counts) | dict(counts) for code, counts in sorted(self.codes.items())}
        macro = [row["f1"] for row in per_code.values()]
        return {
            "letters": self.letters,
            "reasons": _f1(total) | {key: total[key] for key in ("right", "extra", "missed")},
            "macro f1": round(sum(macro) / len(macro), 4) if macro else 0.0,
            "per code": per_code,
            "exact": {
                name: {"right": a, "of": b, "rate": round(a / b, 4) if b else None}
                for name, (a, b) in self.exact.items()
            },
            "letters with all reasons right, by voice": {
                name: list(pair) for name, pair in sorted(self.by_voice.items())
            },
        }


def score(labels: Sequence[Label], read: Reader) -> Score:
    codes: dict[str, Counter[str]] = {}
    exact: Counter[str] = Counter()
    of: Counter[str] = Counter()
    voices: dict[str, list[int]] = {}
    wrong: list[str] = []
    for one in labels:
        got = read(one)
        want, have = set(one.reasons), set(got.codes)
        for code in want | (have - one.either):
            outcome = "right" if code in want and code in have else "missed" if code in want else "extra"
            codes.setdefault(code, Counter())[outcome] += 1
            if outcome != "right":
                said = next((r.quote.text for r in got.reasons if r.code == code), one.reasons.get(code, ""))
                wrong.append(f"{one.name} reason {outcome}: {code} | {said!r}")
        tally = voices.setdefault(one.voice, [0, 0])
        tally[0] += want == have - (one.either - want)
        tally[1] += 1
        for name, (expected, found, right) in fields(one, got).items():
            of[name] += 1
            exact[name] += right
            if not right:
                wrong.append(f"{one.name} {name}: wanted {expected!r}, read {found!r}")
    return Score(
        len(labels), codes, {name: (exact[name], count) for name, count in of.items()},
        {name: (a, b) for name, (a, b) in voices.items()}, tuple(wrong),
    )  # fmt: skip


def fields(one: Label, got: Denial) -> dict[str, tuple[Any, Any, bool]]:
    """Each field: what was wanted, what was read, and whether that is the same. What is not stated must not be read."""
    kind = (one.kind, got.kind, one.kind == got.kind)
    found: dict[str, tuple[Any, Any, bool]] = {"kind": kind}
    found["payer"] = _same(one.payer, _value(got.payer), _same_payer)
    found["member"] = _same(one.member, _value(got.member), same_name)
    found["member id"] = _same(one.member_id, _value(got.member_id))
    found["reference"] = _same(one.reference, _value(got.reference))
    found["birth date"] = _same(one.birth_date, got.birth_date.value if got.birth_date else None)
    found["letter date"] = _same(one.letter_date, got.dated.value if got.dated else None)
    wanted = {str(drug["drug"]) for drug in one.drugs}
    found["drugs"] = _same(wanted, {drug.name for drug in got.drugs})
    strengths = {(str(d["drug"]), str(d.get("strength", ""))) for d in one.drugs}
    found["strengths"] = _same(strengths, {(drug.name, drug.strength) for drug in got.drugs})
    due = got.next_deadline
    read = (due.amount, due.unit, due.runs_from) if due else None
    found["deadline as stated"] = _same(one.deadline and one.deadline[:3], read)
    found["deadline as a day"] = _same(one.deadline and one.deadline[3], due.day if due else None)
    found["rights"] = _same(set(one.rights), {right.kind for right in got.rights})
    if one.questions:
        found["questions"] = _same(one.questions, len(got.questions))
    if one.criteria:
        found["criteria"] = (
            one.criteria,
            tuple(c.id for c in got.cited),
            set(one.criteria) <= {c.id for c in got.cited},
        )
    if one.reasons and one.kind != "pend":  # a pend asks in many places at once
        missed = [r.code for r in got.reasons if r.code in one.reasons and not _stands_in(one, r)]
        found["reasons quoted where they stand"] = ([], missed, not missed)
    return found


def _value(stated: Any) -> str:
    return stated.value if stated else ""


def _same(wanted: Any, found: Any, alike: Callable[[Any, Any], bool] | None = None) -> tuple[Any, Any, bool]:
    if wanted == found:
        return wanted, found, True
    return wanted, found, bool(wanted and found and alike and alike(wanted, found))


def _same_payer(wanted: str, found: str) -> bool:
    one, two = wanted.casefold(), found.casefold()
    return one in two or two in one


def _stands_in(one: Label, reason: StatedReason) -> bool:
    """The quote and the label's words share a place in the letter."""
    places = re.finditer(re.escape(one.reasons[reason.code]), one.text)
    return any(m.start() < reason.quote.end and reason.quote.start < m.end() for m in places)


def _f1(counts: Counter[str]) -> dict[str, float]:
    right, extra, missed = counts["right"], counts["extra"], counts["missed"]
    precision = right / (right + extra) if right + extra else 1.0
    recall = right / (right + missed) if right + missed else 1.0
    f1 = 2 * right / (2 * right + extra + missed) if right + extra + missed else 1.0
    return {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4)}
