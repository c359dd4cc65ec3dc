"""A network of loopback alone, in which whatever a process and its children try to reach is written down."""

from __future__ import annotations

import ipaddress
import os
import re
import shutil
import subprocess
from pathlib import Path
from types import TracebackType

PROGRAMS = ("unshare", "nsenter", "ip", "strace")
CALLS = "connect,sendto,sendmsg,sendmmsg"
ADDRESS = re.compile(
    r'sin6?_port=htons\((?P<port>\d+)\).*?(?:inet_addr\(|inet_pton\(AF_INET6, )"(?P<host>[^"]+)"'
)
RESOLVERS = {53, 853, 5353}  # a resolver on loopback asks elsewhere
RESOLVER_SOCKETS = re.compile(r'sun_path="[^"]*(?:systemd/resolve|avahi)[^"]*"')


class Loopback:
    """A network namespace with loopback alone; needs Linux, strace, iproute2 and the right to make a namespace.

    Args:
        log: a folder for what strace writes, a file for each command.
    """

    def __init__(self, log: Path) -> None:
        self.log, self._commands = log, list[str]()
        log.mkdir(exist_ok=True)

    def __enter__(self) -> Loopback:
        user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        script = "ip link set lo up && echo up && exec cat"  # until its input is closed
        command = ["unshare", *user, "--net", "sh", "-c", script]
        self._holder = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self._holder.stdout is not None
        self.up = self._holder.stdout.readline() == b"up\n"
        self._enter = ["nsenter", "-t", str(self._holder.pid), "--net"]
        if user:
            self._enter += ["--user", "--preserve-credentials"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._holder.stdin is not None and self._holder.stdout is not None
        self._holder.stdin.close()
        self._holder.stdout.close()
        self._holder.wait(10)

    def watched(self, command: str) -> list[str]:
        """The arguments that run this shell command in the namespace and write down what it tries to reach."""
        log = self.log / f"{len(self._commands)}.strace"
        self._commands.append(command)
        strace = ["strace", "-f", "-qq", "--seccomp-bpf", "-e", f"trace={CALLS}", "-e", "signal=none"]
        return [*self._enter, *strace, "-o", str(log), "sh", "-c", command]

    def attempts(self) -> list[str]:
        """Each address beyond loopback, and each resolver, that a command tried, with the command."""
        found = []
        for number, command in enumerate(self._commands):
            log = self.log / f"{number}.strace"
            for line in log.read_text(errors="replace").splitlines() if log.exists() else ():
                found += [f"{command}: {where}" for where in reached(line)]
        return list(dict.fromkeys(found))


def reached(line: str) -> list[str]:
    """The hosts with their ports that a line of strace shows, but for those of loopback; resolvers always."""
    hosts = [(match["host"], int(match["port"])) for match in ADDRESS.finditer(line)]
    found = [f"{host} port {port}" for host, port in hosts if port in RESOLVERS or not is_loopback(host)]
    return found + [match[0] for match in RESOLVER_SOCKETS.finditer(line)]


def is_loopback(host: str) -> bool:
    """Say whether a host name or an address means this machine."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def unavailable(folder: Path) -> str:
    """Why no command can be watched here; "" where it can."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        return f"{', '.join(missing)} not installed: nothing shows here what leaves loopback"
    with Loopback(folder / "trial") as trial:
        if not trial.up:
            return "this machine allows no network namespace: nothing shows here what leaves loopback"
        ran = subprocess.run(trial.watched("true"), capture_output=True, text=True)
        return "" if ran.returncode == 0 else f"strace cannot trace here: {ran.stderr.strip()[-200:]}"
