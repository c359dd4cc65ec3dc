# ruff: noqa: E501 - a pattern is read more easily on one line than in pieces
"""What each piece of a question asks: again, by supposition, by cue and by what examples taught."""

from __future__ import annotations

import re

import msgspec

from agent.understanding import changes, deciding, drugs, forms, intents, learned, of_cases, people
from agent.understanding.known import Known
from agent.understanding.pieces import AGAINABLE, Found, Piece, as_typed, cut_out, put_together, unmarked
from agent.understanding.reading import ABOUT_A_DRUG, REFUSED, Ask, Intent, Talk
from agent.understanding.replies import BOTH
from agent.understanding.sifting import goes_with_last, sift
from tools.what_if import Change

MOST_ASKS = 4

_FILLER = (
    r"(?:and|or|but|what|about|how|for|same|now|ok|okay|then|also|too|so|the|with|instead|please|hmm|well|no|nope|sorry|i|we|meant|mean|said|wait|actually|oh|oops|whoops|apologies|bad|my|rather|make|it|that|this|"
    r"one|ones|just|thing|question|again|try|maybe|case|of|her|him|his|them|does|is|a|as|well|in|not|let's|lets|say|see|do|next|thanks|thank|you|yes|yeah|if|go|to|question|y|para|de|el|la|"
    r"lo|mismo|otra?|version|drug|drugs|med|medication|other|others|both|all|each|first|second|third|last|former|latter|those|these|either|any|else|hers|rest|rest?|correction|should|be|was|got|wrong|i'm|asking|talking|on|at|patient|she|he|they)"
)


_AGAIN = re.compile(rf"^(?:(?:{_FILLER}|DRUG|CLASS|ODD|\d+(?:\.\d+)? ?mg)\b[\s,.?!:;-]*|[\s,.?!:;/&+-])*$")


_ON_IT = re.compile(r"^(?:is|was|isn't|wasn't) [\w ]{2,20}\bon (?:a |an |the )?(?:DRUG|CLASS|it|that|this)\b")
OTHER = re.compile(r"\b(?:the other(?:s| ones?| drugs?| meds?)?|other ones?|otra|otro)\b")


PRONOUN = re.compile(
    r"\b(?:it|that one|this one|that|this|them|those|these|they both|both|same (?:drug|one|med)|the drug|the med|the medication|that drug|this drug|one)\b"
)


_STATED = re.compile(
    r"^(?:so |well |ok |okay |hi |hello |fyi |btw |also |but |and |because |since )*(?:she|he|they|her|his|the patient|patient|pt|WHO|i have|i'm|we have|this patient|my patient|the doctor|dr|doctor|we just|i just|we already|it's|there's|i've|"
    r"our|their|the plan|insurance|a|an|new|mrs?)\b(?!.*\?)"
)


_VERB = re.compile(
    r"'s\b|'ve\b|\b(?:is|has|was|have|had|wants?|tried|takes?|taking|failed|prescribed|ordered|put|puts|needs?|gained|lost|says?|said|asked|thinks?|started|stopped|did|does|lives|works|got|came|called|weighs?|wrote|writes|mentioned|mentions|suggested|suggests|recommended|recommends|heard|read|requested|likes|prefers)\b"
)


_REQUEST = re.compile(
    r"\b(?:(?:i|we)(?:'d)? (?:need|want|like)|would like|wondering|looking|trying|curious|question|eligible|approved|should|can|please|tell|show|check)\b"
)


def things_asked(whole: Piece, person: people.Person, talk: Talk, known: Known) -> list[Found]:
    spans = [part for span in intents.pieces(whole.text) for part in _parted(whole.text, span, talk)]
    parts = [cut_out(whole, start, end, len(spans) == 1) for start, end in spans]
    if talk.patient_id and forms.of_another([part.text for part in parts]):
        return [Found(whole, "other_patient", sure=0.85)]
    found: list[Found] = []
    unread: list[Piece] = []
    for part in parts:
        one = _one(part, found, person, talk, known)
        if one is None:
            unread.append(part)
        elif goes_with_last(one, found):
            found[-1].piece = put_together(found[-1].piece, one.piece)
            if not found[-1].changes and one.changes:
                found[-1].changes = one.changes
        else:
            found.append(one)
    found = sift(found, talk)
    if not found:
        found = [_by_likeness(_whole_or(parts, whole), person, talk)]
    elif unread and not any(f.piece.mentions for f in found):  # "She has Ozempic on order. What's missing?"
        for part in unread:
            found[0].piece = put_together(part, found[0].piece) if part.mentions else found[0].piece
    return found[:MOST_ASKS]


