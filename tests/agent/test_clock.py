"""A clock that goes back prolongs nothing, loses nothing, and leaves everything in the order in which it was done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.administration import retention
from agent.batch import worker
from agent.cases import casefile
from agent.runtime.settings import read_settings
from tests.agent.conftest import Cases, Pa
from tools.audit.events import Access, Actor
from tools.audit.heads import Head, sign
from tools.audit.merkle import root
from tools.audit.verification import verify
from tools.store import Store
from tools.store.batches import Worker

NOON = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
BACK = NOON - timedelta(hours=3)
LONG_AGO = NOON - timedelta(days=800)


@pytest.mark.parametrize("link", [False, True])
def test_a_session_or_link_of_a_time_that_is_still_to_come_opens_nothing(staffed: Store, link: bool) -> None:
    token = staffed.begin_session("viewer", NOON, link=link)
    opens = staffed.take_link if link else staffed.session
    assert opens(token, BACK) is None
    assert opens(token, NOON - timedelta(minutes=4)), "clocks of several machines differ by as much"


def test_a_session_that_was_used_before_the_clock_went_back_is_idle_no_later(staffed: Store) -> None:
    token = staffed.begin_session("viewer", BACK)
    for minutes in range(20, 200, 20):
        assert staffed.session(token, BACK + timedelta(minutes=minutes)), minutes
    assert staffed.session(token, BACK + timedelta(minutes=1)) is None


def test_the_log_is_in_the_order_of_what_was_done_and_whole(store: Store, tmp_path: Path) -> None:
    clock = NOON
    store.access = lambda: Access(Actor(who="rlee"), lambda: clock)
    store.seal()
    store.note("chart.read", whose="P001")
    leaves = store.audit_leaves()
    head = sign(Head(size=len(leaves), root=root(leaves).hex(), at=NOON), tmp_path / "key")
    clock = BACK
    store.note("chart.read", whose="P002")
    numbers, read = zip(*store.audit_events(), strict=True)
    assert list(numbers) == sorted(numbers) and [one.at for one in read[-2:]] == [NOON, BACK]
    assert [one.whose for one in read[-2:]] == ["P001", "P002"]
    assert verify(store, [head]).problems == ()


def test_a_worker_that_was_last_heard_of_in_a_time_to_come_is_lost() -> None:
    seen = Worker(id="w", host="elsewhere", pid=1, seen=NOON.timestamp())
    assert worker.is_lost(seen, BACK.timestamp())
    assert not worker.is_lost(seen, NOON.timestamp() + 1) and not worker.is_lost(seen, NOON.timestamp() - 1)


def test_entries_of_a_case_stand_in_their_order_and_it_is_kept_by_the_latest(
    pa: Pa, store: Store, cases: Cases, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, by = cases["ready"], ("--by", "R. Lee, CPhT")
    monkeypatch.setattr(casefile, "now", lambda: NOON)
    assert pa("case", "open", one.patient_id, one.drug, *by).code == 0
    monkeypatch.setattr(casefile, "now", lambda: LONG_AGO)
    assert pa("case", "note", "1", "the clock is wrong", *by).code == 0
    assert pa("case", "record", "1", "closed", "--why", "withdrawn", *by).code == 0
    case = store.authorization_case(1)
    assert [event.what for event in case.events] == ["opened", "noted", "closed"] and not case.open
    assert [event.when for event in case.events] == [NOON, LONG_AGO, LONG_AGO]
    (home / "retention.json").write_text('{"cases": 7}')
    seven_years = timedelta(days=7 * 366)
    gone = [
        [over.of for over in retention.apply(store, read_settings(), last + seven_years, by="R. Lee")]
        for last in (LONG_AGO, NOON)
    ]
    assert gone == [[], ["case 1"]]
