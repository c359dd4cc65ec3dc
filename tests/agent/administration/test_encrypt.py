"""A home that is encrypted: it is read as ever by whoever has the key, and by nobody else."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from fastapi.testclient import TestClient
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring

from agent.administration import encryption
from agent.administration.audit import held_against
from agent.api.app import create_app
from agent.runtime.settings import read_settings
from agent.runtime.stores import open_store
from tests.agent.conftest import Cases, Pa
from tests.sheets import pdf
from tools.common import sealed
from tools.common.errors import Unavailable

pytest.importorskip("sqlcipher3")
BY = ("--by", "R. Lee, CPhT")


@pytest.fixture
def name(pa: Pa, cases: Cases, home: Path) -> str:
    """What a patient is called of whom an encrypted home has a draft, an attachment and a conversation."""
    one, paper = cases["ready"], home.parent / "paper.pdf"
    store = open_store(read_settings())
    called = store.patient(one.patient_id).family
    store.close()
    paper.write_bytes(pdf(f"A lab report of {called}"))
    lab = ("--kind", "lab", "--date", "2026-08-30", "--about", "hba1c")
    for command in (
        ("attach", one.patient_id, str(paper), *lab, *BY),
        ("draft", one.patient_id, one.drug),
        ("chat", "--patient", one.patient_id, "--model", "offline", "What is missing?"),
        ("audit", "head"),
    ):
        ran = pa(*command)
        assert ran.code == 0, ran
    assert found_in(home, called)
    ran = pa("encrypt", "--key", str(home.parent / "key"))
    assert ran.code == 0, ran
    return called


def found_in(home: Path, text: str) -> list[str]:
    return [str(path) for path in home.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


@pytest.mark.slow
def test_nothing_that_lies_in_an_encrypted_home_says_of_whom_it_is(name: str, home: Path) -> None:
    assert found_in(home, name) == []
    assert (home.parent / "key").stat().st_mode & 0o077 == 0
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(home / "paladin.db").execute("SELECT 1 FROM patients")
    (aside,) = home.parent.glob("home.before-*")
    assert found_in(aside, name), "as it was, it is there until somebody removes it"


def test_whoever_has_the_key_goes_on_as_ever_and_what_is_added_is_encrypted_too(
    pa: Pa, name: str, home: Path, cases: Cases, tmp_path: Path
) -> None:
    one = cases["ready"]
    assert "held against 1 heads: whole" in pa("audit", "verify").out
    assert json.loads(pa("chat", "--list", "--json").out)[0]["turns"] == 1
    talk = json.loads(pa("chat", "--list", "--json").out)[0]["id"]
    assert pa("chat", "--resume", talk, "--model", "offline", "And when was the last HbA1c?").code == 0
    assert pa("review", "1", "--set", "npi=2345678902", *BY).code == 0
    assert pa("draft", one.patient_id, one.drug, "--out", str(tmp_path / "out")).code == 0
    assert b"%PDF" in next((tmp_path / "out").glob("*-form.pdf")).read_bytes()[:8], (
        "handed out, it is readable"
    )
    with TestClient(create_app(read_settings()), "http://localhost") as api:
        assert api.get("/api/drafts/1/files/letter_pdf").content.startswith(b"%PDF")
        assert api.get(f"/api/patients/{one.patient_id}").status_code == 200
    assert pa("review", "1", "--approve", "--reason", "as the office has it", *BY).code == 0
    assert pa("replay", "1").code == 0 and pa("graph", "shortest", one.patient_id).code == 0
    assert found_in(home, name) == [] and found_in(home, "2345678902") == []


def test_a_backup_of_it_is_encrypted_and_brings_it_back(
    pa: Pa, name: str, home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "kept.tar"
    assert pa("backup", str(file)).code == 0
    assert name.encode() not in file.read_bytes()
    shutil.rmtree(home)
    assert pa("restore", str(file)).code == 0
    assert "held against 1 heads: whole" in pa("audit", "verify").out


def test_without_its_key_it_is_closed_and_no_other_key_is_made(pa: Pa, name: str, home: Path) -> None:
    key = home.parent / "key"
    key.rename(home.parent / "away")
    sealed._derived.cache_clear()
    ran = pa("review", "1")
    assert ran.code == 3 and "its key is not at" in ran.err and not key.exists()
    key.write_text("00" * 32)
    sealed._derived.cache_clear()
    ran = pa("review", "1")
    assert ran.code == 3 and "cannot be read" in ran.err
    with pytest.raises(Unavailable, match="cannot be opened with the key"):
        sealed.read(next((home / "drafts").rglob("*-letter.txt")))


def test_a_sealed_paper_that_was_changed_is_found(name: str, home: Path) -> None:
    paper = next((home / "drafts").rglob("*-letter.txt"))
    content = bytearray(paper.read_bytes())
    content[-1] ^= 1
    paper.write_bytes(content)
    settings = read_settings()
    store = open_store(settings)
    assert "gone or another one" in held_against(store, settings).problems[0]
    store.close()


def test_what_does_not_come_out_as_it_was_leaves_the_home_as_it_is(
    pa: Pa, home: Path, cases: Cases, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pa("draft", cases["ready"].patient_id, cases["ready"].drug).code == 0
    with monkeypatch.context() as patched:
        patched.setattr(encryption.sealed, "write", lambda path, content: None)
        ran = pa("encrypt", "--key", str(home.parent / "key"))
    assert ran.code == 3 and "stays as it was" in ran.err
    assert not (home / sealed.FILE).exists() and pa("audit", "verify").code == 0


def test_a_key_in_the_home_a_second_time_and_a_store_elsewhere_are_refused(
    pa: Pa, name: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "already" in pa("encrypt", "--key", str(home.parent / "other")).err
    (home / sealed.FILE).unlink()
    assert "lies in the home" in pa("encrypt", "--key", str(home / "key")).err
    monkeypatch.setenv("PALADIN_DATABASE_URL", f"sqlite:///{home.parent / 'x.db'}")
    assert pa("encrypt", "--key", str(home.parent / "other")).code == 2
    assert not (home.parent / "other").exists()


class Keyring(KeyringBackend):
    """Of a system: it keeps what it is told."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))


@pytest.fixture
def system_keyring() -> Iterator[Keyring]:
    before, made = keyring.get_keyring(), Keyring()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


def test_the_systems_keyring_has_the_key_and_without_it_the_home_is_closed(
    pa: Pa, home: Path, cases: Cases, system_keyring: Keyring
) -> None:
    assert pa("draft", cases["ready"].patient_id, cases["ready"].drug).code == 0
    ran = pa("encrypt", "--keyring")
    assert ran.code == 0, ran
    (key,) = system_keyring.kept.values()
    assert len(bytes.fromhex(key)) == 32 and found_in(home, key) == []
    assert pa("review", "1").code == 0 and "whole" in pa("audit", "verify").out
    system_keyring.kept.clear()
    sealed._derived.cache_clear()
    closed = pa("review", "1")
    assert closed.code == 3 and "the system's keyring holds no key" in closed.err and not system_keyring.kept


def test_where_no_keyring_is_the_home_stays_as_it_is_and_a_line_says_so(
    pa: Pa, home: Path, system_keyring: Keyring
) -> None:
    keyring.set_keyring(NoKeyring())
    ran = pa("encrypt", "--keyring")
    assert ran.code == 3 and "keyring cannot be used" in ran.err and not (home / sealed.FILE).exists()
    assert pa("encrypt").code == pa("encrypt", "--keyring", "--key", str(home.parent / "key")).code == 2
