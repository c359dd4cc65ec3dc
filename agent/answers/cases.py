"""A request that was made: where it stands, what the payer answered, what is due by when, what was sent, who called.

Everything is told from the entries of the patient's cases and from their clocks (tools/lifecycle); nothing is foretold.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

import msgspec

from agent.answers.answer import Answer, Said
from agent.answers.case_lines import Lines
from agent.answers.wording import drug_slot
from agent.ledger import Ledger
from agent.understanding.of_cases import Side, asked, might
from agent.understanding.reading import Ask, Intent
from tools.bound import Bound
from tools.dates import add_months
from tools.lifecycle.records import AuthorizationCase
from tools.lifecycle.running import Clock

MOST_CASES, MOST_CLOCKS = 3, 6
WEEK = 7  # days
# What a rule or the engine is asked as well: an open case is told of where it has something to say to it.
_SHARED: frozenset[Intent] = frozenset(
    ("dates", "eligibility", "missing", "why", "policy", "plan", "chart", "help", "unclear")
)


def answer(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """The side that is asked for, of each open case that is meant, else of the one that was closed last."""
    reply = Answer(intent="cases", ledger=ledger)
    every = bound.cases()
    cases = _meant(ask, every)
    if not cases:
        _none(ask, bound, every, reply)
        return reply
    told = [Lines(case, bound.clocks(case), bound.as_of, reply) for case in cases]
    for side in _sides(ask, bound):
        if side == "due":
            _due(ask, bound, told, reply)
        elif side == "calls":
            _calls(told, reply)
        else:
            for lines in told[:MOST_CASES]:
                _TOLD[side](lines, ask.text)
    if len(told) > MOST_CASES:
        reply.said.append(Said(text="There are more cases: pa case list shows them all.", verbatim=True))
    reply.drugs = tuple(
        dict.fromkeys(case.head.drug for case in cases if case.head.drug in bound.plan.benefits)
    )[:1]
    return reply


def instead(ask: Ask, bound: Bound, ledger: Ledger) -> Answer | None:
    """The answer of the open cases to a question that rules are asked as well; None if they have none."""
    every = bound.cases() if ask.intent in _SHARED else []
    side = might(_marked(ask, bound)) if any(case.open for case in every) else None
    if side is None:
        return None
    named = any(name.lower() in ask.text.lower() for name in ask.drugs)
    wanted = _meant(ask, every) or ([] if named else _meant(msgspec.structs.replace(ask, drugs=()), every))
    cases = [case for case in wanted if case.open and _speaks(side, case, bound)]
    if not cases:
        return None
    drugs = tuple(dict.fromkeys(case.head.drug for case in cases))
    return answer(msgspec.structs.replace(ask, intent="cases", about=side, drugs=drugs), bound, ledger)


def _sides(ask: Ask, bound: Bound) -> list[Side]:
    """What is asked for, one or more: "what did they say, and is anything due?" """
    parts = re.split(r",|;|\band\b", _marked(ask, bound))
    several = list(dict.fromkeys(side for part in parts if (side := asked(part))))
    return several if len(several) > 1 else [ask.about or "standing"]  # type: ignore[list-item]


def _marked(ask: Ask, bound: Bound) -> str:
    """What was typed, with the drugs and the payer that it names as the forms know them."""
    text = ask.text.lower()
    for name in ask.drugs:
        text = text.replace(name.lower(), "DRUG")
    for name in (bound.plan.name, bound.plan.payer, bound.plan.id):
        text = text.replace(name.lower(), "PLAN") if name else text
    called = bound.plan.payer.lower().partition(" ")[0]  # "Bluestem" for Bluestem Regional Mutual
    return re.sub(rf"\b{re.escape(called)}\b", "PLAN", text) if len(called) > 4 else text


def _speaks(side: Side, case: AuthorizationCase, bound: Bound) -> bool:
    """Has this case something to say to it?"""
    if side == "filing":
        return any(clock.ours for clock in bound.clocks(case))
    if side == "approval":
        return case.approval is not None
    if side == "said":
        return any(event.what in ("denied", "pended", "upheld", "partly_approved") for event in case.events)
    if side == "answer":
        return case.state not in ("draft", "reviewed", "renewal_due")
    return True


def _meant(ask: Ask, cases: list[AuthorizationCase]) -> list[AuthorizationCase]:
    """The open ones of the drugs named, or all open ones; if there is none, the one that was closed last."""
    of_drug = [case for case in cases if not ask.drugs or case.head.drug in ask.drugs]
    return [case for case in of_drug if case.open] or of_drug[-1:]


def _none(ask: Ask, bound: Bound, every: list[AuthorizationCase], reply: Answer) -> None:
    """No case: what is recorded instead, and how one begins."""
    named = ", ".join(drug_slot(reply.ledger, name) for name in ask.drugs)
    of_drug = f" of {named}" if named else ""
    reply.said.append(
        Said(
            text=f"No authorization case{of_drug} is recorded for this patient, so nothing that was sent, answered or"
            " is due is known here.",
            verbatim=True,
        )
    )
    for lines in (Lines(case, bound.clocks(case), bound.as_of, reply) for case in every[-MOST_CASES:]):
        lines.state()
    drug = ask.drugs[0] if ask.drugs else "DRUG"
    opening = _command(f"pa case open {bound.patient.id} {drug}", reply.ledger)
    drafting = _command(f"pa draft {bound.patient.id} {drug}", reply.ledger)
    reply.said.append(
        Said(
            text=f"If a request was sent, {opening} begins its case, and what is entered there can be asked for here;"
            f" if none was, {drafting} prepares one for review. Paladin sends nothing.",
            verbatim=True,
        )
    )


def _command(text: str, ledger: Ledger) -> str:
    return ledger.add("words", text, origin="case", attribute="command", source="pa")


# --- each side --------------------------------------------------------------------------------------------


def _standing(lines: Lines, text: str) -> None:
    lines.state(appeal="appeal" in text.lower())
    for clock in sorted(lines.clocks, key=lambda clock: _comes_last(clock, text))[:2]:
        lines.clock(clock)


def _answered(lines: Lines, text: str) -> None:
    if lines.answered():
        lines.reply.said.append(Said(text="An answer is on record.", verbatim=True))
        lines.decisions()
        return
    for clock in [clock for clock in lines.clocks if not clock.ours][:1]:
        lines.clock(clock)


def _said_by_payer(lines: Lines, text: str) -> None:
    if not lines.decisions():
        lines.answered()


def _filing(lines: Lines, text: str) -> None:
    """What we must file, before a call that stops no clock; if it is the payer's turn, what it must do."""
    mine = sorted((clock for clock in lines.clocks if clock.ours), key=lambda clock: _comes_last(clock, text))
    if not mine:
        lines.state()
        lines.reply.said.append(Said(text="Nothing is ours to file in it now.", verbatim=True))
    for place, clock in enumerate((mine or lines.clocks)[:3]):
        lines.clock(clock, about=bool(mine) and place == 0)