_AND = re.compile(r",?\s+(?:and|but|plus|also|y|und)\s+(?:also\s+)?|\s*/\s+")
_PARTING = 0.8  # of likelihood, that each part asks something of its own
_PARTED: frozenset[Intent] = (ABOUT_A_DRUG - {"what_if"}) | {"chart"}


def _parted(text: str, span: tuple[int, int], talk: Talk) -> list[tuple[int, int]]:
    """The span in two where an "and" joins two things, each of which clearly asks something else."""
    start, end = span
    piece = text[start:end]
    if intents.supposes(piece) or not _AND.search(piece):
        return [span]
    for match in [*_AND.finditer(piece)][:2]:
        parts = piece[: match.start()], piece[match.end() :]
        if any(
            _NAMES_ONLY.match(part) or (len(part.split()) < 3 and not _MARKER.search(part)) for part in parts
        ):
            continue
        read = [learned.likely(part.strip(" ,.?;:-"), talk) for part in parts]
        clear = all(one and one.best in _PARTED and one.of(one.best) >= _PARTING for one in read)
        if clear and len({one.best for one in read if one}) == 2:
            return [(start, start + match.start()), (start + match.end(), end)]
    return [span]


_NAMES_ONLY = re.compile(r"^\W*(?:(?:DRUG|CLASS|TEST|MED|CONCEPT|PLAN|the|her|his|for|please|too)\b\W*)*$")
_MARKER = re.compile(r"\b(?:DRUG|CLASS|TEST|MED|CONCEPT|PLAN)\b")


def _whole_or(parts: list[Piece], whole: Piece) -> Piece:
    return parts[0] if len(parts) == 1 else whole


def _one(piece: Piece, found: list[Found], person: people.Person, talk: Talk, known: Known) -> Found | None:
    """What one piece asks, by supposition, cue, and the talk; None if it says nothing by itself."""
    text = forms.without_others(piece.text)
    seen = intents.seen(text)
    wanted = intents.seen(forms.told_to(text))
    if wanted and wanted.intent == "fabricate":
        seen = wanted
    if seen and seen.intent == "fabricate":
        return Found(piece, seen.intent, seen.about, seen.sure)
    if _asks_again(piece, talk, found):
        before = _before(found, talk)
        if (before and piece.of("DRUG", "CLASS", "ODD")) or (before and not _has_words(piece)):
            return Found(piece, before[0].intent, before[0].about, 0.88, before[0].changes, again=before)
        if piece.of("DRUG", "CLASS", "ODD"):
            if re.search(r"\bDRUG\b.*\b(?:or|vs|versus)\b.*\bDRUG\b", piece.text):
                return Found(piece, "compare", sure=0.85)
            return Found(piece, "compare" if piece.of("CLASS") else "eligibility", sure=0.85)
    if _ONE_BEFORE.match(piece.text) and talk.asks and talk.asks[0].intent == "chart":
        return Found(piece, "chart", talk.asks[0].about, 0.85)  # which is told with its predecessor
    if _other_use(piece, talk):
        before = _before([], talk)
        return Found(piece, before[0].intent, before[0].about, 0.85, before[0].changes, again=before)
    if plain := deciding.plainly(piece.text):
        return Found(piece, plain, sure=0.95)
    if not (seen and seen.intent in REFUSED) and (side := of_cases.asked(text, cued=bool(seen))):
        return Found(piece, "cases", side, 0.9)
    settled = forms.settled(text)
    if settled and (settled[0] == "alike" or not (seen and seen.intent == "other_patient")):
        topic = settled[1] or _topic(piece, settled[0])
        if settled[0] == "chart":  # the dose that is ordered: of the talk's drug, if none is named
            topic = topic or (talk.drugs[0] if talk.drugs else "medications")
        return Found(piece, settled[0], topic, 0.9)
    if _LED_UP.match(text) or _THINKS.match(piece.text):
        return None
    last_supposed = bool(talk.asks and talk.asks[0].intent == "what_if")
    likely = learned.likely(text, talk)
    refused = seen and seen.intent == "other_patient"
    if not refused and (supposed := _supposition(piece, seen, likely, talk, known, last_supposed)):
        return supposed
    said = deciding.decide(text, seen, likely)
    if said is None or (seen is None and not _says(piece, said)):
        return None
    if said.intent in _LEADS and _is_context(piece, said.intent):
        return Found(piece, said.intent, said.about or _topic(piece, said.intent), 0.7, context=True)
    return Found(piece, said.intent, said.about or _topic(piece, said.intent), said.sure)


