"""A letter's text made plain enough to be searched, cut into passages; what is found is quoted from the
letter itself."""

from __future__ import annotations

import itertools
import re
from bisect import bisect_left
from functools import cached_property
from typing import Literal, NamedTuple

from tools.denials.boxes import SIGNS, boxed, with_signs
from tools.denials.marks import answered, result_of
from tools.denials.records import Quote
from tools.terminology.dates import month_names

_LIKE = str.maketrans({
    "’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "‑": "-", "\u00a0": " ", "\t": " ", "•": "*",
    "·": "*", "▪": "*",
    "\r": "\n", "\f": "\n", "\v": "\n", "\u2028": "\n",
})  # fmt: skip
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufe00-\ufe0f\ufeff\U000e0000-\U000e007f]")
_BROKEN_WORD = re.compile(r"(?<=[a-z])-[ ]*\n[ ]*(?=[a-z])")
_LEADERS = re.compile(r"(?:\.[ ]?){4,}|_{3,}")
COLUMN = 24  # blanks between columns; more say no more
_WIDE = re.compile(rf" {{{COLUMN + 1},}}")
Zone = Literal["", "head", "reason", "rights", "standard", "past", "other"]


class Letter:
    """The text as it came, and a plain one in which wrapped lines are joined; offsets lead from it to the
    first."""

    def __init__(self, text: str) -> None:
        self.text = text
        like = with_signs(text.translate(_LIKE))
        like = _LEADERS.sub(lambda dots: " " * len(dots[0]), like)
        dropped = {i for match in _INVISIBLE.finditer(like) for i in range(*match.span())}
        for match in _BROKEN_WORD.finditer(like):
            dropped.update(range(*match.span()))
        for match in _WIDE.finditer(like):
            dropped.update(range(match.start() + COLUMN, match.end()))
        self._at = [index for index in range(len(like)) if index not in dropped]
        self.plain = _joined("".join(like[index] for index in self._at))

    def quote(self, start: int, end: int) -> Quote:
        """The letter's own words at [start, end) of the plain text, without what only surrounds them."""
        while end > start + 1 and self.plain[end - 1] in " \n\t,;:|":
            end -= 1
        while start < end - 1 and self.plain[start] in " \n\t,;:|":
            start += 1
        begin, stop = self._at[start], self._at[end - 1] + 1
        return Quote(text=self.text[begin:stop], start=begin, end=stop)

    def plain_at(self, offset: int) -> int:
        """Where in the plain text the letter's character stands."""
        return bisect_left(self._at, offset)

    def line_at(self, at: int) -> str:
        """The line of the plain text in which this place stands."""
        end = self.plain.find("\n", at)
        return self.plain[self.plain.rfind("\n", 0, at) + 1 : end if end != -1 else len(self.plain)]

    @cached_property
    def passages(self) -> tuple[Passage, ...]:
        return tuple(_passages(self.plain))


class Passage(NamedTuple):
    """A sentence, a list's item or a table's row at [start, end) of the plain text. `heading` is the line
    above that governs it; `item`: it stands in a list or has a line of its own."""

    start: int
    end: int
    text: str
    heading: str
    zone: Zone
    item: bool
    line: int


# --- lines -----------------------------------------------------------------------------------------------

_BULLET = re.compile(rf"\s*(?:[-*>+]\s|\(?\d{{1,2}}[.)]\s|\(?[a-z][.)]\s|[{SIGNS}]|\|)")
_SPEAKER = re.compile(r"\s*(?:\[[^\]]*\]\s*)?[A-Za-z]{2,15}:\s")  # of a chat
_LABEL = re.compile(r"\s*[A-Z][\w .'/&-]{0,28}:(?:\s|$)")


def _joined(text: str) -> str:
    """Line ends inside a wrapped sentence become spaces."""
    lines = text.split("\n")
    made = [lines[0]] if lines else []
    for before, line in itertools.pairwise(lines):
        made.append((" " if _goes_on(before, line) else "\n") + line)
    return "".join(made)


def _goes_on(before: str, line: str) -> bool:
    ends, begins = before.rstrip(), line.lstrip()
    if not ends or not begins or ends[-1] in ".:;!?|" or "|" in line or _BULLET.match(line):
        return False
    if re.search(r"\S {3,}\S", before.strip()) or re.search(r"\S {3,}\S", begins):
        return False
    if _BULLET.match(before) and _is_heading(line):
        return False
    if _SPEAKER.match(line) or (_LABEL.match(line) and not begins[:1].islower()):
        return False
    words = begins[:1].islower() or ends[-1] in ",("
    return (words and len(ends.strip()) > 28) or len(ends.strip()) > 58


