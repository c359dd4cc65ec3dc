"""Text in any script, as glyphs of a font that has them.

The base fonts of a PDF show Windows-1252. A word that needs more is set whole in a font of `fonts/fonts.zip`: shaped by
HarfBuzz, in the order in which it is read (Unicode's bidirectional algorithm, on a line that runs left to right).
"""

from __future__ import annotations

import re
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache, partial
from html import escape
from importlib.resources import files
from io import BytesIO
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

# The font of a script, by the first word of its characters' names in Unicode; of any other, GENERAL.
_NOTO = (
    "ARABIC", "ARMENIAN", "BENGALI", "DEVANAGARI", "ETHIOPIC", "GEORGIAN", "GUJARATI", "GURMUKHI", "HEBREW", "KANNADA",
    "KHMER", "LAO", "MALAYALAM", "MYANMAR", "SINHALA", "TAMIL", "TELUGU", "THAI",
)  # fmt: skip
_FALLBACK = ("BOPOMOFO", "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA")
SCRIPTS = {
    **{script: f"NotoSans{script.capitalize()}-Regular" for script in _NOTO},
    **dict.fromkeys(_FALLBACK, "DroidSansFallbackFull"),
    "HANGUL": "NanumSquareR",
}
SIGNS = frozenset("≥≤≠→")  # that a base font has: Symbol
GENERAL = ("NotoSans-Regular", "DroidSansFallbackFull", "NanumSquareR")
SHAPING = {"kern": True, "liga": True, "dlig": False}
PRIVATE_USE, SOFT_HYPHEN = 0xE000, "\xad"
SHAPED_AT = 10.0  # points; what HarfBuzz measures is in thousandths of the size, whatever it is


class Run(NamedTuple):
    """Neighbouring glyphs of one font, in the order in which they stand on the line."""

    font: str
    text: str  # reportlab's ShapedStr, if it was shaped
    width: float  # in thousandths of the size


def is_base(text: str) -> bool:
    """Do the base fonts show all of it?"""
    if text.isascii():
        return True
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


@lru_cache(maxsize=4096)
def is_shown(char: str) -> bool:
    """Does any of our fonts show this character?"""
    return is_base(char) or _is_format(char) or _font_of(char) != ""


@lru_cache(maxsize=4096)
def runs(text: str, base: str) -> tuple[Run, ...]:
    """A line as runs, from left to right.

    Args:
        base: the base font in which it is set as far as that shows it, e.g. Helvetica.
    """
    found: list[Run] = []
    for level, span in _in_order(_levels(unicodedata.normalize("NFC", text))):
        backwards = level % 2 == 1
        pieces = [_run(piece, font, backwards) for font, piece in _by_font(span, base)]
        found += reversed(pieces) if backwards else pieces
    return tuple(found)


def width(text: str, base: str, size: float) -> float:
    """Of a line, in points."""
    return sum(run.width for run in runs(text, base)) * size / 1000


def put(text_object: Any, text: str, base: str, size: float) -> None:
    """Set a line with one of reportlab's text objects, from where it stands; who copies it gets what was written."""
    written = (b"\xfe\xff" + text.encode("utf-16-be")).hex()
    text_object._code.append(f"/Span << /ActualText <{written}> >> BDC")
    for run in runs(text, base):
        text_object.setFont(run.font, size, size)
        text_object.textOut(run.text)
    text_object._code.append("EMC")
    text_object.setFont(base, size, size)


def markup(text: str, base: str) -> str:
    """A line for reportlab's paragraphs, escaped, its fonts named."""
    if is_base(text):
        return escape(text, quote=False)
    shown = ((run.font, escape(str(run.text), quote=False)) for run in runs(text, base))
    return "".join(f'<font name="{font}">{escaped}</font>' for font, escaped in shown)


# --- fonts -----------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _font_of(char: str) -> str:
    """The font that has this character; "" if none has."""
    if char in SIGNS:
        return "Symbol"
    own = SCRIPTS.get(unicodedata.name(char, "").split(" ")[0])
    names = (own, *GENERAL) if own else GENERAL
    return next((name for name in names if ord(char) in _font(name).face.charToGlyph), "")


