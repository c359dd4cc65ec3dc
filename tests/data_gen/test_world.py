"""A world on disk: the same bytes whoever makes it, whole or not at all."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import IO

import msgspec
import polars as pl
import pytest

from data_gen import parquet, world
from data_gen.catalog_loader import our_catalog
from data_gen.setting import AS_OF
from data_gen.world import Maker, Order, Span, generate, spans
from tools.common.errors import Invalid, Refused, Unavailable
from tools.domain.records import Patient
from tools.engine.eligibility import plans_on

ROOT = Path(__file__).parents[2]


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def patients_of(first: int, last: int, seed: int = 42) -> list[bytes]:
    maker = Maker(our_catalog(), seed, AS_OF, "jsonl")
    return [line for span in spans(first, last) for line in maker.text(span).patients.split(b"\n")]


def test_the_committed_world_is_what_the_generator_makes(tmp_path: Path) -> None:
    generate(Order(count=21, also=(41,), out=tmp_path / "world", labels=tmp_path / "labels.jsonl"))
    made, committed = bytes_of(tmp_path / "world"), bytes_of(ROOT / "mock_data")
    assert sorted(made) == sorted(committed)
    assert [name for name in made if made[name] != committed[name]] == []
    assert (tmp_path / "labels.jsonl").read_bytes() == (ROOT / "evals/labels/seed42.jsonl").read_bytes()


def test_each_plan_has_an_active_member_in_the_committed_world() -> None:
    people = msgspec.json.decode((ROOT / "mock_data" / "patients.json").read_bytes(), type=list[Patient])
    assert {plan for patient in people for plan in plans_on(patient, AS_OF)} == set(our_catalog().plans)


def test_a_later_patient_who_comes_too_is_the_same_person(tmp_path: Path) -> None:
    made = generate(Order(count=3, also=(41,), out=tmp_path / "w", format="jsonl"))
    lines = (tmp_path / "w" / "patients.jsonl").read_bytes().splitlines()
    assert lines == [*patients_of(0, 3), *patients_of(40, 41)]
    assert made.patients == made.added == 4 and made.dataset.also == (41,)
    with pytest.raises(Refused, match="beyond its first"):
        generate(Order(count=2, out=tmp_path / "w", append=True))


@pytest.mark.slow
@pytest.mark.parametrize("format", ["json", "jsonl"])
def test_the_same_seed_makes_the_same_world_in_any_number_of_processes(
    tmp_path: Path, format: world.Format
) -> None:
    for workers in (1, 2):
        generate(Order(count=1030, out=tmp_path / str(workers), format=format, workers=workers))
    assert bytes_of(tmp_path / "1") == bytes_of(tmp_path / "2")
    lines = (tmp_path / "1" / f"patients.{format}").read_bytes().splitlines()
    if format == "jsonl":
        assert lines == patients_of(0, 1030)


def test_another_seed_makes_other_patients() -> None:
    assert not set(patients_of(0, 30)) & set(patients_of(0, 30, seed=43))


@pytest.mark.parametrize("index", [0, 19, 1003, 123_456])
def test_a_patient_is_the_same_alone_as_among_many(index: int) -> None:
    alone = patients_of(index, index + 1)
    begin = index // 1000 * 1000
    assert alone == patients_of(begin, index + 20)[index - begin : index - begin + 1]


def test_ids_have_at_least_three_digits() -> None:
    ids = [msgspec.json.decode(line, type=Patient).id for line in patients_of(997, 1001)]
    assert ids == ["P998", "P999", "P1000", "P1001"]


@pytest.mark.parametrize(
    ("format", "first", "count"),
    [("json", 15, 40), ("jsonl", 15, 40), ("parquet", 300, 400), ("parquet", 170, 400)],
)
def test_appending_makes_what_one_run_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: world.Format, first: int, count: int
) -> None:
    monkeypatch.setattr(parquet, "PART", 150)  # so that few patients fill several parts
    order = Order(count=first, out=tmp_path / "grown", format=format, labels=tmp_path / "labels", workers=1)
    generate(order)
    generate(msgspec.structs.replace(order, count=count - first, append=True))
    whole = tmp_path / "whole"
    generate(msgspec.structs.replace(order, count=count, out=whole, labels=tmp_path / "whole-labels"))
    assert bytes_of(tmp_path / "grown") == bytes_of(whole)
    assert (tmp_path / "labels").read_bytes() == (tmp_path / "whole-labels").read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [({"seed": 7}, "the seed of .* is 42, not 7"), ({"as_of": date(2026, 10, 1)}, "the as-of date of")],
)
def test_appending_to_another_world_is_refused(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    generate(Order(count=3, out=tmp_path / "w"))
    before = bytes_of(tmp_path / "w")
    order = msgspec.structs.replace(Order(count=2, out=tmp_path / "w", append=True), **change)
    with pytest.raises(Refused, match=message):
        generate(order)
    assert bytes_of(tmp_path / "w") == before


@pytest.mark.parametrize(
    ("format", "file"), [("json", "patients.json"), ("parquet", "patients/part-00000.parquet")]
)
def test_appending_to_an_edited_file_is_refused(tmp_path: Path, format: world.Format, file: str) -> None:
    generate(Order(count=3, out=tmp_path / "w", format=format))
    path = tmp_path / "w" / file
    path.write_bytes(path.read_bytes()[:-1] + b" ")
    with pytest.raises(Refused, match=rf"{path.name} is not as dataset\.json describes it"):
        generate(Order(count=2, out=tmp_path / "w", append=True))


def test_appending_to_nothing_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="pa generate"):
        generate(Order(count=2, out=tmp_path / "none", append=True))


def test_a_run_that_dies_leaves_the_old_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generate(Order(count=3, out=tmp_path / "w"))
    before = bytes_of(tmp_path)

    def dies(self: Maker, span: Span, file: IO[bytes]) -> bytes:
        file.write(b"half a pat")
        raise KeyboardInterrupt

    monkeypatch.setattr(Maker, "write", dies)
    with pytest.raises(KeyboardInterrupt):
        generate(Order(count=5, out=tmp_path / "w"))
    assert bytes_of(tmp_path) == before


def test_a_place_that_cannot_be_written_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="can't write the world"):
        generate(Order(count=3, out=tmp_path / "file" / "w"))


def test_another_format_takes_the_place_of_the_first_and_holds_the_same_patients(tmp_path: Path) -> None:
    folder = tmp_path / "w"
    generate(Order(count=20, out=folder, format="json"))
    whole = msgspec.json.decode((folder / "patients.json").read_bytes(), type=list[Patient])
    generate(Order(count=20, out=folder, format="jsonl"))
    lines = (folder / "patients.jsonl").read_text().splitlines()
    assert whole == [msgspec.json.decode(line, type=Patient) for line in lines]
    generate(Order(count=20, out=folder, format="parquet"))
    assert pl.read_parquet(folder / "patients" / "part-00000.parquet")["record"].to_list() == lines
    assert not [*folder.glob("patients.json*")]
    generate(Order(count=3, out=folder, format="jsonl"))
    assert not [*(folder / "patients").glob("*")] and not (folder / "patients.json").exists()


def test_every_file_has_its_hash_in_dataset_json(tmp_path: Path) -> None:
    made = generate(Order(count=3, out=tmp_path / "w", labels=tmp_path / "labels"))
    found = bytes_of(tmp_path / "w")
    del found["dataset.json"]
    assert made.dataset.files == {name: hashlib.sha256(body).hexdigest() for name, body in found.items()}
    assert made.dataset.labels == hashlib.sha256((tmp_path / "labels").read_bytes()).hexdigest()
    assert made.dataset.counts["policies"] == sum(name.startswith("policies/") for name in found)


def test_labels_stand_nowhere_in_the_world(tmp_path: Path) -> None:
    generate(Order(count=20, out=tmp_path / "w", labels=tmp_path / "labels"))
    whole = b"".join(bytes_of(tmp_path / "w").values())
    assert b'"kind":"one_document_away"' not in whole and b'"truth"' not in whole


def test_progress_reaches_the_number_asked_for(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    generate(Order(count=1200, out=tmp_path / "w", format="jsonl", workers=1), lambda *at: seen.append(at))
    assert seen == [(1000, 1200), (1200, 1200)]
