"""The data card of a world: what is in it, beside what the guide and the reference say should be.

Distributions are those of the people whom chance made; planted cases bend them on purpose and are counted apart.
A figure fits its target if chance could make up the difference (two standard errors).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from itertools import chain
from math import sqrt
from pathlib import Path

import msgspec

from data_gen.cases import Planter
from data_gen.setting import Setting
from data_gen.world import Dataset, read_dataset
from tools.common.dates import age_on
from tools.common.errors import Invalid
from tools.domain.records import Drug, Medication, Patient, Plan, Request
from tools.engine.determine import determine
from tools.engine.request import complete_request
from tools.store.record_files import read_records

Decide = Callable[[Patient, dict[str, Plan], dict[str, Drug], date], str | None]
JUDGED = 5000  # patients whose orders are judged, at most

COUNTED = ("conditions", "observations", "medications", "fills", "attestations", "notes", "orders")
# The guide's table: patients → lines of patients.json, kilobytes.
GUIDE_VOLUME = ((20, 1_100, 80), (100, 5_500, 400), (500, 27_500, 2_000), (1000, 55_000, 4_000))
GUIDE_LINES, GUIDE_KB = 55, 4  # a patient


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One measured figure beside its target; `fits` is None where there is none, or too few people to tell."""

    name: str
    value: float
    unit: str = ""
    target: str = ""
    source: str = ""
    fits: bool | None = None


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `pa describe` shows."""

    folder: str
    dataset: Dataset
    planted: int
    lines: int
    bytes: int
    rows: tuple[Row, ...]
    histograms: dict[str, dict[str, int]]
    outcomes: dict[str, int]  # of the orders of the first patients
    judged: int
    plans: dict[str, int]
    entries: dict[str, float]  # of each kind, a patient


class Tally:
    """Counts while patients stream by."""

    def __init__(self) -> None:
        self.people = self.diabetic = self.over_50 = self.over_35 = self.obese = 0
        self.seen: Counter[str] = Counter()
        self.values: dict[str, Counter[float]] = {
            name: Counter() for name in ("age", "BMI", "HbA1c", "HbA1c in diabetes", "eGFR")
        }
        self.outcomes: Counter[str] = Counter()
        self.second: Counter[str] = Counter()

    def add(self, patient: Patient, as_of: date) -> None:
        """One person whom chance made."""
        codes = [entry.code for entry in patient.conditions or ()]
        bmi, a1c, egfr = (_latest(patient, test) for test in ("bmi", "hba1c", "egfr"))
        age = age_on(patient.birth_date, as_of) if patient.birth_date else 0
        self.people += 1
        for name, value in (("age", age), ("BMI", bmi), ("HbA1c", a1c), ("eGFR", egfr)):
            self.values[name][value] += 1
        self._disease(codes, bmi, a1c, age)
        self._treatment(patient, codes)
        self.seen["woman"] += patient.sex == "female"
        self.seen["former plan"] += len(patient.coverages) > 1

    def _disease(self, codes: list[str], bmi: float, a1c: float, age: int) -> None:
        def has(*prefixes: str) -> bool:
            return any(code.startswith(prefixes) for code in codes)

        seen = self.seen
        diabetic = has("E11")
        self.diabetic += diabetic
        if diabetic:
            self.values["HbA1c in diabetes"][a1c] += 1
        self.over_50 += age > 50
        self.over_35 += bmi > 35
        self.obese += bmi > 30
        seen["hypertension over 50"] += age > 50 and has("I10", "I11", "I12", "I13")
        seen["NASH over 35"] += has("K75.81")
        seen["OSA over 30"] += has("G47.33")
        seen["CKD in diabetes"] += diabetic and has("N18")
        seen["ASCVD in diabetes"] += diabetic and has("I25", "Z86.73", "I73.9", "E11.51")
        seen["HF in diabetes"] += diabetic and has("I50", "I11.0", "I13")
        seen["dyslipidemia in diabetes"] += diabetic and has("E78")
        seen["obesity by code"] += has("E66.81")
        seen["diabetes without HbA1c > 6.5, or the reverse"] += diabetic != (a1c > 6.5)
        seen["obesity without BMI > 30, or the reverse"] += has("E66.81") != (bmi > 30)

    def _treatment(self, patient: Patient, codes: list[str]) -> None:
        if not any(code.startswith("E11") for code in codes):
            return
        taken = [entry for entry in patient.medications or () if _antidiabetic(entry)]
        self.seen["metformin"] += any("metformin" in entry.ingredients for entry in taken)
        second = [entry for entry in taken if "metformin" not in entry.ingredients]
        self.seen["second line"] += bool(second)
        self.second.update(entry.drug for entry in second)
        self.outcomes.update(entry.outcome for entry in taken if entry.outcome)


def _antidiabetic(entry: Medication) -> bool:
    return bool({"biguanide", "sulfonylurea", "sglt2", "glp1", "dpp4", "tzd"} & set(entry.classes))


def _latest(patient: Patient, test: str) -> float:
    values = [(seen.date or date.min, seen.value) for seen in patient.observations if seen.test == test]
    return max(values)[1] if values else 0.0


# --- measuring -----------------------------------------------------------------------------------------------


def describe(folder: Path, decide: Decide | None = None) -> Card:
    """Read the world once, in flat memory; `decide` names the outcome of a patient's own order."""
    dataset = read_dataset(folder)
    paths = [folder / name for name in sorted(dataset.files) if name.startswith("patients")]
    for path in paths:
        if not path.is_file():
            raise Invalid(f"{folder} holds no {path.name}; `pa generate --out {folder}` makes the world anew")
    plans = {found.record.id: found.record for found in read_records(folder / "plans.json", Plan)}
    drugs = {found.record.name: found.record for found in read_records(folder / "drugs.json", Drug)}
    planter = Planter(Setting(plans, drugs, dataset.as_of))
    tally, outcomes, members, entries = Tally(), Counter[str](), Counter[str](), Counter[str]()
    planted = judged = 0
    for located in chain.from_iterable(read_records(path, Patient) for path in paths):
        patient = located.record
        members[patient.plan_id] += 1
        entries.update({name: len(getattr(patient, name) or ()) for name in COUNTED})
        if decide is not None and judged < JUDGED:
            outcome = decide(patient, plans, drugs, dataset.as_of)
            judged += outcome is not None
            outcomes.update([outcome] if outcome else [])
        if planter.is_planted(int(patient.id[1:]) - 1):
            planted += 1
        else:
            tally.add(patient, dataset.as_of)
    people = max(1, planted + tally.people)
    return Card(
        folder=str(folder),
        dataset=dataset,
        planted=planted,
        lines=sum(map(_lines, paths)) if dataset.format != "parquet" else planted + tally.people,
        bytes=sum(path.stat().st_size for path in paths),
        rows=tuple(rows(tally, plans)),
        histograms={name: _histogram(counts) for name, counts in tally.values.items()},
        outcomes=dict(outcomes.most_common()),
        judged=judged,
        plans={plan_id: members[plan_id] for plan_id in plans},
        entries={name: round(count / people, 1) for name, count in entries.items()},
    )


