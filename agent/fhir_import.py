"""An import of FHIR, for the terminal and for HTTP: each patient is kept by itself, and what is refused is noted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from agent.runtime.dump import plain
from tools.common.errors import NotFound, PaladinError, Refused
from tools.domain.records import Patient, Plan
from tools.fhir.bundle_files import FileRefusal, Unit
from tools.fhir.importer import Imported, import_unit
from tools.fhir.patient_records import NOBODYS
from tools.fhir.report import EntryReport, ImportReport
from tools.fhir.storage import keep
from tools.store.rows import OnConflict
from tools.store.store import Store


class Kept(NamedTuple):
    """What one patient came to; `why` the chart was refused, `apart` who it might be and was not taken for."""

    file: str
    patient_id: str
    fate: str  # new | replaced | unchanged | refused
    report: ImportReport
    why: str = ""
    apart: tuple[str, ...] = ()


class FhirImport:
    """One run, as far as it has come. Without a store everybody is new and nothing is kept."""

    def __init__(
        self,
        store: Store | None,
        *,
        plan: Plan | None = None,
        as_of: date | None = None,
        on_conflict: OnConflict = "refuse",
        dry_run: bool = False,
    ) -> None:
        self._store, self._plan, self._as_of = store, plan, as_of
        self._on_conflict, self.dry_run = on_conflict, dry_run
        self._ids: set[str] = set()
        self.kept: list[Kept] = []
        self.left: list[EntryReport] = []  # entries of none of the patients
        self.aside: list[str] = []  # files of hospitals and practitioners beside those of patients
        self.refused: list[FileRefusal] = []

    @property
    def complete(self) -> bool:
        """Whether every file was read and every chart kept."""
        return not self.refused and all(one.fate != "refused" for one in self.kept)

    def take(self, unit: Unit | FileRefusal, progress: Callable[[], None] = lambda: None) -> None:
        """Keep each patient of a unit; `progress` is told of each."""
        if isinstance(unit, FileRefusal):
            self.refused.append(unit)
            return
        types = set(unit.grouping.types)
        try:
            if self.kept and types and types <= NOBODYS:
                self.aside.append(unit.name)
                return
            today = datetime.now(UTC).date()
            for imported in import_unit(unit, as_of=self._as_of, plan=self._plan, latest=today):
                self.kept.append(self._keep(unit.name, imported))
                progress()
            if len(unit.grouping) > 1:
                self.left += [entry.report() for entry in unit.grouping.left]
        except PaladinError as error:
            self.refused.append(FileRefusal(unit.name, str(error)))
        finally:
            unit.grouping.close()

    def _keep(self, name: str, imported: Imported) -> Kept:
        if self._store is None:
            return Kept(name, imported.patient.id, "new", imported.report)
        how: dict[str, Any] = {"on_conflict": self._on_conflict, "dry_run": self.dry_run, "beside": self._ids}
        try:
            kept = keep(self._store, imported, taken_from=name, when=datetime.now(UTC), **how)
            self._ids.add(kept.patient.id)
        except Refused as error:
            return Kept(name, "", "refused", imported.report, why=str(error))
        return Kept(name, kept.patient.id, kept.fate, imported.report, apart=kept.apart)

    def told(self) -> dict[str, Any]:
        """All of it as plain data."""
        about = ("file", "patient_id", "fate", "why", "apart")
        return {
            "dry_run": self.dry_run,
            "imported": [
                plain(one.report) | {name: getattr(one, name) for name in about} for one in self.kept
            ],
            "left": plain(self.left),
            "left_aside": self.aside,
            "refused": [{"file": one.name, "why": one.why} for one in self.refused],
        }


def plan_on_file(store: Store, patient: Patient) -> Plan | None:
    """The plan that a chart names; None where it names none, or one that is not ours."""
    try:
        return store.plan(patient.plan_id) if patient.plan_id else None
    except NotFound:
        return None
