"""The tables. A record is kept whole, as JSON, beside the columns by which it is looked up.

The lists of a chart stay inside its record: one read by primary key brings a whole patient, however many
there are. Moments are ISO 8601 text in UTC, so that they mean the same in every database.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, UniqueConstraint
from sqlalchemy.orm import declared_attr
from sqlmodel import Field, SQLModel

SCHEMA = "0014"  # the newest revision in migrations/versions; a test holds it
# An id may be named in a URL and have any size; SQLite counts up its INTEGER alone, which is as wide.
NUMBER: Any = BigInteger().with_variant(Integer, "sqlite")


class _Named(SQLModel):
    """Called by its class: AuditEventsTable is `audit_events`."""

    @declared_attr.directive
    def __tablename__(cls) -> str:
        return re.sub(r"\B([A-Z])", r"_\1", cls.__name__.removesuffix("Table")).lower()


class DatasetTable(_Named, table=True):
    """What is loaded: one row. `files` maps each file to its SHA-256, `fingerprint` is of them all."""

    id: int = Field(primary_key=True)
    as_of: date
    seed: int = Field(sa_type=NUMBER)
    version: str
    fingerprint: str
    body: bytes


class PatientsTable(_Named, table=True):
    """One patient as far as a list shows it. `origin` is `dataset` or `import`."""

    # Lists are paged by number, so each index brings its own share of them in that order.
    __table_args__ = tuple(
        Index(f"ix_patients_{name}_number", name, "number")
        for name in ("family_fold", "birth_date", "plan_id")
    )

    id: str = Field(primary_key=True)
    number: int = Field(index=True, unique=True, sa_type=NUMBER)
    given: str
    family: str
    name_fold: str  # "maria gomez"
    family_fold: str
    birth_date: date | None = None
    sex: str
    plan_id: str
    origin: str
    source: str | None = None


class ChartsTable(_Named, table=True):
    """A whole patient. Apart from `patients`, so that scanning a list doesn't read every chart."""

    patient_id: str = Field(primary_key=True, foreign_key="patients.id", ondelete="CASCADE")
    body: bytes


class NameWordsTable(_Named, table=True):
    """A word of a patient's name, folded: what a search by the beginnings of words ranges over. Ordered by bytes in
    every database, so that a prefix is a range."""

    __table_args__ = {"sqlite_with_rowid": False}

    word: str = Field(
        sa_column=Column(String().with_variant(String(collation="C"), "postgresql"), primary_key=True)
    )
    number: int = Field(primary_key=True, sa_type=NUMBER)


class MembersTable(_Named, table=True):
    """A patient's member id in a plan, present or former."""

    patient_id: str = Field(primary_key=True, foreign_key="patients.id", ondelete="CASCADE")
    position: int = Field(primary_key=True)
    plan_id: str
    member_id: str = Field(index=True)


class PatientIdentifiersTable(_Named, table=True):
    """What another system calls a patient. Two people may bear the same, if somebody kept them apart."""

    system: str = Field(primary_key=True)
    value: str = Field(primary_key=True)
    patient_id: str = Field(primary_key=True, foreign_key="patients.id", ondelete="CASCADE", index=True)


class ChartVersionsTable(_Named, table=True):
    """One import of a chart. `body` is the chart that it brought, once another has taken its place in `charts`;
    `digest` is the SHA-256 of what it says."""

    patient_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    digest: str = Field(index=True)
    taken_from: str
    imported: str
    body: bytes


class DrugsTable(_Named, table=True):
    name: str = Field(primary_key=True)
    name_fold: str = Field(index=True, unique=True)
    position: int  # its place in the catalog
    body: bytes


class PlansTable(_Named, table=True):
    id: str = Field(primary_key=True)
    id_fold: str = Field(index=True, unique=True)
    payer: str = Field(index=True)
    position: int
    body: bytes


class FormsTable(_Named, table=True):
    id: str = Field(primary_key=True)
    plan_id: str = Field(index=True, unique=True)
    body: bytes


class PoliciesTable(_Named, table=True):
    __table_args__ = (UniqueConstraint("plan_id", "drug", name="uq_policies_cell"),)

    id: str = Field(primary_key=True)
    plan_id: str
    drug: str
    body: bytes


class PolicyVersionsTable(_Named, table=True):
    """A policy that another took the place of; `policy` and `plan` name snapshots."""

    policy_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    policy: str
    plan: str
    until: str


