"""What was ordered, authorized and filled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial

from agent.answers import dates
from agent.answers.chart.courses import class_key
from agent.answers.chart.page import MOST_LINES, Page
from agent.answers.chart.values import MOST_VALUES
from agent.answers.terms import strength_slot
from tools.domain.records import Authorization, Fill, Order
from tools.engine.eligibility import active_coverage
from tools.papers import formats
from tools.terminology.medicines import medicine

DAY = timedelta(days=1)


def say_orders(page: Page) -> None:
    if not page.patient.orders:
        page.say("No order is on record.")
    for one in page.patient.orders[:MOST_LINES]:
        page.say(f"{order_told(page, one)}.")


def order_told(page: Page, one: Order) -> str:
    """ "Ozempic 0.25 mg, 3 mL for 28 days, ordered Jul 12, 2026", as far as it is charted."""
    page.cite(one.id, f"{one.drug} {one.strength} {one.date or ''}".strip())
    add = partial(page.ledger.add, origin="request", source=one.id)
    text = add("drug", one.drug, attribute="order")
    if one.strength:
        text += " " + strength_slot(page.ledger, one.drug, one.strength, "request", one.id)
    if one.quantity is not None:
        unit = one.unit or next((drug.unit for drug in page.bound.drugs if drug.name == one.drug), "")
        amount = formats.amount(one.quantity, unit)
        text += f", {add('value', one.quantity, shown=amount, unit=unit, attribute=f'quantity:{one.drug}')}"
    if one.days_supply:
        text += f" for {add('duration', one.days_supply, unit='days', attribute=f'supply:{one.drug}')}"
    text += f", ordered {add('date', one.date, attribute='order')}" if one.date else ""
    return text + (f": “{page.fact('quote', one.sig, 'sig', one.id)}”" if one.sig else "")


def authorization_told(page: Page, one: Authorization) -> str:
    page.cite(one.id, f"{one.plan_id} approved {one.drug}, {one.start} to {one.end}")
    plan = page.fact("code", one.plan_id, "plan", one.id)
    drug = page.fact("drug", one.drug, "authorization", one.id)
    start, end = page.day(one.start, "authorization", one.id), page.day(one.end, "authorization end", one.id)
    last = ""  # an approval by a plan that the patient has left is renewed by nobody
    if active_coverage(page.patient, one.plan_id, page.bound.as_of) is not None:
        last = (
            f"; renewable until {dates.renewable(one.end, page.bound.store.plan(one.plan_id), page.ledger)}"
        )
    return f"{plan} approved {drug} from {start} to {end}{last}"


def say_fills(page: Page) -> None:
    names = page.ask.medicines
    wanted = fills_of(page, names)
    if not page.patient.fills:
        page.say("No pharmacy fill is on record.")
        return
    if wanted:
        page.say(f"Pharmacy fills on record: {page.number(len(wanted), 'fills')}; the latest:")
    else:
        named = " or ".join(page.words(page.brand(name), "fill", "fills") for name in names)
        page.say(f"No pharmacy fill of {named} is on record; of others the latest are:")
    page.bullets(wanted or fills_of(page), fill_told, MOST_VALUES)
    if names and wanted:
        page.say(supplied(page, wanted), leans=True)
    say_gaps(page, wanted or fills_of(page))


def fills_of(page: Page, names: Sequence[str] = ()) -> list[Fill]:
    """The fills of these medicines, or all, the latest first."""
    drugs = page.bound.drugs
    made_of = {one for name in names for one in medicine(name, drugs).ingredients}
    classes = {*filter(None, map(class_key, names))}
    latest = sorted(page.patient.fills, key=lambda fill: fill.date, reverse=True)
    return [
        one for one in latest
        if not names or made_of & {*one.ingredients} or classes & {*medicine(one.drug, drugs).classes}
    ]  # fmt: skip


def say_gaps(page: Page, fills: Sequence[Fill]) -> None:
    """The times between fills of a medicine for which nothing was supplied."""
    same: dict[frozenset[str], list[Fill]] = {}  # the fills of what is made of the same, together
    for one in fills:
        same.setdefault(frozenset(one.ingredients or (one.drug,)), []).append(one)
    for alike in same.values():
        for first, last in unsupplied(alike):
            page.say(_gap(page, alike, first, last))


def unsupplied(fills: Sequence[Fill]) -> list[tuple[date, date]]:
    """First and last day of each time between two fills of a medicine for which nothing was supplied; what is left over
    of an early fill is taken to be used up first."""
    gaps: list[tuple[date, date]] = []
    through: date | None = None
    for one in sorted(fills, key=lambda fill: fill.date):
        begins = max(one.date, through + DAY) if through else one.date
        if through and begins > through + DAY:
            gaps.append((through + DAY, begins - DAY))
        through = begins + timedelta(days=max(one.days_supply, 1) - 1)
    return gaps


def _gap(page: Page, fills: Sequence[Fill], first: date, last: date) -> str:
    formula = f"days between {len(fills)} fills without supply"
    add = partial(page.ledger.add, origin="derived", source=",".join(one.id for one in fills))
    name = add("drug", fills[0].drug, attribute="fill", aliases=fills[0].ingredients)
    length = (last - first).days + 1
    days = add("duration", length, unit="days", attribute="days without supply", formula=formula)
    from_, to = (add("date", day, attribute="gap of supply", formula=formula) for day in (first, last))
    return f"No {name} was supplied from {from_} to {to}: a gap of {days}"


def supplied(page: Page, fills: Sequence[Fill]) -> str:
    """How many days fills supply, of which so many are over, and through which day the supply reaches."""
    days = {one.date + timedelta(days=at) for one in fills for at in range(max(one.days_supply, 1))}
    formula = f"days of supply of {len(fills)} fills"
    add = partial(page.ledger.add, origin="derived", source=",".join(one.id for one in fills))
    total, used = sum(one.days_supply for one in fills), sum(day < page.bound.as_of for day in days)
    supply = add("duration", total, unit="days", attribute="days supplied", formula=formula)
    past = add("duration", used, unit="days", attribute="days covered", formula=f"{formula}, before as_of")
    first = page.day(min(days), "fill", fills[-1].id)
    last = add("date", max(days), attribute="supply end", formula=f"the last day of {formula}")
    reaches = "so today is covered" if page.bound.as_of in days else "so today is not covered"
    return f"They supply {supply} from {first} through {last}, {reaches}; {past} of them are over"


def fill_told(page: Page, one: Fill) -> str:
    page.cite(one.id, f"fill of {one.drug}, {one.date.isoformat()}, {one.days_supply} days")
    drug = page.fact("drug", one.drug, "fill", one.id, aliases=one.ingredients)
    days = page.fact("duration", one.days_supply, "fill", one.id, unit="days")
    text = f"{drug}, filled on {page.day(one.date, 'fill', one.id)}, {days} supply"
    if one.quantity is not None:
        text += f", quantity {page.fact('count', one.quantity, 'quantity', one.id)}"
    if one.ndc:
        text += f", NDC {page.fact('code', one.ndc, 'ndc', one.id)}"
    lasts = page.ledger.add(
        "date", one.date + timedelta(days=max(one.days_supply, 1) - 1), origin="derived", attribute="supply end",
        source=one.id, formula=f"{one.date} + {one.days_supply} - 1 days",
    )  # fmt: skip
    return f"{text}, enough through {lasts}"
