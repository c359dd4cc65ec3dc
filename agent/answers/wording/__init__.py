"""How a determination and its findings are said, in a specialist's words, with every fact as a slot."""

from agent.answers.wording.findings import Sorted, asks_for_all, deciding_leaf, worth_trying
from agent.answers.wording.shared import (
    LONGEST_QUOTE,
    all_wrong_plan,
    ask_back,
    drugs_meant,
    finding_told,
    fitted,
    labeled_use,
    line,
    unlisted,
)
from agent.answers.wording.slots import (
    OUTCOMES,
    SUPPOSED,
    clause_source,
    drug_slot,
    joined,
    listed,
    lower,
    outcome_slot,
    plan_slot,
    pronoun,
    sentence,
    upper,
)
from agent.answers.wording.sources import note_sources, sources
from agent.answers.wording.words import Words

__all__ = [
    "LONGEST_QUOTE",
    "OUTCOMES",
    "SUPPOSED",
    "Sorted",
    "Words",
    "all_wrong_plan",
    "ask_back",
    "asks_for_all",
    "clause_source",
    "deciding_leaf",
    "drug_slot",
    "drugs_meant",
    "finding_told",
    "fitted",
    "joined",
    "labeled_use",
    "line",
    "listed",
    "lower",
    "note_sources",
    "outcome_slot",
    "plan_slot",
    "pronoun",
    "sentence",
    "sources",
    "unlisted",
    "upper",
    "worth_trying",
]
