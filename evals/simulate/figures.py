"""What a year comes to, for all payers together and for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

from evals.simulate.records import Matter, Year


def figures(year: Year) -> dict[str, Any]:
    """Paladin and the baseline side by side; by payer under its plan's id."""
    sides = {"paladin": year.matters, "baseline": year.baseline}
    plans = sorted({matter.plan_id for matters in sides.values() for matter in matters if matter.plan_id})
    return {
        **{side: _side(matters) for side, matters in sides.items()},
        "renewals": _renewals(year.renewals),
        "deadlines_missed": len(year.missed),
        "letters_read": year.letters,
        "letters_misread": len({(one.matter, one.printed) for one in year.misread}),
        "payer_late": year.late,
        "events": year.events,
        "by_plan": {
            plan: {side: _side([m for m in matters if m.plan_id == plan]) for side, matters in sides.items()}
            for plan in plans
        },
    }


def _side(matters: Sequence[Matter]) -> dict[str, Any]:
    sent = [m for m in matters if m.submitted and m.first]
    ready = [m for m in sent if m.called_ready]
    days = waits(matters)
    return {
        "orders": sum(not m.instead_of for m in matters),
        "people_on_therapy": len({m.patient_id for m in matters if m.started}),
        "submitted": len(sent),
        "approved_at_once": sum(m.first == "approval" for m in sent),
        "first_pass": _at_once(sent),
        "called_ready": len(ready),
        "ready_first_pass": _at_once(ready),
        "ready_first_pass_without_mistakes": _at_once([m for m in ready if not m.mistake]),
        "payer_mistakes": sum(bool(m.mistake) for m in matters),
        "days_to_therapy": median(days) if days else None,
        "appeals_filed": sum(len(m.appeals) for m in matters),
        "appeals_won": sum(m.won for m in matters),
        "appeals_lost": sum(m.lost for m in matters),
        "calls": sum(m.calls for m in matters),
    }


def _at_once(sent: Sequence[Matter]) -> float | None:
    """The share of these that the payer approved with its first answer."""
    return round(sum(m.first == "approval" for m in sent) / len(sent), 4) if sent else None


def waits(matters: Sequence[Matter]) -> list[int]:
    """Days from the first order to therapy; a change of drug does not begin the wait anew."""
    by_number = {matter.number: matter for matter in matters}
    return [(m.started - by_number.get(m.instead_of, m).ordered).days for m in matters if m.started]


def _renewals(renewals: list[Matter]) -> dict[str, Any]:
    sent = [m for m in renewals if m.first]
    return {
        "due": len(renewals),
        "submitted": len(sent),
        "approved_at_once": sum(m.first == "approval" for m in sent),
        "not_renewed": sum(bool(m.end) for m in renewals),
    }


ROWS = (
    ("orders", "orders"),
    ("requests sent", "submitted"),
    ("approved at once", "first_pass"),
    ("called ready, approved at once", "ready_first_pass"),
    ("the same, but for the payer's mistakes", "ready_first_pass_without_mistakes"),
    ("people on therapy", "people_on_therapy"),
    ("days from order to therapy, median", "days_to_therapy"),
    ("appeals filed", "appeals_filed"),
    ("appeals won", "appeals_won"),
    ("appeals lost", "appeals_lost"),
    ("calls", "calls"),
)


def rows(found: dict[str, Any]) -> list[list[str]]:
    """What a figure is, and what it is for Paladin and for the baseline."""
    sides = found["paladin"], found["baseline"]
    return [[label, *(shown(key, side[key]) for side in sides)] for label, key in ROWS]


def plan_rows(found: dict[str, Any], won_of: str) -> Iterator[list[str]]:
    """The plan's id, Paladin's figures and the baseline's; `won_of` stands between appeals won and filed."""
    for plan, sides in found["by_plan"].items():
        ours, theirs = ({key: shown(key, side[key]) for _, key in ROWS} for side in sides.values())
        appeals = f"{ours['appeals_won']}{won_of}{ours['appeals_filed']}"
        yield [
            plan, ours["submitted"], ours["first_pass"], ours["ready_first_pass"], ours["days_to_therapy"], appeals,
            theirs["submitted"], theirs["first_pass"], theirs["days_to_therapy"],
        ]  # fmt: skip


def shown(key: str, value: Any) -> str:
    """A figure in words: shares in per cent, "-" for what there is none of."""
    if value is None:
        return "-"
    return f"{value:.1%}" if "first_pass" in key else f"{value:g}"
