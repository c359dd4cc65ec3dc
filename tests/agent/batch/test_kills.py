"""Killed in the middle, resumed, killed again: the short form of `python -m evals.proofs kills`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.batch import lifecycle, requests, results
from agent.batch.checking import Terms
from agent.batch.chunks import work
from agent.batch.drafting import Drafter
from agent.runtime.settings import read_settings
from evals.proofs.kills.batches import different
from tests import servers
from tests.agent.batch.conftest import WHEN, files_of, rows
from tools.store import Store
from tools.store.batches import Batch
from tools.store.load import load

CASES, CHUNK = 15, 3
# In the order in which a batch comes to them; each session gets a little further.
POINTS = [
    ("round is on the queue", 1, "1"),
    ("papers are printed", 2, "1"),
    ("papers are moved, nothing is written", 2, "2"),
    ("results are kept", 2, "1"),
    ("summary is half written", 2, "1"),
    ("batch is to be done", 1, "1"),
]


class Session:
    """`pa batch` in processes of its own, in this test's home."""

    def __init__(self, home: Path, store: Store) -> None:
        self.home, self.store = home, store
        self.log = home.parent / "drafted.log"
        self.requests = home.parent / "requests.csv"
        self.requests.write_bytes(rows(store, CASES))

    def start(self, point: str, nth: int, *args: str, lease: float = 10) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "evals.proofs.kills.child", point, str(nth), str(self.log)]
        return subprocess.Popen(
            [*command, str(CHUNK), str(lease), "batch", *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
            env={**os.environ, "PALADIN_HOME": str(self.home)},
            start_new_session=True,
        )

    def run(self, point: str, nth: int, *args: str) -> tuple[int, str]:
        process = self.start(point, nth, *args)
        out, err = process.communicate(timeout=120)
        return process.returncode, out + err

    def batch(self) -> Batch:
        (found,) = self.store.batches()
        return found


@pytest.fixture
def session(home: Path, store: Store) -> Session:
    return Session(home, store)


@pytest.fixture(scope="module")
def undisturbed(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the same batch, drafted in peace by this process."""
    folder = tmp_path_factory.mktemp("peace")
    shutil.copy(world / "paladin.db", folder / "paladin.db")
    store = Store.open(f"sqlite:///{folder / 'paladin.db'}")
    settings = read_settings({"PALADIN_HOME": str(folder)})
    read = requests.read(rows(store, CASES), "requests.csv")
    planned = lifecycle.plan(store, read, "requests.csv", Terms())
    batch, _ = lifecycle.begin(store, settings, planned, out=folder / "out", when=WHEN)
    work(store, Drafter(store), batch.id, 1, range(CASES), "peace")
    results.finish(store, batch)
    store.close()
    return folder / "out"


@pytest.mark.slow
def test_killed_at_any_point_nothing_is_lost_or_doubled(session: Session, undisturbed: Path) -> None:
    out = session.home.parent / "out"
    args: tuple[str, ...] = ("run", str(session.requests), "--out", str(out))
    for point, nth, workers in POINTS:
        code, said = session.run(point, nth, *args, "--workers", workers)
        assert code == -signal.SIGKILL, (point, said)
        args = ("resume", "1")
    code, said = session.run("-", 1, "resume", "1", "--json")
    assert code == 0, said
    assert json.loads(said)["done"] == CASES
    assert session.batch().state == "done"
    assert len(session.store.batch_results(1)) == CASES
    assert different(undisturbed, out) == []


@pytest.mark.slow
def test_started_twice_it_is_one_batch_and_two_workers(session: Session, undisturbed: Path) -> None:
    out = session.home.parent / "out"
    args = ("run", str(session.requests), "--out", str(out), "--json")
    both = [session.start("-", 1, *args, "--workers", workers) for workers in ("1", "4")]
    told = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert {json.loads(out)["id"] for out, _ in told} == {1}
    assert len(session.store.batch_results(1)) == CASES
    assert different(undisturbed, out) == []


@pytest.mark.slow
def test_a_worker_that_stands_still_is_taken_over_from_and_changes_nothing_when_it_wakes(
    session: Session, undisturbed: Path
) -> None:
    out = session.home.parent / "out"
    args = ("run", str(session.requests), "--out", str(out), "--workers", "1", "--json")
    asleep = session.start("stall: results are to be kept", 1, *args)
    try:
        wait_until_stopped(asleep)
        assert session.store.batch_results(1) == []
        other = session.start("-", 1, "resume", "1", "--workers", "1", "--json", lease=1.5)
        done, err = other.communicate(timeout=120)
        assert other.returncode == 0, err
        assert json.loads(done)["state"] == "done"
        before, results = files_of(out), session.store.batch_results(1)
        os.kill(asleep.pid, signal.SIGCONT)
        said, err = asleep.communicate(timeout=120)
        assert asleep.returncode == 0, err
        assert json.loads(said)["done"] == CASES
    finally:
        asleep.kill()
    assert session.store.batch_results(1) == results
    assert files_of(out) == before
    assert different(undisturbed, out) == []
    assert len(session.log.read_text().splitlines()) > CASES  # it was drafted twice, and counted once


@pytest.mark.slow
def test_on_postgresql_another_worker_takes_over_from_one_that_was_killed(
    home: Path, world: Path, undisturbed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with servers.postgres_database() as url:
        monkeypatch.setenv("PALADIN_DATABASE_URL", url)
        store = Store.create(url)
        load(store, world / "data")
        session = Session(home, store)
        out = home.parent / "out"
        args = ("run", str(session.requests), "--out", str(out), "--workers", "1", "--json")
        code, said = session.run("results are kept", 1, *args)
        assert code == -signal.SIGKILL, said
        code, said = session.run("-", 1, "worker", "--workers", "1", "--idle", "2")
        assert code == 0, said
        assert session.batch().state == "done"
        assert len(store.batch_results(1)) == CASES
        assert different(undisturbed, out) == []
        assert not (home / "queue.db").exists()
        store.close()


def wait_until_stopped(process: subprocess.Popen[str]) -> None:
    for _ in range(600):
        assert process.poll() is None, process.communicate()
        state = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]
        if state == "T":
            return
        time.sleep(0.1)
    raise AssertionError("it never stood still")
