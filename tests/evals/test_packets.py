"""The list of checks on packets: what we print passes the ones on pages, and what is wrong is found."""

from collections.abc import Iterator

import pytest

from evals.proofs import packets
from evals.proofs.packets import CHECKS, Sent
from tools.papers.paper import pdf_of

PAGES = [what for what in CHECKS if what.split()[0] in ("Each", "No", "The", "What", "Every")]


@pytest.fixture(scope="module")
def sent() -> Iterator[Sent]:
    yield from packets.packets(1, patients=30)


@pytest.mark.parametrize("what", PAGES)
def test_our_packet_passes(sent: Sent, what: str) -> None:
    assert list(CHECKS[what](sent)) == []


def changed(sent: Sent, **papers: bytes) -> Sent:
    return Sent(sent.store, sent.case, sent.request, sent.letter, sent.papers | papers)


def test_a_page_without_a_name_a_number_or_words_is_found(sent: Sent) -> None:
    nameless = changed(sent, packet=pdf_of([lambda pen: pen.drawString(72, 720, "A page of somebody")], ""))
    failed = {what for what, check in CHECKS.items() if list(check(nameless))}
    assert {
        "Each page names the patient, the birth date and the member ID",
        "Each page bears our reference and counts itself truly",
        "The first page's count and the pages of its list are those of the packet",
        "No page is empty",
    } <= failed


def test_a_signature_alone_a_raw_unit_and_a_date_of_a_machine_are_found(sent: Sent) -> None:
    orphan = changed(sent, letter_pdf=pdf_of([lambda pen: pen.drawString(72, 720, "Signature")], ""))
    assert list(CHECKS["No page holds a signature alone"](orphan))
    raw = changed(
        sent, packet=pdf_of([lambda pen: pen.drawString(72, 720, "71 mL/min/{1.73_m2} on 2026-08-12")], "")
    )
    assert list(CHECKS["Units are written as people write them"](raw)) == ["{", "}"]
    assert "2026-08-12" in list(CHECKS["Dates are written as people write them, on the form as it asks"](raw))


def test_a_value_that_the_form_does_not_show_is_found(sent: Sent) -> None:
    empty = changed(sent, form_pdf=pdf_of([lambda pen: pen.drawString(72, 720, "An empty form")], ""))
    assert list(CHECKS["Each value is printed on the form"](empty))
