"""A stranger's form, read: each place to write on, the words that belong to it, and what of a request goes there.

Geometry says which words belong to a place: those before it on its line, above it in its cell, at the head of its
column, or behind a tick box; and the heading under which it stands. What goes there is found by holding these words
against `field_names.yaml`, with the embedding model that policies are searched with.
"""

from __future__ import annotations

import ctypes
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np
import pypdfium2
import yaml
from rapidfuzz import fuzz

from tools.domain.records import Blank
from tools.papers.form_sources import COLUMNS
from tools.papers.payer_form import Box, Widget, opened, widgets
from tools.store.embedding import bundled

if TYPE_CHECKING:
    from numpy.typing import NDArray

HAND = "prescriber.completes"
FAR = 0.12  # between the score of a value that is there already and that of the next likely one
SURE, LIKELY = 0.72, 0.56  # from which a proposal is made without a question, or is made at all
NEAR, ABOVE = 60.0, 16.0  # points to a label before, and above, its place
READ_ONLY, PUSH_BUTTON, REQUIRED = 1, 1 << 16, 1 << 1
WRITING = 13.0  # points over a rule that are written on
Drawn = tuple[int, Box]  # a page from 1, with a line or a rectangle on it
_WORDS = re.compile(r"[^\W_]+")
_PARTS = re.compile(r"[(),;:/]| or ")
_HUMPS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


class Phrase(NamedTuple):
    """Words that were printed in one go."""

    text: str
    page: int
    box: Box
    bold: bool

    @property
    def middle(self) -> float:
        return (self.box[1] + self.box[3]) / 2


class Spot(NamedTuple):
    """A place to write on, or a box to mark, with the words that belong to it."""

    page: int
    box: Box
    field: str = ""  # the PDF's name for it; "" on flat paper
    kind: str = "text"  # text, choice, tick, radio
    states: tuple[str, ...] = ()
    label: str = ""
    lead: str = ""  # the question whose answer a tick box is
    heading: str = ""
    row: int = 0
    required: bool = False
    tooltip: str = ""
    read_as: str = ""  # the label with what stands before it, where alone it says too little

    @property
    def words(self) -> str:
        return self.tooltip or self.label

    @property
    def is_mark(self) -> bool:
        """Is it a box to mark?"""
        return self.kind in ("tick", "radio")

    @property
    def place(self) -> tuple[float, ...]:
        """As a mapping has it: the page, and the box in points."""
        return (float(self.page), *(round(side, 1) for side in self.box))


class Proposal(NamedTuple):
    """A blank, how likely it is right (0 to 1), and what else it might be."""

    blank: Blank
    sure: float
    others: tuple[str, ...] = ()


# --- reading the paper -----------------------------------------------------------------------------------


def read(content: bytes, name: str) -> list[Spot]:
    """The places of a form, page by page from the top; a file without fields is read as flat paper.

    Raises:
        Invalid: the file cannot be filled, with why.
    """
    found = [w for w in widgets(opened(content, name)) if not w.flags & READ_ONLY and w.kind != "signature"]
    shown = [w for w in found if not (w.kind == "tick" and w.flags & PUSH_BUTTON)]
    phrases, drawn = _printed(content)
    places = [_of_widget(widget) for widget in shown] or list(_of_flat(phrases, drawn))
    return _labelled(places, phrases)


def _of_widget(widget: Widget) -> Spot:
    tooltip = widget.tooltip if widget.tooltip != widget.name else ""
    return Spot(
        widget.page, widget.box, widget.name, widget.kind, widget.states,
        required=bool(widget.flags & REQUIRED), tooltip=tooltip,
    )  # fmt: skip


def _printed(content: bytes) -> tuple[list[Phrase], list[Drawn]]:
    """What stands on the pages: words with their places, and lines and rectangles."""
    phrases: list[Phrase] = []
    drawn: list[Drawn] = []
    with pypdfium2.PdfDocument(content) as document:
        for number, page in enumerate(document, 1):
            text = page.get_textpage()
            for at in range(text.count_rects()):
                left, bottom, right, top = text.get_rect(at)
                said = " ".join(text.get_text_bounded(left, bottom, right, top).split())
                if said:
                    phrases.append(
                        Phrase(said, number, (left, bottom, right, top), _is_bold(text, left, bottom, top))
                    )
            for item in page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_PATH]):
                drawn.append((number, tuple(item.get_bounds())))
    return phrases, drawn


