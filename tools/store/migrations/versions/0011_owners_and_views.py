"""Who does which request, and the views of the worklist that the practice keeps."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "request_owners",
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("drug", sa.String(), nullable=False),
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("when", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("patient_id", "drug", "plan_id"),
    )
    op.create_table(
        "saved_views",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("when", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
