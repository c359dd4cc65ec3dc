"""A second opinion on what a clause says: by its meaning, from the bundled embedding model and examples of each reason.

A ridge regression from the examples' vectors to their codes; there is no chance in it, and nothing is learnt
at run time.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

EXAMPLES = Path(__file__).parent / "examples.yaml"
WEIGHTS = Path(__file__).parent / "meaning.npz"  # `python -m tools.denials.meaning` keeps them
RIDGE = 0.25
SURE = 0.30  # how far a code must be ahead of `none`
LEAST = 0.12  # where nothing else tells a reason
BESIDE = 0.5  # the least share of the surest opinion's lead that counts beside it
MORE = 0.20  # and how much further, where words have told a reason already


class Opinion(NamedTuple):
    """The code that fits best ("" if it is none of them), and how far it is ahead of none."""

    code: str
    lead: float


def opinions(clauses: Sequence[str]) -> list[Opinion]:
    """One for each clause."""
    import numpy as np

    if not clauses:
        return []
    codes, weights = _fitted()
    scores = _vectors(clauses) @ weights
    none = codes.index("none")
    given = []
    for row in scores:
        others = np.delete(row, none)
        best = int(others.argmax())
        lead = float(others[best] - row[none])
        given.append(Opinion([code for code in codes if code != "none"][best], lead))
    return given


@lru_cache(maxsize=1)
def _fitted() -> tuple[list[str], Any]:
    """As it was kept, if it is of these examples and this model; else fitted anew."""
    import numpy as np

    try:
        with np.load(WEIGHTS) as kept:
            if str(kept["of"]) == made_of():
                return [str(code) for code in kept["codes"]], kept["weights"].astype("float64")
    except (OSError, ValueError, KeyError):
        pass
    return fit()


def made_of() -> str:
    """What the weights depend on."""
    import hashlib

    from tools.store.embedding import NAME

    examples = hashlib.sha256(EXAMPLES.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
    return f"{NAME} {examples[:16]} {RIDGE}"


def fit() -> tuple[list[str], Any]:
    """From the examples, which takes seconds."""
    import numpy as np
    import yaml

    examples: dict[str, list[str]] = yaml.safe_load(EXAMPLES.read_text(encoding="utf-8"))
    codes = list(examples)
    wanted = [(code, said) for code, many in examples.items() for said in many]
    vectors = _vectors([said for _, said in wanted])
    share = {code: 1 / len(many) for code, many in examples.items()}
    targets = np.zeros((len(wanted), len(codes)))
    for row, (code, _) in enumerate(wanted):
        targets[row, codes.index(code)] = 1
    weight = np.array([share[code] ** 0.5 for code, _ in wanted])[:, None]
    weighted = vectors * weight
    square = weighted.T @ weighted + RIDGE * float((weight**2).mean()) * np.eye(vectors.shape[1])
    return codes, np.linalg.solve(square, weighted.T @ (targets * weight))


def _vectors(texts: Sequence[str]) -> Any:
    """With a column of ones for the intercept."""
    import numpy as np

    from tools.store.embedding import bundled

    made = bundled().embed(list(texts)).astype("float64")
    return np.hstack([made, np.ones((len(texts), 1))])


def main() -> None:
    """Fit, and keep the weights beside the examples."""
    import numpy as np

    codes, weights = fit()
    np.savez(WEIGHTS, of=made_of(), codes=codes, weights=weights.astype("float32"))


if __name__ == "__main__":
    main()