def _is_bold(text: Any, left: float, bottom: float, top: float) -> bool:
    at = pypdfium2.raw.FPDFText_GetCharIndexAtPos(text.raw, left + 1, (bottom + top) / 2, 4, 4)
    if at < 0:
        return False
    buffer, flags = ctypes.create_string_buffer(128), ctypes.c_int()
    pypdfium2.raw.FPDFText_GetFontInfo(text.raw, at, buffer, 128, flags)
    return b"bold" in buffer.value.lower()


# --- flat paper ------------------------------------------------------------------------------------------


def _of_flat(phrases: Sequence[Phrase], drawn: Sequence[Drawn]) -> Iterator[Spot]:
    """Rules and boxes that are left to be written on, and small squares to be marked."""
    for page, box in dict.fromkeys(drawn):
        left, bottom, right, top = box
        width, height = right - left, top - bottom
        inside = [p for p in phrases if p.page == page and _overlap(p.box, box) > 0.5]
        if 5 <= width <= 15 and 5 <= height <= 15:
            yield Spot(page, box, kind="tick")
        elif height < 3 and width > 30 and not _is_edge(page, box, drawn):
            yield Spot(page, (left, bottom + 1, right, bottom + 1 + WRITING))
        elif height > 2 * WRITING and width > 60 and not inside:
            yield Spot(page, (left + 1, bottom + 1, right - 1, top - 1))


def _is_edge(page: int, line: Box, drawn: Sequence[Drawn]) -> bool:
    """Does the line belong to a box, or underline a heading right across the page?"""
    return line[2] - line[0] > 500 or any(
        on == page
        and box != line
        and box[3] - box[1] > 3
        and _overlap(line, (box[0] - 1, box[1] - 1, box[2] + 1, box[3] + 1)) > 0.9
        for on, box in drawn
    )


