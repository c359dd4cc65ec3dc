"""Notes and documents with their status, and what a payer answered.

Text makes a note; what is only a file or a link is a document that nobody has read. Signed is what says that it is:
a document without a status is unsigned.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Literal, NamedTuple

import msgspec

from tools.common.printable import printable
from tools.domain.records import Document, Note
from tools.fhir.context import Reading
from tools.fhir.elements import Element
from tools.fhir.report import Entry, Ignored, refuse
from tools.terminology.vocabulary import term_of_code

Status = Literal["signed", "unsigned", "draft", "amended"]
PAYER_RESPONSE = "payer response"
STATUS: dict[str, Status] = {
    "final": "signed",
    **dict.fromkeys(("amended", "corrected", "appended"), "amended"),
    **dict.fromkeys(("preliminary", "partial", "registered"), "draft"),
}
_VOID = ("entered-in-error", "superseded", "cancelled", "deprecated")
_BREAKS = {"p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4", "table", "ul", "ol"}
_UNSEEN = ("script", "style")
_EMPTY = "its content is empty"
_LONGEST = 2 * 2**20  # characters of one note


class _Content(NamedTuple):
    """What is inside an attachment: its text, or only its hash; `lack` says why there is no text."""

    text: str
    sha256: str = ""
    lack: str = ""


def document(entry: Entry, at: Reading) -> Iterator[Note | Document]:
    """A note, if its text is there; else the document that it is."""
    said = entry.element
    refuse(_VOID, said.text("status"), said.text("docStatus"))
    kind, context = said.concept("type"), said.one("context")
    status = STATUS.get(said.text("docStatus"), "unsigned")
    if status == "unsigned" and at.name_of(said.reference("authenticator")):
        status = "signed"
    attachments = [one.one("attachment") for one in said.many("content")]
    contents = [_content(attachment) for attachment in attachments]
    specialty = context.concept("practiceSetting").name.lower() or _specialty(said, at)
    on = said.day("date") or context.period("period").start
    if text := next((content.text for content in contents if content.text.strip()), ""):
        if status == "unsigned":
            entry.partly("nothing says that it is signed")
        author, of = at.first_name(said.references("author")), kind.name or "progress note"
        id = at.id(entry, Note)
        yield Note(id=id, date=on, author=author, type=of, text=text, status=status, specialty=specialty)
        return
    lack = next((content.lack for content in contents), "no content")
    entry.partly(f"kept as a document that nobody has read: {lack}")
    terms = (term_of_code("document_kinds", code) for code in kind.codes)  # what of a payer's list it can be
    evidence = next((one.of for one in terms if one and one.of in ("note", "lab", "study")), "")
    here = any(content.sha256 and content.lack != _EMPTY for content in contents)
    titles = (*(attachment.text("title") for attachment in attachments), said.text("description"), kind.name)
    yield Document(
        id=at.id(entry, Document),
        title=next(filter(None, titles), "document"),
        of=evidence if here and status in ("signed", "amended") else "",
        date=on,
        sha256=next((content.sha256 for content in contents if content.sha256), ""),
        status=status if here else "unsigned",
        specialty=specialty,
    )


def composition(entry: Entry, at: Reading) -> Iterator[Note]:
    """A clinical document, as one note of its sections."""
    said = entry.element
    refuse(_VOID, said.text("status"))
    text = "\n\n".join(filter(None, [_plain(said.one("text").prose("div")), *_sections(said)]))
    if not text:
        raise Ignored("a composition without text; its entries stand for themselves")
    yield Note(
        id=at.id(entry, Note),
        date=said.day("date"),
        author=at.first_name(said.references("author")),
        type=said.concept("type").name or said.text("title") or "document",
        text=text[:_LONGEST],
        status=STATUS.get(said.text("status"), "unsigned"),
        specialty=_specialty(said, at),
    )


def diagnostic_report(entry: Entry, at: Reading) -> Iterator[Note]:
    """The text of a report; its values are observations of their own."""
    said = entry.element
    refuse(_VOID, said.text("status"))
    texts = [content.text for form in said.many("presentedForm") if (content := _content(form)).text.strip()]
    if not texts:
        raise Ignored("not needed")
    for place, text in enumerate(dict.fromkeys(texts)):
        yield Note(
            id=at.id(entry, Note, place),
            date=said.day("effectiveDateTime") or said.period("effectivePeriod").start,
            author=at.first_name(said.references("performer")),
            type=said.concept("code").name or "report",
            text=text,
            status=STATUS.get(said.text("status"), "unsigned"),
        )


# --- what a payer answered -------------------------------------------------------------------------------


def payer_response(entry: Entry, at: Reading) -> Iterator[Document]:
    """A ClaimResponse, CommunicationRequest or Task, kept for a person to read: FHIR's own elements do not say
    which request of ours it answers, and whether something is approved stands in extensions."""
    said = entry.element
    refuse(_VOID, said.text("status"))
    if entry.type == "Task" and not said.one("code") and not said.text("description"):
        raise Ignored("a task that does not say what is to be done")
    payer = at.first_name(said.reference(name) for name in ("insurer", "sender", "requester"))
    words = "; ".join(dict.fromkeys(filter(None, _answer(said)))) or "says nothing in words"
    days = (said.day(name) for name in ("created", "authoredOn", "occurrenceDateTime"))
    entry.partly("kept as the payer's answer, for a person to read and to enter in the case")
    yield Document(
        id=at.id(entry, Document),
        title=f"{entry.type}{f' of {payer}' if payer else ''}: {words}"[:500],
        of=PAYER_RESPONSE,
        status="",
        date=next(filter(None, days), None),
        sha256=hashlib.sha256(msgspec.json.encode(said.raw, order="sorted")).hexdigest(),
    )


def _answer(said: Element) -> Iterator[str]:
    """What it says in FHIR's own words."""
    yield from (said.text("use"), said.text("outcome"), said.text("disposition"), said.text("description"))
    period = said.period("preAuthPeriod")
    if said.text("preAuthRef"):
        yield f"authorization {said.text('preAuthRef')}"
    if period.start or period.end:
        yield f"{period.start or '…'} to {period.end or '…'}"
    for concept in (said.concept("code"), said.concept("statusReason"), said.concept("businessStatus")):
        yield concept.name
    for note in (*said.many("processNote"), *said.many("note")):
        yield note.text("text")
    for item in (*said.many("item"), *said.many("addItem")):
        yield item.concept("productOrService").name
        for part in item.many("adjudication"):
            yield f"{part.concept('category').name} {part.concept('reason').name}".strip()
    for part in (*said.many("payload"), *said.many("error")):
        yield part.text("contentString") or part.concept("code").name
    for part in said.many("input"):
        yield f"{part.concept('type').name} {part.text('valueString')}".strip()


