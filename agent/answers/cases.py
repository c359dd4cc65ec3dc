"""A request that was made: where it stands, what the payer answered, what is due by when, what was sent, who called.

Everything is told from the entries of the patient's cases and from their clocks (tools/lifecycle); nothing is foretold.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial

from agent.answers import dates
from agent.answers.answer import Answer, Said
from agent.answers.case_lines import Lines
from agent.answers.eligibility import standing
from agent.answers.wording import Words, drug_slot, drugs_meant
from agent.dialogue.query import Ask, Query
from agent.ledger import Ledger
from tools.lifecycle.records import AuthorizationCase
from tools.lifecycle.running import Clock
from tools.queries.bound import Bound

MOST_CASES, MOST_CLOCKS = 3, 6


def answer(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """The side that is asked for, of each open case that is meant, else of the one that was closed last."""
    reply = Answer(ledger=ledger)
    every = bound.cases()
    cases = _meant(ask, every)
    if not cases:
        _none(ask, bound, every, reply)
        return reply
    told = [Lines(case, bound.clocks(case), bound.as_of, reply) for case in cases]
    if ask.query == "deadline":
        _due(ask, bound, told, reply)
    elif ask.query == "calls":
        _calls(told, reply)
    else:
        for lines in told[:MOST_CASES]:
            _TOLD[ask.query](lines)
    if len(told) > MOST_CASES:
        reply.say("There are more cases: pa case list shows them all.", verbatim=True)
    reply.drugs = tuple(case.head.drug for case in cases if case.head.drug in bound.plan.benefits)[:1]
    return reply


def _meant(ask: Ask, cases: list[AuthorizationCase]) -> list[AuthorizationCase]:
    """The open ones of the drugs named, or all open ones; if there is none, the one that was closed last."""
    of_drug = [case for case in cases if not ask.drugs or case.head.drug in ask.drugs]
    if ask.query == "deadline":  # whatever is due, though the talk is about another drug
        of_drug = of_drug or cases
    return [case for case in of_drug if case.open] or of_drug[-1:]


def _none(ask: Ask, bound: Bound, every: list[AuthorizationCase], reply: Answer) -> None:
    """No case: that, what stands in its place, and how one begins."""
    drug = next(iter(drugs_meant(ask, bound)), "")
    of_drug = f" for {drug_slot(reply.ledger, drug)}" if ask.drugs else ""
    if ask.query == "approval":
        for name in ask.drugs or dict.fromkeys(one.drug for one in bound.patient.authorizations):
            dates.granted(bound, name, reply)
        if reply.said:
            reply.say("No approval number is recorded.", verbatim=True, must=False)
            return
        if ask.day and drug:  # "say they approve it on Friday": until when it then is
            dates.approval(ask, bound, drug, reply)
            return
    if ask.query == "deadline" and drug:  # what runs out first
        dates.granted(bound, drug, reply, running=True)
    runs = bool(reply.said)
    absent = _ABSENT.get(ask.query, "No request{of} is recorded as sent").format(of=of_drug)
    reply.say(f"{absent} for this patient.", verbatim=True)
    for case in every[-MOST_CASES:]:
        Lines(case, bound.clocks(case), bound.as_of, reply).state()
    if not drug:
        return
    if ask.query == "deadline":
        if not runs or ask.day:
            dates.appeals(bound, drug, reply, ask.day)  # "and if they say no": how long there is then
        dates.windows(ask, dates.on_the_day(ask, bound), drug, reply)
        return
    if ask.query in _OF_A_DENIAL:
        dates.appeals(bound, drug, reply, ask.day)
    if ask.query in ("status", "answer"):
        dates.granted(bound, drug, reply)
    if ask.query == "status":
        reply.drugs = tuple(name for name in ask.drugs or (drug,) if name in bound.plan.benefits)
        for name in reply.drugs[:MOST_CASES]:
            found = bound.determination(name)
            reply.determinations.append(found)
            first, *rest = standing(Words(bound, reply.ledger, found))
            reply.said += [Said(text=f"As the chart stands: {first.text}"), *rest]
    opening = _command(f"pa case open {bound.patient.id} {drug}", reply.ledger)
    text = f"Once a request was sent, {opening} begins its case, and what is entered there can be asked for here."
    reply.say(text, verbatim=True, must=False)


_OF_A_DENIAL: frozenset[Query] = frozenset(("appeal", "draft_appeal", "denial", "peer_to_peer"))
_ABSENT: dict[Query, str] = {
    "answer": "No request{of} is recorded as sent, and no answer of the payer",
    "denial": "No denial{of} is recorded",
    "deadline": "No request{of} is recorded as sent or denied, so no clock of the payer runs",
    "appeal": "No denial{of} that could be appealed is recorded",
    "draft_appeal": "Nothing was drafted: no denial{of} that could be appealed is recorded",
    "peer_to_peer": "No denial{of} is recorded, and so no peer-to-peer call",
    "calls": "No call with the payer{of} is recorded",
    "approval": "No approval{of} is recorded",
}


def _command(text: str, ledger: Ledger) -> str:
    return ledger.add("words", text, origin="case", attribute="command", source="pa")


# --- each side --------------------------------------------------------------------------------------------


def _standing(lines: Lines) -> None:
    lines.state()
    for clock in sorted(lines.clocks, key=_comes_last)[:2]:
        lines.clock(clock)


def _answered(lines: Lines) -> None:
    if lines.answered():
        lines.reply.say("An answer is on record.", verbatim=True)
        lines.decisions()
        return
    theirs = [clock for clock in lines.clocks if not clock.ours]
    for clock in theirs[:1]:
        lines.clock(clock)


def _said_by_payer(lines: Lines) -> None:
    if not lines.decisions():
        lines.answered()


def _appeal(lines: Lines) -> None:
    """Whether one was filed, until when one can be, and where the plan of it is made."""
    lines.state(appeal=True)
    mine = sorted((clock for clock in lines.clocks if clock.ours), key=_comes_last)
    for clock in mine[:2]:
        lines.clock(clock)
    command = _command(f"pa appeal plan {lines.case.id}", lines.ledger)
    text = f"{command} says which way is open, what to argue and what it needs; `pa appeal draft` writes it."
    lines.reply.say(text, verbatim=True)


def _peer_to_peer(lines: Lines) -> None:
    clocks = [clock for clock in lines.clocks if clock.kind == "peer_to_peer"]
    for clock in clocks:
        lines.clock(clock, about=True)
    if not clocks:
        lines.state()
        lines.reply.say("No date for a peer-to-peer call is recorded in it.", verbatim=True)


def _comes_last(clock: Clock) -> bool:
    """A call that stops no clock comes last."""
    return clock.kind == "peer_to_peer"


def _sent(lines: Lines) -> None:
    if not lines.sendings():
        lines.state()


def _approval(lines: Lines) -> None:
    if not lines.approval():
        lines.state()
        return
    for clock in [clock for clock in lines.clocks if clock.kind == "renew"]:
        lines.clock(clock)


_TOLD: dict[Query, Callable[[Lines], None]] = {
    "status": _standing,
    "answer": _answered,
    "denial": _said_by_payer,
    "appeal": _appeal,
    "draft_appeal": _appeal,
    "peer_to_peer": _peer_to_peer,
    "sent": _sent,
    "approval": _approval,
}


def _calls(told: list[Lines], reply: Answer) -> None:
    """The calls of all cases; those of the case that was called about last come first."""
    logged = sorted(told, key=_last_call, reverse=True)
    called = [lines.calls() for lines in logged[:MOST_CASES]]
    if not any(called):
        command = _command(f"pa case log {told[0].case.id}", reply.ledger)
        text = f"No call with the payer is logged. {command} enters one, with whom it was."
        reply.say(text, verbatim=True)


def _last_call(lines: Lines) -> date:
    return max((event.on for event in lines.events if event.what == "called"), default=date.min)


def _due(ask: Ask, bound: Bound, told: list[Lines], reply: Answer) -> None:
    """What is late, what falls into the time that is asked for if one is, and otherwise what comes next."""
    clocks = sorted(
        ((lines, clock) for lines in told for clock in lines.clocks),
        key=lambda item: (not item[1].ours, item[1].due is None, item[1].due or date.max),
    )
    now = [one for one in clocks if ask.until is None or one[1].due is None or one[1].due <= ask.until]
    if not clocks:
        for lines in told[:MOST_CASES]:
            lines.state()
        reply.say("Nothing is due in it now.", verbatim=True)
    elif ask.until is not None and not now:
        add = partial(reply.ledger.add, "date", origin="case", attribute="asked", source="as of")
        text = f"Nothing is due from {add(bound.as_of)} to {add(ask.until)} in the open cases; next comes:"
        reply.say(text, verbatim=True)
        now = clocks[:1]
    for lines, clock in now[:MOST_CLOCKS]:
        lines.clock(clock, about=True)
