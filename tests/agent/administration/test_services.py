"""`pa services`: servers on loopback that nobody needs, found where they are and named where they are not."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import msgspec
import pytest
from pytest import MonkeyPatch
from typer.testing import CliRunner

from agent.administration import services
from agent.administration.services import FalkorDB, PostgreSQL, RedisServer, ServiceLedger
from agent.terminal.services_cli import app
from tools.common.atomic import write_atomically

runner = CliRunner()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: MonkeyPatch) -> Path:
    monkeypatch.setenv("PALADIN_HOME", str(tmp_path))
    return tmp_path


def test_a_server_that_is_not_installed_is_named_with_its_package(
    home: Path, monkeypatch: MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "DEBIAN", home / "nowhere")
    monkeypatch.setattr("shutil.which", lambda name: None)
    done = runner.invoke(app, ["up", "postgresql", "redis"])
    assert done.exit_code == 3
    assert "apt-get install --no-install-recommends postgresql-17" in done.stderr
    assert "apt-get install --no-install-recommends redis-server" in done.stderr
    assert done.stdout == ""  # nothing to export


def test_nothing_runs_before_it_is_started(home: Path) -> None:
    done = runner.invoke(app, ["status", "--json"])
    assert {name: one["state"] for name, one in json.loads(done.stdout).items()} == {
        "postgresql": "stopped", "redis": "stopped", "falkordb": "stopped",
    }  # fmt: skip


def test_a_slip_in_a_name_is_answered_with_the_nearest(home: Path) -> None:
    done = runner.invoke(app, ["up", "postgres"])
    assert "did you mean postgresql?" in str(done.exception)


def test_a_port_that_is_taken_is_left_alone(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind((services.LOOPBACK, 0))
        other.listen()
        taken = other.getsockname()[1]
        found = services._free(taken, 0)
    assert found not in (0, taken)


def test_only_the_owner_reads_the_password(tmp_path: Path) -> None:
    written = services.read(tmp_path)
    write_atomically(tmp_path / "services.json", msgspec.json.encode(written))
    assert (tmp_path / "services.json").stat().st_mode & 0o077 == 0
    assert services.read(tmp_path) == written


def test_the_newest_postgresql_is_taken(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    for version in ("9.6", "17", "15"):
        programs = tmp_path / version / "bin"
        programs.mkdir(parents=True)
        (programs / "initdb").touch()
    monkeypatch.setattr(services, "DEBIAN", tmp_path)
    assert PostgreSQL(tmp_path, ServiceLedger(password="x")).find() == tmp_path / "17" / "bin"


@pytest.mark.parametrize("kind", [RedisServer, FalkorDB])
def test_a_server_starts_once_listens_on_loopback_alone_and_stops(
    kind: type[RedisServer], tmp_path: Path
) -> None:
    pytest.importorskip("redis")
    service = kind(tmp_path, ServiceLedger(password="secret"))
    try:
        service.find()
    except services.Unavailable as error:
        pytest.skip(str(error))
    service.usual_port = 0
    try:
        assert service.up().state == "started"
        again = kind(tmp_path, services.read(tmp_path))  # another process
        assert again.up().state == "running"
        assert set(listening_on(service.port)) == {"0100007F"}
    finally:
        service.down()
    assert service.status().state == "stopped"


@pytest.mark.slow
def test_postgresql_starts_for_root_too_and_keeps_its_data(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    import psycopg

    service = PostgreSQL(tmp_path, ServiceLedger(password="secret"))
    try:
        service.find()
    except services.Unavailable as error:
        pytest.skip(str(error))
    service.usual_port = 0
    try:
        assert service.up().state == "started"
        address = service.url().replace("+psycopg", "")
        with psycopg.connect(address) as connection:
            connection.execute("CREATE TABLE kept (n int)")
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(address.replace("secret", "guess"))
        assert set(listening_on(service.port)) == {"0100007F"}
        assert service.down() and service.up().state == "started"
        with psycopg.connect(service.url().replace("+psycopg", "")) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    finally:
        service.down(remove=True)
    assert not service.data.exists()


def listening_on(port: int) -> list[str]:
    """The addresses (hexadecimal, as Linux lists them) at which something listens on this port."""
    found = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            local, state = line.split()[1], line.split()[3]
            address, _, number = local.rpartition(":")
            if state == "0A" and int(number, 16) == port:
                found.append(address)
    return found
