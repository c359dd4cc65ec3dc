"""Who read and did what: a log to which rows are added and nothing else. And what of the catalog changed, counted, so
that a server need not read it anew because a read was recorded."""

import sqlalchemy as sa
from alembic import op

from tools.store.columns import blobs, numbers, texts

revision = "0008"
down_revision = "0007"

CATALOG = ("dataset", "drugs", "plans", "forms", "policies")
SQLITE = (
    "CREATE TRIGGER audit_events_{0} BEFORE {0} ON audit_events"
    " BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END"
)
# Also `INSERT OR REPLACE`, which fires no trigger on what it takes out.
IN_ORDER = (
    "CREATE TRIGGER audit_events_insert BEFORE INSERT ON audit_events"
    " WHEN EXISTS (SELECT 1 FROM audit_events WHERE number = NEW.number)"
    " BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END"
)
COUNTED = (
    "CREATE TRIGGER catalog_changes_{0}_{1} AFTER {1} ON {0}"
    " BEGIN UPDATE catalog_changes SET many = many + 1; END"
)
POSTGRESQL = (
    "CREATE FUNCTION audit_events_keep() RETURNS trigger LANGUAGE plpgsql AS $$"
    " BEGIN RAISE EXCEPTION 'the audit log is only added to'; END $$",
    "CREATE TRIGGER audit_events_keep BEFORE UPDATE OR DELETE ON audit_events"
    " FOR EACH ROW EXECUTE FUNCTION audit_events_keep()",
    "CREATE TRIGGER audit_events_keep_all BEFORE TRUNCATE ON audit_events"
    " FOR EACH STATEMENT EXECUTE FUNCTION audit_events_keep()",
    # One call and one lock: numbers have no gaps, and the order of the numbers is that of the commits.
    "CREATE FUNCTION audit_append(text, text, text, text, bytea, bytea) RETURNS bigint LANGUAGE plpgsql AS $$"
    " DECLARE made bigint; BEGIN PERFORM pg_advisory_xact_lock(7252348);"
    " INSERT INTO audit_events SELECT coalesce(max(number), 0) + 1, $1, $2, $3, $4, $5, $6 FROM audit_events"
    " RETURNING number INTO made; RETURN made; END $$",
)


def upgrade() -> None:
    op.create_table(
        "audit_events",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        *texts("at", "who", "what", "whose"),
        *blobs("body", "leaf"),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_audit_events_whose_number", "audit_events", ["whose", "number"])
    op.create_index("ix_audit_events_what_number", "audit_events", ["what", "number"])
    op.create_table(
        "catalog_changes",
        *numbers("id", "many"),
        sa.PrimaryKeyConstraint("id"),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute("INSERT INTO catalog_changes VALUES (1, 0)")
        statements = [SQLITE.format(verb) for verb in ("update", "delete")] + [IN_ORDER]
        statements += [
            COUNTED.format(name, verb) for name in CATALOG for verb in ("insert", "update", "delete")
        ]
    else:
        statements = list(POSTGRESQL)
    for statement in statements:
        op.execute(sa.text(statement.replace(":", "\\:")))
