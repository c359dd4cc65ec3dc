"""Files that people attach: what may be one, how many pages it has, and its pages as they are printed.

A file is judged by its content, never by its name. What could act when somebody opens it is refused, and so is
whatever cannot be read to its end: a payer's desk would see a blank page, or a warning in its place.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from io import BytesIO
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from tools.common.errors import Invalid
from tools.papers.paper import pdf_of

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader

# It tells of every oddity, and we of the one that matters.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)
MOST_BYTES = 20 * 2**20
MOST_PAGES = 100
MOST_PIXELS = 60_000_000  # of one picture: a page at 600 dpi has 34 million
PDF = "application/pdf"
PICTURES = {"PNG": "image/png", "JPEG": "image/jpeg", "TIFF": "image/tiff"}
SUFFIXES = {PDF: ".pdf", "image/png": ".png", "image/jpeg": ".jpg", "image/tiff": ".tif"}
_HIDDEN = 2  # the flag of what is neither shown nor printed
# What a PDF does by itself, or carries along: scripts, programs, forms that send, films, further files.
_ACTIVE = {
    "/JS": "a script",
    "/AA": "actions that start by themselves",
    "/XFA": "a form that is a program",
    "/EmbeddedFiles": "further files",
    "/EF": "further files",
    "/RichMedia": "films or sounds",
}
_ACTIONS = {
    "/JavaScript": "a script",
    "/Launch": "a program that it starts",
    "/SubmitForm": "a form that sends itself",
    "/ImportData": "data that it fetches",
    "/GoToE": "further files",
    "/Rendition": "films or sounds",
}


class Upload(NamedTuple):
    """A file that may be attached."""

    media_type: str
    pages: int
    sha256: str


def inspect(content: bytes, name: str) -> Upload:
    """What a file is, by its content.

    Args:
        name: how the person calls it, for the refusal.

    Raises:
        Invalid: why it cannot be attached, in one line.
    """
    if not content:
        raise Invalid(f"{name} is empty")
    if len(content) > MOST_BYTES:
        tenths = -(-len(content) * 10 // 2**20)  # rounded up
        raise Invalid(f"{name} has {tenths / 10} MB; at most {MOST_BYTES // 2**20} MB can be attached")
    is_pdf = b"%PDF-" in content[:1024]
    kind, pages = (PDF, _pdf_pages(content, name)) if is_pdf else _picture(content, name)
    if pages > MOST_PAGES:
        raise Invalid(f"{name} has {pages} pages; at most {MOST_PAGES} can be attached")
    return Upload(kind, pages, sha256(content).hexdigest())


def printed_pages(content: bytes, media_type: str) -> Iterator[PageObject]:
    """The pages of a file that was accepted, upright."""
    from pypdf import PdfWriter

    pdf = content if media_type == PDF else _as_pdf(content)
    for page in PdfWriter(clone_from=BytesIO(pdf)).pages:
        _flatten(page)
        page.transfer_rotation_to_content()
        yield page


# --- PDF -------------------------------------------------------------------------------------------------


def _pdf_pages(content: bytes, name: str) -> int:
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(BytesIO(content), strict=False)
        if reader.is_encrypted:
            raise Invalid(f"{name} is encrypted; save it without a password and attach that")
        acts = _active(reader)
        if acts:
            raise Invalid(f"{name} holds {acts}; print it to a new PDF and attach that")
        for page in reader.pages:
            page.get_contents()
            if not (page.cropbox.width and page.cropbox.height):
                raise Invalid(f"{name} has a page without a size")
            if any(_is_unprinted(mark) for mark in _marks(page)):
                raise Invalid(f"{name} is a form whose answers only show on a screen; print it to a new PDF")
        pages = len(reader.pages)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError) as error:
        raise Invalid(
            f"{name} is a PDF that cannot be read ({type(error).__name__}); make it anew and attach that"
        ) from error
    if not pages:
        raise Invalid(f"{name} is a PDF without pages")
    return pages


def _active(reader: PdfReader) -> str:
    """What in it would act; "" if nothing does."""
    alone = {number for generation in reader.xref.values() for number in generation}
    objects = map(
        reader.get_object, sorted(alone | set(reader.xref_objStm))
    )  # alone, or in a stream of objects
    return next(filter(None, map(_acts, chain.from_iterable(map(_dictionaries, objects)))), "")


def _acts(item: Any) -> str:
    by_key = next((said for key, said in _ACTIVE.items() if key in item), "")
    return by_key or _ACTIONS.get(str(item.get("/S", "")), "")


def _dictionaries(item: Any) -> Iterator[Any]:
    """The dictionaries in one object, those of its parts too; what it refers to has a number of its own."""
    parts = item if isinstance(item, list) else []
    if isinstance(item, dict):
        yield item
        parts = [value for key, value in item.items() if key != "/Parent"]
    yield from chain.from_iterable(map(_dictionaries, parts))


def _marks(page: PageObject) -> list[Any]:
    """What lies on the page beside its content: the fields of a form, stamps, notes."""
    listed = page.get("/Annots")
    return [mark.get_object() for mark in listed.get_object()] if listed is not None else []


def _appearance(mark: Any) -> Any:
    """How it is printed; None if it is not."""
    shown = mark["/AP"].get_object().get("/N") if "/AP" in mark else None
    shown = shown.get_object() if shown is not None else None
    if shown is not None and not hasattr(shown, "get_data"):  # one for each state of a box
        state = shown.get(mark.get("/AS", "/Off"))
        shown = state.get_object() if state is not None else None
    return shown if hasattr(shown, "get_data") else None


def _is_unprinted(mark: Any) -> bool:
    """A field that was filled in, without the drawing of its value."""
    is_field = mark.get("/Subtype") == "/Widget" and mark.get("/FT") in ("/Tx", "/Ch")
    return is_field and bool(mark.get("/V")) and _appearance(mark) is None


def _flatten(page: PageObject) -> None:
    """Draw what lies on the page into its content; it is lost otherwise where the page is set into another."""
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

    drawn = []
    resources = page.setdefault(NameObject("/Resources"), DictionaryObject()).get_object()
    forms = resources.setdefault(NameObject("/XObject"), DictionaryObject()).get_object()
    for number, mark in enumerate(_marks(page)):
        shown = _appearance(mark)
        if shown is None or int(mark.get("/F", 0)) & _HIDDEN or "/Rect" not in mark:
            continue
        x0, y0, x1, y1 = map(float, mark["/Rect"])
        bx0, by0, bx1, by1 = map(float, shown.get("/BBox", (0, 0, x1 - x0, y1 - y0)))
        if bx1 == bx0 or by1 == by0:
            continue
        across, up = (x1 - x0) / (bx1 - bx0), (y1 - y0) / (by1 - by0)
        name = f"/Mark{number}"
        shown[NameObject("/Type")] = NameObject("/XObject")
        shown[NameObject("/Subtype")] = NameObject("/Form")
        forms[NameObject(name)] = shown.indirect_reference or shown
        drawn.append(f"q {across:g} 0 0 {up:g} {x0 - bx0 * across:g} {y0 - by0 * up:g} cm {name} Do Q")
    if drawn:
        content = page.get_contents()
        merged = DecodedStreamObject()
        merged.set_data(
            b"q\n%s\nQ\n%s" % (content.get_data() if content is not None else b"", "\n".join(drawn).encode())
        )
        page[NameObject("/Contents")] = merged
    # Drawn now, and not to be shown a second time where the page is set.
    page.pop(NameObject("/Annots"), None)


# --- pictures --------------------------------------------------------------------------------------------


def _picture(content: bytes, name: str) -> tuple[str, int]:
    """What kind of picture it is, and how many pages it has, each read to its end unless they are too many."""
    with _opened(content, name) as picture:
        count, kind = int(getattr(picture, "n_frames", 1)), PICTURES[str(picture.format)]
        for number in range(count if count <= MOST_PAGES else 0):
            try:
                picture.seek(number)
                _within(picture, name)
                picture.load()
            except (OSError, SyntaxError, ValueError, EOFError) as error:
                raise Invalid(f"{name} is a picture that cannot be read to its end") from error
        return kind, count


def _opened(content: bytes, name: str) -> Any:
    from PIL import Image, UnidentifiedImageError

    try:
        picture = Image.open(BytesIO(content), formats=list(PICTURES))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise Invalid(f"{name} is no PDF, TIFF, PNG or JPEG that can be read") from error
    _within(picture, name)
    return picture


def _within(picture: Any, name: str) -> None:
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise Invalid(f"{name} has {width} × {height} points, which is more than a page; scan it at 300 dpi")


def _as_pdf(content: bytes) -> bytes:
    """A picture's pages, each as wide or as high as the sheet lets it be."""
    from PIL import Image
    from reportlab.lib.utils import ImageReader

    def draw(number: int, pen: Any) -> None:
        picture.seek(number)
        shown = picture.convert("L" if picture.mode in ("1", "L", "I;16") else "RGB")
        scale = min(612 / shown.width, 792 / shown.height)
        width, height = shown.width * scale, shown.height * scale
        pen.drawImage(ImageReader(shown), (612 - width) / 2, (792 - height) / 2, width, height)

    with Image.open(BytesIO(content), formats=list(PICTURES)) as picture:
        return pdf_of(partial(draw, number) for number in range(int(getattr(picture, "n_frames", 1))))