_ONE_BEFORE = re.compile(
    r"^\W*(?:(?:and|ok|so|what|was|is|what's|how|about) )*(?:the |her |his |its )?"
    r"(?:(?:one|value|result|reading|number)s? (?:before|prior)(?: (?:to )?(?:that|this|it))?"
    r"|(?:previous|prior|preceding|earlier)(?: (?:one|value|result|reading|number)s?)?)\W*$"
)
_LEADS: frozenset[Intent] = (ABOUT_A_DRUG - {"what_if"}) | {"chart"}  # when merely stated


def _says(piece: Piece, said: deciding.Verdict) -> bool:
    """Whether a piece without a cue says something by itself, rather than leads up to another."""
    return said.sure >= 0.45 and len(piece.text.split()) >= 3


def _supposition(
    piece: Piece,
    seen: intents.Seen | None,
    likely: learned.Likely | None,
    talk: Talk,
    known: Known,
    after: bool,
) -> Found | None:
    """A supposition, where words of supposing stand with a change that could be read, or examples say so too."""
    supposes = intents.supposes(piece.text, after)
    share = likely.of("what_if") if likely else 0.5
    if not (supposes or share >= 0.5) or (likely and share < 0.05 and likely.sure >= 0.6 and not after):
        return None
    changed = _supposed(piece, talk, known, after)
    settled = _SETTLED_IF.search(piece.text)
    strong = _STRONG_IF.search(piece.text) and not settled
    if changed and (supposes or share >= 0.5):
        return Found(piece, "what_if", sure=0.93 if supposes and share > 0.3 else 0.6, changes=tuple(changed))
    if (strong and share >= 0.3) or (supposes and share >= 0.7 and not settled):
        return Found(piece, "what_if", sure=0.6 if share >= 0.8 else 0.5)
    return None


_STRONG_IF = re.compile(
    r"\bwhat if\b|\bsuppos|\blet's say\b|\bsay (?:she|he)\b|\bassum|\bimagin|\bhypothetic|\bif (?:she|he|her|his|we|WHO|the patient)\b|\bsay (?:the|her|his) TEST|\bonce (?:the|a|she|he|we)\b|"
    r"\by si\b|\bwould (?:a|an|another) (?:new |better |higher |lower )?TEST|\bwith an? (?:\w+ )?(?:TEST|CONCEPT|diagnosis)\b|\bqu[eé] pasa si\b"
)


_SETTLED_IF = re.compile(
    r"\bif (?:she|he|it|they|we)(?:'s| is| gets?| get| doesn't| does not| isn't| is not| can't| cannot| won't| don't)* (?:eligible|approved?|denied|qualif|deny|reject|say|get (?:DRUG|it)|cover)"
)


def _is_context(piece: Piece, intent: Intent) -> bool:
    """A statement that only leads up to the question."""
    return bool(_STATED.match(piece.text) and _VERB.search(piece.text)) and not _REQUEST.search(piece.text)


