"""What the two servers have in common: the text that writes a batch, and rows as plain tuples."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tools.graph.model import EDGE, NODE, NODES


def node_text(label: str) -> str:
    """Takes `$rows`, each a node's properties."""
    return f"UNWIND $rows AS r CREATE (:{label} {_properties(NODE[label].properties, 0)})"


def edge_text(type: str) -> str:
    """Takes `$rows`, each the two keys and the edge's properties."""
    kind = EDGE[type]
    source, target = NODE[kind.source].properties[0], NODE[kind.target].properties[0]
    properties = f" {_properties(kind.properties, 2)}" if kind.properties else ""
    return (
        f"UNWIND $rows AS r MATCH (a:{kind.source} {{{source}: r[0]}}) MATCH (b:{kind.target} {{{target}: r[1]}})"
        f" CREATE (a)-[:{type}{properties}]->(b)"
    )


def index_texts(guard: str = "") -> list[str]:
    """One for the key of each label; `guard` is what a server wants where there may be one already."""
    return [f"CREATE INDEX{guard} FOR (n:{kind.label}) ON (n.{kind.properties[0]})" for kind in NODES]


def in_order(rows: Iterable[Iterable[Any]]) -> list[tuple[Any, ...]]:
    """Tuples, sorted: no engine promises an order that another one keeps."""
    return sorted((tuple(_plain(cell) for cell in row) for row in rows), key=_sortable)


def _plain(cell: Any) -> Any:
    """Lists as tuples; a sum of whole numbers is whole, though a server says 3.0."""
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    return tuple(map(_plain, cell)) if isinstance(cell, list) else cell


def _sortable(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple((cell is not None, "" if cell is None else cell) for cell in row)


def _properties(names: tuple[str, ...], first: int) -> str:
    return "{" + ", ".join(f"{name}: r[{place}]" for place, name in enumerate(names, first)) + "}"
