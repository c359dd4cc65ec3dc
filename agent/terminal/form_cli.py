"""`pa form`: a payer's own PDF, learned once by its words, confirmed by a person, and filled from then on."""

from __future__ import annotations

from pathlib import Path

import msgspec
from typer import Argument, Option

from agent.runtime.dump import plain
from agent.runtime.settings import Settings, read_settings
from agent.runtime.stores import open_store
from agent.terminal.common import Json, group, read_bytes
from agent.terminal.lines import answer, tell
from tools.common.atomic import write_atomically
from tools.common.errors import Invalid, NotFound, Refused, nearest
from tools.common.printable import one_line
from tools.papers import form_mapping, form_reading
from tools.papers.form_reading import HAND, SURE, Proposal
from tools.papers.payer_form import opened

app = group("A payer's own PDF form, filled.")

MOST_BYTES = 20 * 2**20
# What every request has to say; a form without a place for one of them is looked at again.
WANTED = ("patient.name", "patient.birth_date", "coverage.member_id", "prescriber.name", "prescriber.npi")


@app.command()
def learn(
    file: Path = Argument(..., metavar="FILE.pdf", help="The payer's form, empty."),
    out: Path | None = Option(None, metavar="FILE.yaml", help="Where to write; else beside the PDF."),
    title: str = Option("", help="What the form is called; else as the PDF says."),
    as_json: bool = Option(False, "--json", help="Print what was found as one JSON object."),
) -> None:
    """Read a payer's PDF, and write down what of a request goes where."""
    content = _content(file)
    target = out or file.with_suffix(".yaml")
    if target.suffix not in (".yaml", ".yml"):
        raise Invalid(f"{target} is no .yaml; name one, e.g. --out {target.with_suffix('.yaml')}")
    if target.exists():
        raise Refused(f"{target} is there already, with what was mended in it; name another with --out")
    proposals = form_reading.propose(form_reading.read(content, file.name))
    if not proposals:
        raise Invalid(f"{file} has neither fields nor lines to write on; give a mapping with `at` by hand")
    metadata = opened(content, "").metadata
    called = one_line(title or (metadata and metadata.title) or file.stem)
    text = form_mapping.written(target.stem, called, content, "\n".join(form_reading.as_lines(proposals)))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, "utf-8")
    if form_mapping.beside(target).resolve() != file.resolve():
        form_mapping.beside(target).write_bytes(content)
    blanks = [{**plain(p.blank), "sure": round(p.sure, 2), "others": list(p.others)} for p in proposals]
    whole = {"file": str(target), "title": called, "blanks": blanks}
    answer(whole, as_json, lambda: tell("\n".join(_told(target, called, proposals))))


@app.command()
def confirm(
    file: Path = Argument(..., metavar="FILE.yaml", help="The mapping, mended."),
    by: str = Option(..., metavar="NAME", help="Who compared it with the form."),
    plan: str = Option("", metavar="PLAN", help="Write every draft of this plan on it."),
) -> None:
    """Confirm that a mapping is right, and put it where drafts find it."""
    settings = read_settings()
    mapping = form_mapping.read(file)
    form_mapping.compare(mapping, file)
    if plan:
        plan = open_store(settings).plan(plan).id
        _sole(settings, plan, file.stem)
    by, plan = one_line(by), plan or mapping.plan
    text = _with(file.read_text("utf-8"), confirmed=by, plan=plan)
    kept = settings.payer_forms / f"{file.stem}.yaml"
    write_atomically(form_mapping.beside(kept), form_mapping.content_of(file))
    write_atomically(kept, text.encode())
    tell(f"{mapping.title}: {len(mapping.blanks)} places, confirmed by {by}.")
    held = {blank.source for blank in mapping.blanks}
    if lacking := [name for name in WANTED if name not in held]:
        tell(f"It has no place for {', '.join(lacking)}.")
    alone = f"Write a draft on it: pa draft PATIENT DRUG --form {file.stem}"
    tell(f"Drafts of {plan} are written on it." if plan else alone)


@app.command("list")
def list_command(as_json: Json = False) -> None:
    """The forms that were confirmed, and which plans are written on them."""
    known = form_mapping.placed(read_settings().payer_forms)
    whole = [
        {
            "name": name,
            "title": one.title,
            "plan": one.plan,
            "confirmed": one.confirmed,
            "places": len(one.blanks),
        }
        for name, one in known.items()
    ]
    lines = (
        f"{name}  {one.title}  {one.plan or 'by --form'}  confirmed by {one.confirmed}"
        for name, one in known.items()
    )
    none = "No form was confirmed yet. Read a payer's PDF with: pa form learn FILE.pdf"
    answer(whole, as_json, lambda: tell("\n".join(lines) or none))


@app.command()
def remove(name: str = Argument(..., metavar="NAME", help="As `pa form list` has it.")) -> None:
    """Fill this form no more; drafts that were written on it stay as they are."""
    folder = read_settings().payer_forms
    known = form_mapping.placed(folder)
    if name not in known:
        raise NotFound("confirmed form", name, nearest(name, known), "`pa form list` shows them")
    for ending in ("yaml", "pdf"):
        (folder / f"{name}.{ending}").unlink(missing_ok=True)
    tell(f"{known[name].title} is filled no more.")


def _content(file: Path) -> bytes:
    content = read_bytes(file, MOST_BYTES)
    if len(content) > MOST_BYTES:
        raise Invalid(f"{file} has more than {MOST_BYTES // 2**20} MB, as no form has")
    return content


def _sole(settings: Settings, plan: str, name: str) -> None:
    for other, one in form_mapping.placed(settings.payer_forms).items():
        if one.plan == plan and other != name:
            raise Refused(f"{plan} is written on {other} already; first: pa form remove {other}")


def _with(text: str, **values: str) -> str:
    """The file with these keys set, and every comment kept."""
    lines = text.splitlines()
    for key, value in values.items():
        said = f"{key}: {msgspec.json.encode(value).decode()}"
        at = next((at for at, line in enumerate(lines) if line.startswith(f"{key}:")), -1)
        lines[max(at, 0) : at + 1] = [said]
    return "\n".join(lines) + "\n"


def _told(target: Path, title: str, proposals: list[Proposal]) -> list[str]:
    placed = [p for p in proposals if p.blank.source != HAND]
    left = f"{len(proposals) - len(placed)} left to a hand"
    return [
        f"{title}: {len(proposals)} places, {len(placed)} with a value of the request, {left}.",
        *(f"  look at: {p.blank.label} → {p.blank.source} ({p.sure:.0%})" for p in placed if p.sure < SURE),
        f"Written to {target}. Mend it there; then: pa form confirm {target} --by 'YOUR NAME'",
    ]
