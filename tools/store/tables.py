"""The tables. A record is kept whole, as JSON, beside the columns by which it is looked up.

The lists of a chart stay inside its record: one read by primary key brings a whole patient, however many
there are. Moments are ISO 8601 text in UTC, so that they mean the same in every database.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

SCHEMA = "0010"  # the newest revision in migrations/versions; a test holds it
# An id may be named in a URL and have any size; SQLite counts up its INTEGER alone, which is as wide.
NUMBER: Any = BigInteger().with_variant(Integer, "sqlite")
METADATA = MetaData()


def _column(name: str, kind: Any = String, *of: Any, nullable: bool = False, **more: Any) -> Column[Any]:
    """A column, by default of text that is never missing."""
    return Column(name, kind, *of, nullable=nullable, **more)


def _texts(*names: str) -> list[Column[Any]]:
    return [_column(name) for name in names]


def _key(name: str, kind: Any = String, *of: Any, **more: Any) -> Column[Any]:
    """A part of the primary key."""
    return _column(name, kind, *of, primary_key=True, **more)


def _body(name: str = "body", **more: Any) -> Column[Any]:
    """JSON."""
    return _column(name, LargeBinary, **more)


def _of_patient(**more: Any) -> Column[Any]:
    return _key("patient_id", String, ForeignKey("patients.id", ondelete="CASCADE"), **more)


def _of_batch() -> Column[Any]:
    return _key("batch_id", NUMBER, ForeignKey("batches.id", ondelete="CASCADE"))


# What is loaded: one row. The body's `files` maps each file to its SHA-256, `fingerprint` is of them all.
DATASET = Table(
    "dataset",
    METADATA,
    _key("id", Integer),
    _column("as_of", Date),
    _column("seed", NUMBER),
    *_texts("version", "fingerprint"),
    _body(),
)

# --- patients and their charts

# A patient as far as a list shows it. `name_fold` is "maria gomez", `origin` is `dataset` or `import`. Lists are paged
# by number, so each index brings its own share of them in that order.
PATIENTS = Table(
    "patients",
    METADATA,
    _key("id"),
    _column("number", NUMBER, index=True, unique=True),
    *_texts("given", "family", "name_fold", "family_fold"),
    _column("birth_date", Date, nullable=True),
    *_texts("sex", "plan_id", "origin"),
    _column("source", nullable=True),
    *(
        Index(f"ix_patients_{name}_number", name, "number")
        for name in ("family_fold", "birth_date", "plan_id")
    ),
)
# A whole patient. Apart from `patients`, so that scanning a list doesn't read every chart.
CHARTS = Table("charts", METADATA, _of_patient(), _body())
# A word of a patient's name, folded: what a search by the beginnings of words ranges over. Ordered by bytes in every
# database, so that a prefix is a range.
NAME_WORDS = Table(
    "name_words",
    METADATA,
    _key("word", String().with_variant(String(collation="C"), "postgresql")),
    _key("number", NUMBER),
    sqlite_with_rowid=False,
)
# A patient's member id in a plan, present or former.
MEMBERS = Table(
    "members",
    METADATA,
    _of_patient(),
    _key("position", Integer),
    _column("plan_id"),
    _column("member_id", index=True),
)
# What another system calls a patient. Two people may bear the same, if somebody kept them apart.
PATIENT_IDENTIFIERS = Table(
    "patient_identifiers", METADATA, _key("system"), _key("value"), _of_patient(index=True)
)
# One import of a chart. `body` is the chart that it brought, once another has taken its place in `charts`; `digest` is
# the SHA-256 of what it says.
CHART_VERSIONS = Table(
    "chart_versions",
    METADATA,
    _key("patient_id"),
    _key("number", Integer),
    _column("digest", index=True),
    *_texts("taken_from", "imported"),
    _body(),
)
# What a person added to a chart: to which of its lists, and who the patient was then, since a reloaded world may give
# the id to another. Nothing is deleted: an undone entry says by whom and when.
CHART_ENTRIES = Table(
    "chart_entries",
    METADATA,
    _key("id", NUMBER),
    _column("patient_id", index=True),
    *_texts("person", "part"),
    _body("record"),
    *_texts("by", "when"),
    _column("undone_by", nullable=True),
    _column("undone_when", nullable=True),
)
# What people said that a medicine is which the terminology does not know.
MEDICINE_NAMES = Table("medicine_names", METADATA, _key("name_fold"), _body())

# --- the catalog; `position` is a record's place in it

DRUGS = Table(
    "drugs",
    METADATA,
    _key("name"),
    _column("name_fold", index=True, unique=True),
    _column("position", Integer),
    _body(),
)
PLANS = Table(
    "plans",
    METADATA,
    _key("id"),
    _column("id_fold", index=True, unique=True),
    _column("payer", index=True),
    _column("position", Integer),
    _body(),
)
FORMS = Table("forms", METADATA, _key("id"), _column("plan_id", index=True, unique=True), _body())
POLICIES = Table(
    "policies",
    METADATA,
    _key("id"),
    *_texts("plan_id", "drug"),
    _body(),
    UniqueConstraint("plan_id", "drug", name="uq_policies_cell"),
)
# How often the catalog was written, by whatever hand: one row, which triggers of SQLite count up.
CATALOG_CHANGES = Table("catalog_changes", METADATA, _key("id", Integer), _column("many", Integer))

# --- drafts, batches and cases

# One draft per patient, drug, plan, date and thread, however often the work is repeated. `person` is whose it is,
# `edits` what people changed; all papers are of one `version`.
DRAFTS = Table(
    "drafts",
    METADATA,
    _key("id", NUMBER),
    _column("patient_id", index=True),
    *_texts("drug", "plan_id"),
    _column("as_of", Date),
    _column("thread_id", index=True),
    _column("status", index=True),
    _column("outcome"),
    *(_body(name) for name in ("determination", "pa_request", "letter", "files")),
    *_texts("created", "updated"),
    _column("person", server_default=""),
    _column("version", Integer, server_default="1"),
    _body("edits", server_default="[]"),
    UniqueConstraint("patient_id", "drug", "plan_id", "as_of", "thread_id", name="uq_drafts_case"),
)
# What a person decided about a draft, in order.
REVIEWS = Table(
    "reviews",
    METADATA,
    _key("id", NUMBER),
    _column("draft_id", NUMBER, ForeignKey("drafts.id"), index=True),
    *_texts("status", "by", "reason", "when"),
)
# A batch of requests. `digest` is of what was asked for and where the results go; `round` counts the starts: the first,
# and one for each time that it was resumed after a cancel or retried; `queued` is the last round whose work was put on
# the queue.
BATCHES = Table(
    "batches",
    METADATA,
    _key("id", NUMBER),
    _column("name"),
    _column("digest", index=True),
    _column("idempotency_key", nullable=True, unique=True),
    _column("body_digest"),
    _column("state", index=True),
    *(_column(name, Integer) for name in ("round", "queued", "total")),
    _column("folder", index=True),
    _body("options"),
    _body("rejected"),
    *_texts("created", "updated"),
)
# One request of a batch; `row` is where it stood in the file, `round` the last one that it is part of.
BATCH_ITEMS = Table(
    "batch_items",
    METADATA,
    _of_batch(),
    _key("position", Integer),
    _column("key"),
    _column("row", Integer),
    _column("round", Integer),
    _body("asking"),
    UniqueConstraint("batch_id", "key", name="uq_batch_items_key"),
)
# What came of one request: its key is what makes work that is done twice count once. `content` is a digest of all that
# it was made from, `reused` says that an earlier batch had made it.
BATCH_RESULTS = Table(
    "batch_results",
    METADATA,
    _of_batch(),
    _key("position", Integer),
    _column("round", Integer),
    *_texts("state", "outcome", "path"),
    _column("content", index=True),
    _column("reused", Boolean),
    _body(),
    Index("ix_batch_results_counts", "batch_id", "state", "outcome", "path", "reused"),
)
# A process that works on batches, and when it was last heard of.
BATCH_WORKERS = Table(
    "batch_workers", METADATA, _key("id"), _column("host"), _column("pid", Integer), _column("seen", Float)
)
# What a case is about; a draft begins one case. Where it stands is nowhere kept: it is what its events come to.
AUTHORIZATION_CASES = Table(
    "authorization_cases",
    METADATA,
    _key("id", NUMBER),
    _column("patient_id", index=True),
    *_texts("person", "drug", "plan_id"),
    _column("draft_id", NUMBER, nullable=True, index=True, unique=True),
    _body(),
)
# One thing that happened to a case. Rows are added, never changed; the key keeps two writers apart.
AUTHORIZATION_EVENTS = Table(
    "authorization_events",
    METADATA,
    _key("case_id", NUMBER, ForeignKey("authorization_cases.id")),
    _key("number", Integer),
    _column("what"),
    _column("on", Date),
    *_texts("by", "when"),
    _body(),
)

# --- the audit, and who may come in

# One access, in the order in which they were recorded. Rows are added and nothing else: triggers refuse the rest.
# `body` is what counts, as it was hashed into `leaf`; the columns before it are there to search by.
AUDIT_EVENTS = Table(
    "audit_events",
    METADATA,
    _key("number", NUMBER),
    *_texts("at", "who", "what", "whose"),
    _body(),
    _body("leaf"),
    Index("ix_audit_events_whose_number", "whose", "number"),
    Index("ix_audit_events_what_number", "what", "number"),
)
# A record that a determination was made from, under the SHA-256 of its JSON; `body` is that, compressed (zlib).
SNAPSHOTS = Table("snapshots", METADATA, _key("digest"), _body())
# What a kept determination was made of, by the SHA-256 of the determination's JSON.
PROVENANCE = Table("provenance", METADATA, _key("determination"), _column("version"), _body())
# Who may sign in over HTTP; `password` is its Argon2 hash.
USERS = Table(
    "users",
    METADATA,
    _key("name"),
    *_texts("role", "password"),
    _column("disabled", Boolean),
    _column("created"),
)
# A program's key by the SHA-256 of its secret; what it may do is what its user may, of these scopes.
API_KEYS = Table(
    "api_keys",
    METADATA,
    _key("id"),
    _column("user", String, ForeignKey("users.name")),
    *_texts("digest", "scopes", "expires"),
    _column("revoked", Boolean),
)
