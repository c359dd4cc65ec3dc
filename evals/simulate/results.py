"""python -m evals.simulate.results [--patients 200] [--seeds 1 2 3] [--mistakes 0 0.05]: years, kept."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import msgspec

from evals.simulate.figures import shown
from evals.simulate.records import Year
from evals.simulate.running import simulate

RESULTS = Path(__file__).parents[1] / "results"
_COLUMNS = (
    ("sent", "submitted"), ("at once", "first_pass"), ("ready, at once", "ready_first_pass"),
    ("but for mistakes", "ready_first_pass_without_mistakes"), ("on therapy", "people_on_therapy"),
    ("days", "days_to_therapy"), ("appeals", "appeals_filed"), ("won", "appeals_won"), ("lost", "appeals_lost"),
)  # fmt: skip


def main() -> None:
    """Play them, print, and write evals/results/simulate.{md,json}."""
    options = argparse.ArgumentParser(prog="python -m evals.simulate.results", description=__doc__)
    options.add_argument("--patients", type=int, default=200)
    options.add_argument("--months", type=int, default=12)
    options.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    options.add_argument("--mistakes", type=float, nargs="+", default=[0.0, 0.05])
    given = options.parse_args()
    years: list[tuple[Year, float]] = []
    for mistakes in given.mistakes:
        for seed in given.seeds:
            began = time.perf_counter()
            year = simulate(given.patients, given.months, seed, mistakes)
            years.append((year, time.perf_counter() - began))
    text = written([year for year, _ in years])
    text += f"\nA year took {min(s for _, s in years):.0f} to {max(s for _, s in years):.0f} s, other work beside it.\n"
    kept = [_kept(year) for year, _ in years]
    (RESULTS / "simulate.json").write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    (RESULTS / "simulate.md").write_text(text)
    print(text)


def written(years: list[Year]) -> str:
    """The years as tables, and each difference with its clause."""
    lines = [
        "# A clinic's year, simulated", "",
        f"`python -m evals.simulate.results`: {years[0].patients} patients, {years[0].months} months a year. The payer",
        "reads forms and papers alone and judges by its printed policy (evals/payer); *mistakes* is the share of",
        "requests with one of its own. Each second line is the clinic that sends everything at once",
        "and never appeals.", "",
        "| seed | mistakes | "
        + " | ".join(name for name, _ in _COLUMNS)
        + " | deadlines missed | letters read | misread |",
        "|---" * (len(_COLUMNS) + 5) + "|",
    ]  # fmt: skip
    for year in years:
        found = year.figures
        ours = [shown(key, found["paladin"][key]) for _, key in _COLUMNS]
        theirs = [shown(key, found["baseline"][key]) for _, key in _COLUMNS]
        tail = [str(found[key]) for key in ("deadlines_missed", "letters_read", "letters_misread")]
        lines.append(f"| {year.seed} | {year.mistakes:g} | {' | '.join([*ours, *tail])} |")
        lines.append(f"| | | {' | '.join(theirs)} | | | |")

    def total(what: str) -> int:
        return sum(year.figures["renewals"][what] for year in years)

    lines += [
        "",
        f"Renewals over all of them: {total('due')} due, {total('submitted')} submitted,"
        f" {total('approved_at_once')} approved at once, {total('not_renewed')} not renewed.",
        "", "## Called ready, and not approved at once", "",
    ]  # fmt: skip
    lines += [
        f"- seed {year.seed}, mistakes {year.mistakes:g}: {one.patient_id}, {one.drug}, {one.plan_id}: {one.answer}"
        f" ({'the payer: ' + one.mistake if one.mistake else 'to be explained'}). {' / '.join(one.clauses)}"
        for year in years
        for one in year.differences
    ] or ["None."]
    lines += ["", "## Letters read otherwise than printed", ""]
    lines += [
        f"- seed {year.seed}, mistakes {year.mistakes:g}: {one.plan_id}, {one.what}:"
        f" printed {one.printed}, read {one.read}"
        for year in years
        for one in year.misread
    ] or ["None."]
    return "\n".join(lines) + "\n"


def _kept(year: Year) -> dict[str, Any]:
    """Without the single orders: those are made again by the same seed."""
    whole: dict[str, Any] = msgspec.to_builtins(year)
    return {name: value for name, value in whole.items() if name not in ("matters", "baseline")}


if __name__ == "__main__":
    main()
