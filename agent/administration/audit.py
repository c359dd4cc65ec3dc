"""What the doors of the audit share: heads are signed by this home's key, and kept in it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from agent.runtime.home import make_home, now
from agent.runtime.settings import Settings
from tools.audit.heads import Head, keep_heads, read_heads, sign
from tools.audit.merkle import root
from tools.audit.verification import Verified, verify
from tools.common.errors import Invalid
from tools.store.store import Store

KEY, HEADS = "audit.key", "audit-heads.jsonl"


def head(store: Store, settings: Settings, *, also: Path | None = None, key: Path | None = None) -> Head:
    """The log as it is, signed, and kept in the home and in one more file if one is named.

    Args:
        also: the other file, best where nobody who uses Paladin can change it.
        key: another key than the home's, which whoever may write the home could use; made if it is not there.
    """
    leaves = store.audit_leaves()
    make_home(settings.home)
    made = sign(Head(size=len(leaves), root=root(leaves).hex(), at=now()), key or settings.home / KEY)
    for path in (settings.home / HEADS, *([also] if also else ())):
        keep_heads(path, [made])
    return made


def held_against(
    store: Store, settings: Settings, files: Iterable[Path] = (), *, signed_by: str = ""
) -> Verified:
    """The log and the store against every head that the home and these files hold.

    Args:
        files: heads that were kept elsewhere.
        signed_by: the public key, in hexadecimal, by which each head of these files must be signed.

    Raises:
        Invalid: a file holds no head.
    """
    kept = settings.home / HEADS
    heads = read_heads(kept) if kept.exists() else []
    problems = []
    for path in files:
        found = read_heads(path)
        if not found:
            raise Invalid(f"{path} holds no head; `pa audit head --to {path}` writes one")
        if signed_by:
            others = [one for one in found if one.key != signed_by]
            problems += [f"{path}: the head of {one.size} events is not signed by this key" for one in others]
        heads += found
    verified = verify(store, heads)
    return msgspec.structs.replace(verified, problems=(*problems, *verified.problems))
