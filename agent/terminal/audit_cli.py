"""`pa audit`: who saw and did what, and proof that the record of it is whole."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import typer
from typer import Argument, Option

from agent.administration.audit import head, held_against
from agent.runtime.dump import plain, to_json
from agent.terminal.common import JsonArray, JsonObject, OnlyPatient, group, opened
from agent.terminal.lines import answer, print_json, tell
from tools.audit.events import AuditEvent
from tools.audit.merkle import consistency, inclusion, root
from tools.common.atomic import write_atomically
from tools.common.errors import Invalid
from tools.common.printable import one_line
from tools.fhir.audit_events import audit_event

app = group("Who saw and did what, and proof that the record of it is whole.")
MANY = 10_000


@app.command("who")
def _who(
    patient_id: str = Argument(..., metavar="PATIENT", help="Patient id, e.g. P003."),
    limit: int = Option(100, min=1, max=MANY, help="The newest so many."),
    as_json: JsonArray = False,
) -> None:
    """Who saw or changed what of this patient, the newest last."""
    _, store = opened()
    events = list(store.audit_events(patient_id))
    if not events:
        store.patient(patient_id)
    _show(events[-limit:], as_json)


@app.command("list")
def _list(
    after: int = Option(0, min=0, metavar="NUMBER", help="Only what came after this event."),
    limit: int = Option(100, min=1, max=MANY, help="At most so many."),
    as_json: JsonArray = False,
) -> None:
    """Everything that was recorded, in its order."""
    _, store = opened()
    _show(store.audit_events(after=after, limit=limit), as_json)


@app.command("head")
def _head(
    to: Path | None = Option(None, metavar="FILE", help="Add it to this file as well."),
    key: Path | None = Option(
        None, metavar="FILE", help="Sign by this key instead of the home's; made if not there."
    ),
    as_json: JsonObject = False,
) -> None:
    """Sign the log as it is now; keep what this prints where nobody who uses Paladin can change it."""
    settings, store = opened()
    made = head(store, settings, also=to, key=key)
    signed = f"\nsigned by {made.key}" if key else ""
    said = f"{made.size} events, root {made.root}, {made.at:%Y-%m-%d %H:%M:%S} UTC{signed}"
    answer(made, as_json, lambda: tell(said))


@app.command("verify")
def _verify(
    heads: list[Path] = Option(
        [], "--head", metavar="FILE", help="Heads that were kept elsewhere; repeatable."
    ),
    signed_by: str = Option("", metavar="KEY", help="Those heads must be signed by this public key."),
    as_json: JsonObject = False,
) -> None:
    """Is the log whole, and is everything that it speaks of as it was left? Exit 1 if not."""
    settings, store = opened()
    if signed_by and not heads:
        raise Invalid(
            "--signed-by asks something of heads that were kept elsewhere; name them with --head FILE"
        )
    found = held_against(store, settings, heads, signed_by=signed_by.strip().lower())
    held = f"held against {found.heads} heads" if found.heads else "no head was kept: `pa audit head`"
    state = "NOT as it was left" if found.problems else "whole"
    lines = (
        *(f"✗ {problem}" for problem in found.problems),
        f"{found.events} events, root {found.root}, {held}: {state}",
    )
    answer(found, as_json, lambda: tell("\n".join(lines)))
    raise typer.Exit(1 if found.problems else 0)


@app.command("prove")
def _prove(
    number: int = Argument(0, min=0, help="Event whose place in the log is proved."),
    since: int = Option(0, min=0, metavar="SIZE", help="Prove that the log begins with its first SIZE."),
) -> None:
    """Print a proof after RFC 6962, as JSON, that one can check against heads alone."""
    _, store = opened()
    leaves = store.audit_leaves()
    if (number > 0) == (since > 0):
        raise Invalid("name an event, e.g. `pa audit prove 17`, or an earlier size with --since")
    if max(number, since) > len(leaves):
        raise Invalid(f"the log has {len(leaves)} events and no {max(number, since)}")
    path = inclusion(leaves, number - 1) if number else consistency(leaves, since)
    about = {"leaf": leaves[number - 1].hex(), "index": number - 1} if number else {"earlier": since}
    whole = {"size": len(leaves), "root": root(leaves).hex(), "path": [one.hex() for one in path]}
    print_json(about | whole)


@app.command("export")
def _export(
    patient_id: OnlyPatient = "",
    out: Path | None = Option(None, metavar="FILE", help="Into this file instead."),
) -> None:
    """Print the log as FHIR R4 AuditEvents after IHE BALP, one a line (NDJSON)."""
    _, store = opened()
    store.note("audit.exported", whose=patient_id)
    lines = (to_json(audit_event(number, event), 0) for number, event in store.audit_events(patient_id))
    if out:
        write_atomically(out, "".join(f"{line}\n" for line in lines).encode())
    else:
        for line in lines:
            tell(line)


def _show(events: Iterable[tuple[int, AuditEvent]], as_json: bool) -> None:
    if as_json:
        print_json([{"number": number, **plain(event)} for number, event in events])
    else:
        for number, event in events:
            tell(f"{number}  {_line(event)}")


def _line(event: AuditEvent) -> str:
    actor = event.actor
    who = actor.who + (f" ({actor.role})" if actor.role else "") + (f" as {event.by}" if event.by else "")
    place = " on ".join(word for word in (actor.via, actor.where) if word)
    what = " ".join(word for word in (event.what, event.whose) if word)
    said = ", ".join(word for word in (event.of, event.why) if word)
    return one_line(f"{event.at:%Y-%m-%d %H:%M:%S}  {who}  {what}{f': {said}' if said else ''}  [{place}]")
