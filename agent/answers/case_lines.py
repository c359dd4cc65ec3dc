"""How a case is said: its state, its clocks, its letters and calls; each sentence with its facts as slots.

A fact's source is the entry that states it ("case 3, entry 4") or the rule that counts it. What a payer or a colleague
wrote is quoted as data.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from agent.answers.answer import Answer, Said, Source
from agent.answers.wording import drug_slot
from agent.ledger import Ledger
from tools.denials.codes import REASONS
from tools.lifecycle.fold import levels, standing
from tools.lifecycle.levels import level_named
from tools.lifecycle.records import AuthorizationCase, CaseEvent, Notice
from tools.lifecycle.running import Clock, Term

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
            why = f": “{self._written(last, last.why)}”" if last and last.why else ""
            return self._say(f"{about}: closed{self._on(last)}{why}.", last)
        if state in ("submitted", "appealed"):
            return self._say(f"{about}: {self.sent()}, and no decision on it is recorded.", self._last(OURS))
        last = self._last(PAYERS)
        if last is None:
            word = self._words(state.replace("_", " "), self._where(), "state")
            return self._say(f"{about}: {word} since {self._date(self.case.since, self._where(), 'state')}.")
        due = "; its renewal is due" if state == "renewal_due" else ""
        due += "; no appeal is recorded as filed" if appeal and not self._appealed() else ""
        return self._say(f"{about}: {self._decision(last)}{due}.", last)

    def sent(self) -> str:
        """What was sent last, and when: "the internal appeal was filed on …"."""
        last = self._last(OURS)
        if last is None:
            return "nothing was sent as far as is recorded"
        return self._sent(last)

    def sendings(self) -> None:
        """Everything that was sent, the newest first, with who told it."""
        for event in reversed([event for event in self.events if event.what in OURS]):
            by = self.ledger.add(
                "name", event.by, origin="case", attribute="entered by", source=self._where(event)
            )
            received = event.facts.received
            had = f"; received {self._date(received, self._where(event), 'received')}" if received else ""
            number = event.facts.reference
            said = f"; reference {self._code(number, event)}" if number else ""
            self._say(
                f"{self._about()}: {self._sent(event)}, entered by {by}{had}{said}.", event, bullet=True
            )

    def answered(self) -> bool:
        """Whether the payer or reviewer has answered what was sent last; said with the day that it has for it."""
        last, word = self._last(OURS), self._last(PAYERS - {"extended"})
        if last is None:
            self._say(
                f"{self._about()}: nothing was sent as far as is recorded, so there is nothing to answer."
            )
            return False
        if word is None or word.number < last.number:
            today = self._date(self.as_of, "as of", "as of")
            self._say(
                f"No answer is recorded as of {today}: {self._sent(last)} ({self._about(lower=True)}).", last
            )
            return False
        return True

    def decisions(self) -> int:
        """What the payer said last, with what its letter holds as it was entered."""
        found = [event for event in reversed(self.events) if event.what in PAYERS][:1]
        for event in found:
            self._say(f"{self._about()}: {self._decision(event)}.", event)
            if event.facts.notice:
                self._letter(event, event.facts.notice)
            if event.why:
                self._say(f"Noted with it: “{self._written(event, event.why)}”", event)
        return len(found)

    def calls(self, most: int = 3) -> int:
        """The calls with the payer, the newest first."""
        found = sorted(
            (event for event in self.events if event.what == "called"),
            key=lambda e: (e.on, e.number),
            reverse=True,
        )[:most]
        for event in found:
            where, call = self._where(event), event.facts.call
            by = self.ledger.add("name", event.by, origin="case", attribute="called by", source=where)
            text = f"{by} called {self._payer()} on {self._date(event.on, where, 'called')} ({self._about(lower=True)})"
            if call and call.spoke_with:
                who = self.ledger.add(
                    "name", call.spoke_with, origin="case", attribute="spoke with", source=where
                )
                text += f", {'peer-to-peer' if call.peer_to_peer else 'and spoke'} with {who}"
            if call and call.reference:
                text += f", reference {self._code(call.reference, event)}"
            told = f": “{self._written(event, event.why)}”" if event.why else "."
            self._say(f"{text}{told}", event, bullet=True)
        return len(found)

    def approval(self) -> bool:
        """From when to when the approval that was given last holds; False if there is none."""
        given = self.case.approval
        if given is None:
            return False
        event = next(e for e in reversed(self.events) if e.facts.approval == given)
        start, end = self._date(given.start, self._where(event), "approval"), self._end(event, given.end)
        verb = "ended" if given.end < self.as_of else "ends"
        number = f" {self._code(given.number, event)}" if given.number else ""
        self._say(f"{self._about()}: the approval{number} from {start} {verb} on {end}.", event)
        return True

    # --- its clocks -----------------------------------------------------------------------------------------

    def clock(self, clock: Clock, *, about: bool = False) -> None:
        """What must happen by when, how that was counted, and, where it is late, what can still be done."""
        whose = "" if clock.ours else " (theirs)"
        what = self._words(clock.what, clock.id, "clock")
        lead = f"{self._about()}: {what}{whose}" if about else f"{what}{whose}"
        if clock.due is None:
            self._say(f"{lead}: the day is not known{self._note(clock)}.", bullet=True)
            return
        day = self._day(clock)
        if clock.late:
            late = self._count(-(clock.days_left or 0), clock)
            text = f"{lead}: was due on {day} and is LATE by {late}"
        else:
            text = f"{lead}: by {day}, {self._left(clock)}"
        text += f" ({self._how(clock)})"
        if clock.late and clock.possible:
            text += f". Still possible: {self._words(_bare(clock.possible), clock.id, 'possible')}"
        else:
            text += self._note(clock)
        self._say(f"{text}.", bullet=True)
        self._cite(clock)

    def _how(self, clock: Clock) -> str:
        """Each term as it was counted; with its own day where they differ."""
        told = []
        for term in sorted(clock.terms, key=lambda term: (term.due, term.source)):
            day = f"{self._term_day(clock, term)}, " if clock.differs else ""
            cite = f", {self._words(term.cite, clock.id, 'rule')}" if term.cite else ""
            told.append(f"{term.source}: {day}{self._words(_bare(term.how), clock.id, 'counted')}{cite}")
        differ = "; they differ, and the earliest is worked to" if clock.differs else ""
        return "; ".join(told) + differ

    def _day(self, clock: Clock) -> str:
        assert clock.due is not None
        hour = f" {clock.at:%H:%M}" if clock.at else ""
        term = min(clock.terms, key=lambda term: (term.due, term.source))
        shown = f"{clock.due:%b} {clock.due.day}, {clock.due.year}{hour}"
        return self.ledger.add(
            "date",
            clock.due,
            shown=shown,
            origin="case",
            attribute=clock.kind,
            source=clock.id,
            formula=term.how,
        )

    def _term_day(self, clock: Clock, term: Term) -> str:
        return self.ledger.add(
            "date", term.due, origin="case", attribute=f"{clock.kind} by {term.source}", source=clock.id,
            formula=term.how,
        )  # fmt: skip

    def _left(self, clock: Clock) -> str:
        if clock.days_left in (0, 1):
            return "today" if clock.days_left == 0 else "tomorrow"
        return f"in {self._count(clock.days_left or 0, clock)}"

    def _count(self, days: int, clock: Clock) -> str:
        return self.ledger.add(
            "duration",
            days,
            unit="days" if days != 1 else "day",
            origin="derived",
            attribute="days",
            source=clock.id,
            formula=f"{clock.due} - {self.as_of}",
        )

    def _note(self, clock: Clock) -> str:
        return f"; note: {self._words(_bare(clock.note), clock.id, 'note')}" if clock.note else ""

    def _cite(self, clock: Clock) -> None:
        for term in clock.terms:
            cited = f"{term.how} ({term.cite})" if term.cite else term.how
            self._source(
                Source(source=f"{self._where()}, {clock.id}", quote=f"{term.source}: {cited}", kind="case")
            )

    # --- parts of sentences ---------------------------------------------------------------------------------

    def _decision(self, event: CaseEvent) -> str:
        where, text = self._where(event), f"{self._decider(event)} {_DECIDED[event.what]}"
        if event.facts.level and event.what in ("upheld", "overturned", "partly_overturned"):
            text += f" in the {self._level(event)}"
        if event.facts.notice:
            text += f" by a notice of {self._date(event.facts.notice.dated, where, 'notice')}"
            if event.facts.notice.received:
                text += f", received {self._date(event.facts.notice.received, where, 'received')}"
        else:
            text += f" on {self._date(event.on, where, event.what)}"
        given = event.facts.approval
        if given:
            start = self._date(given.start, where, "approval")
            text += f"; approval {self._code(given.number, event)}, {start} to {self._end(event, given.end)}"
        return text

    def _letter(self, event: CaseEvent, notice: Notice) -> None:
        where = self._where(event)
        if notice.reasons:
            told = ", ".join(self._words(_reason(code), where, "reason") for code in notice.reasons)
            self._say(f"Its stated reasons: {told}.", event, leans=True)
        else:
            self._say("No reason was entered from it.", event, leans=True)
        if notice.reference:
            self._say(f"Its reference is {self._code(notice.reference, event)}.", event, leans=True)
        if notice.deadline:
            self._say(
                f"The letter itself gives {self._date(notice.deadline, where, 'letter deadline')}.", event
            )
        if notice.letter:
            name = self._words(notice.letter.title, where, "letter")
            self._say(f"This is what was entered from {name}; the case does not keep its text.", event)

    def _sent(self, event: CaseEvent) -> str:
        verb = {"submitted": "submitted", "answered": "sent", "appealed": "filed"}[event.what]
        what = {"submitted": "the request", "answered": "the answer to the payer's question"}.get(
            event.what, f"the {self._level(event)}" if event.what == "appealed" else ""
        )
        channel = f" by {event.facts.channel}" if event.facts.channel else ""
        urgent = " as expedited" if event.facts.urgency == "expedited" else ""
        return f"{what} was {verb}{urgent}{channel} on {self._date(event.on, self._where(event), event.what)}"

    def _about(self, *, lower: bool = False) -> str:
        number = self.ledger.add(
            "code", str(self.case.id), origin="case", attribute="case", source=self._where()
        )
        return f"{'case' if lower else 'Case'} {number}, {drug_slot(self.ledger, self.case.head.drug)}"

    def _decider(self, event: CaseEvent) -> str:
        key = event.facts.level
        level = level_named(levels(self.case), key) if key else None
        if level is None or level.decided_by == "the plan":
            return self._payer()
        return level.decided_by

    def _level(self, event: CaseEvent) -> str:
        key = event.facts.level or self.case.level
        return level_named(levels(self.case), key).name if key else "appeal"

    def _payer(self) -> str:
        return self.ledger.add(
            "name",
            self.case.head.payer or "the payer",
            origin="case",
            attribute="payer",
            source=self._where(),
        )

    def _last(self, kinds: frozenset[str] | tuple[str, ...]) -> CaseEvent | None:
        return next((event for event in reversed(self.events) if event.what in kinds), None)

    def _appealed(self) -> bool:
        return any(event.what == "appealed" for event in self.events)

    def _on(self, event: CaseEvent | None) -> str:
        return f" on {self._date(event.on, self._where(event), event.what)}" if event else ""

    def _end(self, event: CaseEvent, day: date) -> str:
        return self._date(day, self._where(event), "approval end")

    def _date(self, day: date, where: str, attribute: str) -> str:
        return self.ledger.add("date", day, origin="case", attribute=attribute, source=where)

    def _code(self, code: str, event: CaseEvent) -> str:
        return self.ledger.add("code", code, origin="case", attribute="reference", source=self._where(event))

    def _words(self, text: str, where: str, attribute: str) -> str:
        return self.ledger.add("words", text, origin="case", attribute=attribute, source=where)

    def _written(self, event: CaseEvent, text: str) -> str:
        bare = " ".join(text.split())
        short = bare if len(bare) <= LONGEST_REMARK else f"{bare[: LONGEST_REMARK - 1]}…"
        return self.ledger.add("quote", short, origin="case", attribute="remark", source=self._where(event))

    def _where(self, event: CaseEvent | None = None) -> str:
        return f"case {self.case.id}" + (f", entry {event.number}" if event else "")

    def _say(
        self, text: str, event: CaseEvent | None = None, *, bullet: bool = False, leans: bool = False
    ) -> None:
        self.reply.said.append(Said(text=text, verbatim=True, bullet=bullet, leans=leans))
        if event:
            self._source(Source(source=self._where(event), quote=_entry(event), kind="case"))

    def _source(self, source: Source) -> None:
        if source not in self.reply.sources:
            self.reply.sources.append(source)


def _entry(event: CaseEvent) -> str:
    """An entry in one line, as its source."""
    return " ".join(_parts(event))


def _parts(event: CaseEvent) -> Iterator[str]:
    yield f"{event.on} {event.what.replace('_', ' ')}"
    notice = event.facts.notice
    if notice:
        yield f"notice of {notice.dated}"
        yield from (f"deadline {notice.deadline}",) if notice.deadline else ()
    yield f"(entered by {event.by})"


def _reason(code: str) -> str:
    known = REASONS.get(code)
    return f"{known.title} ({code})" if known else code


def _bare(text: str) -> str:
    return text.rstrip(". ")
