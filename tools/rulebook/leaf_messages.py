"""What a leaf asks for, as a message: for those that a conversation words anew."""

from __future__ import annotations

from tools.domain.rules import Age, Attested, Lab, Part, Period, Programme
from tools.messages import Message, message
from tools.rulebook.plain import describe


def asks(leaf: Part) -> Message | None:
    """The message; None for a leaf that is told by its text, as one that the rule words itself."""
    match leaf:
        case Age() | Lab() | Programme() | Attested() if leaf.text not in ("", describe(leaf)):
            return None
        case Age():
            return message("criterion.age", op=leaf.op, years=leaf.years)
        case Lab():
            return _of_lab(leaf)
        case Programme():
            return message(
                "criterion.program",
                programme=leaf.programme,
                least=_span(leaf.min_duration),
                window=_span(leaf.within),
                sessions=leaf.min_sessions or None,
                ongoing=leaf.ongoing,
            )
        case Attested():
            return message("criterion.attested", statement=leaf.statement, window=_span(leaf.within))
    return None


def _of_lab(leaf: Lab) -> Message:
    baseline = leaf.at == "baseline"
    return message(
        "criterion.lab",
        test=leaf.test,
        op=leaf.op,
        value=leaf.value,
        reading=leaf.reading if leaf.reading != "newest" else None,
        baseline=baseline,
        readings=leaf.readings if leaf.readings > 1 else None,
        window=_span(leaf.within),
        before=baseline and leaf.within is not None,
        least=_span(leaf.after.least) if leaf.after is not None else None,
        drug=leaf.after.label if leaf.after is not None else None,
    )


def _span(period: Period | None) -> Message | None:
    return message("period", count=period.count, unit=period.unit) if period is not None else None
