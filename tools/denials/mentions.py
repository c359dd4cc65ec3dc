"""What in a letter may be a date, a time to act within, a name or a number; the learned models say which is which."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Literal, NamedTuple

from tools.denials.days import days_in, spans_in
from tools.denials.learned import Seen, hashed, tokens_of
from tools.denials.sentences import Sentence

Kind = Literal["date", "span", "number", "name"]


class Mention(NamedTuple):
    """text[start:end], where it stands, and what it comes to: a day, or an amount and its unit."""

    kind: Kind
    start: int
    end: int
    sentence: int
    day: date | None = None
    amount: int = 0
    unit: str = ""


_WORD = re.compile(r"[^\W_]+(?:[-'’./][^\W_]+)*")
_IN_NAMES = (" ", ". ", ", ", "  ", " & ", " of ", " and ")
_FAR, _BEHIND = 9, 6  # words on each side


def times_in(text: str, sentences: Sequence[Sentence]) -> list[Mention]:
    """Every day, and every stretch of days or months."""
    found = [_mention("date", d.start, d.end, sentences)._replace(day=d.day) for d in days_in(text)]
    found += [
        _mention("span", s.start, s.end, sentences)._replace(amount=s.amount, unit=s.unit)
        for s in spans_in(text)
    ]
    return sorted(found, key=lambda one: one.start)


def numbers_in(text: str, sentences: Sequence[Sentence], times: Sequence[Mention]) -> list[Mention]:
    """Tokens with three digits or more that are no dates; blocks that only blanks part are one number too."""
    dates = [(one.start, one.end) for one in times if one.kind == "date"]
    spans = (match.span() for match in _WORD.finditer(text))
    words = [word for word in spans if not any(start <= word[0] < end for start, end in dates)]
    return [
        _mention("number", start, end, sentences)
        for start, end in _runs(text, words, (" ", " #"), _blocky, 4)
        if sum(map(str.isdigit, text[start:end])) >= 3
    ]


def _blocky(word: str) -> bool:
    return any(map(str.isdigit, word)) or (word.isupper() and len(word) <= 4)


def names_in(text: str, sentences: Sequence[Sentence]) -> list[Mention]:
    """Two to six words that follow one another in a line and begin with capitals."""
    words = [match.span() for match in _WORD.finditer(text)]
    return [
        _mention("name", start, end, sentences)
        for start, end in _runs(text, words, _IN_NAMES, lambda word: word[0].isupper(), 6)
        if " " in text[start:end] and not any(map(str.isdigit, text[start:end]))
    ]


def _runs(
    text: str, words: Sequence[tuple[int, int]], gaps: Sequence[str], fits: Callable[[str], bool], most: int
) -> Iterator[tuple[int, int]]:
    """Up to so many words that fit, with only these gaps between them: every run from each word on."""
    for at, (start, end) in enumerate(words):
        for begin, stop in words[at : at + most]:
            if not fits(text[begin:stop]) or (begin > start and text[end:begin] not in gaps):
                break
            end = stop
            yield start, end


def _mention(kind: Kind, start: int, end: int, sentences: Sequence[Sentence]) -> Mention:
    sentence = bisect_right(sentences, start, key=lambda one: one.start) - 1
    return Mention(kind, start, end, max(0, sentence))


def seen_mentions(
    text: str,
    sentences: Sequence[Sentence],
    roles: Sequence[str],
    mentions: Sequence[Mention],
    letter: str = "",
) -> list[Seen]:
    """Each with the words around it, its heading, the role of its sentence, where it stands among its like, and the
    kind of its letter if that is told."""
    days = sorted({one.day for one in mentions if one.day and one.day.year > 2000})
    return [Seen(hashed(_features(text, sentences, roles, one, days, letter))) for one in mentions]


def _features(
    text: str,
    sentences: Sequence[Sentence],
    roles: Sequence[str],
    one: Mention,
    days: Sequence[date],
    letter: str,
) -> Iterable[str]:
    sentence = sentences[one.sentence]
    line = text.rfind("\n", 0, one.start) + 1
    ends = text.find("\n", one.end)
    before = tokens_of(text[max(line, one.start - 90, 0) : one.start])[-_FAR:]
    beyond = tokens_of(text[max(0, line - 60) : line])[-3:] if len(before) < 3 else []
    after = tokens_of(text[one.end : min(one.end + 70, ends if ends >= 0 else len(text))])[:_BEHIND]
    yield f"kind={one.kind}"
    yield from _side("L", before[::-1])
    yield from _side("R", after)
    yield from (f"B={word}" for word in beyond)
    yield from (f"H={word}" for word in tokens_of(sentence.heading))
    yield from (f"{one.kind}S={word}" for word in tokens_of(sentence.words))
    yield f"role={roles[one.sentence]}"
    if letter:
        yield f"letter={letter}"
        yield f"letter={letter} {one.kind} {roles[one.sentence]}"
    yield f"line={min(sentence.line, 8)}"
    yield f"whole={not text[line : one.start].strip()}{not after}"
    yield f"end={len(sentences) - one.sentence < 4}"
    said = text[one.start : one.end]
    if one.kind == "date" and one.day and days:
        yield f"old={one.day.year < days[-1].year - 9}"
        yield f"first={one.day == days[0]}{len(days) > 1}"
        yield f"last={one.day == days[-1]}{len(days) > 1}"
        yield f"rank={days.index(one.day) * 4 // len(days) if one.day in days else 'x'}"
    elif one.kind == "span":
        yield f"amount={one.amount}{one.unit}"
        yield f"unit={one.unit}"
    else:
        yield f"first={text.find(said) == one.start}"
        yield f"size={min(len(said) // 3, 7)}"
        yield f"parts={len(said.split())}"
        yield f"upper={said.isupper()}"
        yield f"digits={sum(map(str.isdigit, said)) * 3 // len(said)}"
        yield f"form={''.join(map(_form, said[:9]))}"
        yield from (f"W={word}" for word in tokens_of(said))
        yield f"next={text[one.end : one.end + 1]}"
        yield f"ago={text[max(0, one.start - 1) : one.start]}"


def _form(sign: str) -> str:
    return "#" if sign.isdigit() else "A" if sign.isupper() else "a" if sign.isalpha() else sign


def _side(name: str, words: Sequence[str]) -> Iterator[str]:
    for place, word in enumerate(words):
        yield f"{name}={word}"
        yield f"{name}{'a' if place < 1 else 'b' if place < 3 else 'c'}={word}"
    yield from (f"{name}2={one} {two}" for one, two in pairwise(words[:5]))
    if len(words) > 1:
        yield f"{name}ab={words[0]} {words[1]}"
    if not words:
        yield f"{name}0"
