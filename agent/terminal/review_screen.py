"""What `pa draft` and `pa review` show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from rich.table import Column
from rich.text import Text

from agent.drafts.integrity import orphaned
from agent.drafts.papers import titled, wording
from agent.terminal.lines import tell
from agent.terminal.screen import STYLES, say, table
from tools.common.errors import NotFound
from tools.domain.records import PARequest
from tools.store.rows import Draft, named
from tools.store.store import Store

WAITING = {"needs_review": "waits", "edited": "edited, waits"}
SENDING = {
    "fax": "fax the signed form with its attachments to {payer}",
    "portal": "enter the answers in the payer's portal",
    "phone": "call the payer with the script",
    "mail": "mail the signed form with its attachments to {payer}",
}


def drafted(draft: Draft, store: Store, files: Mapping[str, Path], *, new: bool) -> None:
    """Where the papers lie, what is missing, and what to do next."""
    form = _head(draft, store)
    if not new:
        before = "\nThis case was drafted before, with nothing changed since"
        say(f"{before}; it is {_status(draft)}.", style="bold")
    _papers(files)
    _worded(draft)
    for other in _rivals(draft, store):
        said = f"\nDraft {other.id} of the same case waits too, from earlier records or another request; reject it:"
        say(f"{said}\n  pa review {other.id} --reject --reason superseded --by NAME", style="yellow")
    _gaps(form)
    _next(draft, form)


def _worded(draft: Draft) -> None:
    """Whose words the letter's prose is in, where a model was asked."""
    found = wording(draft)
    if found.model == "offline":
        return
    how = {
        "llm": f"by {found.model}",
        "repaired": f"by {found.model} and code, which said what the model left out",
        "template": f"by code: nothing that {found.model} wrote could be kept",
    }[found.path]
    said = f"Prose of the letter: {how}, {found.model_calls} model calls."
    say("\n" + " ".join(filter(None, (said, found.notice))))


def waiting(drafts: Sequence[Draft], store: Store) -> None:
    """The list of drafts."""
    if not drafts:
        say("No draft waits for review. `pa draft P001 Ozempic` makes one.")
        return
    titles = ("ID", "Patient", "Drug", "Plan", "Outcome", "Missing", "Status")
    shown = table(*(Column(title, no_wrap=title != "Patient") for title in titles), header="bold")
    for draft in drafts:
        alone = orphaned(store, draft.person, draft.patient_id)
        shown.add_row(
            str(draft.id),
            f"{draft.patient_id} {_name(draft, store)}",
            draft.drug,
            draft.plan_id,
            Text(draft.outcome.replace("_", " "), STYLES.get(draft.outcome, "")),
            str(len(draft.filled_form().missing) or "-"),
            "orphaned" if alone else WAITING.get(draft.status, draft.status),
        )
    say(shown)
    say(f"\nLook at one: pa review {drafts[0].id}", style="dim")


def one(draft: Draft, store: Store) -> None:
    """A draft with every field of its form, to be read before it is approved."""
    form = _head(draft, store)
    columns = (Column(ratio=3), Column(ratio=4), Column(style="dim", overflow="fold"))
    rows = table(*columns, header=None)
    for section, fields in groupby(form.fields, lambda field: field.section):
        if section:
            rows.add_row(Text(f"\n{section}", "bold"))
        for field in fields:
            empty = Text("missing", "bold red") if field.required else Text("-", "dim")
            rows.add_row(field.label, Text(field.value) if field.value else empty, field.record_id or "")
    say(rows)
    _changes(draft)
    _papers({name: Path(file.path) for name, file in draft.files.items()})
    for done in store.reviews(draft.id):
        say(f"{done.when:%Y-%m-%d %H:%M} {done.status} by {done.by}  {done.reason}", style="dim")
    _gaps(form)
    _next(draft, form)


def decided(draft: Draft, store: Store) -> None:
    """What was decided, and what is next."""
    last = store.reviews(draft.id)[-1]
    said = f": {last.reason}" if last.reason else ""
    about = f"Draft {draft.id} ({draft.patient_id}, {draft.drug})"
    say(f"{about} is {_status(draft)} by {last.by}{said}", style="bold")
    _next(draft, draft.filled_form())


