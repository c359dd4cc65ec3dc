"""The reader of payers' letters on letters by other hands.

    python -m evals.first_sight.letters                              # every set of evals/examples/letters, by set
    python -m evals.first_sight.letters FILE                         # … or one that is not there yet
    python -m evals.first_sight.letters FILE --keep --voice pharmacist   # … and keep this as its first sight

A set is scored once before anybody has read it or anything was learned from it; `--keep` writes that as a row of
`evals/results/first_sight.jsonl` and is refused a second time. Scores of sets that are in `evals/examples/letters` are
of letters from which the reader has learned; `python -m evals.train letters` tells how it reads authors held out.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from evals.first_sight.rows import ROWS, LetterRow, append, commit, rows
from evals.pages import described
from tools.denials.reader import read_letter
from tools.denials.records import Denial
from tools.terminology.matcher import medicines_in

EXAMPLES = Path(__file__).parents[1] / "examples" / "letters"
KINDS = {"partial": "partial_approval", "upheld": "appeal_upheld", "overturned": "appeal_overturned"}
UNKNOWN = "unclear"
REFUSALS = frozenset(["denial", "partial_approval", "appeal_upheld"])
DATES = frozenset(["notice", "receipt", "reply_by", "appeal_by", "p2p_by", "effective", "expires"])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = described(argparse.ArgumentParser(prog="python -m evals.first_sight.letters"), __doc__)
    parser.add_argument("files", nargs="*", type=Path, default=sorted(EXAMPLES.glob("l*.jsonl")))
    parser.add_argument("--keep", action="store_true", help="keep this score as the set's first sight")
    parser.add_argument("--voice", default="", help="who the author was")
    parser.add_argument("--misses", action="store_true", help="print what was read otherwise")
    given = parser.parse_args(arguments)
    if given.keep and (seen := {row.set for row in rows()} & {file.stem for file in given.files}):
        print(f"{seen} was seen: its first sight is in {ROWS.name} and is kept once", file=sys.stderr)
        return 2
    for file in given.files:
        letters = [json.loads(line) for line in file.read_text().splitlines()]
        row = score(letters, file.stem, given.voice, miss=print if given.misses else lambda _: None)
        print(msgspec.json.encode(row).decode())
        if given.keep:
            append(row)
    return 0


def score(
    letters: Sequence[dict[str, Any]],
    name: str,
    voice: str,
    read: Callable[[str], Denial] = read_letter,
    miss: Callable[[str], None] = lambda _: None,
) -> LetterRow:
    """The counts of a set: kinds, reasons, dates, drugs decided on, and orders that were reported."""
    counts: Counter[str] = Counter()
    for letter in letters:
        found = read(letter["text"])
        kind = KINDS.get(letter["kind"], letter["kind"])
        counts["right"] += found.kind == kind
        counts["abstained"] += found.kind == UNKNOWN != kind
        counts["false"] += found.kind in REFUSALS and kind not in REFUSALS
        if found.kind != kind:
            miss(f"{letter['id']}: {letter['kind']} read as {found.kind}")
        parts: dict[str, tuple[set[Any], set[Any]]] = {
            "reason": (set(found.codes), {one["code"] for one in letter["reasons"]}),
            "date": (dates_read(found), _dates(letter)),
            "drug": (_medicines(one.name for one in found.drugs), _medicines(letter["decided"])),
        }
        for part, (told, wanted) in parts.items():
            counts[f"{part} right"] += len(told & wanted)
            counts[f"{part} told"] += len(told)
            counts[f"{part} wanted"] += len(wanted)
            if told != wanted:
                miss(f"{letter['id']}: {part} extra {sorted(told - wanted)}, missed {sorted(wanted - told)}")
        orders = any(one["role"] == "order" for one in letter["sentences"])
        counts["orders"] += orders
        counts["orders reported"] += orders and bool(found.orders)
    return LetterRow(
        set=name, voice=voice, n=len(letters), date=date.today().isoformat(), commit=commit(),
        right=counts["right"], abstained=counts["abstained"], false_denials=counts["false"],
        reasons=(counts["reason right"], counts["reason told"], counts["reason wanted"]),
        dates=(counts["date right"], counts["date told"], counts["date wanted"]),
        drugs=(counts["drug right"], counts["drug told"], counts["drug wanted"]),
        orders=(counts["orders reported"], counts["orders"]),
    )  # fmt: skip


def _medicines(names: Iterable[str]) -> set[str]:
    """Each by the terminology's name for it: a key may be written as the letter prints it ("ZEPBOUND 7.5MG/0.5ML")."""
    return {spans[0].key if (spans := medicines_in(name)) else name.casefold() for name in names}


def _dates(letter: dict[str, Any]) -> set[tuple[str, str]]:
    return {(one["what"], one["date"]) for one in letter["dates"] if one["what"] in DATES}


def dates_read(read: Denial) -> set[tuple[str, str]]:
    """Each day that a letter's record gives, by what it is."""
    days: list[tuple[str, date | None]] = [(one.what, one.value) for one in read.days if one.what in DATES]
    days.append(("reply_by", read.reply_by.day if read.reply_by else None))
    for right in read.rights:
        if right.kind != "expedited" and right.deadline:
            days.append(("p2p_by" if right.kind == "peer_to_peer" else "appeal_by", right.deadline.day))
    return {(what, day.isoformat()) for what, day in days if day}


if __name__ == "__main__":
    sys.exit(main())
