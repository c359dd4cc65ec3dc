"""How models of eight bits are opened, so that they say the same on every processor."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def opened(model: Path) -> Any:
    """An inference session of ONNX Runtime over a model's file.

    Raises:
        ImportError: ONNX Runtime is not installed.
        Exception: ONNX Runtime, which has no common class for it, cannot read the model.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    # idle threads burn the cores of others
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # without it, processors that lack VNNI cut sums of products off, and read otherwise than all others
    options.add_session_config_entry("session.x64quantprecision", "1")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
