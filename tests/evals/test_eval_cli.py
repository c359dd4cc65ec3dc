"""`pa eval` from the command line: what it says, what it writes, and that reports come from logs alone."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from agent.models.host import read_evaluated
from evals import eval_cli
from evals.report.keeping import SHORT, keep, kept_names, kept_run
from evals.report.markdown import report
from evals.report.page import page
from evals.report.publishing import publish
from evals.report.readme import table
from evals.report.table import ArmFigures, against, confusion, worst
from evals.scores.rows import ARMS, ASKED, Arm, Row
from evals.suites import session as sessions
from evals.suites.items import SUITES, Suite
from evals.suites.running import Log, code
from evals.suites.session import About
from tools.common.errors import Invalid, NotFound, Refused

ABOUT = About(
    name="m", model="m:1b", digest="abc123", quantisation="Q4_K_M", server="Ollama 0.1", num_ctx=4096, commit="c0ffee",
    code=code(), prompts="p", cases="i", epochs=2, arms=("plain", "paladin"), hardware="2 cores", date="2026-09-01",
)  # fmt: skip


def row(at: int, arm: Arm = "paladin", suite: Suite = "eligibility", **more: object) -> Row:
    given = {
        "key": f"{arm}{at}{more.get('epoch', 1)}", "code": code(), "suite": suite, "arm": arm, "item": f"i{at}",
        "cluster": f"P{at // 2}", "digest": f"d{at}", "checks": {"outcome": True}, "expected": "likely_denial",
        "given": "likely_denial", "why": "so it was made", "question": "Can she?", "answer": "No.", "seconds": 0.5,
    }  # fmt: skip
    return msgspec.convert({**given, **more}, Row)


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sessions, "OUT", tmp_path)
    monkeypatch.setenv("PALADIN_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("tools.store.index.ensure", lambda store: 0)
    return tmp_path


def logged(out: Path, rows: list[Row], about: About = ABOUT) -> None:
    log = Log(out / "logs" / f"{about.name}.jsonl")
    for one in rows:
        log.add(one)
    log.path.with_suffix(".json").write_bytes(msgspec.json.encode(about))


def run(*arguments: str) -> str:
    result = CliRunner().invoke(eval_cli.app, [*arguments], catch_exceptions=False, standalone_mode=False)
    if isinstance(result.exception, BaseException):
        raise result.exception
    return result.output


# --- figures of a report ----------------------------------------------------------------------------------


def test_what_broke_is_in_its_column_and_counted_as_wrong() -> None:
    rows = [
        row(1), row(2, error="RuntimeError: x", checks={}), row(3, infrastructure=True), row(4, fallback=True),
        row(5, format_failure=True, checks={"outcome": False}),
    ]  # fmt: skip
    found = ArmFigures("paladin", "", rows)
    assert [found.count(mark) for mark in ("infrastructure", "fallback", "format_failure")] == [1, 1, 1]
    assert found.right is not None and found.right.value == 3 / 5
    assert found.unaided is not None and found.unaided.value == 1 / 5


def test_false_ready_is_of_what_is_not_ready_in_every_try() -> None:
    rows = [
        row(1, false_ready=True),
        row(2),
        row(3, expected="ready"),
        row(4, temperature=0.7, false_ready=True),
    ]
    found = ArmFigures("paladin", "", rows).false_ready
    assert found is not None and found.of == 3 and found.value == pytest.approx(2 / 3)


def test_hot_tries_are_for_pass_hat_and_no_part_of_right() -> None:
    hot = [
        row(at, epoch=e, temperature=0.7, checks={"outcome": e < 3}) for at in range(4) for e in (1, 2, 3, 4)
    ]
    found = ArmFigures("paladin", "", [row(at) for at in range(4)] + hot)
    assert found.of == 4 and found.right is not None and found.right.value == 1
    assert found.passes == {1: 0.5, 2: pytest.approx(1 / 6), 3: 0, 4: 0}


def test_pass_hat_says_nothing_where_code_fixes_the_answer() -> None:
    assert ArmFigures("paladin", "", [row(1, suite="forms", temperature=0.7)]).passes == {}


def test_arms_are_compared_on_the_items_that_both_have() -> None:
    ours = [row(at) for at in range(10)]
    theirs = [row(at, "plain", checks={"outcome": at >= 6}) for at in range(2, 10)]
    found = against("paladin", ours, "plain", theirs)
    assert (found.pairs.both, found.pairs.only_first) == (4, 4)
    assert found.uplift is not None and found.uplift.value == 0.5


def test_what_is_worst_is_read_first() -> None:
    bad: Any = {"checks": {"outcome": False}}
    rows = [
        row(1),
        row(2, **bad),
        row(3, unsupported=2, **bad),
        row(4, succeeded=True, **bad),
        row(5, false_ready=True, **bad),
    ]
    assert [one.item for one in worst(rows)] == ["i5", "i4", "i3", "i2"]
    assert confusion([row(1, given=""), row(2)]) == {
        ("likely_denial", ""): 1,
        ("likely_denial", "likely_denial"): 1,
    }


def test_a_report_states_what_decides_its_figures_and_the_uplift() -> None:
    rows = [row(at) for at in range(6)] + [row(at, "plain", checks={"outcome": at > 3}) for at in range(6)]
    text = report(ABOUT, rows)
    for said in (
        "m:1b",
        "abc123",
        "Q4_K_M",
        "Ollama 0.1",
        "num_ctx 4096",
        "c0ffee",
        "2 cores",
        "2026-09-01",
        "Live.",
    ):
        assert said in text
    assert "Paladin over plain: 0.667" in text and "so it was made" in text


def test_the_page_needs_nothing_else_and_shows_what_a_model_said_as_text() -> None:
    rows = [row(at, answer="<script>alert(1)</script>", checks={"outcome": at > 1}) for at in range(6)]
    text = page(ABOUT, rows)
    assert "<script" not in text and "&lt;script&gt;" in text
    assert not re.search(r"(?:src|href)=[\"']?https?:", text)
    linked = re.findall(r'<a href="#([^"]+)">', text)
    assert linked and all(f'id="{one}"' in text for one in linked)


# --- runs that are kept ---------------------------------------------------------------------------------


def test_rows_come_back_and_make_the_same_bytes_in_any_order(tmp_path: Path) -> None:
    rows = [row(at, checks={"outcome": at != 3}, answer="No. " * 200) for at in range(6)]
    first = (keep(ABOUT, rows, [("md", "x")], tmp_path) / "m.jsonl.gz").read_bytes()
    keep(ABOUT, rows[::-1], [], tmp_path)
    assert (tmp_path / "m.jsonl.gz").read_bytes() == first
    about, found = kept_run("m", tmp_path)
    assert about == ABOUT and kept_names(tmp_path) == ["m"]
    assert [one.key for one in found] == [one.key for one in rows]
    assert report(about, found).replace("…", "")[:400] == report(ABOUT, rows)[:400]
    lengths = {one.right: len(one.answer) for one in found}
    assert lengths == {True: SHORT + 1, False: 800}


def test_a_run_of_code_that_is_in_no_commit_is_not_kept(tmp_path: Path) -> None:
    for commit in ("", "c0ffee with changes"):
        with pytest.raises(Refused, match="commit"):
            keep(msgspec.structs.replace(ABOUT, commit=commit), [row(1)], [], tmp_path)
    assert not kept_names(tmp_path)


def test_the_table_has_a_column_for_each_arm_and_says_the_uplift(tmp_path: Path) -> None:
    assert table(folder=tmp_path) == ""
    ours = [row(at) for at in range(8)]
    theirs = [row(at, "plain", checks={"outcome": at > 3}, false_ready=at == 0) for at in range(8)]
    keep(ABOUT, [*ours, *theirs], [], tmp_path)
    keep(msgspec.structs.replace(ABOUT, name="n", model="offline"), [row(1, "engine")], [], tmp_path)
    said = table(folder=tmp_path)
    assert "| engine, no model | plain agent, m:1b | Paladin, m:1b |" in said
    assert "| right | 100.0 %" in said and "50.0 %" in said
    assert "+50 (" in said and "N 8)" in said
    assert "| called ready what is not | 0 / 1 | 1 / 8 | 0 / 8 |" in said


def test_items_that_were_changed_are_no_pair() -> None:
    same, other = row(1, "plain"), row(2, "plain", digest="another")
    found = against("paladin", [row(1), row(2)], "plain", [same, other])
    assert sum(found.pairs) == 1


# --- publishing -------------------------------------------------------------------------------------------


def enough(**more: Any) -> list[Row]:
    asked = [suite for suite in SUITES if "paladin" in ASKED.get(suite, ARMS)]
    return [row(at, suite=asked[at % len(asked)], **more) for at in range(110)]


def test_a_verdict_is_what_pa_models_reads_and_replaces_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    publish(path, ABOUT, enough())
    publish(path, msgspec.structs.replace(ABOUT, model="other:1b"), enough())
    assert "passed" in publish(path, ABOUT, enough())
    found = read_evaluated(path)
    assert [(one.name, one.passed, one.digest, one.score) for one in found] == [
        ("m:1b", True, "abc123", 1.0), ("other:1b", True, "abc123", 1.0)
    ]  # fmt: skip
    assert json.loads(path.read_text())["models"][-1]["date"] == "2026-09-01"


@pytest.mark.parametrize("what", ["false_ready", "succeeded", "infrastructure"])
def test_one_unsafe_answer_fails_a_model(what: str, tmp_path: Path) -> None:
    rows = [*enough(), msgspec.structs.replace(row(999), **{what: True})]
    assert "failed" in publish(tmp_path / "models.json", ABOUT, rows)


def test_only_whole_live_runs_are_published(tmp_path: Path) -> None:
    for about, rows in (
        (ABOUT, enough()[:50]),
        (ABOUT, [row(at) for at in range(200)]),
        (msgspec.structs.replace(ABOUT, mode="replayed"), enough()),
        (msgspec.structs.replace(ABOUT, smoke=True), enough()),
        (msgspec.structs.replace(ABOUT, model="scripted:echo"), enough()),
    ):
        with pytest.raises(Refused):
            publish(tmp_path / "models.json", about, rows)
    assert not (tmp_path / "models.json").exists()


# --- commands ---------------------------------------------------------------------------------------------


def test_list_names_every_suite() -> None:
    said = run("list")
    assert all(suite in said for suite in SUITES)


@pytest.mark.slow
def test_run_writes_a_log_and_a_report_and_says_how_long_it_takes(
    out: Path, left_loopback: list[str]
) -> None:
    said = run("run", "notes", "tools", "--limit", "2", "--seed", "5", "--name", "first")
    assert "4 samples, 0 of them logged before" in said and "about " in said
    assert "engine: right" in said
    text = (out / "reports" / "first.md").read_text()
    assert "| tools | engine | 2 |" in text
    assert (out / "reports" / "first.html").is_file()
    assert [*(out / "inspect").glob("*.eval")]
    assert "4 of them logged before" in run(
        "run", "notes", "tools", "--limit", "2", "--seed", "5", "--name", "first", "--estimate"
    )
    assert not left_loopback


def test_report_is_rebuilt_from_the_log_alone(out: Path) -> None:
    logged(out, [row(at) for at in range(4)])
    run("report")
    first = (out / "reports" / "m.md").read_bytes()
    (out / "reports" / "m.md").unlink()
    run("report", "m")
    assert (out / "reports" / "m.md").read_bytes() == first


def test_compare_takes_runs_or_arms(out: Path) -> None:
    rows = [row(at) for at in range(8)] + [row(at, "plain", checks={"outcome": at > 3}) for at in range(8)]
    logged(out, rows)
    said = run("compare", "m/paladin", "m/plain")
    assert "0.500" in said and "only m/paladin 4" in said


def test_what_is_misspelt_is_named_with_what_is_near(out: Path) -> None:
    with pytest.raises(NotFound, match="eligibility"):
        run("run", "eligibilty")
    with pytest.raises(NotFound, match="paladin"):
        run("run", "--arm", "palladin", "--model", "x")
    with pytest.raises(Invalid, match="needs a --model"):
        run("run", "--arm", "plain")
    with pytest.raises(Invalid, match="no run is logged yet"):
        run("report")
    with pytest.raises(Invalid, match="nothing of notes can be asked of plain"):
        run("run", "notes", "--arm", "plain", "--model", "scripted:echo", "--limit", "1", "--seed", "5")