# --- content ---------------------------------------------------------------------------------------------


def _content(attachment: Element) -> _Content:
    data, kind = attachment.text("data"), attachment.text("contentType").lower()
    if not data:
        url = attachment.text("url")
        return _Content("", lack=f"only a link ({url[:80]})" if url else _EMPTY)
    try:
        body = base64.b64decode("".join(data.split()), validate=True)
    except binascii.Error:
        return _Content("", lack="its content is not base64")
    sha256 = hashlib.sha256(body).hexdigest()
    if not kind.startswith(("text/plain", "text/html", "application/xhtml")):
        return _Content("", sha256, f"{kind or 'of no stated type'}, not text")
    charset = kind.partition("charset=")[2].strip('"; ') or "utf-8"
    try:
        text = body.decode(charset)
    except (LookupError, UnicodeDecodeError):
        return _Content("", sha256, f"its text is not {charset[:20]}")
    shown = printable(text) if kind.startswith("text/plain") else _plain(text)
    return _Content(shown[:_LONGEST], sha256, "" if shown.strip() else _EMPTY)


def _specialty(said: Element, at: Reading) -> str:
    for author in said.references("author"):
        found = at.record.find(author, "PractitionerRole", "Practitioner")
        role = at.record.role_of(found) if found is not None and found.type == "Practitioner" else found
        if role is not None:
            return next((c.name.lower() for c in role.element.concepts("specialty") if c.name), "")
    return ""


def _sections(said: Element) -> Iterator[str]:
    for section in said.many("section"):
        if body := _plain(section.one("text").prose("div")):
            yield "\n".join(filter(None, (section.text("title"), body)))
        yield from _sections(section)


class _Words(HTMLParser):
    """The words of a page, a line for each block."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._unseen += tag in _UNSEEN
        if tag in _BREAKS:
            self.parts.append("\n")
        elif tag in ("td", "th"):
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in _UNSEEN

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(data)


def _plain(html: str) -> str:
    words = _Words()
    words.feed(html[: 4 * _LONGEST])
    lines = (" ".join(line.split()) for line in printable("".join(words.parts)).splitlines())
    return "\n".join(line for line in lines if line)
