"""Processes that draft, edit, attach and submit, killed at chosen points and at random moments; the next one goes on.

`python -m evals.papers_proof kills` runs it. A session does the steps of every case in one process: attach a paper,
draft, edit, approve, open the case, submit it. It is killed and another one begun until all kills are made, and the
last is let finish. Then every case has one attached paper, one draft in its second version with whole files, one
approval, and one case that was submitted once.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from typer.testing import CliRunner

import agent.papers
from agent.cli import app
from agent.integrity import altered_papers
from agent.settings import read_settings
from agent.stores import open_store
from evals import packets
from evals.kills.traps import trapped
from tools.common.atomic import SUFFIX
from tools.papers.paper import Page, pdf_of
from tools.store.store import Store

FILES_A_DRAFT = 8
PATIENCE = 3  # sessions that end badly by themselves
AT_RANDOM = "at a random moment"
BY = ("--by", "R. Lee, CPhT")
EDIT = ("--set", "npi=2345678902")
POINTS: dict[str, tuple[Any, str, str]] = {
    "file is to be kept": (Store, "keep_file", "before"),
    "file is kept": (Store, "keep_file", "after"),
    "paper is recorded": (Store, "add_chart_entry", "after"),
    "a paper of the draft is to be written": (agent.papers, "write_atomically", "before"),
    "a paper of the draft is written": (agent.papers, "write_atomically", "after"),
    "file takes its place": (Path, "replace", "before"),
    "draft is to be saved": (Store, "save_draft", "before"),
    "draft is saved": (Store, "save_draft", "after"),
    "edit is to be kept": (Store, "revise_draft", "before"),
    "edit is kept": (Store, "revise_draft", "after"),
    "decision is to be recorded": (Store, "set_draft_status", "before"),
    "decision is recorded": (Store, "set_draft_status", "after"),
    "case is opened": (Store, "open_case", "after"),
    "event is to be entered": (Store, "enter", "before"),
    "event is entered": (Store, "enter", "after"),
}


class Work(NamedTuple):
    """What a session is to do for one case."""

    patient_id: str
    drug: str
    paper: str


def trial(kills: int, seed: int = 7) -> dict[str, Any]:
    """So many kills over a world of its own, and what they left."""
    draw = Random(seed)
    with TemporaryDirectory() as folder:
        home = Path(folder)
        work = prepare(home, max(4, kills))
        made, others = Counter[str](), Counter[str]()
        began = time.monotonic()
        while made.total() < kills and others.total() < PATIENCE:
            point = draw.choice([*POINTS, AT_RANDOM])
            calls = FILES_A_DRAFT if "paper of" in point or "file takes" in point else 2
            code = session(home, point, draw.randint(1, calls), draw.uniform(0.05, 3.0))
            if code == -signal.SIGKILL:
                made[point] += 1
            elif code:
                others[f"a session ended with {code}"] += 1
            elif _finished(home) == len(work):
                break
        while others.total() < PATIENCE and (code := session(home, "", 1)):
            others[f"the last session ended with {code}"] += 1
        store = open_store(read_settings({"PALADIN_HOME": folder}))
        wrong = Counter(line for one in work for line in left_behind(store, one)) + others
        wrong.update("a half-written file" for _ in home.rglob(f".*{SUFFIX}"))
        store.close()
    return {
        "kills": made.total(),
        "cases": len(work),
        **{f"killed when: {point}": times for point, times in made.most_common()},
        "seconds": round(time.monotonic() - began, 1),
        "wrong": dict(wrong),
    }


def left_behind(store: Store, work: Work) -> Iterator[str]:
    """What is lost, doubled or half-written of one case."""
    attached = [one for one in store.patient(work.patient_id).documents if one.pages]
    if len(attached) != 1 or store.file(attached[0].sha256) != Path(work.paper).read_bytes():
        yield f"{len(attached)} attached papers"
    drafts = store.drafts(patient_id=work.patient_id)
    if len(drafts) != 1:
        yield f"{len(drafts)} drafts"
    for draft in drafts:
        if altered_papers(draft):
            yield "papers of a draft that are not whole"
        if (draft.status, draft.version, len(draft.edits)) != ("approved", 2, 1):
            yield f"a draft {draft.status} in version {draft.version}"
        if sorted(review.status for review in store.reviews(draft.id)) != ["approved", "edited"]:
            yield "reviews lost or doubled"
    cases = store.authorization_cases(work.patient_id)
    sent = [sum(event.what == "submitted" for event in case.events) for case in cases]
    if sent != [1]:
        yield f"cases submitted {sent} times"


def prepare(home: Path, cases: int) -> list[Work]:
    """A store with ready cases, one of a person, and what is to be done with them."""
    store = packets.open_world(home, cases * 4)
    work: dict[str, Work] = {}
    for wanted in packets.cases_to_draft(store):
        case = wanted.case
        if case.determination.outcome == "ready" and case.patient.prescriber and len(work) < cases:
            paper = home / f"{case.patient.id}.pdf"
            work.setdefault(case.patient.id, Work(case.patient.id, case.drug.name, str(paper)))
    for one in work.values():
        Path(one.paper).write_bytes(pdf_of([sheet(f"Paper of {one.patient_id}")], ""))
    store.close()
    (home / "work.json").write_text(json.dumps(list(work.values())))
    (home / "done").write_text("")
    return list(work.values())


def sheet(said: str) -> Page:
    """A page with these words on it."""
    return lambda pen: pen.drawString(80, 400, said)


def _finished(home: Path) -> int:
    return len((home / "done").read_text().split())


def session(home: Path, point: str, nth: int, moment: float | None = None) -> int:
    """A process that goes on with the work; how it ended. A random moment is counted from when its work begins."""
    command = [sys.executable, "-m", "evals.kills.papers", str(home), point or "-", str(nth)]
    environ = {**os.environ, "PALADIN_HOME": str(home)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environ, start_new_session=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            process.communicate(timeout=moment if point == AT_RANDOM else None)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        return process.returncode


# --- in the session --------------------------------------------------------------------------------------


def work_on(home: Path) -> None:
    """Every case that is not finished, step by step, each as somebody would go on with it."""
    done = set((home / "done").read_text().split())
    for fields in json.loads((home / "work.json").read_text()):
        one = Work(*fields)
        if one.patient_id not in done:
            _do(one, home)
            with (home / "done").open("a") as file:
                file.write(f"{one.patient_id}\n")


def _do(one: Work, home: Path) -> None:
    store = open_store(read_settings())
    if not any(paper.pages for paper in store.patient(one.patient_id).documents):
        _pa(
            "attach",
            one.patient_id,
            one.paper,
            "--kind",
            "note",
            "--date",
            "2026-08-30",
            "--status",
            "signed",
            *BY,
        )
    drafts = store.drafts(patient_id=one.patient_id)
    if not drafts or drafts[0].status == "needs_review":
        _pa("draft", one.patient_id, one.drug)
    number = str(store.drafts(patient_id=one.patient_id)[0].id)
    if store.draft(int(number)).version == 1:
        _pa("review", number, *EDIT, *BY)
    if store.draft(int(number)).status != "approved":
        approve = ("review", number, "--approve", "--reason", "as the office has it", *BY)
        if _pa(*approve, may_fail=True):  # an edit was finished only now, and wants to be read first
            _pa(*approve)
    if not store.authorization_cases(one.patient_id):
        _pa("case", "open", "--draft", number, *BY)
    (case,) = store.authorization_cases(one.patient_id)
    if not any(event.what == "submitted" for event in case.events):
        _pa("case", "submit", str(case.id), "--why", "sent as it is", *BY)
    store.close()


def _pa(*args: str, may_fail: bool = False) -> int:
    ran = CliRunner().invoke(app, list(args))
    if ran.exit_code and not may_fail:
        print(args, ran.output, ran.exception, file=sys.stderr, flush=True)
        raise SystemExit(3)
    return ran.exit_code


if __name__ == "__main__":
    folder, where, turn = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    if where in POINTS:
        holder, name, when = POINTS[where]
        setattr(holder, name, trapped(getattr(holder, name), turn, when))
    print("begins", flush=True)
    work_on(folder)
