"""A sample of each proof of trust, and that what is missed is counted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evals.pages import measured
from evals.proofs import audit, homes, stores
from evals.proofs.__main__ import MEASURES
from evals.proofs.kills import sessions, writes
from tools.store.store import Store


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(homes, "PEOPLE", 12)
    monkeypatch.setattr(audit, "PEOPLE", 12)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("part", "count"),
    [("tamperings", 8), ("probes", 60), ("bodies", 20), ("files", 12), ("names", 3), ("replays", 3)],
)
def test_a_sample_holds(part: str, count: int) -> None:
    (found,) = measured(MEASURES[part], {"count": str(count)})
    figures = found["measured"]
    assert count in figures.values() and figures["wrong"] == {}


@pytest.mark.slow
def test_commands_answer_or_refuse_on_full_disks_in_fixed_homes_and_on_damaged_stores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stores, "PEOPLE", 12)
    monkeypatch.setattr(stores, "LEFT", (0,))
    *_, figures = stores.main(flips=1)
    assert figures["cut off: refused in a line"] == figures["commands"] and figures["wrong"] == {}


@pytest.mark.slow
def test_a_change_that_nobody_finds_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Blind:
        problems = ()

    monkeypatch.setattr(audit, "held_against", lambda *_: Blind)
    figures = audit.tamperings(2)
    assert figures["found"] == 0 and sum(figures["wrong"].values()) == 2


@pytest.mark.slow
def test_a_session_that_dies_in_the_middle_of_a_write_is_gone_on_with_and_what_is_doubled_is_told(
    tmp_path: Path,
) -> None:
    unit, other, *_ = sessions.prepared(writes.CAMPAIGN, tmp_path, 1)
    (tmp_path / "work.json").write_text(json.dumps([unit, other]))
    for point in ("import is kept", "key is made", "what is over is taken out, its files are there"):
        assert sessions.session(writes.CAMPAIGN, tmp_path, point, 1) == -9, point
    assert sessions.session(writes.CAMPAIGN, tmp_path, "", 1) == 0
    opened = Store.open(f"sqlite:///{tmp_path / 'paladin.db'}")
    assert [*writes.left_behind(opened, unit), *writes.whole(opened)] == []
    with opened.engine.connect() as connection:
        connection.exec_driver_sql(
            'INSERT INTO chart_entries SELECT 99, patient_id, person, part, record, by, "when", NULL, NULL'
            " FROM chart_entries WHERE id = 1"
        )
    assert list(writes.left_behind(opened, unit)) == ["2 entries of a chart, 1 in the log"]
    assert list(writes.whole(opened)) == ["chart_entries/99 was added past the log"]
    opened.close()
