"""A second evaluator, written from the printed policies alone.

    decide(policy_text, patient, plan, drug, request, as_of) → Verdict

It reads the clauses of a policy's text into a decision table and judges the table on the patient's raw JSON. It
imports nothing of tools, data_gen or agent (import-linter holds it), and was written from the policies, the JSON
and the domain reference, without reading the engine: where both agree, they agree from two sides.
"""

from evals.oracle.deciding import decide
from evals.oracle.table import DecisionTable, Unreadable, read_policy
from evals.oracle.verdicts import Verdict

__all__ = ["DecisionTable", "Unreadable", "Verdict", "decide", "read_policy"]
