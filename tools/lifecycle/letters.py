"""What a payer's letter that was read (tools/denials) means for the clocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.common.errors import Invalid
from tools.lifecycle.levels import Level
from tools.lifecycle.records import Approval, Notice, Paper, What

if TYPE_CHECKING:
    from datetime import date

    from tools.denials.records import Deadline, Denial, Right

OFFERED = {  # the level that a right of a letter leads to
    "second_level": "second",
    "external_review": "external",
    "fair_hearing": "fair_hearing",
    "hearing": "hearing",
}
_ENTRIES: dict[str, What] = {
    "denial": "denied", "partial_approval": "partly_approved", "pend": "pended", "approval": "approved",
    "appeal_upheld": "upheld", "appeal_overturned": "overturned",
}  # fmt: skip
_ON_APPEAL: dict[What, What] = {
    "denied": "upheld",
    "approved": "overturned",
    "partly_approved": "partly_overturned",
}


def what_of(letter: Denial, state: str = "") -> What:
    """The entry that this letter makes in its case; Invalid if it decides nothing or it is not clear what. While an
    appeal runs, what says no upholds, and what says yes overturns."""
    found = _ENTRIES.get(letter.kind)
    if found is None:
        says = "it is not clear what this letter decides"
        if letter.kind != "unclear":
            says = f"this letter decides nothing ({letter.kind.replace('_', ' ')})"
        raise Invalid(f"{says}; read it and enter it yourself: pa case record ID WHAT")
    return _ON_APPEAL.get(found, found) if state == "appealed" else found


def notice_of(
    letter: Denial, levels: tuple[Level, ...], *, paper: Paper | None = None, received: date | None = None
) -> Notice:
    """The letter as a case keeps it. Its own deadline is that of the first level that it offers; Invalid if the letter
    has no date, since every clock of ours begins with it."""
    if letter.dated is None:
        raise Invalid("the letter states no date; enter it yourself with --notice DATE")
    right, deadline = leading(letter), letter.next_deadline
    level = (
        OFFERED.get(right.kind, "") if right else ""
    )  # as this line of business calls it; "" is the next one
    calls = (right.deadline for right in letter.rights if right.kind == "peer_to_peer" and right.deadline)
    call = next(calls, None)
    return Notice(
        dated=letter.dated.value,
        received=received or (letter.received.value if letter.received else None),
        reference=letter.reference.value if letter.reference else "",
        reasons=letter.codes,
        deadline=deadline.day if deadline else None,
        deadline_for=level if level in {known.key for known in levels} else "",
        within_days=_days(deadline),
        peer_to_peer=call.day if call else None,
        letter=paper,
    )


def approval_of(letter: Denial) -> Approval | None:
    """What the letter approves; None if it approves nothing. Invalid if it does not say from when to when."""
    given = letter.approved
    if given is None:
        return None
    if given.start is None or given.end is None or letter.reference is None:
        raise Invalid(
            "the letter does not state the approval's number, first and last day; enter it yourself:"
            " pa case record ID approved --number --from --to"
        )
    number, quantity, days = letter.reference.value, given.quantity, given.days_supply
    return Approval(number=number, start=given.start, end=given.end, quantity=quantity, days_supply=days)


def leading(letter: Denial) -> Right | None:
    """The right whose deadline is the letter's own."""
    right = letter.offered
    return right if right and right.deadline and not letter.reply_by else None


def _days(deadline: Deadline | None) -> int | None:
    """Days that run from receipt: the letter alone cannot count them."""
    if deadline is None or deadline.day or (deadline.unit, deadline.runs_from) != ("days", "receipt"):
        return None
    return deadline.amount
