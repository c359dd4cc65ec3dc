"""A request as a person says it."""

from __future__ import annotations

from tools.domain.records import Request
from tools.messages import Voice, message


def ask_words(request: Request, voice: Voice) -> str:
    """What is asked for, in a person's words: `1 mg, 3 mL for 28 days, renewal`."""
    words = [request.strength]
    if request.quantity is not None:
        unit, days = request.unit or "", request.days_supply or None
        words.append(voice.says(message("request.amount", quantity=request.quantity, unit=unit, days=days)))
    words.append(voice.term(request.kind or ""))
    return ", ".join(word for word in words if word)
