"""The oracle reads what the policies say, agrees with the engine, and shares nothing with it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import cache, partial
from typing import Any

import pytest

from evals.agreement.comparing import compare
from evals.agreement.drawn import cases, world
from evals.oracle import Unreadable, Verdict, decide, read_policy
from evals.oracle.chart import Stretch
from evals.oracle.clauses import clauses_of
from evals.oracle.reading import Row, read_sentence
from evals.oracle.verdicts import count
from evals.pages import RESULTS
from evals.stores import MOCK_DATA

AS_OF = date(2026, 9, 1)


@cache
def printed(name: str) -> Any:
    return json.loads((MOCK_DATA / f"{name}.json").read_text())


def policy(policy_id: str) -> str:
    return (MOCK_DATA / "policies" / f"{policy_id.lower()}.txt").read_text()


POLICIES = sorted(path.stem.upper() for path in (MOCK_DATA / "policies").glob("*.txt"))


# --- reading -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", POLICIES)
def test_every_clause_of_a_policy_is_seen(name: str) -> None:
    text = policy(name)
    assert f"({len(clauses_of(text))} clauses)" in text.splitlines()[-1]


GATES = {"all_of": 0, "any_of": 1, "none_of": -1}
SAME = {  # a kind of the printed tree: the oracle's kind, and pairs of their columns
    "age": ("age", {"op": "sign", "years": "value"}),
    "lab": ("value", {"op": "sign", "value": "value", "within": "window"}),
    "condition": ("condition", {"label": "name"}),
    "trial": ("trial", {"within_days": "window", "min_daily_dose": "dose"}),
    "intolerance": ("intolerance", {}),
    "allergy": ("allergy", {}),
    "taking": ("taking", {}),
    "on_drug": ("on drug", {"min_months": "months", "min_dose": "dose"}),
    "programme": ("program", {"min_duration": "least", "within": "window"}),
    "attested": ("statement", {"topic": "topic", "within": "window"}),
    "specialist": ("specialist", {}),
    "change": ("change", {"within": "window"}),
    "measured": ("on file", {"within": "window"}),
    "use": ("use", {}),
}
LISTS = {"codes": "codes", "suggests": "hints", "drugs": "drugs", "responses": "responses", "uses": "uses"}
SETS = {"classes": "classes", "specialties": "specialties", "tests": "tests"}


def test_the_prose_says_what_the_printed_trees_say() -> None:
    """1,300 clauses in ten house styles, read from the text alone."""
    seen: Counter[str] = Counter()
    for plan in printed("plans"):
        for benefit in plan["benefits"].values():
            for rule in benefit.get("rules", ()):
                table = read_policy(policy(rule["policy_id"]))
                use = rule["indication"]
                parts = (table.criteria, table.renewal, table.exclusions)
                rows = {row.number: row for part in parts for row in part.get(use, [])}
                nodes = [*rule["criteria"]["children"], *rule["exclusions"], *rule["renewal"]["children"]]
                every = [node for top in nodes for node in _walk(top)]
                assert rows.keys() == {node["clause_id"] for node in every}
                for node in every:
                    seen[node["kind"]] += 1
                    assert _difference(node, rows[node["clause_id"]]) == "", node["quote"]
    assert sum(seen.values()) > 1000
    assert seen.keys() >= SAME.keys()


def _walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("children", ()):
        yield from _walk(child)


def _difference(node: dict[str, Any], row: Row) -> str:
    if "children" in node:
        return "" if row.needed == GATES.get(node["kind"], node.get("k")) else f"needs {row.needed}"
    kind, columns = SAME[node["kind"]]
    if row.kind != kind:
        return f"read as {row.kind}"
    for theirs, ours in columns.items():
        value = getattr(row, ours)
        if isinstance(value, Stretch):
            value = {"count": value.number} | ({"unit": f"{value.unit}s"} if value.unit != "day" else {})
            value = value["count"] if theirs == "within_days" else value
        if (float(value) if isinstance(value, Decimal) else value) != node.get(theirs):
            return f"{ours} is {value}"
    for theirs, ours in LISTS.items():
        if list(getattr(row, ours)) != node.get(theirs, []):
            return f"{ours} are {getattr(row, ours)}"
    for theirs, ours in SETS.items():
        if theirs in node and set(getattr(row, ours)) != set(node[theirs]):
            return f"{ours} are {getattr(row, ours)}"
    if node["kind"] == "condition":
        said = (row.ever, row.family, row.women_only, row.denial_needed)
        is_ever, is_family = node.get("status") == "ever", "family" in node.get("who", ())
        if said != (is_ever, is_family, "sex" in node, node.get("evidence") == "attestation"):
            return f"who and when: {said}"
    if node["kind"] == "lab" and row.rounded is not (node.get("rounded") == "tenths"):
        return f"rounded: {row.rounded}"
    if node["kind"] == "change":
        amount = node.get("percent", node.get("amount"))
        if (row.percent, float(row.value or 0)) != ("percent" in node, amount):
            return f"falls by {row.value}"
    wanted = (node.get("min_days", 0), node.get("proof") == "fills")
    return f"for {row.days} days" if node["kind"] == "trial" and (row.days, row.claims) != wanted else ""


def test_a_sentence_without_a_meaning_is_refused() -> None:
    with pytest.raises(Unreadable, match=r"clause 1\.1\.9 says nothing that can be decided"):
        read_sentence("1.1.9", "The member shall be in good spirits.", "")


# --- deciding ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("needed", "truths", "said"),
    [
        (2, [1, 0], 0),
        (2, [1, None], None),
        (2, [0, None], 0),
        (1, [0, None], None),
        (1, [1, 0], 1),
        (2, [1, 1, 0], 1),
    ],
)
def test_the_three_valued_table(needed: int, truths: list[int | None], said: int | None) -> None:
    assert count(needed, truths) == said


def judged(patient: dict[str, Any], **request: Any) -> Verdict:
    """Ozempic under CASCADE-GOLD: HbA1c at least 6.5 within 180 days, metformin for 30, notes within 90."""
    plan = next(p for p in printed("plans") if p["id"] == "CASCADE-GOLD")
    drug = next(d for d in printed("drugs") if d["name"] == "Ozempic")
    wanted = {"drug": "Ozempic", "kind": "new", **request}
    return decide(policy("CASCADE-GOLD-OZEMPIC"), patient, plan, drug, wanted, AS_OF)


def chart(**changes: Any) -> dict[str, Any]:
    metformin = {"id": "M1", "drug": "metformin", "ingredients": ["metformin"], "classes": ["biguanide"]}
    metformin |= {
        "start": "2026-01-01",
        "end": "2026-01-31",
        "status": "stopped",
        "outcome": "Inadequate response",
    }
    denied = {"present": False, "date": "2026-08-01"}
    return {
        "id": "P1",
        "birth_date": "1970-01-01",
        "sex": "male",
        "coverages": [{"id": "V1", "plan_id": "CASCADE-GOLD"}],
        "conditions": [{"id": "C1", "code": "E11.9"}],
        "observations": [{"id": "O1", "test": "hba1c", "value": 7.0, "unit": "%", "date": "2026-08-01"}],
        "medications": [metformin],
        "allergies": [],
        "notes": [{"id": "N1", "date": "2026-08-01", "text": "Seen."}],
        "attestations": [
            {"id": "T1", "topic": "mtc_men2", "subjects": ["self", "family"], **denied},
            {"id": "T2", "topic": "type_1_diabetes", "subjects": ["self"], **denied},
        ],
        **changes,
    }


def hba1c(value: float, when: str, unit: str | None = "%") -> dict[str, Any]:
    return {"id": "O1", "test": "hba1c", "value": value, "unit": unit, "date": when}


@pytest.mark.parametrize(
    ("readings", "status"),
    [
        ([hba1c(6.45, "2026-03-05")], "met"),  # a half goes up; day 180 of 180 is in
        ([hba1c(6.44, "2026-08-01")], "not_met"),
        ([hba1c(9.0, "2026-03-04")], "unknown"),  # day 181
        ([hba1c(9.0, "2026-08-01", None)], "unknown"),
        ([hba1c(48, "2026-08-01", "mmol/mol")], "met"),  # 6.543
        ([hba1c(6.4, "2026-08-01"), hba1c(6.6, "2026-08-01")], "unknown"),
        ([hba1c(9.0, "2026-08-01"), hba1c(6.0, "2026-08-02")], "not_met"),
        ([hba1c(9.0, "2026-09-02")], "unknown"),
        ([], "unknown"),
    ],
)
def test_a_value_on_the_edge(readings: list[dict[str, Any]], status: str) -> None:
    assert judged(chart(observations=readings)).statuses["1.1.3"] == status


def test_the_sound_chart_is_ready_and_each_lack_is_not() -> None:
    assert judged(chart()).outcome == "ready"
    assert judged(chart(coverages=[])).outcome == "wrong_plan"
    assert judged(chart(attestations=[])).outcome == "needs_documentation"
    assert judged(chart(conditions=[])).outcome == "likely_denial"
    assert judged(chart(notes=[])).stopped_by == "documents"
    assert judged(chart(), quantity=6, days_supply=28).outcome == "quantity_exception"
    mother = [{"id": "H1", "relation": "mother", "condition": "medullary thyroid carcinoma"}]
    assert judged(chart(family_history=mother, attestations=[])).stopped_by == "exclusion"


# --- beside the engine -------------------------------------------------------------------------------------

small = partial(world, 55, 300)  # which is drawn once


def test_two_hundred_and_fifty_cases_come_out_alike() -> None:
    compared = [compare(case, small()) for case in cases(55, 250, small())]
    apart = [c.differences for c in compared if c.differences]
    assert apart == []
    assert sum(not c.differences for c in compared) >= 220
    assert len({c.outcome for c in compared}) == 7
    assert sum(c.clauses for c in compared) > 1500


def test_a_difference_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from tools.engine import quantity

    monkeypatch.setattr(quantity, "_within", lambda *rates: False)
    compared = [compare(case, small()) for case in cases(55, 40, small())]
    assert any(c.differences for c in compared)


def test_the_oracle_imports_nothing_of_what_it_judges() -> None:
    code = "import sys, evals.oracle; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    ours = ("tools.", "data_gen", "agent", "msgspec")  # `tools` itself only turns telemetry off
    assert [name for name in done.stdout.split() if name.startswith(ours)] == []


def test_the_results_stand() -> None:
    figures = json.loads((RESULTS / "oracle.json").read_text())["oracle"]["measured"]
    assert sum(run["cases"] for run in figures["runs"]) >= 1300
    assert all(run["agree"] == run["cases"] for run in figures["runs"])
    assert figures["differences"] == [] and figures["wrong"] == {}
