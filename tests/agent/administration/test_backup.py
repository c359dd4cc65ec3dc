"""All that a home holds in one file, and back."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tarfile
from pathlib import Path
from threading import Event, Thread

import pytest
from fastapi.testclient import TestClient
from pytest import MonkeyPatch

from agent.administration.backup import read_backup
from agent.runtime.home import working_in
from tests.agent.conftest import Cases, Pa
from tools.common.errors import Invalid


@pytest.fixture
def taken(pa: Pa, cases: Cases, tmp_path: Path) -> Path:
    """A backup of a home with a draft that was approved."""
    case = cases["ready"]
    assert pa("draft", case.patient_id, case.drug).code == 0
    assert pa("review", "1", "--approve", "--by", "R. Lee, CPhT").code == 0
    assert pa("audit", "head").code == 0
    ran = pa("backup", str(tmp_path / "kept.tar"))
    assert ran.code == 0, ran
    return tmp_path / "kept.tar"


def test_what_was_backed_up_is_restored_with_its_papers_and_its_log(pa: Pa, taken: Path, home: Path) -> None:
    shutil.rmtree(home)
    ran = pa("restore", str(taken))
    assert ran.code == 0, ran
    assert pa("review", "1", "--json").out.count('"approved"') >= 1
    assert "held against 1 heads: whole" in pa("audit", "verify").out
    assert pa("replay", "1").code == 0
    assert (home / "paladin.db").stat().st_mode & 0o077 == 0 and home.stat().st_mode & 0o077 == 0


def test_it_is_restored_into_another_home_whose_drafts_name_their_papers_there(
    pa: Pa, taken: Path, home: Path, tmp_path: Path, monkeypatch: MonkeyPatch
) -> None:
    shutil.rmtree(home)
    monkeypatch.setenv("PALADIN_HOME", str(tmp_path / "elsewhere"))
    assert pa("restore", str(taken)).code == 0
    assert pa("audit", "verify").code == 0


def test_a_home_that_is_there_is_moved_aside_only_if_somebody_says_so(
    pa: Pa, taken: Path, home: Path
) -> None:
    refused = pa("restore", str(taken))
    assert refused.code == 2 and "--replace" in refused.err
    assert pa("restore", str(taken), "--replace").code == 0
    aside = list(home.parent.glob("home.before-*"))
    assert len(aside) == 1 and (aside[0] / "paladin.db").exists()


def test_nothing_is_put_back_under_a_server_that_is_at_work_and_its_sessions_do_not_come_back(
    pa: Pa, taken: Path, home: Path, api: TestClient
) -> None:
    assert api.get("/health").status_code == 200
    refused = pa("restore", str(taken), "--replace")
    assert refused.code == 2 and "at work in" in refused.err and not list(home.parent.glob("home.before-*"))
    api.app.state.context.close()  # type: ignore[attr-defined]
    assert pa("restore", str(taken), "--replace").code == 0
    with sqlite3.connect(home / "paladin.db") as connection:
        said = connection.execute("SELECT what FROM audit_events ORDER BY number DESC").fetchall()
    assert ("session.ended",) in said


@pytest.mark.parametrize("nth", [1, 2, 3], ids=["before the first", "between", "before the last"])
@pytest.mark.parametrize("command", ["restore", "encrypt"])
def test_killed_between_two_renames_a_home_is_whole_at_the_next_start(
    pa: Pa, taken: Path, home: Path, command: str, nth: int
) -> None:
    given = {"restore": [str(taken), "--replace"], "encrypt": ["--key", str(home.parent / "key")]}[command]
    if command == "encrypt":
        pytest.importorskip("sqlcipher3")
    trap = (
        "import sys; from pathlib import Path; from agent import cli; from evals.proofs.kills.traps import trapped;"
        f"Path.rename = trapped(Path.rename, {nth}, 'before'); cli.app({[command, *given]!r})"
    )
    assert subprocess.run([sys.executable, "-c", trap], cwd=Path(__file__).parents[3]).returncode == -9
    assert home.exists() == (nth != 2)
    ran = pa("audit", "verify")
    assert ran.code == 0 and "whole" in ran.out, ran
    assert len(list(home.parent.glob("home.before-*"))) == (nth == 3)
    assert (home / "encryption.json").exists() == (command == "encrypt" and nth == 3)
    assert pa("review", "1", "--json").out.count('"approved"') >= 1 and (home / "drafts").is_dir()


def test_nothing_is_made_whole_while_what_replaces_it_is_at_work(pa: Pa, taken: Path, home: Path) -> None:
    waiting = home.rename(home.with_name("home.switching"))
    with working_in(waiting, alone=True):
        ran = pa("review", "1")
    assert ran.code == 2 and "at work in" in ran.err and not home.exists()
    assert pa("review", "1").code == 0


@pytest.mark.parametrize("damage", ["a byte", "cut off", "another file"])
def test_a_damaged_backup_is_refused_and_the_home_stays(pa: Pa, taken: Path, home: Path, damage: str) -> None:
    content = bytearray(taken.read_bytes())
    if damage == "a byte":
        content[len(content) // 2] ^= 1
    elif damage == "cut off":
        content = content[: len(content) // 2]
    else:
        content = bytearray(b"not a tar")
    taken.write_bytes(content)
    before = (home / "paladin.db").read_bytes()
    ran = pa("restore", str(taken), "--replace")
    assert ran.code == 2 and ran.err.count("\n") == 1, ran
    assert (home / "paladin.db").read_bytes() == before and not list(home.parent.glob("home.before-*"))


def test_a_file_that_would_leave_the_folder_is_no_part_of_a_backup(taken: Path, tmp_path: Path) -> None:
    evil = tmp_path / "evil.tar"
    with tarfile.open(taken) as good, tarfile.open(evil, "w") as tar:
        for member in good:
            if member.name == "paladin.db":
                member.name = "../../outside.db"
            tar.addfile(member, good.extractfile(member))
    with pytest.raises(Invalid, match=r"outside\.db is not what was backed up"):
        read_backup(evil, tmp_path / "into")
    assert not (tmp_path / "outside.db").exists()


def test_it_is_taken_while_others_write(pa: Pa, home: Path, tmp_path: Path, cases: Cases) -> None:
    done = Event()

    def write() -> None:
        with sqlite3.connect(home / "paladin.db", timeout=30) as connection:
            connection.execute("CREATE TABLE beside (n INTEGER)")
            while not done.is_set():
                connection.execute("INSERT INTO beside VALUES (1)")
                connection.commit()

    writer = Thread(target=write)
    writer.start()
    try:
        assert pa("backup", str(tmp_path / "kept.tar")).code == 0
    finally:
        done.set()
        writer.join()
    read_backup(tmp_path / "kept.tar", tmp_path / "into")
    with sqlite3.connect(tmp_path / "into" / "paladin.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
