"""The workshop: prints the synthetic world from the catalog."""

import tools  # noqa: F401 - no telemetry, before any library is loaded
