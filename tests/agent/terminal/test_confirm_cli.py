"""`pa confirm`: the door through which a note's words come into the chart."""

from __future__ import annotations

from typing import Any

import pytest

from tests.agent.conftest import Pa, run_pa
from tools.store import Store

CASE = ("--drug", "Ozempic")
NOTE = (
    "A1c 9.1 % on 08/10/2026. Metformin 1/1/2025 to 6/1/2025, inadequate response. Mother failed metformin."
)


@pytest.fixture
def pa(tiny: Store) -> Pa:
    """On the tiny world, where P002 has a note that shows what the chart lacks."""
    assert run_pa("chart", "add", "P002", "note", NOTE, "--date", "2026-08-20").code == 0
    return run_pa


def listed(pa: Pa) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pa("confirm", "P002", *CASE, "--json").json["leads"]
    return found


def of(leads: list[dict[str, Any]], criterion: str) -> str:
    (lead,) = [lead["id"] for lead in leads if criterion in lead["criteria"]]
    return str(lead)


def test_leads_are_listed_and_shown_with_the_check(pa: Pa) -> None:
    leads = listed(pa)
    assert {name for lead in leads for name in lead["criteria"]} == {"a1c", "metformin"}
    assert "pa confirm P002" in pa("confirm", "P002", *CASE).out
    assert of(leads, "a1c") in pa("check", "P002", "Ozempic").out
    checked = pa("check", "P002", "Ozempic", "--json").json
    assert [lead["id"] for lead in checked["leads"]] == [lead["id"] for lead in leads]


def test_what_is_confirmed_is_a_record_with_its_provenance(pa: Pa) -> None:
    lead = of(listed(pa), "a1c")
    done = pa("confirm", "P002", lead, *CASE, "--by", "kim", "--json").json
    assert (done["entered"]["record"]["value"], done["entered"]["by"]) == (9.1, "kim")
    kept = done["provenance"]["record"]
    assert (kept["topic"], kept["by"]) == (f"note:{lead}", "kim")
    assert "added-1[0:24]" in kept["text"]
    assert "A1c 9.1 % on 08/10/2026." in kept["text"]
    found = pa("check", "P002", "Ozempic", "--json").json
    assert [finding["status"] for finding in found["findings"] if finding["criterion"] == "a1c"] == ["met"]
    assert lead not in [left["id"] for left in found["leads"]]


def test_all_of_it_confirmed_the_case_is_decided_anew(pa: Pa) -> None:
    leads = listed(pa)
    pa("confirm", "P002", of(leads, "a1c"), *CASE)
    done = pa("confirm", "P002", of(leads, "metformin"), *CASE, "--json").json
    assert done["outcome_before"] == "needs_documentation"
    assert done["outcome"] in ("ready", "needs_documentation")
    assert done["entered"]["record"]["outcome"] == "Inadequate response"


def test_twice_is_once(pa: Pa) -> None:
    lead = of(listed(pa), "a1c")
    pa("confirm", "P002", lead, *CASE, "--by", "kim")
    _, before, _ = pa("chart", "log", "P002")
    code, out, _ = pa("confirm", "P002", lead, *CASE, "--by", "lee")
    assert (code, "confirmed by kim" in out) == (0, True)
    assert pa("chart", "log", "P002")[1] == before


def test_a_confirmation_that_was_cut_short_is_not_entered_twice(pa: Pa) -> None:
    lead = of(listed(pa), "a1c")
    pa("confirm", "P002", lead, *CASE)
    log = pa("chart", "log", "P002", "--json").json
    provenance = next(entry["id"] for entry in log if entry["record"].get("topic") == f"note:{lead}")
    pa("chart", "undo", str(provenance))
    pa("confirm", "P002", lead, *CASE)  # the value now meets the criterion, so there may be no such lead
    log = pa("chart", "log", "P002", "--json").json
    assert sum(entry["part"] == "observations" for entry in log) == 1


def test_undone_is_offered_again(pa: Pa) -> None:
    lead = of(listed(pa), "a1c")
    entered = pa("confirm", "P002", lead, *CASE, "--json").json["entered"]
    pa("chart", "undo", str(entered["number"]))
    assert lead in [left["id"] for left in listed(pa)]


def test_a_dry_run_shows_and_keeps_nothing(pa: Pa) -> None:
    lead = of(listed(pa), "a1c")
    _, before, _ = pa("chart", "log", "P002")
    code, out, _ = pa("confirm", "P002", lead, *CASE, "--dry-run")
    assert (code, "Would enter" in out, "9.1" in out) == (0, True, True)
    assert pa("chart", "log", "P002")[1] == before
    assert lead in [left["id"] for left in listed(pa)]


def test_rejected_is_kept_and_not_offered_again(pa: Pa) -> None:
    lead = of(listed(pa), "a1c")
    code, out, _ = pa("confirm", "P002", lead, *CASE, "--reject", "--by", "kim")
    assert (code, "pa chart undo" in out) == (0, True)
    assert lead not in [left["id"] for left in listed(pa)]
    code, out, _ = pa("confirm", "P002", lead, *CASE)
    assert (code, "rejected by kim" in out) == (0, True)


def test_what_the_note_leaves_open_is_asked_for(pa: Pa) -> None:
    pa("chart", "add", "P003", "note", "Outside A1c of 9.1 % a while ago.", "--date", "2026-08-20")
    lead = of(pa("confirm", "P003", *CASE, "--json").json["leads"], "a1c")
    code, _, err = pa("confirm", "P003", lead, *CASE)
    assert (code, err.count("\n"), "--date" in err) == (2, 1, True)
    code, _, err = pa("confirm", "P003", lead, *CASE, "--date", "2026-08-10")
    assert code == 0, err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("P002", "L00000", *CASE), "no lead 'L00000'"),
        (("P999", *CASE), "P999"),
        (("P002",), "--drug"),
        (("P002", "--drug", "Ozempik"), "Ozempic"),
        (("P002", "L1", *CASE, "--reject", "--dry-run"), "--dry-run"),
    ],
)
def test_errors_are_one_line(pa: Pa, words: tuple[str, ...], said: str) -> None:
    code, _, err = pa("confirm", *words)
    assert (code, err.count("\n"), said in err) == (2, 1, True), err


def test_a_sentence_against_a_record_is_listed_and_can_be_rejected(pa: Pa) -> None:
    note = ("note", "Does not have type 2 diabetes.", "--date", "2026-08-20")
    assert pa("chart", "add", "P001", *note).code == 0
    (against,) = pa("confirm", "P001", *CASE, "--json").json["against"]
    assert against["quote"] == "Does not have type 2 diabetes."
    said = pa("confirm", "P001", *CASE).out
    assert f"{against['id']}  " in said and "speaks against the record" in said
    code, _, error = pa("confirm", "P001", against["id"], *CASE, "--by", "R. Lee")
    assert code == 2 and "--reject" in error
    code, out, _ = pa("confirm", "P001", against["id"], *CASE, "--reject", "--by", "R. Lee")
    assert code == 0 and "is rejected" in out and "needs_documentation → ready" in out
    assert pa("confirm", "P001", *CASE, "--json").json["against"] == []
    again = pa("confirm", "P001", against["id"], *CASE, "--reject", "--by", "R. Lee")
    assert again.out.count("nothing to do") == 1
