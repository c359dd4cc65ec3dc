"""What was decided can be decided again, from what was known then."""

from __future__ import annotations

from pytest import MonkeyPatch

from tests.agent.conftest import Cases, Pa
from tools.audit.verification import verify
from tools.queries import check
from tools.store import Store


def replayed(pa: Pa, *args: str) -> dict[str, object]:
    found: dict[str, object] = pa("replay", *args, "--json").json
    return found


def test_a_draft_is_decided_again_word_for_word_whatever_became_of_its_chart(
    pa: Pa, cases: Cases, store: Store
) -> None:
    case = cases["ready"]
    pa("draft", case.patient_id, case.drug)
    first = replayed(pa, "1")
    assert first["same"] and first["again"] == "ready" and first["changed"] == []
    pa("chart", "add", case.patient_id, "hba1c", "5.1", "%", "--date", "2026-08-31")
    assert check.check(store, case.patient_id, case.drug).outcome != "ready"
    then = replayed(pa, "1")
    assert then["same"] and then["again"] == "ready" and then["changed"] == ["chart"]
    assert "chart.added" in str(then["since"])
    assert "word for word the same" in pa("replay", "1").out
    assert verify(store).problems == ()


def test_a_revised_draft_is_decided_again_with_its_corrections(pa: Pa, cases: Cases) -> None:
    case = cases["ready"]
    pa("draft", case.patient_id, case.drug)
    assert pa("review", "1", "--set", "Office contact=R. Lee", "--by", "R. Lee, CPhT").code == 0
    found = replayed(pa, "1")
    assert found["same"] and found["changed"] == []


def test_a_case_by_hand_is_decided_again(pa: Pa, cases: Cases) -> None:
    case = cases["needs_documentation"]
    ran = pa("case", "open", case.patient_id, case.drug, "--by", "R. Lee, CPhT")
    assert ran.code == 0, ran
    assert replayed(pa, "--case", "1")["same"]


def test_an_engine_that_decides_otherwise_is_told_by_criterion(
    pa: Pa, cases: Cases, monkeypatch: MonkeyPatch
) -> None:
    import msgspec

    from tools.queries import replay

    case = cases["ready"]
    pa("draft", case.patient_id, case.drug)
    decide = replay.decide

    def stricter(store: check.Catalog, asked: check.Asked) -> object:
        found = decide(store, asked)
        first = msgspec.structs.replace(found.findings[0], status="unknown")
        return msgspec.structs.replace(found, findings=(first, *found.findings[1:]))

    monkeypatch.setattr(replay, "decide", stricter)
    ran = pa("replay", "1")
    assert ran.code == 1 and "met → unknown" in ran.out
