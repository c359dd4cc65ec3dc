"""Imported charts: what other systems call a patient, and what a chart was before another import

Until now one label, `source`, stood for both. What it said is kept as an identifier where it names a system.
"""

import uuid

import sqlalchemy as sa
from alembic import op

from tools.store.columns import blobs, numbers, texts

revision = "0005"
down_revision = "0004"

SYNTHEA = "https://github.com/synthetichealth/synthea"  # its ids stood there without their system


def upgrade() -> None:
    identifiers = op.create_table(
        "patient_identifiers",
        *texts("system", "value", "patient_id"),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("system", "value", "patient_id"),
    )
    op.create_index("ix_patient_identifiers_patient_id", "patient_identifiers", ["patient_id"])
    op.create_table(
        "chart_versions",
        *texts("patient_id"),
        *numbers("number"),
        *texts("digest", "taken_from", "imported"),
        *blobs("body"),
        sa.PrimaryKeyConstraint("patient_id", "number"),
    )
    op.create_index("ix_chart_versions_digest", "chart_versions", ["digest"])
    op.drop_index("ix_patients_source", "patients")
    _fill(op.get_bind(), identifiers)


def _fill(connection: sa.Connection, identifiers: sa.Table) -> None:
    rows = connection.execute(sa.text("SELECT id, source FROM patients WHERE source LIKE 'fhir:%'")).all()
    values = []
    for patient_id, source in rows:
        system, bar, value = source.removeprefix("fhir:").rpartition("|")
        if not bar and _is_uuid(value):
            system = SYNTHEA
        if system:
            values.append({"system": system, "value": value, "patient_id": patient_id})
    if values:
        connection.execute(sa.insert(identifiers), values)


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
