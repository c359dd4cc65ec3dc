"""Runs that are kept: all of a report comes back from them, and the README's table is printed from nothing else."""

from __future__ import annotations

import gzip
from pathlib import Path

import msgspec
import pytest

from evals.report.keeping import SHORT, keep, kept_names, kept_run
from evals.report.markdown import report
from evals.report.readme import table
from evals.report.table import against
from evals.scores.rows import Arm, Row
from evals.suites.session import About
from tools.common.errors import Refused

ABOUT = About(name="m", model="m:1b", commit="c0ffee", epochs=4, date="2026-09-01")


def row(at: int, arm: Arm = "paladin", **more: object) -> Row:
    given = {
        "key": f"{arm}{at}{more.get('epoch', 1)}", "suite": "eligibility", "arm": arm, "item": f"i{at}",
        "cluster": f"P{at}", "digest": f"d{at}", "checks": {"outcome": True},
        "expected": "likely_denial", "given": "likely_denial", "answer": "No. " * 200,
    }  # fmt: skip
    return msgspec.convert({**given, **more}, Row)


def test_rows_come_back_and_make_the_same_bytes_in_any_order(tmp_path: Path) -> None:
    rows = [row(at, checks={"outcome": at != 3}) for at in range(6)]
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


def test_the_kept_rows_are_gzip_of_json_lines(tmp_path: Path) -> None:
    keep(ABOUT, [row(1)], [], tmp_path)
    lines = gzip.decompress((tmp_path / "m.jsonl.gz").read_bytes()).splitlines()
    assert msgspec.json.decode(lines[0])["item"] == "i1"
