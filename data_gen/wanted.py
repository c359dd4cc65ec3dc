"""From the status that a rule's criterion shall have to what each of its leaves must show.

The same k-of-n logic as the engine's, read backwards: which children to meet, to fail or to leave open. Labels
come from here, so they say what a chart was made to be, whatever an engine thinks of it.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from data_gen.setting import AS_OF
from tools.domain.records import Status
from tools.domain.rules import (
    Age,
    AllergyTo,
    AllOf,
    AnyOf,
    AtLeast,
    Composite,
    Condition,
    Lab,
    Node,
    NoneOf,
    Part,
    Period,
    Programme,
    Specialist,
    Taking,
    Trial,
    Use,
)


class Infeasible(Exception):
    """No chart of this world can show that."""


class Want(NamedTuple):
    """What one leaf must show: True, False, or None where the chart must leave it open."""

    leaf: Part
    shown: bool | None
    exclude: bool


def wants(node: Node, status: Status, exclude: bool, turn: int) -> list[Want]:
    """What the leaves must show for the node's finding to be `status`; `turn` varies which branch is taken.
    Leaves that don't matter are not named."""
    if not isinstance(node, Composite):
        return [_leaf(node, status, exclude)]
    inner = exclude is not isinstance(node, NoneOf)
    needed, count = _needed(node, exclude), len(node.children)
    order = [node.children[(turn + place) % count] for place in range(count)]
    if status == "met":
        return _some(order, needed, "met", inner, turn)
    if status == "not_met":
        return _some(order, count - needed + 1, "not_met", inner, turn)
    for left_open in order:
        rest = [child for child in order if child is not left_open]
        with suppress(Infeasible):
            found = wants(left_open, "unknown", inner, turn)
            for place, child in enumerate(rest):
                found += wants(child, "met" if place < needed - 1 else "not_met", inner, turn)
            return found
    raise Infeasible(node.id)


def _some(children: Sequence[Node], many: int, status: Status, exclude: bool, turn: int) -> list[Want]:
    """The first `many` of the children that can have the status."""
    found: list[Want] = []
    done = 0
    for child in children:
        if done < many:
            with suppress(Infeasible):
                found += wants(child, status, exclude, turn)
                done += 1
    if done < many:
        raise Infeasible(status)
    return found


def _needed(node: AllOf | AnyOf | NoneOf | AtLeast, exclude: bool) -> int:
    """How many children's findings must be met for the node's to be."""
    count = len(node.children)
    if isinstance(node, NoneOf):
        return 1 if exclude else count
    wanted = count if isinstance(node, AllOf) else node.k if isinstance(node, AtLeast) else 1
    return count - wanted + 1 if exclude else wanted


def days_of(within: Period | None) -> int | None:
    """How many days before the day of the charts a window reaches."""
    return None if within is None else (AS_OF - within.before(AS_OF)).days


def _leaf(leaf: Node, status: Status, exclude: bool) -> Want:
    shown = None if status == "unknown" else (status == "met") is not exclude
    if not _can_show(leaf, shown, exclude):
        raise Infeasible(leaf.id)
    return Want(leaf, shown, exclude)


def _can_show(leaf: Node, shown: bool | None, exclude: bool) -> bool:
    """Is there, in principle, such a chart?"""
    if isinstance(leaf, Age):
        return shown is not None and any(age_shows(leaf, age) is shown for age in range(35, 76))
    if isinstance(leaf, Use):
        return shown is False
    if isinstance(leaf, AllergyTo):
        return shown is not None
    if isinstance(leaf, Condition) and (leaf.min_duration is not None or leaf.degree is not None):
        return False
    if isinstance(leaf, Programme) and (leaf.min_sessions or leaf.ongoing):
        return False
    if isinstance(leaf, Specialist) and (leaf.within is not None or not leaf.prescriber):
        return False
    if isinstance(leaf, Lab) and (not leaf.of_newest or leaf.after is not None):
        return False
    if isinstance(leaf, Lab):
        return shown is not None or leaf.within is not None or leaf.test in SPARSE
    if isinstance(leaf, Taking):
        return shown is False or (leaf.min_dose is None and leaf.max_dose is None)
    if isinstance(leaf, Trial):
        if leaf.together or leaf.min_fills or leaf.adherence is not None:
            return shown is False
        return shown is not None or leaf.min_days > 0
    if isinstance(leaf, Condition):
        return shown is not None or (exclude and leaf.evidence == "attestation" and bool(leaf.topic))
    return True


SPARSE = frozenset(("ahi", "lvef", "abi", "fibrosis_stage"))  # tests that only some charts have


_COMPARE = {">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt, "==": operator.eq}


def age_shows(leaf: Age, age: int) -> bool:
    """Does a person of this age satisfy the leaf?"""
    return bool(_COMPARE[leaf.op](age, leaf.years))