def own_order(patient: Patient, plans: dict[str, Plan], drugs: dict[str, Drug], as_of: date) -> str | None:
    """The engine's outcome of the patient's own order under the plan on file; None without an order."""
    if not patient.orders or patient.plan_id not in plans or patient.orders[0].drug not in drugs:
        return None
    drug = patient.orders[0].drug
    request = complete_request(patient, drugs[drug], Request(drug=drug))
    return determine(patient, plans[patient.plan_id], request, as_of).outcome


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))


def _histogram(counts: Counter[float]) -> dict[str, int]:
    return {f"{value:g}": counts[value] for value in sorted(counts)}


# --- targets -------------------------------------------------------------------------------------------------


def rows(tally: Tally, plans: dict[str, Plan]) -> Iterator[Row]:
    """Every figure beside its target."""
    seen, people, diabetic = tally.seen, tally.people, tally.diabetic
    for name, low, high in (("age", 35, 75), ("BMI", 23, 42), ("HbA1c", 5.8, 11.0)):
        found = tally.values[name]
        if found:
            yield _ranged(f"{name}, lowest", min(found), low, high)
            yield _ranged(f"{name}, highest", max(found), low, high)
    yield _exact("diabetes without HbA1c > 6.5, or the reverse", seen)
    yield _exact("obesity without BMI > 30, or the reverse", seen)
    yield _share("diabetics who had metformin", seen["metformin"], diabetic, 100, 100, "guide")
    yield _share("diabetics with a second line", seen["second line"], diabetic, 57, 64, "guide: about 60 %")
    over_50, over_35 = seen["hypertension over 50"], seen["NASH over 35"]
    yield _share("hypertension, age > 50", over_50, tally.over_50, 55, 75, "guide; reference §2")
    yield _share("NASH, BMI > 35", over_35, tally.over_35, 25, 35, "guide; reference §2")
    bmi, a1c = tally.values["BMI"], tally.values["HbA1c in diabetes"]
    if people:
        yield _mean("BMI, mean", bmi, 32.1, 0.3, "kg/m2")
    for name, low, high, target in (
        ("BMI < 25", 0, 25, 4), ("BMI 25-27", 25, 27, 8), ("BMI 27-30", 27, 30, 20), ("BMI 30-35", 30, 35, 42),
        ("BMI 35-40", 35, 40, 23), ("BMI >= 40", 40, 99, 3),
    ):  # fmt: skip
        yield _share(name, _sum(bmi, low, high), people, target - 2, target + 2, f"reference §2: {target} %")
    if diabetic:
        yield _mean("HbA1c in diabetes, mean", a1c, 8.2, 0.1, "%")
        for name, place, goal in (
            ("lower quartile", 0.25, 7.4),
            ("median", 0.5, 8.1),
            ("upper quartile", 0.75, 8.9),
        ):
            yield _near(f"HbA1c in diabetes, {name}", _quantile(a1c, place), goal, 0.15, "%", a1c)
    for name, count, of, low, high, known in (
        ("HbA1c < 7 in diabetes", _sum(a1c, 0, 7), diabetic, 8, 14, "11 %"),
        ("HbA1c >= 9 in diabetes", _sum(a1c, 9, 99), diabetic, 19, 25, "22 %"),
        ("CKD in diabetes", seen["CKD in diabetes"], diabetic, 34, 43, "39 %"),
        ("ASCVD in diabetes", seen["ASCVD in diabetes"], diabetic, 5, 30, "5 to 30 % by age"),
        ("heart failure in diabetes", seen["HF in diabetes"], diabetic, 6, 10, "8 %"),
        ("dyslipidemia in diabetes", seen["dyslipidemia in diabetes"], diabetic, 66, 74, "70 %"),
        ("sleep apnea, BMI > 30", seen["OSA over 30"], tally.obese, 24, 31, "25 %, men 30 %"),
    ):  # fmt: skip
        yield _share(name, count, of, low, high, f"reference §2: {known}")
    yield _share("in another plan before", seen["former plan"], people, 12, 18, "about 15 %")
    for what, counts in (("trials", tally.outcomes), ("second lines", tally.second)):
        for name, count in sorted(counts.items()):
            yield Row(name=f"{what}: {name}", value=_percent(count, counts.total()), unit="%")
    yield from _table(plans)


