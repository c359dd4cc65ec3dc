"""The tables. A record is kept whole, as JSON, beside the columns by which it is looked up.

The lists of a chart stay inside its record: one read by primary key brings a whole patient, however many
there are. Moments are ISO 8601 text in UTC, so that they mean the same in every database.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, UniqueConstraint
from sqlmodel import Field, SQLModel

SCHEMA = "0014"  # the newest revision in migrations/versions; a test holds it
# An id may be named in a URL and have any size; SQLite counts up its INTEGER alone, which is as wide.
NUMBER: Any = BigInteger().with_variant(Integer, "sqlite")


class DatasetRow(SQLModel, table=True):
    """What is loaded: one row. `files` maps each file to its SHA-256, `fingerprint` is of them all."""

    __tablename__ = "dataset"

    id: int = Field(primary_key=True)
    as_of: date
    seed: int = Field(sa_type=NUMBER)
    version: str
    fingerprint: str
    body: bytes


class PatientTable(SQLModel, table=True):
    """One patient as far as a list shows it. `origin` is `dataset` or `import`."""

    __tablename__ = "patients"
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


class ChartTable(SQLModel, table=True):
    """A whole patient. Apart from `patients`, so that scanning a list doesn't read every chart."""

    __tablename__ = "charts"

    patient_id: str = Field(primary_key=True, foreign_key="patients.id", ondelete="CASCADE")
    body: bytes


class NameWordTable(SQLModel, table=True):
    """A word of a patient's name, folded: what a search by the beginnings of words ranges over. Ordered by bytes in
    every database, so that a prefix is a range."""

    __tablename__ = "name_words"
    __table_args__ = {"sqlite_with_rowid": False}

    word: str = Field(
        sa_column=Column(String().with_variant(String(collation="C"), "postgresql"), primary_key=True)
    )
    number: int = Field(primary_key=True, sa_type=NUMBER)


class MemberTable(SQLModel, table=True):
    """A patient's member id in a plan, present or former."""

    __tablename__ = "members"

    patient_id: str = Field(primary_key=True, foreign_key="patients.id", ondelete="CASCADE")
    position: int = Field(primary_key=True)
    plan_id: str
    member_id: str = Field(index=True)


class PatientIdentifierTable(SQLModel, table=True):
    """What another system calls a patient. Two people may bear the same, if somebody kept them apart."""

    __tablename__ = "patient_identifiers"

    system: str = Field(primary_key=True)
    value: str = Field(primary_key=True)
    patient_id: str = Field(primary_key=True, foreign_key="patients.id", ondelete="CASCADE", index=True)


class ChartVersionTable(SQLModel, table=True):
    """One import of a chart. `body` is the chart that it brought, once another has taken its place in `charts`;
    `digest` is the SHA-256 of what it says."""

    __tablename__ = "chart_versions"

    patient_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    digest: str = Field(index=True)
    taken_from: str
    imported: str
    body: bytes


class DrugTable(SQLModel, table=True):
    __tablename__ = "drugs"

    name: str = Field(primary_key=True)
    name_fold: str = Field(index=True, unique=True)
    position: int  # its place in the catalog
    body: bytes


class PlanTable(SQLModel, table=True):
    __tablename__ = "plans"

    id: str = Field(primary_key=True)
    id_fold: str = Field(index=True, unique=True)
    payer: str = Field(index=True)
    position: int
    body: bytes


class FormTable(SQLModel, table=True):
    __tablename__ = "forms"

    id: str = Field(primary_key=True)
    plan_id: str = Field(index=True, unique=True)
    body: bytes


class PolicyTable(SQLModel, table=True):
    __tablename__ = "policies"
    __table_args__ = (UniqueConstraint("plan_id", "drug", name="uq_policies_cell"),)

    id: str = Field(primary_key=True)
    plan_id: str
    drug: str
    body: bytes


class PolicyVersionTable(SQLModel, table=True):
    """A policy that another took the place of; `policy` and `plan` name snapshots."""

    __tablename__ = "policy_versions"

    policy_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    policy: str
    plan: str
    until: str


