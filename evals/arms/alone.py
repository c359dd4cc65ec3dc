"""The model alone: policy and chart in its prompt, one call a turn, held to a JSON schema; nothing is checked after it.

What does not fit the model's context is left out from the end of the chart, and the prompt says so: a model that reads
less than it was sent is not what this arm measures.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from agent.enquiries import PARTS, coverage_check, patient_chart
from agent.models.model import ModelTrouble
from agent.toolbox.tools import DRAFT, TOOLS
from evals.scores.rows import Row
from evals.suites.items import Item
from tools.domain.records import Outcome, Status
from tools.queries.bound import Bound

if TYPE_CHECKING:
    from agent.models.model import Model
    from evals.arms.bench import Place

MOST_TOKENS = 500
TEXT = {"type": "string", "maxLength": 1200}
OUTCOMES = list(get_args(Outcome))
STATUSES = list(get_args(Status))


@cache
def system() -> str:
    return Path(__file__).with_name("alone.md").read_text(encoding="utf-8").strip()


def digest() -> str:
    """What tells two versions of this arm's prompt apart."""
    return hashlib.sha256(system().encode()).hexdigest()[:12]


def answer(row: Row, item: Item, place: Place, model: Model) -> list[dict[str, Any]]:
    """A turn for every question; one that the model failed is an empty one, and the failure is counted."""
    bound = Bound(place.store, item.patient, plan_id=item.plan_id)
    schema = schema_of(item, bound)
    turns: list[dict[str, Any]] = []
    for at, asking in enumerate(item.turns):
        said = [(item.turns[n].ask, turns[n]["answer"]) for n in range(at)]
        asked = prompt(item, bound, asking.ask, said, schema, model)
        try:
            reply = model.complete(
                system(), asked, schema=schema, max_tokens=MOST_TOKENS, temperature=row.temperature, seed=row.seed
            )  # fmt: skip
            turns.append(turn_of(item, json.loads(reply.text)))
        except (ModelTrouble, ValueError) as trouble:
            row.format_failure = row.format_failure or isinstance(trouble, ValueError)
            row.wrong.append(f"model: {trouble}")
            turns.append({"answer": "", "patient_id": item.patient, "notice": str(trouble)})
    return turns


def schema_of(item: Item, bound: Bound) -> dict[str, Any]:
    """What the suite wants to know."""
    if item.suite == "tools":
        names = [tool.name for tool in (*TOOLS, DRAFT)]
        drugs = [drug.name for drug in bound.drugs]
        return _object(tool=_one_of([*names, "none"]), drug=_one_of([*drugs, "none"]), answer=TEXT)
    if item.suite == "policy_qa":
        return _object(stated={"type": "boolean"}, clause=TEXT, quote=TEXT, answer=TEXT)
    if item.suite == "forms":
        return _object(**dict.fromkeys(item.fields, TEXT))
    if item.suite == "letters":
        return _object(letter={"type": "string", "maxLength": 2400})
    if item.truth:
        criteria = _object(**dict.fromkeys(item.truth, _one_of(STATUSES)))
        return _object(criteria=criteria, outcome=_one_of(OUTCOMES), answer=TEXT)
    if item.drug:
        return _object(outcome=_one_of([*OUTCOMES, "not_asked"]), answer=TEXT)
    return _object(answer=TEXT)


def turn_of(item: Item, given: Mapping[str, Any]) -> dict[str, Any]:
    """The model's JSON as a turn."""
    turn: dict[str, Any] = {"answer": str(given.get("answer", "")), "patient_id": item.patient}
    if item.suite == "tools":
        called = given["tool"] != "none"
        turn["calls"] = [{"name": given["tool"], "arguments": {"drug": given["drug"]}}] if called else []
    elif item.suite == "policy_qa":
        policy = f"{item.plan_id}-{item.drug}".upper()
        source = {"source": f"{policy} {given['clause']}", "quote": str(given["quote"])}
        turn["citations"] = [source] if given["stated"] else []
    elif item.suite == "forms":
        turn["fields"] = dict(given)
    elif item.suite == "letters":
        turn["letter"] = str(given["letter"])
    elif given.get("outcome", "not_asked") != "not_asked":
        criteria = given.get("criteria") or {}
        findings = [{"criterion": name, "status": status} for name, status in criteria.items()]
        turn["determinations"] = [{"drug": item.drug, "outcome": given["outcome"], "findings": findings}]
    return turn


# --- the prompt --------------------------------------------------------------------------------------------


def prompt(
    item: Item,
    bound: Bound,
    question: str,
    said: Sequence[tuple[str, str]],
    schema: Mapping[str, Any],
    model: Model,
) -> str:
    """Policy, chart, what was said, and the question; the longest that fits."""
    talk = "".join(f"Asked before: {ask}\nAnswered: {answered}\n" for ask, answered in said)
    end = f"{talk}Question: {question}"
    if item.suite == "forms":
        end += f"\nFields to fill: {', '.join(_labels(item, bound))}"
    lines = [*_policy(item, bound), *_chart(bound)]
    while lines:
        text = "\n".join(lines)
        if model.fits(system(), f"{text}\n\n{end}{json.dumps(schema)}", MOST_TOKENS):
            return f"{text}\n\n{end}"
        lines = [*lines[: -max(2, len(lines) // 20)], "(The rest does not fit.)"]
    return end


def _policy(item: Item, bound: Bound) -> Iterator[str]:
    yield f"Today is {bound.as_of}. Plan: {bound.plan.id}."
    if not item.drug:
        return
    yield coverage_check(bound, item.drug)
    policy = bound.policy(item.drug)
    if policy is not None:
        yield f"Policy {policy.id}:"
        yield from (f"{clause.id} {clause.text}" for clause in policy.clauses)


def _chart(bound: Bound) -> Iterator[str]:
    yield "Chart:"
    for part in PARTS:
        yield from f"[{part}] {patient_chart(bound, part)}".splitlines()


def _labels(item: Item, bound: Bound) -> Iterator[str]:
    form = bound.store.form(bound.plan.id)
    labels = {field.id: field.label for section in form.sections for field in section.fields}
    yield from (f"{name} ({labels.get(name, name)})" for name in item.fields)


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": [*properties],
        "additionalProperties": False,
    }


def _one_of(words: Sequence[str]) -> dict[str, Any]:
    return {"type": "string", "enum": list(words)}
