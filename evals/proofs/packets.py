"""Sixty packets, printed and read back: what a specialist at the payer's desk looks for, as far as code can see it.

    python -m evals.proofs packets                      prints the list and what fails
    python -m evals.proofs packets out=out/packets      and leaves the packets there, to be looked at

The packets go round the ten plans, and on each round the outcomes, kinds and drugs; every tenth is on a payer's PDF.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from io import BytesIO
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pypdfium2
from pypdf import PdfReader

from agent.drafts import papers
from agent.ledger import Ledger
from agent.verification.checker import lines_of, verify
from agent.verification.known_facts import enter_bound
from evals.pages import Figures
from evals.proofs.homes import OWN, PATIENTS, cases_to_draft, open_world
from tools.domain.records import FilledField, PARequest
from tools.messages import render
from tools.papers.attachments import enclosures
from tools.papers.blocks import Letter
from tools.papers.case import Case
from tools.queries.bound import Bound
from tools.store.store import Store
from tools.terminology.observations import TESTS

HOW_MANY = 60
# Parts of a chart whose records' ids no paper shows.
WITH_IDS = (
    "observations", "medications", "conditions", "fills", "notes", "programs", "attestations", "documents",
)  # fmt: skip


@dataclass
class Sent:
    """One packet with the form and the letter that are in it, and what each was made of."""

    store: Store
    case: Case
    request: PARequest
    letter: Letter
    papers: dict[str, bytes]

    @property
    def name(self) -> str:
        form = f" on {self.request.form_id}" if self.on_payers_pdf else ""
        return f"{self.case.patient.id} {self.case.drug.name}, {self.case.plan.id}{form}"

    @property
    def date_format(self) -> str:
        return self.store.form(self.case.plan.id, self.case.request.form).date_format

    @property
    def on_payers_pdf(self) -> bool:
        return bool(self.case.request.form)

    @cached_property
    def packet(self) -> list[str]:
        """The words of each page, in a line."""
        return [_flat(page) for page in _texts(self.papers["packet"])]

    @cached_property
    def form_pages(self) -> list[str]:
        return _texts(self.papers["form_pdf"])

    @cached_property
    def letter_pages(self) -> list[str]:
        return _texts(self.papers["letter_pdf"])

    @property
    def form_text(self) -> str:
        return " ".join(self.form_pages)

    @property
    def letter_text(self) -> str:
        return " ".join(self.letter_pages)

    @cached_property
    def fields(self) -> dict[str, str]:
        found = PdfReader(BytesIO(self.papers["form_pdf"])).get_fields() or {}
        return {name: str(field.get("/V", "")).removeprefix("/") for name, field in found.items()}

    @property
    def empty(self) -> list[FilledField]:
        """Required boxes in which nothing stands."""
        return [field for field in self.request.fields if field.required and not field.value]

    @property
    def said(self) -> str:
        """All words of the packet, in a line."""
        return " ".join(self.packet)


def _flat(text: str) -> str:
    return " ".join(text.split())


def _texts(pdf: bytes) -> list[str]:
    """Each page's words as they are printed, values of fields too."""
    with pypdfium2.PdfDocument(pdf) as document:
        document.init_forms()
        for page in document:
            pypdfium2.raw.FPDFPage_Flatten(page.raw, pypdfium2.raw.FLAT_PRINT)
        buffer = BytesIO()
        document.save(buffer)
    with pypdfium2.PdfDocument(buffer.getvalue()) as printed:
        return [page.get_textpage().get_text_range() for page in printed]


# --- the list: what is wrong with a packet, by each check --------------------------------------------------

Check = Callable[[Sent], Iterator[str]]
RAW_UNITS = ("{", "}", "mm[Hg]", "10*3", "kg/m2/", "[iU]", "[lb_av]", "10^3")
SEAMS = (
    r"\b[Aa] [aeio][a-z]{3,}", r"\b[A-Z][a-z]+ er\b", r"\bNone\b(?! on record)", r"\d+ hours\b.*sleep", r"\b_\w+",
)  # fmt: skip


def _identity(sent: Sent) -> Iterator[str]:
    patient, covered = sent.case.patient, sent.case.coverage
    for at, page in enumerate(sent.packet, 1):
        for what in filter(None, (patient.name, covered.member_id if covered else "", "born")):
            if what not in page:
                yield f"page {at} lacks {what}"


def _counted(sent: Sent) -> Iterator[str]:
    for at, page in enumerate(sent.packet, 1):
        if f"page {at} of {len(sent.packet)}" not in page:
            yield f"page {at} does not say so"
        if f"our reference {sent.case.patient.id}-{sent.case.drug.name}" not in page:
            yield f"page {at} has no reference"


