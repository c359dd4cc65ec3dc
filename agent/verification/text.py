"""Text as the extractors read it: plain characters at unchanged positions, cut into sentences and segments."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from tools.terminology.dates import month_names

# One character for one, so that positions stay.
PLAIN = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "−": "-", "‑": "-", "²": "2", "³": "3",
     "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\t": " ", "\r": " ", "µ": "u", "μ": "u", "•": "-"}
)  # fmt: skip
ABBREVIATED = re.compile(
    rf"(?:\b(?:dr|mr|mrs|ms|st|no|vs|approx|ca|e\.g|i\.e|{month_names()}|inc|co|jr|sr"
    r"|dept|fig|sec|tab|pt|hx|dx|rx|ave|tel|nr|cf|al)|\b[A-Z])\.$",
    re.IGNORECASE,
)
END = re.compile(r"[.!?]+[\"')\]]*(?=\s+[\"'(\[]?[A-Z0-9§*-]|\s*$)")
LABEL = re.compile(r"^[A-Za-z][A-Za-z' /-]{1,30}:")
ITEM = re.compile(
    r"^\s*(?:[-*•>#]|\d{1,2}(?:[.)]\s|\s*$)|\||§|\(?\d{1,2}\)|[A-Z]{1,4}[-.]?\d?[.\d\w()]*\s{2,})"
)
WRAPPED = 62  # a line this long that ends without a stop goes on in the next


class TextSpan(NamedTuple):
    """From `start` up to `end`."""

    start: int
    end: int


def plain(text: str) -> str:
    """The same text in plain characters, every one where it was."""
    return text.translate(PLAIN)


def lower(text: str) -> str:
    """In lower case, every character where it was."""
    folded = text.lower()
    return folded if len(folded) == len(text) else "".join(c.lower()[:1] for c in text)


def sentences(text: str) -> list[TextSpan]:
    """The sentences and lines of a text, without the blanks around them; a wrapped line goes on in the next."""
    found: list[TextSpan] = []
    for block in _blocks(text):
        start = block.start
        for end in END.finditer(text, block.start, block.end):
            if end[0].startswith(".") and ABBREVIATED.search(text, block.start, end.start() + 1):
                continue
            if len(text[start : end.end()].strip()) < 3:
                continue
            found.append(_stripped(text, start, end.end()))
            start = end.end()
        if text[start : block.end].strip():
            found.append(_stripped(text, start, block.end))
    return found


def _blocks(text: str) -> list[TextSpan]:
    """Lines, those that were wrapped joined again."""
    blocks: list[TextSpan] = []
    at, before = 0, ""
    for line in text.splitlines(keepends=True):
        end = at + len(line.rstrip())
        bare = line.strip()
        wrapped = len(before) >= WRAPPED and before[-1] not in '.:;!?"' and not ITEM.match(line)
        quoted = bool(before) and _opens_a_quote(text[blocks[-1].start : blocks[-1].end])
        if bare and (quoted or (wrapped and not LABEL.match(bare))):
            blocks[-1] = TextSpan(blocks[-1].start, end)
        elif bare:
            blocks.append(TextSpan(at, end))
        before = bare
        at += len(line)
    return blocks


def _opens_a_quote(block: str) -> bool:
    return block.count("“") > block.count("”")


def _stripped(text: str, start: int, end: int) -> TextSpan:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return TextSpan(start, end)


CUT = re.compile(
    r";|[.!?]\s|\s-\s|,?\s\b(?:but|whereas|while|although|though|however|yet)\b"
    r"|,\s(?:and\s)?(?=(?:he|she|it|they|the|we|so|that|which|his|her)\b)",
    re.IGNORECASE,
)


def segments(text: str, cuts: Iterable[int] = ()) -> list[TextSpan]:
    """The parts of a sentence that are read for themselves: what is denied in one is not denied in the next. It is
    cut at further offsets too."""
    between = sorted([*(cut.span() for cut in CUT.finditer(text)), *((at, at) for at in cuts)])
    starts, ends = [0, *(end for _, end in between)], [*(start for start, _ in between), len(text)]
    return [TextSpan(a, b) for a, b in zip(starts, ends, strict=True) if b > a]


def folded(text: str) -> str:
    """In lower case and plain characters, with single blanks; as long as the text itself if that has those."""
    return " ".join(lower(plain(text)).split())


def word_list(text: str) -> list[str]:
    """The words of a text in lower case, without a possessive's ending."""
    return [word.lower().removesuffix("'s") for word in _WORD.findall(plain(text))]


_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
