"""A panel as requests: `payer=Cascade drug=Ozempic` is everybody of that payer, each with that drug."""

from __future__ import annotations

from agent.batch.requests import RequestRow
from tools.common.errors import Invalid, NotFound, nearest
from tools.domain.records import Plan
from tools.store.store import Store

KEYS = ("payer", "plan", "drug", "kind", "urgency")
PAGE = 1000


def rows_of_panel(store: Store, text: str) -> list[RequestRow]:
    """A row for each patient of the plans and each drug; without a drug, those that the chart orders."""
    said = parse(text)
    plans = _plans(store, said)
    drugs = [store.drug(name).name for name in said.get("drug", "").split(",") if name.strip()]
    beside = {key: said[key] for key in ("kind", "urgency") if key in said}
    rows = list[RequestRow]()
    for plan in plans:
        for patient_id in _members(store, plan):
            for drug in drugs or _ordered(store, patient_id):
                cells = {"patient_id": patient_id, "drug": drug, "plan_id": plan.id} | beside
                rows.append(RequestRow(len(rows) + 1, cells))
    if not rows:
        raise Invalid(f"nobody is in the panel {text!r}; `pa describe` counts the patients of each plan")
    return rows


def parse(text: str) -> dict[str, str]:
    """`payer=Cascade drug=Ozempic,Wegovy` by key; a value goes on to the next key, so it may hold blanks."""
    said: dict[str, str] = {}
    key = ""
    for word in text.split():
        head, sign, rest = word.partition("=")
        if sign:
            key = head.casefold()
            if key not in KEYS:
                near = nearest(key, KEYS)
                guess = f"did you mean {near[0]}? " if near else ""
                raise Invalid(f"--panel has no {head!r}; {guess}it knows {', '.join(KEYS)}")
            if key in said:
                several = "several drugs go with commas: drug=Ozempic,Wegovy"
                raise Invalid(f"--panel says {key!r} twice; {several}")
            said[key] = rest
        elif key:
            said[key] = f"{said[key]} {word}"
        else:
            raise Invalid(f"--panel {text!r} is not KEY=VALUE, e.g. 'payer=Cascade drug=Ozempic'")
    if not said.get("payer") and not said.get("plan"):
        raise Invalid("--panel needs payer= or plan=, e.g. 'payer=Cascade drug=Ozempic'")
    return said


def _plans(store: Store, said: dict[str, str]) -> list[Plan]:
    if said.get("plan"):
        return [store.plan(said["plan"])]
    wanted, plans = said["payer"].casefold(), store.plans()
    named = [
        plan
        for plan in plans
        if plan.payer.casefold().startswith(wanted) or plan.payer_id.casefold() == wanted
    ]
    if not named:
        payers = sorted({plan.payer for plan in plans})
        near = nearest(said["payer"], payers)
        raise NotFound("payer", said["payer"], near, f"it knows {', '.join(payers)}")
    return named


def _members(store: Store, plan: Plan) -> list[str]:
    found, offset = list[str](), 0
    while page := store.find_patients(plan_id=plan.id, limit=PAGE, offset=offset):
        found += [patient.id for patient in page]
        offset += PAGE
    return found


def _ordered(store: Store, patient_id: str) -> list[str]:
    """The drugs on the chart's orders that the catalog knows, each once."""
    known = {drug.name for drug in store.drugs()}
    orders = store.patient(patient_id).orders
    return list(dict.fromkeys(order.drug for order in orders if order.drug in known))
