"""`python -m evals.notes`: how well notes are read, on the labelled ones."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import yaml

from evals.notes.gold import FOLDER, SETS, load
from evals.notes.score import Reader, Score, rate, score
from tools.notes.reader import read_note

RESULTS = Path(__file__).parent.parent / "results"
AIMS = "precision at least 0.98, recall at least 0.85"
INTRO = """# Reading notes

`python -m evals.notes --write`. Labels are written by hand (evals/notes/README.md), all of them by one hand. Intervals
are Wilson's at 95 %. *Would mislead* counts facts that would show something of the patient that the note does not say:
the error that matters most, though every fact is shown to a person, with its sentence, before it counts.

The held-out notes were written before the reader was, and nobody looked at what it gets wrong in them. `dev` is what it
was tuned on; `dev2` to `dev4` were written blind, scored once, and only then tuned on. So the table *blind* says what
to expect of new notes; the lines of dev say little.
"""


def main() -> None:
    """Print, and with --write keep, the scores of the sets asked for."""
    parser = argparse.ArgumentParser(prog="python -m evals.notes", description=__doc__)
    parser.add_argument("--set", choices=(*SETS, "all"), default="all", help="which labelled notes")
    parser.add_argument("--model", default="", help="let this model add facts, through the gate")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--errors", action="store_true", help="print every fact that is wrong or missed")
    parser.add_argument("--write", action="store_true", help="keep it in evals/results (all sets, code)")
    given = parser.parse_args()
    wanted = SETS if given.set == "all" else (given.set,)
    read = with_model(given.model) if given.model else read_note
    scores = {name: score(load(name), read) for name in wanted}
    results: dict[str, Any] = {
        "aims": AIMS,
        "reader": given.model or "code",
        "sets": {name: one.summary() for name, one in scores.items()},
        "blind": blind(),
    }
    if given.write and given.set == "all" and not given.model:
        (RESULTS / "notes.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        (RESULTS / "notes.md").write_text(report(results), encoding="utf-8")
    print(json.dumps(results, indent=1) if given.json else report(results))
    if given.errors:
        print("\n".join(line for name, one in scores.items() for line in errors(name, one)))


def blind() -> dict[str, dict[str, Any]]:
    """What every blind set scored the first time, and all of them together."""
    raw = yaml.safe_load((FOLDER / "blind.yaml").read_text(encoding="utf-8"))
    counts = ("notes", "labels", "read", "right", "misleads")
    sets = {str(item["set"]): {name: int(item[name]) for name in counts} for item in raw}
    sets["together"] = {name: sum(one[name] for one in sets.values()) for name in counts}
    return {
        name: {
            **one,
            "precision": rate(one["right"], one["read"]),
            "recall": rate(one["right"], one["labels"]),
        }
        for name, one in sets.items()
    }


def with_model(name: str) -> Reader:
    """The reader with a model that adds to it."""
    from agent.models.factory import open_model
    from agent.note_model import read_with
    from agent.settings import read_settings
    from tools.errors import Unavailable

    model, why = open_model(name, read_settings())
    if model is None:
        raise Unavailable(why)
    return lambda note: read_with(note, model)[0]


def report(results: dict[str, Any]) -> str:
    """Markdown: the sets, the blind ones at their first scoring, then per kind and per trap."""
    lines = [
        INTRO,
        f"Aims: {results['aims']}. Read by {results['reader']}.",
        "",
        "## Blind: the first scoring of notes that nobody had seen",
        "",
        "| set | notes | facts | precision | recall | would mislead |",
        "|---|---|---|---|---|---|",
    ]
    for name, one in results["blind"].items():
        lines.append(
            f"| {name} | {one['notes']} | {one['labels']} | {shown(one['precision'])} | {shown(one['recall'])} | "
            f"{one['misleads']} |"
        )
    lines += [
        "",
        "## Now",
        "",
        "| set | notes | facts | traps | precision | recall | would mislead | days and effects |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, one in results["sets"].items():
        lines.append(
            f"| {name} | {one['notes']} | {one['labelled facts']} | {one['of them traps']} | "
            f"{shown(one['precision'])} | {shown(one['recall'])} | {one['would mislead']} | "
            f"{shown(one['days and effects right'])} |"
        )
    for name, one in results["sets"].items():
        lines += [
            "",
            f"## {name}, by kind",
            "",
            "| kind | labels | precision | recall |",
            "|---|---|---|---|",
        ]
        for kind, row in one["per kind"].items():
            lines.append(f"| {kind} | {row['labels']} | {shown(row['precision'])} | {shown(row['recall'])} |")
        lines += ["", f"## {name}, traps", "", "| trap | labels | read as what it is |", "|---|---|---|"]
        for trap, row in one["per trap"].items():
            lines.append(f"| {trap} | {row['labels']} | {shown(row['read as what it is'])} |")
    return "\n".join(lines) + "\n"


def shown(share: dict[str, Any]) -> str:
    """0.991 [0.968, 0.998]"""
    return f"{share['rate']:.3f} [{share['low']:.3f}, {share['high']:.3f}]" if share["of"] else "–"


def errors(name: str, one: Score) -> list[str]:
    """One line for each error."""
    told = [("extra, misleads" if item.misleads else "extra", item) for item in one.extra]
    told += [("missed", item) for item in one.missed] + [
        ("day or effect", item) for item in one.wrong_details
    ]
    return [f"{name} {item.note} {what}: {item.what} | {item.words!r}" for what, item in told]


if __name__ == "__main__":
    main()
