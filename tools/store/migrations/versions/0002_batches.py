"""Batches, their requests and results, and who works on them"""

import sqlalchemy as sa
from alembic import op

from tools.store.columns import blobs, flags, numbers, texts

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "batches",
        *numbers("id"),
        *texts("name", "digest"),
        *texts("idempotency_key", nullable=True),
        *texts("body_digest", "state"),
        *numbers("round", "queued", "total"),
        *texts("folder"),
        *blobs("options", "rejected"),
        *texts("created", "updated"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("idempotency_key"),
    )
    for column in ("digest", "folder", "state"):
        op.create_index(op.f(f"ix_batches_{column}"), "batches", [column], unique=False)
    op.create_table(
        "batch_items",
        *numbers("batch_id", "position"),
        *texts("key"),
        *numbers("row", "round"),
        *blobs("asking"),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("batch_id", "position"),
        sa.UniqueConstraint("batch_id", "key", name="uq_batch_items_key"),
    )
    op.create_table(
        "batch_results",
        *numbers("batch_id", "position", "round"),
        *texts("state", "outcome", "path", "content"),
        *flags("reused"),
        *blobs("body"),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("batch_id", "position"),
    )
    op.create_index(
        "ix_batch_results_counts", "batch_results", ["batch_id", "state", "outcome", "path", "reused"]
    )
    op.create_index(op.f("ix_batch_results_content"), "batch_results", ["content"], unique=False)
    op.create_table(
        "batch_workers",
        *texts("id", "host"),
        *numbers("pid"),
        sa.Column("seen", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