@cache
def _font(name: str) -> Any:
    """The font, known to reportlab under its name.

    Glyphs without a character of their own get one for private use, in the font's order: whatever was shaped before,
    the same text is the same bytes.
    """
    from reportlab.pdfbase.pdfmetrics import registerFont
    from reportlab.pdfbase.ttfonts import TTFont

    with zipfile.ZipFile(BytesIO(files("tools.papers").joinpath("fonts/fonts.zip").read_bytes())) as packed:
        font = TTFont(name, BytesIO(packed.read(f"{name}.ttf")), asciiReadable=False)
    if _is_shaped(name):
        shaper, face = font.hbFont(SHAPED_AT), font.face
        code = PRIVATE_USE
        for glyph in range(font.hbFace.glyph_count):
            if glyph not in face.glyphToChar:
                while code in face.charToGlyph:
                    code += 1
                face.charToGlyph[code], face.glyphToChar[glyph] = glyph, [code]
                face.charWidths[code] = font.pdfScale(shaper.get_glyph_h_advance(glyph))
                code += 1
    registerFont(font)
    return font


def _is_shaped(name: str) -> bool:
    """Chinese, Japanese and Korean stand as they are written, and their fonts are large."""
    return name.startswith("Noto")


def _by_font(text: str, base: str) -> Iterator[tuple[str, str]]:
    """A text of one direction as pieces of one font; a word is not split where one font has all of it."""
    fonts: list[str] = []
    for word in re.split(r"(\s+)", text):
        if is_base(word):
            fonts += [base] * len(word)
            continue
        wanted = [_font_of(char) for char in word if not is_base(char)]
        whole = next((f for f in wanted if f and _has(f, word)), "")
        fonts += [whole or (base if is_base(char) else _font_of(char) or base) for char in word]
    for font, group in groupby(zip(fonts, text, strict=True), key=lambda pair: pair[0]):
        yield font, "".join(char for _, char in group)


def _has(font: str, word: str) -> bool:
    if font == "Symbol":
        return False
    known = _font(font).face.charToGlyph
    return all(ord(char) in known or _is_format(char) for char in word)


def _run(text: str, font: str, backwards: bool) -> Run:
    from reportlab.lib.abag import ABag
    from reportlab.pdfbase.pdfmetrics import stringWidth
    from reportlab.pdfbase.ttfonts import shapeFragWord

    if not _is_shaped(font):
        seen = "".join(char for char in text if not _is_format(char))
        seen = _mirrored(seen) if backwards else seen
        return Run(font, seen, float(stringWidth(seen, font, 1000)))
    plain = [0, (ABag(fontName=font, fontSize=SHAPED_AT), text)]
    shaped = shapeFragWord(plain, features=SHAPING, force=True)[1][1]
    return Run(font, shaped, float(sum(glyph.x_advance for glyph in shaped.__shapeData__)))


def _is_format(char: str) -> bool:
    """A sign that only says how its neighbours are set, as a joiner does."""
    return unicodedata.category(char) == "Cf" and char != SOFT_HYPHEN


def _mirrored(text: str) -> str:
    from bidi.mirror import MIRRORED

    return "".join(MIRRORED.get(char, char) for char in reversed(text))


# --- direction -------------------------------------------------------------------------------------------


def _levels(text: str) -> list[tuple[int, str]]:
    """Each character with its level: even ones are read from the left, odd ones from the right."""
    if not any(unicodedata.bidirectional(char) in ("R", "AL", "AN") for char in text):
        return [(0, char) for char in text]
    from bidi import algorithm

    storage = algorithm.get_empty_storage() | {"base_level": 0, "base_dir": "L"}
    algorithm.get_embedding_levels(text, storage)
    algorithm.explicit_embed_and_overrides(storage)
    algorithm.resolve_weak_types(storage)
    algorithm.resolve_neutral_types(storage, False)
    algorithm.resolve_implicit_levels(storage, False)
    return [(char["level"], char["ch"]) for char in storage["chars"]]


def _in_order(levels: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """Spans of one level from left to right, each in the order in which it is read (rule L2, by spans)."""
    grouped = groupby(levels, key=itemgetter(0))
    spans = [(level, "".join(char for _, char in group)) for level, group in grouped]
    for least in range(max((level for level, _ in spans), default=0), 0, -1):
        turned: list[tuple[int, str]] = []
        for high, group in groupby(spans, key=partial(_at_least, least)):
            together = list(group)
            turned += reversed(together) if high else together
        spans = turned
    return spans


def _at_least(least: int, span: tuple[int, str]) -> bool:
    return span[0] >= least
