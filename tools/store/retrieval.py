"""The one place that knows langchain-community: clauses found by their words (BM25) where meaning can't be searched."""

from __future__ import annotations

import re
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tools.store.clauses import Hit, hit, policy_chunks
from tools.store.everyday import in_clinical_words

if TYPE_CHECKING:
    from tools.domain.records import Benefit, Drug, Policy

_STOPPED = frozenset(
    """a an and any are as at be been by can do does for from has have how i if in is it its may must no not of on or
    she he so than that the their them they this to was we what when which who will with you""".split()  # noqa: SIM905
)


def search(policy: Policy, benefit: Benefit | None, drug: Drug, query: str, k: int) -> list[Hit]:
    """The k clauses of this policy that share most with the question's words; those that share none come last."""
    bm25, clause_ids = _prepared(policy, benefit, drug)
    scores = bm25.vectorizer.get_scores(words(in_clinical_words(query)))
    best: dict[str, float] = {}
    for clause_id, score in zip(clause_ids, scores, strict=True):
        best[clause_id] = max(best.get(clause_id, 0.0), float(score))
    ranked = sorted(best.items(), key=lambda pair: -pair[1])
    return [hit(policy, clause_id, score, "words") for clause_id, score in ranked[:k]]


def words(text: str) -> list[str]:
    """Lower-case words without the commonest ones and the commonest endings."""
    found = re.findall(r"[a-z0-9]+", text.casefold())
    return [re.sub(r"(ies|es|s|ing|ed)$", "", word) or word for word in found if word not in _STOPPED]


@lru_cache(maxsize=128)
def _cached(key: tuple[str, ...]) -> Any:
    with warnings.catch_warnings():
        # The package says on import that it is no longer maintained. That is why it is imported here alone.
        warnings.filterwarnings("ignore", message=".*langchain-community.*")
        from langchain_community.retrievers import BM25Retriever

        return BM25Retriever.from_texts(list(key), preprocess_func=words)


def _prepared(policy: Policy, benefit: Benefit | None, drug: Drug) -> tuple[Any, list[str]]:
    found = policy_chunks(policy, benefit, drug)
    clause_ids, views = zip(
        *((chunk.clause_id, view) for chunk in found for view in chunk.views), strict=True
    )
    return _cached(views), list(clause_ids)
