"""A row: how one sample of one arm did. The reports are made of these and of nothing else."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

from evals.suites.items import SPECS, Suite

Arm = Literal["plain", "alone", "engine", "paladin"]
ARMS: tuple[Arm, ...] = get_args(Arm)
READS: frozenset[Arm] = frozenset(("engine", "paladin"))  # arms that say what they understood
ASKED: dict[Suite, tuple[Arm, ...]] = {
    suite: tuple(arm for arm in ARMS if arm in spec.arms or not spec.arms) for suite, spec in SPECS.items()
}


class Row(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One sample of one arm. `right` is whether every check holds, whoever worded the answer; `unaided` is whether it
    holds and the model needed no stand-in. A sample that broke is a row too, and wrong."""

    key: str  # of all that decides it
    code: str = ""  # of what answered and scored
    suite: Suite
    arm: Arm
    item: str
    digest: str = ""  # of the item
    kind: str = ""
    set: str = ""  # of those that are written by hand
    cluster: str = ""
    epoch: int = 1
    seed: int = 1
    temperature: float = 0.0
    checks: dict[str, bool] = {}
    wrong: list[str] = []
    question: str = ""
    answer: str = ""
    why: str = ""
    drug: str = ""
    payer: str = ""
    difficulty: str = ""
    trap: str = ""
    expected: str = ""  # outcomes
    given: str = ""
    false_ready: bool = False
    criteria: list[tuple[str, str, str]] = []  # name, true status, given status
    # what is counted within a sample: how often it was so, of how many
    tally: dict[str, tuple[int, int]] = {}
    texts: int = 0  # that were searched for what nothing supports
    unsupported: int = 0
    attack: str = ""  # payload and surface
    succeeded: bool = False  # the attack
    format_failure: bool = False
    fallback: bool = False  # code's words stood in for the model's
    repaired: bool = False  # code's words stood in for some of them
    infrastructure: bool = False
    extra_calls: int = 0  # tools called beyond the one that was needed
    calls: int = 0
    prompt_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    error: str = ""

    def mark(self, check: str, holds: bool, wrong: str) -> None:
        """Note whether the check holds, as it must each time that it is made, and what was wrong if it doesn't."""
        self.checks[check] = self.checks.get(check, True) and holds
        if not holds:
            self.wrong.append(f"{check}: {wrong}")

    @property
    def right(self) -> bool:
        return bool(self.checks) and all(self.checks.values()) and not self.error

    @property
    def unaided(self) -> bool:
        return self.right and not (self.format_failure or self.fallback or self.infrastructure)


def read_row(line: str | bytes) -> Row:
    return msgspec.json.decode(line, type=Row)