# A line that speaks to whoever reads it by machine states nothing.
INSTRUCTION = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,50}\b(?:instructions?|text|rules?|previous|above"
    r"|prior|everything|criteria|prompt)\b|"
    r"^\W*(?-i:SYSTEM|ASSISTANT|USER)\b|(?:^|[.!?]\s)(?:system|assistant|user|human)\s*:|\byou are now\b"
    r"|\bnew role\b|"
    r"\b(?:reply|respond|answer) (?:only|with only)\b|\b(?:report|state|record|say|output|write|mark|set)"
    r" (?:that |it |this )?(?:as )?(?:the |this )?(?:request|case|drug|letter|denial|outcome"
    r"|result)\b.{0,20}\b(?:approved|ready|granted|overturned)\b|"
    r"<\|?/?(?:system|instruction|assistant|user)[^>]*>|\b(?:language model|AI assistant|as an AI)\b"
    r"|\"tool\"\s*:",
    re.IGNORECASE,
)

# --- passages --------------------------------------------------------------------------------------------

_ABBREVIATION = re.compile(
    r"(?:\b(?:Dr|Mr|Mrs|Ms|St|vs|e\.g|i\.e|approx|Inc|Co|Ltd|d\.o\.b|D\.O\.B|Ave|Rd|Sec|Art|par|p|pp|cf)"
    r"|\b[A-Z])$"
)
_BEFORE_NUMBER = re.compile(rf"\b(?:no|{month_names()})$", re.IGNORECASE)
_NUMBER = re.compile(r"\s*[#A-Z/-]*\d")
_STOP = re.compile(r"[.!?][\")']*(?=\s|$)|\n")
_QUOTED = re.compile(r'"[^"\n]*"')
_ZONES: tuple[tuple[Zone, str], ...] = (
    (
        "past",
        r"^(?:\W|\d)*(?:(?:case|procedural|claims?|request) )?(?:background|history)\W*$|^(?:\W"
        r"|\d)*(?:how we got here|facts|"
        r"(?:materials?|documents?|records?|evidence|information|papers)(?: that)?(?: (?:we|were"
        r"|was))? (?:\w+ )?(?:considered"
        r"|reviewed|received|looked at)|what (?:we|you|the reviewer) (?:reviewed|read|considered|looked at"
        r"|received|sent|asked"
        r"(?: for)?)|previous|earlier|prior (?!auth)|(?:your|the) request)\b(?! (?:is|was|has|cannot|did"
        r"|does))",
    ),
    (
        "rights",
        r"appeal|your rights?\b|review rights|right to|what (?:can|may|should) (?:you|i)|what you (?:can"
        r"|may)|what if|"
        r"next steps?\b|^next\b|disagree|do(?:n't| not) agree|how to|fair hearing|external review|need"
        r" help|options\b|"
        r"get help|contact|questions\?|language|peer.to.peer line",
    ),
    (
        "standard",
        r"standards?\b|how we (?:review|decide)|about (?:the|your|our)|what the (?:criteria|policy|plan"
        r"|rules?) (?:ask|say|require)|(?:criteria|standards?|rules?) (?:applied|used)|"
        r"^(?!.*(?:\bnot\b|n't|unmet|fail|den(?:y|ied)|refus)).*\b(?:(?:available|covered|approved?|allowed"
        r"|considered|paid|renewed"
        r"|authorized|granted|given) (?:only )?(?:where|when|if|once|for (?:members|patients|people|those))"
        r"|(?:all|each|every"
        r"|any|both|one) of (?:these|the(?:se)? following)|following (?:criteria|conditions|requirements)"
        r"|must (?:be|have|meet)"
        r"|(?:requires?|asks? for|looks? for|calls? for))\b[^.]*:|"
        r"\binstead\b|(?:do(?:es)?|did) ?(?:not|n't) mean\b|"
        r"\b(?:key|legend|abbreviations|codes used)\b|"
        r"^(?:our |the )?(?:coverage )?(?:criteria|guidelines?|policy|requirements?)\b(?! not)"
        r"|alternatives?\b|covered drugs",
    ),
    (
        "reason",
        r"\bwhy\b|reasons?\b|rationale|\bbas[ie]s\b|explanation|what (?:(?:it|this|that) means|we found"
        r"|was shown|the record)"
        r"|findings?\b|grounds?\b|"
        r"determination|decision|analysis|assessment|conclusion|discussion|outcome|result|notes\b"
        r"|not (?:approved|authorized)|denied",
    ),
)


