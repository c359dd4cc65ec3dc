"""How a case is said: its state, its clocks, its letters and calls; each sentence with its facts as slots.

A fact's source is the entry that states it ("case 3, entry 4") or the rule that counts it. What a payer or a colleague
wrote is quoted as data.
"""

from __future__ import annotations

from collections.abc import Container
from datetime import date

from agent.answers.answer import Answer, Source
from agent.answers.wording import drug_slot
from agent.ledger import Kind, Ledger, spoken_date
from tools.denials.codes import REASONS
from tools.lifecycle.fold import levels
from tools.lifecycle.levels import level_named
from tools.lifecycle.records import AuthorizationCase, CaseEvent, Notice, standing
from tools.lifecycle.running import Clock, Term

MOST_CALLS = 3
LONGEST_REMARK = 240  # characters of what somebody wrote
_DECIDED = {
    "approved": "approved it",
    "partly_approved": "approved a part of it",
    "denied": "denied it",
    "pended": "asked for more before it decides",
    "extended": "said that it takes longer",
    "upheld": "upheld the denial",
    "overturned": "overturned the denial",
    "partly_overturned": "overturned a part of the denial",
}
PAYERS: frozenset[str] = frozenset(_DECIDED)
_Of = CaseEvent | Clock | None  # of which a fact is, if not of the case itself
OURS: frozenset[str] = frozenset(("submitted", "answered", "appealed"))


