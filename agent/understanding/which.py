# ruff: noqa: E501 - a pattern is read more easily on one line than in pieces
"""The drugs that an ask is about: named in it, named beside it, or talked about before."""

from __future__ import annotations

import re

from agent.understanding import drugs
from agent.understanding.asking import OTHER, PRONOUN
from agent.understanding.drugs import Mention
from agent.understanding.known import Known
from agent.understanding.pieces import Found, as_typed
from agent.understanding.reading import ABOUT_A_DRUG, REFUSED, Intent, Talk
from agent.understanding.replies import BOTH, in_order

# What the talk's drug goes with, if the question names none. A refusal is about it too.
_LEANS: frozenset[Intent] = (ABOUT_A_DRUG | REFUSED) - {"compare", "other_patient"}


_ALONE = frozenset(("channel", "enrolment"))  # of a plan: no drug is meant


_CONTEXT = re.compile(
    r"(?:\b(?:(?:is|was|been|she's|he's|currently|already|now|still|were|while|patient|pt|WHO)\s+(?:\w+\s+)?on|taking|takes|took|taken|tried|failed|fails|stopped|stopping|stops|stop|"
    r"(?:switch|chang|mov|go|com|transition|convert)\w*\s+(?:\w+\s+)?(?:over\s+)?from|from|instead of|rather than|not|off|came off|after|without|besides|alternatives? to|allerg\w+ to|intoleran\w+ (?:to|of))\s+(?:the\s+|her\s+|his\s+)?)$"
)


_ONLY_IF = re.compile(r"^(?:and |but |so |ok )?if [^,]*\bDRUG,$")


_TO_BE_TRIED = re.compile(
    r"^\w+ (?:first )?(?:needs?|has|have|must|had|should|required?)\b.{0,12}\b(?:tried|failed|first|used)\b"
)


_TARGETING = re.compile(
    r"\b(?:put|start|get|keep)\b.{1,24}\bon\s+(?:the\s+)?$|\b(?:get|put|start|started|go|getting|putting|starting|onto|be|her|him|them|patient|WHO|going|switch\w*|approved|keep|stay|staying|remain)\s+(?:her |him |them |WHO |the patient |back )?on\s+(?:the\s+)?$"
)


def settle(one: Found, found: list[Found], talk: Talk, known: Known) -> None:
    """The drugs that the ask is about: named in it, named beside it, or talked about before."""
    piece = one.piece
    one.indication = drugs.indication(as_typed(piece.text, piece.items).lower())
    targets, topics = _targets(one, talk)
    one.strangers = tuple(m.word for m in targets if not m.names)
    targets = [m for m in targets if m.names]
    names: list[str] = []
    for mention in targets:
        fits = _fitting(mention, one, known)
        if len(fits) == 1 or mention.many or one.intent == "compare":
            names += fits
        elif not names:
            one.candidates = fits
    if targets and all(m.many for m in targets) and one.intent == "eligibility":
        one.intent = "compare"
    one.drugs = tuple(dict.fromkeys(names))
    one.named = bool(targets or one.strangers)
    if one.drugs:
        one.candidates = ()
    if one.intent == "compare":
        _settle_comparison(one, talk, topics)
        return
    if one.named:
        if (
            one.intent == "eligibility"
            and len(one.drugs) > 1
            and re.search(r"\bor\b|\bvs\b|\bversus\b|\bwhich\b|\bbetween\b|\bthan\b|\bbetter\b", piece.text)
        ):
            one.intent = "compare"
        return
    pointed = _pointed(piece.text, talk, known)
    if pointed:
        one.drugs = pointed
        if one.intent == "eligibility" and len(pointed) > 1 and not one.again:
            one.intent = "eligibility"
        return
    if one.intent == "plan" and re.search(
        r"\b(?:which|what) (?:drugs?|ones?|meds|medications)\b", piece.text
    ):
        one.all_drugs = True
        return
    if re.search(
        r"\b(?:any|all|every|each) (?:of )?(?:the |these |those |our |covered )?(?:drugs?|meds|medications)\b",
        piece.text,
    ) and one.intent in ("eligibility", "plan", "missing"):
        one.all_drugs = True
        return
    near = next(
        (
            f
            for f in found
            if f is not one
            and f.intent in _LEANS | {"chart", "compare"}
            and any(
                (m.names and m.kind != "class") or m.kind in ("stranger", "odd") for m in f.piece.mentions
            )
        ),
        None,
    )
    if (
        one.intent in _LEANS
        and not (one.intent == "plan" and one.about in _ALONE and not PRONOUN.search(piece.text))
    ) or (one.intent == "chart" and _about_it(piece.text)):
        if near is not None and not one.again:
            settle(near, [near], talk, known) if not near.named else None
            one.drugs, one.candidates, one.strangers = near.drugs, near.candidates, near.strangers
            if one.drugs or one.candidates or one.strangers:
                return
        if (one.intent == "plan" and "cheap" in piece.text) or (
            one.intent == "plan" and re.search(r"\bwhich\b.*\b(?:lowest|least)\b", piece.text)
        ):
            one.all_drugs = True
            return
        one.drugs = talk.drugs[:1]
        if one.intent == "chart" and one.drugs and not one.about:
            one.about = one.drugs[0]
        if one.intent in ("fabricate", "advice", "dosing") and not one.drugs:
            return


