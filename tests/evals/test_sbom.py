"""What Paladin is made of is listed, and may go out with it."""

from __future__ import annotations

import re

from evals import sbom


def test_every_package_of_the_lock_is_listed_with_its_hashes_and_may_go_out() -> None:
    listed = list(sbom.components())
    pinned = re.findall(r"^([\w.-]+)==", sbom.LOCK.read_text(), re.MULTILINE)
    assert [one["name"] for one in listed] == pinned and all(one["hashes"] for one in listed)
    assert sum(bool(one["licenses"]) for one in listed) > 150
    assert sbom.may_not_go_out() == []