def _asks_again(piece: Piece, talk: Talk, found: list[Found]) -> bool:
    text = re.sub(r"\b(?:CONCEPT|TEST)\b", "x", piece.text)
    if not _AGAIN.match(text) or _ON_IT.match(text):
        return False
    return bool(
        piece.of("DRUG", "CLASS", "ODD")
        or OTHER.search(text)
        or BOTH.search(text)
        or re.search(
            r"\b(?:that one|this one|first one|second one|last one|third one|the first|the second|the last|all of them|all of those|each of them|the rest|those|these|them)\b",
            text,
        )
    )


# What people around the request think, want or do, before it is asked what becomes of it.
_LED_UP = re.compile(
    r"^(?!.*\b(?:MED|TEST|CONCEPT|put|write|say|mark|add|enter)\b)(?:(?:so|and|but|well|also|because|since),? )*(?:the|her|his|their|our|my|dr|WHO's)\.? ?(?:\w+ ){0,2}?(?:family|daughter|son|husband|wife|spouse|mother|father|sister|brother|cousin|neighbou?r|friend|partner|doctor|prescriber|physician|provider|endo\w*|patient|pt|boss|manager|supervisor|colleague|pharmacist|nurse)(?: of (?:the patient|hers|his))?"
    r"(?: (?:has|have|is|are|was|were|already|also|really|just|all|very|now|been))* (?:keeps? (?:calling|asking|phoning|bugging|pestering)|(?:phon|r[iu]ng|r[ai]ng|text|e-?mail|messag|inquir|enquir|bugg|pester)(?:e?s|ed|ing)?|on the (?:line|phone)|heard|read|saw|stopped by|came (?:in|by)|dropped by|calling|called|calls|waiting|asking|asked|decided|convinced|sure|hopes?|hoping|insists?|wants?|agreed|anxious|worried|upset|impatient|made up)\b(?!.*\?)(?!.*\byes or no\b)"
    r"|^(?!.*\b(?:MED|TEST|CONCEPT|WHO)\b)(?!.*\?)(?:(?:so|and|but|well|also|ok),? )*(?:she|he|they|pt|patient)(?: (?:has|have|is|was|were|already|also|really|just|now|been|'s))* (?:keeps? (?:calling|asking|phoning|bugging|pestering)|won't stop (?:asking|calling)|(?:asked|asks|asking|called|calls|calling|phoned|rang|texted|e-?mailed|messaged|bugged|bugging|pestered|wrote|heard|read|saw)(?: (?:me|us))?(?: (?:again|twice|\d \w+|today|now|yesterday|this \w+))*) (?:now )?(?:about|of|over|re|regarding|because of|something about)\b"
    r"|^(?:so |and |but )?(?:before|while) (?:i|we) (?:(?!what|how|is|can|does|will|would|do)\w+ ?){1,6}\W*$"
)
# A clinician's opinion of the drug, told before what the plan makes of it is asked.
_THINKS = re.compile(
    r"^(?!.*(?:\b(?:MED|TEST|CONCEPT)\b|\?))\W*(?:(?:so|and|but|well),? )*(?:the |her |his |our |my |dr\.? )?(?:\w+ ){0,2}?(?:doctor|prescriber|physician|provider|endo|\w+ologist|internist|clinician|np|pa|specialist|team|WHO) "
    r"(?:(?:really|strongly|clearly) )?(?:thinks?|believes?|feels?|considers?|finds?|prefers?|favou?rs?|is sure|is of the opinion)\b.*\b(?:DRUG|it)\b"
)
_USE = re.compile(r"^(?:(?:and|but|or|what about|how about|ok|then|so|y)\s+)*(?:for|as|under|para)\b")


def _other_use(piece: Piece, talk: Talk) -> bool:
    """ "and for weight loss?": the last question again, for another use."""
    typed = as_typed(piece.text, piece.items).lower()
    if (
        not talk.asks
        or piece.mentions
        or not _USE.match(typed)
        or not drugs.indication(typed)
        or not _before([], talk)
    ):
        return False
    rest = drugs.INDICATION.sub(" ", typed)
    return bool(_AGAIN.match(" ".join(rest.split())) or not rest.strip(" ?."))


def _has_words(piece: Piece) -> bool:
    return bool(piece.of("MED", "TEST", "CONCEPT"))