class ChartEntryTable(SQLModel, table=True):
    """What a person added to a chart. Nothing is deleted before its time is over; an undone entry says by whom
    and when."""

    __tablename__ = "chart_entries"

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    patient_id: str = Field(index=True)
    person: str  # who the patient was when it was added: a reloaded world may give the id to another
    part: str  # the list of Patient it belongs to
    record: bytes
    by: str
    when: str
    undone_by: str | None = None
    undone_when: str | None = None


class DraftTable(SQLModel, table=True):
    """One draft per patient, drug, plan, date and thread, however often the work is repeated. `person` is whose it is,
    `edits` what people changed; all papers are of one `version`."""

    __tablename__ = "drafts"
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


class ReviewTable(SQLModel, table=True):
    """What a person decided about a draft, in order."""

    __tablename__ = "reviews"

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    draft_id: int = Field(foreign_key="drafts.id", index=True, sa_type=NUMBER)
    status: str
    by: str
    reason: str
    when: str


class BatchTable(SQLModel, table=True):
    """A batch of requests. `digest` is of what was asked for and where the results go; `round` counts the
    starts: the first, and one for each time that it was resumed after a cancel or retried; `queued` is the last
    round whose work was put on the queue."""

    __tablename__ = "batches"

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


class BatchItemTable(SQLModel, table=True):
    """One request of a batch; `row` is where it stood in the file, `round` the last one that it is part of."""

    __tablename__ = "batch_items"
    __table_args__ = (UniqueConstraint("batch_id", "key", name="uq_batch_items_key"),)

    batch_id: int = Field(primary_key=True, foreign_key="batches.id", ondelete="CASCADE", sa_type=NUMBER)
    position: int = Field(primary_key=True)
    key: str
    row: int
    round: int
    asking: bytes


class BatchResultTable(SQLModel, table=True):
    """What came of one request: its key is what makes work that is done twice count once. `content` is a digest
    of all that it was made from, `reused` says that an earlier batch had made it."""

    __tablename__ = "batch_results"
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


class BatchWorkerTable(SQLModel, table=True):
    """A process that works on batches, and when it was last heard of."""

    __tablename__ = "batch_workers"

    id: str = Field(primary_key=True)
    host: str
    pid: int
    seen: float


class AuthorizationCaseTable(SQLModel, table=True):
    """What a case is about. Where it stands is nowhere kept: it is what its events come to."""

    __tablename__ = "authorization_cases"

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    patient_id: str = Field(index=True)
    person: str
    drug: str
    plan_id: str
    # a draft begins one case
    draft_id: int | None = Field(default=None, index=True, unique=True, sa_type=NUMBER)
    body: bytes


class AuthorizationEventTable(SQLModel, table=True):
    """One thing that happened to a case. Rows are added, never changed; the key keeps two writers apart."""

    __tablename__ = "authorization_events"

    case_id: int = Field(primary_key=True, foreign_key="authorization_cases.id", sa_type=NUMBER)
    number: int = Field(primary_key=True)
    what: str
    on: date
    by: str
    when: str
    body: bytes


class MedicineNameTable(SQLModel, table=True):
    """What people said that a medicine is which the terminology does not know."""

    __tablename__ = "medicine_names"

    name_fold: str = Field(primary_key=True)
    body: bytes


class AuditEventTable(SQLModel, table=True):
    """One access, in the order in which they were recorded. Rows are added and nothing else: triggers refuse the rest.
    `body` is what counts, as it was hashed into `leaf`; the columns before it are there to search by."""

    __tablename__ = "audit_events"
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


class CatalogChangeTable(SQLModel, table=True):
    """How often what a world is (its plans, drugs, forms, policies) was written, by whatever hand: one row, which
    triggers of SQLite count up."""

    __tablename__ = "catalog_changes"

    id: int = Field(primary_key=True)
    many: int


