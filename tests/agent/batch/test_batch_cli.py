"""`pa batch` as a person runs it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from agent.batch import lifecycle
from agent.batch import requests as read
from agent.batch.checking import BatchRequest, Terms
from agent.batch.chunks import line_of, work
from agent.batch.drafting import Drafter
from agent.runtime.settings import Settings
from tests.agent.batch.conftest import WHEN, Begin, files_of, rows
from tests.agent.conftest import Case, Ran
from tools.store import Store

Pa = Callable[..., Ran]


@pytest.fixture
def requests(store: Store, tmp_path: Path) -> Path:
    file = tmp_path / "monday.csv"
    file.write_bytes(rows(store, 6) + b"\nP9999,Ozempic\nP001,Ozempc\nP001,Ozempic\n=1+1,Ozempic\n")
    return file


@pytest.mark.slow
def test_a_run_leaves_everything_and_a_second_one_takes_it_over(
    pa: Pa, requests: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = pa("batch", "run", str(requests), "--out", str(out), "--workers", "1")
    assert done.code == 0, done.err
    assert "6 of 6 cases" in done.out and "4 rows rejected" in done.out
    assert {"summary.csv", "summary.parquet", "rejected.csv", "report.html"} <= set(files_of(out))
    summary = list(csv.DictReader(io.StringIO((out / "summary.csv").read_text(encoding="utf-8-sig"))))
    assert [row["row"] for row in summary] == ["2", "3", "4", "5", "6", "7"]
    for row in summary:
        folder = out / row["folder"] if row["folder"] else None
        # A likely denial by a step that the chart answers is drafted as an exception.
        if row["outcome"] != "likely_denial":
            drafted = ("ready", "needs_documentation", "quantity_exception")
            assert (folder is None) == (row["outcome"] not in drafted)
        if folder:
            assert {"packet.pdf", "letter.md", "case.json"} <= {path.name for path in folder.iterdir()}
            assert json.loads((folder / "case.json").read_bytes())["case"]["patient_id"] == row["patient_id"]
        else:
            assert row["next"] or row["outcome"] == "not_required"
    rejected = list(csv.DictReader(io.StringIO((out / "rejected.csv").read_text(encoding="utf-8-sig"))))
    assert [row["row"] for row in rejected] == ["8", "9", "10", "11"]
    assert rejected[1]["nearest"] == "Ozempic"
    assert rejected[3]["patient_id"] == "'=1+1"

    again = pa("batch", "run", str(requests), "--out", str(tmp_path / "again"), "--workers", "1", "--json")
    assert again.code == 0, again.err
    assert again.json["reused"] == 6
    assert files_of(tmp_path / "again") == files_of(out)

    refused = pa("batch", "run", str(requests), "--out", str(out))
    assert refused.code == 2 and "holds batch 1" in refused.err
    shown = pa("batch", "report", "1").out
    assert "Rejected rows (4)" in shown and str(out) in shown
    assert [one["id"] for one in pa("batch", "list", "--json").json] == [2, 1]
    assert pa("batch", "retry", "1").out.startswith("Nothing failed")
    assert pa("batch", "cancel", "1").code == 2


def test_a_dry_run_checks_everything_and_writes_nothing(
    pa: Pa, requests: Path, store: Store, home: Path
) -> None:
    before = set(home.rglob("*"))
    told = pa("batch", "run", str(requests), "--dry-run", "--json")
    body = told.json
    assert (body["cases"], [row["row"] for row in body["rejected"]]) == (6, [8, 9, 10, 11])
    assert "Nothing was written" in pa("batch", "run", str(requests), "--dry-run").out
    assert store.batches() == []
    assert {path for path in home.rglob("*") if not path.name.endswith(("-wal", "-shm"))} <= before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "empty"),
        ("drug\nOzempic\n", "patient_id"),
        ("patient_id,drug\nP9999,Ozempic\n", "none of the 1 rows"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_is_refused_before_anything_starts(
    pa: Pa, store: Store, tmp_path: Path, content: str, said: str
) -> None:
    (tmp_path / "bad.csv").write_text(content)
    ran = pa("batch", "run", str(tmp_path / "bad.csv"))
    assert ran.code == 2 and said in ran.err
    assert store.batches() == []
    assert pa("batch", "run", str(tmp_path / "none.csv")).code == 2


def test_a_panel_is_everybody_of_a_payer(pa: Pa, store: Store) -> None:
    plan = store.plans()[0]
    many = store.count_patients(plan_id=plan.id)
    told = pa("batch", "run", "--panel", f"plan={plan.id} drug=Ozempic", "--dry-run", "--json").json
    assert told["cases"] == many
    payer = plan.payer.split()[0]
    told = pa("batch", "run", "--panel", f"payer={payer} drug=Ozempic,Wegovy", "--dry-run", "--json").json
    assert told["cases"] == 2 * sum(
        store.count_patients(plan_id=one.id) for one in store.plans() if one.payer.startswith(payer)
    )
    for wrong, said in (
        ("payer=Nobody drug=Ozempic", "no payer"),
        ("drug=Ozempic", "needs payer="),
        ("payr=Cascade", "did you mean payer"),
        (f"plan={plan.id} drug=Ozempc", "Ozempic"),
    ):
        ran = pa("batch", "run", "--panel", wrong)
        assert ran.code == 2 and said in ran.err


@pytest.mark.slow
def test_a_batch_that_was_cancelled_goes_on_where_it_stood(pa: Pa, begin: Begin, store: Store) -> None:
    batch = begin(7)
    work(store, Drafter(store), batch.id, 1, range(3), "first")
    assert "with 4 cases left" in pa("batch", "cancel", str(batch.id)).out
    assert "pa batch resume" in pa("batch", "status", str(batch.id)).out
    done = pa("batch", "resume", str(batch.id), "--workers", "1", "--json").json
    assert (done["state"], done["done"]) == ("done", 7)
    assert len(store.batch_results(batch.id)) == 7


def test_likely_denials_are_drafted_only_when_forced(
    store: Store, settings: Settings, cases: dict[str, Case], tmp_path: Path
) -> None:
    case = cases["likely_denial"]
    content = f"patient_id,drug\n{case.patient_id},{case.drug}\n".encode()
    for force in (False, True):
        planned = lifecycle.plan(store, read.read(content, "a.csv"), "a.csv", Terms(force=force))
        batch, _ = lifecycle.begin(store, settings, planned, out=tmp_path / f"out{force}", when=WHEN)
        work(store, Drafter(store), batch.id, 1, [0], f"{force}")
        (result,) = store.batch_results(batch.id)
        line = line_of(result)
        assert bool(line.files) == force
        assert line.stage == "clinician"
        assert not line.ready


def test_rows_that_say_more_are_different_requests(store: Store, settings: Settings, tmp_path: Path) -> None:
    content = b"patient_id,drug,strength,urgency\nP001,Ozempic,,\nP001,ozempic,1 MG,stat\nP001,OZEMPIC,1mg,\n"
    planned = lifecycle.plan(store, read.read(content, "a.csv"), "a.csv", Terms())
    assert [one.row for one in planned.checked] == [2, 3]
    assert [(row.row, row.near) for row in planned.rejected] == [(4, "row 3")]
    batch, _ = lifecycle.begin(store, settings, planned, out=tmp_path / "out", when=WHEN)
    wanted = [msgspec.json.decode(item.asking, type=BatchRequest) for item in store.batch_items(batch.id)]
    assert len({one.folder for one in wanted}) == 2
    assert [one.urgency for one in wanted] == ["standard", "expedited"]


@pytest.mark.slow
def test_rows_ask_for_exceptions_and_expedited_reviews_and_are_wrong_each_for_itself(
    pa: Pa, store: Store, cases: dict[str, Case], tmp_path: Path
) -> None:
    over, ready = cases["quantity_exception"], cases["ready"]
    rows = (
        (over, "quantity limit", "Two a day are meant.", ""),
        (ready, "", "", "Waiting risks ketoacidosis"),
        (ready, "", "Two a day are meant.", ""),
        (ready, "formulary", "", ""),
        (ready, "quantity", "", ""),
    )
    file = tmp_path / "asked.csv"
    file.write_text(
        "patient_id,drug,exception,statement,expedited\n"
        + "".join(f"{case.patient_id},{case.drug},{','.join(more)}\n" for case, *more in rows)
    )
    planned = pa("batch", "run", str(file), "--dry-run", "--json").json
    assert planned["cases"] == 2
    reasons = {row["row"]: row["reason"] for row in planned["rejected"]}
    for row, says in (
        (4, "asks for none"),
        (5, "no formulary exception is needed"),
        (6, "mean quantity_limit"),
    ):
        assert says in reasons[row]
    done = pa("batch", "run", str(file), "--out", str(tmp_path / "out"), "--workers", "1")
    assert done.code == 0, done.err
    first, second = (
        draft.filled_form() for draft in sorted(store.drafts(), key=lambda draft: draft.drug == ready.drug)
    )
    assert first.exceptions == ("quantity_limit",) and second.expedited
    letter = next((tmp_path / "out").glob(f"cases/*{over.patient_id}*/letter.txt")).read_text()
    assert "Two a day are meant." in letter


def test_the_same_batch_started_while_it_runs_is_the_same_batch(
    begin: Begin, store: Store, settings: Settings
) -> None:
    first = begin(4)
    planned = lifecycle.plan(store, read.read(rows(store, 4), "some.csv"), "some.csv", Terms())
    again, new = lifecycle.begin(store, settings, planned, out=Path(first.folder), when=WHEN)
    assert (again.id, new) == (first.id, False)
    assert len(store.batch_items(first.id)) == 4
