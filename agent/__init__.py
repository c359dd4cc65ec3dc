"""Judgement and its doors: settings, the workflow, the command line, the HTTP API."""

import tools  # noqa: F401 - no telemetry, before any library is loaded
