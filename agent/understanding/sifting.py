"""Of the things that the pieces ask, those that are really asked."""

from __future__ import annotations

import re

from agent.understanding import forms
from agent.understanding.pieces import Found, put_together
from agent.understanding.reading import Talk


def goes_with_last(one: Found, found: list[Found]) -> bool:
    """A piece that only goes on with the one before it."""
    if not found:
        return False
    last = found[-1]
    if (
        last.intent == "what_if"
        and one.intent in ("eligibility", "missing", "compare", "why", "advice")
        and not one.again
    ):
        return True
    if one.intent == "what_if" and last.intent == "what_if":
        return True
    return (
        one.intent == last.intent
        and one.about == last.about
        and not one.again
        and one.intent not in ("plan", "chart", "dates")
    )


_IDLE = frozenset(("smalltalk", "help", "off_topic", "unclear"))


def sift(found: list[Found], talk: Talk) -> list[Found]:
    """What is really asked: courtesies, led-up-to facts and injected orders go where something else is asked."""
    injected = [f for f in found if f.intent == "fabricate" and f.about == "injection"]
    others = [f for f in found if f not in injected]
    if injected and any(
        f.intent not in ("smalltalk", "off_topic", "help", "fabricate") and not _imperative(f.piece.text)
        for f in others
    ):
        found = [f for f in others if f.intent != "fabricate" or f.about != "injection"]
    elif injected:
        keep = injected[0]
        for other in others:
            keep.piece = put_together(keep.piece, other.piece)
        return [keep]
    if len(found) > 1 and any(not f.context and f.intent not in _IDLE for f in found):
        context = [f for f in found if f.context]
        found = [f for f in found if not f.context]
        if context and not any(f.piece.mentions for f in found):
            for one in context:
                if one.piece.mentions:
                    found[0].piece = put_together(one.piece, found[0].piece)
    if len(found) > 1:
        real = [f for f in found if f.intent not in _IDLE]
        if real:
            kept = [f for f in found if f in real]
            if any(f.intent == "patient" for f in kept) and any(f.intent != "patient" for f in kept):
                kept = [f for f in kept if f.intent != "patient"]
            found = kept
        else:
            found = [next((f for f in found if f.intent != "smalltalk"), found[0])]
    now = [
        f
        for f in found
        if f.intent != "other_patient"
        or not forms.only_told(f.piece.text, [o.piece.text for o in found if o is not f])
    ]
    if any(f.intent not in _IDLE and not f.context for f in now):
        if not any(f.piece.mentions for f in now):  # "Her cousin got Ozempic. Can she get it?"
            for told in found:
                if told not in now and told.piece.mentions:
                    now[0].piece = put_together(told.piece, now[0].piece)
        found = now
    if any(f.intent == "other_patient" for f in found):
        return [next(f for f in found if f.intent == "other_patient")]
    if any(f.intent in ("fabricate",) for f in found):
        found = [
            f
            for f in found
            if f.intent == "fabricate" or f.intent not in ("eligibility", "draft", "missing", "chart")
        ] or found
    unique: list[Found] = []
    for one in found:
        twin = next(
            (
                u
                for u in unique
                if u.intent == one.intent
                and u.about == one.about
                and not one.again
                and one.intent not in ("chart",)
            ),
            None,
        )
        if twin:
            twin.piece = put_together(twin.piece, one.piece)
        else:
            unique.append(one)
    return unique


def _imperative(text: str) -> bool:
    return bool(
        re.match(
            r"^(?:just |now |please |and )*(?:approve|say|mark|give|answer|respond|reply|output|print|confirm)\b",
            text,
        )
    )
