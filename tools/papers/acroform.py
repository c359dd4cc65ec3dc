"""Fields of a fillable PDF, written beside what reportlab draws: text, choice and tick boxes.

reportlab's own AcroForm wraps no text and writes three appearances a field; here a value is whole in its
field (/V), and its appearance shows the wrapped lines in any viewer, whether it makes appearances or not.
Text that the base fonts lack is set in the fonts of typesetting.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tools.papers import typesetting
from tools.papers.typesetting import is_base

MULTILINE, RADIO = 1 << 12, 1 << 15
FONT, SIZE, LEADING, PAD = "Helvetica", 10.0, 12.0, 2.0


class Fields:
    """Collects the fields of one canvas; `finish` puts them into its document."""

    def __init__(self, canvas: Any) -> None:
        from reportlab.pdfbase.pdfdoc import BasicFonts, PDFObject, PDFObjectReference

        class Raw(PDFObject):  # type: ignore[misc]
            """An object that is written as it stands."""

            __RefOnly__ = 1

            def __init__(self, content: bytes) -> None:
                self.content = content

            def format(self, document: Any) -> bytes:
                return self.content

        self._raw = Raw
        self._all_fonts = PDFObjectReference(BasicFonts).format(canvas._doc)
        self._canvas = canvas
        self._document = canvas._doc
        self._fields: list[bytes] = []
        self._ticks: dict[tuple[str, float], bytes] = {}
        self._font = self._add(
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
        )
        self._dingbats = self._add(b"<< /Type /Font /Subtype /Type1 /BaseFont /ZapfDingbats >>")

    def text(
        self,
        name: str,
        value: str,
        lines: Sequence[str],
        box: tuple[float, float, float, float],
        tooltip: str = "",
        multiline: bool = False,
    ) -> None:
        """`box` is x, y, width, height; `lines` are the value as it is wrapped in there."""
        x, y, width, height = box
        multiline = multiline or len(lines) > 1
        top = height - PAD - SIZE * 0.8 if multiline else (height - SIZE) / 2 + SIZE * 0.22
        shown, fonts = self._set(lines, top)
        stream = b"/Tx BMC q 0 0 %g %g re W n 0 g %s Q EMC" % (width, height, shown)
        appearance = self._stream(stream, width, height, b"/Font %s" % fonts)
        named, held, flags = _named(name, tooltip), _string(value), MULTILINE if multiline else 0
        entries = b"/FT /Tx %s /V %s /DV %s /DA (/Helv %g Tf 0 g) /Ff %d /AP << /N %s >>"
        self._widget(entries % (named, held, held, SIZE, flags, appearance), (x, y, x + width, y + height))

    def tick(self, name: str, on: bool, x: float, y: float, size: float, tooltip: str = "") -> None:
        state, box = b"/Yes" if on else b"/Off", self._box(b"/Yes", size)
        entries = b"/FT /Btn %s /V %s /AS %s %s" % (_named(name, tooltip), state, state, box)
        self._widget(entries, (x, y, x + size, y + size))

    def choice(
        self,
        name: str,
        value: str,
        places: Sequence[tuple[str, float, float]],
        size: float,
        tooltip: str = "",
    ) -> None:
        """One of several boxes, each with its option and place; no value marks none."""
        parent = self._raw(b"")
        reference = self._reference(parent)
        kids = []
        for option, x, y in places:
            state = _name(option) if option == value else b"/Off"
            entries = b"/Parent %s /AS %s %s" % (reference, state, self._box(_name(option), size))
            kids.append(self._widget(entries, (x, y, x + size, y + size), top=False))
        chosen, kinds = _name(value) if value else b"/Off", b"<< /FT /Btn /Ff %d %s /V %s /Kids [%s] >>"
        parent.content = kinds % (RADIO, _named(name, tooltip), chosen, b" ".join(kids))
        self._fields.append(reference)

    def finish(self) -> None:
        self._document._catalog.AcroForm = self._raw(
            b"<< /Fields [%s] /DA (/Helv %g Tf 0 g) "
            b"/DR << /Font << /Helv %s /ZaDb %s >> >> >>"
            % (b" ".join(self._fields), SIZE, self._font, self._dingbats)
        )

    def _widget(
        self, entries: bytes, rectangle: tuple[float, float, float, float], top: bool = True
    ) -> bytes:
        body = b"<< /Type /Annot /Subtype /Widget /F 4 /Rect [%.2f %.2f %.2f %.2f] %s >>"
        annotation = self._raw(body % (*rectangle, entries))
        self._canvas._addAnnotation(annotation)
        reference = self._reference(annotation)
        if top:
            self._fields.append(reference)
        return reference

    def _set(self, lines: Sequence[str], top: float) -> tuple[bytes, bytes]:
        """The lines as a text object, and the dictionary of its fonts."""
        if all(map(is_base, lines)):
            shown = b"".join(
                b"%s(%s) Tj\n" % (b"0 %g Td\n" % -LEADING if place else b"", _escape(line))
                for place, line in enumerate(lines)
            )
            begin = b"BT /Helv %g Tf %g TL %g %g Td\n" % (SIZE, LEADING, PAD, top)
            return b"%s%sET" % (begin, shown), b"<< /Helv %s >>" % self._font
        pen = self._canvas.beginText(PAD, top)
        for place, line in enumerate(lines):
            pen.setTextOrigin(PAD, top - LEADING * place)
            typesetting.put(pen, line, FONT, SIZE)
        return pen.getCode().encode("latin-1"), self._all_fonts

    def _box(self, state: bytes, size: float) -> bytes:
        """How a box is shown in this state, and in none."""
        shown = (state, self._mark(True, size), self._mark(False, size))
        return b"/MK << /CA (8) >> /AP << /N << %s %s /Off %s >> >>" % shown

    def _mark(self, on: bool, size: float) -> bytes:
        """A cross of strokes: it survives a fax better than a thin tick."""
        key = ("on" if on else "off", size)
        if key not in self._ticks:
            low, high = size * 0.2, size * 0.8
            cross = b"q 0 G 1.6 w %g %g m %g %g l %g %g m %g %g l S Q"
            drawn = cross % (low, low, high, high, low, high, high, low) if on else b""
            self._ticks[key] = self._stream(drawn, size, size, b"")
        return self._ticks[key]

    def _stream(self, content: bytes, width: float, height: float, resources: bytes) -> bytes:
        return self._add(
            b"<< /Type /XObject /Subtype /Form /BBox [0 0 %g %g] /Resources << %s >> /Length %d >>\n"
            b"stream\n%s\nendstream" % (width, height, resources, len(content), content)
        )

    def _add(self, content: bytes) -> bytes:
        return self._reference(self._raw(content))

    def _reference(self, item: Any) -> bytes:
        reference: bytes = self._document.Reference(item).format(self._document)
        return reference


def _named(name: str, tooltip: str) -> bytes:
    return b"/T %s /TU %s" % (_string(name), _string(tooltip or name))


def _escape(text: str) -> bytes:
    raw = text.encode("cp1252")
    return raw.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _string(text: str) -> bytes:
    """As ASCII where it can be, else UTF-16 in hex, which every reader decodes alike."""
    if text.isascii() and "\n" not in text:
        return b"(%s)" % _escape(text)
    return b"<%s>" % (b"\xfe\xff" + text.encode("utf-16-be")).hex().upper().encode()


def _name(text: str) -> bytes:
    shown = (
        b"%c" % byte if chr(byte).isalnum() and byte < 128 else b"#%02X" % byte for byte in text.encode()
    )
    return b"/" + b"".join(shown)
