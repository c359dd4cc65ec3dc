"""`pa retention`: what was kept for longer than the practice wants, shown, and removed if a person says so."""

from __future__ import annotations

from collections import Counter

from typer import Option

from agent.administration import retention
from agent.runtime.home import now
from agent.terminal.common import JsonArray, opened
from agent.terminal.lines import answer, tell
from tools.common.errors import Invalid


def remove_old(
    apply: bool = Option(False, "--apply", help="Remove it; nothing brings it back but a backup."),
    by: str = Option("", help="Who decides that."),
    as_json: JsonArray = False,
) -> None:
    """Show what was kept for longer than retention.json says, or remove it."""
    if apply != bool(by.strip()):
        raise Invalid("removing wants a person's name, and a name means removing: --apply --by NAME")
    settings, store = opened()
    found = retention.apply(store, settings, now(), by=by.strip())
    counts = Counter(one.kind for one in found)
    total = ", ".join(f"{many} {kind}" for kind, many in counts.items()) or "nothing"
    lines = [f"{one.patient_id or '(nobody)'}  {one.of}" for one in found]
    lines.append(f"{total} {'removed' if apply else 'would go: --apply --by NAME removes it'}")
    whole = [{"kind": one.kind, "patient_id": one.patient_id, "what": one.of} for one in found]
    answer(whole, as_json, lambda: tell("\n".join(lines)))
