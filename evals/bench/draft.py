"""What one full draft costs: the form filled and as PDF, the letter and its PDF, and what goes with them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import msgspec

from data_gen.catalog_loader import our_catalog
from data_gen.forms import print_forms
from data_gen.world import Order, generate
from tools.domain.records import FormTemplate, Patient, Request
from tools.engine.determine import determine
from tools.engine.request import complete_request
from tools.papers.case import Case
from tools.papers.covers import cover
from tools.papers.form_pdf import render_pdf
from tools.papers.forms import fill
from tools.papers.letter_pdf import letter_pdf
from tools.papers.letters import letter
from tools.papers.packet import packet

AS_OF = date(2026, 9, 1)
PARTS = ("fill", "form_pdf", "letter", "letter_pdf", "packet", "cover")


def main(patients: int = 100) -> dict[str, Any]:
    """Milliseconds per draft, warm, over every case of a fresh world that can be drafted; and by part."""
    forms = print_forms(our_catalog().plans)
    cases = list(_cases(patients))
    for case in cases[:5]:
        _draft(case, forms[case.plan.id])
    timings = [_draft(case, forms[case.plan.id]) for case in cases]
    total = [sum(timing.values()) for timing in timings]
    return {
        "drafts": len(cases),
        "ms per draft, median": round(median(total), 1),
        "ms per draft, p95": round(quantiles(total, n=20)[-1], 1),
        "ms by part, median": {part: round(median(t[part] for t in timings), 2) for part in PARTS},
    }


def _draft(case: Case, template: FormTemplate) -> dict[str, float]:
    ticks = [perf_counter()]
    request = fill(template, case)
    ticks.append(perf_counter())
    render_pdf(template, request, case)
    ticks.append(perf_counter())
    written = letter(case)
    ticks.append(perf_counter())
    letter_pdf(written)
    ticks.append(perf_counter())
    whole = packet(template, request, case, written, _no_file)
    ticks.append(perf_counter())
    cover(template, request, case, whole.pages)
    ticks.append(perf_counter())
    return {part: (end - start) * 1000 for part, (start, end) in zip(PARTS, pairwise(ticks), strict=True)}


def _no_file(digest: str) -> bytes:
    raise LookupError(f"no paper is attached in a world that was made: {digest}")


def _cases(patients: int) -> Iterator[Case]:
    catalog = our_catalog()
    with TemporaryDirectory() as folder:
        generate(Order(count=patients, as_of=AS_OF, out=Path(folder)))
        charts = msgspec.json.decode((Path(folder) / "patients.json").read_bytes(), type=list[Patient])
    for patient in charts:
        plan = catalog.plans[patient.plan_id]
        for drug in catalog.drugs.values():
            asked = complete_request(patient, drug, Request(drug=drug.name))
            found = determine(patient, plan, asked, AS_OF)
            if found.outcome not in ("ready", "needs_documentation"):
                continue
            yield Case(
                patient=patient, plan=plan, drug=drug, request=asked, determination=found,
                policy=catalog.policies.get(found.policy_id), as_of=AS_OF,
            )  # fmt: skip
