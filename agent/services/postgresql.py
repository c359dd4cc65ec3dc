"""PostgreSQL: a cluster of its own from the system's binaries, with the strictest of ordinary settings."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
from functools import cached_property
from pathlib import Path
from typing import Any

from agent.services import ledger as kept
from agent.services.service import Service, tail
from tools.errors import Unavailable

DEBIAN = Path("/usr/lib/postgresql")
USER = DATABASE = "paladin"
TUNING = "-c shared_buffers=256MB -c max_wal_size=4GB"  # a load writes much at once
INSTALL = "no PostgreSQL here: apt-get install --no-install-recommends postgresql-17"


class PostgreSQL(Service):
    """Reached by password over TCP on loopback only; no socket file, whose path may be too long for one."""

    name, title = "postgresql", "PostgreSQL"
    variable, test_variable = "PALADIN_DATABASE_URL", "PALADIN_TEST_POSTGRES"
    usual_port = 55432

    def find(self) -> Path:
        """The folder of the newest version's programs."""
        versions = [path for path in DEBIAN.glob("*/bin") if (path / "initdb").exists()]
        if versions:
            return max(versions, key=lambda path: float(path.parent.name))
        found = shutil.which("initdb")
        if found is None:
            raise Unavailable(INSTALL)
        return Path(found).resolve().parent

    def runs(self) -> bool:
        if not self.port or not self._there():
            return False
        return self._run("pg_ctl", "status", "-D", str(self.data), check=False).returncode == 0

    def start(self) -> None:
        if not self._there():
            self._make()
        settings = (
            f"-p {self.port} -c listen_addresses={kept.LOOPBACK} -c unix_socket_directories='' {TUNING}"
        )
        log = self.data / "server.log"
        done = self._run(
            "pg_ctl", "start", "-w", "-D", str(self.data), "-l", str(log), "-o", settings, check=False
        )
        if done.returncode:
            raise Unavailable(f"PostgreSQL did not start: {tail(log)}")
        self._make_database()

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "-w", "-m", "fast", "-D", str(self.data))

    def url(self) -> str:
        return f"postgresql+psycopg://{USER}:{self.ledger.password}@{self.where}/{DATABASE}"

    @cached_property
    def data(self) -> Path:
        """Where the cluster lies. PostgreSQL refuses root, and the user it then runs as can't be relied on to
        reach a folder of root's: it gets one in its own home."""
        if self._user is None:
            return self.folder
        mark = hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
        return Path(self._user.pw_dir) / f"paladin-{mark}"

    @cached_property
    def _user(self) -> pwd.struct_passwd | None:
        """Whom it runs as, if not as ourselves."""
        if os.geteuid():
            return None
        try:
            return pwd.getpwnam("postgres")
        except KeyError:
            raise Unavailable(f"PostgreSQL refuses root and there is no user postgres; {INSTALL}") from None

    def _there(self) -> bool:
        return (self.data / "PG_VERSION").exists()

    def _make(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        secret = self.data.with_name(f"{self.data.name}.password")
        kept.private(secret, self.ledger.password.encode())
        if self._user:
            for path in (self.data, secret):
                os.chown(path, self._user.pw_uid, self._user.pw_gid)
        options = ("--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8", "--locale=C.UTF-8")
        try:
            self._run("initdb", "-D", str(self.data), "-U", USER, *options)
        finally:
            secret.unlink()

    def _make_database(self) -> None:
        """The database itself, in a cluster that was just made."""
        command = ("-h", kept.LOOPBACK, "-p", str(self.port), "-U", USER)
        listed = self._run("psql", *command, "-Atc", "SELECT datname FROM pg_database", "postgres")
        if DATABASE not in listed.stdout.split():
            self._run("createdb", *command, DATABASE)

    def _run(self, program: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        rights: dict[str, Any] = {}
        if self._user:
            rights = {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
        # a server that pg_ctl leaves behind would hold a pipe open for ever
        heard = subprocess.DEVNULL if program == "pg_ctl" else subprocess.PIPE
        done = subprocess.run(
            [str(self.find() / program), *arguments],
            cwd="/",
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "PGPASSWORD": self.ledger.password,
                "LC_ALL": "C",
            },
            stdin=subprocess.DEVNULL,
            stdout=heard,
            stderr=heard,
            text=True,
            check=False,
            **rights,
        )
        if check and done.returncode:
            raise Unavailable(f"{program} failed: {' '.join((done.stderr or '').split()) or done.returncode}")
        return done
