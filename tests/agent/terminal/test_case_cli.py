"""`pa case`, `pa due` and `pa renewals`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from icalendar import Calendar
from pytest import MonkeyPatch

from tests.agent.clinic import NOON, draft_of, open_clinic
from tests.agent.conftest import Pa, run_pa
from tools.domain.records import Attachment
from tools.store import Store

DENIED = ("denied", "--notice", "2026-09-01", "--reason", "step_therapy")


@pytest.fixture
def clinic(tmp_path: Path, monkeypatch: MonkeyPatch) -> Iterator[Store]:
    store = open_clinic(tmp_path, monkeypatch)
    yield store
    store.close()


@pytest.fixture
def pa(clinic: Store) -> Pa:
    return run_pa


def shown(pa: Pa, *args: str) -> Any:
    ran = pa(*args, "--json")
    assert ran.code == 0, ran.err
    return ran.json


def begin(pa: Pa, clinic: Store) -> None:
    pa("case", "open", "--draft", str(draft_of(clinic)))
    assert pa("case", "submit", "1").code == 0


def test_a_reviewed_draft_begins_one_case_and_says_what_it_rests_on(pa: Pa, clinic: Store) -> None:
    number = str(draft_of(clinic))
    first = shown(pa, "case", "open", "--draft", number)
    again = shown(pa, "case", "open", "--draft", number)
    assert (first["state"], first["changed"], again["id"], again["changed"]) == ("reviewed", True, 1, False)
    reviewed = first["events"][-1]
    assert reviewed["by"] == "R. Lee, CPhT"
    assert len(reviewed["facts"]["basis"]["determination"]) == 64
    assert reviewed["facts"]["basis"]["outcome"] == "ready"


def test_a_draft_that_waits_makes_a_case_that_cannot_be_submitted(pa: Pa, clinic: Store) -> None:
    number = str(draft_of(clinic, approved=False))
    assert shown(pa, "case", "open", "--draft", number)["state"] == "draft"
    ran = pa("case", "submit", "1")
    assert ran.code == 2 and "possible: reviewed, closed" in ran.err
    ran = pa("case", "record", "1", "reviewed")
    assert ran.code == 2 and f"pa review {number} --approve" in ran.err


def test_nothing_is_sent_and_the_same_command_again_changes_nothing(pa: Pa, clinic: Store) -> None:
    begin(pa, clinic)
    assert "nothing was changed" in pa("case", "submit", "1").out
    case = clinic.authorization_case(1)
    assert [event.what for event in case.events] == ["opened", "reviewed", "submitted"]
    assert case.events[-1].facts.channel == "fax"  # the plan's own


def test_an_approval_keeps_its_number_days_and_quantity(pa: Pa, clinic: Store) -> None:
    begin(pa, clinic)
    case = shown(
        pa, "case", "record", "1", "approved", "--number", "A-7", "--from", "2026-09-01", "--to", "2027-08-31",
        "--quantity", "3", "--days-supply", "28",
    )  # fmt: skip
    assert case["approval"] == {
        "number": "A-7", "start": "2026-09-01", "end": "2027-08-31", "quantity": 3.0, "days_supply": 28,
    }  # fmt: skip
    assert pa("case", "record", "1", "approved", "--number", "A-7").code == 2


LETTER = """CASCADE HEALTH
Notice of adverse determination

September 1, 2026
Member: Maria Gomez   Date of birth: 05/04/1970   Member ID: M-1001
Reference number: 26-1177

We reviewed the request for Ozempic 1 mg and we have denied it. Step therapy: you have not tried metformin.

