"""What `pa case` and `pa due` show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from agent.terminal.screen import NARROW, console, say
from tools.lifecycle.fold import possible
from tools.lifecycle.states import full

if TYPE_CHECKING:
    from tools.lifecycle.records import AuthorizationCase, CaseEvent, Facts
    from tools.lifecycle.running import Clock, Term

Row = tuple["AuthorizationCase", "Clock | None"]
SOON, NEAR = 2, 7  # days
SOURCES = {"law": "law", "plan": "plan", "letter": "letter", "approval": "approval"}
STATES = {
    "approved": "green",
    "partly_approved": "yellow",
    "denied": "red",
    "upheld": "red",
    "pended": "yellow",
    "renewal_due": "yellow",
    "closed": "dim",
}


def listed(rows: Sequence[Row], days: str, alone: Mapping[int, str]) -> None:
    """Cases, each with the clock that ends first.

    Args:
        days: on which they are judged.
        alone: why a case is of nobody's chart, by its number.
    """
    out = console()
    if not rows:
        say(Text("No such case. `pa case open --draft N` begins one from a draft that was reviewed."), out)
        return
    table = _table("ID", "Patient", "Drug", "Plan", "State", "Due", "What")
    for case, clock in rows:
        head = case.head
        table.add_row(
            str(case.id),
            f"{head.patient_id} {head.name}",
            head.drug,
            head.plan_id,
            _state(case),
            when(clock) if clock else Text("-", "dim"),
            Text(f"orphaned: {alone[case.id]}", "red")
            if case.id in alone
            else Text(clock.what if clock else "", "" if clock and clock.ours else "dim"),
        )
    say(table, out)
    say(Text(f"\nAs of {days}. Look at one: pa case show {rows[0][0].id}", "dim"), out)


def due(rows: Sequence[tuple[AuthorizationCase, Clock]], days: str, within: str) -> None:
    """What must happen within this time of the days on which cases are judged, the earliest first; what is late says
    what is still possible."""
    out = console()
    if not rows:
        say(Text(f"Nothing is due within {within}, as of {days}."), out)
        return
    say(Text(f"Due within {within}, as of {days}", "bold"), out)
    for case, clock in rows:
        head = case.head
        line = Text.assemble("\n", when(clock), "  ", (clock.what, "bold" if clock.ours else ""))
        line.append("" if clock.ours else "  (theirs)", "dim")
        say(line, out)
        about = f"case {case.id} · {head.drug} for {head.name} ({head.patient_id}) · {head.payer}"
        say(Padding(Text(about, "dim"), (0, 0, 0, 2)), out)
        _explain(clock, out)
    say(Text("\nLook at one: pa case show " + str(rows[0][0].id), "dim"), out)


def one(case: AuthorizationCase, clocks: Sequence[Clock], alone: str = "") -> None:
    """A case: what it is about, where it stands, its clocks, what can happen, what happened; and why it is of nobody's
    chart, if it is not."""
    out, head = console(), case.head
    say(
        Text.assemble((f"Case {case.id}: {head.drug} for {head.name} ({head.patient_id})", "bold"), "\n", _about(case)),
        out,
    )  # fmt: skip
    say(Text.assemble("\n", _state(case, bold=True), f"  since {case.since}"), out)
    if alone:
        say(Text(f"Orphaned: {alone}. No clock of it runs, and it can only be closed.", "bold red"), out)
    if case.approval:
        say(Text(_approved(case)), out)
    if clocks:
        say(Text("\nClocks", "bold"), out)
        for clock in clocks:
            say(Padding(Text.assemble(when(clock), "  ", clock.what), (0, 0, 0, 2)), out)
            _explain(clock, out, indent=4)
    say(Text("\nWhat happened", "bold"), out)
    undone = {event.facts.undoes for event in case.events}
    for event in case.events:
        say(Padding(_told(event, event.number in undone), (0, 0, 0, 2)), out)
    steps = ", ".join(str(step) for step in possible(case)) or "nothing; it is closed"
    say(Text("\nPossible", "bold"), out)
    say(Padding(f"{steps}\npa case submit|record|log|note {case.id} …", (0, 0, 0, 2)), out)


def changed(case: AuthorizationCase, clocks: Sequence[Clock], *, new: bool) -> None:
    """Where the case stands after an entry, and what is due next."""
    out = console()
    head, word = case.head, "" if new else " (this stood there already; nothing was changed)"
    about = f" {head.drug} for {head.name} ({head.patient_id}) is "
    say(Text.assemble((f"Case {case.id}", "bold"), about, _state(case, bold=True), word), out)
    for clock in clocks:
        say(Padding(Text.assemble(when(clock), "  ", clock.what), (0, 0, 0, 2)), out)
        _explain(clock, out, indent=4)
    if not clocks:
        say(Padding(Text(_next(case), "dim"), (0, 0, 0, 2)), out)


def when(clock: Clock) -> Text:
    """The day and how far off it is, coloured by urgency."""
    if clock.due is None or clock.days_left is None:
        return Text("day not known", "yellow")
    left = clock.days_left
    hour = f" {clock.at:%H:%M}" if clock.at else ""
    if clock.late:
        return Text(f"{clock.due}{hour} LATE by {_days(-left)}", "bold red")
    said = {0: "today", 1: "tomorrow"}.get(left, f"in {_days(left)}")
    colour = "red" if left <= SOON else "yellow" if left <= NEAR else ""
    return Text(f"{clock.due}{hour} {said}", colour)


def _explain(clock: Clock, out: object, indent: int = 2) -> None:
    """How the day was counted; every day where law, plan and letter differ; what is possible when it is late."""
    lines = [_term(term, clock) for term in sorted(clock.terms, key=lambda term: (term.due, term.source))]
    if clock.differs:
        lines.append(f"they differ: {clock.due} is worked to")
    if clock.late and clock.possible:
        lines.append(f"still possible: {clock.possible}")
    if clock.note:
        lines.append(f"note: {clock.note}")
    for line in lines:
        style = "bold" if line.startswith(("they differ", "still possible")) else "dim"
        say(Padding(Text(line, style), (0, 0, 0, indent)), console())


def _term(term: Term, clock: Clock) -> str:
    day = f"{term.due}: " if clock.differs else ""
    cite = f" ({term.cite})" if term.cite else ""
    longer = f"; to {term.extended} if it is extended" if term.extended else ""
    return f"{SOURCES[term.source]}: {day}{term.how}{longer}{cite}"


def _state(case: AuthorizationCase, *, bold: bool = False) -> Text:
    words = full(case.state, case.level).replace("_", " ").replace("(", " (")
    style = " ".join(filter(None, ("bold" if bold else "", STATES.get(case.state, ""))))
    return Text(words.upper() if bold else words, style)


def _about(case: AuthorizationCase) -> Text:
    head = case.head
    words = (
        head.payer,
        head.plan_id,
        head.line.replace("_", " "),
        head.kind if head.ask == "pa" else f"{head.kind}, exception",
        "expedited" if case.urgency == "expedited" else "",
    )
    return Text(" · ".join(word for word in words if word), "dim")


def _approved(case: AuthorizationCase) -> str:
    given = case.approval
    assert given is not None
    amount = (
        f", {given.quantity:g} in {given.days_supply} days" if given.quantity and given.days_supply else ""
    )
    return f"Approval {given.number}, {given.start} to {given.end}{amount}"


def _told(event: CaseEvent, undone: bool) -> Text:
    """One entry: its number, day, kind, what it states, who and why."""
    said = "; ".join(_facts(event.facts))
    text = Text(f"{event.number:>2}  {event.on}  {event.what.replace('_', ' ')}")
    text.append(f": {said}" if said else "")
    text.append(f"  {event.why}" if event.why else "", "italic")
    text.append(f"  ({event.by})", "dim")
    if undone:
        text.stylize("strike dim")
        text.append("  undone", "dim")
    return text


def _facts(facts: Facts) -> list[str]:
    found = [
        facts.level,
        f"by {facts.channel}" if facts.channel else "",
        facts.reference and f"reference {facts.reference}",
    ]
    if facts.received:
        found.append(f"received {facts.received}")
    if facts.statement:
        found.append(f"prescriber's statement received {facts.statement}")
    if facts.urgency == "expedited":
        found.append(f"expedited, as the prescriber states: {facts.expedite_reason}")
    if facts.approval:
        given = facts.approval
        amount = (
            f", {given.quantity:g} in {given.days_supply} days"
            if given.quantity and given.days_supply
            else ""
        )
        found.append(f"approval {given.number}, {given.start} to {given.end}{amount}")
    if facts.notice:
        notice = facts.notice
        found.append(
            f"notice of {notice.dated}" + (f", received {notice.received}" if notice.received else "")
        )
        found += [f"reference {notice.reference}" if notice.reference else "", ", ".join(notice.reasons)]
        found.append(f"its own deadline {notice.deadline}" if notice.deadline else "")
    if facts.call:
        call = facts.call
        kind = "peer-to-peer with" if call.peer_to_peer else "with"
        found.append(
            f"{kind} {call.spoke_with}" + (f", reference {call.reference}" if call.reference else "")
        )
    if facts.undoes:
        found.append(f"entry {facts.undoes}")
    if facts.basis:
        basis = facts.basis
        based = [f"draft {basis.draft_id}" if basis.draft_id else ""]
        based.append(
            f"determination {basis.determination[:12]} ({basis.outcome.replace('_', ' ')})"
            if basis.determination
            else ""
        )
        based.append(f"{len(basis.papers)} papers" if basis.papers else "")
        found.append("on " + ", ".join(word for word in based if word))
    return [word for word in found if word]


def _next(case: AuthorizationCase) -> str:
    if case.state == "draft":
        number = case.head.draft_id
        first = f"pa review {number} --approve --by NAME, then " if number else ""
        return f"{first}pa case record {case.id} reviewed"
    if case.state == "reviewed":
        return f"Once a person has sent it: pa case submit {case.id} --channel fax. Paladin sends nothing."
    return ""


def _days(count: int) -> str:
    return f"{count} day{'s' if count != 1 else ''}"


def _table(*titles: str) -> Table:
    narrow = console().width < NARROW
    table = Table(box=None, padding=(0, 2 if not narrow else 1, 0, 0), pad_edge=False, header_style="bold")
    for title in titles:
        table.add_column(title, no_wrap=title in ("ID", "Drug", "Due"), overflow="fold")
    return table
