"""`python -m evals.chat.understanding [--model NAME]`: who understands the questions, code, model or both together?

Each turn is read alone: what was talked of before is what was expected of it, so that one mistake is counted once.
A model's readings are logged in out/chat/, and those of the same model and prompt are not asked for again.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import msgspec

from agent.understanding.reading import ABOUT_A_DRUG, Ask, Reading, Talk
from evals.bench import machine
from evals.chat.driving import digest_of, open_model, world_store
from evals.chat.questions import SETS, Asking, Expect, Question, balanced, read_sets
from evals.chat.world import bundled
from evals.stats import wilson
from tools.errors import PaladinError, Unavailable

if TYPE_CHECKING:
    from agent.models.model import Model
    from agent.understanding.known import Known

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results" / "understanding.json"
LOGS = HERE.parents[1] / "out" / "chat"


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One turn to understand, with what was talked of before."""

    id: str
    set: str
    kind: str
    ask: str
    expect: Expect
    talk: Talk


def main(arguments: Sequence[str] | None = None) -> int:
    """Read, compare, write evals/results/understanding.json and .md. 3: no such model."""
    parser = argparse.ArgumentParser(prog="python -m evals.chat.understanding")
    parser.add_argument("--model", default="offline", help="a model of the Ollama host, beside the code")
    parser.add_argument("--limit", type=int, default=0, help="so many questions, evenly over kinds and sets")
    given = parser.parse_args(arguments)
    questions = read_sets()
    if given.limit:
        questions = balanced(questions, given.limit)
    try:
        found = measure(given.model, [*cases(questions)])
    except PaladinError as error:
        print(error, file=sys.stderr)
        return 3
    known = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({**known, **found}, indent=1, ensure_ascii=False) + "\n")
    text = "\n".join(page({**known, **found})) + "\n"
    RESULTS.with_suffix(".md").write_text(text)
    print(text)
    return 0


def cases(questions: Sequence[Question]) -> Iterator[Case]:
    """Every turn of which an intent is expected."""
    for question in questions:
        talk = Talk(patient_id=question.patient, sex=_sex(question.patient))
        for turn in question.turns:
            expect = turn.expect
            if expect and expect.admissible:
                yield Case(
                    id=question.id,
                    set=question.set,
                    kind=question.kind,
                    ask=turn.ask,
                    expect=expect,
                    talk=talk,
                )
            talk = after(talk, turn)


def after(talk: Talk, turn: Asking) -> Talk:
    """What was talked of once this turn has gone as expected."""
    expect = turn.expect or Expect()
    drugs = tuple(expect.drugs) or talk.drugs
    earlier = tuple(drug for drug in (*talk.drugs, *talk.earlier) if drug not in drugs)
    intents = expect.intents or expect.admissible[:1]
    asks = tuple(Ask(intent=i, drugs=drugs if i in ABOUT_A_DRUG else (), text=turn.ask) for i in intents)
    patient = expect.patient_id or talk.patient_id
    return msgspec.structs.replace(
        talk, patient_id=patient, sex=_sex(patient), drugs=drugs, earlier=earlier,
        asks=asks or talk.asks, question=turn.ask,
    )  # fmt: skip


def _sex(patient_id: str) -> str:
    return str(bundled().patients[patient_id]["sex"]) if patient_id else "unknown"


def measure(model_name: str, asked: Sequence[Case]) -> dict[str, Any]:
    """By reader: how often its intents and its drugs are right, in each set; and what it costs."""
    from agent.prompting import digest
    from agent.understanding import code
    from agent.understanding.joined import SURE, join
    from agent.understanding.known import Known

    with world_store() as (store, settings):
        known = Known.of(store)
        model = open_model(model_name, settings)
        began = time.perf_counter()
        by_code = [code.read(case.ask, case.talk, known) for case in asked]
        took = (time.perf_counter() - began) / max(1, len(asked))
        unsure = [reading.sure < SURE for reading in by_code]
        found = {
            "code": {
                **_scores(asked, by_code),
                "milliseconds": round(1000 * took, 2),
                "unsure": round(sum(unsure) / max(1, len(asked)), 4),
                "machine": machine(),
                "wrong": [*_wrong(asked, by_code)],
            }
        }
        if model is None:
            return found
        name = f"{model.name}/{digest_of(model.name, settings)}/{digest('chat')}"
        log = LOGS / f"understanding-{''.join(c if c.isalnum() else '-' for c in model.name)}.jsonl"
        replies = _ask_all(model, known, asked, log, name)
        by_model = [msgspec.convert(r["reading"], Reading) if r["reading"] else None for r in replies]
        costs = {
            "seconds": round(median(r["seconds"] for r in replies), 3),
            "prompt_tokens": median(r["prompt_tokens"] for r in replies),
            "failed": sum(r["reading"] is None for r in replies),
            "machine": machine(),
            "digest": name,
        }
        joined = [
            join(ours, theirs, case.talk) if ask else ours
            for case, ours, theirs, ask in zip(asked, by_code, by_model, unsure, strict=True)
        ]
        always = [
            join(ours, theirs, case.talk) for case, ours, theirs in zip(asked, by_code, by_model, strict=True)
        ]
        found[f"{model.name} alone"] = {
            **_scores(asked, by_model),
            **costs,
            "wrong": [*_wrong(asked, by_model)],
        }
        found[f"code and {model.name}, asked where code is unsure"] = {
            **_scores(asked, joined), "wrong": [*_wrong(asked, joined)]
        }  # fmt: skip
        found[f"code and {model.name}, asked always"] = _scores(asked, always)
        return found


