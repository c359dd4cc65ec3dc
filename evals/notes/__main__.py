"""`python -m evals.notes`: how well notes are read, on the labelled ones."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from evals.notes.gold import SETS, load
from evals.notes.score import Reader, Score, score
from tools.notes.reader import read_note

RESULTS = Path(__file__).parent.parent / "results"
AIMS = "precision at least 0.98, recall at least 0.85"
_INTRO = """# Reading notes

`python -m evals.notes --write`. Labels are written by hand (evals/notes/README.md). The held-out notes were written
before the reader and scored after it was tuned on `dev`; see below for what was done after their first scoring.
Intervals are Wilson's at 95 %. *Would mislead* counts facts that would show something of the patient that the note does
not say: the error that matters, since everything read is shown to a person to confirm.
"""


def main() -> None:
    """Print, and with --write keep, the scores of the sets asked for."""
    parser = argparse.ArgumentParser(prog="python -m evals.notes", description=__doc__)
    parser.add_argument("--set", choices=(*SETS, "all"), default="all", help="which labelled notes")
    parser.add_argument("--model", default="", help="let this model add facts, through the gate")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--errors", action="store_true", help="print every fact that is wrong or missed")
    parser.add_argument("--write", action="store_true", help="keep it in evals/results")
    given = parser.parse_args()
    wanted = SETS if given.set == "all" else (given.set,)
    scores = {name: score(load(name), _reader(given.model)) for name in wanted}
    results = {"aims": AIMS, "reader": given.model or "code", "sets": {name: one.summary() for name, one in scores.items()}}
    if given.write and given.set == "all" and not given.model:
        history = RESULTS / "notes.json"
        kept = json.loads(history.read_text(encoding="utf-8")).get("first scoring", {}) if history.exists() else {}
        results["first scoring"] = kept or results["sets"]["heldout"]
        history.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        (RESULTS / "notes.md").write_text(report(results), encoding="utf-8")
    print(json.dumps(results, indent=1) if given.json else report(results))
    if given.errors:
        for name, one in scores.items():
            print("\n".join(errors(name, one)))


def _reader(model: str) -> Reader:
    if not model:
        return read_note
    from agent.models.factory import open_model
    from agent.note_model import read_with

    opened = open_model(model)
    return lambda note: read_with(note, opened)[0]


def report(results: dict[str, Any]) -> str:
    """Markdown: the sets, then per kind and per trap."""
    lines = [_INTRO, f"Aims: {results['aims']}. Read by {results['reader']}.", ""]
    lines += ["| set | notes | facts | traps | precision | recall | would mislead | days, effects |", "|---|---|---|---|---|---|---|---|"]
    for name, one in results["sets"].items():
        lines.append(
            f"| {name} | {one['notes']} | {one['labelled facts']} | {one['of them traps']} | {shown(one['precision'])} | "
            f"{shown(one['recall'])} | {one['would mislead']} | {shown(one['days and effects right'])} |"
        )
    if first := results.get("first scoring"):
        lines += ["", f"The held-out notes at their first scoring: precision {shown(first['precision'])}, recall {shown(first['recall'])}, "
                  f"would mislead {first['would mislead']}."]  # fmt: skip
    for name, one in results["sets"].items():
        lines += ["", f"## {name}, by kind", "", "| kind | labels | precision | recall |", "|---|---|---|---|"]
        lines += [
            f"| {kind} | {row['labels']} | {shown(row['precision'])} | {shown(row['recall'])} |"
            for kind, row in one["per kind"].items()
        ]
        lines += ["", f"## {name}, traps", "", "| trap | labels | read as what it is |", "|---|---|---|"]
        lines += [f"| {trap} | {row['labels']} | {shown(row['read as what it is'])} |" for trap, row in one["per trap"].items()]
    return "\n".join(lines) + "\n"


def shown(rate: dict[str, Any]) -> str:
    """0.991 [0.968, 0.998]"""
    return f"{rate['rate']:.3f} [{rate['low']:.3f}, {rate['high']:.3f}]" if rate["of"] else "–"


def errors(name: str, one: Score) -> list[str]:
    """One line for each error."""
    return [
        *(f"{name} extra {'MISLEADS ' * item.misleads}{item.note}: {item.what} | {item.words!r}" for item in one.extra),
        *(f"{name} missed {item.note}: {item.what} | {item.words!r}" for item in one.missed),
        *(f"{name} detail {item.note}: {item.what} | {item.words!r}" for item in one.wrong_details),
    ]


if __name__ == "__main__":
    main()
