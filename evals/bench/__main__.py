"""Measures what the README promises: every module of evals/bench has a `main` that gives its figures.

python -m evals.bench                                 what `make bench` has time for
python -m evals.bench cli lookup --write              these, in the place of the figures in evals/results/bench.*
python -m evals.bench screen count=1000000 --write    a size of one's own; what is large has a page of its own
"""

from __future__ import annotations

from pathlib import Path

from evals.pages import command, described

PAGES, MEASURES = described(Path(__file__).parent)
app = command("python -m evals.bench", PAGES, MEASURES, __doc__, usual=(*MEASURES,))

if __name__ == "__main__":
    app()
