"""The reader of payers' letters on letters by other hands: `python -m evals.first_sight.letters [--write]`.

`evals/examples/letters` holds whole letters with labels, by authors who saw no code. Kinds that the reader does not
know (withdrawn, duplicate, wrong member …) are right if it calls them unclear. `--write` keeps the score in
`evals/results/letters.json`; it is of first sight as long as nothing was learned from these letters.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.denials.reader import read_letter

EXAMPLES = Path(__file__).parents[1] / "examples" / "letters"
RESULTS = Path(__file__).parents[1] / "results" / "letters.json"
KINDS = {
    "denial": "denial", "partial": "partial_approval", "approval": "approval", "pend": "pend",
    "upheld": "appeal_upheld", "overturned": "appeal_overturned",
}  # fmt: skip
UNKNOWN = "unclear"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="keep the score in evals/results/letters.json")
    found = score(list(letters()))
    print(json.dumps(found, indent=2))
    if parser.parse_args().write:
        RESULTS.write_text(json.dumps(found, indent=2) + "\n")


def letters() -> Iterator[dict[str, Any]]:
    """Every labelled letter, by file and line."""
    for path in sorted(EXAMPLES.glob("*.jsonl")):
        yield from map(json.loads, path.read_text().splitlines())


def score(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Kinds that are right, denials that are none, and reasons by precision, recall and F1."""
    counts: Counter[str] = Counter()
    for row in rows:
        read = read_letter(row["text"])
        told, wanted = {one.code for one in read.reasons}, {one["code"] for one in row["reasons"]}
        counts["kind right"] += read.kind == KINDS.get(row["kind"], UNKNOWN)
        refused = ("denial", "partial", "upheld")
        counts["called denials, and none"] += read.kind == "denial" and row["kind"] not in refused
        counts["both"] += len(told & wanted)
        counts["told"] += len(told)
        counts["wanted"] += len(wanted)
    precision, recall = counts["both"] / counts["told"], counts["both"] / counts["wanted"]
    return {
        "letters": len(rows),
        "kind right": counts["kind right"],
        "called denials, and none": counts["called denials, and none"],
        "reasons, precision": round(precision, 3),
        "reasons, recall": round(recall, 3),
        "reasons, F1": round(2 * precision * recall / (precision + recall), 3),
    }


if __name__ == "__main__":
    main()
