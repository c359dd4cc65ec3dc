"""Binds papers that Paladin wrote into one PDF: pages in their order, bookmarks, and each form's fields under a name of
its own.

For papers of ours alone. They are plain PDF 1.4 (one object after the other, one table of them at the end, no object
streams), so binding them is renumbering; a general PDF library takes each of a form's hundreds of objects apart and
puts it together again, which costs three times as much as drafting the case (measured with pypdf). A test reads what
is bound with pypdf, and finds the same pages, fields and values as in the papers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

from tools.common.errors import Invalid

# A literal string, in which parentheses are escaped, a hexadecimal one, or a reference to an object.
_REFERENCE = re.compile(rb"\((?:[^\\()]|\\.)*\)|<[0-9A-Fa-f\s]*>|\b(\d+) 0 R\b", re.DOTALL)
_REFERENCES = re.compile(rb"(\d+) 0 R\b")
_ROOT = re.compile(rb"/Root (\d+) 0 R")
_STREAM = b"\nstream\n"


class BoundSection(NamedTuple):
    """Papers that belong together, first page first, and their bookmark."""

    title: str
    papers: Sequence[bytes]


class _Paper:
    """A paper's objects by number, without those that hold it together."""

    def __init__(self, pdf: bytes) -> None:
        start = int(pdf[pdf.rindex(b"startxref") + 9 :].split(maxsplit=1)[0])
        if pdf[start : start + 4] != b"xref":
            raise Invalid("this PDF is none that Paladin wrote: it has no table of objects")
        table, _, trailer = pdf[start:].partition(b"trailer")
        rows = table.split(b"\n")[2:]
        offsets = {number: int(row[:10]) for number, row in enumerate(rows) if row[17:18] == b"n"}
        ends = dict(zip(sorted(offsets.values()), [*sorted(offsets.values())[1:], start], strict=True))
        self.objects = {number: _body(pdf[at : ends[at]]) for number, at in offsets.items()}
        self.size = len(rows)
        catalog = self.objects.pop(_number(_ROOT, trailer))
        tree = _number(re.compile(rb"/Pages (\d+) 0 R"), catalog)
        self.pages = _kids(self.objects.pop(tree), b"/Kids")
        form = re.search(rb"/AcroForm (\d+) 0 R", catalog)
        self.form = self.objects.pop(int(form[1])) if form else b""
        self.fields = _kids(self.form, b"/Fields") if form else []


class _Book:
    """What is bound so far."""

    def __init__(self) -> None:
        self.objects: list[bytes] = [b""] * 3  # the catalog, the page tree and the bookmarks come at the end
        self.pages: list[int] = []
        self.fields: list[int] = []
        self.resources = b""
        self.marks: list[tuple[str, int]] = []

    def add(self, paper: _Paper, name: str) -> None:
        shift = len(self.objects)
        group = shift + paper.size if paper.fields else 0  # the field above this paper's fields
        made = [b"null"] * paper.size
        for number, body in paper.objects.items():
            made[number] = _shifted(body, shift)
        for page in paper.pages:
            made[page] = re.sub(rb"/Parent \d+ 0 R", b"/Parent 2 0 R", made[page], count=1)
            self.pages.append(shift + page + 1)
        for field in paper.fields:
            made[field] = made[field].replace(b"<<", b"<< /Parent %d 0 R" % (group + 1), 1)
        self.objects += made
        if paper.fields:
            kids = b" ".join(b"%d 0 R" % (shift + field + 1) for field in paper.fields)
            self.objects.append(b"<< /T %s /Kids [%s] >>" % (_text(name), kids))
            self.fields.append(group + 1)
            self.resources = self.resources or _shifted(paper.form.partition(b"/DA")[2], shift)

    def mark(self, title: str) -> None:
        """A bookmark to the page that comes next."""
        self.marks.append((title, len(self.pages)))

    def bytes(self, title: str) -> bytes:
        kids = b" ".join(b"%d 0 R" % page for page in self.pages)
        self.objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(self.pages), kids)
        first = len(self.objects) + 1
        for at, (said, page) in enumerate(self.marks):
            around = b" /Prev %d 0 R" % (first + at - 1) if at else b""
            around += b" /Next %d 0 R" % (first + at + 1) if at + 1 < len(self.marks) else b""
            self.objects.append(
                b"<< /Title %s /Parent 3 0 R /Dest [%d 0 R /Fit]%s >>"
                % (_text(said), self.pages[page], around)
            )
        last, many = len(self.objects), len(self.marks)
        self.objects[2] = b"<< /Type /Outlines /First %d 0 R /Last %d 0 R /Count %d >>" % (first, last, many)
        form = b""
        if self.fields:
            fields = b" ".join(b"%d 0 R" % field for field in self.fields)
            form = b" /AcroForm << /Fields [%s] /DA%s" % (fields, self.resources)
        self.objects[0] = b"<< /Type /Catalog /Pages 2 0 R /Outlines 3 0 R /PageMode /UseOutlines%s >>" % form
        self.objects.append(b"<< /Title %s /Producer (Paladin) >>" % _text(title))
        return _file(self.objects)


