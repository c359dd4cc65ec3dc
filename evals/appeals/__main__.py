"""python -m evals.appeals [--letters 1300] [--read 250] [--seed 7] [--model NAME]: strategy and letters,
measured."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

from evals.appeals.labelled import judge, labelled
from evals.appeals.letters import Measured, measure
from evals.appeals.wording import Worded, word
from evals.oracle_cases import world

RESULTS = Path(__file__).parents[1] / "results"


def main() -> None:
    """Measure, print, and write evals/results/appeals.{md,json}."""
    options = argparse.ArgumentParser(prog="python -m evals.appeals", description=__doc__)
    options.add_argument(
        "--letters", type=int, default=1300, help="letters that come in, with their reasons known"
    )
    options.add_argument(
        "--read", type=int, default=250, help="letters that go through the reader; 0 likewise"
    )
    options.add_argument("--seed", type=int, default=7)
    options.add_argument("--model", default="", help="let this model word a few letters as well")
    options.add_argument("--worded", type=int, default=3, help="how many")
    given = options.parse_args()
    panel = world(given.seed, 1100)
    found: dict[str, Any] = {**_earlier(), "strategy": strategies()}
    if given.letters:
        found |= {"seed": given.seed, "letters": _plain(measure(given.seed, given.letters, panel))}
    if given.read:
        found["letters through the reader"] = _plain(measure(given.seed + 1, given.read, panel, read=True))
    if given.model:
        found["worded by a model"] = word(given.model, given.seed, given.worded, panel)._asdict()
    text = report(found)
    print(text)
    (RESULTS / "appeals.json").write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    (RESULTS / "appeals.md").write_text(text)


def strategies() -> dict[str, Any]:
    """The labelled letters: how many are right in standings, steps and whether a letter is drafted."""
    judged = [judge(one) for one in labelled()]
    wrong = [f"{one.labelled.name}: {'; '.join(one.differences)}" for one in judged if one.differences]
    steps = Counter(step.split(":")[0] for one in judged for step in one.labelled.steps)
    return {
        "cases": len(judged),
        "exact": len(judged) - len(wrong),
        "drafted where none should be": sum(
            not one.found.refusal and not one.labelled.draft for one in judged
        ),
        "no draft is right": sum(not one.labelled.draft for one in judged),
        "steps": dict(steps.most_common()),
        "wrong": wrong,
    }


def _plain(found: Measured) -> dict[str, Any]:
    return {**found._asdict(), "examples": list(found.examples[:20])}


def _earlier() -> dict[str, Any]:
    file = RESULTS / "appeals.json"
    return dict(msgspec.json.decode(file.read_bytes())) if file.exists() else {}


def report(found: dict[str, Any]) -> str:
    """As Markdown."""
    exact, own, read = found["strategy"], found["letters"], found["letters through the reader"]
    lines = [
        "# Appeals",
        "",
        f"`python -m evals.appeals`, seed {found['seed']}. README.md beside the cases says what is measured.",
        "",
        "| what | goal | here |",
        "|---|---|---|",
        f"| strategy exact: standings, steps, drafted or not | all of ≥ 100 | {exact['exact']} of {exact['cases']} |",
        "| … appeals drafted where none should be | 0 |"
        f" {exact['drafted where none should be']} of {exact['no draft is right']} |",
        f"| letters drafted, of {own['letters']} that came in | ≥ 200 | {own['drafted']} |",
        f"| … unsupported facts in them | 0 | {own['unsupported']} |",
        f"| … answers to a reason that was not given | 0 | {own['not_given']} |",
        f"| … drafted though the oracle finds no case for it | 0 | {own['wrongly']} |",
        f"| letters drafted after the reader read them, of {read['letters']} | | {read['drafted']} |",
        f"| … unsupported facts in them | 0 | {read['unsupported']} |",
        f"| … answers to a reason that was not given | 0 | {read['not_given']} |",
        f"| … drafted though the oracle finds no case for it | 0 | {read['wrongly']} |",
    ]
    worded = found.get("worded by a model")
    if worded:
        lines += [
            f"| letters worded by {worded['model']} | | {worded['letters']} |",
            f"| … model calls, most in one letter | ≤ 2 | {worded['most_calls']} |",
            f"| … unsupported facts in them | 0 | {worded['unsupported']} |",
        ]
    lines += [
        "",
        "Steps of the labelled letters: " + ", ".join(f"{k} {v}" for k, v in exact["steps"].items()) + ".",
    ]
    lines += [
        "",
        "Levels of the drafted letters: "
        + ", ".join(f"{k} {v}" for k, v in sorted(own["levels"].items()))
        + ".",
    ]
    lines += [
        "",
        "Reasons that they answer: " + ", ".join(f"{k} {v}" for k, v in sorted(own["codes"].items())) + ".",
    ]
    wrong = [*exact["wrong"], *own["examples"], *(f"through the reader: {one}" for one in read["examples"])]
    if wrong:
        lines += ["", "What is wrong:", "", *(f"- {one}" for one in wrong)]
    return "\n".join(lines) + "\n"


__all__ = ["Worded", "main", "report", "strategies"]

if __name__ == "__main__":
    main()
