"""No sequence of commands and kills reaches a state that the drawing does not show, or loses or doubles an entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import event as sqlalchemy_event

from tests.tools.lifecycle.made import approval, edges, event, head
from tools.common.errors import Correctable, Refused
from tools.lifecycle.levels import LEVELS, levels_of
from tools.lifecycle.records import AuthorizationCase, CaseEvent, Notice, What
from tools.lifecycle.running import clocks_of
from tools.lifecycle.states import REMARKS, full
from tools.store import Store
from tools.store.tables import METADATA

STEPS: tuple[What, ...] = (
    "reviewed", "revised", "submitted", "pended", "answered", "approved", "partly_approved", "denied", "appealed",
    "upheld", "overturned", "partly_overturned", "extended", "renewal_due", "closed",
)  # fmt: skip
FIRST = date(2026, 9, 1)
KILLS = ("before the entry", "after the entry", "after the commit")


class Killed(Exception):
    """The process dies here."""


def memory() -> Store:
    """A store that no disk slows down; what a killed process leaves on one is tested with `pa` itself."""
    store = Store("sqlite://")
    METADATA.create_all(store.engine)
    return store


@pytest.mark.slow
def test_no_sequence_of_commands_and_kills_leaves_the_drawing() -> None:
    test = Clerk.TestCase
    test.settings = settings(
        max_examples=30,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],  # a walk can be read as it is; shortening one takes minutes
    )
    test().runTest()


class Clerk(RuleBasedStateMachine):
    """Enters whatever comes to mind, is killed now and then, and enters it again."""

    def __init__(self) -> None:
        super().__init__()
        self.store = memory()
        self.day, self.stack = FIRST, ["draft"]
        self.entries: list[CaseEvent] = []

    @initialize(line=st.sampled_from(sorted(LEVELS)), levels=st.sampled_from([1, 2]))
    def begin(self, line: str, levels: int) -> None:
        top = head(line, internal_levels=levels, id=0)
        self.id = self.store.open_case(top, [event("opened", self.day)]).case.id
        again = self.store.open_case(top, [event("opened", self.day)])
        assert again.case.id == self.id and not again.new
        self.levels = levels_of(line, levels)
        self.arrows = edges(self.levels)
        self.entries = list(self.case.events)

    @property
    def case(self) -> AuthorizationCase:
        return self.store.authorization_case(self.id)

    @rule(what=st.sampled_from(STEPS), days=st.integers(0, 40), pick=st.integers(0, 4))
    def step(self, what: What, days: int, pick: int) -> None:
        self._step(what, days, pick, lambda entry: self.store.enter(self.id, entry))

    @rule(turn=st.integers(0, 9), days=st.integers(0, 40))
    def possible_step(self, turn: int, days: int) -> None:
        ways = self._ways()
        if ways:
            self._step(ways[turn % len(ways)], days, turn, lambda entry: self.store.enter(self.id, entry))

    @rule(turn=st.integers(0, 9), days=st.integers(0, 40), kill=st.sampled_from(KILLS))
    def step_killed(self, turn: int, days: int, kill: str) -> None:
        ways = self._ways()
        if not ways:
            return

        def enter(entry: CaseEvent) -> None:
            before = self.case
            with suppress(Killed), killing(self.store, kill):
                self.store.enter(self.id, entry)
            after = self.case
            assert after == before or len(after.events) == len(before.events) + 1
            assert after == before or kill == "after the commit"
            self.store.enter(self.id, entry)

        self._step(ways[turn % len(ways)], days, 0, enter)

    def _ways(self) -> list[What]:
        """What is possible here; the end only where nothing else is, so that most walks go far."""
        ways = sorted({name for source, name, _ in self.arrows if source == self.stack[-1]})
        return [way for way in ways if way != "closed"] or ways

    def _step(self, what: What, days: int, pick: int, enter: Callable[[CaseEvent], object]) -> None:
        here = self.stack[-1]
        day = self.day + timedelta(days=days)
        level = self.levels[min(pick, len(self.levels) - 1)].key if what == "appealed" and pick else ""
        entry = made(what, day, level)
        arrows = {target for source, name, target in self.arrows if (source, name) == (here, what)}
        if what == "appealed" and level:
            arrows &= {full("appealed", level)}
        known = len(self.case.events)
        try:
            enter(entry)
        except Refused as refusal:
            # While an appeal runs, the next one must be named; which level comes after a partial approval
            # depends on the one that gave it.
            open_end = what == "appealed" and here.startswith(("appealed", "partly_approved"))
            assert not arrows or open_end, refusal
            assert self.case.events == tuple(self.entries)
            return
        after = self.case
        if len(after.events) == known:  # this very entry stood there already
            return
        there = full(after.state, after.level)
        assert there in arrows, (here, what, there)
        assert len(after.events) == known + 1
        self.day = day
        self.stack.append(there)
        self.entries = list(after.events)
        again = self.store.enter(self.id, entry)
        assert not again.new and again.case == after

    @rule(what=st.sampled_from(REMARKS), days=st.integers(0, 5))
    def remark(self, what: What, days: int) -> None:
        before = self.case
        entry = event(what, self.day + timedelta(days=days), why="said", received=self.day)
        self.store.enter(self.id, entry)
        assert (self.case.state, self.case.level) == (before.state, before.level)
        if len(self.case.events) > len(before.events):
            self.stack.append(self.stack[-1])
        self.entries = list(self.case.events)

    @precondition(lambda self: len(self.stack) > 1)
    @rule()
    def undo_the_last(self) -> None:
        case = self.case
        undone = {e.facts.undoes for e in case.events}
        last = [e for e in case.events if e.number not in undone and e.what != "undone"][-1]
        self.store.enter(self.id, event("undone", self.day, undoes=last.number))
        self.store.enter(self.id, event("undone", self.day, undoes=last.number))
        self.stack.pop()
        assert full(self.case.state, self.case.level) == self.stack[-1]
        self.entries = list(self.case.events)

    @invariant()
    def stands_where_the_entries_brought_it(self) -> None:
        if not hasattr(self, "id"):
            return
        case = self.case
        assert full(case.state, case.level) == self.stack[-1]
        assert case.events == tuple(self.entries)
        assert [e.number for e in case.events] == list(range(1, len(case.events) + 1))

    @invariant()
    def clocks_never_fail(self) -> None:
        if hasattr(self, "id"):
            for clock in clocks_of(self.case, None, self.day):
                assert clock.late == (clock.due is not None and clock.due < self.day)

    def teardown(self) -> None:
        self.store.close()


def made(what: What, day: date, level: str = "") -> CaseEvent:
    facts: dict[str, Any] = {
        "submitted": {"channel": "fax"},
        "answered": {"channel": "portal"},
        "appealed": {"channel": "mail", "level": level},
        "closed": {"why": "it is over"},
    }.get(what, {})
    if what in ("pended", "denied", "upheld", "partly_approved", "partly_overturned"):
        facts["notice"] = Notice(dated=day)
    if what in ("approved", "partly_approved", "overturned", "partly_overturned"):
        facts["approval"] = approval(day, day + timedelta(days=365))
    return event(what, day, **facts)


@contextmanager
def killing(store: Store, kill: str) -> Iterator[None]:
    """Die before the entry is written, or after it and before the commit; else not in here."""

    def on_write(_: Any, __: Any, statement: str, *___: Any) -> None:
        if kill == "before the entry" and statement.startswith("INSERT"):
            raise Killed

    def on_commit(_: Any) -> None:
        if kill == "after the entry":
            raise Killed

    sqlalchemy_event.listen(store.engine, "before_cursor_execute", on_write)
    sqlalchemy_event.listen(store.engine, "commit", on_commit)
    try:
        yield
    finally:
        sqlalchemy_event.remove(store.engine, "before_cursor_execute", on_write)
        sqlalchemy_event.remove(store.engine, "commit", on_commit)


def test_an_entry_that_cannot_be_is_correctable_and_leaves_nothing() -> None:
    store = memory()
    number = store.open_case(head(id=0), [event("opened", FIRST)]).case.id
    with pytest.raises(Correctable):
        store.enter(number, made("approved", FIRST))
    assert len(store.authorization_case(number).events) == 1
    store.close()
