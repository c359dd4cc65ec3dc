"""What a person decides about a draft, and what an edit does to the form."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from tools.errors import Invalid, NotFound, nearest
from tools.records import FilledField, PARequest

Action = Literal["approve", "reject", "edit"]


class Decision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One answer of one person to one draft; `edits` maps a field's id or label to its new value."""

    action: Action
    by: str
    when: datetime
    reason: str = ""
    edits: dict[str, str] = {}

    def said(self) -> str:
        """The reason, and for an edit what was changed."""
        changes = "; ".join(f"{field} = {value}" for field, value in self.edits.items())
        return ": ".join(words for words in (self.reason, changes) if words)


def validate(decision: Decision, form: PARequest) -> None:
    """Refuse a decision without a name, a rejection without a reason, gaps that nobody answers for."""
    if not decision.by.strip():
        raise Invalid("say who decides, e.g. --by 'R. Lee, CPhT'")
    if decision.action == "reject" and not decision.reason.strip():
        raise Invalid("a rejection needs its reason: --reason '…'")
    if decision.action == "edit":
        edit(form, decision)
    if decision.action == "approve" and not form.ready and not decision.reason.strip():
        gaps = f"{len(form.missing)} missing: {', '.join(form.missing[:4])}" if form.missing else form.outcome
        raise Invalid(
            f"this draft is not complete ({gaps}); fill it with --edit or `pa chart add`,"
            " or approve it with the reason why it may go as it is (--reason)"
        )


def edit(form: PARequest, decision: Decision) -> PARequest:
    """The form with the person's values, each traced to that person; what is missing is counted again."""
    if not decision.edits:
        raise Invalid("an edit names a field and its value: --edit 'Office contact=R. Lee'")
    fields = list(form.fields)
    for name, value in decision.edits.items():
        at = _find(fields, name)
        fields[at] = msgspec.structs.replace(
            fields[at], value=_allowed(fields[at], value.strip()), record_id=f"review:{decision.by}"
        )
    documents = tuple(label for label in form.missing if label.startswith("Document: "))
    missing = tuple(dict.fromkeys(f.label for f in fields if f.required and not f.value)) + documents
    ready = form.outcome == "ready" and not missing
    return msgspec.structs.replace(form, fields=tuple(fields), missing=missing, ready=ready)


def _find(fields: list[FilledField], name: str) -> int:
    """The place of the field with this id, or the only one with this label."""
    wanted = name.strip().casefold()
    hits = [at for at, field in enumerate(fields) if field.id.casefold() == wanted]
    hits = hits or [at for at, field in enumerate(fields) if field.label.casefold() == wanted]
    if len(hits) == 1:
        return hits[0]
    if hits:
        raise Invalid(
            f"{len(hits)} fields are labelled {name!r}; name one: {', '.join(fields[at].id for at in hits)}"
        )
    known = [field.id for field in fields] + [field.label for field in fields]
    raise NotFound("field", name, nearest(name, known), "`pa review ID` lists them")


def _allowed(field: FilledField, value: str) -> str:
    for option in field.options:
        if option.casefold() == value.casefold():
            return option
    if field.options and value:
        raise Invalid(f"{field.label} is one of {', '.join(field.options)}, not {value!r}")
    return value
