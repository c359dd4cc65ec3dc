from __future__ import annotations

import pytest

from tests.tools.lifecycle.made import edges
from tools.lifecycle import states
from tools.lifecycle.levels import LEVELS, levels_of, next_levels


@pytest.mark.parametrize("line", LEVELS)
def test_every_state_can_be_reached_and_every_case_can_be_closed(line: str) -> None:
    arrows = edges(levels_of(line))
    reached, frontier = {"draft"}, ["draft"]
    while frontier:
        here = frontier.pop()
        new = {target for source, _, target in arrows if source == here} - reached
        reached |= new
        frontier += new
    wanted = {"appealed", "upheld"}
    every = (set(states.STATES) - wanted) | {
        f"{state}({level.key})" for state in wanted for level in LEVELS[line]
    }
    assert reached == every
    assert {source for source, what, _ in arrows if what == "closed"} == every - {"closed"}


def test_what_is_closed_stays_so() -> None:
    assert not [arrow for arrow in edges(levels_of("commercial")) if arrow[0] == "closed"]


def test_nothing_is_submitted_that_was_not_reviewed_or_decided_before() -> None:
    sources = {s.partition("(")[0] for s, what, _ in edges(levels_of("medicaid")) if what == "submitted"}
    assert sources == {"reviewed", "denied", "upheld", "partly_approved"}


def test_an_optional_level_may_be_passed_and_a_demanded_one_not() -> None:
    assert [level.key for level in next_levels(levels_of("commercial"), "internal")] == ["second", "external"]
    assert [level.key for level in next_levels(levels_of("commercial", 2), "internal")] == ["second"]
    assert [level.key for level in next_levels(levels_of("exchange"), "internal")] == ["external"]


def test_after_the_last_level_there_is_none() -> None:
    for line, levels in LEVELS.items():
        assert next_levels(levels_of(line), levels[-1].key) == ()
