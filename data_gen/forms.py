"""Printing the payers' form templates from catalog/forms.yaml, one for each plan."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec
import yaml

from tools.common.errors import Invalid, nearest
from tools.domain.records import Field, FormTemplate, Plan, Section
from tools.papers.form_sources import COLUMNS, SOURCES

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
    return FormTemplate(
        id=plan.form_id or f"{plan.id}-PA",
        plan_id=plan.id,
        payer=plan.payer,
        title=form.title,
        channel=plan.channel,
        date_format=form.date_format,
        units=form.units,
        yes_no=form.yes_no,
        sections=tuple(_section(part, known) for part in (*form.sections[:-1], *also, *form.sections[-1:])),
        attestation=form.attestation,
        attachments=form.attachments,
        look=msgspec.to_builtins(form.look),
    )


def _section(part: Part, known: dict[str, Asked]) -> Section:
    return Section(
        title=part.title,
        fields=tuple(_field(entry, known) for entry in part.fields),
        repeat=part.repeat,
        renewal_only=part.renewal_only,
        only=part.only,
    )


def _field(entry: str | dict[str, str | None], known: dict[str, Asked]) -> Field:
    name, label = _entry(entry)
    asked = known[name.rstrip("*")]
    return Field(
        id=name.rstrip("*"),
        label=label or asked.label,
        source=asked.source,
        type=asked.type,
        options=asked.options,
        required=name.endswith("*"),
    )


def _entry(entry: str | dict[str, str | None]) -> tuple[str, str]:
    name, label = (entry, "") if isinstance(entry, str) else next(iter(entry.items()), ("", ""))
    return name, label or ""


# --- reading, with the line of whatever is wrong ---------------------------------------------------------


def read(path: Path, known: dict[str, Asked] | None = None) -> Catalog:
    """The catalog file; Invalid names file, line, and what is allowed there."""
    return _read(path, path.stat().st_mtime_ns, tuple((known or {}).items()))


@cache
def _read(path: Path, _changed: int, known: tuple[tuple[str, Asked], ...]) -> Catalog:
    text = path.read_text(encoding="utf-8")
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
        catalog = msgspec.convert(yaml.load(text, Loader=yaml.CSafeLoader) or {}, Catalog)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Invalid(f"{path}:{line}: {error.problem}") from None
    except msgspec.ValidationError as error:
        said, _, where = str(error).partition(" - at `")
        raise Invalid(f"{path}:{_line(root, where.rstrip('`'))}: {said}") from None
    for where, problem in _problems(catalog, dict(known) | catalog.fields):
        raise Invalid(f"{path}:{_line(root, where)}: {problem}")
    return catalog


def _problems(catalog: Catalog, known: dict[str, Asked]) -> list[tuple[str, str]]:
    columns = frozenset().union(*COLUMNS.values())
    found = [
        (f"$.fields.{name}.source", f"no source {asked.source!r}; one of {_list({*SOURCES, *columns})}")
        for name, asked in catalog.fields.items()
        if asked.source not in SOURCES and asked.source not in columns
    ]
    parts = {f"$.also[{j}]": part for j, part in enumerate(catalog.also)}
    for i, form in enumerate(catalog.forms):
        parts |= {f"$.forms[{i}].sections[{j}]": part for j, part in enumerate(form.sections)}
    for at, part in parts.items():
        allowed = COLUMNS[part.repeat] if part.repeat else frozenset(SOURCES)
        for k, entry in enumerate(part.fields):
            where, name = f"{at}.fields[{k}]", _entry(entry)[0].rstrip("*")
            if isinstance(entry, dict) and len(entry) != 1:
                found.append((where, "one field and its wording; quote a wording with a comma"))
            elif name not in known:
                near = " or ".join(nearest(name, known)) or _list(known)
                found.append((where, f"no field {name!r}; did you mean {near}?"))
            elif known[name].source not in allowed:
                of = part.repeat or "a plain section"
                found.append((where, f"field {name!r} cannot stand in {of}; sources: {_list(allowed)}"))
    return found


def _list(names: object) -> str:
    return ", ".join(sorted(names))  # type: ignore[call-overload]


def _line(root: yaml.Node | None, path: str) -> int:
    """The line, from 1, of the node at a msgspec path such as `$.forms[3].look.accent`."""
    node = root
    for key, index in re.findall(r"\.([\w-]+)|\[(\d+)\]", path):
        if isinstance(node, yaml.MappingNode):
            node = next((value for name, value in node.value if name.value == key), node)
        elif isinstance(node, yaml.SequenceNode) and index:
            node = node.value[int(index)]
    return node.start_mark.line + 1 if node is not None else 1
