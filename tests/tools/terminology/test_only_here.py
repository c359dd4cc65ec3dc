"""Drugs, diseases and months are named in tools/terminology and in the catalog, and in no list of code elsewhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.terminology.conditions import conditions
from tools.terminology.matcher import matches
from tools.terminology.medicines import CLASSES, fold
from tools.terminology.observations import tests as known_tests

ROOT = Path(__file__).parents[3]
ROOMS = ("agent", "tools", "data_gen")  # evals are tests by other hands, and the oracle may share nothing
OWN = ("tools/terminology/", "data_gen/catalog/")
KEYS = {*conditions(), *CLASSES, *known_tests()}
MONTH = re.compile(
    r"(?:january|jan|february|feb|april|apr|september|sept?|october|oct|november|nov|december|dec)"
)
REGEX = re.compile(r"[|\\]")

# Files that still have a list of their own, and how many names are in it. It only ever gets shorter: a file that has
# fewer is lowered here, one that has none is taken out, none comes in.
STILL: dict[str, int] = {
    "agent/answers/plan.py": 1,  # the PCN of an insurance card, which is no penicillin
    "agent/answers/wording/findings.py": 2,
    "agent/api/appeals.py": 1,
    "agent/api/batches.py": 1,
    "agent/api/denials.py": 1,
    "agent/api/graph.py": 1,
    "agent/api/orchestrator.py": 1,
    "agent/api/records.py": 1,
    "agent/dialogue/people.py": 2,
    "data_gen/cases.py": 3,
    "data_gen/notes.py": 2,
    "data_gen/people.py": 4,
    "data_gen/realise_courses.py": 6,
    "tools/appeals/reason_findings.py": 1,
    "tools/papers/case.py": 1,
}


@pytest.mark.slow
def test_no_list_of_names_stands_outside_the_terminology() -> None:
    found = {path: len(names) for path, names in _by_file().items() if names}
    more = {path: count for path, count in found.items() if count > STILL.get(path, 0)}
    assert not more, {path: sorted(_by_file()[path]) for path in more}
    fewer = {path: found.get(path, 0) for path, count in STILL.items() if found.get(path, 0) < count}
    assert not fewer, f"lower these in STILL: {fewer}"


def test_a_new_list_would_be_found() -> None:
    assert _names_in(ast.parse('BRANDS = ("ozempic", "glipizide")')) == {"ozempic", "glipizide"}
    assert _names_in(ast.parse('P = r"(?:ozempic|wegovy)"')) == {"ozempic", "wegovy"}
    assert _names_in(ast.parse('W = "january february april".split()')) == {"january", "february", "april"}
    assert (
        _names_in(ast.parse('def f():\n    """Ozempic, Wegovy."""\n    print("Ozempic is covered")')) == set()
    )
    assert _names_in(ast.parse('KEYS = ("t2dm", "hypertension", "insulin")')) == set()


def _by_file() -> dict[str, set[str]]:
    found = {}
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(OWN):
                found[name] = _names_in(ast.parse(path.read_text(encoding="utf-8")))
    return found


def _names_in(tree: ast.AST) -> set[str]:
    """Names in collections, patterns and strings that are split into words; not in sentences and docstrings."""
    return {name for text in _texts(tree) for name in _names_of(text)}


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            yield from map(_text, node.elts)
        elif isinstance(node, ast.Dict):
            yield from map(_text, (*node.keys, *node.values))
        elif isinstance(node, ast.Attribute) and node.attr == "split":
            yield from _text(node.value).split()
        elif REGEX.search(pattern := _text(node)):
            yield from re.split(r"\\[a-zA-Z]|[^A-Za-z0-9 '-]+", pattern)


def _text(node: ast.AST | None) -> str:
    """The string that a node is; "" if it is none."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _names_of(text: str) -> Iterator[str]:
    folded = fold(text)
    if not folded or folded in KEYS or len(folded) < 3:
        return
    spans = matches(text)
    whole = [
        span
        for span in spans
        if span.kind in ("medicine", "condition") and fold(text[span.start : span.end]) == folded
    ]
    if whole or MONTH.fullmatch(folded):
        yield folded
