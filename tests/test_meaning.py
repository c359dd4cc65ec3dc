"""Nothing in the product reads what a finding means out of its words: it has a code, a reason, an action."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WORDS = ("text", "detail", "fix", "summary")
READS = (
    "startswith", "endswith", "removeprefix", "removesuffix", "partition", "rpartition", "split", "rsplit", "index",
    "find", "count", "replace",
)  # fmt: skip


def readings(source: str) -> Iterator[int]:
    """The lines that look into the words of a finding or a determination."""
    tree = ast.parse(source)
    names = _holders(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=value, attr=attr)) if attr in READS:
                read = [value]
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re"))):
                read = node.args
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[right]):
                tuple_of_words = isinstance(right, ast.Tuple | ast.List | ast.Set)
                read = [node.left] if tuple_of_words else [right]
            case ast.Compare(ops=[ast.Eq() | ast.NotEq()], comparators=[ast.Constant(value=str())]):
                read = [node.left]
            case ast.Subscript(value=value, slice=place) if ast.unparse(place) not in (":1", "1:"):
                read = [value]  # but for its first letter, to write it large
            case _:
                continue
        if any(_is_words(one, names) for one in read):
            yield node.lineno


def _holders(tree: ast.AST) -> set[str]:
    """Names that hold a finding or a determination: by annotation, or taken out of findings or parts."""
    names = {"finding"}
    if not any(
        isinstance(node, ast.alias) and node.name in ("Finding", "Determination") for node in ast.walk(tree)
    ):
        return names
    for node in ast.walk(tree):
        match node:
            case ast.arg(arg=name, annotation=kind) if kind is not None and _names_it(kind):
                names.add(name)
            case ast.AnnAssign(target=ast.Name(id=name), annotation=kind) if _names_it(kind):
                names.add(name)
            case (
                ast.For(target=ast.Name(id=name), iter=of)
                | ast.comprehension(target=ast.Name(id=name), iter=of)
            ):
                if any(word in ast.unparse(of) for word in ("findings", ".parts", "unmet")):
                    names.add(name)
    return names


def _names_it(kind: ast.expr) -> bool:
    return ast.unparse(kind) in ("Finding", "Finding | None", "Determination")


def _is_words(node: ast.expr, names: set[str]) -> bool:
    """Is it the words of one of these, as they are or with something in their place?"""
    match node:
        case ast.Attribute(value=ast.Name(id=name), attr=attr):
            return name in names and attr in WORDS
        case ast.Attribute(value=ast.Attribute(attr=name), attr=attr):
            return name in names and attr in WORDS
        case ast.BoolOp(values=values):
            return any(_is_words(value, names) for value in values)
        case ast.Call(func=ast.Attribute(value=value, attr="casefold" | "lower" | "strip" | "rstrip")):
            return _is_words(value, names)
    return False


@pytest.mark.parametrize(
    "line",
    [
        "finding.fix.startswith('Try ')",
        "(finding.fix or '').removeprefix('Only ')",
        "'Only ' in finding.detail",
        "finding.detail == 'on file'",
        "finding.detail in ('on file', 'too old')",
        "re.search('a', finding.text)",
        "finding.text[:3]",
        "self.finding.detail.casefold().split()",
        "from tools.domain.records import Finding; [part for part in top.parts if part.fix.endswith('.')]",
        "from a import Determination\ndef f(found: Determination) -> str: return found.summary.partition(': ')[2]",
    ],
)
def test_a_reading_is_seen(line: str) -> None:
    assert list(readings(line)) != []


@pytest.mark.parametrize(
    "line",
    ["print(finding.detail)", "finding.found.code == 'a'", "note.text.split()", "[f.fix for f in findings]"],
)
def test_showing_words_is_none(line: str) -> None:
    assert list(readings(line)) == []


@pytest.mark.slow
def test_no_room_reads_meaning_out_of_words() -> None:
    found = []
    for room in ("tools", "agent", "data_gen"):
        for file in sorted((ROOT / room).rglob("*.py")):
            name = file.relative_to(ROOT).as_posix()
            found += [f"{name}:{line}" for line in readings(file.read_text())]
    assert found == []
