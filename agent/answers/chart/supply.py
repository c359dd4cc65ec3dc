"""What was ordered, authorized and filled."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from agent.answers.chart.named import brand_named
from agent.answers.chart.page import MOST_LINES, Page
from agent.answers.chart.values import MOST_VALUES
from agent.answers.plan import strength_slot
from tools.domain.records import Authorization, Fill, Order
from tools.papers import formats
from tools.terminology.medicines import medicine


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
    return text + (
        f": “{page.ledger.add('quote', one.sig, origin='chart', attribute='sig', source=one.id)}”"
        if one.sig
        else ""
    )


def authorization_told(page: Page, one: Authorization) -> str:
    page.cite(one.id, f"{one.plan_id} approved {one.drug}, {one.start} to {one.end}")
    plan = page.ledger.add("code", one.plan_id, origin="chart", attribute="plan", source=one.id)
    drug = page.ledger.add("drug", one.drug, origin="chart", attribute="authorization", source=one.id)
    start, end = page.day(one.start, "authorization", one.id), page.day(one.end, "authorization end", one.id)
    return f"{plan} approved {drug} from {start} to {end}"


def say_fills(page: Page) -> None:
    names = page.ask.medicines
    wanted = [
        one for one in sorted(page.patient.fills, key=lambda fill: fill.date, reverse=True)
        if not names or any(set(one.ingredients) & set(medicine(name, page.bound.drugs).ingredients) for name in names)
    ]  # fmt: skip
    if not wanted and not page.patient.fills:
        page.say("No pharmacy fill is on record.")
        return
    if wanted:
        page.say(f"Pharmacy fills on record: {page.number(len(wanted), 'fills')}; the latest:")
    else:
        named = " or ".join(page.words(brand_named(page, name), "fill", "fills") for name in names)
        page.say(f"No pharmacy fill of {named} is on record; of others the latest are:")
    for one in (wanted or sorted(page.patient.fills, key=lambda fill: fill.date, reverse=True))[:MOST_VALUES]:
        page.say(fill_told(page, one), bullet=True)


def fill_told(page: Page, one: Fill) -> str:
    page.cite(one.id, f"fill of {one.drug}, {one.date.isoformat()}, {one.days_supply} days")
    add = page.ledger.add
    drug = add("drug", one.drug, origin="chart", attribute="fill", source=one.id, aliases=one.ingredients)
    days = add("duration", one.days_supply, unit="days", origin="chart", attribute="fill", source=one.id)
    text = f"{drug}, filled on {page.day(one.date, 'fill', one.id)}, {days} supply"
    if one.quantity is not None:
        text += (
            f", quantity {add('count', one.quantity, origin='chart', attribute='quantity', source=one.id)}"
        )
    if one.ndc:
        text += f", NDC {add('code', one.ndc, origin='chart', attribute='ndc', source=one.id)}"
    last = one.date + timedelta(days=max(one.days_supply, 1) - 1)
    lasts = add(
        "date", last, origin="derived", attribute="supply end", source=one.id,
        formula=f"{one.date} + {one.days_supply} - 1 days",
    )  # fmt: skip
    return f"{text}, enough through {lasts}"
