"""One sentence with everything that the readers find in it, and what was found wrong so far."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Literal, NamedTuple, Protocol

from agent.verification.codes import Code, codes, normal
from agent.verification.dates import DayMention, days
from agent.verification.drugs import DrugMention
from agent.verification.index import SHORTEST, LedgerIndex
from agent.verification.names import CitedSource, NamedParty, citations, names
from agent.verification.text import TextSpan, folded, lower, plain, segments
from tools.language import stance
from tools.language.stance import Word
from tools.terminology.matcher import Span as Concept
from tools.terminology.matcher import matches
from tools.terminology.observations import TESTS
from tools.terminology.quantities import Quantity, quantities_in

Kind = Literal[
    "number",
    "unit",
    "date",
    "code",
    "drug",
    "dose",
    "attribute",
    "negation",
    "name",
    "citation",
    "status",
    "quote",
]
_GAP = re.compile(r"\[[^\]]*\bTO\s+COMPLETE\b[^\]]*\]")  # what the prescriber is to fill in
_QUOTED = re.compile(r'"([^"]{12,})"')
_SYSTEM = re.compile(r"\bICD[- ]?(?:9|10)(?:-(?:CM|PCS))?\b")  # the system of a code is no number
_OPENS = re.compile(r"(?:^|[:;,.(\[\"=-]|\b(?:and|that|says|is|as|of|because))\s*$")
_CLOSES = re.compile(r"\s*(?:$|[.;:,)\]\"*])")
_FEWEST = 4  # words of a quotation or statement
_GAP_VOICES = frozenset(("policy", "open", "request"))


class Placed(Protocol):
    """Anything with a place in the text."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


class Issue(NamedTuple):
    """What is wrong: which words (positions in the whole text), and why, in one line."""

    kind: Kind
    start: int
    end: int
    text: str
    why: str


class SentencePart(NamedTuple):
    """A part of the sentence that is read for itself, and in whose voices it speaks."""

    start: int
    end: int
    voices: frozenset[str]

    def holds(self, item: Placed) -> bool:
        return self.start <= item.start < self.end

    @property
    def of_patient(self) -> bool:
        """Is it said of this patient, and not of a policy, of people in general or as a question?"""
        silent = "general" in self.voices or ("policy" in self.voices and "patient" not in self.voices)
        return not silent

    @property
    def asserts(self) -> bool:
        """Is it said of this patient as a fact?"""
        return self.of_patient and "open" not in self.voices