def _ask_all(model: Model, known: Known, asked: Sequence[Case], log: Path, name: str) -> list[dict[str, Any]]:
    """The model's readings, one to a case, logged as they come; None where it gave none."""
    log.parent.mkdir(parents=True, exist_ok=True)
    done = {item["at"]: item for item in _logged(log) if item["by"] == name}
    with log.open("a", encoding="utf-8") as out:
        for number, case in enumerate(asked, start=1):
            at = msgspec.json.encode((case.id, case.ask, case.talk)).decode()
            if at not in done:
                done[at] = {"by": name, "at": at, **_read(model, known, case)}
                out.write(json.dumps(done[at], ensure_ascii=False) + "\n")
                out.flush()
            if number % 50 == 0:
                print(f"{number}/{len(asked)}", file=sys.stderr, flush=True)
    return [done[msgspec.json.encode((case.id, case.ask, case.talk)).decode()] for case in asked]


def _read(model: Model, known: Known, case: Case) -> dict[str, Any]:
    from agent.understanding import by_model

    began = time.perf_counter()
    try:
        reading, reply = by_model.read(case.ask, case.talk, known.names, model)
    except Unavailable as trouble:
        return {
            "reading": None,
            "seconds": time.perf_counter() - began,
            "prompt_tokens": 0,
            "trouble": str(trouble),
        }
    return {
        "reading": msgspec.to_builtins(reading) if reading else None,
        "seconds": time.perf_counter() - began,
        "prompt_tokens": reply.prompt_tokens,
    }


def _logged(log: Path) -> Iterator[dict[str, Any]]:
    for line in log.read_text(encoding="utf-8").splitlines() if log.is_file() else ():
        try:
            yield json.loads(line)
        except ValueError:  # cut by a crash
            continue


def intents_right(expect: Expect, reading: Reading | None) -> bool:
    """All that are asked for, or the first is one of those that are as good."""
    seen = [ask.intent for ask in reading.asks] if reading else []
    if expect.intents:
        return set(expect.intents) <= set(seen)
    return bool(seen) and seen[0] in expect.admissible


def drugs_right(expect: Expect, reading: Reading | None) -> bool:
    """The drugs that are asked about, in whatever order."""
    return reading is not None and {d for ask in reading.asks for d in ask.drugs} == set(expect.drugs)


def _scores(asked: Sequence[Case], readings: Sequence[Reading | None]) -> dict[str, Any]:
    pairs = [*zip(asked, readings, strict=True)]
    found: dict[str, Any] = {}
    for name in (*SETS, "all"):
        mine = [(case.expect, reading) for case, reading in pairs if name in (case.set, "all")]
        intents = [intents_right(expect, reading) for expect, reading in mine]
        drugs = [drugs_right(expect, reading) for expect, reading in mine if expect.drugs]
        found[name] = {"intents": _share(intents), "drugs": _share(drugs)}
    return found


def _share(results: Sequence[bool]) -> dict[str, Any]:
    low, high = wilson(sum(results), len(results))
    return {"right": sum(results), "of": len(results), "low": round(low, 4), "high": round(high, 4)}


def _wrong(asked: Sequence[Case], readings: Sequence[Reading | None]) -> Iterator[dict[str, Any]]:
    for case, reading in zip(asked, readings, strict=True):
        intents = intents_right(case.expect, reading)
        drugs = drugs_right(case.expect, reading) if case.expect.drugs else True
        if not (intents and drugs):
            yield {
                "id": case.id,
                "ask": case.ask[:200],
                "expected": [*(case.expect.admissible), *case.expect.drugs],
                "read": [[ask.intent, *ask.drugs] for ask in reading.asks] if reading else None,
            }


def page(found: Mapping[str, Any]) -> Iterator[str]:
    """One table: who reads, and how often it is right."""
    yield "# Understanding, measured"
    yield ""
    yield "Written by `python -m evals.chat.understanding`. Intents: the first is one that is expected, or all of"
    yield "them where several are asked for; drugs: exactly those that are meant, where any are. With Wilson's 95 %"
    yield "interval."
    yield ""
    columns = [(name, what) for name in (*SETS, "all") for what in ("intents", "drugs")]
    yield f"| read by | {' | '.join(f'{name}: {what}' for name, what in columns)} |"
    yield f"|---|{'---:|' * len(columns)}"
    for who, scores in found.items():
        cells = (_shown(scores[name][what]) for name, what in columns)
        yield f"| {who} | {' | '.join(cells)} |"
    yield ""
    for who, scores in found.items():
        more = [
            f"{scores[name]:g} {label}" if name != "unsure" else f"unsure of {100 * scores[name]:.0f} %"
            for name, label in (
                ("milliseconds", "ms"),
                ("unsure", ""),
                ("seconds", "s in the median"),
                ("prompt_tokens", "prompt tokens"),
                ("failed", "without a reading"),
            )
            if name in scores
        ]
        if more:
            yield f"- {who}: {', '.join(more)}; {scores['machine']}"


def _shown(share: Mapping[str, Any]) -> str:
    if not share["of"]:
        return ""
    low, high = 100 * share["low"], 100 * share["high"]
    return (
        f"{100 * share['right'] / share['of']:.1f} % ({share['right']}/{share['of']}; {low:.0f}-{high:.0f})"
    )


if __name__ == "__main__":
    sys.exit(main())
