"""`python -m evals.grounding [--seed S --n N --json]`: what the verifier finds, what it flags for nothing, how fast.

Corruptions of ten kinds in the letters and in short answers of every patient and drug of the store, hand-written
sentences, and the deterministic letters as they are. Writes evals/results/grounding.md and .json.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from agent.grounding import Checker
from agent.known_facts import enter_bound
from agent.ledger import Ledger
from agent.settings import read_settings
from evals.grounding.mutate import KINDS, Wrong, answers, corrupt
from evals.stats import wilson
from tools.bound import Bound
from tools.cases import Case
from tools.errors import PaladinError
from tools.papers.letters import letter
from tools.store.store import Store

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results"
FIRST_SCORE = (
    "The held-out sentences were written before the verifier. Scored for the first time they gave 4 of 42 clean ones"
    " flagged (9.5 %) and 43 of 43 wrong ones found; what flagged the four (a frequency read as a length of time,"
    " A1C read as a code, a length of time of “it”) was mended afterwards, so they are no longer held out."
)
SETS = ("known", "held_out")


class Work(NamedTuple):
    """A case of the store, its letter and its checker."""

    case: Case
    letter: str
    checker: Checker


def main() -> None:
    args = _arguments()
    store = Store.open(read_settings().database_url)
    works = [*_works(store)]
    names = [work.case.patient.name for work in works]
    result: dict[str, Any] = {"seeds": {}, "sets": {}}
    for seed in args.seed or [1]:
        result["seeds"][str(seed)] = _corruptions(works, names, seed, args.n)
    result["letters"] = _letters(works)
    result["answers"] = _answers(works)
    for name in SETS:
        result["sets"][name] = _sentences(store, HERE / "sentences" / f"{name}.txt")
    if args.json:
        print(json.dumps(result, indent=1))
    else:
        print(report(result))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "grounding.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (RESULTS / "grounding.md").write_text(report(result), encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m evals.grounding", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("--seed", type=int, action="append", help="repeatable; default 1")
    parser.add_argument("--n", type=int, default=600, help="corruptions of each seed")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _works(store: Store) -> Iterator[Work]:
    for row in store.find_patients(limit=10_000):
        bound = Bound(store, row.id)
        for drug in bound.drugs:
            try:
                case = bound.case(drug.name)
            except PaladinError:
                continue
            yield Work(case, letter(case).text, _checker(bound, drug.name))


def _checker(bound: Bound, drug: str) -> Checker:
    ledger = Ledger()
    enter_bound(ledger, bound, [drug])
    return Checker(ledger)


def _corruptions(works: list[Work], names: list[str], seed: int, n: int) -> dict[str, Any]:
    """So many of each kind, from cases drawn at random."""
    rng = random.Random(seed)
    per_kind = -(-n // len(KINDS))
    found: Counter[str] = Counter()
    made: Counter[str] = Counter()
    missed: list[dict[str, str]] = []
    pool = [*works]
    rounds = 0
    while min(made[kind] for kind in KINDS) < per_kind and rounds < 40:
        rounds += 1
        rng.shuffle(pool)
        for work in pool:
            if all(made[kind] >= per_kind for kind in KINDS):
                break
            for wrong in corrupt(work.case, work.letter, rng, names):
                if made[wrong.kind] >= per_kind:
                    continue
                made[wrong.kind] += 1
                if _is_found(work.checker, wrong):
                    found[wrong.kind] += 1
                else:
                    missed.append(_missed(work, wrong))
    return {
        "corruptions": sum(made.values()),
        "kinds": {kind: _rate(found[kind], made[kind]) for kind in KINDS},
        "missed": missed,
    }


def _is_found(checker: Checker, wrong: Wrong) -> bool:
    return any(
        one.issues for one in checker.check(wrong.text) if one.start < wrong.end and wrong.start < one.end
    )


def _missed(work: Work, wrong: Wrong) -> dict[str, str]:
    start = max(wrong.text.rfind("\n", 0, wrong.start) + 1, wrong.start - 160)
    end = wrong.text.find("\n", wrong.end)
    return {
        "kind": wrong.kind,
        "case": f"{work.case.patient.id} {work.case.drug.name}",
        "was": wrong.was,
        "is": wrong.text[wrong.start : wrong.end],
        "text": wrong.text[start : min(end if end >= 0 else len(wrong.text), wrong.end + 160)],
        "in": wrong.source,
    }


def _letters(works: list[Work]) -> dict[str, Any]:
    """The deterministic letters as they are: nothing in them is wrong. Milliseconds per sentence."""
    return _clean(((work, work.letter) for work in works), len(works))


def _answers(works: list[Work]) -> dict[str, Any]:
    rng = random.Random(0)
    return _clean(((work, line) for work in works for line in answers(work.case, rng)), len(works))


def _clean(texts: Iterable[tuple[Work, str]], cases: int) -> dict[str, Any]:
    sentences, flagged, times = 0, [], []
    for work, text in texts:
        began = time.perf_counter()
        checked = work.checker.check(text)
        times.append(1000 * (time.perf_counter() - began) / max(1, len(checked)))
        sentences += len(checked)
        flagged += [
            {"text": one.text, "why": "; ".join(f"{i.text}: {i.why}" for i in one.issues)}
            for one in checked
            if one.issues
        ]
    return {
        "cases": cases,
        "flagged": _rate(len(flagged), sentences),
        "p50 ms per sentence": round(statistics.median(times), 2),
        "p95 ms per sentence": round(sorted(times)[int(0.95 * len(times))], 2),
        "examples": flagged[:20],
    }


def _sentences(store: Store, path: Path) -> dict[str, Any]:
    """Hand-written ones: how many clean were flagged, how many wrong were found, by kind."""
    made: Counter[str] = Counter()
    flagged: Counter[str] = Counter()
    astray: list[dict[str, str]] = []
    checkers: dict[tuple[str, str], Checker] = {}
    for kind, patient_id, drug, sentence in read_sentences(path):
        key = (patient_id, drug)
        if key not in checkers:
            checkers[key] = _checker(Bound(store, patient_id), drug)
        issues = [issue for one in checkers[key].check(sentence) for issue in one.issues]
        made[kind] += 1
        flagged[kind] += bool(issues)
        if bool(issues) == (kind == "clean"):
            astray.append(
                {"kind": kind, "text": sentence, "why": "; ".join(f"{i.text}: {i.why}" for i in issues)}
            )
    wrong = sum(made[kind] for kind in made if kind != "clean")
    return {
        "clean flagged": _rate(flagged["clean"], made["clean"]),
        "wrong found": _rate(sum(flagged[k] for k in flagged if k != "clean"), wrong),
        "kinds": {kind: _rate(flagged[kind], made[kind]) for kind in KINDS if made[kind]},
        "astray": astray,
    }


def read_sentences(path: Path) -> Iterator[tuple[str, str, str, str]]:
    """Kind, patient, drug and sentence of each line `P001 Ozempic number: …`."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            head, _, sentence = line.partition(": ")
            patient_id, drug, kind = head.split()
            yield kind, patient_id, drug, sentence