You may file an internal appeal. We must receive it by December 1, 2026.
"""


def test_a_letter_that_is_read_is_entered_with_its_own_deadline(
    pa: Pa, clinic: Store, tmp_path: Path
) -> None:
    begin(pa, clinic)
    file = tmp_path / "letter.txt"
    file.write_text(LETTER)
    out = pa("case", "letter", "1", str(file), "--received", "2026-09-01").out
    assert "DENIED" in out and "letter: 2026-12-01" in out and "2026-12-01 is worked to" in out
    notice = clinic.authorization_case(1).notices["request"].facts.notice
    assert notice and notice.reference == "26-1177" and "step_therapy" in notice.reasons
    assert notice.letter and notice.letter.title == "letter.txt"
    assert "nothing was changed" in pa("case", "letter", "1", str(file), "--received", "2026-09-01").out


def test_a_letter_about_somebody_else_is_not_entered(pa: Pa, clinic: Store, tmp_path: Path) -> None:
    begin(pa, clinic)
    file = tmp_path / "letter.txt"
    file.write_text(LETTER.replace("Maria Gomez", "Ana Gomez-Lee").replace("05/04/1970", "02/02/1980"))
    assert pa("case", "letter", "1", str(file)).code == 2
    assert clinic.authorization_case(1).state == "submitted"


def test_a_call_is_logged_with_who_when_and_its_reference(pa: Pa, clinic: Store) -> None:
    begin(pa, clinic)
    when = ["--reference", "C-55", "--at", "14:30", "--by", "Kim"]
    pa("case", "log", "1", "By Friday", "--spoke-with", "Dana", *when)
    call = clinic.authorization_case(1).events[-1]
    assert call.facts.call and (call.facts.call.spoke_with, call.facts.call.reference) == ("Dana", "C-55")
    assert (call.by, call.at, call.why) == ("Kim", "14:30", "By Friday")
    assert "with Dana, reference C-55" in pa("case", "show", "1").out


def test_what_is_late_is_said_plainly_with_what_is_still_possible(
    pa: Pa, clinic: Store, monkeypatch: MonkeyPatch
) -> None:
    begin(pa, clinic)
    pa("case", "record", "1", *DENIED)
    assert "Nothing is due" in pa("due").out
    monkeypatch.setenv("PALADIN_AS_OF", "2027-03-01")
    out = pa("due").out
    assert "LATE by 1 day" in out and "still possible:" in out
    assert [case["id"] for case in shown(pa, "case", "list", "--late")] == [1]


def test_cases_are_listed_by_what_is_due_first(pa: Pa, clinic: Store) -> None:
    begin(pa, clinic)
    pa("case", "record", "1", *DENIED)
    pa("case", "open", "P002", "Ozempic")
    pa("case", "record", "2", "reviewed")
    pa("case", "submit", "2")
    assert [case["id"] for case in shown(pa, "case", "list")] == [2, 1]
    assert [case["id"] for case in shown(pa, "case", "list", "--sort", "id")] == [1, 2]
    assert [case["id"] for case in shown(pa, "case", "list", "--state", "denied")] == [1]
    assert [case["id"] for case in shown(pa, "case", "list", "P002")] == [2]
    assert pa("case", "list", "--state", "deneid").err.count("did you mean denied") == 1


def test_a_calendar_names_nobody_and_keeps_its_uids(pa: Pa, clinic: Store, tmp_path: Path) -> None:
    begin(pa, clinic)
    pa("case", "record", "1", *DENIED)
    first, second = tmp_path / "a.ics", tmp_path / "b.ics"
    pa("due", "--within", "12m", "--ics", str(first))
    pa("case", "record", "1", "received", "--received", "2026-09-01")
    pa("due", "--within", "12m", "--ics", str(second))
    one, two = (Calendar.from_ical(file.read_bytes()).walk("VEVENT") for file in (first, second))
    assert [str(e["uid"]) for e in one] == [str(e["uid"]) for e in two] and len(one) == 1
    assert b"Gomez" not in first.read_bytes() and one[0].decoded("dtstart").isoformat() == "2027-02-28"
    pa("due", "--within", "12m", "--ics", str(first), "--names")
    assert b"Maria Gomez" in first.read_bytes()


def test_a_patient_who_is_not_there_is_named_as_such(pa: Pa) -> None:
    for command in (
        ("due", "--patient", "P009"),
        ("case", "list", "P009"),
        ("renewals", "--patient", "P009"),
    ):
        ran = pa(*command)
        assert ran.code == 2 and "no patient 'P009'" in ran.err


def test_the_drawing_is_printed_as_it_is(pa: Pa) -> None:
    out = " ".join(pa("case", "states").out.split())
    assert "submitted approved → approved" in out and "medicaid plan_appeal" in out


def test_approvals_that_end_are_found_in_charts_and_cases(pa: Pa, clinic: Store) -> None:
    begin(pa, clinic)
    pa("case", "record", "1", "approved", "--number", "A-7", "--from", "2026-09-01", "--to", "2026-10-15")
    found = shown(pa, "renewals", "--within", "60d")
    endings = {(one["patient_id"], one["ending"]["source"]) for one in found}
    assert endings == {("P001", "case 1"), ("P003", "chart U1")}
    assert "submit by" in pa("renewals").out
    assert shown(pa, "renewals", "--within", "2w") == []


HARNESS = """
import os, signal, sys
from sqlalchemy import event
from tools.store import Store
dies = sys.argv.pop(1)
opened = Store.open.__func__
def open_(cls, url):
    store = opened(cls, url)
    def die(*_): os.kill(os.getpid(), signal.SIGKILL)
    def at(_, __, statement, *___):
        if statement.startswith("INSERT INTO authorization_events"): die()
    if dies == "insert": event.listen(store.engine, "after_cursor_execute", at)
    if dies == "commit": event.listen(store.engine, "commit", die)
    return store
