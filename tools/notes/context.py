"""Whether something that a note mentions is so: negated, hedged, over, supposed, and whose it is.

In the manner of NegEx and ConText: cues before and after a mention, each with its reach, and words that end it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tools.notes.facts import Subject
from tools.notes.passages import Sentence, clauses

RELATIVES = (
    r"(?:grand)?(?:mother|father|parents?|mom|mum|dad|ma|pa)|(?:half-?)?(?:sister|brother|sibling)s?|"
    r"aunts?|uncles?|cousins?|"
    r"niece|nephew|daughters?|sons?|child(?:ren)?|grand(?:ma|pa|parents?)|wife|husband|spouse|relatives?|twin"
)
OTHERS = (
    r"room-?mate|neighbou?r|friends?|co-?workers?|colleague|boss|girlfriend|boyfriend|"
    r"(?:mother|father|sister|brother|daughter|son)s?[- ]in[- ]law|step-?(?:mother|father|sister|brother|"
    r"mom|dad|son|daughter)|(?:another|a different|different|other|wrong|someone else's|"
    r"somebody else's) (?:patient|pt|person|"
    r"chart|man|woman)|"
    r"(?:one|another|a fellow) (?:member|participant|attendee)|wrong-chart|somebody else|someone else|"
    r"same surname"
)
_FAMILY = re.compile(rf"\b(?:{RELATIVES}|family|fam(?:\.|\b)(?: hx)?|fhx?)\b", re.IGNORECASE)
_OTHER = re.compile(rf"\b(?:{OTHERS})", re.IGNORECASE)
THEIRS = re.compile(rf"\b(?:{RELATIVES}|{OTHERS})\b", re.IGNORECASE)
_REPORTS = re.compile(
    r"^(?:\s+(?:also|has|who))?\s+(?:reports?|reported|says?|said|states?|stated|called|calls|notes?|"
    r"thinks?|told|tells|confirms?|"
    r"asked|asks|worries|wants|here|present|accompan\w+|brings|brought)\b",
    re.IGNORECASE,
)
_BACK_TO_SELF = re.compile(
    r"\b(?:pt|patient|our pt|the pt)(?:'s)?\b(?! (?:asks|asked))|\bI\b|\b(?:he|she)\b", re.IGNORECASE
)
_MALE = re.compile(r"(?:father|dad|pa|brother|uncle|nephew|sons?|grandpa|husband)$", re.IGNORECASE)
_AFTER_RELATIVE = re.compile(
    rf"^[^.;]{{0,60}}?\bbelongs to (?:his|her|the)?\s*(?:{RELATIVES})\b|"
    rf"^[^,;.]{{0,25}}?(?:\bin|\bof|\(|-|:|\bwith|\bfor|\blike)\s*(?:his|her|the|my|a|pt's|patient's)?\s*"
    rf"(?:maternal |paternal |younger |older )?(?:{RELATIVES}|family)\b",
    re.IGNORECASE,
)
BOTH = re.compile(
    r"pers(?:onal)?\s*(?:or|\+|and|nor|/|&)\s*fam(?:ily)?\b|fam(?:ily)?\s*(?:or|and|nor|/|&)\s*(?:personal|"
    r"self)\b|"
    r"\b(?:self|pt|patient|him|her|himself|herself|myself|me)\s*(?:or|and|nor|/|&)\s*(?:in\s+)?(?:the\s+|"
    r"his\s+|her\s+|my\s+|any\s+)?"
    r"(?:fam\b|family|relatives)|"
    r"neither\s+(?:he|she|I|the patient|pt|patient)\s+nor\s+(?:any|other|his|her|my)|"
    r"(?:neither|nor)\s+(?:have|has|do|does)\s+(?:I|she|he|any|her|his|my)(?:one|body)?\b|\b(?:I|she|he|pt|"
    r"patient) (?:has|have|does|"
    r"do)(?: not|n't) either|(?:pt|patient|she|he) denies (?:the )?same\b|none\s+in\s+(?:her|him|me|"
    r"the patient|pt)\b|"
    r"\b(?:in|for) (?:the )?(?:patient|pt|self) (?:or|nor|and) (?:in )?(?:(?:her|his|their|"
    r"any) )?(?:relatives|family)|"
    r"\bfam(?:ily)?(?: hx| history)? (?:is |also )?neg",
    re.IGNORECASE,
)
_NOT_BEFORE = re.compile(
    r"\b(?:no|not|never|denies|denied|deny|denying|without|neg(?:ative)?(?: for)?|absence of|neither|nor|"
    r"nobody|none|nothing|"
    r"free of|ruled out|excludes|excluded|n't|don't|doesn't|didn't|hasn't|isn't|wasn't|haven't|"
    r"never had)\b|n't\b",
    re.IGNORECASE,
)
_ENDS_NOT = re.compile(
    r"\b(?:but|however|except|although|now|has|takes|was|were|because|due to|since|also|on|s/p|not only|"
    r"change|changes|"
    r"complaints?|improvement|longer|interested|stable)\b|[;:]",
    re.IGNORECASE,
)
_DOUBTED = re.compile(r"\b(?:(?:not|n't|dont) (?:think|believe|suspect)|doubt)\b[^.;,]*$", re.IGNORECASE)
_ON = re.compile(r"^\s+(?:currently\s+|yet\s+)?on\s", re.IGNORECASE)
_NO_ONE = re.compile(
    r"^\s*(?:one|family|relatives?|first[- ]degree|other|known|blood|siblings?|parents?)\b", re.IGNORECASE
)
_HAS = re.compile(r"\b(?:has|have)(?: ever)?(?: had)?\b", re.IGNORECASE)
_NOT_AFTER = re.compile(
    r"^,? which [^.;]{0,40}?\b(?:not support|not confirm\w*|excluded|ruled out|disprov\w+)|"
    r"^[\s)]*(?:(?:,? which \w+|,? that \w+)\s+)?(?:(?:is|was|were|has been|have been|has|screen|test)\s+)*"
    r"(?:by \w+ )?(?:ruled out|r/o'?d|excluded|denied|negative\b|neg\b|absent|not suspected|not present|"
    r"not found|in error\b|none\b)"
    r"|^[^.;:,\n]{0,25}:\s*(?:no|none|denies|negative|neg)\b|^\s+(?:no|none|denies)\b",
    re.IGNORECASE,
)
_HEDGE_BEFORE = re.compile(
    r"\b(?:possible|possibly|probable|probably|likely|suspect(?:ed|s)?|suspicion of|suspicious for|r/o|"
    r"rule out|question(?:able| of)|"
    r"cannot exclude|can't exclude|could be|may (?:have|be)|might (?:have|be)|maybe|concern for|"
    r"concerning for|early signs of|"
    r"suggests?|suggestive of|suggesting|presumed|appears to have|thinks?|vs\.?|apparently|unlikely|"
    r"not sure (?:if|whether)|unclear (?:if|whether))\W|\?\s*(?:early |mild )?$",
    re.IGNORECASE,
)
_HEDGE_AFTER = re.compile(
    r"^[\s)]*(?:\?|(?:is |was )?(?:likely|unlikely|suspected|possible|probable|questionable|not confirmed|"
    r"unconfirmed|"
    r"to be (?:ruled out|confirmed))\b|vs\.?\s|,? (?:she|he|pt) thinks|[^.;]{0,25}, not confirmed)",
    re.IGNORECASE,
)
_IF = re.compile(
    r"\b(?:if|should (?:she|he|pt|they|the patient)|in case|unless|risks?(?: of| for)?|screen(?:ed|"
    r"ing)?(?: for)?|"
    r"worried about|afraid of|prevent\w*|read about|counsel(?:l?ed)? (?:on|about)|educat\w+ (?:on|about)|"
    r"warned (?:of|about)|"
    r"(?:s/s|signs|symptoms) of)\b[^.;]*$",
    re.IGNORECASE,
)
_IN_GENERAL = re.compile(
    r"\bask(?:s|ed)? (?:about|re|regarding)\s+(?:\w+\s+)?$|\b(?:plans?|planning|desires?|hopes for|"
    r"contraception|participants?|must not|"
    r"(?:patients|people|those|anyone) (?:with|who|must|should|having))\b[^.;]*$",
    re.IGNORECASE,
)
_RISK_AFTER = re.compile(
    r"^\s*(?::\s*(?:n/a|unknown)\b|risk|benefit|screen(?:ing)?|prevention|precautions|prophylaxis|"
    r"education|clinic|medications?)\b",
    re.IGNORECASE,
)
INSTRUCTION = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,50}\b(?:instructions?|chart|rules?|previous|above|"
    r"prior|polic\w+|criteria)\b|"
    r"(?-i:\b(?:SYSTEM|ASSISTANT|USER)\b)|(?<![A-Za-z] )\b(?:system|assistant|user|human)\s*:|"
    r"\bmark (?:all|every|this|it)\b|"
    r"\bset (?:the )?(?:determination|a1c|hba1c|bmi|status|outcome|result)\b|\b(?:and|please|must|"
    r"now) (?:record|report|state|note|write) that\b|"
    r"\byou (?:must|are now|should now|will now)\b|\bcriteria (?:as |are |is )?(?:all )?(?:deemed |"
    r"considered )?(?:met|satisfied)\b|"
    r"\bapprove (?:this|the) (?:request|case)\b|\bsupersedes? (?:the )?structured|\b(?:reply|respond|"
    r"answer) (?:only|with)\b|"
    r"</?[a-z]+>|\bnew role\b|\bdeterminations? (?:to|as|is) (?:eligible|approved|ready)\b|\"tool\"\s*:",
    re.IGNORECASE,
)


class Context(NamedTuple):
    """How a mention is meant. `supposed`: it is a risk, an if or an advice, and no fact at all."""

    present: bool
    subjects: tuple[Subject, ...]
    hedged: bool
    supposed: bool


def context(text: str, sentence: Sentence, start: int, end: int, listed: bool = False) -> Context:
    """The context of the mention [start, end). `listed`: something of its kind stands before it in the sentence, so
    that a negation reaches over a comma."""
    begin, stop = clause_of(text, sentence, start)
    before, after = text[begin:start], text[end:stop]
    present = not (negated_before(before, listed) or _NOT_AFTER.match(after)) or _unlikely(after)
    subjects = subjects_of(text, sentence, start, end, present)
    last = re.split(r",\s|\band\b", before)[-1]
    hedged = present and bool(_hedged(before, last) or _HEDGE_AFTER.match(text[end : sentence.end]))
    supposed = (present and bool(_IF.search(before) or _RISK_AFTER.match(after))) or bool(
        _IN_GENERAL.search(before)
    )
    return Context(present, subjects, hedged, supposed)


def _hedged(before: str, last: str) -> bool:
    return bool(
        _HEDGE_BEFORE.search(last) or re.search(r"\b(?:vs\.?|possible|probable|suspected)\s[^,;]*$", before)
    )


def _unlikely(after: str) -> bool:
    """Unlikely is a hedge, not a denial."""
    return bool(re.match(r"\s*(?:is |was )?unlikely", after, re.IGNORECASE))


def clause_of(text: str, sentence: Sentence, at: int) -> tuple[int, int]:
    """The clause of the sentence in which something stands."""
    found = (sentence.start, sentence.end)
    for begin, stop in clauses(text, sentence.start, sentence.end):
        if begin <= at < stop:
            found = (begin, stop)
    return found


def negated_before(before: str, listed: bool = False) -> bool:
    """Whether a negation in the words before reaches to their end."""
    if _DOUBTED.search(before):
        return True
    cue = _last(_NOT_BEFORE, before)
    if cue is None:
        return False
    gap = _ON.sub(" ", before[cue.end() :])
    if gap.lstrip().startswith("("):
        return False
    if cue[0].casefold() in ("nobody", "none", "neither") or _NO_ONE.match(gap):
        gap = _HAS.sub(" ", gap)
    if len(gap.split()) > 12 or _ENDS_NOT.search(gap):
        return False
    if "," in gap and THEIRS.search(gap, gap.index(",")):
        return False
    return (
        "," not in gap
        or listed
        or cue[0].casefold().startswith("den")
        or bool(re.search(r",?\s(?:or|nor)\s[^,]*$", gap))
    )


def subjects_of(
    text: str, sentence: Sentence, start: int, end: int, present: bool = True
) -> tuple[Subject, ...]:
    """Whose it is: the patient's, the family's, somebody else's; of a denial often the first two at once."""
    begin, stop = clause_of(text, sentence, start)
    before, after = text[begin:start], text[end:stop]
    if not present and BOTH.search(_denial(text, sentence, start, end)):
        return ("self", "family")
    if _OTHER.search(before) and not _back(before, _OTHER):
        return ("other",)
    if re.search(r"\b(?:another|different|wrong|other) (?:patient|pt|person|chart)\b", after):
        return ("other",)
    if sentence.section == "family":
        return ("family",)
    if re.search(r"\b(?:he|she) (?:him|her)self\b", before, re.IGNORECASE):
        earlier = _last(_FAMILY, text[:begin])
        if earlier is not None and _gender_fits(earlier[0], before):
            return ("family",)
    cue = _last(_FAMILY, before)
    if cue is not None and not _is_reporter(cue, before):
        between = before[cue.end() :]
        mine = _last(_BACK_TO_SELF, between)
        if mine is None or not _other_gender(cue[0], mine[0]):
            return ("family",)
    if _AFTER_RELATIVE.match(after):
        return ("family",)
    return ("self",)


