"""P001, the patient whom everybody meets first: Ozempic, ready, with a past worth reading.

Metformin that made him vomit, then extended-release under a former plan without reaching the goal, glipizide with
a partial response, an old myocardial infarction and chronic kidney disease, and an HbA1c that is too old beside the
one that governs.
"""

from __future__ import annotations

from data_gen.people import GI, INADEQUATE, PARTIAL, Course, Person
from data_gen.setting import Setting
from data_gen.sketch import Sketch, counts
from tools.domain.rules import Intolerance, Trial

FORMER_ENDED = 244  # days before as_of


def natural(person: Person) -> None:
    """The body that the case is made from; what the rule asks for still goes before it."""
    person.female, person.age, person.height = False, 58, 1762
    person.t2dm, person.hypertension, person.dyslipidemia = True, True, True
    person.nash, person.osa, person.hf, person.fibrosis = False, False, "", 0
    person.neuropathy, person.retinopathy, person.ascvd = False, False, "mi"
    latest, earlier = person.panels
    person.a1c = [(earlier, 81), (latest, 84)]
    person.bmi = [(ago, bmi) for (ago, _), bmi in zip(person.bmi, (338, 336, 334), strict=True)]
    person.egfr = [(earlier, 53), (latest, 52)]
    person.uacr = [(earlier, 131), (latest, 148)]
    person.sbp, person.dbp, person.ldl, person.hdl, person.tg = 134, 78, 71, 41, 180
    person.alt, person.ast, person.platelets = 31, 26, 231


def courses() -> list[Course]:
    return [
        Course("metformin 500", 905, 884, GI, "vomiting within an hour of each dose", fills=1),
        Course(
            "metformin ER 750",
            862,
            421,
            INADEQUATE,
            "HbA1c above goal at the highest dose tolerated",
            fills=4,
        ),
        Course("glipizide 10", 402, None, PARTIAL, "improved, still above goal", fills=3),
    ]


def fits(sketch: Sketch) -> bool:
    """Do these courses show what the rule needs?"""
    trials = sketch.of(Trial, True)
    return (
        bool(trials)
        and not any([*sketch.of(Trial, False, None), *sketch.of(Intolerance, False, None)])
        and all(
            counts(trial, "metformin")
            and trial.min_days <= 360
            and (trial.min_daily_dose or 0) <= 1500
            and trial.formulation != "IR"
            and (not trial.responses or "inadequate" in trial.responses)
            and (trial.within_days or 500) > 421
            for trial in trials
        )
    )


def add_former_plan(person: Person, setting: Setting) -> None:
    """The plan in which he took metformin, and an HbA1c of the spring."""
    end = person.coverages[-1][2]
    former = next(
        (insurer.plan_id for insurer in setting.insurers if insurer.plan_id != person.plan), person.plan
    )
    if former != person.plan:
        person.coverages = [
            (former, FORMER_ENDED + 1095, FORMER_ENDED),
            (person.plan, FORMER_ENDED - 1, end),
        ]
    latest = person.a1c[-1]
    person.a1c.insert(-1, (max(latest[0] + 95, 151), latest[1] - 3))
