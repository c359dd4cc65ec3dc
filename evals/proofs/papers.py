"""What goes to a payer: enclosures, edits, what is read back from PDF, and how soon it is made."""

from __future__ import annotations

import json
import re
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import msgspec
import pypdfium2
from PIL import Image
from pypdf import PageObject, PdfReader

from agent.drafts import drafting, papers
from agent.drafts.decision import Decision
from agent.drafts.requests import DraftRequest
from agent.runtime.dump import to_json
from agent.runtime.settings import read_settings
from evals.bench import batch as batch_bench
from evals.bench import draft as draft_bench
from evals.measuring import ms, run_pa, set_up
from evals.pages import Figures
from evals.proofs import packets
from evals.proofs.homes import PATIENTS, cases_to_draft, open_world
from evals.proofs.kills.papers import sheet
from tools.charts.additions import OF
from tools.common.errors import PaladinError
from tools.domain.records import Determination, Document, Request
from tools.papers import formats, uploads
from tools.papers.attachments import Enclosure, enclosures
from tools.papers.blocks import Letter
from tools.papers.case import Case
from tools.papers.packet import packet
from tools.papers.paper import identity, pdf_of, reference
from tools.queries.check import ask, decide
from tools.store.rows import Draft
from tools.store.store import Store

PROCESSES, SEED = 2, 7
PEOPLE_A_TASK = 40


# --- enclosures ------------------------------------------------------------------------------------------


