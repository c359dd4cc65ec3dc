"""What is asked of the engine, with bugs and without: the questions and their answers, made once and kept in a file.

Nothing of the engine may be imported before a bug is planted, so that this module is imported after it.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from evals.agreement.comparing import compare, engine, oracle
from evals.agreement.drawn import Case, cases, world
from evals.first_sight.cases import decide_file
from evals.worlds import Json, World
from tools.charts.casefile import Known, decide_case, read_case
from tools.engine.documents import walk

EVALS = Path(__file__).parents[2]
NUMBERS = frozenset({"value", "trial", "statement", "change"})
Finds = dict[str, int]  # by suite: how many answers of the engine are wrong


class Questions(NamedTuple):
    """What the engine as it stands answers as it should: cases with the oracle's outcome, use and statuses; cases of
    planted charts with their labels; files by hand, and by authors who saw no code."""

    given: World  # without its people
    oracle: list[tuple[Case, tuple[str, str, dict[str, str]]]]
    labels: list[tuple[Case, Json]]
    by_hand: list[Path]
    other_hands: list[Path]


def prepare(path: Path, seed: int, count: int, labelled: int, patients: int = 1400) -> dict[str, int]:
    """Write the questions that the engine as it stands answers as the oracle and the labels do. How many of each."""
    given = world(seed, patients)
    # a third more at the edges of numbers, where a bug is smallest
    drawn = (*cases(seed, count, given), *cases(seed, count // 3, given, NUMBERS))
    alike = [case for case in drawn if not compare(case, given).differences]
    said = [(case, oracle(case, given)) for case in alike]
    labels = [label for label in given.labels if label["kind"] != "former_plan"][:labelled]
    planted = [(_planted(label, given), label) for label in labels]
    hand_made = [file for file in EVALS.joinpath("cases").glob("*.yaml") if file.stem != "policies"]
    by_others, known = sorted(EVALS.joinpath("first_sight").glob("*/*.yaml")), _known(given)
    asked = Questions(
        given.showing({}),
        [(case, (one.outcome, one.use, one.statuses)) for case, one in said],
        [pair for pair in planted if not _label_wrong(given, [pair])],
        sorted(hand_made),
        [file for file in by_others if not _seen_wrong(known, [file])],
    )
    path.write_bytes(pickle.dumps(asked))
    sizes = (len(asked.oracle), len(asked.labels), len(asked.by_hand), len(asked.other_hands))
    return dict(zip(_suites(asked), sizes, strict=True))


def run(path: Path, first: bool = False) -> Finds:
    """Ask everything again; a suite counts the answers that are wrong, -1 if the engine broke down.
    With `first`, the suites after the one that notices are left out."""
    found: Finds = {}
    for name, ask in _suites(pickle.loads(path.read_bytes())).items():
        try:
            found[name] = ask()
        except Exception:
            found[name] = -1
        if first and found[name]:
            break
    return found


def _suites(asked: Questions) -> dict[str, Callable[[], int]]:
    known = _known(asked.given)
    return {
        "oracle": lambda: _oracle_wrong(asked),
        "labels": lambda: _label_wrong(asked.given, asked.labels),
        "by hand": lambda: sum(
            bool(decide_case(read_case(file, known), known.drugs).differences) for file in asked.by_hand
        ),
        "other hands": lambda: _seen_wrong(known, asked.other_hands),
    }


def _planted(label: Json, given: World) -> Case:
    request = {"drug": label["drug"], "indication": label.get("indication", "")}
    chart = given.patients[label["patient_id"]]
    return Case(label["patient_id"], chart, label["plan_id"], label["drug"], request, given.as_of)


def _oracle_wrong(asked: Questions) -> int:
    wrong = 0
    for case, (outcome, use, statuses) in asked.oracle:
        found = engine(case, asked.given)
        same = found.outcome == outcome
        if same and statuses and found.indication == use:
            same = {f.clause.clause_id: f.status for f in walk(found.findings) if f.clause} == statuses
        wrong += not same
    return wrong


def _label_wrong(given: World, labels: Iterable[tuple[Case, Json]]) -> int:
    wrong = 0
    for case, label in labels:
        found = engine(case, given)
        seen = {f.criterion: f.status for f in walk(found.findings)}
        truth = label.get("truth", {}).items() if found.findings else ()
        wrong += found.outcome != label["outcome"] or any(seen.get(c, s) != s for c, s in truth)
    return wrong


def _seen_wrong(known: Known, files: Iterable[Path]) -> int:
    """The cases of authors who saw no code; once seen, they are as good as any for noticing a bug."""
    return sum(one.found != one.expected for one in (decide_file(file, known) for file in files))


def _known(given: World) -> Known:
    return Known(given.plan, tuple(given.drug(name) for name in given.drugs))
