"""Names are found by the beginnings of their words; lists come in the order of numbers; numbers have room

The words of the names that are there already are written too.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

BATCH = 5_000
LISTED_BY = ("family_fold", "birth_date", "plan_id")
# Numbers that a URL may name, of any size; SQLite counts in 64 bits anyway.
ROOMIER = (
    ("patients", "number"), ("chart_entries", "id"), ("drafts", "id"), ("reviews", "id"), ("reviews", "draft_id"),
    ("dataset", "seed"), ("batches", "id"), ("batch_items", "batch_id"), ("batch_results", "batch_id"),
    ("authorization_cases", "id"), ("authorization_cases", "draft_id"), ("authorization_events", "case_id"),
)  # fmt: skip


def upgrade() -> None:
    on_postgres = op.get_bind().dialect.name == "postgresql"
    words = op.create_table(
        "name_words",
        sa.Column("word", sa.String(collation="C" if on_postgres else None), nullable=False),
        sa.Column("number", sa.BigInteger() if on_postgres else sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("word", "number"),
        sqlite_with_rowid=False,
    )
    _fill(op.get_bind(), words)
    for column in ("name_fold", *LISTED_BY):
        op.drop_index(f"ix_patients_{column}", "patients")
    for column in LISTED_BY:
        op.create_index(f"ix_patients_{column}_number", "patients", [column, "number"])
    if on_postgres:
        for table, column in ROOMIER:
            op.alter_column(table, column, type_=sa.BigInteger(), existing_type=sa.Integer())
        _compress_quickly(op.get_bind())


def _compress_quickly(connection: sa.Connection) -> None:
    """Charts that come from now on are compressed by lz4, where the server was built with it: a load takes half as
    long. Those that are there stay as they are and are read as before."""
    known = "SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression'"
    if connection.execute(sa.text(known)).scalar():
        op.execute("ALTER TABLE charts ALTER COLUMN body SET COMPRESSION lz4")


def _fill(connection: sa.Connection, words: sa.Table) -> None:
    page = sa.text("SELECT number, name_fold FROM patients WHERE number > :last ORDER BY number LIMIT :most")
    last = -1
    while rows := connection.execute(page, {"last": last, "most": BATCH}).all():
        values = [
            {"word": word, "number": number} for number, fold in rows for word in dict.fromkeys(fold.split())
        ]
        if values:
            connection.execute(sa.insert(words), values)
        last = rows[-1][0]
