"""Columns and indexes as migrations write them: never empty, unless that is said."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import sqlalchemy as sa


def columns(kind: type[Any], *names: str, nullable: bool = False) -> Iterable[sa.Column[Any]]:
    """Columns of one type, by their names."""
    return [sa.Column(name, kind(), nullable=nullable) for name in names]


texts, numbers, blobs = (
    partial(columns, sa.String),
    partial(columns, sa.Integer),
    partial(columns, sa.LargeBinary),
)
dates, flags = partial(columns, sa.Date), partial(columns, sa.Boolean)


def index(table: str, *names: str, unique: bool = False) -> None:
    """An index on each of these columns."""
    from alembic import op

    for name in names:
        op.create_index(f"ix_{table}_{name}", table, [name], unique=unique)
