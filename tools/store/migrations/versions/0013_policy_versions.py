"""What a policy was before another took its place."""

import sqlalchemy as sa
from alembic import op

from tools.store.columns import numbers, texts

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "policy_versions",
        *texts("policy_id"),
        *numbers("number"),
        *texts("policy", "plan", "until"),
        sa.PrimaryKeyConstraint("policy_id", "number"),
    )
