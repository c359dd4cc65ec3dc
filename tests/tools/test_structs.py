"""Threads that decode records of a type for the first time, all at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec

from tests import worlds

# Threads change places as often as they can; without `build` this dies of a segmentation fault each time.
RACE = """
import sys, threading
import msgspec
from tools.common import structs
from tools.domain.records import Drug, Plan

bodies = [(Drug, open(sys.argv[1], "rb").read()), (Plan, open(sys.argv[2], "rb").read())]
assert structs.build() > 50
sys.setswitchinterval(1e-6)
together = threading.Barrier(8)

def decode():
    together.wait()
    for kind, body in bodies:
        msgspec.json.decode(body, type=kind)

threads = [threading.Thread(target=decode) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_eight_threads_decode_a_type_at_once_and_none_of_them_dies(tmp_path: Path) -> None:
    drug, plan = tmp_path / "drug.json", tmp_path / "plan.json"
    drug.write_bytes(msgspec.json.encode(worlds.ozempic()))
    plan.write_bytes(msgspec.json.encode(worlds.plan()))
    for _ in range(3):
        ran = subprocess.run(
            [sys.executable, "-c", RACE, str(drug), str(plan)], capture_output=True, check=False
        )
        assert ran.returncode == 0, ran.stderr
