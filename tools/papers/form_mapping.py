"""The file that says what goes where on a payer's own PDF: written by `pa form learn`, confirmed by a person.

It lies beside its PDF under the same name. Only what was confirmed is filled.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Literal

import msgspec

from tools.common.errors import Invalid, NotFound, Unavailable, nearest
from tools.domain.records import Blank, FormTemplate, PayerPdf, Record
from tools.papers import payer_form
from tools.papers.form_sources import COLUMNS, SOURCES
from tools.rulebook.located import Place, as_map, as_seq, convert, read_yaml

KEYS = """\
# What goes where on {title}.
#
# source    which value of the request; prescriber.completes leaves it to a hand
# row       of a table: which record, from 1
# field     the PDF's own name for the place; or at: [page, left, bottom, right, top] in points from the lower left
# marks     for each value, the box that is marked: a field, a state or an option of `field`, or a place as `at` has it
# required  true withholds a draft in which it is empty
#
# Mend what is wrong, then: pa form confirm {name}.yaml --by 'YOUR NAME'
"""


class Mapping(Record, frozen=True, kw_only=True):
    """The file, as it is written."""

    title: str
    sha256: str
    plan: str = ""
    confirmed: str = ""
    dates: str = "%m/%d/%Y"
    units: Literal["us", "metric"] = "us"
    smallest: float = 6.5
    blanks: tuple[Blank, ...]


def read(path: Path) -> Mapping:
    """The mapping, checked by itself.

    Raises:
        Invalid: what is wrong, with file and line.
        Unavailable: the file cannot be read.
    """
    found = as_map(read_yaml(path), Place(str(path), 1), "a mapping of a form")
    mapping = convert(found, Mapping, found.place)
    blanks = as_seq(found["blanks"], found.at("blanks"), "blanks")
    columns = frozenset().union(*COLUMNS.values()) - COLUMNS["criteria"]
    for place, blank in zip(blanks.places, mapping.blanks, strict=True):
        known = columns if blank.row else SOURCES
        if blank.source not in known:
            likely = ", ".join(nearest(blank.source, known)) or "see the sources in the catalog's manual"
            row = " of a row" if blank.row else ""
            raise place.error(f"{blank.source!r} is no source{row}; near it: {likely}")
        if not blank.field and not blank.marks and len(blank.at) != 5:
            raise place.error("give field, marks, or at: [page, left, bottom, right, top]")
    return mapping


def beside(path: Path) -> Path:
    """The PDF of a mapping."""
    return path.with_suffix(".pdf")


def content_of(path: Path) -> bytes:
    """The PDF of a mapping.

    Raises:
        Unavailable: it is not there.
    """
    try:
        return beside(path).read_bytes()
    except OSError as error:
        why = f"{error.strerror}; it belongs beside {path.name}"
        raise Unavailable(f"cannot read {beside(path)}: {why}") from None


def compare(mapping: Mapping, path: Path) -> None:
    """Make sure that the PDF is the one that was read, and has every place that the mapping names.

    Raises:
        Invalid: it has not, with what it has.
    """
    content = content_of(path)
    if sha256(content).hexdigest() != mapping.sha256:
        raise Invalid(
            f"{beside(path)} is another file than {path.name} was written for; `pa form learn` reads it anew"
        )
    file = payer_form.opened(content, beside(path).name)
    states: dict[str, dict[str, None]] = {}  # of each field, wherever it is shown
    for widget in payer_form.widgets(file):
        states.setdefault(widget.name, {}).update(dict.fromkeys(widget.states))
    for blank in mapping.blanks:
        problem = next(_problems(blank, states, len(file.pages)), "")
        if problem:
            raise Invalid(f"{path}: {blank.label!r}: {problem}")


def _problems(blank: Blank, states: dict[str, dict[str, None]], pages: int) -> Iterator[str]:
    marks = blank.marks.values()
    for name in (blank.field,) if blank.field else (mark for mark in marks if isinstance(mark, str)):
        if name not in states:
            likely = ", ".join(nearest(name, states))
            yield f"the PDF has no field {name!r}" + (f"; near it: {likely}" if likely else "")
    for mark in marks if blank.field else ():
        if mark not in states[blank.field]:
            yield f"{blank.field!r} has no {mark!r}; it has {', '.join(states[blank.field])}"
    for place in (blank.at, *marks):
        if place and not isinstance(place, str) and not (len(place) == 5 and 1 <= place[0] <= pages):
            yield f"{list(place)} is no place; the PDF has {pages} pages"


# --- those that were placed ------------------------------------------------------------------------------


def placed(folder: Path) -> dict[str, Mapping]:
    """The confirmed mappings of a folder, by name."""
    if not folder.is_dir():
        return {}
    found = {path.stem: _read_once(path, path.stat().st_mtime_ns) for path in sorted(folder.glob("*.yaml"))}
    return {name: mapping for name, mapping in found.items() if mapping.confirmed}


@lru_cache(maxsize=64)
def _read_once(path: Path, written: int) -> Mapping:
    """`written` is its time stamp: a file that was mended is read anew."""
    return read(path)


def template(folder: Path, plan_form: FormTemplate, name: str = "") -> FormTemplate | None:
    """The payer's own form for a draft, if there is one.

    Args:
        plan_form: what the plan has otherwise.
        name: of the mapping that was asked for; "" takes the one that was placed for the plan.

    Raises:
        NotFound: no confirmed mapping has this name.
    """
    known = placed(folder)
    if name and name not in known:
        raise NotFound("confirmed form", name, nearest(name, known), "`pa form list` shows them")
    chosen = name or next((stem for stem, one in known.items() if one.plan == plan_form.plan_id), "")
    if not chosen:
        return None
    mapping = known[chosen]
    pdf = PayerPdf(sha256=mapping.sha256, blanks=mapping.blanks, smallest=mapping.smallest)
    return payer_form.template(
        plan_form, chosen, mapping.title, pdf, date_format=mapping.dates, units=mapping.units
    )


def written(name: str, title: str, content: bytes, blanks: str) -> str:
    """The text of a new mapping. `blanks` are its lines, as `form_reading.as_lines` gives them."""
    quoted = msgspec.json.encode(title).decode()
    head = KEYS.format(title=" ".join(title.split()), name=name)
    return (
        f'{head}\ntitle: {quoted}\nsha256: {sha256(content).hexdigest()}\nplan: ""\nconfirmed: ""\n'
        f'dates: "%m/%d/%Y"\nunits: us\nsmallest: 6.5\nblanks:\n{blanks}\n'
    )
