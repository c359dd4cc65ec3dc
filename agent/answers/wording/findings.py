"""A determination's findings by what they are, what of a composite decides, and what composites are named for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tools.domain.records import Determination, Finding
from tools.messages import Action

# What composites are named for: their text lists every branch.
NAMES = {
    "step": "step therapy",
    "metformin_path": "the metformin step",
    "second_oral": "a second oral drug",
    "preferred_first": "the preferred drug first",
    "preferred_list": "the preferred drugs first",
    "saxenda_first": "the preferred drug first",
    "weight_drug_first": "another weight drug first",
    "bmi_route": "the BMI requirement",
    "bmi_overweight": "the BMI requirement with a comorbidity",
    "bmi_30_and_one": "the BMI requirement with a comorbidity",
    "bmi_30_and_two": "the BMI requirement with comorbidities",
    "comorbidity": "a weight-related comorbidity",
    "two_comorbidities": "weight-related comorbidities",
    "lifestyle": "the lifestyle requirement",
    "pap": "positive airway pressure",
    "better": "improvement on the drug",
    "response": "the response to the drug",
    "established_cvd": "the cardiovascular requirement",
    "pad_shown": "peripheral arterial disease",
    "no_cirrhosis_now": "no cirrhosis",
    "diagnosis_proof": "proof of the diagnosis",
    "supports_diabetes": "support for the diagnosis",
    "ckd_risk": "the kidney risk",
    "duplicate_therapy": "duplicate therapy",
    "mtc_men2": "medullary thyroid carcinoma history",
    "diet_exercise": "the statement on diet and exercise",
    "cv_standard_of_care": "the statement on standard cardiovascular care",
    "pap_tried": "the statement on positive airway pressure",
}


class Sorted(NamedTuple):
    """A determination's findings by what they are."""

    criteria: list[Finding]
    exclusions: list[Finding]
    quantity: list[Finding]
    documents: list[Finding]

    @classmethod
    def of(cls, found: Determination) -> Sorted:
        """The quantity stands after criteria and exclusions, the documents after the quantity."""
        names = [finding.criterion for finding in found.findings]
        at = names.index("quantity") if "quantity" in names else len(names)
        judged = found.findings[:at]
        return cls(
            [finding for finding in judged if not finding.exclusion],
            [finding for finding in judged if finding.exclusion],
            [*found.findings[at : at + 1]],
            [*found.findings[at + 1 :]],
        )

    @property
    def unmet(self) -> list[Finding]:
        """What keeps it from going through: failures first, then what is open, then papers."""
        every = (*self.exclusions, *self.criteria, *self.quantity)
        failing = [finding for finding in every if finding.status == "not_met"]
        unknown = [finding for finding in every if finding.status == "unknown"]
        return [*failing, *unknown, *(finding for finding in self.documents if finding.status != "met")]


def deciding_leaf(finding: Finding) -> Finding:
    """The leaf that is told of a composite."""
    while finding.parts:
        same = [part for part in finding.parts if part.status == finding.status] or [*finding.parts]
        if finding.status == "not_met":
            worth = worth_trying(finding)
            same = [part for part in same if part in worth] or same
        finding = same[0]
    return finding


def worth_trying(finding: Finding) -> list[Finding]:
    """The parts that would change it; of several ways, one that nobody can go only where there is no other."""
    parts = [part for part in finding.parts if part.status != "met" and (part.action or part.parts)]
    if asks_for_all(finding):
        return parts
    parts = _open_first(parts)
    return _easiest([part for part in parts if not _is_idle(part)] or parts)


def _open_first(ways: Sequence[Finding]) -> list[Finding]:
    """The ways that are open rather than those that fail; a lab that is merely too old displaces no trial."""
    unknown = [way for way in ways if way.status == "unknown"]
    if unknown and all(way.reason == "stale" for way in unknown):
        return [*(way for way in ways if way.status == "not_met" and _first(way) == "try"), *unknown]
    return unknown or [*ways]


def _is_idle(way: Finding) -> bool:
    """Does nobody know what to do about it?"""
    return way.action is not None and way.action.effort in ("chance", "nothing")


def _first(way: Finding) -> str:
    """The code of the step that it begins with."""
    step = way.action
    while step is not None and step.parts and step.code != "some_of":
        step = step.parts[0]
    return step.code if step is not None else ""


def _easiest(ways: Sequence[Finding]) -> list[Finding]:
    """Of ways that differ only in how high a value must be, the one that is reached first."""
    best: dict[tuple[object, ...], tuple[float, Finding]] = {}
    bounded = [(way, step) for way in ways if (step := _value_step(way)) is not None]
    for way, step in bounded:
        key = step.code, step.params["test"], step.params["op"]
        value = step.params["value"]
        assert isinstance(value, int | float)
        hard = -value if step.params["op"] in ("<", "<=") else value
        if key not in best or hard < best[key][0]:
            best[key] = (hard, way)
    easy = [way for _, way in best.values()]
    return [way for way in ways if way in easy or all(way is not one for one, _ in bounded)]


def _value_step(finding: Finding) -> Action | None:
    """The step that would change it, where that is one value alone."""
    while finding.parts:
        unmet = [part for part in finding.parts if part.status != "met"]
        if len(unmet) != 1 or not asks_for_all(finding):
            return None
        finding = unmet[0]
    step = finding.action
    return step if step is not None and step.code in ("newer_meets", "baseline_meets") else None


def asks_for_all(finding: Finding) -> bool:
    """Must every branch be met?"""
    return finding.needed == len(finding.parts)


def has_other_ways(finding: Finding) -> bool:
    """Is one of several branches enough?"""
    return finding.needed == 1 < len(finding.parts)