def _contents(sent: Sent) -> Iterator[str]:
    first = sent.packet[0]
    if f"In this packet ({len(sent.packet)} pages)" not in first:
        yield "the count is another one"
    last = [int(number) for number in re.findall(r"page (?:\d+ to |s \d+ to )?(\d+)(?= |$)", first)]
    if last and max(last[:-2], default=0) > len(sent.packet):
        yield "its list goes beyond the packet"


def _enclosed(sent: Sent) -> Iterator[str]:
    first = sent.packet[0]
    for paper in sent.request.attachments:
        if paper.enclosed and paper.label not in first:
            yield f"{paper.label} is not in the list"
    for label in sent.request.to_attach:
        if "still to be attached" not in first.casefold() or label not in first:
            yield f"{label} is lacking, and not said to be"


def _cover(sent: Sent) -> Iterator[str]:
    if "cover" in sent.papers and sent.papers["cover"].startswith(b"%PDF"):
        words = _flat(" ".join(_texts(sent.papers["cover"])))
        counts = [int(number) for number in re.findall(r"(\d+) pages", words)]
        if counts and not {len(sent.packet), len(sent.packet) + 1} & set(counts):
            yield f"the cover counts {counts}, the packet has {len(sent.packet)}"


def _no_orphan(sent: Sent) -> Iterator[str]:
    for at, page in enumerate(sent.letter_pages, 1):
        lines = [line for line in page.splitlines() if line.strip()]
        signed = next((place for place, line in enumerate(lines) if line.startswith("Signature")), None)
        if signed is not None and signed < 4:
            yield f"page {at} of the letter"
    for at, page in enumerate(sent.form_pages, 1):
        if "Date signed" in page and "ignature" not in page:
            yield f"page {at} of the form has the date that belongs to a signature"


def _one_page(sent: Sent) -> Iterator[str]:
    if not any(line.startswith("Signature") for line in sent.letter_pages[0].splitlines()):
        yield "the signature is not on the first"


def _held(sent: Sent) -> Iterator[str]:
    if sent.on_payers_pdf:
        return
    for field in sent.request.fields:
        if sent.fields.get(field.id, "").removeprefix("Off").split() != field.value.split() and not any(
            name.startswith(f"{field.id}.continued") for name in sent.fields
        ):
            yield f"{field.id}: {sent.fields.get(field.id)!r}, not {field.value!r}"


def _apart(sent: Sent) -> Iterator[str]:
    for page in PdfReader(BytesIO(sent.papers["form_pdf"])).pages:
        boxes = [tuple(map(float, mark.get_object()["/Rect"])) for mark in page.get("/Annots") or ()]
        for at, one in enumerate(boxes):
            if one[0] < 0 or one[1] < 0 or one[2] > 612 or one[3] > 792:
                yield f"a field at {one}"
            if any(_covers(one, other) for other in boxes[at + 1 :]):
                yield f"a field covers another at {one}"


def _columns(sent: Sent) -> Iterator[str]:
    columns: dict[str, list[str]] = {}
    for field in sent.request.fields:
        name, _, row = field.id.rpartition(".")
        if row.isdigit() and field.type != "lines":
            columns.setdefault(name, []).append(field.value)
    dated = [m for m in sent.case.trials if m.start and (m.end or m.status == "active")]
    for name, values in columns.items():
        if "days" in name and dated and not any(values):
            yield f"{name}: {len(values)} rows"


def _type_size(sent: Sent) -> Iterator[str]:
    if sent.on_payers_pdf:
        return
    for at, page in enumerate(PdfReader(BytesIO(sent.papers["packet"])).pages, 1):
        content = page.get_contents()
        drawn = content.get_data() if content is not None else b""
        smallest = min(map(float, re.findall(rb"/F\d+(?:\+\d+)? ([\d.]+) Tf", drawn)), default=8)
        if smallest < 8:
            yield f"page {at}: {smallest:g} points"


def _dates(sent: Sent) -> Iterator[str]:
    forms = [] if "%Y-%m-%d" in sent.date_format else sent.form_pages
    yield from re.findall(r"\b\d{4}-\d\d-\d\d\b", " ".join([sent.packet[0], *forms, *sent.letter_pages]))


def _ids(sent: Sent) -> Iterator[str]:
    words = set(re.findall(r"\b[A-Z]{1,4}\d{1,3}\b", sent.said))
    charted = " ".join(_strings(msgspec.to_builtins(sent.case.patient), skip=("id", "order_id")))
    charted += sent.case.policy.text if sent.case.policy else ""
    for part in WITH_IDS:
        for record in getattr(sent.case.patient, part) or ():
            if record.id in words and record.id not in charted:
                yield record.id


