"""`python -m evals.chat`: puts the questions to a model and writes how it did.

    python -m evals.chat                                     all questions, offline: under a minute
    python -m evals.chat --model qwen2.5-coder:0.5b          all questions, with a local model
    python -m evals.chat --model qwen2.5-coder:0.5b --limit 60 --agent tools
                                                             the plain agent, on a sample of every kind
    python -m evals.chat --set open                          while something is built: out/chat/chat-offline.md
    python -m evals.chat --report                            evals/results/chat.md again, of what was measured

A run of all sets goes into evals/results/, one of some sets or kinds only into out/chat/. Every item is logged there as
it is done; Ctrl-C stops after what was logged, and --resume goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evals.chat import report
from evals.chat.driving import COSTS, Drive, Setup, chat, digest_of, open_model, tools, world_store
from evals.chat.questions import KINDS, SETS, Question, balanced, read_sets
from evals.chat.scoring import score
from evals.chat.world import bundled
from tools.errors import PaladinError

LOGS = Path(__file__).parents[2] / "out" / "chat"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, score, report. 0: done; 2: bad input; 3: no such model; 130: interrupted."""
    given = _arguments(arguments)
    if given.report:
        print(f"written to {report.write_combined()}", file=sys.stderr)
        return 0
    questions = read_sets(SETS if given.set == "all" else [given.set])
    if given.kinds:
        questions = [question for question in questions if question.kind in given.kinds]
    if given.limit:
        questions = balanced(questions, given.limit)
    if given.agent == "tools":  # of the same sample as the chat, what can be asked of it
        questions = [question for question in questions if question.patient]
    try:
        setup, done, seconds = _run(given, questions)
    except PaladinError as error:
        print(error, file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        print("stopped; go on with --resume", file=sys.stderr)
        return 130
    rows = [
        row
        for question in questions
        if question.id in done
        for row in rows_of(question, done[question.id], setup)
    ]
    if given.blind:
        rows = [report.blind(row) for row in rows]
    whole = given.set == "all" and not given.kinds
    what = [given.set, *(given.kinds or ()), *([f"limit {given.limit}"] if given.limit else ())]
    result = report.result(setup, rows, what, seconds)
    name = f"{setup.name}-{given.limit}" if given.limit else setup.name
    print(f"written to {report.write(name, result, report.RESULTS if whole else LOGS)}", file=sys.stderr)
    print(
        f"written to {report.write_combined() if whole else report.write_page(name, result, LOGS)}",
        file=sys.stderr,
    )
    print("\n".join(report.headlines(result)))
    return 0


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m evals.chat", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--set", choices=[*SETS, "all"], default="all")
    parser.add_argument("--model", default="offline", help="offline, or a model of the Ollama host")
    parser.add_argument("--limit", type=int, default=0, help="so many questions, evenly over kinds and sets")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, metavar="KIND", help=f"of {', '.join(KINDS)}")
    parser.add_argument("--agent", choices=["chat", "tools"], default="chat")
    parser.add_argument("--understanding", choices=["joined", "code", "model"], default="joined")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="the log; default out/chat/NAME.jsonl")
    parser.add_argument("--resume", action="store_true", help="go on with the log where it ends")
    parser.add_argument("--blind", action="store_true", help="don't show what was wrong in the held-out set")
    parser.add_argument("--report", action="store_true", help="only write evals/results/chat.md again")
    given = parser.parse_args(arguments)
    if given.agent == "tools" and given.model == "offline":
        parser.error("the plain agent needs a --model")
    return given


def _run(
    given: argparse.Namespace, questions: Sequence[Question]
) -> tuple[Setup, dict[str, dict[str, Any]], float]:
    with world_store() as (store, settings):
        model = open_model(given.model, settings)
        setup = Setup(
            agent=given.agent,
            model=model.name if model else "offline",
            understanding=given.understanding,
            seed=given.seed,
            digest=digest_of(given.model, settings),
            prompt=_prompt_digest(given.agent),
        )
        drive = (
            chat(store, settings, setup, model) if given.agent == "chat" else tools(store, settings, setup)
        )
        log = given.out or LOGS / f"{setup.name}.jsonl"
        began = time.perf_counter()
        done = run(questions, drive, log, key_of(setup), resume=given.resume)
        return setup, done, time.perf_counter() - began


