"""Suites, cases, scorers and the independent oracle; looks on from above."""

import tools  # noqa: F401 - no telemetry, before any library is loaded
