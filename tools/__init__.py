"""What can be known and done; imports nothing else of ours.

Charts stay on this machine: whatever a shell has set for other projects, no library reports, traces or looks for
newer versions. Every room imports this one first, so that it holds before any library is loaded, and each process
that is started inherits it.
"""

import os

NO_TELEMETRY = {
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime reads it once, as it loads; its API comes too late
    "ANONYMIZED_TELEMETRY": "False",  # Chroma
    "CHROMA_OTEL_COLLECTION_ENDPOINT": "",
    "OTEL_SDK_DISABLED": "true",  # Chroma, DBOS, MCP
    "LANGSMITH_TRACING": "false",
    "LANGSMITH_TRACING_V2": "false",
    "LANGCHAIN_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "LANGGRAPH_CLI_NO_ANALYTICS": "1",
    "INSPECT_TELEMETRY": "",
    "HF_HUB_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
}
os.environ.update(NO_TELEMETRY)
