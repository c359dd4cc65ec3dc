"""A chunk may be begun twice, late, or together with another; each case counts once."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest
from pypdf import PdfReader

from agent.batch import lifecycle
from agent.batch.binder import pages_of
from agent.batch.checking import BatchRequest, Terms
from agent.batch.chunks import give_up, line_of, work
from agent.batch.drafting import Drafter
from agent.batch.results import damaged, finish, outcome_of
from agent.cases import casefile
from agent.drafts import drafting
from agent.drafts.decision import Decision
from agent.runtime.settings import read_settings
from tests import worlds
from tests.agent.batch.conftest import WHEN, Begin, files_of
from tests.agent.chats import adversaries
from tools.store import Store
from tools.store.batches import Batch

EVERY = range(12)


def drafted(begin: Begin, store: Store, out: str = "out") -> Batch:
    """A batch of which every case was drafted."""
    batch = begin(out=out)
    work(store, Drafter(store), batch.id, 1, EVERY, out)
    return batch


def test_the_second_attempt_changes_nothing(begin: Begin, store: Store) -> None:
    batch = begin()
    assert work(store, Drafter(store), batch.id, 1, EVERY, "first") == 12
    results, files = store.batch_results(batch.id), files_of(Path(batch.folder))
    assert work(store, Drafter(store), batch.id, 1, EVERY, "second") == 0
    assert store.batch_results(batch.id) == results
    assert files_of(Path(batch.folder)) == files


def test_an_attempt_that_wakes_late_touches_no_paper(
    begin: Begin, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = begin()
    original = Store.keep_results

    def others_were_first(self: Store, *given):  # type: ignore[no-untyped-def]
        monkeypatch.setattr(Store, "keep_results", original)
        assert work(store, Drafter(store), batch.id, 1, EVERY, "other") == 12
        before = {path: path.stat().st_ino for path in Path(batch.folder).rglob("*.pdf")}
        kept = original(self, *given)
        assert {path: path.stat().st_ino for path in Path(batch.folder).rglob("*.pdf")} == before
        return kept

    monkeypatch.setattr(Store, "keep_results", others_were_first)
    assert work(store, Drafter(store), batch.id, 1, EVERY, "late") == 0
    assert len(store.batch_results(batch.id)) == 12


def test_papers_that_a_dead_attempt_left_are_replaced(begin: Begin, store: Store) -> None:
    batch = drafted(begin, store)
    whole = files_of(Path(batch.folder))
    line = next(line_of(r) for r in store.batch_results(batch.id) if line_of(r).folder)
    other = begin(out="other")
    half = Path(other.folder) / "cases" / line.folder
    half.mkdir(parents=True)
    (half / "packet.pdf").write_bytes(b"half")
    (half / "stray.txt").write_bytes(b"stray")
    work(store, Drafter(store), other.id, 1, EVERY, "second")
    assert files_of(Path(other.folder)) == whole


def test_a_case_that_goes_wrong_fails_alone_and_can_be_retried(
    begin: Begin, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch, original = begin(), Drafter.draft

    def sometimes(self: Drafter, wanted, asked, row, when):  # type: ignore[no-untyped-def]
        if asked.patient.id == "P003":
            raise ZeroDivisionError("a fault")
        return original(self, wanted, asked, row, when)

    monkeypatch.setattr(Drafter, "draft", sometimes)
    work(store, Drafter(store), batch.id, 1, EVERY, "first")
    (failed,) = store.batch_results(batch.id, state="failed")
    assert "ZeroDivisionError: a fault" in line_of(failed).summary
    assert lifecycle.standing(store, store.batch(batch.id)).failed == 1
    monkeypatch.setattr(Drafter, "draft", original)
    store.set_batch_state(batch.id, "done", when=WHEN)
    again, many = lifecycle.retry(store, batch.id, WHEN)
    assert (many, again.round, again.state) == (1, 2, "running")
    assert store.round_of_batch(batch.id, 2) == [failed.position]
    assert work(store, Drafter(store), batch.id, 2, [failed.position], "second") == 1
    assert store.batch_results(batch.id, state="failed") == []
    assert len(store.batch_results(batch.id)) == 12


def test_an_attempt_of_an_earlier_round_brings_no_failure_back(begin: Begin, store: Store) -> None:
    batch = begin()
    give_up(store, batch.id, 1, [0], "the disk was full")
    store.next_round(batch.id, failed=True, when=WHEN)
    work(store, Drafter(store), batch.id, 2, [0], "second")
    assert give_up(store, batch.id, 1, [0], "the disk was full") == 0
    assert [result.state for result in store.batch_results(batch.id)] == ["done"]


def test_what_did_not_change_is_taken_over_and_what_did_is_not(begin: Begin, store: Store) -> None:
    drafted(begin, store)
    entry = {"id": "", "test": "hba1c", "value": 9.9, "unit": "%", "date": "2026-08-30"}
    store.add_chart_entry(worlds.addition("P005", entry))
    second = drafted(begin, store, "second")
    reused = {line_of(r).patient_id: r.reused for r in store.batch_results(second.id)}
    assert [patient for patient, taken in reused.items() if not taken] == ["P005"]
    assert lifecycle.standing(store, second).reused == 11


def test_papers_that_were_edited_since_are_drafted_anew_and_no_persons_decision_is_undone(
    begin: Begin, store: Store
) -> None:
    first = drafted(begin, store)
    whole = files_of(Path(first.folder))
    line = next(line_of(r) for r in store.batch_results(first.id) if line_of(r).files)
    draft = store.drafts(patient_id=line.patient_id, limit=1)[0]
    store.set_draft_status(draft.id, "rejected", by="R. Lee", reason="moved", when=WHEN)
    (Path(first.folder) / "cases" / line.folder / "letter.txt").write_text("mine")
    assert damaged(outcome_of(store, first)) == [f"{line.folder}/letter.txt"]
    second = drafted(begin, store, "second")
    assert files_of(Path(second.folder)) == whole
    assert sum(not result.reused for result in store.batch_results(second.id)) == 1
    assert store.draft(draft.id).status == "rejected"


def test_nothing_is_begun_in_a_batch_that_was_cancelled(begin: Begin, store: Store) -> None:
    batch = begin()
    work(store, Drafter(store), batch.id, 1, range(5), "first")
    lifecycle.cancel(store, batch.id, WHEN)
    assert work(store, Drafter(store), batch.id, 1, range(5, 12), "second") == 0
    again = lifecycle.resume(store, batch.id, WHEN)
    assert store.round_of_batch(batch.id, again.round) == list(range(5, 12))
    assert work(store, Drafter(store), batch.id, 1, range(5, 12), "of the old round") == 0


def test_each_case_says_who_worded_its_letter(begin: Begin, store: Store) -> None:
    batch = begin(terms=Terms(model="scripted"))
    down = Drafter(store, None, "", "offline: no Ollama answers")
    work(store, down, batch.id, 1, range(6), "first")
    up = Drafter(store, adversaries("")["faithful"], "digest")
    work(store, up, batch.id, 1, range(6, 12), "second")
    lines = [line_of(result) for result in store.batch_results(batch.id)]
    drafted = [line for line in lines if line.files]
    assert {line.path for line in drafted[:1]} == {"fallback"}
    assert drafted[0].notice == "offline: no Ollama answers"
    assert {line.path for line in lines[6:] if line.files} <= {"model", "repaired", "fallback"}
    again = begin(out="again", terms=Terms(model="scripted"))
    work(store, up, again.id, 1, EVERY, "third")
    for before, after in zip(store.batch_results(batch.id), store.batch_results(again.id), strict=True):
        assert after.reused == (line_of(before).path != "fallback" and before.content == after.content)


def test_the_report_is_the_same_bytes_each_time_and_sends_nothing_that_was_edited_since(
    begin: Begin, store: Store
) -> None:
    batch = drafted(begin, store)
    finish(store, batch)
    once = files_of(Path(batch.folder))
    shutil.rmtree(Path(batch.folder) / "to_send")
    finish(store, batch)
    assert files_of(Path(batch.folder)) == once
    assert {"summary.csv", "summary.parquet", "rejected.csv", "report.html"} <= set(once)
    whole = sum(pages_of(file.read_bytes()) for file in (Path(batch.folder) / "to_send").glob("*.pdf"))
    line = next(line for line in outcome_of(store, batch).lines if line.ready)
    packet = Path(batch.folder) / "cases" / line.folder / "packet.pdf"
    pages = pages_of(packet.read_bytes())
    packet.write_bytes(packet.read_bytes() + b" ")
    finish(store, batch)
    left = sum(pages_of(file.read_bytes()) for file in (Path(batch.folder) / "to_send").glob("*.pdf"))
    assert whole - left >= pages


def test_what_a_batch_drafts_is_the_draft_of_each_case_waits_for_review_and_becomes_a_case(
    begin: Begin, store: Store
) -> None:
    batch = drafted(begin, store)
    lines = outcome_of(store, batch).lines
    waiting = {(draft.patient_id, draft.drug): draft for draft in store.drafts(limit=100)}
    assert set(waiting) == {(line.patient_id, line.drug) for line in lines if line.files}
    line = next(line for line in lines if line.ready)
    draft = waiting[line.patient_id, line.drug]
    settings = read_settings()
    items = (msgspec.json.decode(one.asking, type=BatchRequest) for one in store.batch_items(batch.id, EVERY))
    alone = next(item.asking for item in items if item.folder == line.folder)
    drafting.draft_alone(store, settings, alone)
    assert len(store.drafts(limit=100)) == len(waiting), "drafted alone it is the same draft"
    edit = Decision(action="edit", by="R. Lee", when=WHEN, edits={"days_supply": "28"}, reason="as ordered")
    edited = drafting.decide_alone(store, settings, draft.id, edit)
    assert edited.version == 2 and edited.edits[0].by == "R. Lee"
    approved = Decision(action="approve", by="R. Lee", when=WHEN, reason="checked")
    assert drafting.decide_alone(store, settings, draft.id, approved).status == "approved"
    kept = casefile.open_from_draft(store, draft.id, casefile.Entry("R. Lee", WHEN.date(), WHEN))
    assert kept.case.state == "reviewed"


def test_what_goes_out_is_grouped_by_practice_and_patient_and_names_what_is_withheld(
    begin: Begin, store: Store
) -> None:
    batch = drafted(begin, store)
    finish(store, batch)
    folder = Path(batch.folder)
    lines = outcome_of(store, batch).lines
    ready = [line for line in lines if line.ready]
    pairs = {(line.payer, line.practice) for line in ready}
    texts = [PdfReader(file).pages[0].extract_text() for file in (folder / "to_send").glob("*.pdf")]
    assert len(texts) == len(pairs)
    for line in ready:
        (own,) = [text for text in texts if line.patient in text]
        assert own.startswith(f"{line.practice} to {line.payer}")
    report = (folder / "report.html").read_text()
    withheld = [line for line in lines if line.files and not line.ready]
    assert withheld and "<h2>Withheld</h2>" in report
    assert all(line.open for line in withheld), "each says why"
