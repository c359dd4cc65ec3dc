"""Items with the people and the tampered policies that they are about."""

from __future__ import annotations

from typing import Any

import msgspec

from evals.suites.items import Item


class Book(msgspec.Struct, kw_only=True):
    """`charts` are the people of the made world; `doctored` maps a policy's file to the words slipped into it."""

    seed: int
    items: list[Item] = []
    charts: list[dict[str, Any]] = []
    doctored: dict[str, str] = {}
