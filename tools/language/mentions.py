"""What a text names: drugs, classes of drugs, conditions, tests and procedures, with where they stand."""

from __future__ import annotations

from functools import cache
from typing import Literal, NamedTuple

from tools.terminology.conditions import conditions
from tools.terminology.matcher import matches
from tools.terminology.medicines import terminology
from tools.terminology.observations import tests
from tools.terminology.vocabulary import vocabulary

How = Literal["named", "implied", "may_be", "result"]


class Mention(NamedTuple):
    """A concept named at [start, end): an ingredient in lower case, or a key of the terminology ("contrary:adherent"
    for what speaks against that statement). It is `implied` by a narrower one ("old MI" is ASCVD, and no MI is not no
    ASCVD), left open by what it `may_be`, or what the positive `result` of a procedure shows."""

    concept: str
    start: int
    end: int
    how: How = "named"


def mentions(text: str) -> tuple[Mention, ...]:
    """Every mention, in the order of the text; a combination is one mention of each ingredient, and a condition is
    one of each that it implies or may be meant by it."""
    return tuple(
        [
            Mention(concept, span.start, span.end, how)
            for span in matches(text)
            for concept, how in _of(span.concept)
        ]
    )


@cache
def _of(concept: str) -> tuple[tuple[str, How], ...]:
    """What the naming of a concept of the terminology ("medicine:janumet") is a mention of, and how."""
    kind, _, key = concept.partition(":")
    if kind == "medicine":
        row = terminology().row(key)
        return tuple([(name.casefold(), "named") for name in (row.ingredients or (key,))]) if row else ()
    if kind == "condition":
        condition = conditions()[key]
        implied: list[tuple[str, How]] = [(other, "implied") for other in condition.implies]
        may_be: list[tuple[str, How]] = [(other, "may_be") for other in condition.may_be]
        return ((key, "named"), *implied, *may_be)
    if kind == "procedure":
        shown, _, what = vocabulary("procedures")[key].evidence_of.partition(":")
        return ((what, "result"),) if shown == "condition" else ((key, "named"),)
    if kind == "test" and tests()[key].evidence_of:
        return ((key, "named"), (tests()[key].evidence_of, "result"))
    if kind in ("specialty", "document", "status"):
        return ()  # of whom or of what paper it speaks, and nothing that one can have or be without
    return ((concept if kind in ("contrary", "affirms") else key, "named"),)
