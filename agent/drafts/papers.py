"""The papers of a draft: the payer's form, the letter, what goes with them, as files and always the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import msgspec

from agent.drafts.letter_wording import Reworded, Wording, worded
from agent.models.model import Model
from agent.runtime.dump import to_json
from tools.common import sealed
from tools.common.atomic import write_atomically
from tools.domain.records import PARequest
from tools.papers.case import Case
from tools.papers.covers import cover
from tools.papers.form_pdf import render_pdf
from tools.papers.forms import fill
from tools.papers.letter_pdf import letter_pdf
from tools.papers.letters import Letter
from tools.papers.letters import letter as write_letter
from tools.papers.packet import packet
from tools.papers.payer_form import filled_pdf
from tools.store.rows import Draft, DraftFile, whose
from tools.store.store import Store

TITLES = {
    "packet": "Packet to send",
    "form_pdf": "Form to sign",
    "form": "Form as data",
    "letter_pdf": "Letter",
    "letter": "Letter, text",
    "letter_md": "Letter, Markdown",
    "cover": "Goes with it",
    "determination": "Determination",
}


def titled(names: Iterable[str]) -> list[tuple[str, str]]:
    """Papers by name and title, in the order in which they are needed."""
    left = set(names)
    ordered = [*(name for name in TITLES if name in left), *sorted(left - TITLES.keys())]
    return [(name, TITLES.get(name, name.replace("_", " "))) for name in ordered]


def fill_form(store: Store, case: Case) -> PARequest:
    """The payer's form, filled from the case; what is missing is listed and never guessed."""
    return fill(store.form(case.plan.id, case.request.form), case)


def write(store: Store, case: Case, form: PARequest, folder: Path, letter: Letter) -> dict[str, DraftFile]:
    """Print everything that goes to the payer into a folder; a file is there whole or not at all."""
    stem = f"{case.patient.id}-{case.drug.name}"
    files: dict[str, DraftFile] = {}
    for name, (file, content) in printed(store, case, form, letter).items():
        path = folder / f"{stem}-{file}"
        sealed.write(path, content)
        files[name] = DraftFile(path=str(path), sha256=sha256(content).hexdigest())
    return files


def kept_letter(said: Reworded, asking: object = None, chart: str = "") -> bytes:
    """The letter as a draft has it: as it is composed, in words, and whose they are; and what was asked for and looked
    up, from which the workflow goes on.

    Args:
        asking: a DraftRequest with nothing left out.
        chart: the fingerprint of the records.
    """
    letter = said.letter
    kept = {"text": letter.text, "markdown": letter.markdown, "wording": said.wording}
    begun = {"begun": {"asking": asking, "chart": chart}} if asking else {}
    return msgspec.json.encode({**msgspec.to_builtins(letter), **kept, **begun})


def draft_of(
    case: Case, form: PARequest, letter: bytes, files: dict[str, DraftFile], *, thread: str, when: datetime
) -> Draft:
    """The draft of a case as a person reviews it; `letter` is what kept_letter made of it."""
    return Draft(
        patient_id=case.patient.id,
        drug=case.drug.name,
        plan_id=case.plan.id,
        as_of=case.as_of,
        thread_id=thread,
        outcome=case.determination.outcome,
        determination=msgspec.json.encode(case.determination),
        pa_request=msgspec.json.encode(form),
        letter=letter,
        files=files,
        created=when,
        updated=when,
        person=whose(case.patient, case.plan.id),
    )


def compose(store: Store, case: Case, model: Model | None = None) -> Reworded:
    """The letter of this case, in the model's words where they hold, or in code's."""
    return worded(write_letter(case, store.form(case.plan.id).units), case, model)


def wording(draft: Draft) -> Wording:
    """Who worded the draft's letter."""
    return msgspec.convert(msgspec.json.decode(draft.letter).get("wording", {}), Wording)


def recompose(store: Store, draft: Draft, before: Case, now: Case) -> Reworded:
    """The letter of a draft whose case was revised: the one that it has, in whose words it is, if the case says the
    same as before; else a new one, in code's."""
    units = store.form(now.plan.id).units
    written = write_letter(now, units)
    same = written == write_letter(before, units)
    return composed(store, draft, before) if same else Reworded(written, Wording())


def composed(store: Store, draft: Draft, case: Case) -> Reworded:
    """The letter that this draft was made with."""
    kept = msgspec.json.decode(draft.letter)
    if "blocks" not in kept:  # made before letters were kept as they are composed
        return compose(store, case)
    fields = {name: kept[name] for name in Letter.__struct_fields__ if name in kept}
    return Reworded(msgspec.convert(fields, Letter), wording(draft))


def printed(
    store: Store, case: Case, form: PARequest, letter: Letter, *, apart: bool = True
) -> Mapping[str, tuple[str, bytes]]:
    """File name and content of each paper.

    Args:
        apart: form and letter also as a PDF of their own, beside the packet that holds both, and form and determination
            as JSON, beside the case that a batch keeps as one.
    """
    template = store.form(case.plan.id, case.request.form)
    own = filled_pdf(template, form, case, store.payer_pdf(template)) if template.pdf else b""
    whole = packet(template, form, case, letter, store.file, own)
    beside = cover(template, form, case, whole.pages)
    papers = {
        "packet": ("packet.pdf", whole.content),
        "letter": ("letter.txt", letter.text.encode()),
        "letter_md": ("letter.md", letter.markdown.encode()),
        "cover": (beside.file, beside.content),
    }
    if not apart:
        return papers
    return papers | {
        "form_pdf": ("form.pdf", own or render_pdf(template, form, case)),
        "letter_pdf": ("letter.pdf", letter_pdf(letter)),
        "form": ("form.json", to_json(form).encode()),
        "determination": ("determination.json", to_json(case.determination).encode()),
    }


def copy(draft: Draft, folder: Path) -> dict[str, Path]:
    """The draft's files again in a folder of the person's choice."""
    copied: dict[str, Path] = {}
    for name, file in draft.files.items():
        source = Path(file.path)
        copied[name] = folder / source.name
        write_atomically(copied[name], sealed.read(source))
    return copied
