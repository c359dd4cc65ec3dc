"""A clinic's year, simulated. The payer reads forms and papers alone and judges by its printed policy (evals/payer);
*mistakes* is the share of requests with one of its own. Each second line is the clinic that sends everything at once
and never appeals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from evals.pages import Figures
from evals.simulate.figures import shown
from evals.simulate.records import Difference, Year
from evals.simulate.running import simulate

COLUMNS = {
    "sent": "submitted", "at once": "first_pass", "ready, at once": "ready_first_pass",
    "but for mistakes": "ready_first_pass_without_mistakes", "on therapy": "people_on_therapy",
    "days": "days_to_therapy", "appeals": "appeals_filed", "won": "appeals_won", "lost": "appeals_lost",
}  # fmt: skip
OF_BOTH = {
    "deadlines missed": "deadlines_missed",
    "letters read": "letters_read",
    "misread": "letters_misread",
}


def main(
    patients: int = 200,
    months: int = 12,
    seeds: Sequence[int] = (1, 2, 3),
    mistakes: Sequence[float] = (0.0, 0.05),
) -> Figures:
    """Years by seed and rate, each beside the clinic that sends everything; what was called ready and not approved, and
    what was read otherwise than printed. Wrong is what no mistake of the payer explains, and a missed deadline."""
    years = [simulate(patients, months, seed, rate) for rate in mistakes for seed in seeds]
    differences = [(year, one) for year in years for one in year.differences]
    wrong = {
        "ready and not approved, for no mistake of the payer": sum(not one.mistake for _, one in differences),
        "deadlines missed": sum(len(year.missed) for year in years),
    }
    return {
        "patients": patients,
        "months": months,
        "renewals": dict(sum((Counter(year.figures["renewals"]) for year in years), Counter[str]())),
        "wrong": {what: times for what, times in wrong.items() if times},
        "years": [row for year in years for row in _rows(year)],
        "called ready, and not approved at once": [_told(year, one) for year, one in differences],
        "read otherwise than printed": [
            f"{_which(year)}: {one.plan_id}, {one.what}: printed {one.printed}, read {one.read}"
            for year in years
            for one in year.misread
        ],
    }


def _rows(year: Year) -> Iterator[Figures]:
    head = {"seed": year.seed, "mistakes": year.mistakes}
    both = {name: year.figures[key] for name, key in OF_BOTH.items()}
    for clinic, side, more in (("Paladin", "paladin", both), ("sends everything", "baseline", {})):
        figures = {name: shown(key, year.figures[side][key]) for name, key in COLUMNS.items()}
        yield {**head, "clinic": clinic, **figures, **more}


def _told(year: Year, one: Difference) -> str:
    why = f"the payer: {one.mistake}" if one.mistake else "to be explained"
    what = f"{one.patient_id}, {one.drug}, {one.plan_id}: {one.answer} ({why})"
    return f"{_which(year)}: {what}. {' / '.join(one.clauses)}".rstrip()


def _which(year: Year) -> str:
    return f"seed {year.seed}, mistakes {year.mistakes:g}"
