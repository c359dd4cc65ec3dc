"""Files in the shapes of many systems, written by hand from the specifications: what must come in of each, and what
must be reported. The key of each stands in `keys.yaml`; a part that a key does not name is empty."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from tests.tools.fhir.conftest import BUNDLES
from tools.common.errors import Invalid
from tools.domain import records
from tools.domain.records import Record
from tools.fhir.bundle_files import ENDINGS, FileRefusal, Unit, units
from tools.fhir.importer import PARTS, Imported, import_unit
from tools.fhir.report import EntryReport

FIXTURES = BUNDLES / "fixtures"
KEYS: dict[str, dict[str, Any]] = yaml.safe_load((FIXTURES / "keys.yaml").read_text(encoding="utf-8"))


class Outcome:
    """What became of a fixture: its charts, every entry, and the files and exports that were refused."""

    def __init__(self, name: str) -> None:
        self.imported: list[Imported] = []
        self.entries: list[EntryReport] = []
        self.refused: list[str] = []
        for unit in units(_files(FIXTURES / name)):
            if isinstance(unit, FileRefusal):
                self.refused.append(unit.why)
            else:
                self._take(unit)

    def _take(self, unit: Unit) -> None:
        try:
            found = list(import_unit(unit, latest=date(2026, 9, 1)))
            self.imported += found
            self.entries += [entry for one in found for entry in one.report.entries]
            self.entries += [entry.report() for entry in unit.grouping.left] if len(found) > 1 else []
        except Invalid as error:
            self.refused.append(str(error))
        finally:
            unit.grouping.close()


def _files(path: Path) -> list[str]:
    inside = sorted(path.iterdir()) if path.is_dir() else [path]
    return [str(file) for file in inside if file.name.removesuffix(".gz").endswith(ENDINGS)]


def told(record: Record) -> str:
    """A record as its key says it, on one line."""
    match record:
        case records.Diagnosis():
            sure = "" if record.verification == "confirmed" else record.verification
            return _joined(record.code or record.name, sure, _lasted(record.onset, record.abated))
        case records.Observation():
            value = f"{record.value:g} {record.unit or 'without unit'}"
            return _joined(record.test, value, record.date, record.source)
        case records.Medication():
            dosed = record.dose and record.per_day
            taken = f"{record.dose:g} {record.dose_unit} × {record.per_day:g}" if dosed else ""
            said = record.source if record.source != "prescribed" else ""
            known = "" if record.ingredients else "(nobody knows it)"
            going = _joined(record.status or "perhaps", _lasted(record.start, record.end))
            return _joined(record.drug, known, going, taken, record.outcome, said)
        case records.Fill():
            return _joined(record.drug, record.date, f"{record.days_supply} days", record.ndc)
        case records.Order():
            amount = f"{record.quantity:g} {record.unit}"
            return _joined(record.drug, record.strength, amount, f"{record.days_supply} days")
        case records.Attestation():
            answer, whose = "yes" if record.present else "no", "+".join(record.subjects)
            return _joined(record.topic, answer, whose, record.date, record.by)
        case records.Note():
            by = f"({record.author})" if record.author else ""
            return _joined(f"{record.status}:", record.text.replace("\n", " / "), by, record.specialty)
        case records.Document():
            of = f"(of {record.of})" if record.of else ""
            return _joined(f"{record.status or 'no status'}:", record.title, of)
    fields = (str(getattr(record, name)) for name in record.__struct_fields__ if name != "id")
    return _joined(*(field for field in fields if field not in ("()", "None", "lifestyle")))


def _lasted(start: date | None, end: date | None) -> str:
    return _joined(start and f"since {start}", end and f"until {end}")


def _joined(*words: object) -> str:
    return " ".join(str(word) for word in words if word)


@pytest.mark.parametrize("name", sorted(KEYS))
def test_what_a_fixture_brings_in_and_what_is_reported(name: str) -> None:
    key, found = KEYS[name], Outcome(name)
    assert [one.patient.name for one in found.imported] == [chart["name"] for chart in key.get("charts", [])]
    for one, chart in zip(found.imported, key.get("charts", []), strict=True):
        born = str(one.patient.birth_date) if one.patient.birth_date else None
        known = [f"{system} {value}" for system, value in one.identifiers]
        assert (born, known) == (chart.get("born"), chart.get("known_as", []))
        for part in PARTS.values():
            records = getattr(one.patient, part)
            wanted = chart.get(part, [] if records else records)
            assert (None if records is None else [told(r) for r in records]) == (
                list(wanted) if wanted is not None else None
            )
        assert one.patient.prescriber is None or one.patient.prescriber.name == chart["prescriber"]
    said = [f"{e.fate} {e.type or '?'}/{e.id}: {why}" for e in found.entries for why in e.why]
    for wanted in key.get("reported", []):
        assert any(line.startswith(wanted) for line in said), (wanted, said)
    for wanted in key.get("refused", []):
        assert any(wanted in why for why in found.refused), (wanted, found.refused)
    assert len(found.refused) == len(key.get("refused", []))


@pytest.mark.parametrize("name", sorted(KEYS))
def test_every_entry_of_a_fixture_is_accounted_for_once(name: str) -> None:
    entries = Outcome(name).entries
    places = [(entry.file, entry.place) for entry in entries]
    assert len(places) == len(set(places))
    assert all(entry.why for entry in entries if entry.fate != "taken")


def test_every_fixture_has_its_key() -> None:
    assert {path.name for path in FIXTURES.iterdir()} == {*KEYS, "keys.yaml"}


@pytest.mark.parametrize("name", sorted(KEYS))
def test_no_fixture_brings_in_a_control_character(name: str) -> None:
    for one in Outcome(name).imported:
        text = msgspec.json.encode([one.patient, one.report, one.identifiers]).decode()
        assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in text)
        assert "\\u00" not in text.replace("\\u0009", "") and "\\u202" not in text
