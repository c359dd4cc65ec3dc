"""Answers of the graph on a terminal: tables with their N, and what may be concluded from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from agent.terminal.screen import STYLES, below, numbered, table, under
from tools.graph.pathways import Circle, Pathways, Taken, Tried
from tools.graph.patterns import LEAST_ORDERS, Patterns, Unusual
from tools.graph.policy_change import PolicyChange, PolicyChanges
from tools.terminology.terms import INDICATIONS
from tools.ways.shortest import NoWay, Shortest, Way

WORSE = ("partial", "inadequate", "intolerance", "not_recorded")  # than a full response
FEW, HIDDEN = "<5", "*"
MOST_UNUSUAL = 20


def pathways(found: Pathways, seed: int | None) -> Iterator[RenderableType]:
    """What was tried by patients alike."""
    yield Text(f"Pathways of patients like {found.patient_id}, as of {found.as_of}", "bold")
    yield Text(f"conditions: {', '.join(found.conditions) or 'none of those that make alike'}")
    yield Text(f"tried: {'; '.join(map(_taken, found.taken)) or 'nothing that lowers glucose or weight'}")
    yield under("Alike", *map(_circle, found.circles))
    same_start = found.circles[found.circle].same_start
    if found.tried:
        yield under("Begun after that" if same_start else "Begun by them", _tried(found.tried))
    if found.paths:
        rows = ((" then ".join(path.medicines), f"{path.n:,}") for path in found.paths)
        yield under("In this order", _figures(("medicines", "N"), rows))
    yield below(Text(" ".join(_concluded(found, same_start, seed)), "dim"))


def _concluded(found: Pathways, same_start: bool, seed: int | None) -> Iterator[str]:
    yield f"{_count(found.no_further)} of them took nothing{' more' if same_start else ''}."
    if found.fewer_than_five:
        yield f"{found.fewer_than_five} medicines or orders are left out: fewer than five people each."
    if found.tried:
        yield "Shares are of those whose response is recorded (n.r.: it is not), with 95 % Wilson intervals."
        yield f"{HIDDEN} is hidden: fewer than five people, or a count that would give such a one away."
    else:
        yield "Too few to say what was tried and how it went."
    yield "Charts record what was tried, not what would have worked: this is no advice which drug to take."
    yield f"Counted from synthetic charts (seed {seed})."


def _taken(course: Taken) -> str:
    days = f", {course.days} days" if course.days is not None else ""
    return f"{course.medicine} ({course.response}, {course.ended}{days})"


def _circle(circle: Circle) -> Text:
    payer = "same payer" if circle.same_payer else "any payer"
    start = "began with the same medicines" if circle.same_start else "whatever they took"
    conditions = "same conditions" if circle.same_conditions else "same main condition"
    return Text(f"  {conditions}, {payer}, {start}: N = {_count(circle.n)}")


def _tried(tried: Iterable[Tried]) -> Table:
    heads = ("medicine", "N", "responded fully", "partial", "inadeq.", "intol.", "n.r.")
    rows = [
        (one.medicine, f"{one.n:,}", _full(one), *(_cell(getattr(one, name)) for name in WORSE))
        for one in tried
    ]
    return _figures(heads, rows)


def _full(one: Tried) -> str:
    """How many responded fully, and their share of those whose response is recorded."""
    if one.share is None or one.interval is None:
        return _cell(one.effective)
    return f"{_cell(one.effective)}  {_share(one.share, one.interval)}"


def _cell(count: int | None) -> str:
    """One that is hidden is fewer than five, or would give such a one away."""
    return HIDDEN if count is None else f"{count:,}"


def shortest(found: Shortest, drug: str) -> Iterator[RenderableType]:
    """Ways to a complete request."""
    yield Text(f"Shortest ways for {found.patient_id} under {found.plan_id}, as of {found.as_of}", "bold")
    yield from (below(_way(way)) for way in found.ways)
    if not found.ways:
        what = drug or "any drug of the plan"
        why = f" {found.stopped}." if found.stopped else ""
        yield below(Text(f"No way leads to a complete request for {what} today.{why}"))
    if found.further:
        yield below(Text(f"{found.further} more have a longer way: name one to see it."))
    if found.no_way:
        yield under("No way today", *map(_no_way, found.no_way))
    tail = "A complete request is no approval: what comes in may be otherwise, and the payer decides."
    yield below(Text(tail, "dim"))


def _way(way: Way) -> RenderableType:
    count, outcome = len(way.steps), way.outcome.replace("_", " ")
    use = INDICATIONS.get(way.indication, way.indication)
    about = f"{f' for {use}' if use else ''}{f', tier {way.tier}' if way.tier is not None else ''}: "
    head = Text.assemble((way.drug, "bold"), about)
    if not count:
        return head.append(outcome, STYLES[way.outcome])
    days = f", at least {way.days} days" if way.days else ""
    head.append(f"{count} action{'s' if count > 1 else ''}{days}").append(f" (today: {outcome})", "dim")
    clauses = ((step.fix, f"  {step.clause}" if step.clause else "") for step in way.steps)
    steps = (Text.assemble(fix, (clause, "dim")) for fix, clause in clauses)
    return Group(head, numbered(steps), *map(Text, _after(way)))


def _after(way: Way) -> list[str]:
    """What the engine says once the steps are supposed."""
    if way.still_open:
        return [f"   then still open: {'; '.join(way.still_open)}"]
    if way.not_supposed:
        return [
            "   the engine finds nothing else open; what cannot be supposed (papers, fills, doses) stays to be seen"
        ]
    return [f"   with these supposed, the engine says: {way.supposed.replace('_', ' ')}"]


def _no_way(one: NoWay) -> Text:
    return Text(f"  {one.drug}: {'; '.join(one.because) or one.outcome.replace('_', ' ')}")


def patterns(found: Patterns) -> Iterator[RenderableType]:
    """Who is unusual."""
    share = f", {found.denied / found.orders:.0%}" if found.orders else ""
    what = "predicted denials" if found.predicted else "denials"
    whose = "orders that a rule decides" if found.predicted else "requests that were answered"
    yield Text(f"{what.capitalize()} by {found.of}, as of {found.as_of}", "bold")
    yield Text(f"{found.orders:,} {whose}, {found.denied:,} {what}{share}")
    tested = f"{found.tested:,} {found.of} have {LEAST_ORDERS} orders or more and were tested"
    yield Text(f"{tested}; {found.silent:,} have fewer, and nothing is said of them")
    if found.unusual:
        heads = ("", "orders", "denied", "expected", "share", "q")
        yield under("Unusual", _figures(heads, map(_unusual, found.unusual[:MOST_UNUSUAL])))
        if (more := len(found.unusual) - MOST_UNUSUAL) > 0:
            yield Text(f"and {more} more, see --json")
    elif found.tested:
        yield below(Text("None is unusual."))
    yield below(Text(f"{_basis(found)}.\n{_compared(found.of)}", "dim"))


def _basis(found: Patterns) -> str:
    if not found.predicted:
        return f"Payers' first answers in {found.answers:,} authorization cases"
    known = f"only {found.answers} payers' answers are" if found.answers else "no payer's answer is"
    return f"Predicted by Paladin's engine for orders in the charts; {known} recorded"


def _compared(of: str) -> str:
    same = "for the same drug under the same plan" if of == "prescribers" else "for the same drug elsewhere"
    return (
        f"Expected is what others' orders {same} would bring. Exact test, two-sided; q by Benjamini and Hochberg, at"
        " 5 %. A pattern is a reason to look, and no finding about anybody."
    )


def _unusual(one: Unusual) -> tuple[str, ...]:
    name = f"{one.name}, {one.detail}, NPI {one.id}" if one.detail else one.name
    share = _share(one.share, one.interval)
    return name, f"{one.orders:,}", f"{one.denied:,}", f"{one.expected:,.1f}", share, f"{one.q:.2g}"


def policy_changes(found: PolicyChanges) -> Iterator[RenderableType]:
    """Criteria by whom they alone stop."""
    yield Text(f"Criteria that alone stop most of {found.patients:,} patients, as of {found.as_of}", "bold")
    yield from (below(_change(number, one)) for number, one in enumerate(found.changes, 1))
    if not found.changes:
        yield Text("No criterion alone stops five patients or more.")
    tail = (
        "Of those whom the label does not rule out, for each drug their plan covers: stopped by this criterion and by"
        " nothing else; undocumented lack only its evidence, and no policy need change for them."
    )
    if found.fewer_than_five:
        tail += f" {found.fewer_than_five} more criteria alone stop fewer than five patients each."
    yield below(Text(f"{tail} Predictions of the engine; the payer decides.", "dim"))


def _change(number: int, one: PolicyChange) -> RenderableType:
    part = "" if one.part == "criterion" else f", {one.part}"
    place = f"  {one.clause}{part}{', renewal' if one.kind == 'renewal' else ''}"
    head = Text.assemble((f"{number}. {one.plan_id} {one.drug}", "bold"), (place, "dim"))
    share = f"{one.share:.1%}, {one.interval[0]:.1%}-{one.interval[1]:.1%}"
    figures = (
        f"stops {one.stopped:,} of {one.asked:,} ({share}); ready now {_count(one.ready)},"
        f" undocumented {_count(one.undocumented)}"
    )
    return Group(head, Text(f"   {one.text}"), Text(f"   {figures}"))


# --- shared ----------------------------------------------------------------------------------------------


def _count(count: int | None) -> str:
    return FEW if count is None else f"{count:,}"


def _share(share: float, interval: tuple[float, float]) -> str:
    return f"{share:.0%} ({interval[0]:.0%}-{interval[1]:.0%})"


def _figures(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Table:
    """The first column to the left, figures to the right."""
    first, *rest = heads
    numbers = (Column(head, justify="right", overflow="fold", no_wrap=True) for head in rest)
    return table(Column(first, overflow="fold"), *numbers, rows=rows, header="dim")
