"""A request as a person says it."""

from __future__ import annotations

from tools.domain.records import Request


def ask_words(request: Request) -> str:
    """What is asked for, in a person's words: `1 mg, 3 mL for 28 days, renewal`."""
    words = [request.strength]
    if request.quantity is not None:
        days = f" for {request.days_supply} days" if request.days_supply else ""
        plural = "s" if request.unit == "tablet" and request.quantity != 1 else ""
        words.append(f"{request.quantity:g} {request.unit or ''}{plural}".strip() + days)
    words.append(request.kind or "")
    return ", ".join(word for word in words if word)
