"""What kept determinations were made of, so that they can be made again."""

import sqlalchemy as sa
from alembic import op

from tools.store.columns import blobs, texts

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "snapshots",
        *texts("digest"),
        *blobs("body"),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "provenance",
        *texts("determination", "version"),
        *blobs("body"),
        sa.PrimaryKeyConstraint("determination"),
    )
