"""One sentence with everything that the extractors find in it, and what was found wrong so far."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import cached_property
from typing import Literal, NamedTuple, TypeVar

from agent.claims import stance
from agent.claims.attributes import Condition, Cue, conditions, cues
from agent.claims.codes import Code, codes, normal
from agent.claims.dates import Day, days
from agent.claims.drugs import Class, Drug, classes
from agent.claims.index import Index, squeezed
from agent.claims.names import Citation, Name, citations, names
from agent.claims.numbers import Number, frequencies, numbers
from agent.claims.text import Span, lower, plain, segments

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
SYSTEM = re.compile(r"\bICD[- ]?(?:9|10)(?:-(?:CM|PCS))?\b")  # a code's system is no number
GAP = re.compile(r"\[[^\]]*\bTO\s+COMPLETE\b[^\]]*\]")
QUOTED = re.compile(r'"([^"]{12,})"')
EDGE_BEFORE = re.compile(r"(?:^|[:;,(\[\"]|\.|-|>=|record:|\b(?:and|that|says|is|as|of|because))\s*$")
EDGE_AFTER = re.compile(r"\s*(?:$|[.;:,)\]\"])")
PATIENT = re.compile(
    r"\b(?:he|she|his|her|him|patient|pt|mr|mrs|ms|man|woman|gentleman|lady|member|chart|record"
    r"|problem\s+list|diagnos\w+|dx"
    r"|history\s+of|hx|carries|suffers|year-old|yo|known)\b",
    re.IGNORECASE,
)

T = TypeVar("T", Number, Day, Code, Drug, Class, Cue, Condition, Name, Citation, stance.Said)


class Issue(NamedTuple):
    """What is wrong: which words (positions in the whole text), and why, in one line."""

    kind: Kind
    start: int
    end: int
    text: str
    why: str


class Around(NamedTuple):
    """How the part of the sentence where something stands is meant."""

    span: Span
    text: str
    policy: bool
    general: bool
    family: bool
    unsure: bool
    asked: bool
    patient: bool


class Sentence:
    """A sentence of a text from `offset` on. `before` is the sentence ahead of it, for what "it" leans on."""

    def __init__(self, shown: str, offset: int, index: Index, before: Sentence | None = None) -> None:
        self.shown, self.offset, self.index, self.before = shown, offset, index, before
        self.text = SYSTEM.sub(lambda m: "x" * len(m[0]), plain(shown).replace("\n", " "))
        self.low = lower(self.text)
        self.issues: list[Issue] = []
        self.used: dict[str, None] = {}
        self.settled: list[Span] = []  # verbatim words of a fact
        self.known: list[Span] = []  # names and addresses: nothing in them is a number or another name
        self._settle()

    # --- what is known word for word --------------------------------------------------------------------------

    def _settle(self) -> None:
        for match in QUOTED.finditer(self.text):
            if len(match[1].split()) < 4:
                continue
            words = squeezed(match[1]).rstrip(".,")
            source = next((id_ for quote, id_ in self.index.quotes if words in quote), None)
            self.settled.append(Span(match.start(), match.end()))
            if source is None:
                self.wrong("quote", match.start(), match.end(), "no clause and no note has these words")
            else:
                self.support(source)
        for phrase in self.index.phrases:
            at = self.low.find(phrase.words)
            while at >= 0:
                end = at + len(phrase.words)
                if not self._covered(at, end):
                    self._take(at, end, phrase.id, phrase.settled)
                at = self.low.find(phrase.words, end)

    def _take(self, at: int, end: int, fact: str, settled: bool) -> None:
        whole = not (self.low[at - 1 : at].isalnum() and at) and not self.low[end : end + 1].isalnum()
        if not whole or re.match(r"\.\d", self.low[end : end + 2]):
            return
        if not settled:
            self.known.append(Span(at, end))
            self.support(fact)
        elif (
            EDGE_BEFORE.search(self.low[:at])
            and EDGE_AFTER.match(self.low, end)
            and not stance.denies(self.text, at)
        ):
            self.settled.append(Span(at, end))
            self.support(fact)

    def _covered(self, start: int, end: int) -> bool:
        return any(s.start <= start and end <= s.end for s in self.settled)

    def free(self, items: list[T], *, of_names: bool = False) -> list[T]:
        """Those that do not stand in words known as a whole."""
        spans = self.settled + (self.known if of_names else [])
        return [i for i in items if not any(s.start < i.end and i.start < s.end for s in spans)]

    def free_matches(self, pattern: re.Pattern[str]) -> list[re.Match[str]]:
        """What a pattern finds in words that are not known as a whole."""
        spans = self.settled + self.known
        return [
            m for m in pattern.finditer(self.text) if not any(a < m.end() and m.start() < b for a, b in spans)
        ]

    # --- what stands in it --------------------------------------------------------------------------------------

    @cached_property
    def citations(self) -> list[Citation]:
        return self.free(citations(self.text))

    @cached_property
    def codes(self) -> list[Code]:
        found = self.free([*codes(self.text), *self._literal_codes()], of_names=True)
        longest = [
            c
            for c in found
            if not any(o.start <= c.start and c.end <= o.end and o[:2] != c[:2] for o in found)
        ]
        unique = {c[:2]: c for c in longest}
        return sorted(c for c in unique.values() if not _overlaps(c, self.citations))

    def _literal_codes(self) -> Iterator[Code]:
        """The ledger's own codes where they stand, whatever they look like."""
        for value in self.index.literal:
            at = self.text.find(value)
            while at >= 0:
                end = at + len(value)
                alone = self.text[:at][-1:] in ("", "(") and self.text[end : end + 1] in (")", ":")
                if re.fullmatch(r"[\d.]{1,4}", value) and not alone:
                    pass  # more likely a number
                elif not re.match(r"[\w]|\.\w|\(\w+\)", self.text[end : end + 4]) and not re.search(
                    r"[\w.-]$", self.text[:at]
                ):
                    yield Code(at, end, normal(value, "clause"), "clause" if not value.isalnum() else "id")
                at = self.text.find(value, end)

    @cached_property
    def days(self) -> list[Day]:
        return [
            d
            for d in self.free(days(self.text, self.index.as_of), of_names=True)
            if not _overlaps(d, self.codes, self.citations)
        ]

    @cached_property
    def numbers(self) -> list[Number]:
        found = self.free(numbers(self.text), of_names=True)
        return [n for n in found if not _overlaps(n, self.codes, self.days, self.citations)]

    @cached_property
    def frequencies(self) -> list[tuple[int, int, float]]:
        return [
            f
            for f in frequencies(self.text)
            if not any(s.start < f[1] and f[0] < s.end for s in self.settled)
        ]

    @cached_property
    def drugs(self) -> list[Drug]:
        found = self.index.lexicon.drugs(self.text)
        return [d for d in self.free(found) if not _overlaps(d, self.codes)]

    @cached_property
    def classes(self) -> list[Class]:
        return self.free(classes(self.text))

    @cached_property
    def cues(self) -> list[Cue]:
        return self.free(cues(self.text))

    @cached_property
    def conditions(self) -> list[Condition]:
        return [c for c in self.free(conditions(self.text)) if not _overlaps(c, self.citations)]

    @cached_property
    def names(self) -> list[Name]:
        return [n for n in self.free(names(self.text)) if not _overlaps(n, self.citations)]

    @cached_property
    def said(self) -> list[stance.Said]:
        return self.free(stance.courses(self.text))

    @cached_property
    def verdicts(self) -> list[stance.Said]:
        return self.free(stance.verdicts(self.text))

    @cached_property
    def states(self) -> list[stance.Said]:
        return self.free(stance.states(self.text))

    @cached_property
    def supposed(self) -> bool:
        return bool(stance.SUPPOSED.search(self._bare))

    @cached_property
    def _bare(self) -> str:
        """The text with what is settled blanked out."""
        text = self.text
        for span in self.settled:
            text = text[: span.start] + " " * (span.end - span.start) + text[span.end :]
        return text

    @cached_property
    def parts(self) -> list[Around]:
        gaps = [Span(m.start(), m.end()) for m in GAP.finditer(self.text)]
        return [self._around(span, gaps) for span in segments(self._bare)]

    def _around(self, span: Span, gaps: list[Span]) -> Around:
        text = self._bare[span.start : span.end]
        gap = any(g.start < span.end and span.start < g.end for g in gaps)
        return Around(
            span,
            text,
            policy=gap or bool(stance.POLICY.search(text)) or self._cites(span),
            general=bool(stance.GENERAL.search(text)),
            family=bool(stance.RELATIVES.search(text)),
            unsure=gap or bool(stance.UNSURE.search(text)),
            asked=gap or bool(stance.ASKED.search(text)),
            patient=bool(PATIENT.search(text)) or bool(self.known),
        )

    def around(self, at: int) -> Around:
        """The part of the sentence that position stands in."""
        return next((p for p in self.parts if p.span.start <= at < p.span.end), self.parts[-1])

    def _cites(self, span: Span) -> bool:
        return any(c.system == "clause" and span.start <= c.start < span.end for c in self.codes)

    # --- what comes of it -------------------------------------------------------------------------------------

    def support(self, *facts: str) -> None:
        self.used.update(dict.fromkeys(facts))

    def wrong(self, kind: Kind, start: int, end: int, why: str) -> None:
        issue = Issue(kind, self.offset + start, self.offset + end, self.shown[start:end], why)
        if not any(i.start == issue.start and i.end == issue.end for i in self.issues):
            self.issues.append(issue)


def spoken(day: date) -> str:
    return f"{day:%b} {day.day}, {day.year}"


def _overlaps(item: object, *others: list[Code] | list[Day] | list[Citation]) -> bool:
    start, end = item.start, item.end  # type: ignore[attr-defined]
    return any(o.start < end and start < o.end for some in others for o in some)
