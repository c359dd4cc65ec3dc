"""Whether something that a note mentions is so, whether it is hedged, and whose it is.

How the words around a mention let it be meant, and of whom, is learned (`tools.language.likelihood`). A cue decides
what examples tell too seldom: a hedge, and a denial for patient and family in one breath.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tools.language.likelihood import About, likelihood
from tools.notes.facts import Subject
from tools.notes.passages import Sentence, clauses

_DENIED = 0.6  # likelihood from which it is said not to be so
_SUPPOSED = 0.6  # likelihood from which it is a risk, an if or an advice
_SUBJECTS: dict[str, Subject] = {"patient": "self", "family": "family", "other": "other"}
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


def context(text: str, sentence: Sentence, start: int, end: int, about: About = "condition") -> Context:
    """The context of the mention [start, end) of something of that kind."""
    begin, _ = clause_of(text, sentence, start)
    likely = likelihood(text, start, end, about)
    present = likely.of("absent", "void") < _DENIED
    return Context(
        present,
        subjects_of(text, sentence, start, end, about, present),
        present
        and bool(_HEDGE_BEFORE.search(text, begin, start) or _HEDGE_AFTER.match(text[end : sentence.end])),
        present and likely.of("conditional", "planned", "mentioned") >= _SUPPOSED,
    )


def clause_of(text: str, sentence: Sentence, at: int) -> tuple[int, int]:
    """The clause of the sentence in which something stands."""
    found = (sentence.start, sentence.end)
    for begin, stop in clauses(text, sentence.start, sentence.end):
        if begin <= at < stop:
            found = (begin, stop)
    return found


def subjects_of(
    text: str, sentence: Sentence, start: int, end: int, about: About, present: bool = True
) -> tuple[Subject, ...]:
    """Whose it is: the patient's, the family's, somebody else's; of a denial often the first two at once."""
    if not present and BOTH.search(_denial(text, sentence, start, end)):
        return ("self", "family")
    if sentence.section == "family":
        return ("family",)
    who = likelihood(text, start, end, about).who
    return (_SUBJECTS[max(who, key=who.__getitem__)],)


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
