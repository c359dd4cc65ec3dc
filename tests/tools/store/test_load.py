"""Loading: everything is checked before anything is written, and the message says where to look."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import msgspec
import pytest
import yaml

from tests import worlds
from tools.common.errors import Invalid, NotFound, Refused
from tools.domain.records import Note, Observation
from tools.store import Store
from tools.store.load import load


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path.name} has no {old!r}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def contents(store: Store) -> list[object]:
    patients = [store.patient(row.id) for row in store.find_patients(limit=100)]
    return [patients, store.plans(), store.drugs(), store.forms(), store.policies(), store.dataset()]


def test_a_loaded_world_reads_back_as_it_was(store: Store, folder: Path) -> None:
    report = load(store, folder)
    world = worlds.tiny_world()
    counts = report.patients, report.added, report.plans, report.policies
    assert (report.did, counts) == ("loaded", (3, 3, 1, 1))
    assert store.patient("P001") == world.patients[0]
    assert store.patient("P003").medications is None, "an unknown list stays unknown"
    assert store.plan("cascade-gold") == world.plans[0]
    assert store.drugs() == list(world.drugs)
    assert store.policy("CASCADE-GOLD", "Ozempic") == world.policies[0]
    assert store.policy("CASCADE-GOLD", "Wegovy") is None
    assert store.form("CASCADE-GOLD") == world.forms[0]
    assert store.dataset().as_of == date(2026, 9, 1)


def test_loading_the_same_world_again_changes_nothing(tiny: Store, folder: Path) -> None:
    before = contents(tiny)
    assert load(tiny, folder).did == "unchanged"
    assert load(tiny, folder, mode="replace").did == "unchanged"
    assert contents(tiny) == before


# --- damage: (what is done to the files, what the message must name) -------------------------------------

DAMAGE: dict[str, tuple[str, Callable[[str], str], list[str]]] = {
    "truncated": ("patients.json", lambda text: text[:-300], ["patients.json:4", "record 3", "cut off"]),
    "truncated after a record": (
        "patients.json",
        lambda text: text.rsplit(",\n", 1)[0],
        ["patients.json:3", "cut off"],
    ),
    "text after the end": ("patients.json", lambda text: text + "{}", ["patients.json:6", "after the end"]),
    "not a list": ("patients.json", lambda text: "{}", ["patients.json:1:1", "begins with ["]),
    "empty": ("patients.json", lambda text: "", ["patients.json:1:1", "cut off"]),
    "number of many digits": (
        "patients.json",
        lambda text: text.replace('"value":8.4', '"value":' + "9" * 5000, 1),
        ["patients.json:2", "record 1", "not valid JSON"],
    ),
    "nested without end": (
        "patients.json",
        lambda text: text.replace('"value":8.4', '"value":' + "[" * 100_000, 1),
        ["patients.json:2", "record 1", "nested too deeply"],
    ),
}
REPLACED = yaml.safe_load(Path(__file__).with_name("damage.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("file", "old", "new", "named"), [pytest.param(*row[1:], id=row[0]) for row in REPLACED]
)
def test_a_damaged_value_is_named_and_changes_nothing(
    tiny: Store, folder: Path, file: str, old: str, new: str, named: list[str]
) -> None:
    rewrite(folder / file, old, new)
    refused(tiny, folder, named)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_named_and_changes_nothing(tiny: Store, folder: Path, damage: str) -> None:
    file, harm, named = DAMAGE[damage]
    text = (folder / file).read_text(encoding="utf-8")
    (folder / file).write_text(harm(text), encoding="utf-8")
    refused(tiny, folder, named)


def test_a_file_that_is_not_utf_8_is_named_and_changes_nothing(tiny: Store, folder: Path) -> None:
    path = folder / "patients.json"
    path.write_bytes(path.read_bytes().replace(b"Maria", b"Mar\xeda"))
    refused(tiny, folder, ["patients.json", "UTF-8", "byte"])


def refused(tiny: Store, folder: Path, named: list[str]) -> None:
    before = contents(tiny)
    worlds.describe(folder)
    with pytest.raises(Invalid) as caught:
        load(tiny, folder, mode="replace")
    assert [word for word in named if word not in str(caught.value)] == [], str(caught.value)
    assert contents(tiny) == before


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('"as_of":"2026-09-01"', '"as_of":"September"', ["as_of", "'September'", "YYYY-MM-DD"]),
        ('"as_of":"2026-09-01",', "", ["`as_of`"]),
        ('"seed":42', '"seed":"42"', ["seed", "'42'"]),
        ("}", "", ["not valid JSON"]),
    ],
)
def test_a_damaged_manifest_is_named(
    store: Store, folder: Path, old: str, new: str, named: list[str]
) -> None:
    rewrite(folder / "dataset.json", old, new)
    with pytest.raises(Invalid) as caught:
        load(store, folder)
    assert [word for word in ("dataset.json:1", *named) if word not in str(caught.value)] == []


def test_a_record_that_is_longer_than_a_block_is_read(store: Store, tmp_path: Path) -> None:
    long = msgspec.structs.replace(worlds.p001(), notes=(Note(id="n", date=None, text='ñ, \\ " ' * 700_000),))
    world = worlds.tiny_world()._replace(patients=(long, worlds.p002()))
    load(store, worlds.write_world(tmp_path / "long", world))
    assert store.patient("P001") == long
    assert store.patient("P002") == worlds.p002()


def test_a_byte_order_mark_and_windows_line_ends_are_let_pass(store: Store, folder: Path) -> None:
    path = folder / "patients.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    worlds.describe(folder)
    assert load(store, folder).patients == 3


@pytest.mark.parametrize("suffix", ["json", "jsonl"])
def test_a_file_that_is_cut_anywhere_is_refused_or_whole(store: Store, tmp_path: Path, suffix: str) -> None:
    """Cut after every 7th byte: an error that names the file, never a traceback, never a part of it loaded."""
    whole = worlds.write_world(tmp_path / "whole", suffix=suffix) / f"patients.{suffix}"
    data = whole.read_bytes()
    ends = {-1, len(data) - 1, *(at for at, byte in enumerate(data) if byte == 10)}  # of lines
    for cut in range(0, len(data), 7):
        whole.write_bytes(data[:cut])
        worlds.describe(whole.parent)
        if suffix == "jsonl" and {cut, cut - 1} & ends:
            continue
        with pytest.raises(Invalid, match=rf"patients\.{suffix}:\d+"):
            load(store, whole.parent)
    assert store.count_patients() == 0


def test_the_line_of_a_hand_formatted_file_is_the_one_that_is_wrong(store: Store, folder: Path) -> None:
    path = folder / "patients.json"
    path.write_bytes(msgspec.json.format(path.read_bytes()))
    rewrite(path, '"2026-02-13"', '"13.2.2026"')
    worlds.describe(folder)
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if "13.2.2026" in text)
    with pytest.raises(Invalid, match=rf"patients\.json:{line}:.*observations\[0\]\.date.*'13\.2\.2026'"):
        load(store, folder)


def test_a_valid_file_that_was_edited_needs_trust(store: Store, folder: Path) -> None:
    rewrite(folder / "patients.json", '"value":8.4', '"value":7.4')
    with pytest.raises(Refused, match=r"patients\.json.*--trust"):
        load(store, folder)
    assert store.count_patients() == 0
    report = load(store, folder, trust=True)
    assert report.trusted == ("patients.json",)
    assert store.patient("P001").observations[0].value == 7.4
    assert load(store, folder).did == "unchanged"


def test_lines_that_are_cut_off_whole_are_missed(store: Store, tmp_path: Path) -> None:
    folder = worlds.write_world(tmp_path / "lines", suffix="jsonl")
    lines = (folder / "patients.jsonl").read_text().splitlines(keepends=True)
    (folder / "patients.jsonl").write_text("".join(lines[:2]))
    with pytest.raises(Refused, match="There are 2 patients, and 3 were made"):
        load(store, folder)


def test_a_file_that_the_manifest_names_must_be_there(store: Store, folder: Path) -> None:
    (folder / "policies" / "CASCADE-GOLD-OZEMPIC.txt").unlink()
    with pytest.raises(Invalid, match=r"dataset\.json names policies/CASCADE-GOLD-OZEMPIC\.txt"):
        load(store, folder)


def test_an_empty_folder_says_what_makes_a_world(store: Store, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="pa generate"):
        load(store, tmp_path)


# --- modes ------------------------------------------------------------------------------------------------


def more(folder: Path) -> Path:
    """The tiny world with a fourth patient."""
    world = worlds.tiny_world()
    fourth = msgspec.structs.replace(worlds.p001(), id="P004", given="Eve")
    return worlds.write_world(folder, world._replace(patients=(*world.patients, fourth)))


def test_another_world_needs_to_be_told_whether_to_append_or_replace(tiny: Store, tmp_path: Path) -> None:
    other = more(tmp_path / "more")
    with pytest.raises(Refused, match=r"--append.*--replace"):
        load(tiny, other)
    assert tiny.count_patients() == 3


def test_append_adds_who_is_new_and_touches_nobody_else(tiny: Store, tmp_path: Path) -> None:
    report = load(tiny, more(tmp_path / "more"), mode="append")
    assert (report.did, report.added, report.patients) == ("appended", 1, 4)
    assert tiny.patient("P004").given == "Eve"


def test_append_refuses_another_person_under_the_same_id(tiny: Store, tmp_path: Path) -> None:
    world = worlds.tiny_world()
    changed = world._replace(patients=(msgspec.structs.replace(worlds.p001(), given="Eve"),))
    with pytest.raises(Refused, match=r"P001 differs.*--replace"):
        load(tiny, worlds.write_world(tmp_path / "other", changed), mode="append")


def test_append_refuses_other_rules(tiny: Store, tmp_path: Path) -> None:
    world = worlds.tiny_world()
    plan = msgspec.structs.replace(worlds.plan(), phone="800-555-0100")
    with pytest.raises(Refused, match=r"plans differ"):
        load(tiny, worlds.write_world(tmp_path / "other", world._replace(plans=(plan,))), mode="append")


def test_replace_keeps_imported_charts_and_drops_the_former_world(tiny: Store, tmp_path: Path) -> None:
    imported = worlds.imported(tiny, msgspec.structs.replace(worlds.p002(), id="", source="fhir:1"))
    world = worlds.tiny_world()._replace(patients=(worlds.p001(),))
    report = load(tiny, worlds.write_world(tmp_path / "one", world), mode="replace")
    assert (report.did, report.patients, report.imported) == ("replaced", 1, 1)
    assert tiny.patient(imported.id).family == "Smith"
    with pytest.raises(NotFound):
        tiny.patient("P002")


def test_an_addition_never_moves_to_somebody_else_who_gets_the_id(tiny: Store, tmp_path: Path) -> None:
    tiny.add_chart_entry(worlds.addition("P001", Observation(id="x", test="hba1c", value=7.1, unit="%")))
    somebody_else = msgspec.structs.replace(worlds.p001(), given="Eve")
    world = worlds.tiny_world()._replace(patients=(somebody_else,))
    report = load(tiny, worlds.write_world(tmp_path / "other", world), mode="replace")
    assert report.resting == 1
    assert tiny.patient("P001") == somebody_else


# --- a load that dies ------------------------------------------------------------------------------------

CHILD = """
import sys, time
from tests import worlds
sys.modules["tools.rulebook.policy_text"] = worlds.policy_reader()
from tools.store import Store
from tools.store.load import load
def progress(stage, done, expected):
    if f"{stage} {done}" == sys.argv[3]:
        print("here", flush=True)
        time.sleep(60)