def _overlap(one: Box, other: Box) -> float:
    """The share of the first box that lies in the second."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    area = max((one[2] - one[0]) * (one[3] - one[1]), 0.01)
    return max(width, 0.0) * max(height, 0.0) / area


# --- which words belong to which place -------------------------------------------------------------------


def _labelled(places: Sequence[Spot], phrases: Sequence[Phrase]) -> list[Spot]:
    """In reading order, each with its words; the column of a table hands its head down from row to row."""
    found: list[Spot] = []
    for spot in sorted(places, key=lambda s: (s.page, -round(s.box[3]), s.box[0])):
        here = [p for p in phrases if p.page == spot.page]
        headings = [p for p in here if _is_heading(p, here, places)]
        over = [p for p in headings if p.box[1] > spot.box[3] - 2]
        heading = min(over, key=lambda p: p.box[1]).text if over else ""
        rest = [p for p in here if p not in headings]
        found.append(_with_words(spot, rest, heading, found, places))
    return found


def _with_words(
    spot: Spot, phrases: Sequence[Phrase], heading: str, before: Sequence[Spot], places: Sequence[Spot]
) -> Spot:
    if spot.is_mark:
        boxes = [o.box[0] for o in places if o.is_mark and _level(o, spot)]
        behind, lead = _behind(spot, phrases, boxes), _lead(spot, phrases, boxes)
        return spot._replace(label=behind, lead=lead, heading=heading)
    own = _before(spot, phrases, places) or _above(spot, phrases)
    column = _column(spot, before)
    if column and not own:
        return spot._replace(label=column.label, heading=heading, row=column.row + 1)
    required = spot.required or "*" in own
    label = own.strip(" *:_")
    beside = next((o for o in reversed(before) if o.kind == "text" and _level(o, spot)), None)
    vague = beside is not None and label.casefold() in _names().vague
    read_as = f"{beside.label} {label}" if beside and vague else ""
    lead = (beside.label if _party(beside.label) else beside.lead) if beside and not _party(heading) else ""
    return spot._replace(label=label, read_as=read_as, lead=lead, heading=heading, required=required)


def _before(spot: Spot, phrases: Sequence[Phrase], places: Sequence[Spot]) -> str:
    """The words to the left on its line, with no other place between."""
    left = spot.box[0]
    row = [p for p in phrases if _same_row(p, spot) and p.box[2] <= left + 3 and left - p.box[2] < NEAR]
    nearest = max(row, key=lambda p: p.box[2], default=None)
    if nearest is None:
        return ""
    between = any(
        o.page == spot.page and o is not spot and nearest.box[2] - 3 <= o.box[0] and o.box[2] <= left + 3
        and o.box[1] < spot.box[3] and o.box[3] > spot.box[1]
        for o in places
    )  # fmt: skip
    return "" if between else nearest.text


def _above(spot: Spot, phrases: Sequence[Phrase]) -> str:
    """The words over it: inside its cell, or above it where they begin with it."""
    left, _, right, top = spot.box
    over = [
        p for p in phrases
        if -4 <= p.box[1] - top < ABOVE and p.box[0] < right - 4 and p.box[0] >= left - 10
    ]  # fmt: skip
    nearest = min(over, key=lambda p: (round(p.box[1] - top), abs(p.box[0] - left)), default=None)
    return nearest.text if nearest else ""


def _column(spot: Spot, before: Sequence[Spot]) -> Spot | None:
    """The place right above it that is as wide as it: the row before, in a table."""
    columns = (o for o in reversed(before) if o.page == spot.page and o.kind == "text" and o.label)
    as_wide = (o for o in columns if max(abs(o.box[0] - spot.box[0]), abs(o.box[2] - spot.box[2])) < 3)
    return next((o for o in as_wide if -2 <= o.box[1] - spot.box[3] < 8), None)


def _behind(spot: Spot, phrases: Sequence[Phrase], boxes: Sequence[float]) -> str:
    """The words behind a box to mark, up to the next one; `boxes` are the left edges of those of its row."""
    right = spot.box[2]
    end = min([right + NEAR, *(left for left in boxes if left > right)])
    row = [p for p in phrases if _same_row(p, spot) and right - 3 <= p.box[0] < end]
    return min(row, key=lambda p: p.box[0]).text if row else ""


def _lead(spot: Spot, phrases: Sequence[Phrase], boxes: Sequence[float]) -> str:
    """The question before the first box of its row."""
    first = min([*boxes, spot.box[0]])
    row = [p for p in phrases if _same_row(p, spot) and p.box[2] <= first + 3]
    return max(row, key=lambda p: p.box[2]).text.strip(" :*") if row else ""


def _level(one: Spot, other: Spot) -> bool:
    """Do they stand on one line of a page?"""
    return one.page == other.page and abs(one.box[1] - other.box[1]) < 4


def _same_row(phrase: Phrase, spot: Spot) -> bool:
    return spot.box[1] - 2 <= phrase.middle <= max(spot.box[3], spot.box[1] + 12) + 2 and (
        spot.box[3] - spot.box[1] < 3 * WRITING
    )


def _is_heading(phrase: Phrase, phrases: Sequence[Phrase], places: Sequence[Spot]) -> bool:
    """Bold or in capitals, alone on its line, and no label of a place beside it."""
    if not (phrase.bold or phrase.text.isupper()) or len(phrase.text) < 4:
        return False
    alone = not any(p is not phrase and abs(p.middle - phrase.middle) < 4 for p in phrases)
    beside = any(s.page == phrase.page and s.kind == "text" and _same_row(phrase, s) for s in places)
    return alone and not beside


# --- what goes where -------------------------------------------------------------------------------------


class _Name(NamedTuple):
    """One way in which a value is called."""

    source: str
    party: str
    text: str


class _Names(NamedTuple):
    """field_names.yaml, which explains its keys."""

    parties: dict[str, tuple[str, ...]]
    fields: tuple[_Name, ...]
    columns: tuple[_Name, ...]
    marks: tuple[_Name, ...]  # their source is "source=value"
    unsaid: frozenset[str]  # words in the PDF's names for fields that say nothing
    vague: frozenset[str]  # labels that say something only together with the one before them


@cache
def _names() -> _Names:
    known = yaml.safe_load(files("tools.papers").joinpath("field_names.yaml").read_text("utf-8"))
    fields = [
        _Name(HAND if source == "hand" else source, entry["party"], str(name))
        for source, entry in known["fields"].items()
        for name in entry["names"]
    ]
    columns = [_Name(source, "", str(name)) for source, names in known["columns"].items() for name in names]
    marks = [
        _Name(f"{source}={value}", "", str(name))
        for source, values in known["marks"].items()
        for value, names in values.items()
        for name in names
    ]
    parties = {party: tuple(words) for party, words in known["parties"].items()}
    unsaid, vague = frozenset(known["unsaid"]), frozenset(known["vague"])
    return _Names(parties, tuple(fields), tuple(columns), tuple(marks), unsaid, vague)


def propose(spots: Sequence[Spot]) -> list[Proposal]:
    """What goes into each place; of two that could hold the same under one heading, the likelier gets it."""
    rows = {(s.page, s.label, s.box[0]) for s in spots if s.row}
    heads = [s._replace(row=s.row + 1) if s.row or _heads(s, rows) else s for s in spots]
    written = [s for s in heads if s.kind == "text"]
    found = [
        *_assigned([s for s in written if not s.row], _names().fields),
        *_tables([s for s in written if s.row]),
        *_marked([s for s in heads if s.is_mark]),
        *_chosen([s for s in heads if s.kind == "choice"]),
    ]
    order = {id(spot): at for at, spot in enumerate(heads)}
    return [made for _, made in sorted(found, key=lambda pair: order[id(pair[0])])]


def _heads(spot: Spot, rows: set[tuple[int, str, float]]) -> bool:
    """Is it the first row of a table, whose label the rows below it share?"""
    return any(
        page == spot.page and label == spot.label and abs(x - spot.box[0]) < 3 for page, label, x in rows
    )


def _assigned(spots: Sequence[Spot], names: Sequence[_Name]) -> Iterator[tuple[Spot, Proposal]]:
    """The likeliest first; each value once under a heading."""
    scores = _scores(spots, names)
    ranked = [_best(row, names) for row in scores]
    taken: set[tuple[str, str, int]] = set()
    for spot, likely in sorted(zip(spots, ranked, strict=True), key=lambda pair: -pair[1][0][1]):
        here = {source for source, heading, page in taken if (heading, page) == (spot.heading, spot.page)}
        free = [(source, score) for source, score in likely if source == HAND or source not in here]
        if not free or free[0][1] < likely[0][1] - FAR:  # asked for twice, rather than something else
            free = likely
        source, score = free[0]
        if score < LIKELY:
            yield spot, Proposal(_blank(spot, HAND), 0.0, tuple(s for s, _ in free[:2]))
            continue
        taken.add((source, spot.heading, spot.page))
        others = tuple(s for s, v in free[1:3] if v > score - 0.08)
        yield spot, Proposal(_blank(spot, source), score, others)


def _tables(spots: Sequence[Spot]) -> Iterator[tuple[Spot, Proposal]]:
    """The cells of a line are of one kind of record: the one whose columns their heads fit best together."""
    names = _names().columns
    ranked = [dict(_best(row, names, len(names))) for row in _scores(spots, names)]
    lines: dict[tuple[int, float], list[int]] = {}
    for at, spot in enumerate(spots):
        lines.setdefault((spot.page, round(spot.box[3])), []).append(at)
    for members in lines.values():
        fits = [
            [
                max(((v, s) for s, v in ranked[at].items() if s in columns), default=(0.0, ""))
                for at in members
            ]
            for columns in COLUMNS.values()
        ]
        best = max(fits, key=lambda fit: sum(score for score, _ in fit))
        for at, (score, source) in zip(members, best, strict=True):
            placed = score >= LIKELY
            yield spots[at], Proposal(_blank(spots[at], source if placed else HAND), score if placed else 0.0)


def _best(row: NDArray[np.float32], names: Sequence[_Name], most: int = 5) -> list[tuple[str, float]]:
    """Sources by their best name's score."""
    best: dict[str, float] = {}
    for name, score in zip(names, row, strict=True):
        best[name.source] = max(best.get(name.source, 0.0), float(score))
    return sorted(best.items(), key=lambda pair: -pair[1])[:most]


