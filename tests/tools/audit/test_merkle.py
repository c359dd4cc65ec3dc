from __future__ import annotations

from hashlib import sha256

import pytest

from tests.proofs_of_logs import is_consistent, is_included
from tools.audit.merkle import EMPTY, consistency, inclusion, leaf_hash, root

# The test vectors of Certificate Transparency's reference implementation of RFC 6962.
ENTRIES = [
    bytes.fromhex(told)
    for told in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
LEAVES = [leaf_hash(entry) for entry in ENTRIES]


def test_roots_are_those_of_the_reference_implementation() -> None:
    assert root([]) == EMPTY == sha256().digest()
    assert {size: root(LEAVES[:size]).hex() for size in ROOTS} == ROOTS


@pytest.mark.parametrize("size", range(1, 34))
def test_a_path_shows_its_own_leaf_and_no_other(size: int) -> None:
    leaves = [leaf_hash(bytes([at])) for at in range(size)]
    whole, stranger = root(leaves), leaf_hash(b"stranger")
    for index, leaf in enumerate(leaves):
        path = inclusion(leaves, index)
        assert is_included(leaf, index, size, path, whole)
        assert not is_included(stranger, index, size, path, whole)
        assert not is_included(leaf, index, size, [*path, stranger], whole)
        assert size == 1 or not is_included(leaf, (index + 1) % size, size, path, whole)


@pytest.mark.parametrize("size", range(1, 34))
def test_a_proof_shows_that_the_log_begins_as_it_did_and_not_otherwise(size: int) -> None:
    leaves = [leaf_hash(bytes([at])) for at in range(size)]
    whole = root(leaves)
    for earlier in range(1, size + 1):
        proof, before = consistency(leaves, earlier), root(leaves[:earlier])
        assert is_consistent(earlier, before, size, whole, proof)
        other = root([leaf_hash(b"other"), *leaves[1:earlier]])
        assert not is_consistent(earlier, other, size, whole, proof)
