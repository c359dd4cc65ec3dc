from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pytest import MonkeyPatch

from agent import cli
from agent.terminal import world_cli
from tests.agent.conftest import Capture, Cases, Pa, Ran
from tests.servers import free_port, wait_until_it_answers
from tools.common.errors import NotFound, Unavailable
from tools.store import Store

ROOT = Path(__file__).parents[3]
COMMANDS = [
    "generate",
    "describe",
    "catalog",
    "load",
    "index",
    "setup",
    "chart",
    "check",
    "draft",
    "review",
    "fhir",
    "serve",
]


def test_help_lists_every_command_with_a_line(pa: Pa) -> None:
    out = pa("--help").out
    for command in COMMANDS:
        line = next(line for line in out.splitlines() if f" {command} " in line)
        assert len(line.split()) > 4


def test_help_documents_the_exit_codes(pa: Pa) -> None:
    out = " ".join(pa("--help").out.split())
    assert "Exit codes" in out
    for words in ("0 done", "1 the determination differs", "2 bad input", "3 something that is needed"):
        assert words in out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(pa: Pa, command: str) -> None:
    ran = pa(command, "--help")
    assert ran.code == 0
    examples = [line for line in ran.out.splitlines() if f"pa {command}" in line and "Usage:" not in line]
    assert examples or "pa setup" in ran.out


def test_every_section_of_the_manual_is_of_a_command() -> None:
    def calls(command: Any, name: str) -> Iterator[str]:
        yield name
        for word, inner in getattr(command, "commands", {}).items():
            yield from calls(inner, f"{name} {word}")

    sections = set(cli.MANUAL) - {"pa"}
    names = {section.split()[1] for section in sections}
    assert sections <= {call for name in names for call in calls(cli.load_command(name), f"pa {name}")}


def test_a_misspelt_command_is_one_line(pa: Pa) -> None:
    assert pa("chek") == Ran(2, "", "pa: no command 'chek'; did you mean check?\n")


def test_a_fault_of_ours_is_one_line_without_a_traceback(pa: Pa, monkeypatch: MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("of ours")

    monkeypatch.setattr("tools.store.store.Store.open", broken)
    ran = pa("check", "P001", "Ozempic")
    assert ran.code == cli.BUG
    assert ran.err == "pa: this should not happen: ZeroDivisionError: of ours (--debug shows where)\n"


def test_debug_shows_where(home: Path, monkeypatch: MonkeyPatch) -> None:
    (home / "paladin.db").unlink()
    ran = shell("$PA check P001 Ozempic --debug")
    assert "Traceback" in ran.stderr and ran.returncode != 0


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotFound("drug", "Ozempik"), 2),
        (Unavailable("no store"), 3),
        (KeyboardInterrupt(), 130),
        (KeyError("x"), 70),
    ],
)
def test_each_kind_of_error_has_its_exit_code(error: BaseException, code: int) -> None:
    assert cli.report(error) == code


