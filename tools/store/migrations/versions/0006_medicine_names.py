"""What people said that a medicine is which the terminology does not know; it holds for every chart."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "medicine_names",
        sa.Column("name_fold", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name_fold"),
    )