class Lines:
    """The sentences of one case, written into an answer on a day."""

    def __init__(
        self, case: AuthorizationCase, clocks: tuple[Clock, ...], as_of: date, reply: Answer
    ) -> None:
        self.case, self.clocks, self.as_of, self.reply = case, clocks, as_of, reply
        self.ledger: Ledger = reply.ledger
        self.events = standing(case)

    # --- where it stands ----------------------------------------------------------------------------------

    def state(self, *, appeal: bool = False) -> None:
        """What the case is about and its state, with the day on which it got there; where an appeal is asked for,
        also that none was filed."""
        about, state = self._about(), self.case.state
        if state in ("draft", "reviewed"):
            papers = "its papers are a draft" if state == "draft" else "its papers were reviewed"
            return self._say(f"{about}: {papers}, and nothing was sent yet as far as is recorded.")
        if state == "closed":
            last = self._last(("closed",))
            why = f": “{self._written(last)}”" if last and last.why else ""
            on = f" on {self._date(last.on, last.what, last)}" if last else ""
            return self._say(f"{about}: closed{on}{why}.", last)
        if state in ("submitted", "appealed"):
            last = self._last(OURS)
            sent = self._sent(last) if last else "nothing was sent as far as is recorded"
            return self._say(f"{about}: {sent}, and no decision on it is recorded.", last)
        last = self._last(PAYERS)
        if last is None:
            word = self._words(state.replace("_", " "), "state")
            return self._say(f"{about}: {word} since {self._date(self.case.since, 'state')}.")
        due = "; its renewal is due" if state == "renewal_due" else ""
        if appeal and not self._last(("appealed",)):
            due += "; no appeal is recorded as filed"
        return self._say(f"{about}: {self._decision(last)}{due}.", last)

    def sendings(self) -> bool:
        """Everything that was sent, the newest first, with who told it; False if there is nothing."""
        found = [event for event in reversed(self.events) if event.what in OURS]
        for event in found:
            by = self._fact("name", event.by, "entered by", event)
            received, number = event.facts.received, event.facts.reference
            had = f"; received {self._date(received, 'received', event)}" if received else ""
            said = f"; reference {self._code(number, event)}" if number else ""
            text = f"{self._about()}: {self._sent(event)}, entered by {by}{had}{said}."
            self._say(text, event, bullet=True)
        return bool(found)

    def answered(self) -> bool:
        """Whether the payer or reviewer has answered what was sent last; said with the day that it has for it."""
        last, word = self._last(OURS), self._last(PAYERS - {"extended"})
        if last is None:
            nothing = "nothing was sent as far as is recorded, so there is nothing to answer"
            self._say(f"{self._about()}: {nothing}.")
            return False
        if word is None or word.number < last.number:
            today = self.ledger.add("date", self.as_of, origin="case", attribute="as of", source="as of")
            text = f"No answer is recorded as of {today}: {self._sent(last)} ({self._about(lower=True)})."
            self._say(text, last)
            return False
        return True

    def decisions(self) -> bool:
        """What the payer said last, with what its letter holds as it was entered; False if it said nothing."""
        event = self._last(PAYERS)
        if event is None:
            return False
        self._say(f"{self._about()}: {self._decision(event)}.", event)
        if event.facts.notice:
            self._letter(event, event.facts.notice)
        if event.why:
            self._say(f"Noted with it: “{self._written(event)}”", event)
        return True

    def calls(self) -> bool:
        """The last calls with the payer, the newest first; False if none is logged."""
        found = [event for event in self.events if event.what == "called"]
        found.sort(key=lambda event: (event.on, event.number), reverse=True)
        for event in found[:MOST_CALLS]:
            call, by = event.facts.call, self._fact("name", event.by, "called by", event)
            text = f"{by} called {self._payer()} on {self._date(event.on, 'called', event)} ({self._about(lower=True)})"
            if call and call.spoke_with:
                who = self._fact("name", call.spoke_with, "spoke with", event)
                text += f", {'peer-to-peer' if call.peer_to_peer else 'and spoke'} with {who}"
            if call and call.reference:
                text += f", reference {self._code(call.reference, event)}"
            told = f": “{self._written(event)}”" if event.why else "."
            self._say(f"{text}{told}", event, bullet=True)
        return bool(found)

    def approval(self) -> bool:
        """From when to when the approval that was given last holds; False if there is none."""
        given = self.case.approval
        if given is None:
            return False
        event = next(e for e in reversed(self.events) if e.facts.approval == given)
        start, end = (
            self._date(given.start, "approval", event),
            self._date(given.end, "approval end", event),
        )
        verb = "ended" if given.end < self.as_of else "ends"
        number = f" {self._code(given.number, event)}" if given.number else ""
        self._say(f"{self._about()}: the approval{number} from {start} {verb} on {end}.", event)
        return True

    # --- its clocks -----------------------------------------------------------------------------------------

    def clock(self, clock: Clock, *, about: bool = False) -> None:
        """What must happen by when, how that was counted, and, where it is late, what can still be done."""
        lead = self._words(clock.what, "clock", clock) + ("" if clock.ours else " (theirs)")
        if about:
            lead = f"{self._about()}: {lead}"
        if clock.due is None:
            self._say(f"{lead}: the day is not known{self._note(clock)}.", bullet=True)
            return
        day, left = self._due(clock, clock.due), clock.days_left or 0
        if clock.late:
            text = f"{lead}: was due on {day} and is LATE by {self._days(-left, clock)}"
        else:
            near = {0: "today", 1: "tomorrow"}.get(left) or f"in {self._days(left, clock)}"
            text = f"{lead}: by {day}, {near}"
        text += f" ({self._how(clock)})"
        if clock.late and clock.possible:
            text += f". Still possible: {self._words(_bare(clock.possible), 'possible', clock)}"
        else:
            text += self._note(clock)
        self._say(f"{text}.", bullet=True)
        for term in clock.terms:
            cited = f"{term.how} ({term.cite})" if term.cite else term.how
            self._cite(f"{self._where()}, {clock.id}", f"{term.source}: {cited}")

    def _how(self, clock: Clock) -> str:
        """Each term as it was counted; with its own day where they differ."""
        told = []
        for term in sorted(clock.terms, key=_by_day):
            day = ""
            if clock.differs:
                kind = f"{clock.kind} by {term.source}"
                day = f"{self._fact('date', term.due, kind, clock, formula=term.how)}, "
            cite = f", {self._words(term.cite, 'rule', clock)}" if term.cite else ""
            told.append(f"{term.source}: {day}{self._words(_bare(term.how), 'counted', clock)}{cite}")
        differ = "; they differ, and the earliest is worked to" if clock.differs else ""
        return "; ".join(told) + differ

    def _due(self, clock: Clock, due: date) -> str:
        shown = f"{spoken_date(due)}{f' {clock.at:%H:%M}' if clock.at else ''}"
        how = min(clock.terms, key=_by_day).how
        return self._fact("date", due, clock.kind, clock, shown=shown, formula=how)

    def _days(self, days: int, clock: Clock) -> str:
        unit, formula = "day" if days == 1 else "days", f"{clock.due} - {self.as_of}"
        return self.ledger.add(
            "duration", days, unit=unit, origin="derived", attribute="days", source=clock.id, formula=formula
        )

    def _note(self, clock: Clock) -> str:
        return f"; note: {self._words(_bare(clock.note), 'note', clock)}" if clock.note else ""

    # --- parts of sentences ---------------------------------------------------------------------------------

    def _decision(self, event: CaseEvent) -> str:
        notice, given = event.facts.notice, event.facts.approval
        text = f"{self._decider(event)} {_DECIDED[event.what]}"
        if event.facts.level and event.what in ("upheld", "overturned", "partly_overturned"):
            text += f" in the {self._level(event)}"
        if notice:
            text += f" by a notice of {self._date(notice.dated, 'notice', event)}"
            if notice.received:
                text += f", received {self._date(notice.received, 'received', event)}"
        else:
            text += f" on {self._date(event.on, event.what, event)}"
        if given:
            start = self._date(given.start, "approval", event)
            number, end = self._code(given.number, event), self._date(given.end, "approval end", event)
            text += f"; approval {number}, {start} to {end}"
        return text

    def _letter(self, event: CaseEvent, notice: Notice) -> None:
        if notice.reasons:
            told = ", ".join(self._words(_reason(code), "reason", event) for code in notice.reasons)
            self._say(f"Its stated reasons: {told}.", event, leans=True)
        else:
            self._say("No reason was entered from it.", event, leans=True)
        if notice.reference:
            self._say(f"Its reference is {self._code(notice.reference, event)}.", event, leans=True)
        if notice.deadline:
            day = self._date(notice.deadline, "letter deadline", event)
            self._say(f"The letter itself gives {day}.", event)
        if notice.letter:
            name = self._words(notice.letter.title, "letter", event)
            self._say(f"This is what was entered from {name}; the case does not keep its text.", event)

    def _sent(self, event: CaseEvent) -> str:
        what = {
            "submitted": "the request was submitted",
            "answered": "the answer to the payer's question was sent",
        }.get(event.what) or f"the {self._level(event)} was filed"
        channel = f" by {event.facts.channel}" if event.facts.channel else ""
        urgent = " as expedited" if event.facts.urgency == "expedited" else ""
        return f"{what}{urgent}{channel} on {self._date(event.on, event.what, event)}"

    def _about(self, *, lower: bool = False) -> str:
        number = self._fact("code", str(self.case.id), "case")
        return f"{'case' if lower else 'Case'} {number}, {drug_slot(self.ledger, self.case.head.drug)}"

    def _decider(self, event: CaseEvent) -> str:
        key = event.facts.level
        level = level_named(levels(self.case), key) if key else None
        return self._payer() if level is None or level.decided_by == "the plan" else level.decided_by

    def _level(self, event: CaseEvent) -> str:
        key = event.facts.level or self.case.level
        return level_named(levels(self.case), key).name if key else "appeal"

    def _payer(self) -> str:
        return self._fact("name", self.case.head.payer or "the payer", "payer")

    def _last(self, kinds: Container[str]) -> CaseEvent | None:
        return next((event for event in reversed(self.events) if event.what in kinds), None)

    def _date(self, day: date, attribute: str, of: _Of = None) -> str:
        return self._fact("date", day, attribute, of)

    def _code(self, code: str, event: CaseEvent) -> str:
        return self._fact("code", code, "reference", event)

    def _words(self, text: str, attribute: str, of: _Of = None) -> str:
        return self._fact("words", text, attribute, of)

    def _written(self, event: CaseEvent) -> str:
        bare = " ".join(event.why.split())
        short = bare if len(bare) <= LONGEST_REMARK else f"{bare[: LONGEST_REMARK - 1]}…"
        return self._fact("quote", short, "remark", event)

    def _fact(
        self, kind: Kind, value: str | date, about: str, of: _Of = None, shown: str = "", formula: str = ""
    ) -> str:
        where = of.id if isinstance(of, Clock) else self._where(of)
        return self.ledger.add(
            kind, value, origin="case", attribute=about, source=where, shown=shown, formula=formula
        )

    def _where(self, event: CaseEvent | None = None) -> str:
        return f"case {self.case.id}" + (f", entry {event.number}" if event else "")

    def _say(
        self, text: str, event: CaseEvent | None = None, *, bullet: bool = False, leans: bool = False
    ) -> None:
        self.reply.say(text, verbatim=True, bullet=bullet, leans=leans)
        if event:
            self._cite(self._where(event), _entry(event))

    def _cite(self, source: str, quote: str) -> None:
        self.reply.cite([Source(source=source, quote=quote, kind="case")])


def _entry(event: CaseEvent) -> str:
    """An entry in one line, as its source."""
    notice = event.facts.notice
    dated = f" notice of {notice.dated}" if notice else ""
    deadline = f" deadline {notice.deadline}" if notice and notice.deadline else ""
    return f"{event.on} {event.what.replace('_', ' ')}{dated}{deadline} (entered by {event.by})"


def _by_day(term: Term) -> tuple[date, str]:
    return term.due, term.source


def _reason(code: str) -> str:
    known = REASONS.get(code)
    return f"{known.title} ({code})" if known else code


def _bare(text: str) -> str:
    return text.rstrip(". ")