def test_a_message_of_many_lines_is_printed_as_one(capsys: Capture) -> None:
    cli.report(NotFound("drug", "Oz\nempic", hint="a\n\nb"))
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.slow
def test_interrupted_exits_with_130(home: Path) -> None:
    port = free_port()
    command = [pa_script(), "serve", "--port", str(port), "--workers", "1"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert server.stdout and str(port) in server.stdout.readline()
    wait_until_it_answers(port)
    server.send_signal(signal.SIGINT)
    _, errors = server.communicate(timeout=60)
    assert server.returncode in (0, 130) and "Traceback" not in errors


def test_a_reader_who_has_seen_enough_is_no_error(home: Path, cases: Cases) -> None:
    case = cases["ready"]
    command = f"{pa_script()} check {case.patient_id} {case.drug} --json | head -1"
    ran = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_plain_terminal_gets_plain_ascii(home: Path, cases: Cases) -> None:
    case = cases["needs_documentation"]
    plain = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    ran = shell(f"$PA check {case.patient_id} {case.drug}", **plain)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.isascii() and "NEEDS DOCUMENTATION" in ran.stdout and ">= " in ran.stdout


# --- setup, load, index ----------------------------------------------------------------------------------


def test_load_twice_is_loaded_once(pa: Pa, home: Path) -> None:
    assert "Already loaded" in pa("load").out
    assert pa("load", "--json").json["did"] == "unchanged"


def test_another_world_needs_a_word(pa: Pa, tmp_path: Path) -> None:
    other = str(tmp_path / "other")
    assert pa("generate", "5", "--seed", "7", "--out", other).code == 0
    refused = pa("load", other)
    assert refused.code == 2 and "--replace" in refused.err
    assert pa("load", other, "--replace", "--json").json["patients"] == 5
    assert pa("load", other, "--append", "--replace").code == 2


def test_setup_makes_a_world_where_there_is_none_loads_and_indexes_it(
    pa: Pa, home: Path, tmp_path: Path, monkeypatch: MonkeyPatch
) -> None:
    monkeypatch.setenv("PALADIN_HOME", str(tmp_path / "new"))
    monkeypatch.setenv("PALADIN_DATA", str(tmp_path / "new" / "world"))
    monkeypatch.setattr(world_cli, "ensure", lambda store: len(store.policies()))
    ran = pa("setup", "--json")
    assert ran.code == 0, ran.err
    told = ran.json
    assert told["generated"] and told["load"]["patients"] == 20
    assert pa("check", "P001", "Ozempic").code == 0
    assert pa("setup", "--json").json["load"]["did"] == "unchanged"


@pytest.mark.slow
def test_setup_with_a_clinics_catalog_keeps_the_size_and_seed_of_the_world_that_is_there(
    pa: Pa, home: Path, tmp_path: Path, monkeypatch: MonkeyPatch
) -> None:
    world = tmp_path / "world"
    monkeypatch.setenv("PALADIN_HOME", str(tmp_path / "new"))
    monkeypatch.setenv("PALADIN_DATA", str(world))
    monkeypatch.setenv(
        "PALADIN_CATALOG", str(Path(world_cli.__file__).parents[2] / "data_gen/catalog_example")
    )
    monkeypatch.setattr(world_cli, "ensure", lambda store: len(store.policies()))
    assert pa("generate", "33", "--seed", "7", "--format", "jsonl", "--out", str(world)).code == 0
    made = (world / "dataset.json").read_bytes()
    assert pa("setup", "--json").json["load"]["patients"] == 33
    assert (world / "dataset.json").read_bytes() == made


@pytest.mark.parametrize("command", [("review",), ("chart", "undo"), ("fhir", "export")])
def test_a_number_beyond_any_store_is_bad_input(pa: Pa, home: Path, command: tuple[str, ...]) -> None:
    ran = pa(*command, "9" * 25)
    assert (ran.code, ran.err.count("\n")) == (2, 1)


def pa_script() -> str:
    return str(Path(sys.executable).with_name("pa"))


# --- what the surroundings bring ---------------------------------------------------------------------------


def shell(command: str, **more: str) -> subprocess.CompletedProcess[str]:
    """What a shell does with the console script, `$PA`."""
    script = f"{sys.executable} -c 'import agent.cli; agent.cli.main()'"
    settings = {**os.environ, "PA": script, **more}
    return subprocess.run(
        ["sh", "-c", command.replace("$PA", script)], capture_output=True, text=True, timeout=60, env=settings
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here is always full")
@pytest.mark.parametrize("command", ["check P001 Ozempic", "check P001 Ozempic --json", "--help"])
def test_a_full_disk_is_one_line_and_no_fault(home: Path, command: str) -> None:
    ran = shell(f"$PA {command} > /dev/full")
    assert (ran.returncode, ran.stderr) == (3, "pa: no space left on device\n")


def test_a_closed_stdout_takes_nothing_and_breaks_nothing(home: Path) -> None:
    ran = shell("$PA check P001 Ozempic >&-")
    assert (ran.returncode, ran.stderr) == (0, "")
    with closing(sqlite3.connect(home / "paladin.db")) as store:  # the reading is recorded, and nothing else
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert store.execute("SELECT count(*) FROM drafts").fetchone() == (0,)


def test_a_folder_that_is_gone_is_said_to_be_gone(home: Path) -> None:
    ran = shell("mkdir gone && cd gone && rmdir ../gone && $PA check P001 Ozempic", PYTHONPATH=str(ROOT))
    assert (ran.returncode, ran.stderr.count("\n")) == (3, 1)
    assert "is gone; go to another one" in ran.stderr


def test_a_name_that_is_no_utf8_is_refused(home: Path) -> None:
    ran = shell("$PA chart add P001 hba1c 7.4 % --date 2026-08-30 --by \"$(printf 'R\\377 Lee')\"")
    assert (ran.returncode, ran.stderr.count("\n")) == (2, 1)
    assert "not written in UTF-8" in ran.stderr


@pytest.mark.parametrize(
    "args", [("due", "--ics", "--names"), ("draft", "P001", "Ozempic", "--out", "--force")]
)
def test_an_option_is_never_the_value_of_another(pa: Pa, home: Path, args: tuple[str, ...]) -> None:
    ran = pa(*args)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "needs a value before --" in ran.err
    assert not list(Path.cwd().glob("--*"))


def test_a_home_that_cannot_be_written_is_read(
    pa: Pa, home: Path, cases: Cases, monkeypatch: MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.store.database.os.access", lambda folder, mode: False)
    case = cases["ready"]
    checked = pa("check", case.patient_id, case.drug)
    why = "attempt to write a readonly database"
    unrecorded = f"pa: the audit log cannot be written ({why}); what was read was not recorded"
    assert (checked.code, checked.err.splitlines()) == (0, [unrecorded])
    assert {file.name for file in home.iterdir()} == {"paladin.db"}
    ran = pa("chart", "add", case.patient_id, "bmi", "31.2", "kg/m2", "--date", "2026-08-30")
    assert (ran.code, ran.err.splitlines()) == (3, [f"pa: the store cannot be used: {why}"])


@pytest.mark.slow
def test_what_lies_on_disk_is_for_its_owner_alone(home: Path, cases: Cases, tmp_path: Path) -> None:
    case = cases["ready"]
    home.chmod(0o755)
    (home / "paladin.db").chmod(0o644)
    who = case.patient_id
    ran = shell(
        f"umask 000; $PA draft {who} {case.drug} --out {tmp_path}/papers"
        f" && $PA review 1 --reject --reason moved --by me"
        f" && $PA chat --patient {who} 'is she eligible?'"
        f" && $PA due --ics {tmp_path}/due.ics && $PA fhir export {who} --out {tmp_path}/chart.json"
    )
    assert ran.returncode == 0, ran.stderr
    made = [home, *home.rglob("*"), *(tmp_path / "papers").rglob("*")]
    made += [tmp_path / "due.ics", tmp_path / "chart.json"]
    assert {"checkpoints.db", "conversations.db", "paladin.db"} <= {path.name for path in made}
    assert [path for path in made if path.stat().st_mode & 0o077] == []


def test_a_store_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Store.create(f"sqlite:///{tmp_path}/new/paladin.db").close()
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "new").iterdir()} == {0o600}


@pytest.mark.parametrize(
    "command", ["draft {} --out {out}", "chart add {} hba1c 7.4 % --date 2026-08-30", "due --ics {out}"]
)
def test_a_disk_that_takes_no_more_is_one_line_and_no_fault(
    home: Path, cases: Cases, tmp_path: Path, command: str
) -> None:
    case = cases["ready"]
    whom = case.patient_id if command.startswith("chart") else f"{case.patient_id} {case.drug}"
    ran = shell(f"ulimit -f 0; $PA {command.format(whom, out=tmp_path / 'out')}")
    assert (ran.returncode, ran.stderr.count("\n")) == (3, 1), ran.stderr


def test_a_chart_that_is_damaged_is_one_line_and_no_fault(
    pa: Pa, home: Path, api: TestClient, cases: Cases
) -> None:
    one = cases["ready"]
    damaged = "CAST(replace(body, '\"id\"', '\"i`\"') AS BLOB)"
    with closing(sqlite3.connect(home / "paladin.db")) as store, store:
        store.execute(f"UPDATE charts SET body = {damaged} WHERE patient_id = ?", (one.patient_id,))
    ran = pa("check", one.patient_id, one.drug)
    assert (ran.code, ran.err.count("\n")) == (3, 1) and "`pa audit verify`" in ran.err
    told = api.get(f"/api/patients/{one.patient_id}")
    assert told.status_code == 503 and "`pa audit verify`" in told.json()["detail"]
    assert pa("audit", "verify").code == 1


def test_yaml_that_unfolds_without_end_is_refused_in_a_line(pa: Pa, tmp_path: Path) -> None:
    names = "abcdefghij"
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{name}: &{name} [{','.join([f'*{above}'] * 9)}]\n" for above, name in pairwise(names)
    )
    assert len(bomb) < 400
    deep = "{a: " * 900 + "1" + "}" * 900
    for number, text in enumerate((bomb, deep, "[" * 60_000, "#" * 5_000_000)):
        case = tmp_path / f"case{number}.yaml"
        case.write_text(text)
        ran = pa("check", "--case", str(case))
        assert (ran.code, ran.err.count("\n")) == (2, 1), ran.err
        assert len(ran.err) < 300


def test_what_is_nested_too_deeply_is_bad_input(pa: Pa, home: Path) -> None:
    deep = home / "deep.json"
    deep.write_text('{"resourceType":"Bundle","entry":' + "[" * 60_000 + "]" * 60_000 + "}")
    ran = pa("fhir", "import", str(deep), "--dry-run")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
