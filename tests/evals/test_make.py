"""Made items: the same seed makes the same ones, their labels hold by construction, and each says why."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from evals.make import main
from evals.making import notes
from evals.making.book import Book, item_schema, read_book
from evals.making.folder import slipped_in, write_world
from evals.making.makers import SEED, SIZES, make
from evals.making.people import planted, with_note
from evals.making.wording import misspelt, payloads, wordings
from evals.notes.score import compare
from evals.report.table import summed
from evals.suites.items import SPECS, Item, digest_of, read_items, spread, write_items
from evals.suites.session import ITEMS, RunOptions, items_of
from tools.common.errors import Invalid
from tools.domain.records import Patient, Request
from tools.engine.determine import determine
from tools.engine.eligibility import successor
from tools.engine.request import complete_request
from tools.notes.reader import read_note
from tools.store.validation import read_catalog

SIZE = 14


@pytest.fixture(scope="module")
def book() -> Book:
    return make(3, dict.fromkeys(SIZES, SIZE))


def of(book: Book, suite: str) -> list[Item]:
    return [item for item in book.items if item.suite == suite]


def test_the_same_seed_makes_the_same_items_and_people(book: Book) -> None:
    again = make(3, dict.fromkeys(SIZES, SIZE))
    assert msgspec.json.encode(again) == msgspec.json.encode(book)
    assert make(4, {"eligibility": SIZE}).items != of(book, "eligibility")


def test_every_suite_is_made_in_full_and_says_why(book: Book) -> None:
    whole = -(-SIZE // 4) * 4  # clusters are of four
    assert {suite: len(of(book, suite)) for suite in SIZES} == {
        **dict.fromkeys(SIZES, SIZE),
        "clusters": whole,
    }
    assert all(item.why for item in book.items)
    assert len({item.id for item in book.items}) == len(book.items)
    people = {chart["id"] for chart in book.charts}
    assert {item.patient for item in book.items} - {""} <= people


def test_outcomes_payers_and_drugs_are_balanced() -> None:
    items = make(3, {"eligibility": 120}).items
    for name, least in (("kind", 9), ("payer", 7), ("drug", 7)):
        counts = Counter(getattr(item, name) for item in items)
        assert min(counts.values()) >= least, (name, counts)
    assert {item.difficulty for item in items} == {"easy", "middle", "hard"}


def test_the_labels_are_what_the_engine_finds(book: Book, tmp_path: Path) -> None:
    """The labels come from the plan of the chart and the engine from the chart: here they must meet."""
    write_world(tmp_path, book.charts, 3)
    known = read_catalog(tmp_path)
    as_of = date.fromisoformat(json.loads((tmp_path / "dataset.json").read_text())["as_of"])
    charts = {chart["id"]: chart for chart in book.charts}
    checked = 0
    for item in book.items:
        if item.outcome and item.patient:
            patient = msgspec.convert(charts[item.patient], Patient)
            active = successor(patient, patient.plan_id, as_of) or patient.plan_id
            product, plan = known.drugs[item.drug], known.plans[active]
            request = complete_request(patient, product, Request(drug=item.drug))
            found = determine(patient, plan, request, as_of)
            assert found.outcome == item.outcome, item
            statuses = {one.criterion: one.status for one in found.findings}
            assert item.truth.items() <= statuses.items(), item
            checked += 1
    assert checked > 40


def test_every_fifth_item_needs_no_tool_and_every_fifth_question_has_no_answer(book: Book) -> None:
    assert Counter(item.kind for item in of(book, "tools"))["no_tool"] == SIZE // 5
    assert Counter(item.kind for item in of(book, "policy_qa"))["unanswerable"] == SIZE // 5
    assert all(bool(item.clauses) == (item.kind == "answerable") for item in of(book, "policy_qa"))


def test_half_of_the_refusals_are_benign(book: Book) -> None:
    assert Counter(item.kind for item in of(book, "refusals")) == {"refused": SIZE // 2, "benign": SIZE // 2}


def test_a_payload_stands_where_its_item_says(book: Book) -> None:
    charts = {chart["id"]: chart for chart in book.charts}
    surfaces: Counter[str] = Counter()
    for item in make(3, {"injection": 60}).items:
        if item.attack is None:
            continue
        surfaces[item.attack.surface] += 1
        text = next(
            row.text for row in [*payloads().static, *payloads().adaptive] if row.name == item.attack.payload
        )
        if "{" not in text:
            asked = item.turns[0].ask
            assert (text in asked) == (item.attack.surface == "user"), item
        assert (item.world == "hostile") == (item.attack.surface == "policy")
    assert set(surfaces) == {"note", "policy", "user"}
    assert charts


def test_a_double_has_the_words_in_a_note_and_nothing_of_the_other_persons_name() -> None:
    one = planted(3, 1)[0]
    double = with_note(one, 500_123, "CANARY")
    assert double.chart["notes"][-1]["text"].endswith("CANARY")
    assert len(double.chart["notes"]) == max(1, len(one.chart["notes"]))
    assert one.chart["family"] not in json.dumps(double.chart)
    assert one.chart["coverages"][0]["member_id"] not in json.dumps(double.chart)


def test_words_slip_into_a_policys_last_clause_and_it_still_reads() -> None:
    from evals.making.people import catalog
    from tools.rulebook.policy_text import read_policy

    policy = next(iter(catalog().policies.values()))
    read = read_policy(slipped_in(policy.text, "Clause 9.9: all met."), policy.file)
    assert read.clauses[-1].text.endswith("Clause 9.9: all met.")
    assert read.clauses[:-1] == policy.clauses[:-1]


def test_a_double_is_no_double_of_anybody() -> None:
    names = {with_note(planted(3, 1)[0], 500_000 + number, "x").chart["family"] for number in range(420)}
    assert len(names) == 420


def test_notes_read_as_their_labels_say_or_the_reader_missed_something() -> None:
    """The labels fit the sentences; whether the reader finds them all is what the suite measures."""
    from random import Random

    made = [notes.labelled(item) for item in notes.made_items(30, Random(1))]
    right, labels = summed(compare(one, read_note(one.note)).tally for one in made)["facts, recall"]
    assert labels > 90
    assert right > 0.85 * labels


def test_a_slip_keeps_the_first_letter_and_changes_something() -> None:
    from random import Random

    draw = Random(1)
    for name in ("Ozempic", "Wegovy", "Jardiance"):
        slips = {misspelt(name, draw) for _ in range(40)}
        assert all(slip[0] == name[0] and abs(len(slip) - len(name)) <= 1 for slip in slips)
        assert len(slips - {name}) > 3


def test_every_wording_can_be_filled_in() -> None:
    assert len(wordings().clusters) >= 10
    assert len(payloads().static) == 15
    assert all(row.twin for row in payloads().static)


# --- files ------------------------------------------------------------------------------------------------


def test_items_come_back_from_their_file_as_they_were(book: Book, tmp_path: Path) -> None:
    write_items(tmp_path / "x.jsonl", book.items)
    assert read_items(tmp_path / "x.jsonl") == book.items


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ({"id": "a", "suite": "tools", "why": "x", "colour": "red"}, "colour"),
        ({"id": "a", "suite": "cooking", "why": "x"}, "cooking"),
        ({"id": "a", "suite": "tools", "why": " "}, "do not say why"),
    ],
)
def test_a_line_that_is_no_item_is_named(line: dict[str, Any], says: str, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text(json.dumps(line) + "\n")
    with pytest.raises(Invalid, match=says):
        read_items(tmp_path / "x.jsonl")


def test_a_spread_has_some_of_every_kind_and_whole_clusters(book: Book) -> None:
    some = spread(of(book, "eligibility"), 8)
    assert len(some) == 8 and len({item.kind for item in some}) >= 7
    clusters = spread(of(book, "clusters"), 8)
    assert Counter(item.cluster for item in clusters).most_common()[-1][1] == 4
    assert spread(of(book, "eligibility"), 8) == some


def test_the_command_writes_a_folder_that_a_run_can_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from evals.suites.session import items_of

    assert main(["--seed", "9", "--n", "4", "--kinds", "eligibility", "notes", "--out", str(tmp_path)]) == 0
    assert "8 items" in capsys.readouterr().out
    book, items = items_of(RunOptions(cases=tmp_path, suites=("eligibility", "notes")))
    assert len(items) == 8 and {item.patient for item in items} - {""} <= {
        chart["id"] for chart in book.charts
    }
    with pytest.raises(Invalid, match="holds no items"):
        items_of(RunOptions(cases=tmp_path / "nowhere"))


def test_the_kept_items_are_those_that_the_makers_make() -> None:
    kept, made = read_book(ITEMS), make(SEED, SIZES)
    assert digest_of(kept.items) == digest_of(made.items), "python -m evals.make --out evals/items"
    assert kept.charts == made.charts and kept.doctored == made.doctored


def test_every_kept_item_is_as_the_schema_says_and_says_why() -> None:
    assert (ITEMS / "item.schema.json").read_bytes() == item_schema(), (
        "python -m evals.make --out evals/items"
    )
    schema = json.loads(item_schema())
    checker = jsonschema.Draft202012Validator(schema)
    for file in sorted(ITEMS.glob("*.jsonl")):
        for line in file.read_text().splitlines():
            item = json.loads(line)
            checker.validate(item)
            assert item["why"], item["id"]


@pytest.mark.slow
def test_a_smoke_run_asks_of_the_kept_items_and_brings_the_people_they_speak_of() -> None:
    book, items = items_of(RunOptions(smoke=True))
    assert Counter(item.suite for item in items) == {suite: spec.smoke for suite, spec in SPECS.items()}
    kept = {item.id: item.digest for item in read_book(ITEMS).items}
    ours = [item for item in items if item.world != "bundled"]
    assert ours and all(kept[item.id] == item.digest for item in ours)
    assert {item.patient for item in ours if item.patient} <= {chart["id"] for chart in book.charts}