def _prompt_digest(agent: str) -> str:
    from agent.prompting import digest

    return digest("chat" if agent == "chat" else "plain_agent")


def key_of(setup: Setup) -> str:
    """What must be the same for an answer of the log to stand."""
    return "/".join(
        (setup.agent, setup.model, setup.digest, setup.prompt, setup.understanding, str(setup.seed))
    )


def run(
    questions: Sequence[Question], drive: Drive, log: Path, key: str, *, resume: bool
) -> dict[str, dict[str, Any]]:
    """Each question's turns by its id, logged as they come. With `resume`, those that are logged under this key and
    ask the same are not asked again; one that broke is. An error of the agent is an item, and ends nothing."""
    log.parent.mkdir(parents=True, exist_ok=True)
    done = dict(_logged(log, key)) if resume else {}
    asked = {question.id: [turn.ask for turn in question.turns] for question in questions}
    done = {
        name: item for name, item in done.items() if item["asked"] == asked.get(name) and not item["error"]
    }
    with log.open("a" if resume else "w", encoding="utf-8") as out, _progress(len(questions)) as show:
        for number, question in enumerate(questions, start=1):
            if question.id not in done:
                turns, error = _drive(drive, question)
                item = {
                    "key": key,
                    "id": question.id,
                    "asked": asked[question.id],
                    "turns": turns,
                    "error": error,
                }
                done[question.id] = item
                out.write(json.dumps(item, ensure_ascii=False) + "\n")
                out.flush()
            show(number)
    return done


def _drive(drive: Drive, question: Question) -> tuple[list[dict[str, Any]], str]:
    try:
        return drive(question), ""
    except Exception as error:  # whatever breaks is what is measured
        return [], f"{type(error).__name__}: {error}"


def _logged(log: Path, key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """What was logged under this key; a line that was cut by a crash is none."""
    if not log.is_file():
        return
    for line in log.read_text(encoding="utf-8").splitlines():
        try:
            item = json.loads(line)
        except ValueError:
            continue
        if item.get("key") == key:
            yield item["id"], item


def rows_of(question: Question, item: dict[str, Any], setup: Setup) -> list[dict[str, Any]]:
    """One row per turn: how it did and what it cost. Where the agent broke, the turns that it owes are wrong."""
    turns = item["turns"]
    rows: list[dict[str, Any]] = []
    for one, turn in zip(score(bundled(), question, turns, reads=setup.agent == "chat"), turns, strict=False):
        row: dict[str, Any] = {
            "id": one.id, "kind": one.kind, "set": one.set, "turn": one.turn, "right": one.right,
            "checks": one.checks, "unsupported": len(one.unsupported), "disclosed": len(one.disclosed),
            "other_outcome": one.other_outcome, "path": turn.get("path", ""),
            "trouble": turn.get("notice", ""),
            **{name: turn.get(name) for name in COSTS},
        }  # fmt: skip
        if not one.right:
            row |= {"question": one.question, "answer": one.answer, "wrong": one.wrong}
        rows.append(row)
    for number, asking in enumerate(question.turns[len(turns) :], start=len(turns) + 1):
        rows.append(
            {
                "id": question.id, "kind": question.kind, "set": question.set, "turn": number, "right": False,
                "checks": dict.fromkeys(report.owed(asking.expect), False), "error": item["error"],
                "unsupported": 0, "disclosed": 0, "question": asking.ask, "answer": "",
                "wrong": [f"error: {item['error']}"],
            }
        )  # fmt: skip
    return rows


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """A bar with time left on a terminal; elsewhere a line now and then."""
    if not sys.stderr.isatty():
        yield (
            lambda done: (
                None if done % 50 and done != total else print(f"{done}/{total}", file=sys.stderr, flush=True)
            )
        )
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("questions"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("questions", total=total)
        yield lambda done: bar.update(task, completed=done)