Store.open = classmethod(open_)
from agent.cli import main
main()
"""


@pytest.mark.parametrize("dies", ["insert", "commit"])
def test_a_process_that_is_killed_leaves_nothing_half_done(
    pa: Pa, clinic: Store, tmp_path: Path, dies: str
) -> None:
    pa("case", "open", "--draft", str(draft_of(clinic)))
    script = tmp_path / "harness.py"
    script.write_text(HARNESS)
    root = Path(__file__).parents[3]
    command = [sys.executable, str(script), dies, "case", "submit", "1", "--by", "Kim"]
    killed = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, timeout=120, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert clinic.authorization_case(1).state == "reviewed"
    for _ in range(2):
        assert pa("case", "submit", "1", "--by", "Kim").code == 0
    events = clinic.authorization_case(1).events
    assert [event.what for event in events] == ["opened", "reviewed", "submitted"]


def test_a_packet_that_lacks_a_paper_is_sent_only_with_a_reason(pa: Pa, clinic: Store) -> None:
    number = draft_of(clinic, approved=False)
    kept = clinic.draft(number)
    form = msgspec.structs.replace(
        kept.filled_form(), attachments=(Attachment(label="Program record", record_id="doc1"),)
    )
    clinic.save_draft(msgspec.structs.replace(kept, pa_request=msgspec.json.encode(form)))
    clinic.set_draft_status(number, "approved", by="R. Lee, CPhT", when=NOON)
    pa("case", "open", "--draft", str(number))
    refused = pa("case", "submit", "1")
    assert refused.code == 2 and "lacks Program record" in refused.err and "--why" in refused.err
    assert shown(pa, "case", "show", "1")["state"] == "reviewed"
    assert pa("case", "submit", "1", "--why", "the plan has it from last year").code == 0
    assert shown(pa, "case", "show", "1")["state"] == "submitted"


def test_a_pended_request_is_corrected_within_its_time_and_not_after(pa: Pa, clinic: Store) -> None:
    begin(pa, clinic)
    early = pa("draft", "P001", "Ozempic", "--corrects", "1")
    assert early.code == 2 and "is submitted, not pended" in " ".join(early.err.split())
    pended = ("pended", "--notice", "2026-09-01", "--reference", "Q-17", "--deadline", "2026-09-20")
    pa("case", "record", "1", *pended)
    body = shown(pa, "draft", "P001", "Ozempic", "--corrects", "1")
    said = Path(body["files"]["letter"]).read_text()
    assert "It corrects our request of September 1, 2026 (your reference Q-17)" in said
    other = pa("draft", "P003", "Ozempic", "--corrects", "1")
    assert other.code == 2 and "is about Ozempic for P001" in " ".join(other.err.split())
    late = pa("draft", "P001", "Ozempic", "--corrects", "1", "--as-of", "2026-12-30")
    assert late.code == 2 and "ended on 2026-09-20" in " ".join(late.err.split())


FIRST_DENIAL = """Cascade Health
Notice of denial

Date: September 1, 2026
Member: Maria Gomez
Reference: CH-1

We have denied your request for Ozempic. Metformin has to be tried for 90 days first.
You may appeal within 180 days of receipt of this notice.
"""


def test_the_same_letter_is_one_denial_however_often_it_comes_in(
    pa: Pa, clinic: Store, tmp_path: Path
) -> None:
    begin(pa, clinic)
    file, copy = tmp_path / "denial.txt", tmp_path / "again.txt"
    file.write_text(FIRST_DENIAL)
    copy.write_text(FIRST_DENIAL + "\n(faxed a second time)\n")
    entered = pa("case", "letter", "1", str(file))
    assert entered.code == 0, entered.err
    pa("case", "record", "1", "appealed", "--channel", "fax")
    for came in (file, copy):
        body = shown(pa, "case", "letter", "1", str(came))
        assert (body["state"], body["changed"]) == ("appealed(internal)", False)
    late = pa("case", "record", "1", "upheld", "--notice", "2026-08-31")
    assert late.code == 2 and "is it the letter that was appealed?" in " ".join(late.err.split())


def test_nothing_higher_is_advised_while_an_appeal_is_pending(pa: Pa, clinic: Store, tmp_path: Path) -> None:
    begin(pa, clinic)
    file = tmp_path / "denial.txt"
    file.write_text(FIRST_DENIAL)
    pa("case", "letter", "1", str(file))
    before = shown(pa, "appeal", "plan", "1", "--denial", str(file))
    assert {"appeal", "gather", "resubmit"} & {step["kind"] for step in before["steps"]}
    pa("case", "record", "1", "appealed", "--channel", "fax")
    (step,) = shown(pa, "appeal", "plan", "1", "--denial", str(file))["steps"]
    assert step["kind"] == "wait" and step["level"] == "internal" and step["by"]
    refused = pa("appeal", "draft", "1", "--denial", str(file))
    assert refused.code == 2 and "filed and not decided" in " ".join(refused.err.split())
