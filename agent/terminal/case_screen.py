"""What `pa case` and `pa due` show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Column
from rich.text import Text

from agent.terminal.screen import NARROW, console, say, table
from tools.lifecycle.fold import possible
from tools.lifecycle.records import Approval, AuthorizationCase, CaseEvent, Facts, undone
from tools.lifecycle.running import Clock, Term
from tools.lifecycle.states import full

Row = tuple["AuthorizationCase", "Clock | None"]
SOON, NEAR = 2, 7  # days
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
    if not rows:
        say("No such case. `pa case open --draft N` begins one from a draft that was reviewed.")
        return
    titles = ("ID", "Patient", "Drug", "Plan", "State", "Due", "What")
    columns = (Column(name, no_wrap=name in ("ID", "Drug", "Due"), overflow="fold") for name in titles)
    shown = table(*columns, header="bold", gap=1 if console().width < NARROW else 2)
    for case, clock in rows:
        head, due = case.head, when(clock) if clock else Text("-", "dim")
        what = Text(clock.what, "" if clock.ours else "dim") if clock else Text()
        if case.id in alone:
            what = Text(f"orphaned: {alone[case.id]}", "red")
        who = f"{head.patient_id} {head.name}"
        shown.add_row(str(case.id), who, head.drug, head.plan_id, _state(case), due, what)
    say(shown)
    say(f"\nAs of {days}. Look at one: pa case show {rows[0][0].id}", style="dim")


def due(rows: Sequence[tuple[AuthorizationCase, Clock]], days: str, within: str) -> None:
    """What must happen within this time of the days on which cases are judged, the earliest first; what is late says
    what is still possible."""
    if not rows:
        say(f"Nothing is due within {within}, as of {days}.")
        return
    say(f"Due within {within}, as of {days}", style="bold")
    for case, clock in rows:
        head = case.head
        what = (clock.what, "bold" if clock.ours else "")
        say(Text.assemble("\n", when(clock), "  ", what, ("" if clock.ours else "  (theirs)", "dim")))
        about = f"case {case.id} · {head.drug} for {head.name} ({head.patient_id}) · {head.payer}"
        say(about, style="dim", indent=2)
        _explain(clock)
    say("\nLook at one: pa case show " + str(rows[0][0].id), style="dim")


def one(case: AuthorizationCase, clocks: Sequence[Clock], alone: str = "") -> None:
    """A case: what it is about, where it stands, its clocks, what can happen, what happened; and why it is of nobody's
    chart, if it is not."""
    head = case.head
    title = f"Case {case.id}: {head.drug} for {head.name} ({head.patient_id})"
    say(Text.assemble((title, "bold"), "\n", _about(case)))
    say(Text.assemble("\n", _state(case, bold=True), f"  since {case.since}"))
    if alone:
        say(f"Orphaned: {alone}. No clock of it runs, and it can only be closed.", style="bold red")
    if case.approval:
        say(f"Approval {_approved(case.approval)}")
    if clocks:
        say("\nClocks", style="bold")
        _clocks(clocks)
    say("\nWhat happened", style="bold")
    gone = undone(case)
    for event in case.events:
        say(_told(event, event.number in gone), indent=2)
    steps = ", ".join(str(step) for step in possible(case)) or "nothing; it is closed"
    say("\nPossible", style="bold")
    say(f"{steps}\npa case submit|record|log|note {case.id} …", indent=2)


def changed(case: AuthorizationCase, clocks: Sequence[Clock], *, new: bool) -> None:
    """Where the case stands after an entry, and what is due next."""
    head, word = case.head, "" if new else " (this stood there already; nothing was changed)"
    about = f" {head.drug} for {head.name} ({head.patient_id}) is "
    say(Text.assemble((f"Case {case.id}", "bold"), about, _state(case, bold=True), word))
    _clocks(clocks)
    if not clocks:
        say(_next(case), style="dim", indent=2)


def _clocks(clocks: Sequence[Clock]) -> None:
    for clock in clocks:
        say(Text.assemble(when(clock), "  ", clock.what), indent=2)
        _explain(clock, indent=4)


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


def _explain(clock: Clock, indent: int = 2) -> None:
    """How the day was counted; every day where law, plan and letter differ; what is possible when it is late."""
    for term in sorted(clock.terms, key=lambda term: (term.due, term.source)):
        say(_term(term, clock), style="dim", indent=indent)
    if clock.differs:
        say(f"they differ: {clock.due} is worked to", style="bold", indent=indent)
    if clock.late and clock.possible:
        say(f"still possible: {clock.possible}", style="bold", indent=indent)
    if clock.note:
        say(f"note: {clock.note}", style="dim", indent=indent)


def _term(term: Term, clock: Clock) -> str:
    day = f"{term.due}: " if clock.differs else ""
    cite = f" ({term.cite})" if term.cite else ""
    longer = f"; to {term.extended} if it is extended" if term.extended else ""
    return f"{term.source}: {day}{term.how}{longer}{cite}"


def _state(case: AuthorizationCase, *, bold: bool = False) -> Text:
    words = full(case.state, case.level).replace("_", " ").replace("(", " (")
    style = " ".join(filter(None, ("bold" if bold else "", STATES.get(case.state, ""))))
    return Text(words.upper() if bold else words, style)


def _about(case: AuthorizationCase) -> Text:
    head = case.head
    kind = head.kind if head.ask == "pa" else f"{head.kind}, exception"
    urgency = case.urgency if case.urgency == "expedited" else ""
    words = (head.payer, head.plan_id, head.line.replace("_", " "), kind, urgency)
    return Text(" · ".join(word for word in words if word), "dim")


def _approved(given: Approval) -> str:
    stated = given.quantity and given.days_supply
    amount = f", {given.quantity:g} in {given.days_supply} days" if stated else ""
    return f"{given.number}, {given.start} to {given.end}{amount}"


def _told(event: CaseEvent, is_undone: bool) -> Text:
    """One entry: its number, day, kind, what it states, who and why."""
    said = "; ".join(_facts(event.facts))
    text = Text.assemble(
        f"{event.number:>2}  {event.on}  {event.what.replace('_', ' ')}{f': {said}' if said else ''}",
        (f"  {event.why}" if event.why else "", "italic"),
        (f"  ({event.by})", "dim"),
    )
    if is_undone:
        text.stylize("strike dim")
        text.append("  undone", "dim")
    return text


def _facts(facts: Facts) -> list[str]:
    notice, call, basis = facts.notice, facts.call, facts.basis
    said: list[object] = [
        facts.level,
        facts.channel and f"by {facts.channel}",
        facts.reference and f"reference {facts.reference}",
        facts.received and f"received {facts.received}",
        facts.statement and f"prescriber's statement received {facts.statement}",
        facts.urgency == "expedited" and f"expedited, as the prescriber states: {facts.expedite_reason}",
        facts.approval and f"approval {_approved(facts.approval)}",
    ]
    if notice:
        came = f", received {notice.received}" if notice.received else ""
        said += [
            f"notice of {notice.dated}{came}",
            notice.reference and f"reference {notice.reference}",
            ", ".join(notice.reasons),
            notice.deadline and f"its own deadline {notice.deadline}",
        ]
    if call:
        kind = "peer-to-peer with" if call.peer_to_peer else "with"
        said.append(f"{kind} {call.spoke_with}{f', reference {call.reference}' if call.reference else ''}")
    said.append(facts.undoes and f"entry {facts.undoes}")
    if basis:
        decided = f"determination {basis.determination[:12]} ({basis.outcome.replace('_', ' ')})"
        based = (
            basis.draft_id and f"draft {basis.draft_id}",
            basis.determination and decided,
            basis.papers and f"{len(basis.papers)} papers",
        )
        said.append("on " + ", ".join(word for word in based if word))
    return [str(word) for word in said if word]


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
