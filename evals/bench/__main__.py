"""Measures what the README promises: every module of evals/bench has a `main` that gives its figures.

python -m evals.bench                                 what `make bench` has time for
python -m evals.bench cli lookup --write              these, in the place of the figures in evals/results/bench.*
python -m evals.bench screen count=1000000 --write    a size of one's own; what is large has a page of its own
"""

from __future__ import annotations

from evals.pages import Measure, Page, command

NAMES = (
    "api", "batch", "cli", "determine", "draft", "generate", "graph", "growth", "lookup", "screen",
    "search", "workspace",
)  # fmt: skip
PAGES = {
    "bench": Page("Benchmarks", "One benchmark again: `make bench ARGS='cli --write'`."),
    "batch": Page("Batches", "Goal: 40 cases a second with papers, by the clock."),
    "screen": Page("Screening a panel", "Processor time a patient is what the screen itself needs."),
    "graph": Page(
        "Relationship questions", "Both engines gave the same rows. Goals: 50 ms, and 5 s over the panel."
    ),
    "growth": Page("Growth", "Each row says where it was measured."),
}
MEASURES = {name: Measure(f"evals.bench.{name}", name if name in PAGES else "bench") for name in NAMES}

app = command("python -m evals.bench", PAGES, MEASURES, __doc__, usual=NAMES)

if __name__ == "__main__":
    app()