def _blank(spot: Spot, source: str) -> Blank:
    at = () if spot.field else spot.place
    label, field = spot.words or spot.field, spot.field
    return Blank(label=label, source=source, row=spot.row, field=field, at=at, required=spot.required)


def _marked(spots: Sequence[Spot]) -> Iterator[tuple[Spot, Proposal]]:
    """Boxes of one question together; what they stand for is the question whose values they name."""
    groups: dict[tuple[int, str], list[Spot]] = {}
    for spot in spots:
        question = spot.field if spot.kind == "radio" else spot.lead or spot.heading
        groups.setdefault((spot.page, question), []).append(spot)
    for members in groups.values():
        source, marked, sure = _question([spot._replace(field="") for spot in members])
        for place, spot in enumerate(members):
            if place not in marked.values():
                label = f"{spot.lead}: {spot.label}" if spot.lead else spot.label or spot.field
                yield spot, Proposal(_choice(spot, label, HAND, {"Yes": spot}), 0.0)
        if source:
            first = members[min(marked.values())]
            label = first.lead or first.heading or first.label
            boxes = {value: members[place] for value, place in marked.items()}
            yield first, Proposal(_choice(first, label, source, boxes), sure)


def _question(options: Sequence[Spot]) -> tuple[str, dict[str, int], float]:
    """The source most of whose values the labels of these options name: the place of each value among the options, and
    how sure the least sure of them is. "" where no label names any."""
    names = _names().marks
    scores = _scores([option._replace(heading="", lead="", tooltip="") for option in options], names)
    places: dict[str, dict[str, int]] = {}
    sure: dict[str, float] = {}
    for place, row in enumerate(scores):
        meant, score = _best(row, names)[0]
        source, _, value = meant.partition("=")
        if score >= LIKELY and value not in places.get(source, {}):
            places.setdefault(source, {})[value] = place
            sure[source] = min(sure.get(source, 1.0), score)
    source = max(places, key=lambda one: len(places[one]), default="")
    return source, places.get(source, {}), sure.get(source, 0.0)


