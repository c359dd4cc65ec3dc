"""What is kept for how long, and what goes then."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import event, func, select

from agent.administration import retention
from agent.runtime.home import now
from agent.runtime.settings import Settings, read_settings
from tests.agent.conftest import Cases, Pa
from tests.servers import postgres_database
from tools.audit.verification import verify
from tools.common.errors import Invalid
from tools.papers.paper import pdf_of
from tools.store import Store
from tools.store.load import load
from tools.store.retention import Expired
from tools.store.tables import AUTHORIZATION_CASES, CHART_ENTRIES, DRAFTS, PROVENANCE, REVIEWS, SNAPSHOTS

EVERYTHING = {"drafts": 7, "cases": 7, "conversations": 2, "attachments": 7}
BY = ("--by", "R. Lee, CPhT")
LAB = ("--kind", "lab", "--date", "2026-08-30", "--about", "hba1c")
TABLES = (DRAFTS, REVIEWS, AUTHORIZATION_CASES, CHART_ENTRIES, PROVENANCE, SNAPSHOTS)


@pytest.fixture
def settings(pa: Pa, cases: Cases, home: Path) -> Settings:
    """A home with a draft that was edited, rejected, and drafted again; a paper; and a conversation, of one patient."""
    wants(home, EVERYTHING)
    one, paper = cases["ready"], home.parent / "paper.pdf"
    paper.write_bytes(pdf_of([lambda pen: pen.drawString(80, 400, "a note")], ""))
    for command in (
        ("draft", one.patient_id, one.drug),
        ("review", "1", "--set", "npi=2345678902", *BY),
        ("review", "1", "--reject", "--reason", "another drug", *BY),
        ("attach", one.patient_id, str(paper), *LAB, *BY),
        ("chat", "--patient", one.patient_id, f"Can we get {one.drug}?"),
    ):
        ran = pa(*command)
        assert ran.code == 0, ran
    return read_settings()


def wants(home: Path, policy: dict[str, Any]) -> None:
    (home / "retention.json").write_text(json.dumps(policy))


def applied(store: Store, settings: Settings, years: float, by: str = "R. Lee, CPhT") -> list[Expired]:
    """What is over so many years from now."""
    return retention.apply(store, settings, now() + timedelta(days=366 * years), by=by)


def counts(store: Store) -> dict[str, int]:
    with store.engine.connect() as connection:
        return {one.name: connection.scalar(select(func.count()).select_from(one)) or 0 for one in TABLES}


def on_disk(home: Path, content: bytes) -> list[str]:
    """Which databases hold these bytes, be it in pages that are free."""
    return [file.name for file in home.glob("*.db*") if file.is_file() and content in file.read_bytes()]


def papers(home: Path) -> list[Path]:
    kept = [*(home / "drafts").rglob("*"), *(home / "paladin.db.files").rglob("*")]
    return [path for path in kept if path.is_file()]


def test_what_is_over_is_told_and_nothing_goes_before_a_person_says_so(
    pa: Pa, store: Store, settings: Settings
) -> None:
    before, there = counts(store), papers(settings.home)
    assert "nothing would go" in pa("retention").out
    told = [(one.kind, one.of.split()[0]) for one in applied(store, settings, 7, by="")]
    assert told == [("drafts", "draft"), ("attachments", "attachment"), ("conversations", "conversation")]
    assert counts(store) == before and papers(settings.home) == there
    assert [one.kind for one in applied(store, settings, 2, by="")] == ["conversations"]
    assert pa("retention", "--apply").code == 2 and pa("retention", *BY).code == 2
    assert "nothing removed" in pa("retention", "--apply", *BY).out


def test_rows_papers_threads_and_what_was_known_then_go_and_the_log_tells_who_decided_that(
    pa: Pa, store: Store, settings: Settings, cases: Cases
) -> None:
    store.engine.dispose()  # not every SQLite writes over what it deletes
    event.listen(store.engine, "connect", lambda made, _: made.execute("PRAGMA secure_delete = OFF").close())
    letter = msgspec.json.encode(store.draft(1).filled_form())[200:260]
    assert on_disk(settings.home, letter) and on_disk(settings.home, b"Can we get")
    seen = store.changes(-1).upto
    assert applied(store, settings, 7)
    assert store.changes(seen).patients == {cases["ready"].patient_id}
    assert counts(store) == dict.fromkeys(counts(store), 0) and papers(settings.home) == []
    assert on_disk(settings.home, letter) == on_disk(settings.home, b"Can we get") == []
    assert json.loads(pa("chat", "--list", "--json").out) == []
    assert verify(store).problems == () and not (settings.home / retention.BEGUN).exists()
    (told,) = [one for _, one in store.audit_events() if one.what == "retention.applied"]
    assert (told.whose, told.by) == (cases["ready"].patient_id, "R. Lee, CPhT")
    assert "draft 1" in told.of and json.loads(told.why) == EVERYTHING
    assert applied(store, settings, 7) == []


@pytest.mark.parametrize("hold", ["an open case", "a name in the policy", "a case that is kept"])
def test_of_whom_a_case_is_open_or_is_held_everything_stays(
    pa: Pa, store: Store, settings: Settings, cases: Cases, home: Path, hold: str
) -> None:
    one = cases["ready"]
    if hold == "a name in the policy":
        wants(home, EVERYTHING | {"held": [one.patient_id]})
    else:
        assert pa("draft", one.patient_id, one.drug, "--again").code == 0
        assert pa("review", "2", "--approve", *BY).code == 0
        assert pa("case", "open", "--draft", "2", *BY).code == 0
    if hold == "a case that is kept":
        assert pa("case", "record", "1", "closed", "--why", "withdrawn", *BY).code == 0
        wants(home, {"drafts": 7, "cases": 8})
    gone = [over.of for over in applied(store, settings, 7)]
    assert gone == (["draft 1"] if hold == "a case that is kept" else [])
    assert verify(store).problems == ()
    if hold != "a name in the policy":
        assert pa("replay", "2").code == 0
    if hold == "a case that is kept":
        assert [over.of for over in applied(store, settings, 8)] == ["case 1", "draft 2"]
        assert counts(store)["provenance"] == 0 and verify(store).problems == ()


def test_a_run_that_is_not_committed_takes_nothing_and_what_a_killed_one_left_goes_next(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        if (settings.home / retention.BEGUN).exists():
            raise KeyboardInterrupt

    before, there = counts(store), papers(settings.home)
    with monkeypatch.context() as patched:
        patched.setattr(store, "record", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            applied(store, settings, 7)
    applied(store, settings, 1)
    assert counts(store) == before and papers(settings.home) == there
    with monkeypatch.context() as patched:
        patched.setattr(retention, "_finish", killed)
        with pytest.raises(KeyboardInterrupt):
            applied(store, settings, 7)
    assert counts(store)["drafts"] == 0 and len(papers(settings.home)) > 5
    assert applied(store, settings, 7) == [] and papers(settings.home) == []


@pytest.mark.parametrize("there", ["as it was", "another file"])
def test_a_paper_elsewhere_goes_if_it_is_still_the_drafts_and_its_folder_stays(
    store: Store, settings: Settings, tmp_path: Path, there: str
) -> None:
    """A batch has its papers where somebody wanted them."""
    store.move_papers(str(settings.drafts), str(tmp_path / "out"), "elsewhere")
    shutil.copytree(settings.drafts, tmp_path / "out")
    mine, beside = Path(store.draft(1).files["letter"].path), tmp_path / "out" / "notes.txt"
    beside.write_text("not a paper")
    if there == "another file":
        mine.write_text("somebody else's")
    applied(store, settings, 7)
    assert mine.exists() == (there == "another file") and beside.exists()


def test_no_path_that_a_store_names_leads_a_removal_out_of_the_drafts(settings: Settings) -> None:
    drafts = settings.drafts.resolve()
    assert retention._folder(drafts, f"{drafts}/a/b.pdf") == drafts / "a"
    for path in (
        f"{drafts}/../paladin.db",
        f"{drafts}",
        f"{drafts}/a.pdf",
        "/etc/passwd",
        f"{drafts}/a/../../../x/y",
    ):
        assert retention._folder(drafts, path) is None, path


@pytest.mark.slow
def test_on_postgresql_too(
    pa: Pa, home: Path, world: Path, cases: Cases, monkeypatch: pytest.MonkeyPatch
) -> None:
    wants(home, EVERYTHING)
    with postgres_database() as url:
        monkeypatch.setenv("PALADIN_DATABASE_URL", url)
        store, one = Store.create(url), cases["ready"]
        load(store, world / "data")
        for command in (
            ("draft", one.patient_id, one.drug),
            ("review", "1", "--reject", "--reason", "another drug", *BY),
            ("chat", "--patient", one.patient_id, f"Can we get {one.drug}?"),
        ):
            ran = pa(*command)
            assert ran.code == 0, ran
        assert [over.kind for over in applied(store, read_settings(), 7)] == ["drafts", "conversations"]
        assert counts(store) == dict.fromkeys(counts(store), 0) and papers(home) == []
        assert json.loads(pa("chat", "--list", "--json").out) == []
        assert verify(store).problems == ()
        store.close()


@pytest.mark.parametrize("policy", [{"audit": 7}, {"drafts": 0}, {"drafts": "7"}, []])
def test_a_policy_that_is_none_is_refused_in_a_line(pa: Pa, home: Path, policy: Any) -> None:
    wants(home, policy)
    ran = pa("retention")
    assert ran.code == 2 and "retention.json" in ran.err


def test_without_a_policy_everything_is_kept(store: Store, home: Path) -> None:
    with pytest.raises(Invalid, match="for how many years"):
        applied(store, read_settings(), 100)
    wants(home, {})
    assert applied(store, read_settings(), 100) == []