def _one_unit(sent: Sent) -> Iterator[str]:
    form, letter = (
        set(re.findall(r"\d (kg\b(?!/m2)|lb\b)", paper)) for paper in (sent.form_text, sent.letter_text)
    )
    for paper in (form, letter):
        if len(paper) > 1:
            yield "kg and lb on one paper"
    if form and letter and len(form | letter) > 1:
        yield "form and letter differ"


def _applies(sent: Sent) -> Iterator[str]:
    letter = sent.letter_text.casefold()
    if (sent.case.patient.sex == "male" or (sent.case.age or 0) > 60) and re.search(r"\bpregnan", letter):
        yield "pregnancy"


def _renewed(sent: Sent) -> Iterator[str]:
    if sent.case.renewal:
        letter = sent.letter_text
        if sent.case.drug.name not in letter.partition("Re:")[2][200:]:
            yield "it is named in the subject alone"


def _besides(sent: Sent) -> Iterator[str]:
    taken = [m.drug for m in sent.case.own if m.end is None]
    for finding in sent.case.findings.values() if taken else ():
        found = finding.found
        if found and found.code == "taking.none" and f"besides {taken[-1]}" not in render(found):
            yield finding.criterion


def _wanted(sent: Sent) -> Iterator[str]:
    enclosed = {record for paper in enclosures(sent.case) for record in paper.records}
    patient, wanted = sent.case.patient, sent.case.plan.enclosures
    notes = [note.id for note in patient.notes if note.status == "signed"]
    files = [document.id for document in patient.documents]
    if "note" in wanted and notes and not enclosed.intersection((*notes, *files)):
        yield "no note of those on file"
    for value in sent.case.labs if "lab" in wanted else ():
        newest = sent.case.newest(value.test) == value and TESTS[value.test].kind == "lab"
        if newest and not enclosed.intersection((*value.record_ids, *files)):
            yield f"no report of {value.test}"


def _issues(sent: Sent, paper: str) -> Iterator[str]:
    ledger = Ledger()
    bound = Bound(sent.store, sent.case.patient.id, as_of=sent.case.as_of, plan_id=sent.case.plan.id)
    enter_bound(ledger, bound, [sent.case.drug.name])
    text = "\n".join(page.extract_text() for page in PdfReader(BytesIO(sent.papers[paper])).pages)
    yield from lines_of(verify(text, ledger))


def _letters(text: str) -> str:
    """Without blanks and hyphens at line ends, by which the same words may be parted."""
    return "".join(text.replace("\ufffe", "-").replace("\x02", "-").split())


