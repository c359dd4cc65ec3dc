"""Side effects as people write them, and the outcome of a trial that each comes to."""

from __future__ import annotations

import re
from typing import Literal

_GI = (
    r"nause\w*|vomit\w*|throw(?:ing|s)? up|threw up|diarrh\w*|loose stools?|bowels?|(?<!empty )stomach\w*|"
    r"\bGI\b(?! benefit)|gastrointestinal|"
    r"cramp\w*|bloat\w*|\bgas\b|the runs|abdominal|dyspepsia|keep food down|constipat\w*|queasy|reflux|"
    r"heartburn|emesis"
)
_HYPO = (
    r"hypoglyc\w*|\bhypos?\b|\blows\b|low (?:blood )?(?:sugars?|glucose)|shak(?:y|es)|"
    r"sugars? (?:kept )?(?:dropping|dropped|crash\w*|too low)|"
    r"sugars? (?:\w+ )?(?:went|going|go|gone|get|getting|got|ran|running) (?:too |to |very )?low"
)
_GENITAL = r"yeast|candid\w*|genital|\bUTIs?\b|urinary tract|mycotic|thrush|balanitis|vaginitis"
_MORE = (
    r"swelling|edema|injection[- ]site|cough\w*|rash\w*|palp\w*|headaches?|dizz\w*|myalgias?|itch\w*|"
    r"fatigue|insomnia|"
    r"joint pain|muscle (?:pain|aches)|fractures?|weight gain"
)
ANY = rf"(?:{_GI}|{_HYPO}|{_GENITAL}|{_MORE})"
EFFECTS = {"gi": _GI, "hypoglycemia": _HYPO, "genital": _GENITAL, "other": rf"{_MORE}|pancreatitis"}
Intolerance = Literal[
    "Intolerance - hypoglycemia",
    "Intolerance - genital infection",
    "Intolerance - GI side effects",
    "Intolerance - other",
]
INTOLERANCES: dict[str, Intolerance] = {
    "hypoglycemia": "Intolerance - hypoglycemia",
    "genital": "Intolerance - genital infection",
    "gi": "Intolerance - GI side effects",
    "other": "Intolerance - other",
}


def intolerance_of(text: str) -> Intolerance | None:
    """What a course came to that was ended for the side effect which a text names; None where it names none."""
    named = (INTOLERANCES[name] for name in INTOLERANCES if re.search(EFFECTS[name], text, re.I))
    return next(named, None)