def enclosures_hold(count: int = 5000) -> Figures:
    """So many drafts of a world, to whose charts papers were attached at random; what does not hold, by its kind."""
    with TemporaryDirectory() as folder:
        store = open_world(Path(folder), max(60, count // 2))
        url = str(store.engine.url)
        people = [found.id for found in store.find_patients(limit=10**6)]
        store.close()
        tasks = [people[at : at + PEOPLE_A_TASK] for at in range(0, len(people), PEOPLE_A_TASK)]
        drafts = attached = excerpts = 0
        wrong = Counter[str]()
        with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
            for found in pool.map(partial(_drafts_of, url), tasks):
                for one in found:
                    if drafts == count:
                        break
                    drafts, attached, excerpts = drafts + 1, attached + one[0], excerpts + one[1]
                    wrong.update(one[2])
    counts = {"drafts": drafts, "attached files": attached, "excerpts of the chart": excerpts}
    return {**counts, "wrong": dict(wrong)}


def _drafts_of(url: str, people: Sequence[str]) -> list[tuple[int, int, list[str]]]:
    store = Store.open(url)
    try:
        return [enclosed(store, one, Random(f"{SEED} {one.patient.id} {one.drug.name}"))
                for one in cases_to_draft(store, people)]  # fmt: skip
    finally:
        store.close()


def enclosed(store: Store, case: Case, draw: Random) -> tuple[int, int, list[str]]:
    """A draft of this case with papers attached by chance: how many files and excerpts are enclosed, what is wrong."""
    kept: dict[str, bytes] = {}
    papers_attached = tuple(_attached(draw, number, case, kept) for number in range(draw.randint(0, 5)))
    patient = msgspec.structs.replace(case.patient, documents=(*case.patient.documents, *papers_attached))
    asked = ask(store, patient.id, Request(drug=case.drug.name))._replace(patient=patient)
    case = msgspec.structs.replace(case, patient=patient, determination=decide(store, asked))
    form, letter = papers.fill_form(store, case), papers.compose(store, case).letter
    template = store.form(case.plan.id)
    whole = packet(template, form, case, letter, kept.__getitem__)
    found = enclosures(case)
    wrong = []
    if form.attachments != tuple(paper.attachment for paper in found):
        wrong.append("the form lists others")
    if not _lists(letter, found):
        wrong.append("the letter lists others")
    sent = {paper.document.sha256: paper.document for paper in found if paper.enclosed and paper.document}
    wrong += _held(case, whole.content, sent, kept)
    return len(sent), sum(bool(paper.excerpts) for paper in found if paper.enclosed), wrong


def _attached(draw: Random, number: int, case: Case, kept: dict[str, bytes]) -> Document:
    if draw.random() < 0.3:
        buffer = BytesIO()
        Image.frombytes("RGB", (24, 32), draw.randbytes(24 * 32 * 3)).save(buffer, "PNG")
        content = buffer.getvalue()
    else:
        content = pdf_of([sheet(f"sheet {draw.getrandbits(64):x}") for _ in range(draw.randint(1, 3))], "")
    kind, found = draw.choice(sorted(OF)), uploads.inspect(content, "paper")
    kept[found.sha256] = content
    return Document(
        id=f"ATT{number}", title=f"Paper {draw.randint(100, 999)}", of=kind,
        about=draw.choice(["hba1c", "bmi", "weight", "metformin"]), date=case.as_of - timedelta(draw.randint(0, 200)),
        status="signed", sha256=found.sha256, media_type=found.media_type, pages=found.pages,
    )  # fmt: skip


def _lists(letter: Letter, found: Sequence[Enclosure]) -> bool:
    """Does the letter name what is enclosed as enclosed and the rest as lacking, each once and in order?"""
    heading, listed = "", dict[str, list[str]]()
    for block in letter.blocks:
        heading = block.lines[0] if block.kind == "heading" else heading
        if block.kind == "bullet":
            listed.setdefault(heading, []).append(block.lines[0].casefold())
    return all(
        len(lines) == len(labels) and all(label in line for label, line in zip(labels, lines, strict=True))
        for title, enclosed in (("Enclosures", True), ("To be attached", False))
        for lines in (listed.get(title, []),)
        for labels in ([one.attachment.label.casefold() for one in found if one.enclosed == enclosed],)
    )


def _held(case: Case, content: bytes, sent: dict[str, Document], kept: dict[str, bytes]) -> Iterator[str]:
    """What the packet has too much or too little."""
    pages = PdfReader(BytesIO(content)).pages
    foot = _bare(f"{identity(case)} · our reference {reference(case)}")
    streams = [_operators(page) for page in pages]
    with pypdfium2.PdfDocument(content) as document:
        texts = [page.get_textpage().get_text_range() for page in document]
    printed = [_bare(text).replace(f"{foot}page{at}of{len(pages)}", "") for at, text in enumerate(texts, 1)]
    found, pictures = enclosures(case), [_pictures(page) for page in pages]
    for digest, content in kept.items():
        is_pdf = content.startswith(b"%PDF")
        for page in uploads.printed_pages(content, uploads.PDF if is_pdf else "image/png"):
            if is_pdf:
                places = sum(_operators(page) in stream for stream in streams)
            else:
                places = sum(_pictures(page) == there for there in pictures)
            if places != (digest in sent):
                yield f"a page of a file is there {places} times, {'listed' if digest in sent else 'not listed'}"
    words = "".join(printed)
    excerpts = [line for paper in found for one in paper.excerpts for line in one.lines]
    if not all(_bare(formats.printable(line, signs=True)) in words for line in excerpts):
        yield "a line of an excerpt is not there"
    if not all(_bare(paper.attachment.label) in "".join(printed[:2]) for paper in found):
        yield "the first page does not name a document"
    contents = " ".join(" ".join(texts[:2]).split())
    ends = [int(last) for last in re.findall(r": pages? (?:\d+ to )?(\d+)\b", contents)]
    if f"({len(pages)} pages)" not in contents or len(pages) not in ends:
        yield "the first page counts other pages"


def _bare(text: str) -> str:
    return "".join(text.split())


def _operators(page: PageObject) -> bytes:
    """A page's drawing, byte for byte but for the names of its fonts, which are its own in each file."""
    content = page.get_contents()
    return re.sub(rb"/F\d+(?:[+-]\d+)*", b"/F", content.get_data()).strip() if content is not None else b""


def _pictures(page: PageObject) -> list[bytes]:
    return [one.image.tobytes() for one in page.images if one.image is not None]


# --- edits -----------------------------------------------------------------------------------------------


def edits(count: int = 500) -> Figures:
    """So many random edits of drafts of all kinds; each leaves papers that agree, or changes nothing."""
    draw, when = Random(SEED), datetime(2026, 9, 1, 12, tzinfo=UTC)
    changed = refused = 0
    wrong = Counter[str]()
    with TemporaryDirectory() as folder:
        store = open_world(Path(folder), 60)
        settings = read_settings({"PALADIN_HOME": folder})
        found = list(cases_to_draft(store))
        with drafting.workflow(settings) as graph:
            while changed + refused < count:
                case = draw.choice(found)
                asking = DraftRequest(patient_id=case.patient.id, request=Request(drug=case.drug.name))
                number = drafting.draft(graph, store, settings, asking).draft.id
                for _ in range(10):
                    when += timedelta(minutes=1)
                    before = store.draft(number)
                    files = contents(before)
                    edits = an_edit(draw, before, store)
                    decision = Decision(action="edit", by="R. Lee", when=when, edits=edits)
                    try:
                        after = drafting.decide(graph, store, settings, number, decision)
                        changed += 1
                    except PaladinError:
                        after = store.draft(number)
                        refused += 1
                        if after != before or contents(after) != files:
                            wrong["a refused edit changed something"] += 1
                    wrong.update(disagreements(after, store))
        store.close()
    return {"edits": changed + refused, "made": changed, "refused": refused, "wrong": dict(wrong)}


def an_edit(draw: Random, draft: Draft, store: Store) -> dict[str, str]:
    """What a person may type into a review, sense or nonsense."""
    form, drug = draft.filled_form(), store.drug(draft.drug)
    field = draw.choice(form.fields)
    ways = [
        {"strength": draw.choice(drug.strengths).label},
        {"quantity": str(draw.choice([1, 2, 3, 30, 0]))},
        {"days_supply": str(draw.choice([28, 30, 90, 1000]))},
        {"kind": draw.choice(["new", "continuation", "renewal"])},
        {"statement": draw.choice(["", f"Words {draw.randint(10, 99)} of the prescriber"])},
        {"expedited": draw.choice(["", f"Reason {draw.randint(10, 99)} why it cannot wait"])},
        {"npi": "2345678902", "prescriber_phone": f"937-555-01{draw.randint(10, 99)}"},
        {"member_id": f"MBR{draw.randint(100, 999)}"},
        {field.id: draw.choice(field.options) if field.options else "By hand"},
    ]
    return draw.choice(ways)


def disagreements(draft: Draft, store: Store) -> Iterator[str]:
    """Where form, data, letter, determination and packet of a draft speak of different requests."""
    form, files = draft.filled_form(), contents(draft)
    request = msgspec.json.decode(draft.determination, type=Determination).request
    letter = files["letter"].decode()
    printed = _bare("".join(page.extract_text() for page in PdfReader(BytesIO(files["packet"])).pages))
    amount = formats.amount(request.quantity or 0, request.unit or store.drug(draft.drug).unit)
    product = f"{request.strength}, {amount} per {request.days_supply} days"
    if request.quantity and not (product in letter and _bare(product) in printed):
        yield "letter or packet asks for another product"
    template = store.form(draft.plan_id, form.form_id)
    sources = {field.id: field.source for section in template.sections for field in section.fields}
    shown = {sources.get(field.id, ""): field.value for field in form.fields}
    wanted = {
        "drug.quantity": amount if request.quantity else "",
        "drug.days_supply": formats.number(request.days_supply),
        "drug.strength": request.strength,
        "drug.kind": (request.kind or "").capitalize(),
    }
    for source, value in wanted.items():
        if shown.get(source, value) != value:
            yield f"the form shows another {source}"
    for source in ("prescriber.phone", "prescriber.npi", "coverage.member_id", "exception.statement"):
        value = shown.get(source, "")
        in_letter = source == "exception.statement" or value in letter
        if value and not (in_letter and _bare(value) in printed):
            yield f"letter or packet shows another {source}"
    for said, what in ((request.statement, "statement"), (request.expedited, "certification")):
        if said and said not in letter:
            yield f"the letter lacks the {what}"
    if msgspec.json.decode(files["form"]) != msgspec.json.decode(to_json(form)):
        yield "the form's data are others"
    if not json.loads(files["determination"])["outcome"] == draft.outcome == form.outcome:
        yield "the determination is another"


def contents(draft: Draft) -> dict[str, bytes]:
    """The papers of a draft by name."""
    return {name: Path(file.path).read_bytes() for name, file in draft.files.items()}


# --- read back -------------------------------------------------------------------------------------------

READ_BACK = tuple(what for what in packets.CHECKS if what.startswith("`pa verify`"))


def read_back(count: int = 500) -> Figures:
    """Letters and forms, read back from their PDF, with what `pa verify` flags in them."""
    read, flagged, examples = 0, 0, list[str]()
    for sent in packets.packets(count, patients=PATIENTS):
        for what in READ_BACK[: 1 if sent.on_payers_pdf else 2]:
            read += 1
            wrong = list(packets.CHECKS[what](sent))
            flagged += bool(wrong)
            examples += [f"{sent.name}: {wrong[0]}"] if wrong else []
        if read >= count:
            break
    return {"papers": read, "flagged": flagged, "wrong": dict.fromkeys(examples, 1)}


# --- speed -----------------------------------------------------------------------------------------------


def speed(count: int = 1000) -> Figures:
    """A draft in a warm process and in a cold one, and a batch of so many cases with all papers."""
    warm = draft_bench.main()
    with TemporaryDirectory() as folder:
        home, _ = set_up(folder, 100)
        days = [f"2026-09-{day:02}" for day in range(1, 10)]
        cold = [run_pa(home, "draft", "P001", "Ozempic", "--force", "--as-of", day) for day in days]
    batch = batch_bench.main(count)["every case with papers, cases/s"]
    wall, cpu = (ms(statistics.median(spent), None) for spent in list(zip(*cold, strict=True))[:2])
    return {
        "a draft with all papers, warm, median ms (aim 60)": warm["ms per draft, median"],
        "`pa draft` cold, median ms by the clock (aim 1,200)": wall,
        "`pa draft` cold, median ms of processor time": cpu,
        f"batch of {count:,} with papers, cases/s by the clock (aim 60)": batch["by the clock"],
        "the same by processor time, on two cores": batch["by processor time, on two cores"],
    }
