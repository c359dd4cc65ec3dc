"""A sample of each proof on what goes to a payer, and that what is wrong is found."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from evals.proofs import papers
from evals.proofs.homes import cases_to_draft, open_world
from evals.proofs.kills import papers as killing
from evals.proofs.kills import sessions
from tools.papers.attachments import enclosures
from tools.store.store import Store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = open_world(tmp_path_factory.mktemp("world"), 12)
    yield opened
    opened.close()


def test_what_is_listed_is_what_is_in_the_packet(store: Store) -> None:
    found = [papers.enclosed(store, one, random.Random(at)) for at, one in
             zip(range(12), cases_to_draft(store), strict=False)]  # fmt: skip
    assert (
        len(found) == 12
        and sum(files for files, _, _ in found) > 0
        and sum(texts for _, texts, _ in found) > 0
    )
    assert [wrong for _, _, wrong in found if wrong] == []


def test_a_paper_that_nobody_listed_is_found(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The form is told that nothing is enclosed, the packet encloses it all the same."""
    plain = papers.papers.fill_form

    def forgetful(*given: object) -> object:
        return msgspec.structs.replace(plain(*given), attachments=())  # type: ignore[arg-type]

    monkeypatch.setattr(papers.papers, "fill_form", forgetful)
    case = next(one for one in cases_to_draft(store) if enclosures(one))
    assert papers.enclosed(store, case, random.Random(1))[2] == ["the form lists others"]


@pytest.mark.slow
def test_random_edits_leave_papers_that_agree_or_are_refused(tmp_path: Path) -> None:
    found = papers.edits(20)
    assert found["edits"] == 20 and found["made"] and found["wrong"] == {}


@pytest.mark.slow
def test_a_session_that_dies_while_a_paper_is_written_is_gone_on_with(tmp_path: Path) -> None:
    (work, *_) = sessions.prepared(killing.CAMPAIGN, tmp_path, 1)
    for point in (
        "paper is recorded",
        "a paper or attachment is written",
        "edit is kept",
        "event is entered",
    ):
        assert sessions.session(killing.CAMPAIGN, tmp_path, point, 1) == -9, point
    assert sessions.session(killing.CAMPAIGN, tmp_path, "", 1) == 0
    opened = Store.open(f"sqlite:///{tmp_path / 'paladin.db'}")
    assert list(killing.left_behind(opened, work)) == []
    opened.close()
