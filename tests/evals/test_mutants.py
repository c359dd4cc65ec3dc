"""Bugs are planted in memory only, and noticed."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from evals.agreement.mutants.bugs import BUGS, Bug, CannotPlant, changed, plant
from evals.agreement.mutants.measuring import ask
from evals.agreement.mutants.suites import prepare

RESULTS = Path(__file__).parents[2] / "evals" / "results" / "mutants.json"


def source(module: str) -> str:
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).read_text()


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_the_bug_can_be_planted(bug: Bug) -> None:
    """It fails where the engine was rewritten at that place: then the bug has to be written anew."""
    compile(changed(source(bug.module), bug), bug.module, "exec")


def test_a_bug_without_its_place_is_refused() -> None:
    with pytest.raises(CannotPlant, match="stands 0 times"):
        changed("nothing", BUGS[0])


def test_a_module_that_is_imported_already_is_refused() -> None:
    import tools.engine.criteria  # noqa: F401

    with pytest.raises(CannotPlant, match="imported already"):
        plant(next(bug for bug in BUGS if bug.module == "tools.engine.criteria"))


@pytest.mark.slow
def test_bugs_are_noticed_and_their_absence_too(tmp_path: Path) -> None:
    questions = tmp_path / "questions"
    sizes = prepare(questions, 55, 40, 30, patients=100)
    assert min(sizes.values()) > 10
    before = {bug.module: source(bug.module) for bug in BUGS}
    assert set(ask("-", questions).values()) == {0}
    for name in ("at-least-is-above", "unknown-is-met", "exclusions-skipped"):
        assert any(ask(name, questions, first=True).values()), name
    assert before == {bug.module: source(bug.module) for bug in BUGS}


def test_the_results_stand() -> None:
    results = json.loads(RESULTS.read_text())["mutants"]["measured"]
    assert results["noticed"] == results["bugs"] >= 24
    assert {row["bug"] for row in results["rows"]} == {bug.name for bug in BUGS}
