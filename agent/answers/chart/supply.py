"""What was ordered, authorized and filled."""

from __future__ import annotations

from agent.answers.chart.page import MOST_LINES, Page
from agent.answers.chart.values import MOST_VALUES
from agent.answers.plan import strength_slot
from tools.papers import formats
from tools.terminology.medicines import medicine


def say_orders(page: Page) -> None:
    if not page.patient.orders:
        page.say("No order is on record.")
    for one in page.patient.orders[:MOST_LINES]:
        page.cite(one.id, f"{one.drug} {one.strength} {one.date or ''}".strip())
        drug = page.ledger.add("drug", one.drug, origin="request", attribute="order", source=one.id)
        strength = ""
        if one.strength:
            strength = " " + strength_slot(page.ledger, one.drug, one.strength, "request", one.id)
        amount = ""
        if one.quantity is not None:
            unit = one.unit or next((drug.unit for drug in page.bound.drugs if drug.name == one.drug), "")
            amount = ", " + page.ledger.add(
                "value", one.quantity, shown=formats.amount(one.quantity, unit), unit=unit, origin="request",
                attribute=f"quantity:{one.drug}", source=one.id,
            )  # fmt: skip
        if one.days_supply:
            amount += " for " + page.ledger.add(
                "duration",
                one.days_supply,
                unit="days",
                origin="request",
                attribute=f"supply:{one.drug}",
                source=one.id,
            )
        when = (
            f", ordered {page.ledger.add('date', one.date, origin='request', attribute='order', source=one.id)}"
            if one.date
            else ""
        )
        page.say(f"{drug}{strength}{amount}{when}.")


def say_authorizations(page: Page) -> None:
    if not page.patient.authorizations:
        page.say("No earlier authorization is on record.")
    for one in page.patient.authorizations[:MOST_LINES]:
        page.cite(one.id, f"{one.plan_id} approved {one.drug}, {one.start} to {one.end}")
        plan = page.ledger.add("code", one.plan_id, origin="chart", attribute="plan", source=one.id)
        drug = page.ledger.add("drug", one.drug, origin="chart", attribute="authorization", source=one.id)
        start, end = (
            page.day(one.start, "authorization", one.id),
            page.day(one.end, "authorization end", one.id),
        )
        page.say(f"{plan} approved {drug} from {start} to {end}.")


def say_fills(page: Page) -> None:
    names = page.ask.medicines
    wanted = [
        one for one in sorted(page.patient.fills, key=lambda fill: fill.date, reverse=True)
        if not names or any(set(one.ingredients) & set(medicine(name, page.bound.drugs).ingredients) for name in names)
    ]  # fmt: skip
    if not wanted:
        page.say("No pharmacy fill is on record.")
        return
    page.say(f"Pharmacy fills on record: {page.number(len(wanted), 'fills')}; the latest:")
    for one in wanted[:MOST_VALUES]:
        page.cite(one.id, f"fill of {one.drug}, {one.date.isoformat()}, {one.days_supply} days")
        drug = page.ledger.add(
            "drug", one.drug, origin="chart", attribute="fill", source=one.id, aliases=one.ingredients
        )
        days = page.ledger.add(
            "duration", one.days_supply, unit="days", origin="chart", attribute="fill", source=one.id
        )
        page.say(f"{drug}, filled on {page.day(one.date, 'fill', one.id)}, {days} supply", bullet=True)
