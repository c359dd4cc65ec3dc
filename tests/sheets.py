"""Papers for tests of what is attached: PDFs and pictures, sound and unsound."""

from __future__ import annotations

from io import BytesIO

from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from tools.papers.paper import canvas


def pdf(*texts: str, size: tuple[float, float] = (612, 792)) -> bytes:
    """One page a text."""
    buffer = BytesIO()
    pen = canvas(buffer, "")
    pen.setPageSize(size)
    for text in texts:
        pen.drawString(100, 200, text)
        pen.showPage()
    pen.save()
    return buffer.getvalue()


def written(writer: PdfWriter) -> bytes:
    buffer = BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def of(content: bytes) -> PdfWriter:
    return PdfWriter(clone_from=BytesIO(content))


def encrypted() -> bytes:
    writer = of(pdf("secret"))
    writer.encrypt("password")
    return written(writer)


def with_script() -> bytes:
    return _opening_with("/JavaScript", "/JS", "app.alert('hello');")


def with_file() -> bytes:
    writer = of(pdf("a page"))
    writer.add_attachment("more.txt", b"more")
    return written(writer)


def with_launch() -> bytes:
    return _opening_with("/Launch", "/F", "program")


def _opening_with(kind: str, key: str, value: str) -> bytes:
    writer = of(pdf("a page"))
    action = DictionaryObject({NameObject("/S"): NameObject(kind), NameObject(key): TextStringObject(value)})
    writer.root_object[NameObject("/OpenAction")] = action
    return written(writer)


def answered_form(*, drawn: bool) -> bytes:
    """A form whose one field says "positive airway pressure"."""
    buffer = BytesIO()
    pen = canvas(buffer, "")
    pen.acroForm.textfield(
        name="therapy", value="positive airway pressure", x=100, y=300, width=300, height=20
    )
    pen.showPage()
    pen.save()
    writer = of(buffer.getvalue())
    if not drawn:
        for mark in writer.pages[0]["/Annots"]:  # type: ignore[attr-defined]
            del mark.get_object()["/AP"]
    return written(writer)


def picture(kind: str, frames: int = 1, size: tuple[int, int] = (850, 1100)) -> bytes:
    buffer = BytesIO()
    images = [Image.new("L", size, 255 - number) for number in range(frames)]
    images[0].save(buffer, kind, **({"save_all": True, "append_images": images[1:]} if frames > 1 else {}))
    return buffer.getvalue()
