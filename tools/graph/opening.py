"""An engine by its URL, imported only then."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from tools.errors import Invalid
from tools.graph.engine import Graph

BOLT = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")


def open_graph(url: str, path: Path, owner: str) -> Graph:
    """The engine at this URL; the embedded one in the file `path` where there is none. `owner` names the store whose
    graphs are meant, on a server that holds those of several."""
    scheme = urlsplit(url).scheme
    if not url:
        from tools.graph.embedded import Embedded

        return Embedded(path)
    if scheme in ("falkor", "falkors"):
        from tools.graph.falkor import Falkor

        return Falkor(url, owner)
    if scheme in BOLT:
        from tools.graph.neo4j import Neo4j

        return Neo4j(url)
    raise Invalid(
        f"{url!r} is no graph database: write falkor://127.0.0.1:56380, or neo4j://user:password@host:7687;"
        " unset PALADIN_GRAPH_URL for the embedded one"
    )
