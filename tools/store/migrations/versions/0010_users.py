"""Who may come in over HTTP."""

import sqlalchemy as sa
from alembic import op

from tools.store.columns import flags, texts

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "users",
        *texts("name", "role", "password"),
        *flags("disabled"),
        *texts("created"),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "api_keys",
        *texts("id", "user", "digest", "scopes", "expires"),
        *flags("revoked"),
        sa.ForeignKeyConstraint(["user"], ["users.name"]),
        sa.PrimaryKeyConstraint("id"),
    )
