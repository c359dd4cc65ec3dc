"""The panel of the graph's tests: the same people, without a graph."""

from tests.tools.graph.conftest import panel, pool

__all__ = ["panel", "pool"]
