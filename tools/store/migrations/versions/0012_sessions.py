"""Sessions that can be ended, and who is of which practice."""

import sqlalchemy as sa
from alembic import op

from tools.store.columns import flags, texts

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "sessions",
        *texts("digest", "user", "began", "seen"),
        *flags("link", "ended"),
        sa.ForeignKeyConstraint(["user"], ["users.name"]),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "practice_members",
        *texts("user", "practice"),
        sa.ForeignKeyConstraint(["user"], ["users.name"]),
        sa.PrimaryKeyConstraint("user"),
    )