def _rate(hits: int, of: int) -> dict[str, Any]:
    low, high = (round(one, 4) for one in wilson(hits, of))
    return {"hits": hits, "of": of, "rate": round(hits / of, 4) if of else None, "low": low, "high": high}


def report(result: dict[str, Any]) -> str:
    """Markdown."""
    lines = [
        "# What the verifier finds",
        "",
        "`python -m evals.grounding`; corruptions by a mutator that shares no code with the verifier.",
        "",
    ]
    lines += [
        "| kind | " + " | ".join(f"seed {seed}" for seed in result["seeds"]) + " |",
        "|---|" + "---|" * len(result["seeds"]),
    ]
    for kind in KINDS:
        lines.append(
            f"| {kind} | " + " | ".join(_shown(one["kinds"][kind]) for one in result["seeds"].values()) + " |"
        )
    lines += ["", "| right as they are | flagged | p50 ms a sentence | p95 |", "|---|---|---|---|"]
    for name in ("letters", "answers"):
        one = result[name]
        lines.append(
            f"| {name} of {one['cases']} cases | {_shown(one['flagged'])} | {one['p50 ms per sentence']}"
            f" | {one['p95 ms per sentence']} |"
        )
    lines += ["", "| by hand | clean flagged | wrong found |", "|---|---|---|"]
    for name, one in result["sets"].items():
        lines.append(
            f"| {name.replace('_', ' ')} | {_shown(one['clean flagged'])} | {_shown(one['wrong found'])} |"
        )
    lines += ["", "Intervals are Wilson's, 95 %.", "", FIRST_SCORE]
    for seed, one in result["seeds"].items():
        if one["missed"]:
            lines += ["", f"Missed with seed {seed}:", ""]
            lines += [
                f"- {m['kind']} ({m['in']}, {m['case']}): “{m['was']}” became “{m['is']}”"
                for m in one["missed"][:15]
            ]
    return "\n".join(lines) + "\n"


def _shown(rate: dict[str, Any]) -> str:
    if not rate["of"]:
        return "none"
    share, low, high = (100 * rate[key] for key in ("rate", "low", "high"))
    return f"{rate['hits']}/{rate['of']} = {share:.1f} % ({low:.1f} to {high:.1f})"


if __name__ == "__main__":
    main()