def _choice(first: Spot, label: str, source: str, boxes: dict[str, Spot]) -> Blank:
    marks = {value: _mark(spot) for value, spot in boxes.items()}
    field = first.field if first.kind == "radio" else ""
    return Blank(label=label, source=source, field=field, marks=marks)


def _mark(spot: Spot) -> str | tuple[float, ...]:
    if spot.kind == "radio":
        return spot.states[0] if spot.states else "Yes"
    return spot.field or spot.place


def _chosen(spots: Sequence[Spot]) -> Iterator[tuple[Spot, Proposal]]:
    """A list to choose from: by its label, and its options by their names."""
    for spot in spots:
        options = [spot._replace(label=state) for state in spot.states if state.strip()]
        source, marked, _ = _question(options)
        marks = {value: options[place].label for value, place in marked.items()}
        blank = msgspec.structs.replace(_blank(spot, source or HAND), row=0, marks=marks)
        yield spot, Proposal(blank, 1.0 if source else 0.0)


# --- holding words against names -------------------------------------------------------------------------

SAID, STANDS_UNDER, ASKED = (
    0.3,
    0.15,
    0.1,
)  # less, where label, heading or a long question are of another party
PART = 0.04  # less for words that are only a part of the label
LONG = 6  # words of a label that is a question


def _scores(spots: Sequence[Spot], names: Sequence[_Name]) -> NDArray[np.float32]:
    """How well each name fits each place: by meaning and by letters, less where they speak of different parties."""
    scores = np.zeros((len(spots), len(names)), np.float32)
    if not spots:
        return scores
    read = [(_party(spot.lead) or _party(spot.heading), _variants(spot)) for spot in spots]
    cores = [(_party(v) or context, _core(v)) for context, variants in read for v in variants]
    _EMBEDDED.rows([text for party, core in cores for text in (f"{party} {core}".strip(), core)])
    for at, (spot, (context, variants)) in enumerate(zip(spots, read, strict=True)):
        for variant in variants:
            own = _party(variant)
            off = np.array([_off(variant, own, context, name) for name in names], np.float32)
            off += PART * (variant not in (spot.label, spot.read_as, spot.tooltip))
            scores[at] = np.maximum(scores[at], _alike(variant, own or context, names) - off)
    return scores