def _passages(plain: str) -> list[Passage]:
    found: list[Passage] = []
    zone: Zone = ""
    heading, since_blank = "", False
    headed, body_begun, was_listed = 0, False, False
    for number, (start, end) in enumerate(_lines(plain)):
        line = plain[start:end]
        if not line.strip():
            since_blank = True
            continue
        if INSTRUCTION.search(line):
            continue
        if _is_heading(line):
            letterhead = number < 3 and line.strip()[-1] not in ":?"
            heading, zone = line.strip(), "" if letterhead and zone_of(line) != "reason" else zone_of(line)
            headed, body_begun = number, False
            if zone == "" and line.strip().endswith(":"):
                zone = "other"
            found.append(Passage(start, end, line, "", zone, True, number))
            since_blank = False
            continue
        boxes = [] if answered(line) else boxed(line)
        if boxes:
            found += [Passage(start + a, start + b, line[a:b], heading, zone, True, number) for a, b in boxes]
            continue
        if line.lstrip().startswith("|") or answered(line) or result_of(line):
            found.append(Passage(start, end, line, heading, zone, True, number))
            continue
        listed = bool(_BULLET.match(line))
        if heading.endswith(":") and body_begun and was_listed and not listed:
            heading, zone = "", ""  # what announced the list ends with it
        was_listed = listed
        label, body = _label(line)
        own = zone_of(label) if label else ""
        if own and not body.strip():
            heading, zone, headed, body_begun = label, own, number, False
        if since_blank and (zone == "other" or body_begun) and not _is_section(plain, headed):
            heading, zone = "", ""
        body_begun = True
        pieces = list(_sentences(plain, start, end))
        alone = len(pieces) == 1 or listed
        for begin, stop in pieces:
            item = alone and len(line) < 240
            text = plain[begin:stop]
            found.append(Passage(begin, stop, text, label if own else heading, own or zone, item, number))
        since_blank = False
        if text.rstrip().endswith(":") and not listed and (announced := zone_of(text)):
            heading, zone, headed, body_begun = text.strip(), announced, number, False
    return found


def _is_section(plain: str, headed: int) -> bool:
    """A heading with an empty line below it governs until the next; another one, its own paragraph."""
    lines = plain.split("\n")
    return headed + 1 < len(lines) and not lines[headed + 1].strip()


def _lines(plain: str) -> list[tuple[int, int]]:
    spans, begin = [], 0
    for line in plain.split("\n"):
        spans.append((begin, begin + len(line)))
        begin += len(line) + 1
    return spans


def _is_heading(line: str) -> bool:
    said = line.strip(" -=_#*")
    if not 3 <= len(said) <= 80 or "|" in said or re.search(f"[{SIGNS}]", said):
        return False
    if re.search(r"\d{3}", said) or re.search(r"[.;,]$", said):
        return False
    if said[-1] in ":?":
        return len(said.split()) <= 10
    letters = [c for c in said if c.isalpha()]
    capital = len(letters) > 5 and sum(c.isupper() for c in letters) > 0.85 * len(letters)
    return bool(zone_of(said)) and (capital or len(said.split()) <= 6) and not re.search(r": \S", said)


def _label(line: str) -> tuple[str, str]:
    """What stands before a colon or a full stop near the line's beginning, if it reads like a title."""
    match = re.match(r"\s*(?:\(?\d{1,2}[.)]\s+)?([A-Z][^.:?!|]{2,44})(?:\.|:|\?)\s+(?=\S)", line)
    if not match:
        alone = re.match(r"\s*([A-Z][^.:?!|]{2,60})[:?]\s*$", line)
        return (alone[1], "") if alone else ("", line)
    if match[0].rstrip().endswith(".") and (len(match[1].split()) > 5 or _SAYS.search(match[1])):
        return "", line
    return match[1], line[match.end() :]


_SAYS = re.compile(
    r"\b(?:we|you|he|she|they|it|I|is|are|was|were|has|have|had|can|cannot|may|will|do|does|did)\b",
    re.IGNORECASE,
)


_ANSWER = re.compile(
    r"(?:appeal|redetermination|reconsideration|grievance|review) (?:decision|resolution|determination"
    r"|outcome|result)|"
    r"(?:decision|resolution|outcome|answer|response|determination)s? (?:on|to|of|about) (?:your |the |an?"
    r" )?(?:\w+ )?(?:appeal|grievance|redetermination|review)",
    re.IGNORECASE,
)


def zone_of(heading: str) -> Zone:
    """What a heading announces."""
    if _ANSWER.search(heading):
        return "reason"
    for zone, words in _ZONES:
        if re.search(words, heading, re.IGNORECASE):
            return zone
    return ""


def is_speech(quoted: str) -> bool:
    """Not a rule that is quoted but somebody who speaks."""
    return len(quoted) > 150 and bool(_FIRST_PERSON.search(quoted))


_FIRST_PERSON = re.compile(r"\b(?:I|I'm|we|hi|hello|thanks)\b")


def _shortens(plain: str, begin: int, stop: re.Match[str]) -> bool:
    """A full stop that ends an abbreviation; "No." and "Oct." are one before a number only."""
    if _ABBREVIATION.search(plain, begin, stop.start()):
        return True
    return bool(_BEFORE_NUMBER.search(plain, begin, stop.start()) and _NUMBER.match(plain, stop.end()))


def _sentences(plain: str, start: int, end: int) -> list[tuple[int, int]]:
    spans, begin = [], start
    quoted = [match.span() for match in _QUOTED.finditer(plain, start, end) if not is_speech(match[0])]
    for match in _STOP.finditer(plain, start, end):
        if match[0] == "." and _shortens(plain, max(start, match.start() - 8), match):
            continue
        if any(a < match.start() and match.end() < b for a, b in quoted):
            continue
        if re.fullmatch(r"\s*\(?(?:\d{1,2}|[a-z])", plain[begin : match.start()]):
            continue
        spans.append((begin, match.end()))
        begin = match.end()
    spans.append((begin, end))
    return [(a, b) for a, b in spans if plain[a:b].strip()]
