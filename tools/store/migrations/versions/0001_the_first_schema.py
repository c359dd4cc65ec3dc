"""The first schema"""

import sqlalchemy as sa
from alembic import op

from tools.store.columns import blobs, dates, index, numbers, texts

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "chart_entries",
        *numbers("id"),
        *texts("patient_id", "person", "part"),
        *blobs("record"),
        *texts("by", "when"),
        *texts("undone_by", "undone_when", nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    index("chart_entries", "patient_id")

    op.create_table(
        "dataset",
        *numbers("id"),
        *dates("as_of"),
        *numbers("seed"),
        *texts("version", "fingerprint"),
        *blobs("body"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "drafts",
        *numbers("id"),
        *texts("patient_id", "drug", "plan_id"),
        *dates("as_of"),
        *texts("thread_id", "status", "outcome"),
        *blobs("determination", "pa_request", "letter", "files"),
        *texts("created", "updated"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("patient_id", "drug", "plan_id", "as_of", "thread_id", name="uq_drafts_case"),
    )
    index("drafts", "patient_id", "status", "thread_id")

    op.create_table(
        "drugs",
        *texts("name", "name_fold"),
        *numbers("position"),
        *blobs("body"),
        sa.PrimaryKeyConstraint("name"),
    )
    index("drugs", "name_fold", unique=True)

    op.create_table(
        "forms",
        *texts("id", "plan_id"),
        *blobs("body"),
        sa.PrimaryKeyConstraint("id"),
    )
    index("forms", "plan_id", unique=True)

    op.create_table(
        "patients",
        *texts("id"),
        *numbers("number"),
        *texts("given", "family", "name_fold", "family_fold"),
        *dates("birth_date", nullable=True),
        *texts("sex", "plan_id", "origin"),
        *texts("source", nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    index("patients", "birth_date", "family_fold", "name_fold", "plan_id")
    index("patients", "number", "source", unique=True)

    op.create_table(
        "plans",
        *texts("id", "id_fold", "payer"),
        *numbers("position"),
        *blobs("body"),
        sa.PrimaryKeyConstraint("id"),
    )
    index("plans", "payer")
    index("plans", "id_fold", unique=True)

    op.create_table(
        "policies",
        *texts("id", "plan_id", "drug"),
        *blobs("body"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("plan_id", "drug", name="uq_policies_cell"),
    )
    op.create_table(
        "charts",
        *texts("patient_id"),
        *blobs("body"),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("patient_id"),
    )
    op.create_table(
        "members",
        *texts("patient_id"),
        *numbers("position"),
        *texts("plan_id", "member_id"),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("patient_id", "position"),
    )
    index("members", "member_id")

    op.create_table(
        "reviews",
        *numbers("id", "draft_id"),
        *texts("status", "by", "reason", "when"),
        sa.ForeignKeyConstraint(
            ["draft_id"],
            ["drafts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    index("reviews", "draft_id")
