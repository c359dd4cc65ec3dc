"""What strangers' files and names do: hostile files at every door that takes one, and names that would order a terminal
on every screen."""

from __future__ import annotations

import gzip
import io
import json
import os
import struct
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from random import Random
from unittest import mock

from fastapi.testclient import TestClient
from sqlalchemy import select, update
from typer.testing import CliRunner

from agent.cli import app
from agent.runtime.settings import Settings
from evals.pages import Figures
from evals.proofs.api import SEED
from evals.proofs.homes import Answers, a_home, cases_to_draft, client, drafted, key_of
from tools.store.store import Store
from tools.store.tables import CHARTS, PATIENTS

MOST_MB = 300  # of memory that hostile files may add
NAMES = ("a.pdf", "../../a.csv", "a\u202efdp.jsonl", f"{'x' * 150}.tsv", "a.parquet", "a\x1b[2J.csv")

# --- files -----------------------------------------------------------------------------------------------


def _pdf(*objects: bytes) -> bytes:
    """A PDF of these objects, the first of which is its catalog."""
    body = b"%PDF-1.7\n" + b"".join(b"%d 0 obj\n%s\nendobj\n" % one for one in enumerate(objects, 1))
    return body + b"trailer << /Root 1 0 R /Size %d >>\n%%%%EOF\n" % (len(objects) + 1)


def _zeros(megabytes: int) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(1_000_000)) for _ in range(megabytes)) + packer.flush()


def _png(width: int, height: int, data: bytes) -> bytes:
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)), (b"IDAT", data), (b"IEND", b""),
    )  # fmt: skip
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in parts
    )


def _zip() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../paladin.db", bytes(50_000_000))
    return made.getvalue()


