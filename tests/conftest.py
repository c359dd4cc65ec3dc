"""What holds for every test: no telemetry, no settings from outside, and nothing leaves loopback."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

import tools  # noqa: F401 - no telemetry, before any library is loaded
from evals.proofs.network import is_loopback

# A server that is named for the tests stays named; see agent/administration/services.py.
for name in [n for n in os.environ if n.startswith("PALADIN_") and not n.startswith("PALADIN_TEST_")]:
    del os.environ[name]
os.environ["MPLBACKEND"] = "Agg"

# How fast examples come is the machine's affair: no property may fail because a neighbour works.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("house", UNHURRIED)
settings.register_profile("house-ci", UNHURRIED, derandomize=True, print_blob=True)
settings.load_profile("house-ci" if os.environ.get("CI") else "house")


class LeftLoopback(RuntimeError):
    """Something tried to reach another machine."""


attempts: list[str] = []


def stop_at_loopback(event: str, args: tuple[Any, ...]) -> None:
    """Refuse connections, datagrams and name look-ups that go elsewhere; unix sockets are at home."""
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        host = args[1][0] if isinstance(args[1], tuple) else None
    elif event in {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}:
        host = args[0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host and not is_loopback(host):
        attempts.append(f"{event} {host}")
        raise LeftLoopback(attempts[-1])


# An audit hook and not a patch: it sees what C code and imports do too, and nothing can undo it.
sys.addaudithook(stop_at_loopback)


@pytest.fixture(autouse=True)
def left_loopback() -> Iterator[list[str]]:
    """Fail the test that tried to leave, even where its code swallowed the refusal."""
    attempts.clear()
    yield attempts
    assert not attempts, f"tried to leave loopback: {attempts}"


@pytest.fixture
def own_time() -> None:
    """For who measures: under a tracer a process's time is not its own."""
    if sys.gettrace() is not None:
        pytest.skip("a tracer takes its time")


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Any]:
    """A store of its own that holds the tiny world of tests.worlds."""
    from tests import worlds  # a second that few tests need

    store = worlds.tiny_store(tmp_path)
    yield store
    store.close()


LONGEST = "test_readme.py"  # under a tracer; begun last, it would run alone while the other processes wait


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The file that takes longest is begun first."""
    items.sort(key=lambda item: item.path.name != LONGEST)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say which servers no test ran on, however quiet the run is."""
    from tests import servers

    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", ())]
    for variable in servers.VARIABLES:
        count = sum(variable in reason for reason in skipped)
        if count:
            terminalreporter.write_line(
                f'{count} tests skipped: {variable} names no server; eval "$(pa services up --tests)" starts one'
            )