load(Store.open(sys.argv[1]), sys.argv[2], mode="replace", progress=progress)
"""


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """The world of two thousand others."""
    crowd = tuple(msgspec.structs.replace(worlds.p002(), id=f"P{n:03}") for n in range(1, 2001))
    return worlds.write_world(tmp_path / "crowd", worlds.tiny_world()._replace(patients=crowd))


@pytest.mark.slow
@pytest.mark.parametrize("stop_at", ["checking 500", "writing 500", "writing 1500", "writing 2000"])
def test_a_killed_load_leaves_the_world_as_it_was(tiny: Store, other: Path, stop_at: str) -> None:
    before = contents(tiny)
    order = [sys.executable, "-c", CHILD, tiny.url, str(other), stop_at]
    child = subprocess.Popen(order, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "here\n"
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert contents(tiny) == before
    assert load(tiny, other, mode="replace").patients == 2000, "and the next load goes through"


@pytest.mark.slow
def test_a_load_killed_at_any_moment_is_all_or_nothing(tiny: Store, other: Path) -> None:
    before = contents(tiny)
    moments = random.Random(7)
    for _ in range(6):
        child = subprocess.Popen([sys.executable, "-c", CHILD, tiny.url, str(other), "nowhere"])
        time.sleep(moments.uniform(0.3, 1.0))
        child.kill()
        child.wait()
        found = tiny.count_patients()
        assert found in (3, 2000)
        if found == 3:
            assert contents(tiny) == before