def hostile_files() -> dict[str, bytes]:
    """By what each is."""
    unfolding = b"".join(b"%c: &%c [*%c,*%c]\n" % (n + 1, n + 1, n, n) for n in range(97, 120))
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R >>"
    root, pages = b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    packed = _zeros(400)
    stream = b"<< /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (len(packed), packed)
    script = b"<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /JavaScript /JS (app.alert(1)) >> >>"
    row = b"patient_id,drug\n"
    return {
        "nothing": b"",
        "zeros": bytes(1_000_000),
        "no format": bytes(range(256)) * 4_000,
        "a PDF's first line": b"%PDF-1.7\n",
        "a PDF whose pages are their own parent": _pdf(root, b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"),
        "a PDF of two thousand million pages": _pdf(root, b"<< /Type /Pages /Kids [] /Count 2000000000 >>"),
        "a PDF that unfolds to 400 MB": _pdf(root, pages, page, stream),
        "a PDF that runs a script": _pdf(script, pages, page),
        "a PDF nested without end": _pdf(root, b"[" * 100_000 + b"]" * 100_000),
        "a picture of 10^10 points": _png(100_000, 100_000, zlib.compress(bytes(100))),
        "a picture that unfolds to 400 MB": _png(10_000, 10_000, packed),
        "an archive out of its folder": _zip(),
        "a packed file of 400 MB": gzip.compress(bytes(400_000_000), 1),
        "JSON without end": b"[" * 200_000,
        "a bundle of bundles": b'{"resourceType":"Bundle","type":"batch","entry":[{"resource":' * 5_000,
        "a number that nobody counts to": b'{"resourceType":"Bundle","total":1' + b"0" * 100_000 + b"}",
        "no UTF-8": row + b"P001,\xff\xfe\xc0\x80\n",
        "UTF-16": "patient_id,drug\nP001,Ozempic\n".encode("utf-16"),
        "100,000 columns": b"a," * 100_000 + b"\n" + b"1," * 100_000 + b"\n",
        "a cell of a megabyte": row + b'P001,"' + b"x" * 1_000_000 + b'"\n',
        "a quote that never ends": row + b'P001,"Ozempic\n' * 20_000,
        "zeros in a table": row + b"P001,Oz\x00empic\n",
        "a page with a script": b"<html><script>alert(1)</script></html>",
        "orders to a terminal": row + b"P\x1b[2J001,\x9b31mOzempic\x07\n",
        "unfolding YAML": b"a: &a [x,x]\n" + unfolding,
    }  # fmt: skip


def files(count: int = 100) -> Figures:
    """So many hostile files, at the doors that take one in turn: what is answered with a fault, late or raw, and what
    memory it takes."""
    draw, answers = Random(SEED), Answers()
    with a_home() as (store, settings), client(settings) as opened:
        head = {"authorization": f"Bearer {key_of(store, 'admin')}", "origin": "http://localhost"}
        attach = {"kind": "lab", "date": "2026-08-30", "by": "R. Lee", "about": "hba1c"}
        doors = ("attachments", "fhir", "batches", "import")
        calls = [(door, what, content) for what, content in hostile_files().items() for door in doors]
        held = _resident("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins here
        for door, what, content in islice(cycle(calls), count):
            name = draw.choice(NAMES)
            began = time.process_time()
            if door == "attachments":
                sent, params = {**head, "content-type": "application/octet-stream"}, {**attach, "name": name}
                path = "/api/patients/P001/attachments"
                answer = opened.post(path, params=params, content=content, headers=sent)
            elif door == "fhir":
                sent = {**head, "content-type": "application/json"}
                answer = opened.post("/api/fhir/import", content=content, headers=sent)
            else:
                path = "/api/batches" if door == "batches" else "/import"
                answer = opened.post(path, files={"file": (name, content)}, headers=head)
            answers.take(answer, f"at {door} with {what}", time.process_time() - began)
        grown = _resident("VmHWM") - held
    answers.wrong.update({f"memory grew by {grown} MB": 1} if grown > MOST_MB else {})
    slowest = {"slowest, seconds of processor": round(answers.slowest, 2)}
    memory = {f"memory grown by, MB (aim {MOST_MB})": grown}
    return answers.figures("files", {"doors": len(doors)}, slowest | memory)


def _resident(which: str) -> int:
    """Megabytes that this process holds, or held at most, as the kernel says."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(which))
    return int(line.split()[1]) // 1024


# --- names -----------------------------------------------------------------------------------------------

ORDERS = (*range(0x20), *range(0x7F, 0xA0), 0x061C, 0x200B, 0x200E, 0x200F, 0x2028, 0x2029, 0x2060, 0xFEFF,
          *range(0x202A, 0x202F), *range(0x2066, 0x206A))  # fmt: skip
ACTING = {chr(code) for code in ORDERS} - set("\n\t")
FORGED = "READY  forged"  # what a name puts at the beginning of a line


def names(count: int = 100) -> Figures:
    """So many patients with orders in their names, on every screen and page that shows them."""
    draw, wrong = Random(SEED), Counter[str]()
    with a_home(count) as (store, settings), client(settings) as opened:
        drafted(store, settings, 6)
        whose = {one.patient.id: one.drug.name for one in cases_to_draft(store)}
        people = [one.id for one in store.find_patients(limit=count)]
        for person in people:
            # orders of six kinds, and one that begins a line
            orders = "".join(f"{chr(draw.choice(ORDERS))}{draw.choice('aeiou')}" for _ in range(6))
            _rename(store, person, f"{orders}\n{FORGED}\r\n")
        key = key_of(store, "admin")
        shown = Counter[str]()
        for what, where, text in _shown(opened, settings, key, people, whose):
            shown[what] += 1
            shown[f"{what} with such a name"] += "forged" in text
            found = sorted(ACTING & set(text))
            if found or (what == "screens" and any(line.startswith(FORGED) for line in text.splitlines())):
                wrong[f"{where}: {', '.join(f'U+{ord(one):04X}' for one in found) or 'a forged line'}"] += 1
    return {"names": len(people), **shown, "raw": wrong.total(), "wrong": dict(wrong)}


def _rename(store: Store, person: str, name: str) -> None:
    """As an older version would have kept it: what is imported today is cleaned on the way in."""
    with store.engine.begin() as connection:
        this = select(CHARTS.c.body).where(CHARTS.c.patient_id == person)
        chart = json.loads(connection.scalar(this) or b"")
        chart["given"] = chart["family"] = name
        for part in ("notes", "documents", "observations", "conditions", "medications"):
            for record in chart.get(part) or ():
                record.update({key: name for key in ("note", "title", "author") if record.get(key)})
        body = json.dumps(chart).encode()
        connection.execute(update(CHARTS).where(CHARTS.c.patient_id == person).values(body=body))
        connection.execute(update(PATIENTS).where(PATIENTS.c.id == person).values(given=name, family=name))


def _shown(
    opened: TestClient, settings: Settings, key: str, people: list[str], whose: dict[str, str]
) -> Iterator[tuple[str, str, str]]:
    """What each screen and page says: of which kind it is, which it is, and its text."""
    commands: list[tuple[str, ...]] = [
        ("due",), ("due", "--json"), ("renewals",), ("renewals", "--json"), ("review",), ("review", "1"),
        ("case", "list"), ("audit", "who", people[0]), ("screen",),
    ]  # fmt: skip
    for person in people:
        drug = whose.get(person, "Ozempic")
        commands += [("check", person, drug), ("confirm", person, drug)]
        commands += [("chart", "log", person), ("fhir", "export", person)]
    environ = {"PALADIN_HOME": str(settings.home), "PALADIN_MODEL": "offline"}
    with mock.patch.dict(os.environ, environ):
        for command in commands:
            ran = CliRunner().invoke(app, list(command))
            yield "screens", f"pa {' '.join(command[:2])}", ran.stdout + ran.stderr
    pages = ["/", "/patients", "/renewals", "/api/patients", "/api/drafts", "/drafts/1"]
    for person in people:
        pages += [f"/patients/{person}{page}" for page in ("", "/check", "/chat")]
        pages += [f"/api/patients/{person}{page}" for page in ("", "/fhir")]
    for page in pages:
        yield "pages", page, opened.get(page, headers={"authorization": f"Bearer {key}"}).text