def bind(title: str, groups: Iterable[BoundSection]) -> bytes:
    """One PDF of all groups; the fields of the first group's form are `case1.…`, and so on."""
    book = _Book()
    for number, group in enumerate(groups):
        book.mark(group.title)
        for at, pdf in enumerate(group.papers):
            book.add(_Paper(pdf), f"case{number}" if at == 0 else f"case{number}_{at}")
    return book.bytes(title)


def pages_of(pdf: bytes) -> int:
    """How many pages a paper of ours has."""
    return len(_Paper(pdf).pages)


def _file(objects: Sequence[bytes]) -> bytes:
    """The objects, numbered from 1, as a file; the last one is what the file says of itself."""
    parts, offsets, at = [b"%PDF-1.4\n%\x93\x8c\x8b\x9e\n"], [], 15
    for number, body in enumerate(objects, 1):
        offsets.append(at)
        part = b"%d 0 obj\n%s\nendobj\n" % (number, body)
        parts.append(part)
        at += len(part)
    rows = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    digest = sha256(b"".join(parts)).hexdigest()[:32].encode()
    many = len(objects)
    parts.append(b"xref\n0 %d\n0000000000 65535 f \n%s" % (many + 1, rows))
    parts.append(
        b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R /ID [<%s> <%s>] >>\n"
        % (many + 1, many, digest, digest)
    )
    parts.append(b"startxref\n%d\n%%%%EOF\n" % at)
    return b"".join(parts)


def _body(item: bytes) -> bytes:
    """What stands between `obj` and `endobj`."""
    return item[item.index(b"obj") + 3 : item.rindex(b"endobj")].strip(b"\r\n")


def _shifted(body: bytes, shift: int) -> bytes:
    """The object with its references moved; what stands in strings and streams is left alone."""
    head, mark, stream = body.partition(_STREAM)

    def moved(found: re.Match[bytes]) -> bytes:
        return b"%d 0 R" % (int(found[1]) + shift + 1) if found[1] else found[0]

    return _REFERENCE.sub(moved, head) + mark + stream


def _kids(body: bytes, name: bytes) -> list[int]:
    """The numbers in one list of references."""
    held = body[body.index(name) :]
    return [int(number) for number in _REFERENCES.findall(held[: held.index(b"]")])]


def _number(pattern: re.Pattern[bytes], text: bytes) -> int:
    found = pattern.search(text)
    if found is None:
        raise Invalid("this PDF is none that Paladin wrote: it has no root")
    return int(found[1])


def _text(text: str) -> bytes:
    return b"<%s>" % (b"\xfe\xff" + text.encode("utf-16-be")).hex().upper().encode()
