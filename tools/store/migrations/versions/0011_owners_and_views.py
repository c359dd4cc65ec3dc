"""Who does which request, and the views of the worklist that the practice keeps."""

import sqlalchemy as sa
from alembic import op

from tools.store.columns import texts

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "request_owners",
        *texts("patient_id", "drug", "plan_id", "owner", "by", "when"),
        sa.PrimaryKeyConstraint("patient_id", "drug", "plan_id"),
    )
    op.create_table(
        "saved_views",
        *texts("name", "query", "by", "when"),
        sa.PrimaryKeyConstraint("name"),
    )
