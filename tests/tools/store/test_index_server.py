"""The policy index on a Chroma server: the same hits as on disk, shared, and words where the server is gone."""

from __future__ import annotations

import logging
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests import servers, worlds
from tools.common.errors import Invalid
from tools.queries import policies
from tools.store import Store, index, index_server
from tools.store.load import load

QUESTIONS = ("which lab value is needed?", "how long must metformin be tried?", "how many pens a month?")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of the installed package; skipped where it does not start."""
    folder = tmp_path_factory.mktemp("chroma")
    program = shutil.which("chroma", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip("no chroma program is installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [program, "run", "--path", str(folder / "data"), "--host", "127.0.0.1", "--port", str(port)]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=folder, stdout=quiet, stderr=quiet)
    try:
        if not _answers(port, process):
            pytest.skip("the chroma server does not start here")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return True
    return False


@pytest.fixture(autouse=True)
def nothing_open() -> Iterator[None]:
    index_server.forget()
    yield
    index_server.forget()
    index.forget()


def hits(store: Store) -> list[list[str]]:
    return [
        [
            f"{hit.clause_id} {hit.score:.3f} {hit.by}"
            for hit in policies.search(store, "CASCADE-GOLD", "Ozempic", ask)
        ]
        for ask in QUESTIONS
    ]


def test_the_server_answers_as_the_disk_does_and_stores_with_the_same_policies_share_it(
    tiny: Store, folder: Path, server: str, tmp_path: Path
) -> None:
    count = index.ensure(tiny)
    on_disk = hits(tiny)
    tiny.chroma_url = server
    assert "words" in hits(tiny)[0][0], "there is no index on the server yet"
    assert index.ensure(tiny) == count == index.ensure(tiny)
    assert hits(tiny) == on_disk
    other = Store.create(f"sqlite:///{tmp_path}/other.db")
    load(other, folder)
    other.chroma_url = server
    assert hits(other) == on_disk
    assert index.rebuild(other) == count
    assert hits(other) == hits(tiny) == on_disk, "the one that took its place is found by both"
    other.close()


def test_other_policies_are_another_index(tiny: Store, server: str, tmp_path: Path) -> None:
    tiny.chroma_url = server
    index.ensure(tiny)
    world = worlds.tiny_world()
    clauses = (*worlds.CLAUSES[:-1], msgspec.structs.replace(worlds.CLAUSES[-1], text="Other words."))
    text = "\n".join(f"{one.id} {one.text}" for one in clauses)
    policy = msgspec.structs.replace(worlds.policy(), clauses=clauses, text=text)
    load(tiny, worlds.write_world(tmp_path / "changed", world._replace(policies=(policy,))), mode="replace")
    assert "words" in hits(tiny)[0][0], "the index of the former policies is not theirs"
    index.ensure(tiny)
    assert "meaning" in hits(tiny)[0][0]


def test_without_the_server_clauses_are_found_by_words_and_nobody_waits(
    tiny: Store, caplog: pytest.LogCaptureFixture
) -> None:
    with servers.nobody() as host:
        tiny.chroma_url = f"http://{host}"
        began = time.monotonic()
        with caplog.at_level(logging.WARNING, logger="tools.queries.policies"):
            assert all(hit.endswith("words") for found in hits(tiny) for hit in found)
        assert time.monotonic() - began < 30
    assert "does not answer" in caplog.text


def test_a_url_that_is_none_is_bad_input(tiny: Store) -> None:
    tiny.chroma_url = "127.0.0.1:8000"
    with pytest.raises(Invalid, match="http://127"):
        index.ensure(tiny)
