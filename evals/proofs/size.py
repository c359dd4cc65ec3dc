"""How much code trust takes: the lines of what is there for nothing else."""

from __future__ import annotations

from pathlib import Path

from evals.pages import Figures

ROOT = Path(__file__).parents[2]
MOST = 4_000
WHERE = {
    "who, and what they may": (
        "agent/administration/roles.py", "agent/api/identity.py", "agent/api/oidc.py", "agent/api/session.py",
        "agent/runtime/access.py", "agent/terminal/users_cli.py", "tools/store/users.py",
    ),
    "doors": (
        "agent/api/doorkeeper.py", "agent/api/limits.py", "agent/api/serving.py", "agent/runtime/hosts.py",
        "tools/common/printable.py",
    ),
    "files": (
        "agent/administration/backup.py", "agent/administration/encryption.py", "agent/administration/retention.py",
        "agent/runtime/home.py", "agent/terminal/home_cli.py", "agent/terminal/export_cli.py",
        "tools/common/private.py", "tools/common/sealed.py", "tools/fhir/deidentified.py", "tools/store/retention.py",
    ),
    "audit": (
        "agent/administration/audit.py", "agent/terminal/audit_cli.py", "tools/audit/*.py",
        "tools/fhir/audit_events.py", "tools/store/audit.py",
    ),
    "replay": (
        "agent/terminal/replay_cli.py", "tools/queries/replay.py", "tools/store/provenance.py",
        "tools/store/versions.py",
    ),
}  # fmt: skip


def main() -> Figures:
    """Lines of Python, by what they are for."""
    lines = {
        what: sum(len(file.read_text().splitlines()) for pattern in patterns for file in _files(pattern))
        for what, patterns in WHERE.items()
    }
    total = sum(lines.values())
    return {
        **lines,
        f"all of it (aim {MOST:,})": total,
        "wrong": {f"{total - MOST:,} lines more than {MOST:,}": 1} if total > MOST else {},
    }


def _files(pattern: str) -> list[Path]:
    found = sorted(ROOT.glob(pattern))
    assert found, f"{pattern} names no file"
    return found