def _covers(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(min(one[end], other[end]) - max(one[end - 2], other[end - 2]) > 0.5 for end in (2, 3))


def _strings(item: Any, skip: Sequence[str]) -> Iterator[str]:
    if isinstance(item, dict):
        for key, value in item.items():
            if key not in skip:
                yield from _strings(value, skip)
    elif isinstance(item, list | tuple):
        for part in item:
            yield from _strings(part, skip)
    elif isinstance(item, str):
        yield item


CHECKS: dict[str, Check] = {
    "Each page names the patient, the birth date and the member ID": _identity,
    "Each page bears our reference and counts itself truly": _counted,
    "The first page's count and the pages of its list are those of the packet": _contents,
    "What is called enclosed is in the packet, and what is not is said on its first page": _enclosed,
    "The cover counts the pages of the packet": _cover,
    "No page is empty": lambda sent: (
        f"page {at} has {len(page.split())} words"
        for at, page in enumerate(sent.packet, 1)
        if len(page.split()) < 25
    ),
    "No page holds a signature alone": _no_orphan,
    "The letter argues on one page": _one_page,
    "A ready form has no required box empty": lambda sent: (
        box.label for box in sent.empty if sent.request.ready
    ),
    "A form with a required box empty is not ready, and says which": lambda sent: (
        box.label for box in sent.empty if sent.request.ready or box.label not in sent.request.missing
    ),
    "The fields of the form hold what the request says": _held,
    "Each value is printed on the form": lambda sent: (
        f"{field.label}: {field.value[:60]}"
        for field in sent.request.fields
        if field.type != "choice" and field.value and _letters(field.value) not in _letters(sent.form_text)
    ),
    "Nothing on a form runs out of its page, and no field covers another": _apart,
    "No column of a table is empty where the chart has its values": _columns,
    "Type is not smaller than 8 points, on a payer's PDF than it allows": _type_size,
    "Units are written as people write them": lambda sent: (raw for raw in RAW_UNITS if raw in sent.said),
    "Dates are written as people write them, on the form as it asks": _dates,
    "No internal id of a record is shown": _ids,
    "Weight is in one unit throughout": _one_unit,
    "Every character could be printed": lambda sent: (
        sign for sign in ("\u25a1", "\ufffd", "???") if sign in sent.said
    ),
    "The language has no seams: articles, brand and release names, codes": lambda sent: (
        seam for pattern in SEAMS for seam in re.findall(pattern, f"{sent.form_text} {sent.letter_text}")
    ),
    "Nothing is argued that cannot apply: pregnancy in men and past sixty": _applies,
    "A renewal shows the drug that is renewed among the treatments": _renewed,
    "Who takes the drug that is asked for is not said to take none of its class": _besides,
    "What the form wants with every request is enclosed as far as it is on file": _wanted,
    "Statements of coverage are cited at their current year": lambda sent: (
        year
        for year in re.findall(r"Standards of Care[^.]{0,40}(20\d\d)", sent.letter_text)
        if int(year) < sent.case.as_of.year
    ),
    "`pa verify` finds nothing unsupported in the letter, read back from its PDF": lambda sent: _issues(
        sent, "letter_pdf"
    ),
    "`pa verify` finds nothing unsupported in our form, read back from its PDF": lambda sent: (
        iter(()) if sent.on_payers_pdf else _issues(sent, "form_pdf")
    ),
}

# --- the packets -----------------------------------------------------------------------------------------


def packets(how_many: int = HOW_MANY, patients: int = PATIENTS) -> Iterator[Sent]:
    """As many packets, going round the plans; every tenth is on a payer's own PDF."""
    with TemporaryDirectory() as folder:
        store = open_world(Path(folder), patients)
        for at, case in enumerate(islice(_round(cases_to_draft(store)), how_many)):
            own = OWN[at // 10 % len(OWN)] if at % 10 == 9 else ""
            request = msgspec.structs.replace(case.request, form=own)
            chosen = msgspec.structs.replace(case, request=request) if own else case
            form = papers.fill_form(store, chosen)
            letter = papers.compose(store, chosen).letter
            made = papers.printed(store, chosen, form, letter)
            yield Sent(store, chosen, form, letter, {name: content for name, (_, content) in made.items()})
        store.close()


def _round(found: Iterable[Case]) -> Iterator[Case]:
    """Plan after plan, each time a case of a kind that was had least often."""
    by_plan: dict[str, list[Case]] = {}
    for case in found:
        by_plan.setdefault(case.plan.id, []).append(case)
    had = Counter[str]()
    for plan in cycle(sorted(by_plan)):
        if not any(by_plan.values()):
            return
        if by_plan[plan]:
            chosen = min(by_plan[plan], key=lambda case: sum(had[part] for part in _kind(case)))
            by_plan[plan].remove(chosen)
            had.update(_kind(chosen))
            yield chosen


def _kind(case: Case) -> tuple[str, str, str]:
    """What makes it a different packet."""
    return case.determination.outcome, str(case.kind), case.drug.name


# --- the figures -----------------------------------------------------------------------------------------


def main(count: int = HOW_MANY, out: str = "") -> Figures:
    """How many packets fail each check, and what the first of them say; with a folder they are left there."""
    failed: dict[str, list[str]] = {what: [] for what in CHECKS}
    pages, plans, own, outcomes, digest = 0, set[str](), 0, Counter[str](), sha256()
    for number, sent in enumerate(packets(count), 1):
        for what, check in CHECKS.items():
            if wrong := list(check(sent)):
                failed[what].append(f"{sent.name}: {'; '.join(one[:120] for one in wrong[:3])}")
        pages, own = pages + len(sent.packet), own + sent.on_payers_pdf
        plans.add(sent.case.plan.id)
        outcomes[sent.case.determination.outcome] += 1
        digest.update(sent.papers["packet"])
        if out:
            file = Path(out) / f"{number:02d}-{sent.case.patient.id}-{sent.case.drug.name}.pdf"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(sent.papers["packet"])
    return {
        "packets": outcomes.total(),
        "pages": pages,
        "plans": len(plans),
        "on payers' own PDFs": own,
        "digest": digest.hexdigest()[:12],
        **dict(sorted(outcomes.items())),
        "checks": [{"check": what, "packets that fail": len(wrong)} for what, wrong in failed.items()],
        "wrong": {f"{what}: {one}": 1 for what, wrong in failed.items() for one in wrong[:5]},
    }