class ChartEntriesTable(_Named, table=True):
    """What a person added to a chart. Nothing is deleted before its time is over; an undone entry says by whom
    and when."""

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    patient_id: str = Field(index=True)
    person: str  # who the patient was when it was added: a reloaded world may give the id to another
    part: str  # the list of Patient it belongs to
    record: bytes
    by: str
    when: str
    undone_by: str | None = None
    undone_when: str | None = None


class DraftsTable(_Named, table=True):
    """One draft per patient, drug, plan, date and thread, however often the work is repeated. `person` is whose it is,
    `edits` what people changed; all papers are of one `version`."""

    __table_args__ = (
        UniqueConstraint("patient_id", "drug", "plan_id", "as_of", "thread_id", name="uq_drafts_case"),
        Index("ix_drafts_heads", "status", "id", "patient_id", "drug", "plan_id", "outcome", "person"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    patient_id: str = Field(index=True)
    drug: str
    plan_id: str
    as_of: date
    thread_id: str = Field(index=True)
    status: str
    outcome: str
    determination: bytes
    pa_request: bytes
    letter: bytes
    files: bytes
    created: str
    updated: str
    person: str = Field(default="", sa_column_kwargs={"server_default": ""})
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    edits: bytes = Field(sa_column=Column(LargeBinary, nullable=False, server_default="[]"))


class ReviewsTable(_Named, table=True):
    """What a person decided about a draft, in order."""

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    draft_id: int = Field(foreign_key="drafts.id", index=True, sa_type=NUMBER)
    status: str
    by: str
    reason: str
    when: str


class BatchesTable(_Named, table=True):
    """A batch of requests. `digest` is of what was asked for and where the results go; `round` counts the
    starts: the first, and one for each time that it was resumed after a cancel or retried; `queued` is the last
    round whose work was put on the queue."""

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    name: str
    digest: str = Field(index=True)
    idempotency_key: str | None = Field(default=None, unique=True)
    body_digest: str
    state: str = Field(index=True)
    round: int
    queued: int
    total: int
    folder: str = Field(index=True)
    options: bytes
    rejected: bytes
    created: str
    updated: str


class BatchItemsTable(_Named, table=True):
    """One request of a batch; `row` is where it stood in the file, `round` the last one that it is part of."""

    __table_args__ = (UniqueConstraint("batch_id", "key", name="uq_batch_items_key"),)

    batch_id: int = Field(primary_key=True, foreign_key="batches.id", ondelete="CASCADE", sa_type=NUMBER)
    position: int = Field(primary_key=True)
    key: str
    row: int
    round: int
    asking: bytes


class BatchResultsTable(_Named, table=True):
    """What came of one request: its key is what makes work that is done twice count once. `content` is a digest
    of all that it was made from, `reused` says that an earlier batch had made it."""

    __table_args__ = (Index("ix_batch_results_counts", "batch_id", "state", "outcome", "path", "reused"),)

    batch_id: int = Field(primary_key=True, foreign_key="batches.id", ondelete="CASCADE", sa_type=NUMBER)
    position: int = Field(primary_key=True)
    round: int
    state: str
    outcome: str
    path: str
    content: str = Field(index=True)
    reused: bool
    body: bytes


class BatchWorkersTable(_Named, table=True):
    """A process that works on batches, and when it was last heard of."""

    id: str = Field(primary_key=True)
    host: str
    pid: int
    seen: float


class AuthorizationCasesTable(_Named, table=True):
    """What a case is about. Where it stands is nowhere kept: it is what its events come to."""

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    patient_id: str = Field(index=True)
    person: str
    drug: str
    plan_id: str
    # a draft begins one case
    draft_id: int | None = Field(default=None, index=True, unique=True, sa_type=NUMBER)
    body: bytes


class AuthorizationEventsTable(_Named, table=True):
    """One thing that happened to a case. Rows are added, never changed; the key keeps two writers apart."""

    case_id: int = Field(primary_key=True, foreign_key="authorization_cases.id", sa_type=NUMBER)
    number: int = Field(primary_key=True)
    what: str
    on: date
    by: str
    when: str
    body: bytes


class MedicineNamesTable(_Named, table=True):
    """What people said that a medicine is which the terminology does not know."""

    name_fold: str = Field(primary_key=True)
    body: bytes


class AuditEventsTable(_Named, table=True):
    """One access, in the order in which they were recorded. Rows are added and nothing else: triggers refuse the rest.
    `body` is what counts, as it was hashed into `leaf`; the columns before it are there to search by."""

    __table_args__ = (
        Index("ix_audit_events_whose_number", "whose", "number"),
        Index("ix_audit_events_what_number", "what", "number"),
    )

    number: int = Field(primary_key=True, sa_type=NUMBER)
    at: str
    who: str
    what: str
    whose: str
    body: bytes
    leaf: bytes


class CatalogChangesTable(_Named, table=True):
    """How often what a world is (its plans, drugs, forms, policies) was written, by whatever hand: one row, which
    triggers of SQLite count up."""

    id: int = Field(primary_key=True)
    many: int


class SnapshotsTable(_Named, table=True):
    """A record that a determination was made from, under the SHA-256 of its JSON; `body` is that, compressed (zlib)."""

    digest: str = Field(primary_key=True)
    body: bytes


class ProvenanceTable(_Named, table=True):
    """What a kept determination was made of, by the SHA-256 of the determination's JSON."""

    determination: str = Field(primary_key=True)
    version: str
    body: bytes


class UsersTable(_Named, table=True):
    """Who may sign in over HTTP; `password` is its Argon2 hash, or whose identity at a provider signs them in."""

    name: str = Field(primary_key=True)
    role: str
    password: str
    disabled: bool
    created: str


class ApiKeysTable(_Named, table=True):
    """A program's key by the SHA-256 of its secret; what it may do is what its user may, of these scopes."""

    id: str = Field(primary_key=True)
    user: str = Field(foreign_key="users.name")
    digest: str
    scopes: str
    expires: str
    revoked: bool


class RequestOwnersTable(_Named, table=True):
    """Who does a request. It is nobody's without a row."""

    patient_id: str = Field(primary_key=True)
    drug: str = Field(primary_key=True)
    plan_id: str = Field(primary_key=True)
    owner: str
    by: str
    when: str


class SavedViewsTable(_Named, table=True):
    """Filters of the worklist under a name, as its address has them."""

    name: str = Field(primary_key=True)
    query: str
    by: str
    when: str


class SessionsTable(_Named, table=True):
    """Somebody who signed in, by the SHA-256 of what their cookie says; or a link that signs in, once."""

    digest: str = Field(primary_key=True)
    user: str = Field(foreign_key="users.name")
    began: str
    seen: str
    link: bool
    ended: bool


class PracticeMembersTable(_Named, table=True):
    """Whose charts a user sees; who is not named sees those of the home that holds this table."""

    user: str = Field(primary_key=True, foreign_key="users.name")
    practice: str


# The tables themselves, as statements name them.
METADATA = SQLModel.metadata


def _table(model: type[SQLModel]) -> Table:
    return METADATA.tables[str(model.__tablename__)]


DATASET = _table(DatasetTable)
PATIENTS = _table(PatientsTable)
CHARTS = _table(ChartsTable)
NAME_WORDS = _table(NameWordsTable)
MEMBERS = _table(MembersTable)
PATIENT_IDENTIFIERS = _table(PatientIdentifiersTable)
CHART_VERSIONS = _table(ChartVersionsTable)
DRUGS = _table(DrugsTable)
PLANS = _table(PlansTable)
FORMS = _table(FormsTable)
POLICIES = _table(PoliciesTable)
POLICY_VERSIONS = _table(PolicyVersionsTable)
CHART_ENTRIES = _table(ChartEntriesTable)
DRAFTS = _table(DraftsTable)
REVIEWS = _table(ReviewsTable)
BATCHES = _table(BatchesTable)
BATCH_ITEMS = _table(BatchItemsTable)
BATCH_RESULTS = _table(BatchResultsTable)
BATCH_WORKERS = _table(BatchWorkersTable)
AUTHORIZATION_CASES = _table(AuthorizationCasesTable)
AUTHORIZATION_EVENTS = _table(AuthorizationEventsTable)
MEDICINE_NAMES = _table(MedicineNamesTable)
AUDIT_EVENTS = _table(AuditEventsTable)
SNAPSHOTS = _table(SnapshotsTable)
PROVENANCE = _table(ProvenanceTable)
USERS = _table(UsersTable)
API_KEYS = _table(ApiKeysTable)
REQUEST_OWNERS = _table(RequestOwnersTable)
SAVED_VIEWS = _table(SavedViewsTable)
SESSIONS = _table(SessionsTable)
PRACTICE_MEMBERS = _table(PracticeMembersTable)