def _table(plans: dict[str, Plan]) -> Iterator[Row]:
    cells = [benefit for plan in plans.values() for benefit in plan.benefits.values()]
    covered = [benefit for benefit in cells if benefit.covered]
    needs = sum(benefit.pa_required for benefit in covered)
    yield _share("plan table: covered", len(covered), len(cells), 82, 88, "guide: 85 %", few=0)
    yield _share("plan table: covered ones with PA", needs, len(covered), 60, 70, "guide: about 65 %", few=0)


FEW = 300  # people below whom a share says little


def _share(name: str, count: int, of: int, low: float, high: float, source: str, few: int = FEW) -> Row:
    value = _percent(count, of)
    target = f"{low:g} %" if low == high else f"{low:g}-{high:g} %"
    chance = 0.0 if few == 0 or low == high else 200 * sqrt(value / 100 * (1 - value / 100) / max(1, of))
    fits = None if of < few else low - chance <= value <= high + chance
    return Row(name=name, value=value, unit="%", target=target, source=source, fits=fits)


def _percent(count: int, of: int) -> float:
    return round(100 * count / max(1, of), 1)


def _ranged(name: str, value: float, low: float, high: float) -> Row:
    return Row(name=name, value=value, target=f"{low:g}-{high:g}", source="guide", fits=low <= value <= high)


def _exact(name: str, seen: Counter[str]) -> Row:
    return Row(name=name, value=seen[name], target="0", source="guide", fits=seen[name] == 0)


def _near(name: str, value: float, goal: float, slack: float, unit: str, counts: Counter[float]) -> Row:
    people, mean = counts.total(), _average(counts)
    spread = sqrt(sum((value - mean) ** 2 * number for value, number in counts.items()) / max(1, people))
    fits = None if people < FEW else abs(value - goal) <= slack + 2 * spread / sqrt(people)
    return Row(name=name, value=value, unit=unit, target=f"{goal:g}", source="reference §2", fits=fits)


def _mean(name: str, counts: Counter[float], goal: float, slack: float, unit: str) -> Row:
    return _near(name, round(_average(counts), 2), goal, slack, unit, counts)


def _average(counts: Counter[float]) -> float:
    return sum(value * number for value, number in counts.items()) / max(1, counts.total())


def _quantile(counts: Counter[float], place: float) -> float:
    left = place * counts.total()
    for value in sorted(counts):
        left -= counts[value]
        if left <= 0:
            return value
    return 0.0


def _sum(counts: Counter[float], low: float, high: float) -> int:
    return sum(number for value, number in counts.items() if low <= value < high)
