"""`python -m evals.make`: fresh items of every kind, with labels by construction.

    python -m evals.make --out evals/items                                   the usual ones, anew
    python -m evals.make --seed 77 --out out/evals/items-77                 fresh ones, as many of each suite as usual
    python -m evals.make --seed 77 --n 40 --kinds eligibility --out DIR      so many of these
    pa eval run --cases DIR --model NAME

Each item says why its answer is the answer. The truth of a case is fixed first and a patient made who realises it
(data_gen/cases.py); no engine is asked. The same seed makes the same items, on any machine.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from evals.making.book import write_book
from evals.making.makers import SEED, SIZES, make
from tools.common.errors import PaladinError


def main(arguments: Sequence[str] | None = None) -> int:
    """0: made; 2: bad input."""
    parser = argparse.ArgumentParser(
        prog="python -m evals.make", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--seed", type=int, default=SEED, help="the usual items' if it is left out")
    parser.add_argument(
        "--n", type=int, default=0, help="items of each suite; as many as usual if it is left out"
    )
    parser.add_argument(
        "--kinds", nargs="+", choices=SIZES, metavar="SUITE", default=[*SIZES], help="which suites"
    )
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    if given.n < 0:
        parser.error("--n is how many items there are to be")
    try:
        book = make(given.seed, {suite: given.n or SIZES[suite] for suite in given.kinds})
    except PaladinError as error:
        print(error, file=sys.stderr)
        return 2
    write_book(given.out, book)
    counts = Counter(item.suite for item in book.items)
    print(f"{len(book.items)} items about {len(book.charts)} people in {given.out}: {dict(counts)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
