# ruff: noqa: E501 - a pattern is read more easily on one line than in pieces
"""The code's reading of a question: names looked up, suppositions parsed, intents by cue and by nearest example.

    plain text → who, plans, drugs, tests → markers → pieces → what each asks → drugs, from the piece or the talk

No model, no I/O but for the store's catalog. Every drug in a reading is one of the catalog's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import msgspec

from agent.understanding import changes, drugs, intents, nearest, people, words
from agent.understanding.drugs import Mention
from agent.understanding.known import Known, any_of, ordinary
from agent.understanding.reading import ABOUT_A_DRUG, REFUSED, Ask, Intent, Reading, Talk
from tools.what_if import Change

LONGEST = 4_000  # characters; more is not read
MOST_ASKS = 4

# What the talk's drug goes with, if the question names none. A refusal is about it too.
_LEANS: frozenset[Intent] = (ABOUT_A_DRUG | REFUSED) - {"compare", "other_patient"}
_ALONE = frozenset(("channel", "enrolment"))  # of a plan: no drug is meant
_AGAINABLE = ABOUT_A_DRUG | {"chart", "advice", "dosing"}


class Item(NamedTuple):
    """What a marker stands for."""

    marker: str
    mention: Mention | None = None
    said: str = ""  # a test's key, a diagnosis' key, a plan's id, a person


@dataclass
class Piece:
    """One thing asked: its text with markers, what they stand for by place, and the words as typed."""

    text: str
    items: list[tuple[int, Item]]
    typed: str

    def of(self, *markers: str) -> list[Item]:
        return [item for _, item in self.items if item.marker in markers]

    @property
    def mentions(self) -> list[Mention]:
        return [item.mention for _, item in self.items if item.mention]

    def at(self, place: int) -> Item | None:
        return next((item for start, item in self.items if start == place), None)


@dataclass
class Found:
    """What a piece asks, before the drugs are settled."""

    piece: Piece
    intent: Intent
    about: str = ""
    sure: float = 0.95
    changes: tuple[Change, ...] = ()
    again: tuple[Ask, ...] = ()  # the last turn's asks, asked again about another drug
    drugs: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    all_drugs: bool = False
    indication: str = ""
    named: bool = False
    context: bool = False  # it only leads up to the question


def read(question: str, talk: Talk, known: Known) -> Reading:
    """What the question says; never raises, whatever the text. `sure` below 0.6 means: ask a model, if there is one."""
    if not any(character.isalnum() for character in question[:LONGEST]):
        return Reading(asks=(Ask(intent="unclear", about="empty"),))
    if len(question) > LONGEST:
        return Reading(asks=(Ask(intent="unclear", about="long"),))
    text = words.plain(question)
    person, plan_id, whole = _marked(text, talk, known)
    if talk.offered and (chosen := _chosen(whole, talk, known)):
        return chosen
    found = _found(whole, person, talk, known)
    for one in found:
        _settle(one, found, talk, known)
    return _reading(found, person, plan_id, talk, known)


# --- names as markers -------------------------------------------------------------------------------------


def _marked(text: str, talk: Talk, known: Known) -> tuple[people.Person, str, Piece]:
    """The person, the plan, and the whole question with markers for all that has a name."""
    low = words.low(text)
    cuts: list[tuple[int, int, Item]] = []
    for match in _plan_pattern(known).finditer(low):
        cuts.append((match.start(), match.end(), Item("PLAN", said=known.plan_words[match.group()])))
    plans = [cut[2].said for cut in cuts]
    taken = [(start, end) for start, end, _ in cuts]
    mentions = drugs.find(low, known, talk, taken)
    taken += [(m.start, m.end) for m in mentions]
    person = people.find(text, known, tuple(taken), bound=bool(talk.patient_id))
    if person.spans:
        start, end = person.spans[0]
        cuts.append((start, end, Item("WHO", said=person.said)))
        cuts += [(s, e, Item("WHO", said=person.said)) for s, e in person.spans[1:]]
        taken += person.spans
    for mention in mentions:
        cuts.append((mention.start, mention.end, Item(_marker(mention, known), mention)))
    for pattern, names, marker in (
        (known.concept_pattern, known.concepts, "CONCEPT"),
        (known.test_pattern, known.tests, "TEST"),
    ):
        for match in pattern.finditer(low):
            if not _within(match.start(), match.end(), taken):
                said = low[match.start() : match.end()] if marker == "CONCEPT" else names[match.group()]
                cuts.append((match.start(), match.end(), Item(marker, said=said)))
                taken.append((match.start(), match.end()))
    for mention in _odd(low, mentions, taken):
        cuts.append((mention.start, mention.end, Item("ODD", mention)))
        taken.append((mention.start, mention.end))
    cuts += _respelt(low, taken)
    return person, plans[0] if plans else "", _piece(text, low, sorted(cuts, key=lambda cut: cut[:2]))


def _piece(text: str, low: str, cuts: list[tuple[int, int, Item]]) -> Piece:
    made, items, done, length = [], [], 0, 0
    for start, end, item in cuts:
        if start < done:
            continue
        before = low[done:start]
        made.append(before)
        length += len(before)
        if item.marker:
            items.append((length, item))
        shown = item.marker or item.said
        if item.marker == "TEST" or item.marker == "CONCEPT":
            items[-1] = (length, item._replace(said=f"{item.said}|{low[start:end]}"))
        made.append(shown)
        length += len(shown)
        done = end
    made.append(low[done:])
    return Piece("".join(made), items, text)


def _cut(whole: Piece, start: int, end: int, alone: bool) -> Piece:
    text = whole.text[start:end]
    lead = len(text) - len(text.lstrip(" ,.;:-"))
    items = [(at - start - lead, item) for at, item in whole.items if start + lead <= at < end]
    text = text[lead:]
    return Piece(text, items, whole.typed if alone else _as_typed(text, items))


def _as_typed(text: str, items: list[tuple[int, Item]]) -> str:
    """The piece in words again."""
    made, done = [], 0
    for at, item in items:
        made.append(text[done:at])
        said = item.mention.word if item.mention else item.said.split("|")[-1]
        made.append(said)
        done = at + len(item.marker)
    return "".join((*made, text[done:])).strip()


def _marker(mention: Mention, known: Known) -> str:
    if mention.kind == "other":
        return "MED"
    if mention.kind == "stranger":
        return "ODD"
    return "CLASS" if mention.many else "DRUG"


@lru_cache(maxsize=8)
def _words_pattern(all_words: tuple[str, ...]) -> re.Pattern[str]:
    return any_of(dict.fromkeys(all_words, ""))


def _plan_pattern(known: Known) -> re.Pattern[str]:
    return _words_pattern(tuple(known.plan_words))


_SLOT = re.compile(
    r"(?:\b(?:get|have|on|for|about|and|is|with|copay|approve|approved|cover|covers|covered|prescribe|draft|or|vs|start|try|tried|taking|take|check|does|to|eligible|qualify|run|"
    r"compare|of|against)\s+(?:the\s+|some\s+|a\s+|an\s+|her\s+|his\s+|him\s+on\s+|her\s+on\s+)?)$"
)
_FIRST = re.compile(
    r"^(?:and |or |what about |how about )?[a-z-]+(?:\s*\?+\s*$|\s+(?:for|please|too|instead)\b)"
)
_WORD = re.compile(r"[a-z][a-z-]{3,}[a-z]")


def _odd(low: str, mentions: list[Mention], taken: list[tuple[int, int]]) -> list[Mention]:
    """Words that stand where a drug does and are none that anybody knows."""
    found = drugs.strangers(low, taken)
    for match in _WORD.finditer(low):
        word = match.group().removesuffix("'s")
        if _within(match.start(), match.end(), taken) or word in ordinary() or word.rstrip("s") in ordinary():
            continue
        if any(m.start == match.start() for m in found) or any(
            part in ordinary() for part in word.split("-")
        ):
            continue
        after = low[match.end() : match.end() + 12]
        if _correction(word) or not (
            _SLOT.search(low, max(0, match.start() - 24), match.start())
            or (match.start() == 0 and _FIRST.match(low))
        ):
            continue
        if word.endswith(
            (
                "ing",
                "ed",
                "ly",
                "tion",
                "ions",
                "ment",
                "ness",
                "able",
                "ity",
                "ies",
                "ous",
                "ally",
                "emia",
                "itis",
                "opathy",
                "osis",
                "ology",
                "ologist",
                "gram",
            )
        ):
            continue
        if re.match(
            r"(?:\s*[?.!,]|\s*$|\s+(?:for|too|instead|or|and|then|please|approved|covered|with|go|ok|on|be|require|need|vs|eligible|off|now|at|next|under|the))",
            after,
        ):
            found.append(Mention(match.start(), match.end(), "stranger", (), word))
    return found


# --- spelling of the words that ask -------------------------------------------------------------------------

_SHORT = {
    "whats": "what's", "wats": "what's", "wat": "what", "wht": "what", "hows": "how's", "wheres": "where's", "u": "you",
    "ur": "your", "r": "are", "pls": "please", "plz": "please", "plez": "please", "abt": "about", "hv": "have", "thru": "through",
    "gonna": "going to", "wanna": "want to", "gotta": "have to", "cud": "could", "shud": "should", "wud": "would", "wen": "when",
    "hx": "history", "cuz": "because", "bc": "because", "appt": "visit", "dxs": "diagnoses", "rx'd": "prescribed", "lmk": "let me know",
    "aproved": "approved", "denyed": "denied", "isnt": "isn't", "dont": "don't", "doesnt": "doesn't", "didnt": "didn't", "wont": "won't",
    "cant": "can't", "wasnt": "wasn't", "shouldnt": "shouldn't", "wouldnt": "wouldn't", "hasnt": "hasn't", "arent": "aren't", "y": "why",
    "shes": "she's", "hes": "he's", "thats": "that's", "im": "i'm", "ive": "i've", "its": "its", "n": "and", "w": "with", "2": "2", "elig": "eligible",
    "req": "required", "reqs": "requirements", "reqd": "required", "reqt": "requirement", "quals": "qualifies", "crit": "criteria", "approx": "about",
    "hist": "history", "mgs": "mg", "whos": "who's", "wheather": "whether", "prolly": "probably", "info": "information", "rn": "now",
}  # fmt: skip
_ASKING = [
    "eligible",
    "eligibility",
    "approved",
    "approve",
    "approval",
    "approves",
    "missing",
    "formulary",
    "policy",
    "policies",
    "criteria",
    "criterion",
    "copay",
    "deductible",
    "deadline",
    "appeal",
    "letter",
    "draft",
    "alternative",
    "alternatives",
    "compare",
    "comparison",
    "covered",
    "coverage",
    "cover",
    "qualify",
    "qualifies",
    "documents",
    "documentation",
    "required",
    "requirements",
    "requirement",
    "require",
    "requires",
    "limit",
    "quantity",
    "medications",
    "medication",
    "allergies",
    "allergic",
    "diagnosis",
    "diagnoses",
    "latest",
    "history",
    "prescriber",
    "authorization",
    "insurance",
    "expensive",
    "tier",
    "denied",
    "denial",
    "explain",
    "because",
    "should",
    "switch",
    "through",
    "submit",
    "renewal",
    "exclusion",
    "which",
    "would",
    "could",
    "please",
    "thanks",
    "weight",
    "recommend",
    "injection",
    "tablets",
    "turnaround",
    "decision",
    "review",
    "expire",
    "expires",
    "long",
    "patient",
    "easiest",
    "better",
    "chance",
    "chances",
    "policy",
    "request",
]
_LETTERS = re.compile(r"(?<![\w'])[a-z']+(?![\w'])")


def _respelt(low: str, taken: list[tuple[int, int]]) -> list[tuple[int, int, Item]]:
    """The words of asking, where they are cut short or misspelt."""
    found = []
    for match in _LETTERS.finditer(low):
        word = match.group()
        if _within(match.start(), match.end(), taken):
            continue
        right = _SHORT.get(word) or (_correction(word) if len(word) > 4 and word not in ordinary() else "")
        if right and right != word:
            if word == "y" and not re.match(
                r"\s+(?:is|not|was|would|does|did|can't|isn't|denied)\b", low[match.end() : match.end() + 10]
            ):
                continue
            found.append((match.start(), match.end(), Item("", said=right)))
    return found


@lru_cache(maxsize=4096)
def _correction(word: str) -> str:
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    if len(word) < 5 or len(word) > 20:
        return ""
    near = process.extractOne(word, _ASKING, scorer=OSA.normalized_similarity, score_cutoff=0.74)
    if near is None or near[0][0] != word[0] or near[0].startswith(word) or word.startswith(near[0]):
        return ""
    return str(near[0])


def _within(start: int, end: int, spans: list[tuple[int, int]]) -> bool:
    return any(start < other_end and other_start < end for other_start, other_end in spans)


# --- an answer to a question back ---------------------------------------------------------------------------

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
_BOTH = re.compile(r"\b(?:both|those 2|these 2|the 2|them both|the two|2 of them|ambos|ambas)\b")
_ALL = re.compile(
    r"\b(?:all(?: of)? (?:them|those|these|3|4|\d+)|each(?: of them| one)?|every one|all|any of them|either|whichever|todos|todas)\b"
)
_NO = re.compile(r"^(?:no|nope|neither|none|cancel|never ?mind|not now|nah)\b(?!.*(?:DRUG|WHO))")
_YES = re.compile(
    r"^(?:yes|yep|yeah|yup|right|correct|sure|exactly|ok|okay|that one|that's (?:it|right|the one|her|him)|this one|si|sí|y)\b"
)


def _chosen(whole: Piece, talk: Talk, known: Known) -> Reading | None:
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
        picked = _by_order(text, of_ours)
    if not picked and _BOTH.search(text):
        picked = of_ours[:2]
    if not picked and _ALL.search(text) and not use:
        picked = of_ours
    if not picked:
        spoken = _as_typed(whole.text, whole.items).lower()
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
    before = tuple(a for a in talk.asks if a.intent in _AGAINABLE) or (Ask(intent="eligibility"),)
    clear = len(picked) == 1 or _BOTH.search(text) or _ALL.search(text) or len(named) == len(picked)
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


def _by_order(text: str, offered: tuple[str, ...]) -> tuple[str, ...]:
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
    picked = _by_order(text, talk.offered)
    if not picked and len(talk.offered) == 1 and _YES.match(text):
        picked = talk.offered
    if not picked:
        return None
    before = tuple(a for a in talk.asks if a.intent in _AGAINABLE)
    return Reading(asks=before or (Ask(intent="patient", text=whole.typed),), person=picked[0], sure=0.9)


# --- what each piece asks -----------------------------------------------------------------------------------

_FILLER = (
    r"(?:and|or|but|what|about|how|for|same|now|ok|okay|then|also|too|so|the|with|instead|please|hmm|well|no|nope|sorry|i|we|meant|mean|said|wait|actually|oh|oops|whoops|apologies|bad|my|rather|make|it|that|this|"
    r"one|ones|just|thing|question|again|try|maybe|case|of|her|him|his|them|does|is|a|as|well|in|not|let's|lets|say|see|do|next|thanks|thank|you|yes|yeah|if|go|to|question|y|para|de|el|la|"
    r"lo|mismo|otra?|version|drug|drugs|med|medication|other|others|both|all|each|first|second|third|last|former|latter|those|these|either|any|else|hers|rest|rest?|correction|should|be|was|got|wrong|i'm|asking|talking|on|at|patient|she|he|they)"
)
_AGAIN = re.compile(rf"^(?:(?:{_FILLER}|DRUG|CLASS|ODD|\d+(?:\.\d+)? ?mg)\b[\s,.?!:;-]*|[\s,.?!:;/&+-])*$")
_OTHER = re.compile(r"\b(?:the other(?:s| ones?| drugs?| meds?)?|other ones?|otra|otro)\b")
_PRONOUN = re.compile(
    r"\b(?:it|that one|this one|that|this|them|those|these|they both|both|same (?:drug|one|med)|the drug|the med|the medication|that drug|this drug|one)\b"
)
_ASKED_FOR = re.compile(
    r"^(?:[\s,]*(?:hi|hello|hey|thanks|thank you|ok|okay|please|so|well|good morning)\b[\s,.!]*)*$"
)
_STATED = re.compile(
    r"^(?:so |well |ok |okay |hi |hello |fyi |btw |also |but |and |because |since )*(?:she|he|they|her|his|the patient|patient|pt|WHO|i have|i'm|we have|this patient|my patient|the doctor|dr|doctor|we just|i just|we already|it's|there's|i've|"
    r"our|their|the plan|insurance|a|an|new|mrs?)\b(?!.*\?)"
)
_VERB = re.compile(
    r"'s\b|'ve\b|\b(?:is|has|was|have|had|wants?|tried|takes?|taking|failed|prescribed|ordered|needs?|gained|lost|says?|said|asked|thinks?|started|stopped|did|does|lives|works|got|came|called|weighs?)\b"
)
_REQUEST = re.compile(
    r"\b(?:(?:i|we)(?:'d)? (?:need|want|like)|would like|wondering|looking|trying|curious|question|eligible|approved|should|can|please|tell|show|check)\b"
)


def _found(whole: Piece, person: people.Person, talk: Talk, known: Known) -> list[Found]:
    spans = intents.pieces(whole.text)
    parts = [_cut(whole, start, end, len(spans) == 1) for start, end in spans]
    found: list[Found] = []
    unread: list[Piece] = []
    for part in parts:
        one = _one(part, found, person, talk, known)
        if one is None:
            unread.append(part)
        elif _goes_with_last(one, found):
            found[-1].piece = _joined(found[-1].piece, one.piece)
            if not found[-1].changes and one.changes:
                found[-1].changes = one.changes
        else:
            found.append(one)
    found = _sifted(found, talk)
    if not found:
        found = [_by_likeness(_whole_or(parts, whole), person, talk)]
    elif unread and not any(f.piece.mentions for f in found):  # "She has Ozempic on order. What's missing?"
        for part in unread:
            found[0].piece = _joined(part, found[0].piece) if part.mentions else found[0].piece
    return found[:MOST_ASKS]


def _whole_or(parts: list[Piece], whole: Piece) -> Piece:
    return parts[0] if len(parts) == 1 else whole


def _one(piece: Piece, found: list[Found], person: people.Person, talk: Talk, known: Known) -> Found | None:
    """What one piece asks, by supposition, cue, and the talk; None if it says nothing by itself."""
    seen = intents.seen(piece.text)
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
    if _other_use(piece, talk):
        before = _before([], talk)
        return Found(piece, before[0].intent, before[0].about, 0.85, before[0].changes, again=before)
    last_supposed = bool(talk.asks and talk.asks[0].intent == "what_if")
    refused = seen and seen.intent in ("other_patient", "dosing", "advice")
    if not refused and intents.supposes(piece.text, last_supposed):
        supposed = _supposed(piece, talk, known, last_supposed)
        if supposed or (_STRONG_IF.search(piece.text) and not _SETTLED_IF.search(piece.text)):
            return Found(piece, "what_if", sure=0.93 if supposed else 0.75, changes=tuple(supposed))
    if seen is None:
        return None
    if seen.intent in ("eligibility", "chart", "policy") and _is_context(piece, seen.intent):
        return Found(piece, seen.intent, seen.about or _topic(piece, seen.intent), 0.7, context=True)
    return Found(piece, seen.intent, seen.about or _topic(piece, seen.intent), _doubted(piece, seen))


def _doubted(piece: Piece, seen: intents.Seen) -> float:
    """How sure a cue is: one that is often right is doubted where the nearest examples ask for something else."""
    if seen.sure > 0.9:
        return seen.sure
    near = nearest.nearest(piece.text)
    if near is not None and near.intent != seen.intent and near.margin >= DOUBT:
        return 0.5 + 0.05 * (seen.sure > 0.88)
    return seen.sure


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
    if not _AGAIN.match(text):
        return False
    return bool(
        piece.of("DRUG", "CLASS", "ODD")
        or _OTHER.search(text)
        or _BOTH.search(text)
        or re.search(
            r"\b(?:that one|this one|first one|second one|last one|third one|the first|the second|the last|all of them|all of those|each of them|the rest|those|these|them)\b",
            text,
        )
    )


_USE = re.compile(r"^(?:(?:and|but|or|what about|how about|ok|then|so|y)\s+)*(?:for|as|under|para)\b")


def _other_use(piece: Piece, talk: Talk) -> bool:
    """ "and for weight loss?": the last question again, for another use."""
    typed = _as_typed(piece.text, piece.items).lower()
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
    if found:
        last = found[-1]
        if last.intent in _AGAINABLE and last.intent != "compare":
            return (Ask(intent=last.intent, about=last.about, changes=last.changes),)
        return ()
    asks = tuple(a for a in talk.asks if a.intent in _AGAINABLE)
    return tuple(
        msgspec.structs.replace(a, intent="eligibility", about="", all_drugs=False)
        if a.intent == "compare" or (a.intent == "chart" and a.about and not _is_medicine(a.about))
        else a
        for a in asks
    )


def _is_medicine(about: str) -> bool:
    from tools.terms import BRANDS, INGREDIENTS

    return about.casefold() in INGREDIENTS or about.casefold() in BRANDS or about == "medications"


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

    text = _unmarked(piece, ("TEST", "CONCEPT", "ODD"))
    before = talk.asks[0].changes if after and talk.asks else ()
    plan = next((item.said for item in piece.of("PLAN")), "")
    if plan and not re.search(
        r"\b(?:switch\w*|mov(?:e|ed|es)|chang\w+|had|were|was|on|with|went|goes|joined|joins|enrolled|insured|have|has|under|under|if|at)\b[^?]{0,20}PLAN",
        piece.text,
    ):
        plan = ""
    return changes.find(text, lambda place: drug_at(_back(piece, text, place)), known, plan, before)


def _unmarked(piece: Piece, markers: tuple[str, ...]) -> str:
    made, done = [], 0
    for at, item in piece.items:
        if item.marker in markers:
            said = item.mention.word if item.mention else item.said.split("|")[-1]
            made += [piece.text[done:at], said]
            done = at + len(item.marker)
    return "".join((*made, piece.text[done:]))


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


def _goes_with_last(one: Found, found: list[Found]) -> bool:
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


def _joined(first: Piece, second: Piece) -> Piece:
    shift = len(first.text) + 1
    return Piece(
        f"{first.text} {second.text}",
        [*first.items, *((at + shift, item) for at, item in second.items)],
        f"{first.typed} {second.typed}",
    )


def _sifted(found: list[Found], talk: Talk) -> list[Found]:
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
            keep.piece = _joined(keep.piece, other.piece)
        return [keep]
    if len(found) > 1 and not all(f.context for f in found):
        context = [f for f in found if f.context]
        found = [f for f in found if not f.context]
        if context and not any(f.piece.mentions for f in found):
            for one in context:
                if one.piece.mentions:
                    found[0].piece = _joined(one.piece, found[0].piece)
    if len(found) > 1:
        real = [f for f in found if f.intent not in ("smalltalk", "help", "off_topic")]
        if real:
            kept = [f for f in found if f in real]
            if any(f.intent == "patient" for f in kept) and any(f.intent != "patient" for f in kept):
                kept = [f for f in kept if f.intent != "patient"]
            found = kept
        else:
            found = [next((f for f in found if f.intent != "smalltalk"), found[0])]
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
            twin.piece = _joined(twin.piece, one.piece)
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


# --- by likeness --------------------------------------------------------------------------------------------

AHEAD = 0.3  # margin over the next intent from which the examples settle it: 0.97 right on 345 questions
LIKE = 0.6
DOUBT = 0.15  # margin from which the nearest examples put a cue in doubt


def _by_likeness(piece: Piece, person: people.Person, talk: Talk) -> Found:
    """No cue fits: what the nearest examples ask for, if they agree and are near enough."""
    if person.said and not talk.patient_id and len(piece.text.split()) <= 4:
        return Found(piece, "patient", sure=0.85)
    near = nearest.nearest(piece.text)
    if near is None:
        return Found(piece, "unclear", sure=0.4)
    settled = near.margin >= AHEAD and near.likeness >= LIKE
    sure = 0.62 if settled else min(0.55, 0.3 + near.margin)
    intent = near.intent
    if near.likeness < 0.5 and near.margin < 0.1 and not piece.mentions:
        intent = "unclear"
    return Found(piece, intent, _topic(piece, intent) or _side(piece.text, intent), sure)


_SIDES: dict[Intent, tuple[tuple[str, str], ...]] = {
    "plan": (
        ("channel", r"\b(?:send|sent|fax\w*|call|submit\w*|electronic\w*|online|phone|address|e-?mail)\b"),
        ("copay", r"\b(?:costs?|pay|pays|price\w*|expensive|dollars)\b|\$"),
        ("limit", r"\b(?:limit\w*|quantit\w+|supply|how many)\b"),
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


def _side(text: str, intent: Intent) -> str:
    """Which side of the plan or of time is meant, by a word of it."""
    return next((side for side, pattern in _SIDES.get(intent, ()) if re.search(pattern, text)), "")


# --- which drugs --------------------------------------------------------------------------------------------

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


def _settle(one: Found, found: list[Found], talk: Talk, known: Known) -> None:
    """The drugs that the ask is about: named in it, named beside it, or talked about before."""
    piece = one.piece
    one.indication = drugs.indication(_as_typed(piece.text, piece.items).lower())
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
            and any(m.names and m.kind != "class" for m in f.piece.mentions)
        ),
        None,
    )
    if (
        one.intent in _LEANS
        and not (one.intent == "plan" and one.about in _ALONE and not _PRONOUN.search(piece.text))
    ) or (one.intent == "chart" and _about_it(piece.text)):
        if near is not None and not one.again:
            _settle(near, [near], talk, known) if not near.named else None
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


_OF_STRANGERS: frozenset[Intent] = frozenset(("eligibility", "missing", "compare", "plan", "draft"))


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
        if mention.kind == "stranger" and one.intent not in _OF_STRANGERS:
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
    if _OTHER.search(text) and pool:
        if len(talk.drugs) == 2:
            return (talk.drugs[1],)
        if re.search(r"\bothers\b|\bother ones\b|\bother drugs\b", text):
            return pool[1:]
        return talk.earlier[:1]
    if _BOTH.search(text) and len(pool) > 1:
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
        return _by_order(text, listed)
    return ()


# --- the reading --------------------------------------------------------------------------------------------


def _reading(found: list[Found], person: people.Person, plan_id: str, talk: Talk, known: Known) -> Reading:
    asks: list[Ask] = []
    for one in found:
        if one.again:
            asks += [
                msgspec.structs.replace(
                    ask,
                    drugs=one.drugs,
                    all_drugs=one.all_drugs,
                    about=_about_again(ask, one),
                    indication=one.indication or ask.indication,
                    text=one.piece.typed,
                )
                for ask in one.again
            ]
        else:
            asks.append(
                Ask(
                    intent=one.intent,
                    drugs=one.drugs,
                    all_drugs=one.all_drugs,
                    about="" if one.about == "injection" else one.about,
                    changes=one.changes,
                    indication=one.indication,
                    text=one.piece.typed,
                )
            )
    if _somebody_else(person, talk, known) and asks[0].intent not in ("fabricate",):
        asks = [Ask(intent="other_patient", text=found[0].piece.typed)]
    supposed = any(ask.intent == "what_if" for ask in asks)
    return Reading(
        asks=tuple(asks),
        person=person.said,
        candidates=next((f.candidates for f in found if f.candidates), ()),
        strangers=tuple(dict.fromkeys(word for f in found for word in f.strangers)),
        plan_id="" if supposed else plan_id,
        sure=round(min(f.sure for f in found), 2),
    )


def _about_again(ask: Ask, one: Found) -> str:
    if ask.intent == "policy":
        return ask.about
    if ask.intent == "chart" and one.drugs:
        return one.drugs[0]
    return ask.about


def _somebody_else(person: people.Person, talk: Talk, known: Known) -> bool:
    """Whether the person named is another than the bound patient, by id or by a name of which no word is theirs."""
    if not person.said or not talk.patient_id:
        return False
    if person.kind == "id":
        return person.said.startswith("P") and person.said[1:].isdigit() and person.said != talk.patient_id
    if person.kind != "name":
        return False
    theirs = set(known.name_of(talk.patient_id).casefold().split())
    return bool(theirs) and not theirs & set(person.said.split(",")[0].casefold().split())
