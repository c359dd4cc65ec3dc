"""What a payer's form must say, read from the chart's JSON, the plan and the drug's label, not by Paladin's code.

Identity, coverage, prescriber, drug and order, and the newest HbA1c and eGFR; what takes judgement (which trials to
list, the justification) is not expected here. A blank whose value the chart does not hold is expected to stay one.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from data_gen.forms import print_forms
from data_gen.setting import AS_OF
from evals.making.people import Planted, catalog, overlay


def form_fields(one: Planted) -> dict[str, str]:
    """The expected text of the form's fields by id, in the payer's way of writing."""
    form = print_forms(catalog().plans, overlay())[one.label.plan_id]
    found: dict[str, str] = {}
    for section in form.sections:
        if section.repeat or section.renewal_only:
            continue
        for field in section.fields:
            value = _value(field.source, one, form.date_format)
            if value is not None:
                found[field.id] = value
    return found


def _value(source: str, one: Planted, dates: str) -> str | None:
    """None where the source is none of those that are expected."""
    chart = one.chart
    group, _, name = source.partition(".")
    if group == "patient":
        return _patient(chart, name, dates)
    if group == "prescriber" and name in ("name", "npi", "phone", "fax", "practice", "contact"):
        return str(chart["prescriber"].get(name, ""))
    if group == "coverage":
        return str(_active(chart).get(name, ""))
    if group == "plan":
        return str(getattr(catalog().plans[one.label.plan_id], name))
    if group == "drug":
        return _drug(one, name)
    if group in ("hba1c", "egfr"):
        return _newest(chart, group, name, dates)
    return None


def _patient(chart: dict[str, Any], name: str, dates: str) -> str | None:
    address = chart.get("address") or {}
    values = {
        "name": f"{chart['given']} {chart['family']}", "sex": chart["sex"].capitalize(),
        "birth_date": date.fromisoformat(chart["birth_date"]).strftime(dates), "phone": chart.get("phone", ""),
        "street": address.get("line", ""), **{part: address.get(part, "") for part in ("city", "state", "zip")},
    }  # fmt: skip
    return values.get(name)


def _active(chart: dict[str, Any]) -> dict[str, Any]:
    """The enrolment that holds on the day."""
    today = AS_OF.isoformat()
    own = (period for period in chart["coverages"] if period["plan_id"] == chart["plan_id"])
    return next((p for p in own if p.get("start", "") <= today <= (p.get("end") or "9999")), {})


def _drug(one: Planted, name: str) -> str | None:
    drug = catalog().drugs[one.label.drug]
    order = next((row for row in one.chart.get("orders") or () if row["drug"] == drug.name), None)
    if name == "name":
        return drug.name
    if name in ("route", "rxnorm"):
        return str(getattr(drug, name))
    if name == "strength" and order:
        return str(order["strength"])
    if name == "days_supply" and order:
        return str(order["days_supply"])
    return None


def _newest(chart: dict[str, Any], test: str, name: str, dates: str) -> str | None:
    """The newest value that has its unit; None where two of one day differ."""
    rows = [row for row in chart.get("observations") or () if row["test"] == test and row.get("unit")]
    rows = [row for row in rows if row["date"] <= AS_OF.isoformat()]
    if not rows:
        return ""
    day = max(row["date"] for row in rows)
    values = {row["value"] for row in rows if row["date"] == day}
    if len(values) > 1:
        return None
    if name == "date":
        return date.fromisoformat(day).strftime(dates)
    value = values.pop()
    return f"{value:.1f} %" if test == "hba1c" else f"{value:.0f} mL/min/1.73 m2"
