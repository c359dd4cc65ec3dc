"""Judgement and its doors: settings, the workflow, the command line, the HTTP API.

Charts stay on this machine: whatever a shell has set for other projects, no library traces or reports from here.
"""

import os

os.environ.update(
    LANGSMITH_TRACING="false",
    LANGSMITH_TRACING_V2="false",
    LANGCHAIN_TRACING="false",
    LANGCHAIN_TRACING_V2="false",
    ANONYMIZED_TELEMETRY="False",
    HF_HUB_OFFLINE="1",
    DO_NOT_TRACK="1",
)
