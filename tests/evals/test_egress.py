"""The proof of what leaves this machine leaves nothing out that runs."""

from __future__ import annotations

from pathlib import Path

from evals import bench
from evals.bench.__main__ import MEASURES as BENCHES
from evals.proofs import egress
from evals.proofs.__main__ import MEASURES as PROOFS


def test_every_proof_and_benchmark_is_watched() -> None:
    watched = {
        (line.split()[2], line.split()[3])
        for line in egress.EVALS
        if " evals.proofs " in line or " evals.bench " in line
    }
    known = {("evals.proofs", name) for name in PROOFS} | {("evals.bench", name) for name in BENCHES}
    assert known - watched == {("evals.proofs", "egress")}
    assert not [line for line in egress.EVALS if line.endswith(" None")]


def test_every_eval_that_is_a_command_is_watched() -> None:
    root = Path(bench.__file__).parents[2]
    runs = [path for path in (root / "evals").rglob("*.py") if '__name__ == "__main__"' in path.read_text()]
    doors = {path.relative_to(root).with_suffix("").as_posix().replace("/", ".") for path in runs}
    watched = {line.split()[2] for line in egress.EVALS}
    by_another = {"evals.proofs.kills.papers", "evals.proofs.kills.writes", "evals.proofs.kills.child",
                  "evals.agreement.mutants.bugs", "evals.bench.growth.store", "evals.proofs.egress",
                      "evals.screens"}  # of pages that are visited here anyway  # fmt: skip
    assert {door.removesuffix(".__main__") for door in doors} - by_another == watched


def test_pages_are_those_of_the_server_with_what_is_known_in_their_place() -> None:
    found = set(egress.pages())
    assert {"/", "/health", "/api/patients/P001"} <= found and not [path for path in found if "{" in path]
    assert egress.ELSEWHERE.search(b'<script defer src="https://elsewhere.example/x.js">')
    assert not egress.ELSEWHERE.search(
        b'<a href="https://www.ecfr.gov/">the law</a><img src="/static/x.svg">'
    )