def _rivals(draft: Draft, store: Store) -> list[Draft]:
    """Other drafts of this patient, drug and plan that wait."""
    theirs = store.drafts(patient_id=draft.patient_id, limit=1000)
    same = (one for one in theirs if (one.drug, one.plan_id) == (draft.drug, draft.plan_id))
    return [one for one in same if one.status in WAITING and one.id != draft.id]


def _head(draft: Draft, store: Store) -> PARequest:
    """Says which draft it is, and gives its form."""
    form = draft.filled_form()
    outcome = Text(draft.outcome.replace("_", " ").upper(), STYLES.get(draft.outcome, "bold"))
    title = f"Draft {draft.id}: {draft.drug} for {_name(draft, store)} ({draft.patient_id})"
    version = f" · version {draft.version}" if draft.version > 1 else ""
    about = f"\n{draft.plan_id} · as of {draft.as_of} · {_status(draft)}{version} · "
    why = orphaned(store, draft.person, draft.patient_id)
    alone = f"\nOrphaned: made for {named(draft.person)}, and {why}. It can only be rejected." if why else ""
    say(Text.assemble((title, "bold"), about, outcome, (alone, "bold red")))
    if form.warning:
        say(f"\n{form.warning}", style="bold red")
    return form


def _changes(draft: Draft) -> None:
    """What people changed, and where the draft says otherwise than the chart since."""
    for change in draft.edits:
        said = "; ".join(f"{key} = {value}" for key, value in change.values.items())
        why = f" ({change.why})" if change.why else ""
        say(f"\nChanged by {change.by}, {change.when:%Y-%m-%d %H:%M}: {said}{why}")
    for contradiction in draft.contradicts:
        say(f"Contradicts the chart: {contradiction}", style="bold yellow")


def _papers(files: Mapping[str, Path]) -> None:
    """One path a line, never wrapped, so that it can be copied."""
    say("\nPapers", style="bold")
    for name, title in titled(files):
        tell(f"  {title[:1].upper() + title[1:]:<18}{_near(files[name])}")


def _gaps(form: PARequest) -> None:
    on_file = [paper.label for paper in form.attachments if paper.record_id and not paper.enclosed]
    attach = f"To be attached ({len(on_file)}): on file by name, and the packet lacks it"
    for title, labels in ((attach, on_file), (f"Missing ({len(form.missing)})", form.missing)):
        if labels:
            _listed(title, labels, "bold yellow")
    if not form.missing:
        say("\nNothing that the form requires is missing.", style="green")


def _listed(title: str, lines: Iterable[str], style: str = "bold") -> None:
    say(f"\n{title}", style=style)
    for line in lines:
        say(line, indent=2)


def _next(draft: Draft, form: PARequest) -> None:
    review = f"pa review {draft.id}"
    if draft.status == "approved":
        send = SENDING[form.channel].format(payer=form.payer)
        follow = f"Follow what becomes of it: pa case open --draft {draft.id}"
        steps = [f"Have the prescriber sign; then {send}. Paladin sends nothing.", follow]
    elif draft.status == "rejected":
        again = f"pa draft {draft.patient_id} {draft.drug} --again"
        steps = [f"Mend what was wrong and draft again: {again}"]
    else:
        steps = [f"Read it: {review}"]
        if form.exceptions and any(f.id == "exception_statement" and not f.value for f in form.fields):
            steps.append(f"Say why it is excepted: {review} --set statement='WORDS' --by NAME")
        if form.missing:
            fill = f"{review} --set 'FIELD=VALUE' --by NAME"
            steps.append(f"Fill what is missing: pa chart add, then draft again; or {fill}")
        steps.append(f"Decide: {review} --approve --by NAME, or --reject --reason WHY --by NAME")
    _listed("Next", steps)


def _status(draft: Draft) -> str:
    return WAITING.get(draft.status, draft.status).replace("waits", "waiting for review")


def _name(draft: Draft, store: Store) -> str:
    """Whose it is, whoever bears the id now."""
    if draft.person:
        return named(draft.person).partition(",")[0]
    try:
        return store.patient(draft.patient_id).name
    except NotFound:  # the world was replaced since
        return ""


def _near(path: Path) -> Path:
    """The path from here, if it lies below."""
    try:
        return path.resolve().relative_to(Path.cwd())
    except ValueError:
        return path
