"""What the doors of the audit share: heads are signed by this home's key, and kept in it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from agent.runtime.home import make_home, now
from agent.runtime.settings import Settings
from tools.audit.heads import Head, keep_heads, read_heads, sign
from tools.audit.merkle import root
from tools.audit.verification import Verified, verify
from tools.common.errors import Invalid
from tools.store.store import Store

KEY, HEADS = "audit.key", "audit-heads.jsonl"


def head(store: Store, settings: Settings, *, also: Path | None = None) -> Head:
    """The log as it is, signed, and kept in the home and in one more file if one is named."""
    leaves = store.audit_leaves()
    make_home(settings.home)
    made = sign(Head(size=len(leaves), root=root(leaves).hex(), at=now()), settings.home / KEY)
    for path in (settings.home / HEADS, *([also] if also else ())):
        keep_heads(path, [made])
    return made


def held_against(store: Store, settings: Settings, files: Iterable[Path] = ()) -> Verified:
    """The log and the store against every head that the home and these files hold; Invalid if a file holds none."""
    kept = settings.home / HEADS
    heads = read_heads(kept) if kept.exists() else []
    for path in files:
        found = read_heads(path)
        if not found:
            raise Invalid(f"{path} holds no head; `pa audit head --to {path}` writes one")
        heads += found
    return verify(store, heads)