def _variants(spot: Spot) -> list[str]:
    """The label; its parts around brackets, commas and "or"; and the PDF's name for the field, if it says something."""
    whole = [text for text in (spot.read_as or spot.label, spot.tooltip) if text]
    parts = [part.strip() for text in whole for part in _PARTS.split(text)]
    named = " ".join(_HUMPS.findall(spot.field.rpartition(".")[2]))
    if any(len(word) > 3 and word.casefold() not in _names().unsaid for word in named.split()):
        parts.append(named)
    return list(dict.fromkeys(text for text in (*whole, *parts) if len(text) > 1 or text in whole))


def _off(variant: str, own: str, context: str, name: _Name) -> float:
    """What a name loses because it is of another party."""
    its = {name.party, _party(name.text)} - {""}
    if not its or not (own or context) or (own or context) in its:
        return 0.0
    if not own:
        return STANDS_UNDER
    return ASKED if len(variant.split()) > LONG else SAID


def _alike(text: str, party: str, names: Sequence[_Name]) -> NDArray[np.float32]:
    core = _core(text)
    meant = _EMBEDDED.rows([f"{name.party} {_core(name.text)}".strip() for name in names])
    plain = _EMBEDDED.rows([_core(name.text) for name in names])
    of_party, itself = _EMBEDDED.rows([f"{party} {core}".strip(), core])
    spelled = np.array([_spelled(core, _core(name.text)) for name in names], np.float32)
    alike: NDArray[np.float32] = 0.3 * (meant @ of_party) + 0.3 * (plain @ itself) + 0.4 * spelled
    return alike


def _spelled(text: str, name: str) -> float:
    whole = float(fuzz.token_sort_ratio(text, name)) / 100
    several = " " in name
    return max(whole, 0.85 * float(fuzz.token_set_ratio(text, name)) / 100) if several else whole


class _Embedded(dict[str, "NDArray[np.float32]"]):
    """Rows of texts, each made once."""

    def rows(self, texts: Sequence[str]) -> NDArray[np.float32]:
        new = [text for text in dict.fromkeys(texts) if text not in self]
        if new:
            self.update(zip(new, bundled().embed([text or "-" for text in new]), strict=True))
        return np.stack([self[text] for text in texts])


_EMBEDDED = _Embedded()


@lru_cache(maxsize=4096)
def _party(text: str) -> str:
    """Whom the words are about: the first party that they name."""
    words = [word.casefold().removesuffix("s") for word in _WORDS.findall(text)]
    known = {word: party for party, names in _names().parties.items() for word in names}
    return next((known[word] for word in words if word in known), "")


@lru_cache(maxsize=4096)
def _core(text: str) -> str:
    """The words without those that only say whose it is, in small letters: "Enrollee's ID number" is id number."""
    known = {word for party in ("patient", "prescriber") for word in _names().parties[party]}
    words = [word.casefold() for word in _WORDS.findall(text)]
    kept = [word for word in words if word.removesuffix("s") not in known and word != "s"]
    return " ".join(kept or words)


def as_lines(proposals: Iterable[Proposal]) -> Iterator[str]:
    """The proposals as YAML, one blank to a paragraph, with a question at what is not sure."""
    for blank, sure, others in proposals:
        if blank.source != HAND and sure < SURE:
            beside = f"; or {', '.join(others)}" if others else ""
            yield f"  # look at this one: {sure:.0%} likely{beside}"
        elif blank.source == HAND and others:
            yield f"  # left to a hand; perhaps {', '.join(others)}"
        yield f"  - label: {json.dumps(blank.label, ensure_ascii=False)}"
        yield f"    source: {blank.source}"
        for key in ("row", "field", "at", "marks", "required"):
            if given := getattr(blank, key):
                yield f"    {key}: {json.dumps(given, ensure_ascii=False)}"
