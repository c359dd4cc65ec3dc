"""What a piece asks for, decided from the first cue that fits and from the likelihoods that examples taught.

1. A cue of made-up evidence or of somebody else is a verdict: such a request is never read as anything else.
2. Where the cue and the likeliest intent agree, that is it.
3. Where they differ, the likelier of the two is it, with a head start for the cue.
4. Where two are close and one of them tells whether the drug can be had, that one is it: an answer with the
   determination in it misleads nobody.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from agent.understanding import intents
from agent.understanding.intents import Seen
from agent.understanding.learned import Likely
from agent.understanding.reading import REFUSED, Intent

VERDICTS: frozenset[Intent] = frozenset(("fabricate", "other_patient", "smalltalk"))
ABOUT_GETTING: frozenset[Intent] = frozenset(("eligibility", "missing", "why"))
HARMLESS: frozenset[Intent] = ABOUT_GETTING | {"compare", "policy", "chart", "plan", "dates"}
IDLE: frozenset[Intent] = frozenset(("smalltalk", "help", "off_topic", "unclear"))
HEAD_START = 0.1  # of likelihood, for the cue
IDLE_START = 0.6  # the same, where the examples say that nothing of the case is asked
CLOSE = 0.12  # of likelihood, between two intents
AGREED = 0.75  # of likelihood, from which a cue and the examples are sure together
REFUSING = 0.6  # of likelihood, from which examples alone refuse


class Verdict(NamedTuple):
    """The intent, what narrows it, and how sure it is."""

    intent: Intent
    about: str
    sure: float


# Questions in so few words that nothing else can be meant: the embedding model is not loaded for them.
_PLAIN: dict[Intent, re.Pattern[str]] = {
    "eligibility": re.compile(
        r"(?:can|could) (?:she|he|they|the patient|WHO) (?:get|have|start) DRUG"
        r"|is (?:she|he|the patient|WHO) eligible for DRUG|does (?:she|he|the patient|WHO) qualify for DRUG"
        r"|(?:will|would) DRUG be approved(?: for (?:her|him))?"
    ),
    "missing": re.compile(r"what(?:'s| is) (?:still )?missing(?: for DRUG)?"),
    "why": re.compile(r"why(?: not)?"),
    "draft": re.compile(r"draft (?:it|the form)(?: for DRUG)?"),
}


def plainly(text: str) -> Intent | None:
    """What a question of one of the plainest forms asks for."""
    bare = text.strip(" .?!")
    return next((intent for intent, pattern in _PLAIN.items() if pattern.fullmatch(bare)), None)


def decide(text: str, seen: Seen | None, likely: Likely | None) -> Verdict | None:
    """None where neither a cue nor an example says anything. That nothing is supposed has been decided before."""
    if likely is None:
        return Verdict(*seen) if seen else None
    if seen and seen.intent in VERDICTS:
        return Verdict(seen.intent, seen.about, seen.sure)
    best, share = _admissible(text, seen, likely)
    if seen and seen.intent == best:
        return Verdict(best, seen.about, max(likely.sure, 0.75 if share >= AGREED else 0))
    if seen and likely.of(seen.intent) + (IDLE_START if best in IDLE else HEAD_START) >= share:
        return Verdict(seen.intent, seen.about, 0.5)
    if best in HARMLESS - ABOUT_GETTING and seen is None:
        near = max(ABOUT_GETTING, key=likely.of)
        if share - likely.of(near) < CLOSE:
            return Verdict(near, "", 0.4)
    return Verdict(best, about(text, best), likely.sure if best == likely.best else 0.4)


def _admissible(text: str, seen: Seen | None, likely: Likely) -> tuple[Intent, float]:
    """The likeliest intent that needs no more than examples: a supposition needs its words, a refusal clear ones,
    and whether a person who is named is somebody else is told by who it is."""
    for intent, share in likely.intents:
        by_cue = seen is not None and seen.intent == intent
        if intent == "what_if" or (intent in REFUSED and share < REFUSING and not by_cue):
            continue
        if intent == "other_patient" and "WHO" in text and not by_cue:
            continue
        return intent, share
    return likely.intents[0]


def about(text: str, intent: Intent) -> str:
    """What narrows this intent, by the first of its cues that fits, else by a word of its side."""
    for cue in intents.cues():
        if cue.intent == intent and cue.about and cue.fits(text):
            return cue.about
    return next((side for side, pattern in SIDES.get(intent, ()) if re.search(pattern, text)), "")


SIDES: dict[Intent, tuple[tuple[str, str], ...]] = {
    "plan": (
        ("channel", r"\b(?:send|sent|fax\w*|call|submit\w*|electronic\w*|online|phone|address|e-?mail)\b"),
        ("copay", r"\b(?:costs?|pay|pays|price\w*|expensive|dollars)\b|\$"),
        ("limit", r"\b(?:limit\w*|quantit\w+|supply|how many|how much|maximum|at once|most)\b"),
        ("step", r"\b(?:step\w*|first|before)\b"),
        ("formulary", r"\b(?:cover\w*|list\w*|preferred|PA|pa)\b"),
        ("enrolment", r"\b(?:plan|insurance|coverage|member|enrol\w*|payer)\b"),
    ),
    "dates": (
        ("appeal", r"\bappeal\w*|\bagain\b|\bden(?:y|ied|ial)\b"),
        ("approval", r"\b(?:approv\w+|authori\w+|renew\w*)\b"),
        ("lookback", r"\bTEST\b|\b(?:labs?|notes?)\b"),
        ("review", r"\b(?:tell|hear|decide\w*|decision|answer|review|back|respon\w+|long)\b"),
    ),
}
