"""Reads a policy document back from its printed text.

The format that every house style keeps, whatever else it does:

* Header: lines of `Label: value` (or with dots or spaces between, or several on a line with ` | `) that name
  policy, plan, drug, version and effective dates by one of HEADER's labels. The plan's id is the first word of
  its value, the drug is what stands before " (".
* Seven sections, each under a heading line that ends with one of TITLES, whatever number or rule goes with it.
* One clause per line, never wrapped: indent, number, two spaces, text. No other line has a number and two spaces.
* The last line: `End of policy ID (n clauses)`, so that a document that was cut short is noticed.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

import msgspec

from tools.common.errors import Invalid
from tools.domain.records import Clause, Policy
from tools.rulebook.located import Place
from tools.terminology.terms import SECTIONS


class _Labels(msgspec.Struct):
    """labels.json: how houses call a field of the header, and how they head a section."""

    header: dict[str, tuple[str, ...]]
    titles: dict[str, tuple[str, ...]]


_LABELS_OF = msgspec.json.decode(Path(__file__).with_name("labels.json").read_bytes(), type=_Labels)
HEADER, TITLES = _LABELS_OF.header, _LABELS_OF.titles
NEEDED = ("id", "plan", "drug", "version", "effective_from")
OPEN_END = ("until further notice", "until replaced", "open", "none")
DATES = ("%Y-%m-%d", "%B %d, %Y", "%m/%d/%Y", "%d %b %Y", "%b %d, %Y", "%m-%d-%Y", "%d %B %Y", "%Y/%m/%d")
_SECTION_OF = {title: section for section, titles in TITLES.items() for title in titles}
_LABELS = sorted(
    ((label, field) for field, labels in HEADER.items() for label in labels), key=lambda p: -len(p[0])
)
CLAUSE = re.compile(r"\s*(?P<id>[^\s](?:[^\s]| (?=[^\s]))*?)  (?P<text>[^\s].*)")
_LIKE_NUMBER = re.compile(r"(?:[§A-Za-z][\w.-]* ?)?[\dA-Za-z.()\[\]§-]*")
_END = re.compile(r"\W*end of policy (?P<id>\S+) \((?P<count>\d+) clauses?\)\W*", re.IGNORECASE)
_NUMBERED = re.compile(
    r"(?:(?:section|part|article|chapter|item) )?(?:(?:[ivx]+|[a-z]|\d+|[a-z]{2}) )?(?P<title>.+)"
)


def read_policy(text: str, file: str) -> Policy:
    """The policy that this text prints; Invalid names file and line of what is damaged or missing."""
    lines = text.splitlines()
    end, count, closing_id = _closing(lines, file)
    body = next((i for i, line in enumerate(lines) if heading(line)), None)
    if body is None:
        raise Place(file, 1).error("no section heading; is this a policy document?")
    header = _header(lines[:body], file)
    clauses = _clauses(lines[:end], body, file)
    if closing_id.casefold() != header["id"].casefold():
        raise Place(file, end + 1).error(f"ends as policy {closing_id} but began as {header['id']}")
    if len(clauses) != count:
        raise Place(file, end + 1).error(f"{count} clauses announced, {len(clauses)} found")
    missing = [title for key, title in SECTIONS.items() if all(clause.section != key for clause in clauses)]
    if missing:
        raise Place(file, end + 1).error(f"no clause under {', '.join(missing)}")
    return Policy(
        id=header["id"],
        plan_id=header["plan"].split()[0],
        payer=header.get("payer", ""),
        drug=header["drug"].split(" (")[0],
        title=next((line.strip(" =-*#|") for line in lines if line.strip(" =-*#|")), ""),
        version=header["version"],
        effective_from=_date(header, "effective_from", file, lines),
        effective_to=_date(header, "effective_to", file, lines),
        clauses=tuple(clauses),
        text=text,
        file=file,
    )


def heading(line: str) -> str:
    """Which section this line opens; "" if it is no heading."""
    if CLAUSE.fullmatch(line):
        return ""
    bare = " ".join(re.sub(r"[^a-z0-9 ]", " ", line.casefold()).split())
    if bare in _SECTION_OF:
        return _SECTION_OF[bare]
    match = _NUMBERED.fullmatch(bare)
    return _SECTION_OF.get(match["title"], "") if match else ""


def _closing(lines: list[str], file: str) -> tuple[int, int, str]:
    """Index of the last line, and the clauses and id that it announces."""
    last = next((index for index in reversed(range(len(lines))) if lines[index].strip()), -1)
    match = _END.fullmatch(lines[last].strip()) if lines else None
    if match is None:
        raise Place(file, max(len(lines), 1)).error(
            "cut short: the last line is not 'End of policy ID (n clauses)'"
        )
    return last, int(match["count"]), match["id"]


def _header(lines: list[str], file: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        for piece in line.strip(" |*#").split(" | "):
            field, value = _field(piece.strip())
            if field and value:
                found.setdefault(field, value)
    for field in NEEDED:
        if field not in found:
            names = ", ".join(repr(label) for label in HEADER[field])
            raise Place(file, 1).error(
                f"the header does not name the {field.replace('_', ' ')} (labels: {names})"
            )
    return found


def _field(piece: str) -> tuple[str, str]:
    folded = piece.casefold()
    for label, field in _LABELS:
        rest = piece[len(label) :]
        if folded.startswith(label) and re.match(r"\s*(?::|\.{2,}|\s{2,}|=)", rest):
            return field, rest.strip(" :.=\t")
    return "", ""


def _clauses(lines: list[str], body: int, file: str) -> list[Clause]:
    section, clauses = "", []
    seen: dict[str, int] = {}
    for index, line in enumerate(lines[body:], body + 1):
        opened = heading(line)
        section = opened or section
        match = None if opened else CLAUSE.fullmatch(line)
        if match is None or not _LIKE_NUMBER.fullmatch(match["id"]):
            continue
        number = match["id"]
        if number in seen:
            raise Place(file, index).error(f"clause {number} stands twice (first on line {seen[number]})")
        seen[number] = index
        clauses.append(Clause(id=number, section=section, text=match["text"]))
    return clauses


def _date(header: dict[str, str], field: str, file: str, lines: list[str]) -> date | None:
    value = header.get(field)
    if value is None or value.casefold() in OPEN_END:
        return None
    for form in DATES:
        with suppress(ValueError):
            return datetime.strptime(value, form).date()
    line = next((i for i, text in enumerate(lines, 1) if value in text), 1)
    raise Place(file, line).error(f"{field.replace('_', ' ')} {value!r} is not a date")


def check_labels(header: dict[str, str], titles: dict[str, str]) -> None:
    """Invalid if a style uses a header label or section title that this reader would not know."""
    for field, label in header.items():
        if field not in HEADER or label.casefold() not in HEADER[field]:
            raise Invalid(
                f"header label {field}: {label!r} (allowed: {', '.join(HEADER.get(field, HEADER))})"
            )
    for section in SECTIONS:
        if titles.get(section, "").casefold() not in TITLES[section]:
            raise Invalid(
                f"title of {section}: {titles.get(section)!r} (allowed: {', '.join(TITLES[section])})"
            )
