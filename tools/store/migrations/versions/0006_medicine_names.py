"""What people said that a medicine is which the terminology does not know; it holds for every chart."""

import sqlalchemy as sa
from alembic import op

from tools.store.columns import blobs, texts

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "medicine_names",
        *texts("name_fold"),
        *blobs("body"),
        sa.PrimaryKeyConstraint("name_fold"),
    )