def _comes_last(clock: Clock, text: str) -> bool:
    """Does the clock come last: is it one of a call that nobody asked about?"""
    return clock.kind == "peer_to_peer" and "peer" not in text.lower()


def _sent(lines: Lines, text: str) -> None:
    before = len(lines.reply.said)
    lines.sendings(appeals="appeal" in text.lower())
    if len(lines.reply.said) == before:
        lines.state()


def _approval(lines: Lines, text: str) -> None:
    if not lines.approval():
        lines.state()
        return
    for clock in [clock for clock in lines.clocks if clock.kind == "renew"]:
        lines.clock(clock)


_TOLD = {
    "standing": _standing,
    "answer": _answered,
    "said": _said_by_payer,
    "filing": _filing,
    "sent": _sent,
    "approval": _approval,
}


def _calls(told: list[Lines], reply: Answer) -> None:
    """The calls of all cases; those of the case that was called about last come first."""
    logged = sorted(told, key=_last_call, reverse=True)
    if not sum([lines.calls() for lines in logged[:MOST_CASES]]):
        number = reply.ledger.add(
            "words", f"pa case log {told[0].case.id}", origin="case", attribute="command", source="pa"
        )
        reply.said.append(
            Said(
                text=f"No call with the payer is logged. {number} enters one, with whom it was.",
                verbatim=True,
            )
        )


def _last_call(lines: Lines) -> date:
    return max((event.on for event in lines.events if event.what == "called"), default=date.min)


def _due(ask: Ask, bound: Bound, told: list[Lines], reply: Answer) -> None:
    """What is late, what falls into the time that is asked for, and otherwise what comes next."""
    until = _until(ask.text, bound.as_of)
    clocks = sorted(
        ((lines, clock) for lines in told for clock in lines.clocks),
        key=lambda item: (item[1].due is None, item[1].due or date.max, not item[1].ours),
    )
    now = [(lines, clock) for lines, clock in clocks if clock.due is None or clock.due <= until]
    shown = [
        reply.ledger.add("date", day, origin="case", attribute="asked", source="as of")
        for day in (bound.as_of, until)
    ]
    if not now:
        reply.said.append(
            Said(text=f"Nothing is due from {shown[0]} to {shown[1]} in the open cases.", verbatim=True)
        )
        for lines, clock in clocks[:1]:
            reply.said.append(Said(text="Next:", verbatim=True))
            lines.clock(clock, about=True)
        return
    late = any(clock.late for _, clock in now)
    lead = f"Due up to {shown[1]}" + (", with what is late" if late else "")
    reply.said.append(Said(text=f"{lead}, as of {shown[0]}:", verbatim=True))
    for lines, clock in now[:MOST_CLOCKS]:
        lines.clock(clock, about=True)


_SPAN = re.compile(
    r"\b(\d{1,3}|a|an|one|two|three|four|six|couple of|few)?\s*(day|week|fortnight|month)s?\b", re.IGNORECASE
)
_NUMBERS = {"two": 2, "three": 3, "four": 4, "six": 6, "couple of": 2, "few": 3}


def _until(text: str, as_of: date) -> date:
    """The last day of the time that is asked for; a week, if none is named. "This week" is the next seven days."""
    if re.search(r"\btoday\b", text, re.IGNORECASE):
        return as_of
    if re.search(r"\btomorrow\b", text, re.IGNORECASE):
        return as_of + timedelta(days=1)
    found = _SPAN.search(text)
    if found is None:
        return as_of + timedelta(days=WEEK)
    word = (found[1] or "one").lower()
    count = int(word) if word.isdigit() else _NUMBERS.get(word, 1)
    if re.search(r"\bnext (?:week|month)\b", text, re.IGNORECASE):
        count += 1
    unit = found[2].lower()
    if unit == "month":
        return add_months(as_of, count)
    return as_of + timedelta(days=count * {"day": 1, "week": WEEK, "fortnight": 2 * WEEK}[unit])
