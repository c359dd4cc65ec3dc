"""The catalogue of messages: what the engine makes, its templates have; and what they come to."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec
import pytest

from tools.domain.records import Finding
from tools.messages import Message, action, both, catalogue, choice, iso, message, render, term
from tools.messages.catalogue import Optional, Slot, compiled

ROOT = Path(__file__).parents[2]
ROWS = catalogue.catalogue("en").rows
FORMS = ("text", "said", "named", "limit")
CONTEXT = {"she", "only", "parts"}  # what whoever renders adds


def _sources() -> Iterator[ast.AST]:
    for room in ("tools", "agent"):
        for file in sorted((ROOT / room).rglob("*.py")):
            yield ast.parse(file.read_text(), str(file))


def _texts(node: ast.AST) -> set[str]:
    return {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def _made() -> Iterator[tuple[str, set[str] | None]]:
    """Each code that is made, with the names of its parameters; None where they are not all written there."""
    for tree in _sources():
        for node in ast.walk(tree):
            name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
            if name in ("message", "action") and isinstance(node, ast.Call) and node.args:
                names = {word.arg for word in node.keywords}
                known = None if None in names else {str(one) for one in names}
                if isinstance(node.args[0], ast.Constant | ast.IfExp):
                    for code in _texts(node.args[0]) & ROWS.keys():
                        yield code, known


def _wanted(code: str) -> set[str]:
    """The parameters without which a template of this code cannot be filled."""
    row = ROWS[code]
    forms = [compiled(row.template(form)) for form in FORMS]
    slots = [one for pieces in forms for one in pieces if isinstance(one, Slot)]
    return {slot.name for slot in slots} - CONTEXT


@pytest.mark.slow
def test_what_is_made_has_a_template_and_all_that_it_needs() -> None:
    made = list(_made())
    assert len(made) > 150
    for code, names in made:
        assert names is None or _wanted(code) <= names, code


@pytest.mark.slow
def test_every_day_is_given_as_its_text() -> None:
    """Else a finding that was stored would be another one than it was."""
    days = 0
    for tree in _sources():
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
                continue
            codes = _texts(node.args[0]) & ROWS.keys() if node.func.id in ("message", "action") else set()
            dated = {slot.name for code in codes for slot in _slots(code) if slot.rule == "date"}
            for word in node.keywords:
                if word.arg in dated:
                    days += 1
                    assert "iso(" in ast.unparse(word.value), ast.unparse(node)
    assert days > 40


def _slots(code: str) -> Iterator[Slot]:
    def of(pieces: catalogue.Pieces) -> Iterator[Slot]:
        for piece in pieces:
            if isinstance(piece, Slot):
                yield piece
            elif isinstance(piece, Optional):
                yield from of(piece.pieces)

    for form in FORMS:
        yield from of(compiled(ROWS[code].template(form)))


@pytest.mark.slow
def test_no_template_is_for_nothing() -> None:
    used = set[str]()
    built = set[str]()
    for tree in _sources():
        used |= _texts(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                built.add(str(node.values[0].value))
    prefixes = tuple(text for text in built if re.fullmatch(r"[a-z]+\.", text))
    assert [code for code in ROWS if code not in used and not code.startswith(prefixes)] == []


def test_each_code_stands_once() -> None:
    lines = [line for file in (catalogue.FOLDER / "en").glob("*.jsonl") for line in file.open()]
    assert len(lines) == len(ROWS)


def test_every_rule_of_a_slot_is_known() -> None:
    grammar = catalogue.catalogue("en").grammar
    amounts = {"date", "number", "plural", "amount", "comparison", "cardinal", "sign"}
    known = {"", "test", "article", "use", "term", "has", *amounts, *grammar.lists}
    for code in ROWS:
        assert {slot.rule for slot in _slots(code)} <= known, code


RESPONSE = message("trial.response", drug="metformin", outcome="Intolerance - GI side effects")
AGE = message("age.years", years=3)


@pytest.mark.parametrize(
    ("one", "form", "text"),
    [
        (message("lab.none", test="hba1c", end=None), "text", "no HbA1c on record"),
        (message("lab.none", test="hba1c", end=iso(date(2026, 1, 2))), "text", "no HbA1c on record by 2026-01-02"),
        (message("fills.days", covered=0, wanted=90, in_a_row=False), "text", "fills cover 0 of 90 days"),
        (message("lab.after_course", found=AGE, drug="x", least="2 weeks", since="y"), "text",
         "age 3 (x had been taken for 2 weeks by y)"),
        (RESPONSE, "text", "metformin: intolerance (GI side effects)"),
        (RESPONSE, "said", "metformin: intolerance (GI side effects)"),
        (message("units", quantity=1, unit="pen"), "text", "1 pen"),
        (message("units", quantity=2.5, unit="pen"), "text", "2.5 pens"),
        (message("units", quantity=3, unit="mL"), "text", "3 mL"),
    ],
)  # fmt: skip
def test_what_lacks_a_value_is_left_out_and_amounts_agree_with_their_number(
    one: Message, form: str, text: str
) -> None:
    assert render(one, form) == text


def test_several_steps_are_one_whose_turn_is_the_first_ones() -> None:
    one, other, third = (action("try", drug=name, days=None, dose=None) for name in ("A", "B", "C"))
    assert (term("medications"), term("metformin")) == ("medication list", "metformin")
    assert render(both([one, other])) == "Try A; and try B"
    assert render(choice([one, other], 1)) == "Try A, or try B"
    assert render(choice([one, other, third], 2)) == "Two of: try A; try B; try C"
    assert both([one, other]).actor == "clinician"
    assert both([one, other]).rank > action("obtain_history").rank


def test_a_stored_finding_is_the_same_as_one_just_made() -> None:
    found = message("several", found=(message("trial.never", drug="x"), message("age.years", years=40)))
    step = both(
        [
            action("try", drug="x", days=30, dose=None),
            action("obtain_new", test="bmi", day=iso(date.min), days=3),
        ]
    )
    finding = Finding(criterion="a", status="not_met", text="a", found=found, action=step)
    assert msgspec.json.decode(msgspec.json.encode(finding), type=Finding) == finding
    assert msgspec.convert(msgspec.to_builtins(finding), Finding) == finding


def test_another_language_is_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grammar = (catalogue.FOLDER / "en" / "grammar.json").read_text().replace('" and "', '" y "')
    (tmp_path / "es").mkdir()
    (tmp_path / "es" / "grammar.json").write_text(grammar)
    (tmp_path / "es" / "all.jsonl").write_text(
        '{"code": "doubt.records", "text": "los registros de {what:term} no coinciden: {sides:and}"}\n'
    )
    monkeypatch.setattr(catalogue, "FOLDER", tmp_path)
    said = render(message("doubt.records", what="Ozempic", sides=("a", "b")), language="es")
    catalogue.catalogue.cache_clear()
    assert said == "los registros de Ozempic no coinciden: a y b"
