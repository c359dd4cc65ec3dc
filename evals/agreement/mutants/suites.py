"""What is asked of the engine, with bugs and without: the questions and their answers, made once, as plain data."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

SUITES = ("oracle", "labels", "by hand", "other hands")
_NUMBERS = frozenset({"value", "trial", "statement", "change"})
Finds = dict[str, int]  # by suite: how many answers of the engine are wrong


def prepare(path: Path, seed: int, count: int, labelled: int, patients: int = 1400) -> dict[str, int]:
    """Write the questions that the engine as it stands answers as the oracle and the labels do. How many of each."""
    from evals.agreement.comparing import compare, oracle
    from evals.agreement.drawn import cases, world

    given = world(seed, patients)
    asked: list[Any] = []
    # a third more at the edges of numbers, where a bug is smallest
    for case in (*cases(seed, count, given), *cases(seed, count // 3, given, _NUMBERS)):
        if not compare(case, given).differences:
            said = oracle(case, given)
            wanted = (said.outcome, said.use, said.statuses)
            asked.append((case.patient, case.plan_id, case.drug, case.request, wanted))
    labels = [label for label in given.labels if label["kind"] != "former_plan"][:labelled]
    told = [(given.patients[label["patient_id"]], label) for label in labels]
    data: dict[str, Any] = {"as_of": given.as_of, "plans": given.plans, "drugs": given.drugs, "oracle": asked}
    data["labels"] = [pair for pair in told if _label_wrong(data, [pair]) == 0]
    data["seen"] = [file for file in _by_others() if not _seen_wrong(data, [file])]
    data.pop("read", None)
    path.write_bytes(pickle.dumps(data))
    sizes = (len(asked), len(data["labels"]), len(_hand_made()), len(data["seen"]))
    return dict(zip(SUITES, sizes, strict=True))


def run(path: Path, first: bool = False) -> Finds:
    """Ask everything again; a suite counts the answers that are wrong, -1 if the engine broke down.
    With `first`, the suites after the one that notices are left out."""
    data = pickle.loads(path.read_bytes())
    found: Finds = {}
    suites: dict[str, Callable[[], int]] = {
        "oracle": lambda: _oracle_wrong(data),
        "labels": lambda: _label_wrong(data, data["labels"]),
        "by hand": lambda: _hand_wrong(data),
        "other hands": lambda: _seen_wrong(data, data["seen"]),
    }
    for name, ask in suites.items():
        try:
            found[name] = ask()
        except Exception:
            found[name] = -1
        if first and found[name]:
            break
    return found


def _decide(data: Any, patient: Any, plan: str, drug: str, request: Any) -> Any:
    import msgspec

    from tools.domain.records import Drug, Patient, Plan, Request
    from tools.engine.determine import determine
    from tools.engine.request import complete_request

    kept = data.setdefault("read", {})
    for name, kind, key in ((plan, Plan, "plans"), (drug, Drug, "drugs")):
        if name not in kept:
            kept[name] = msgspec.convert(data[key][name], kind)
    chart = msgspec.convert(patient, Patient)
    asked = complete_request(chart, kept[drug], msgspec.convert(request, Request))
    return determine(chart, kept[plan], asked, data["as_of"])


def _oracle_wrong(data: Any) -> int:
    from tools.engine.documents import walk

    wrong = 0
    for patient, plan, drug, request, (outcome, use, statuses) in data["oracle"]:
        found = _decide(data, patient, plan, drug, request)
        same = found.outcome == outcome
        if same and statuses and found.indication == use:
            seen = {f.clause.clause_id: f.status for f in walk(found.findings) if f.clause}
            same = seen == statuses
        wrong += not same
    return wrong


def _label_wrong(data: Any, labels: Any) -> int:
    from tools.engine.documents import walk

    wrong = 0
    for patient, label in labels:
        request = {"drug": label["drug"], "indication": label.get("indication", "")}
        found = _decide(data, patient, label["plan_id"], label["drug"], request)
        seen = {f.criterion: f.status for f in walk(found.findings)}
        truth = label.get("truth", {}).items() if found.findings else ()
        wrong += found.outcome != label["outcome"] or any(seen.get(c, s) != s for c, s in truth)
    return wrong


def _hand_made() -> list[Path]:
    return sorted(
        p for p in Path(__file__).parents[2].joinpath("cases").glob("*.yaml") if p.stem != "policies"
    )


def _hand_wrong(data: Any) -> int:
    from tools.charts.casefile import decide_case, read_case

    known = _known(data)
    return sum(bool(decide_case(read_case(file, known), known.drugs).differences) for file in _hand_made())


def _by_others() -> list[Path]:
    """The cases of authors who saw no code; once seen, they are as good as any for noticing a bug."""
    return sorted(Path(__file__).parents[2].joinpath("first_sight").glob("*/*.yaml"))


def _seen_wrong(data: Any, files: list[Path]) -> int:
    from evals.first_sight.__main__ import decide_file

    known = _known(data)
    return sum(one.found != one.expected for one in (decide_file(file, known) for file in files))


def _known(data: Any) -> Any:
    import msgspec

    from tools.charts.casefile import Known
    from tools.domain.records import Drug, Plan

    read = data.setdefault("read", {})
    if "known" not in read:
        plans = {key: msgspec.convert(plan, Plan) for key, plan in data["plans"].items()}
        drugs = tuple(msgspec.convert(drug, Drug) for drug in data["drugs"].values())
        read["known"] = Known(plans.__getitem__, drugs)
    return read["known"]