def _denial(text: str, sentence: Sentence, start: int, end: int) -> str:
    """The words of one denial: "no MTC self or fam" in "no panc, no MTC self or fam"."""
    opens = _last(_NEXT_DENIAL, text[sentence.start : start])
    closes = _NEXT_DENIAL.search(text, end, sentence.end)
    return text[
        sentence.start + opens.start() if opens else sentence.start : closes.start()
        if closes
        else sentence.end
    ]


_NEXT_DENIAL = re.compile(
    r"[,;]\s*(?=(?:no|not|denies|never)\b|and (?:he|she|pt|patient|I) (?:has|have|had|denies|is|does)\b)",
    re.IGNORECASE,
)


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    *_, last = None, *pattern.finditer(text)
    return last


def _back(before: str, pattern: re.Pattern[str]) -> bool:
    """After the other person, the words come back to the patient."""
    cue = _last(pattern, before)
    return cue is not None and bool(re.search(r"\b(?:pt|patient|I)\b", before[cue.end() :]))


def _is_reporter(cue: re.Match[str], before: str) -> bool:
    """The relative only tells it: "wife reports he skips it". Told of a person of the same sex, it may be either."""
    told = before[cue.end() :]
    if not _REPORTS.match(told):
        return False
    mine = _last(re.compile(r"\b(?:he|she|his|her|pt|patient)\b", re.IGNORECASE), told)
    return mine is None or mine[0].casefold() in ("pt", "patient") or _other_gender(cue[0], mine[0])


def _other_gender(relative: str, pronoun: str) -> bool:
    said = pronoun.casefold()
    if said in ("he", "his"):
        return not _MALE.search(relative)
    if said in ("she", "her"):
        return bool(_MALE.search(relative))
    return True


def _gender_fits(relative: str, before: str) -> bool:
    return not _other_gender(relative, "he" if re.search(r"\bhe himself", before, re.IGNORECASE) else "she")