class SnapshotTable(SQLModel, table=True):
    """A record that a determination was made from, under the SHA-256 of its JSON; `body` is that, compressed (zlib)."""

    __tablename__ = "snapshots"

    digest: str = Field(primary_key=True)
    body: bytes


class ProvenanceTable(SQLModel, table=True):
    """What a kept determination was made of, by the SHA-256 of the determination's JSON."""

    __tablename__ = "provenance"

    determination: str = Field(primary_key=True)
    version: str
    body: bytes


class UserTable(SQLModel, table=True):
    """Who may sign in over HTTP; `password` is its Argon2 hash, or whose identity at a provider signs them in."""

    __tablename__ = "users"

    name: str = Field(primary_key=True)
    role: str
    password: str
    disabled: bool
    created: str


class ApiKeyTable(SQLModel, table=True):
    """A program's key by the SHA-256 of its secret; what it may do is what its user may, of these scopes."""

    __tablename__ = "api_keys"

    id: str = Field(primary_key=True)
    user: str = Field(foreign_key="users.name")
    digest: str
    scopes: str
    expires: str
    revoked: bool


class RequestOwnerTable(SQLModel, table=True):
    """Who does a request. It is nobody's without a row."""

    __tablename__ = "request_owners"

    patient_id: str = Field(primary_key=True)
    drug: str = Field(primary_key=True)
    plan_id: str = Field(primary_key=True)
    owner: str
    by: str
    when: str


class SavedViewTable(SQLModel, table=True):
    """Filters of the worklist under a name, as its address has them."""

    __tablename__ = "saved_views"

    name: str = Field(primary_key=True)
    query: str
    by: str
    when: str


class SessionTable(SQLModel, table=True):
    """Somebody who signed in, by the SHA-256 of what their cookie says; or a link that signs in, once."""

    __tablename__ = "sessions"

    digest: str = Field(primary_key=True)
    user: str = Field(foreign_key="users.name")
    began: str
    seen: str
    link: bool
    ended: bool


class PracticeMemberTable(SQLModel, table=True):
    """Whose charts a user sees; who is not named sees those of the home that holds this table."""

    __tablename__ = "practice_members"

    user: str = Field(primary_key=True, foreign_key="users.name")
    practice: str


# The tables themselves, as statements name them.
METADATA = SQLModel.metadata


def _table(model: type[SQLModel]) -> Table:
    return METADATA.tables[str(model.__tablename__)]


DATASET = _table(DatasetRow)
PATIENTS = _table(PatientTable)
CHARTS = _table(ChartTable)
NAME_WORDS = _table(NameWordTable)
MEMBERS = _table(MemberTable)
PATIENT_IDENTIFIERS = _table(PatientIdentifierTable)
CHART_VERSIONS = _table(ChartVersionTable)
DRUGS = _table(DrugTable)
PLANS = _table(PlanTable)
FORMS = _table(FormTable)
POLICIES = _table(PolicyTable)
POLICY_VERSIONS = _table(PolicyVersionTable)
CHART_ENTRIES = _table(ChartEntryTable)
DRAFTS = _table(DraftTable)
REVIEWS = _table(ReviewTable)
BATCHES = _table(BatchTable)
BATCH_ITEMS = _table(BatchItemTable)
BATCH_RESULTS = _table(BatchResultTable)
BATCH_WORKERS = _table(BatchWorkerTable)
AUTHORIZATION_CASES = _table(AuthorizationCaseTable)
AUTHORIZATION_EVENTS = _table(AuthorizationEventTable)
MEDICINE_NAMES = _table(MedicineNameTable)
AUDIT_EVENTS = _table(AuditEventTable)
SNAPSHOTS = _table(SnapshotTable)
PROVENANCE = _table(ProvenanceTable)
USERS = _table(UserTable)
API_KEYS = _table(ApiKeyTable)
REQUEST_OWNERS = _table(RequestOwnerTable)
SAVED_VIEWS = _table(SavedViewTable)
SESSIONS = _table(SessionTable)
PRACTICE_MEMBERS = _table(PracticeMemberTable)
