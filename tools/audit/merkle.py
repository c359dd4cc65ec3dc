"""A Merkle tree over a log, after RFC 6962: its root says what the whole log is, and short proofs show that an entry is
in it and that a longer log begins with a shorter one. Who checks one needs no Paladin: RFC 9162, 2.1.3.2 and 2.1.4.2.

The library that is kept up for it is under the GPL, which ours cannot take in.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

EMPTY = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Of one entry; leaves and inner nodes hash apart, so that neither can be shown as the other."""
    return sha256(b"\x00" + entry).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The Merkle tree hash of these leaf hashes."""
    level = list(leaves)
    if not level:
        return EMPTY
    while len(level) > 1:  # an odd one out rises as it is, which is what splitting at powers of two comes to
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [sha256(b"\x01" + left + right).digest() for left, right in pairs] + level[len(level) & ~1 :]
    return level[0]


def inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path that shows that this leaf (counted from 0) is in the tree, from the bottom up."""
    if len(leaves) <= 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*inclusion(leaves[:split], index), root(leaves[split:])]
    return [*inclusion(leaves[split:], index - split), root(leaves[:split])]


def consistency(leaves: Sequence[bytes], earlier: int, *, whole: bool = True) -> list[bytes]:
    """The proof that the tree begins with the one of its first `earlier` leaves.

    Args:
        whole: that one is known to who checks; below the top it is not where a split went through it.
    """
    if not 0 < earlier < len(leaves):
        return [] if whole else [root(leaves)]
    split = _split(len(leaves))
    if earlier <= split:
        return [*consistency(leaves[:split], earlier, whole=whole), root(leaves[split:])]
    return [*consistency(leaves[split:], earlier - split, whole=False), root(leaves[:split])]


def _split(size: int) -> int:
    """The largest power of two that is smaller."""
    return 1 << (size - 1).bit_length() - 1
