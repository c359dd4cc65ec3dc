"""`pa retention`: what was kept for longer than the practice wants, shown, and removed if a person says so."""

from __future__ import annotations

from collections import Counter

import typer

from agent.administration import retention
from agent.runtime.home import now
from agent.terminal.common import JsonArray, opened
from agent.terminal.lines import print_json, tell
from tools.common.errors import Invalid

app = typer.Typer(add_completion=False)


@app.command(
    epilog="""[bold]Examples[/]
  pa retention
  pa retention --apply --by 'R. Lee, privacy officer'

retention.json in the home says for how many years what is kept after it was
touched last, and of whom everything is: {"drafts": 7, "cases": 7,
"conversations": 2, "attachments": 7, "held": ["P003"]}. What it does not name
is kept, and so is all of a patient with an open case, a draft as long as its
case, and the audit log, which records what went. The store is packed then,
which takes as much of the disk again."""
)
def _retention(
    apply: bool = typer.Option(False, "--apply", help="Remove it; nothing brings it back but a backup."),
    by: str = typer.Option("", help="Who decides that."),
    as_json: JsonArray = False,
) -> None:
    """Show what was kept for longer than retention.json says, or remove it."""
    if apply != bool(by.strip()):
        raise Invalid("removing wants a person's name, and a name means removing: --apply --by NAME")
    settings, store = opened()
    found = retention.apply(store, settings, now(), by=by.strip())
    if as_json:
        print_json([{"kind": one.kind, "patient_id": one.patient_id, "what": one.of} for one in found])
        return
    for one in found:
        tell(f"{one.patient_id or '(nobody)'}  {one.of}")
    counts = Counter(one.kind for one in found)
    total = ", ".join(f"{many} {kind}" for kind, many in counts.items()) or "nothing"
    tell(f"{total} {'removed' if apply else 'would go: --apply --by NAME removes it'}")
