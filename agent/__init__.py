"""Judgement and its doors: settings, the workflow, the command line, the HTTP API."""

import atexit
import gc

import tools  # noqa: F401 - no telemetry, before any library is loaded

# Imports make many objects and no rubbish: by Python's own thresholds, and with its last look as a process ends, a cold
# command spends a seventh of its processor time on looking for some.
gc.set_threshold(100_000, 20, 20)
atexit.register(gc.disable)
