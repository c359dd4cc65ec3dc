# ruff: noqa: E501 - a pattern is read more easily on one line than in pieces
"""An answer to a question back: which of the drugs or the people that were offered."""

from __future__ import annotations

import re

import msgspec

from agent.understanding import drugs, intents
from agent.understanding.known import Known
from agent.understanding.pieces import AGAINABLE, Piece, as_typed
from agent.understanding.reading import Ask, Reading, Talk

_ORDINALS = (
    (
        r"\b(?:first|1st|former)\b|^(?:the |number |option |#|no\.? )?1\W*$|\b(?:option|number|#) ?1\b|\bprimer[oa]?\b",
        0,
    ),
    (
        r"\b(?:second|2nd|latter)\b|^(?:the |number |option |#|no\.? )?2\W*$|\b(?:option|number|#) ?2\b|\bsegund[oa]\b",
        1,
    ),
    (r"\b(?:third|3rd)\b|^(?:the |number |option |#|no\.? )?3\W*$|\b(?:option|number|#) ?3\b", 2),
    (r"\b(?:fourth|4th)\b|^(?:the |number |option |#|no\.? )?4\W*$", 3),
    (r"\blast\b(?! (?:a1c|TEST|visit|note|lab))", -1),
)


BOTH = re.compile(r"\b(?:both|those 2|these 2|the 2|them both|the two|2 of them|ambos|ambas)\b")


_ALL = re.compile(
    r"\b(?:all(?: of)? (?:them|those|these|3|4|\d+)|each(?: of them| one)?|every one|all|any of them|either|whichever|todos|todas)\b"
)


_YES = re.compile(
    r"^(?:yes|yep|yeah|yup|right|correct|sure|exactly|ok|okay|that one|that's (?:it|right|the one|her|him)|this one|si|sí|y)\b"
)


def reply_to_offer(whole: Piece, talk: Talk, known: Known) -> Reading | None:
    """The reading of a reply to what was asked back: the last question again, about what was chosen."""
    text = whole.text.strip(" .!?,")
    if len(text.split()) > 9 or re.search(
        r"\bwhat(?:'s| is|\s)|\bwhy\b|\bhow\b|\bcan (?:she|he)\b|\bif\b", text
    ):
        return None
    of_ours = tuple(name for name in talk.offered if name in known.by_name)
    if not of_ours:
        return _chosen_person(whole, text, talk)
    picked: tuple[str, ...] = ()
    named = tuple(dict.fromkeys(n for m in whole.mentions for n in m.names))
    use = drugs.indication_named(text) or next(
        (item.said for item in whole.of("CONCEPT") if item.said in drugs.INDICATIONS), ""
    )
    if whole.mentions and len(_within_offer(named, of_ours)) >= 1:
        picked = _within_offer(named, of_ours)
        picked = picked if len(picked) < len(of_ours) or whole.mentions[0].many else ()
    elif whole.mentions and len(named) == 1:
        picked = named
    if not picked:
        picked = in_order(text, of_ours)
    if not picked and BOTH.search(text):
        picked = of_ours[:2]
    if not picked and _ALL.search(text) and not use:
        picked = of_ours
    if not picked:
        spoken = as_typed(whole.text, whole.items).lower()
        use = use or drugs.indication_named(spoken)
        fits = drugs.for_indication(of_ours, use, known) if use else of_ours
        fits = tuple(n for n in fits if _by_route(n, spoken, known))
        if 0 < len(fits) < len(of_ours):
            picked = fits
    if not picked and len(of_ours) == 1 and _YES.match(text):
        picked = of_ours
    if not picked:
        return None
    seen = intents.seen(re.sub(r"^(?:no|yes|ok)\b,?\s*", "", text))
    if (
        seen
        and seen.intent not in ("eligibility", "compare", "chart", "smalltalk", "off_topic", "policy", "plan")
        and seen.sure >= 0.9
    ):
        return None
    before = tuple(a for a in talk.asks if a.intent in AGAINABLE) or (Ask(intent="eligibility"),)
    clear = len(picked) == 1 or BOTH.search(text) or _ALL.search(text) or len(named) == len(picked)
    pinned = use if use and len(picked) == 1 and drugs.for_indication(picked, use, known) else ""
    asks = tuple(
        msgspec.structs.replace(
            ask, drugs=picked if clear else (), all_drugs=False, indication=pinned or ask.indication
        )
        for ask in before
    )
    return Reading(asks=asks, candidates=() if clear else picked, sure=0.9)


def _within_offer(named: tuple[str, ...], offered: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in named if name in offered)


def in_order(text: str, offered: tuple[str, ...]) -> tuple[str, ...]:
    for pattern, at in _ORDINALS:
        if re.search(pattern, text) and at < len(offered):
            return (offered[at],)
    return ()


def _by_route(name: str, text: str, known: Known) -> bool:
    oral = known.by_name[name].route == "oral"
    by_mouth = bool(re.search(r"\b(?:pills?|tablets?|oral|by mouth|tab|pastilla)\b", text))
    by_needle = bool(re.search(r"\b(?:shots?|inject\w*|pens?|jab|needle)\b", text))
    weekly = bool(re.search(r"\bweekly|once a week\b", text))
    return (
        not (by_mouth and not oral)
        and not (by_needle and oral)
        and not (weekly and known.by_name[name].per_day > 0.5)
    )


def _chosen_person(whole: Piece, text: str, talk: Talk) -> Reading | None:
    """One of the people that were offered; the question that led there is asked again."""
    picked = in_order(text, talk.offered)
    if not picked and len(talk.offered) == 1 and _YES.match(text):
        picked = talk.offered
    if not picked:
        return None
    before = tuple(a for a in talk.asks if a.intent in AGAINABLE)
    return Reading(asks=before or (Ask(intent="patient", text=whole.typed),), person=picked[0], sure=0.9)