def _about_it(text: str) -> bool:
    return bool(
        re.search(
            r"\b(?:on|tried|taken|taking|take|used|had|started|stopped|prescribed|ordered|stop|start)\s+(?:it|that|this|that one|this one|that drug|this drug)\b",
            text,
        )
    )


_OF_ODD: frozenset[Intent] = frozenset(("eligibility", "missing", "compare", "plan", "draft"))
_OF_STRANGERS: frozenset[Intent] = (ABOUT_A_DRUG | REFUSED) - {"what_if", "fabricate", "other_patient"}
_ASKED_FOR = re.compile(
    r"\b(?:for|get|have|cover|approve|order\w*|prescrib\w*|start|on|want\w*)\s+(?:the\s+|her\s+on\s+|him\s+on\s+)?\W?$"
    r"|\b(?:switch|chang|mov)\w*\b.{0,16}\bto\s+\W?$"
)


def _may_be_asked(mention: Mention, one: Found, before: str) -> bool:
    """Whether a word that nobody knows is what this is asked about, and not a rare word of the question."""
    if one.intent == "what_if":
        return mention.kind == "stranger" and bool(_ASKED_FOR.search(before))
    return one.intent in (_OF_STRANGERS if mention.kind == "stranger" else _OF_ODD)


def _targets(one: Found, talk: Talk) -> tuple[list[Mention], list[Mention]]:
    """Mentions that are asked about, and those that only say how things are."""
    targets: list[Mention] = []
    topics: list[Mention] = []
    places = {id(item.mention): at for at, item in one.piece.items if item.mention}
    supposed = {getattr(c, "drug", "") for c in one.changes if getattr(c, "drug", "")}
    ours = [m for m in one.piece.mentions if m.kind != "other"]
    for mention in one.piece.mentions:
        place = places[id(mention)]
        before, after = one.piece.text[:place], one.piece.text[place : place + 50]
        if mention.kind in ("stranger", "odd") and not one.again and not _may_be_asked(mention, one, before):
            continue
        if mention.kind == "other":
            if (
                one.intent in ("eligibility", "plan", "draft", "compare")
                and not _CONTEXT.search(before)
                and not ours
                and _names_medicine(one, before)
            ):
                targets.append(mention)
            else:
                topics.append(mention)
        elif (one.intent != "chart" and _TO_BE_TRIED.match(after) and len(ours) > 1) or (
            one.intent in ("eligibility", "compare") and len(ours) > 1 and _ONLY_IF.match(before + after[:5])
        ):
            topics.append(mention)
        elif one.again:
            (
                topics if re.search(r"\b(?:not|instead of|rather than)\s+(?:the\s+)?$", before) else targets
            ).append(mention)
        elif (one.changes and mention.word in supposed) or (
            one.intent == "chart" and mention.kind in ("ingredient", "class", "described")
        ):
            topics.append(mention)
        elif one.intent == "chart":
            targets.append(mention)
        elif (
            (
                one.intent in ("policy", "why", "missing")
                and mention.kind in ("ingredient", "class")
                and (len(ours) > 1 or talk.drugs)
                and _mentioned_in_passing(before)
            )
            or (
                one.intent == "compare"
                and re.search(
                    r"\b(?:besides|other than|except|apart from|aside from|but not|not)\s+$", before
                )
            )
            or (one.intent != "compare" and _CONTEXT.search(before) and not _TARGETING.search(before))
        ):
            topics.append(mention)
        else:
            targets.append(mention)
    if not targets and one.intent in ABOUT_A_DRUG and one.intent not in ("compare",):
        back = [
            m for m in topics if m.names and m.kind != "class" and not (one.changes and m.word in supposed)
        ]
        if back and not (talk.drugs and one.intent in ("policy", "why", "what_if", "missing")):
            targets = back[:1]
    return targets, topics


