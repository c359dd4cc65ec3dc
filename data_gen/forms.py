"""Printing the payers' form templates from catalog/forms.yaml, one for each plan."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from tools.common.errors import Invalid, nearest
from tools.domain.records import Field, FormTemplate, Plan, Section
from tools.papers.form_sources import COLUMNS, SOURCES
from tools.rulebook.located import Map, Place, convert, read_yaml

FORMS = Path(__file__).parent / "catalog" / "forms.yaml"

Repeat = Literal["", "criteria", "trials", "labs", "diagnoses", "allergies"]


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class Asked(_Strict, frozen=True, kw_only=True):
    """A field of the vocabulary."""

    label: str
    source: str
    type: Literal["text", "date", "number", "choice", "lines"] = "text"
    options: tuple[str, ...] = ()


class Part(_Strict, frozen=True, kw_only=True):
    """A section: `name`, `name*` where it is required, or `{name*: this payer's wording}`."""

    title: str
    fields: tuple[str | dict[str, str | None], ...] = msgspec.field(default=())
    repeat: Repeat = ""
    renewal_only: bool = False
    only: Literal["", "exception", "expedited", "correction"] = ""


class Look(_Strict, frozen=True, kw_only=True):
    """How the form is drawn; form_pdf.py has a way of drawing each."""

    accent: str
    font: Literal["sans", "serif"]
    header: Literal["band", "split", "centered", "rule"]
    heading: Literal["bar", "rule", "tab", "caps"]
    cells: Literal["boxed", "lined", "grid"]
    numbering: Literal["arabic", "letters", "roman", "none"]
    columns: Literal["2", "3", "4"]


class Form(_Strict, frozen=True, kw_only=True):
    """One payer's form as the catalog writes it."""

    archetype: str = ""
    plan: str = ""
    default: bool = False
    title: str
    date_format: str
    units: Literal["us", "metric"]
    yes_no: Literal["ticks", "words"]
    look: Look
    sections: tuple[Part, ...]
    attestation: str
    attachments: tuple[str, ...] = ()


class Catalog(_Strict, frozen=True, kw_only=True):
    """forms.yaml."""

    fields: dict[str, Asked] = {}
    forms: tuple[Form, ...] = ()
    also: tuple[Part, ...] = ()


def print_forms(plans: dict[str, Plan], overlay: Path | None = None) -> dict[str, FormTemplate]:
    """The template of every plan, by plan id. A clinic's own forms.yaml in `overlay` goes before ours."""
    ours = read(FORMS)
    own = overlay / "forms.yaml" if overlay else None
    theirs = read(own, ours.fields) if own and own.exists() else Catalog()
    forms, fields = theirs.forms + ours.forms, ours.fields | theirs.fields
    for form in forms:
        if form.plan and form.plan not in plans:
            near = " or ".join(nearest(form.plan, plans)) or _list(plans)
            raise Invalid(
                f"{own or FORMS}: form {form.title!r} is of no plan {form.plan!r}; did you mean {near}?"
            )
    also = ours.also + theirs.also
    return {plan_id: _template(_form_of(plan, forms), plan, fields, also) for plan_id, plan in plans.items()}


def _form_of(plan: Plan, forms: tuple[Form, ...]) -> Form:
    """The plan's own, else its archetype's, else the default."""
    named = [form for form in forms if form.plan == plan.id]
    alike = [form for form in forms if form.archetype and form.archetype == plan.archetype]
    return (named + alike + [form for form in forms if form.default])[0]


def _template(form: Form, plan: Plan, known: dict[str, Asked], also: tuple[Part, ...]) -> FormTemplate:
    own = ("title", "date_format", "units", "yes_no", "attestation", "attachments")
    return FormTemplate(
        id=plan.form_id or f"{plan.id}-PA",
        plan_id=plan.id,
        payer=plan.payer,
        channel=plan.channel,
        sections=tuple(_section(part, known) for part in (*form.sections[:-1], *also, *form.sections[-1:])),
        look=msgspec.to_builtins(form.look),
        **{name: getattr(form, name) for name in own},
    )


def _section(part: Part, known: dict[str, Asked]) -> Section:
    fields = tuple(_field(entry, known) for entry in part.fields)
    return Section(**msgspec.structs.asdict(part) | {"fields": fields})


def _field(entry: str | dict[str, str | None], known: dict[str, Asked]) -> Field:
    name, label = _entry(entry)
    asked = msgspec.structs.asdict(known[name.rstrip("*")])
    label = label or asked["label"]
    return Field(**asked | {"id": name.rstrip("*"), "label": label, "required": name.endswith("*")})


def _entry(entry: str | dict[str, str | None]) -> tuple[str, str]:
    name, label = (entry, "") if isinstance(entry, str) else next(iter(entry.items()), ("", ""))
    return name, label or ""


# --- reading, with the line of whatever is wrong ---------------------------------------------------------


def read(path: Path, known: dict[str, Asked] | None = None) -> Catalog:
    """The catalog file; Invalid names file, line, and what is allowed there."""
    return _read(path, path.stat().st_mtime_ns, tuple((known or {}).items()))


@cache
def _read(path: Path, _changed: int, known: tuple[tuple[str, Asked], ...]) -> Catalog:
    root = Place(str(path), 1)
    found = read_yaml(path) or Map(root)
    catalog = convert(found, Catalog, root)
    for place, problem in _problems(found, catalog, dict(known) | catalog.fields):
        raise place.error(problem)
    return catalog


def _problems(found: Map, catalog: Catalog, known: dict[str, Asked]) -> Iterator[tuple[Place, str]]:
    columns = frozenset().union(*COLUMNS.values())
    for name, asked in catalog.fields.items():
        if asked.source not in SOURCES and asked.source not in columns:
            listed = _list({*SOURCES, *columns})
            yield found["fields"][name].at("source"), f"no source {asked.source!r}; one of {listed}"
    parts = list(zip(catalog.also, found.get("also", ()), strict=True))
    for form, shown in zip(catalog.forms, found.get("forms", ()), strict=True):
        parts += zip(form.sections, shown["sections"], strict=True)
    for part, shown in parts:
        allowed = COLUMNS[part.repeat] if part.repeat else frozenset(SOURCES)
        for index, entry in enumerate(part.fields):
            place, name = shown["fields"].at(index), _entry(entry)[0].rstrip("*")
            if isinstance(entry, dict) and len(entry) != 1:
                yield place, "one field and its wording; quote a wording with a comma"
            elif name not in known:
                near = " or ".join(nearest(name, known)) or _list(known)
                yield place, f"no field {name!r}; did you mean {near}?"
            elif known[name].source not in allowed:
                of = part.repeat or "a plain section"
                yield place, f"field {name!r} cannot stand in {of}; sources: {_list(allowed)}"


def _list(names: object) -> str:
    return ", ".join(sorted(names))  # type: ignore[call-overload]
