"""Proves in the large what tests show of samples; exit code 1 if something does not hold.

python -m evals.proofs                                   what there is to prove
python -m evals.proofs tamperings count=600 --write      … and the figures kept in evals/results
python -m evals.proofs kills cases=25 kills=312 each=25 --write --to kills_faults
"""

from __future__ import annotations

from pathlib import Path

from evals.pages import command, described

PAGES, MEASURES = described(Path(__file__).parent)
app = command("python -m evals.proofs", PAGES, MEASURES, __doc__)

if __name__ == "__main__":
    app()