def _mentioned_in_passing(before: str) -> bool:
    return bool(
        re.search(
            r"\b(?:about|mention\w*|tried|try|failed|fail|stop\w*|trial of|on|of|the|with|taking|any|a|another|and|other|or|need|require|require\w*|first|why|does|is|prior)\s+(?:the\s+|a\s+|an\s+)?$",
            before,
        )
    )


def _names_medicine(one: Found, before: str) -> bool:
    """Whether another medicine stands where a drug that is asked for would."""
    if one.intent == "plan" and one.about == "step":
        return False
    return bool(
        re.search(
            r"\b(?:get|have|for|approve|cover|covers|on|of|is|about|draft|and|prescribe|does|start|check|copay|tier)\s+(?:the\s+|her\s+|his\s+|a\s+)?$|^$",
            before,
        )
    )


def _fitting(mention: Mention, one: Found, known: Known) -> tuple[str, ...]:
    """The drugs of a mention that have the use which the question pins."""
    if len(mention.names) > 1 and one.indication:
        return drugs.for_indication(mention.names, one.indication, known) or mention.names
    return mention.names


def _settle_comparison(one: Found, talk: Talk, topics: list[Mention]) -> None:
    """Which drugs a comparison is between: those named, those of the talk ("those two"), or all."""
    text = one.piece.text
    others = bool(
        re.search(
            r"\b(?:alternativ|else|other|instead|different|another|options?|choices|substitut|plan b|back-?up|if not|any (?:drug|med))",
            text,
        )
    )
    if one.named and (len(one.drugs) > 1 or not others):
        if len(one.drugs) == 1:
            one.drugs = (
                tuple(dict.fromkeys((*talk.drugs[:1], *one.drugs)))
                if re.search(r"\b(?:it|that|this|to|with|vs|or|than|against)\b", text)
                and not one.piece.text.startswith("is DRUG")
                else one.drugs
            )
        return
    if one.named:
        one.all_drugs = True
        return
    if topics and others and any(m.kind == "brand" for m in topics):
        one.drugs, one.all_drugs = (
            tuple(dict.fromkeys(n for m in topics if m.kind == "brand" for n in m.names)),
            True,
        )
        return
    pool = tuple(dict.fromkeys((*talk.drugs, *talk.earlier)))
    pointed = re.search(
        r"\b(?:those|these|them|both|the 2|of the 2|either|they|the 2 of them|which 1|which one|which of|the three|the 3|all 3)\b",
        text,
    )
    whole = re.search(
        r"\b(?:all (?:the |of the |covered |other )?(?:drugs|meds|medications|options)|every|everything|formulary|else|other|alternativ|options|which drug|anything|all of (?:the|her|his|our))\b",
        text,
    )
    if (
        pointed
        and not whole
        and (len(talk.drugs) > 1 or (len(pool) > 1 and not re.search(r"\bwhich (?:1|one)\b", text)))
    ):
        one.drugs = talk.drugs if len(talk.drugs) > 1 else pool[:2]
        return
    one.all_drugs = True
    if others and talk.drugs:
        one.drugs = talk.drugs[:1]


def _pointed(text: str, talk: Talk, known: Known) -> tuple[str, ...]:
    """What "both", "the other one", "the first one" mean in this talk."""
    pool = tuple(dict.fromkeys((*talk.drugs, *talk.earlier)))
    if OTHER.search(text) and pool:
        if len(talk.drugs) == 2:
            return (talk.drugs[1],)
        if re.search(r"\bothers\b|\bother ones\b|\bother drugs\b", text):
            return pool[1:]
        return talk.earlier[:1]
    if BOTH.search(text) and len(pool) > 1:
        return pool[:2]
    if (
        re.search(
            r"\b(?:all of (?:them|those|these)|all \d|each of (?:them|those)|those|these|them all|either)\b",
            text,
        )
        and len(talk.drugs) > 1
    ):
        return talk.drugs
    if (
        re.search(
            r"\b(?:first|second|third|last|former|latter|1st|2nd|3rd)(?: one| drug| option| of)\b|\bthe (?:first|second|third|last|former|latter)\W*$",
            text,
        )
        and pool
    ):
        listed = talk.drugs if len(talk.drugs) > 1 else tuple(reversed(pool))
        return in_order(text, listed)
    return ()
