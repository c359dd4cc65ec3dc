"""The store: patients, plans, drugs, forms, policies, what people added to charts, and drafts.

A store is opened by a door and passed in. A patient is read whole by its id; what people added to the chart
is laid over the record as it is read, so that an addition can be undone and the record stays as it came.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from sqlalchemy import and_, bindparam, func, select

from tools.common.errors import NotFound, Unavailable, nearest
from tools.domain.records import Drug, FormTemplate, Patient, Plan, Policy
from tools.store import database
from tools.store import tables as t
from tools.store.additions import Additions, apply
from tools.store.audit import Audit
from tools.store.batches import Batches
from tools.store.cases import Cases
from tools.store.drafts import Drafts
from tools.store.files import Files
from tools.store.imports import Imports
from tools.store.medicine_names import MedicineNames
from tools.store.patient_search import PatientSearch, storable
from tools.store.rows import DatasetInfo, person
from tools.store.users import Users
from tools.store.versions import Versions
from tools.store.worklists import Worklists
from tools.terminology.own_terms import register

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from sqlalchemy import Select

    from tools.store.search_cache import SearchCache

_PATIENT = (
    select(t.CHARTS.c.body, *(t.CHART_ENTRIES.c[name] for name in ("id", "part", "record", "person")))
    .outerjoin(
        t.CHART_ENTRIES,
        and_(t.CHART_ENTRIES.c.patient_id == t.CHARTS.c.patient_id, t.CHART_ENTRIES.c.undone_when.is_(None)),
    )
    .where(t.CHARTS.c.patient_id == bindparam("id"))
    .order_by(t.CHART_ENTRIES.c.id)
)
_POLICY = select(t.POLICIES.c.body).where(
    t.POLICIES.c.plan_id == bindparam("plan_id"), t.POLICIES.c.drug == bindparam("drug")
)
_PLAN = select(t.PLANS.c.body).where(t.PLANS.c.id_fold == bindparam("id"))
_DRUG = select(t.DRUGS.c.body).where(t.DRUGS.c.name_fold == bindparam("name"))
_FORM = select(t.FORMS.c.body).where(t.FORMS.c.plan_id == bindparam("id"))
_DATASET = select(t.DATASET.c.body)
T = TypeVar("T", bound=msgspec.Struct)
_patient_decoder = msgspec.json.Decoder(Patient)


class Store(
    Additions,
    Audit,
    Batches,
    Cases,
    Drafts,
    Files,
    PatientSearch,
    Imports,
    MedicineNames,
    Users,
    Versions,
    Worklists,
):
    """Everything that is known at run time. Safe to share between threads."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = database.connect(url)
        self.searches: SearchCache | None = None  # a door that lives long may give it one
        self.today: Callable[[], date] | None = None  # the clock of a door; the core has none
        self.payer_forms: Path | None = None  # the folder of payers' own PDFs, with what goes where on them
        self.chroma_url = ""  # of the server that holds the policy index; on disk where there is none

    @classmethod
    def open(cls, url: str) -> Store:
        """The store at this URL; Unavailable, with the next step, unless its schema is there and current."""
        store = cls(url)
        database.check(store.engine)
        if dataset := store.loaded():
            register(dataset.terms)
        return store

    @classmethod
    def create(cls, url: str) -> Store:
        """The store at this URL, made or brought to the current schema first."""
        store = cls(url)
        database.migrate(store.engine)
        store.seal()
        return store

    def close(self) -> None:
        self.engine.dispose()

    @property
    def index_dir(self) -> Path | None:
        """Where the policy index of this store belongs: beside an SQLite file, in this machine's cache for a server,
        nowhere for a store in memory."""
        return database.folder_beside(self.engine, "index", is_cache=True)

    # --- patients

    def patient(self, patient_id: str) -> Patient:
        """The whole chart, with what people added to it; NotFound names ids that are near."""
        with self.engine.connect() as connection:
            rows = connection.execute(_PATIENT, {"id": storable(patient_id)}).all()
        if not rows:
            raise self._no_patient(patient_id)
        self.note("chart.read", whose=patient_id)
        patient = _patient_decoder.decode(rows[0][0])
        entries = [
            (row[1], row[2], row[3]) for row in rows if row[1] is not None and row[4] == person(patient)
        ]
        return self.identified(apply(patient, entries) if entries else patient)

    def day_of(self, patient: Patient) -> date:
        """The day on which a chart is judged where none is named; Invalid if that is today and no door told it."""
        return patient.judged_on(self.dataset().as_of, self.today() if self.today else None)

    def _no_patient(self, patient_id: str) -> NotFound:
        number = t.PATIENTS.c.number
        ids = select(t.PATIENTS.c.id)
        near = ids.where(number.in_(_near_numbers(patient_id))).order_by(number).limit(3)
        hint = "the store holds no patients"
        with self.engine.connect() as connection:
            if count := connection.scalar(select(func.count(number))):
                first, last = (connection.scalar(ids.order_by(by).limit(1)) for by in (number, number.desc()))
                hint = f"the store holds {count} patients, {first} to {last}"
            return NotFound("patient", patient_id, connection.scalars(near), hint)

    # --- drugs, plans, forms, policies

    def drug(self, name: str) -> Drug:
        """By brand in any case, or by a generic name or alias that only one drug has."""
        wanted = name.strip().casefold()
        if found := self._one(_DRUG, Drug, name=wanted):
            return found
        drugs = self.drugs()
        if not drugs:
            raise Unavailable(f"the store holds no drugs; {database.SETUP}")
        others = {drug.name: [drug.generic, *drug.ingredients, *drug.aliases] for drug in drugs}
        hits = [drug for drug in drugs if wanted in map(str.casefold, others[drug.name])]
        if len(hits) == 1:
            return hits[0]
        if hits:
            raise NotFound("drug", name, [hit.name for hit in hits], "several brands have it; name one")
        raise NotFound("drug", name, nearest(name, others), f"it knows {', '.join(others)}")

    def drugs(self) -> list[Drug]:
        """In the catalog's order."""
        return self._all(select(t.DRUGS.c.body).order_by(t.DRUGS.c.position), Drug)

    def plan(self, plan_id: str) -> Plan:
        """By id, in any case; NotFound names ids that are near."""
        if found := self._one(_PLAN, Plan, id=plan_id.strip().casefold()):
            return found
        known = [plan.id for plan in self.plans()]
        if not known:
            raise Unavailable(f"the store holds no plans; {database.SETUP}")
        raise NotFound("plan", plan_id, nearest(plan_id, known), f"it knows {', '.join(known)}")

    def plans(self) -> list[Plan]:
        """In the catalog's order."""
        return self._all(select(t.PLANS.c.body).order_by(t.PLANS.c.position), Plan)

    def form(self, plan_id: str, name: str = "") -> FormTemplate:
        """The PA form of a plan: the payer's own PDF where one was placed for it, or where one is named.

        Raises:
            NotFound: no such plan, or no confirmed form of this name.
        """
        printed = self._printed_form(plan_id)
        if self.payer_forms is None or not self.payer_forms.is_dir():
            if name in ("", printed.id):
                return printed
            raise NotFound("confirmed form", name, (), "`pa form learn` reads a payer's PDF")
        from tools.papers.form_mapping import template

        return template(self.payer_forms, printed, "" if name == printed.id else name) or printed

    def payer_pdf(self, form: FormTemplate) -> bytes:
        """The payer's file on which this form is written; Unavailable if it is gone."""
        from tools.papers.form_mapping import content_of

        assert self.payer_forms is not None
        return content_of(self.payer_forms / f"{form.id}.yaml")

    def _printed_form(self, plan_id: str) -> FormTemplate:
        if found := self._one(_FORM, FormTemplate, id=plan_id):
            return found
        raise NotFound("form for plan", plan_id, [form.plan_id for form in self.forms()][:3])

    def forms(self) -> list[FormTemplate]:
        """By plan."""
        # sorted here: databases differ in where they put a hyphen
        return sorted(self._all(select(t.FORMS.c.body), FormTemplate), key=lambda form: form.plan_id)

    def policy(self, plan_id: str, drug: str) -> Policy | None:
        """The document of one plan for one drug, by the names that records use; None where there is none."""
        return self._one(_POLICY, Policy, plan_id=plan_id, drug=drug)

    def policies(self) -> list[Policy]:
        """By id."""
        return sorted(self._all(select(t.POLICIES.c.body), Policy), key=lambda policy: policy.id)

    def loaded(self) -> DatasetInfo | None:
        """What is loaded, if anything is."""
        return self._one(_DATASET, DatasetInfo)

    def dataset(self) -> DatasetInfo:
        """What is loaded; Unavailable if nothing is."""
        if found := self.loaded():
            return found
        raise Unavailable(
            f"the store at {self.engine.url.render_as_string()} holds no data; {database.SETUP}"
        )

    def _one(self, statement: Select[bytes], kind: type[T], **values: str) -> T | None:
        with self.engine.connect() as connection:
            body = connection.scalar(statement, {key: storable(text) for key, text in values.items()})
        return None if body is None else _decoded(body, kind)

    def _all(self, statement: Select[bytes], kind: type[T]) -> list[T]:
        return [_decoded(body, kind) for (body,) in self._rows(statement)]


def _near_numbers(patient_id: str) -> list[int]:
    """Numbers that one slip away from what was typed: another case or padding, a digit too many, swapped."""
    digits = "".join(c for c in patient_id if c.isascii() and c.isdigit())[:15]
    if not digits:
        return []
    spellings = {digits}
    for at in range(len(digits)):
        spellings.add(digits[:at] + digits[at + 1 :])
        spellings.add(digits[:at] + digits[at : at + 2][::-1] + digits[at + 2 :])
    return sorted({int(spelling) for spelling in spellings if spelling})


# A plan with its ten rules takes far longer to decode than to fetch; the same bytes are the same record.
@lru_cache(maxsize=1024)
def _decoded(body: bytes, kind: type[T]) -> Any:
    """A record of the catalog; one that another version of Paladin printed is asked for anew."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise Unavailable(
            f"the store's catalog was printed by another version of Paladin ({error}); {database.SETUP} again"
        ) from None
