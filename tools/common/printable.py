"""Text of strangers without what a terminal would take as an order: control characters and turned directions."""

from __future__ import annotations

_KEPT = "\n\t"
_ORDERS = [*range(0x20), *range(0x7F, 0xA0), 0x061C, 0x200B, 0x200E, 0x200F, 0x2028, 0x2029, 0x2060, 0xFEFF]
_ORDERS += [*range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xD800, 0xE000)]
_SPACED = dict.fromkeys((code for code in _ORDERS if chr(code) not in _KEPT), " ")
# JSON escapes those below by itself.
_ESCAPED = {chr(code): f"\\u{code:04x}" for code in _ORDERS if code >= 0x7F}


def printable(text: str) -> str:
    """The text with a blank for each control character, direction mark and lone surrogate; lines stay lines."""
    return text if text.isascii() and text.isprintable() else text.replace("\r\n", "\n").translate(_SPACED)


def escaped(json: str) -> str:
    """JSON text that says the same with escapes in the place of such characters."""
    for sign in _ESCAPED.keys() & set(json):
        json = json.replace(sign, _ESCAPED[sign])
    return json


def one_line(text: str) -> str:
    """The same on one line, with single blanks."""
    return " ".join(printable(text).split())
