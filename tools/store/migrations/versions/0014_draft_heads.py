"""What a draft is without its documents is read from an index, and not past them."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.drop_index("ix_drafts_status", "drafts")
    columns = ["status", "id", "patient_id", "drug", "plan_id", "outcome", "person"]
    op.create_index("ix_drafts_heads", "drafts", columns)
