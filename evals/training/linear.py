"""Linear models over hashed features: how examples become a matrix, and how weights are fitted to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def hashed(rows: Sequence[Sequence[int]], buckets: int, dtype: type = np.float64) -> Any:
    """A sparse matrix with a one (or the count) where an example has a feature: examples x buckets."""
    from scipy.sparse import csr_matrix

    ends = np.cumsum([0, *map(len, rows)])
    columns = [column for row in rows for column in row]
    return csr_matrix((np.ones(len(columns), dtype), columns, ends), shape=(len(rows), buckets))


def regression(matrix: Any, labels: Any, *, strength: float, rounds: int, close: float) -> Any:
    """scikit-learn's logistic regression, fitted.

    Args:
        matrix: examples x features.
        labels: the class of each example.
        strength: of the prior: C, the inverse of how strongly weights are drawn to 0.
        rounds: of the solver, at most.
        close: the slope at which the solver stops.
    """
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=strength, max_iter=rounds, tol=close).fit(matrix, labels)