def _before(found: list[Found], talk: Talk) -> tuple[Ask, ...]:
    """What a follow-up asks again: the piece before it, or the last turn's asks."""
    if found and not found[-1].context:
        last = found[-1]
        if last.intent in AGAINABLE and last.intent != "compare":
            return (Ask(intent=last.intent, about=last.about, changes=last.changes),)
        return ()
    asks = tuple(a for a in talk.asks if a.intent in AGAINABLE)
    return tuple(
        msgspec.structs.replace(a, intent="eligibility", about="", all_drugs=False)
        if a.intent == "compare" or (a.intent == "chart" and a.about and not _is_medicine(a.about))
        else a
        for a in asks
    )


def _is_medicine(about: str) -> bool:
    from tools.terminology.medicines import ingredients_of

    return bool(ingredients_of(about)) or about == "medications"


def _supposed(piece: Piece, talk: Talk, known: Known, after: bool) -> list[Change]:
    def drug_at(place: int) -> str:
        item = piece.at(place)
        if item is None or item.mention is None:
            return ""
        return (
            item.mention.word
            if item.mention.kind in ("other", "ingredient", "brand")
            else (item.mention.names[0] if len(item.mention.names) == 1 else "")
        )

    text = unmarked(piece, ("TEST", "CONCEPT", "ODD"))
    before = talk.asks[0].changes if after and talk.asks else ()
    plan = next((item.said for item in piece.of("PLAN")), "")
    if plan and not re.search(
        r"\b(?:switch\w*|mov(?:e|ed|es)|chang\w+|had|were|was|on|with|went|goes|joined|joins|enrolled|insured|have|has|under|under|if|at)\b[^?]{0,20}PLAN",
        piece.text,
    ):
        plan = ""
    return changes.find(text, lambda place: drug_at(_back(piece, text, place)), known, plan, before)


def _back(piece: Piece, text: str, place: int) -> int:
    """Where in the piece the n-th medicine of the unmarked text stands."""
    count = len(re.findall(r"\b(?:MED|DRUG)\b", text[:place]))
    places = [at for at, item in piece.items if item.marker in ("MED", "DRUG")]
    return places[count] if count < len(places) else -1


_TOPICAL: frozenset[Intent] = frozenset(("chart", "why"))


def _topic(piece: Piece, intent: Intent) -> str:
    """What narrows the ask: a test's key, a medicine, the words of a criterion."""
    if intent == "policy":
        return piece.typed
    if intent not in _TOPICAL:
        return ""
    if intent == "chart":
        for _, item in piece.items:
            if item.mention and item.mention.kind in ("other", "ingredient", "brand"):
                return item.mention.word
            if item.marker == "TEST":
                return item.said.split("|")[0]
            if item.marker == "CONCEPT":
                return item.said.split("|")[-1]
        if re.search(r"\bweigh|heavy\b", piece.text):
            return "weight"
        match = re.search(
            r"\b(?:statins?|insulin|labs?|program(?:me)?|vitals|sleep study|lifestyle)\b", piece.text
        )
        return match.group() if match else ""
    said = [item.said.split("|")[-1] for item in piece.of("TEST", "CONCEPT")]
    said += [item.mention.word for item in piece.of("MED") if item.mention]
    match = re.search(
        r"\bstep(?: therapy)?\b|\bage\b|\bquantity\b|\blifestyle\b|\bprogram\b|\bdocuments?\b|\btrial\b",
        piece.text,
    )
    return " ".join([*said, *([match.group()] if match else [])][:2])


def _by_likeness(piece: Piece, person: people.Person, talk: Talk) -> Found:
    """No cue fits any piece: what examples say of it, if they say it clearly enough."""
    if person.said and not talk.patient_id and len(piece.text.split()) <= 4:
        return Found(piece, "patient", sure=0.85)
    likely = learned.likely(piece.text, talk)
    said = deciding.decide(piece.text, intents.seen(piece.text), likely)
    if likely is None or said is None:
        return Found(piece, "unclear", sure=0.4)
    if likely.of(likely.best) < 0.3 and not piece.mentions:
        return Found(piece, "unclear", sure=0.3)
    return Found(piece, said.intent, said.about or _topic(piece, said.intent), said.sure)
