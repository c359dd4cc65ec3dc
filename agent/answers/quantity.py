"""Whether an amount is within what the plan pays for: that first, and how the request stands behind it."""

from __future__ import annotations

import msgspec

from agent.answers import what_if
from agent.answers.answer import Answer
from agent.answers.wording import Words, finding_told, sources
from agent.dialogue.query import Ask
from agent.ledger import Ledger
from tools.queries.bound import Bound

_LEADS = {"met": "Yes. ", "not_met": "No. "}


def answer(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """The limit against the amount that is supposed, or else ordered; then the decision on the request with it."""
    reply = what_if.answer(msgspec.structs.replace(ask, form="text"), bound, ledger)
    found = reply.determinations[0] if reply.determinations else None
    finding = next((one for one in found.findings if one.criterion == "quantity"), None) if found else None
    if found is None or finding is None:
        return reply
    told = finding_told(Words(bound, ledger, found, supposed=reply.hypothetical), finding)
    lead = _LEADS.get(finding.status, "") if ask.form == "yes_no" else ""
    line = msgspec.structs.replace(told, text=f"{lead}{told.text}", bullet=False, verbatim=True)
    reply.said.insert(1 if reply.hypothetical else 0, line)  # behind what is supposed
    reply.sources += [one for one in sources([finding]) if one not in reply.sources]
    return reply
