"""What a person decides about a draft."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

import msgspec

from tools.common.errors import Invalid

if TYPE_CHECKING:
    from tools.store.rows import Draft

Action = Literal["approve", "reject", "edit"]


class Decision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One answer of one person to one draft; `edits` maps a part of the request, or a field's id or label, to its new
    value. `seen` is the version that the person had read, None for whichever there is."""

    action: Action
    by: str
    when: datetime
    reason: str = ""
    edits: dict[str, str] = {}
    seen: int | None = None

    def said(self) -> str:
        """The reason, and for an edit what was changed."""
        changes = "; ".join(f"{field} = {value}" for field, value in self.edits.items())
        return ": ".join(words for words in (self.reason, changes) if words)


def validate(decision: Decision, draft: Draft) -> None:
    """Refuse a decision without a name, a rejection without a reason, an edit of nothing, gaps and contradictions that
    nobody answers for."""
    if not decision.by.strip():
        raise Invalid("say who decides, e.g. --by 'R. Lee, CPhT'")
    if decision.action == "reject" and not decision.reason.strip():
        raise Invalid("a rejection needs its reason: --reason '…'")
    if decision.action == "edit" and not decision.edits:
        raise Invalid("an edit names a field and its value: --set 'Office contact=R. Lee'")
    if decision.action == "approve" and not decision.reason.strip():
        _require_sound(draft)


def _require_sound(draft: Draft) -> None:
    form = draft.filled_form()
    if not form.ready:
        gaps = f"{len(form.missing)} missing: {', '.join(form.missing[:4])}" if form.missing else form.outcome
        raise Invalid(
            f"this draft is not complete ({gaps}); fill it with --set or `pa chart add`,"
            " or approve it with the reason why it may go as it is (--reason)"
        )
    if draft.contradicts:
        raise Invalid(
            f"this draft contradicts the chart ({'; '.join(draft.contradicts)}); mend one of them, or approve it"
            " with the reason why it may go as it is (--reason)"
        )