class Sentence:
    """A sentence of a text from `offset` on. `before` is the sentence ahead of it, for what "it" leans on."""

    def __init__(self, shown: str, offset: int, index: LedgerIndex, before: Sentence | None = None) -> None:
        self.shown, self.offset, self.index, self.before = shown, offset, index, before
        self.text = plain(shown).replace("\n", " ")
        self.low = lower(self.text).replace("\n", " ")  # a name that was broken over two lines is the name
        self.issues: list[Issue] = []
        self.used: dict[str, None] = {}
        self.taken: set[tuple[int, int]] = set()  # what has been judged
        self.settled: list[TextSpan] = []  # verbatim words of a fact
        self.known: list[TextSpan] = []  # names and addresses: nothing in them is a number or another name
        self._settle()
        self.bare = blank(self.text, self.settled)

    def _settle(self) -> None:
        for match in _QUOTED.finditer(self.text):
            words = folded(match[1]).rstrip(".,")
            if words.count(" ") + 1 < _FEWEST:
                continue
            source = next((fact for quote, fact in self.index.quotes if words in quote), None)
            self.settled.append(TextSpan(*match.span()))
            if source is None:
                self.wrong("quote", self.settled[-1], "no clause and no note has these words")
            else:
                self.support(source)
        if len(self.low) < SHORTEST:
            return
        for match in self.index.phrase_pattern.finditer(self.low):
            (fact, settled), (start, end) = self.index.phrases[match[0]], match.span()
            if self._whole(start, end) and not any(s.start <= start and end <= s.end for s in self.settled):
                self.support(fact)
                if not settled:
                    self.known.append(TextSpan(start, end))
                elif self._apart(start, end):
                    self.settled.append(TextSpan(start, end))

    def _whole(self, start: int, end: int) -> bool:
        """No word or number goes on over its ends."""
        before, after = self.low[:start][-1:], self.low[end : end + 2]
        return not (before.isalnum() or after[:1].isalnum() or re.match(r"\.\d", after))

    def _apart(self, start: int, end: int) -> bool:
        """A statement of its own: nothing around it denies it or makes it part of another."""
        before, after = _OPENS.search(self.low[:start]), bool(_CLOSES.match(self.low, end))
        if self.low[start:end].count(" ") + 1 >= _FEWEST:  # a note in brackets may follow a whole statement
            after |= self.low[end:].lstrip().startswith("(")
        return bool(before and after) and not stance.denied(self.text, start, end)

    # --- what stands in it --------------------------------------------------------------------------------------

    @cached_property
    def _unnamed(self) -> str:
        systems = [TextSpan(*match.span()) for match in _SYSTEM.finditer(self.bare)]
        return blank(self.bare, [*self.known, *systems])

    @cached_property
    def citations(self) -> list[CitedSource]:
        return citations(self.bare)

    @cached_property
    def codes(self) -> list[Code]:
        found = [*codes(self._unnamed), *self._literal_codes()]
        found = [
            c for c in found if not any(_within(c, o) for o in found) and not overlaps(c, self.citations)
        ]
        return sorted({c[:2]: c for c in found}.values())

    def _literal_codes(self) -> Iterator[Code]:
        """The ledger's own codes where they stand, whatever they look like."""
        for value in self.index.literal:
            at = self._unnamed.find(value)
            while at >= 0:
                end = at + len(value)
                before, after = self._unnamed[:at][-1:], self._unnamed[end : end + 2]
                short = re.fullmatch(r"[\d.]{1,4}", value)  # more likely a number
                alone = before in ("", "(") and after[:1] in (")", ":")
                if (
                    (alone or not short)
                    and not re.match(r"\w|[.-]\w|\(\w", after)
                    and not re.match(r"[\w.-]", before)
                ):
                    yield Code(at, end, normal(value, "clause"), "id" if value.isalnum() else "clause")
                at = self._unnamed.find(value, end)

    @cached_property
    def days(self) -> list[DayMention]:
        text = blank(self._unnamed, [*self.codes, *self.citations])
        return days(text, self.index.as_of)

    @cached_property
    def quantities(self) -> list[Quantity]:
        """Numbers that are no part of a date, a code, a citation or a name of something."""
        named: list[Placed] = [*self.codes, *self.days, *self.citations, *self.concepts, *self.drugs]
        return quantities_in(blank(self._unnamed, named, "x"))

    @cached_property
    def drugs(self) -> list[DrugMention]:
        return [d for d in self.index.lexicon.drugs(self.bare) if not overlaps(d, self.codes)]

    @cached_property
    def concepts(self) -> list[Concept]:
        found = matches(self.bare)
        return sorted({s[:2] + s[3:]: s for s in found if not overlaps(s, self.citations)}.values())

    @cached_property
    def tests(self) -> list[Concept]:
        return [
            span
            for span in self.concepts
            if span.kind == "test" and (span.key in TESTS or span.key == "blood_pressure")
        ]

    @cached_property
    def conditions(self) -> list[Concept]:
        return [span for span in self.concepts if span.kind == "condition"]

    @cached_property
    def names(self) -> list[NamedParty]:
        return [n for n in names(self.bare) if not overlaps(n, self.citations)]

    def words(self, kind: str) -> tuple[Word, ...]:
        """What is said with words of one kind, and not within a fact's own words."""
        return stance.words(self.bare, kind)

    def denied(self, word: Placed, reach: int = 2) -> bool:
        return stance.denied(self.bare, word.start, word.end, reach)

    @cached_property
    def parts(self) -> list[SentencePart]:
        gaps = [TextSpan(*match.span()) for match in _GAP.finditer(self.text)]
        voices = [word for word in self.words("voice") if not overlaps(word, self.days)]
        clauses = [code for code in self.codes if code.system == "clause"]
        cuts = [at for gap in gaps for at in gap]
        return [self._part(span, gaps, voices, clauses) for span in segments(self.bare, cuts)]

    def _part(
        self, span: TextSpan, gaps: list[TextSpan], voices: list[Word], clauses: list[Code]
    ) -> SentencePart:
        keys = {word.key for word in voices if span.start <= word.start < span.end}
        if any(span.start <= code.start < span.end for code in clauses):
            keys.add("policy")
        if overlaps(span, gaps):
            keys |= _GAP_VOICES
        if self.known:
            keys.add("patient")
        # A question says nothing of the patient, and one that lists what it asks for ends in a single mark.
        if "?" in self.bare[span.start : span.end] or self.bare.rstrip().endswith("?"):
            keys = (keys | {"open", "policy"}) - {"patient"}
        return SentencePart(span.start, span.end, frozenset(keys))

    @cached_property
    def supposed(self) -> bool:
        return any("supposed" in part.voices for part in self.parts)

    def part(self, item: Placed) -> SentencePart:
        """The part of the sentence that an item stands in."""
        return next((part for part in self.parts if part.holds(item)), self.parts[-1])

    def gap(self, one: Placed, other: Placed) -> str:
        """What stands between two items."""
        return self.low[one.end : other.start]

    # --- what comes of it -----------------------------------------------------------------------------------------

    def support(self, *facts: str) -> None:
        self.used.update(dict.fromkeys(facts))

    def wrong(self, kind: Kind, at: Placed, why: str) -> None:
        issue = Issue(kind, self.offset + at.start, self.offset + at.end, self.shown[at.start : at.end], why)
        if not any(i.start == issue.start and i.end == issue.end for i in self.issues):
            self.issues.append(issue)


def blank(text: str, spans: Iterable[Placed], filler: str = " ") -> str:
    """The text with blanks in place of the spans, every other character where it was."""
    for span in spans:
        text = text[: span.start] + filler * (span.end - span.start) + text[span.end :]
    return text


def overlaps(item: Placed, others: Iterable[Placed]) -> bool:
    return any(other.start < item.end and item.start < other.end for other in others)


def _within(one: Placed, other: Placed) -> bool:
    return (
        other.start <= one.start and one.end <= other.end and (one.start, one.end) != (other.start, other.end)
    )
