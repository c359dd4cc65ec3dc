"""Authorization cases and what happened to them"""

import sqlalchemy as sa
from alembic import op

from tools.store.columns import blobs, dates, index, numbers, texts

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "authorization_cases",
        *numbers("id"),
        *texts("patient_id", "person", "drug", "plan_id"),
        *numbers("draft_id", nullable=True),
        *blobs("body"),
        sa.PrimaryKeyConstraint("id"),
    )
    index("authorization_cases", "patient_id")
    index("authorization_cases", "draft_id", unique=True)

    op.create_table(
        "authorization_events",
        *numbers("case_id", "number"),
        *texts("what"),
        *dates("on"),
        *texts("by", "when"),
        *blobs("body"),
        sa.ForeignKeyConstraint(["case_id"], ["authorization_cases.id"]),
        sa.PrimaryKeyConstraint("case_id", "number"),
    )
