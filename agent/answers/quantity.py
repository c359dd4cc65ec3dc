"""Whether an amount is within what the plan pays for: that first, and how the request stands behind it."""

from __future__ import annotations

import msgspec

from agent.answers import what_if
from agent.answers.answer import Answer, plain
from agent.answers.wording import Words, finding_told, sources
from agent.dialogue.query import Ask
from agent.ledger import Ledger
from tools.queries.bound import Bound

_LEADS = {"met": "Yes. ", "not_met": "No. "}


def answer(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """The limit against the amount that is supposed, or else ordered; then the decision on the request with it."""
    reply = what_if.answer(msgspec.structs.replace(ask, form="text"), bound, ledger)
    for found in reply.determinations[:1]:
        for finding in [one for one in found.findings if one.criterion == "quantity"][:1]:
            told = finding_told(Words(bound, ledger, found, supposed=reply.hypothetical), finding)
            lead = _LEADS.get(finding.status, "") if ask.form == "yes_no" else ""
            behind = 1 if reply.hypothetical else 0  # what is supposed
            reply.said[behind:behind] = plain(f"{lead}{told.text}")
            reply.cite(sources([finding]))
    return reply
