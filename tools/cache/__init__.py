"""Answers that are kept for the next time: under all that they follow from, so that none is ever out of date."""

from tools.cache.cache import KINDS, PAYS, Cache, Kind, NoCache

__all__ = ["KINDS", "PAYS", "Cache", "Kind", "NoCache"]
