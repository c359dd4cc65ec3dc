"""What is bound is what pypdf, which knows nothing of how it was made, finds in the papers."""

from __future__ import annotations

from io import BytesIO

import pytest
from pypdf import PdfReader

from agent.batch.binder import BoundSection, bind, pages_of
from agent.batch.checking import BatchRequest
from agent.batch.drafting import Drafter
from agent.batch.merging import ORDER
from agent.drafts.requests import DraftRequest
from tests.agent.batch.conftest import WHEN
from tools.common.errors import Invalid
from tools.domain.records import Request
from tools.store import Store


@pytest.fixture(scope="module")
def groups(world) -> list[BoundSection]:  # type: ignore[no-untyped-def]
    store = Store.open(f"sqlite:///{world / 'paladin.db'}")
    drafter, found = Drafter(store), list[BoundSection]()
    for patient in store.find_patients(limit=60):
        wanted = BatchRequest(
            asking=DraftRequest(patient_id=patient.id, request=Request(drug="Ozempic")), folder="x"
        )
        made = drafter.draft(wanted, drafter.look_up(wanted), 1, WHEN)
        if made.papers and len(found) < 6:
            papers = [made.papers[name] for name in ORDER if name in made.papers]
            found.append(BoundSection(f"{patient.name} (ä)", papers))
    store.close()
    return found


def test_every_page_is_there_in_its_order(groups: list[BoundSection]) -> None:
    bound = PdfReader(BytesIO(bind("All", groups)), strict=True)
    single = [PdfReader(BytesIO(paper)) for group in groups for paper in group.papers]
    expected = [page.extract_text() for reader in single for page in reader.pages]
    assert [page.extract_text() for page in bound.pages] == expected
    assert [pages_of(paper) for group in groups for paper in group.papers] == [len(r.pages) for r in single]


def test_every_field_keeps_its_value_under_its_case(groups: list[BoundSection]) -> None:
    expected = {}
    for number, group in enumerate(groups):
        for at, paper in enumerate(group.papers):
            prefix = f"case{number}" if at == 0 else f"case{number}_{at}"
            for name, field in (PdfReader(BytesIO(paper)).get_fields() or {}).items():
                expected[f"{prefix}.{name}"] = (field.get("/FT"), field.get("/V"))
    found = PdfReader(BytesIO(bind("All", groups)), strict=True).get_fields() or {}
    assert expected
    assert {name: (f.get("/FT"), f.get("/V")) for name, f in found.items() if "." in name} == expected


def test_bookmarks_lead_to_the_first_page_of_each_group(groups: list[BoundSection]) -> None:
    bound = PdfReader(BytesIO(bind("All", groups)))
    firsts, page = [], 0
    for group in groups:
        firsts.append((group.title, page))
        page += sum(pages_of(paper) for paper in group.papers)
    assert [(mark.title, bound.get_destination_page_number(mark)) for mark in bound.outline] == firsts


def test_the_same_papers_are_bound_to_the_same_bytes(groups: list[BoundSection]) -> None:
    assert bind("All", groups) == bind("All", groups)


def test_what_looks_like_a_reference_in_a_value_is_left_alone() -> None:
    from agent.batch.binder import _shifted

    body = b"<< /V (5 0 R and \\(7 0 R\\)) /Next 5 0 R >>\nstream\n5 0 R\nendstream"
    assert _shifted(body, 10) == b"<< /V (5 0 R and \\(7 0 R\\)) /Next 16 0 R >>\nstream\n5 0 R\nendstream"


def test_a_pdf_of_somebody_else_is_refused() -> None:
    with pytest.raises(Invalid, match="none that Paladin wrote"):
        bind("x", [BoundSection("x", [b"%PDF-1.5\nstartxref\n0\n%%EOF"])])
