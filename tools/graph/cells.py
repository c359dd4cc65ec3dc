"""Counts of people as they may be shown: none that is so small that it tells of somebody."""

from __future__ import annotations

from collections.abc import Mapping

LEAST = 5  # people in a cell that is shown


def shown(count: int) -> int | None:
    """The count; None for one from 1 to 4. Nobody is nobody, and may be said."""
    return count if count == 0 or count >= LEAST else None


def shown_together(counts: Mapping[str, int]) -> dict[str, int | None]:
    """Cells of which the sum is known: where just one would be hidden, the smallest other one is hidden with it,
    since it could be found out from the rest."""
    cells = {name: shown(count) for name, count in counts.items()}
    if list(cells.values()).count(None) == 1:
        others = [name for name, count in cells.items() if count]
        if others:
            cells[min(others, key=lambda name: (counts[name], name))] = None
    return cells
