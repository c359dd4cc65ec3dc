"""What does the policy say: the clauses that answer, quoted, or that the policy does not say."""

from agent.answers.policy.contents import clauses_about, printed
from agent.answers.policy.saying import answer, clause_slot, clause_told

__all__ = ["answer", "clause_slot", "clause_told", "clauses_about", "printed"]
