"""The day to work to: the letter's own and the one that the rules give, side by side; the earlier one counts."""

from __future__ import annotations

from datetime import date

from tools.denials.records import Denial
from tools.domain.records import Plan, Record
from tools.lifecycle import clocks
from tools.lifecycle.levels import Level, levels_of

_KEYS: dict[str, tuple[str, ...]] = {
    "second_level": ("second",),
    "external_review": ("external", "reconsideration"),
    "fair_hearing": ("fair_hearing",),
    "hearing": ("hearing",),
}


class WorkTo(Record, frozen=True, kw_only=True):
    """`letter` is the letter's day, `computed` the rule's; None is not known. `differs` only if both are."""

    level: str = ""
    letter: date | None = None
    computed: date | None = None
    by: str = ""  # how the computed day was counted
    cite: str = ""

    @property
    def day(self) -> date | None:
        """The earlier of the two."""
        return min((day for day in (self.letter, self.computed) if day is not None), default=None)

    @property
    def differs(self) -> bool:
        return None not in (self.letter, self.computed) and self.letter != self.computed


def work_to(read: Denial, plan: Plan | None, received: date | None = None) -> WorkTo | None:
    """For the next step that the letter offers; None if it calls for none. Without a plan nothing can be computed."""
    if read.kind not in ("denial", "partial_approval", "appeal_upheld"):
        return WorkTo(letter=read.reply_by.day) if read.reply_by else None
    stated = read.next_deadline
    letter = stated.day if stated else None
    if plan is None or read.dated is None:
        return WorkTo(letter=letter)
    level = _level(read, plan)
    if level is None:
        return WorkTo(letter=letter)
    rule = clocks.find(plan.line_of_business, "file", level.key, internal_levels=plan.internal_levels)
    if rule is None:
        return WorkTo(level=level.name, letter=letter)
    due = clocks.count(rule, clocks.receipt(rule, read.dated.value, received))
    return WorkTo(level=level.name, letter=letter, computed=due.day, by=due.how, cite=rule.cite)


def _level(read: Denial, plan: Plan) -> Level | None:
    """The level of the plan's line of business that the letter offers first."""
    levels = levels_of(plan.line_of_business, plan.internal_levels)
    offered = read.offered
    if offered is None and read.kind == "appeal_upheld":
        return levels[:2][-1]
    if offered is None or offered.kind == "appeal":
        return levels[0]
    return next((level for level in levels if level.key in _KEYS[offered.kind]), None)
