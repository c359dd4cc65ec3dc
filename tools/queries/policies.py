"""What does the policy say: the clauses of one plan's policy for one drug that answer a question, verbatim."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tools.common.errors import NotFound, Unavailable
from tools.store import index
from tools.store.clauses import Hit

if TYPE_CHECKING:
    from tools.domain.records import Policy
    from tools.store.store import Store

log = logging.getLogger(__name__)


def search(store: Store, plan_id: str, drug: str, query: str, k: int = 3) -> list[Hit]:
    """The k clauses that answer the question best, of this plan's policy for this drug and of no other.

    By meaning; where the index is missing, stale or damaged, by words, and a line in the log says so. NotFound
    if the plan has no policy for the drug.
    """
    plan, wanted = store.plan(plan_id), store.drug(drug)
    policy = store.policy(plan.id, wanted.name)
    if policy is None:
        raise NotFound(
            "policy", f"{plan.id} for {wanted.name}", hint=_why_none(plan.benefits.get(wanted.name))
        )
    content = (index.MADE_BY, policy, plan.benefits.get(wanted.name), wanted, query, k)

    def by_meaning() -> list[Hit] | None:
        return _by_meaning(store, policy, query, k)

    hits = store.searches.remember(content, by_meaning) if store.searches else by_meaning()
    if hits is None:  # not kept: the index may be there the next time
        from tools.store import retrieval

        hits = retrieval.search(policy, plan.benefits.get(wanted.name), wanted, query, k)
    for hit in hits:
        assert hit.policy_id == policy.id, f"{hit.policy_id} came back in a search of {policy.id}"
    return hits


def _by_meaning(store: Store, policy: Policy, query: str, k: int) -> list[Hit] | None:
    """None, and a line that says why, if the index cannot answer."""
    try:
        return index.search(store, policy, query, k)
    except Unavailable as error:
        log.warning("%s: searched by words instead; `pa index` builds it again", error)
        return None


def _why_none(benefit: object) -> str:
    if benefit is None:
        return "the plan does not list the drug"
    if not getattr(benefit, "covered", False):
        return "the plan does not cover the drug"
    return "the drug needs no prior authorization there" if not getattr(benefit, "pa_required", False) else ""
