"""Proofs that something is in a log, or begins it, checked after RFC 9162 by somebody who has heads and no log."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

EMPTY = sha256(b"").digest()


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], expected: bytes) -> bool:
    """Whether the path shows that a tree of this size and root has this leaf at this index (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for one in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = _node(one, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = _node(found, one)
        at, last = at >> 1, last >> 1
    return last == 0 and found == expected


def is_consistent(earlier: int, before: bytes, size: int, now: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that a tree of this size and root begins with the earlier one (RFC 9162, 2.1.4.2)."""
    if earlier == size:
        return before == now and not proof
    if earlier == 0:
        return before == EMPTY and not proof
    if not 0 < earlier < size:
        return False
    path = list(proof) if earlier & (earlier - 1) else [before, *proof]
    if not path:
        return False
    at, last = earlier - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for one in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = _node(one, old), _node(one, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = _node(new, one)
        at, last = at >> 1, last >> 1
    return last == 0 and old == before and new == now


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()
