"""How people ask about what a clause says. Only the search uses this: what is shown and cited is the clause itself.

A clause says "biguanide", a person says "the first diabetes pill"; a clause says "eGFR is at least 30", a person
asks whether weak kidneys are a problem. A general embedding model knows too little of this, so each clause is
indexed under its own words and under the questions that its criterion answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice
from typing import Any

from tools.domain.records import Benefit, Clause, Drug, Policy
from tools.domain.rules import (
    Age,
    AllergyTo,
    Attested,
    Change,
    Composite,
    Condition,
    Intolerance,
    Lab,
    Measured,
    OnDrug,
    Part,
    Programme,
    Required,
    Specialist,
    Taking,
    Trial,
    Use,
)
from tools.terminology.conditions import CONCEPTS
from tools.terminology.matcher import Span, matches
from tools.terminology.medicines import CLASSES, class_of, ingredients_of
from tools.terminology.observations import TESTS

_TESTS = {
    "hba1c": "A1c, glycated hemoglobin, average blood sugar, sugar control",
    "bmi": "body mass index, weight relative to height, how heavy",
    "weight": "pounds, kilograms on the scale, how much they weigh",
    "height": "stature in inches",
    "egfr": "kidney function, kidney filtration, renal clearance, weak kidneys",
    "uacr": "protein or albumin in the urine, urine sample",
    "ahi": "breathing pauses or events per hour, what the sleep study, polysomnogram or overnight test shows",
    "glucose": "fasting blood sugar",
    "lvef": "pumping strength of the heart on the echo",
    "fibrosis_stage": "scarring of the liver, biopsy or elastography stage",
    "abi": "blood pressure in the ankle against the arm",
}
_CONDITIONS = (
    (r"type 2 diab", "adult-onset diabetes, sugar disease"),
    (
        r"type 1 diab",
        "juvenile or autoimmune diabetes since childhood, LADA, makes no insulin, insulin-dependent",
    ),
    (
        r"medullary",
        "thyroid cancer, malignancy or tumor, C-cell tumor, MEN2, inherited in the family, parent, aunt or sibling",
    ),
    (r"pancreatitis", "inflamed pancreas"),
    (r"pregnan", "expecting a baby, carrying a child, conceives, gestation"),
    (r"dialysis", "end-stage kidney failure, renal replacement, hemodialysis machine cleans the blood"),
    (r"central sleep", "breathing stops because the brain gives no signal"),
    (r"obstructive sleep", "stops breathing at night, airway collapses during sleep, OSA"),
    (r"hypertension", "high or elevated blood pressure, takes pressure pills"),
    (r"dyslipidemia", "high cholesterol, bad lipids"),
    (r"atherosclerotic", "heart disease, clogged arteries, heart attack or stroke in the past"),
    (r"myocardial", "heart attack, coronary event, STEMI, infarction"),
    (r"stroke", "stroke, brain infarct"),
    (r"peripheral", "narrowed leg arteries, claudication"),
    (r"heart failure", "weak heart, cardiac insufficiency, low ejection fraction"),
    (r"polycystic", "inherited kidney cysts"),
    (r"chronic kidney", "kidney disease, renal damage, nephropathy, stage 3"),
    (r"ketoacid", "DKA, acid crisis"),
    (r"gastroparesis", "slow stomach emptying"),
    (r"cirrhosis", "scarred liver"),
    (r"mash|nash", "fatty liver inflammation, steatohepatitis"),
)
_CLASSES = {
    "biguanide": "metformin, Glucophage, biguanide, the first-line diabetes pill, the cheap generic tablet",
    "glp1": "another GLP-1 or incretin shot, such as Ozempic, Victoza or Trulicity",
    "dpp4": "a DPP-4 inhibitor such as Januvia or Tradjenta",
    "sglt2": "an SGLT2 inhibitor such as Jardiance, Farxiga or Invokana",
    "sulfonylurea": "a sulfonylurea such as glipizide",
    "anorectic": "another weight-loss or appetite drug such as phentermine",
    "statin": "a cholesterol drug",
}
_TOPICS = {
    "adherent": "takes it regularly, as prescribed, without missing doses",
    "tolerating": "does well on it, without problems or side effects",
    "diet_exercise": "eats less and moves more, follows a diet",
    "cv_standard_of_care": "gets the usual heart medicines",
    "pap_tried": "has used a CPAP breathing mask at night",
    "specialist_consult": "was seen by a specialist",
    "low_alcohol": "drinks little alcohol",
    "employer_programme": "signed up for the employer's weight program",
}
_DOCUMENTS = {
    "note": "the doctor's note, office visit record, write-up",
    "lab": "bloodwork printout, result sheet, laboratory report",
    "fills": "pharmacy dispensing history, proof that the earlier medicine was picked up, no free samples",
    "programme": "papers that show taking part in the diet program or classes",
    "study": "report of the sleep study, polysomnogram or scan",
    "medication": "list of current medicines",
}
# Clauses of fixed wording, by what they say.
_FIXED = {
    "limit": (
        "How many pens, injectors, pills or mL a month? How much per fill can be dispensed?",
        "Two a day or ninety at once: is that more than the limit, too much, the maximum?",
    ),
    "starting": ("How long may someone stay on the lowest introductory starting dose?",),
    "initial": (
        "How long is the first approval good for? When does the first OK run out?",
        "How many months until we have to ask again? Duration of the yes.",
    ),
    "renewal": ("If it is extended, for how long is the renewal good? The second approval, the next year.",),
}
# A section as a whole.
SECTION_QUESTIONS = {
    "criteria": "What does the policy ask for? All of its criteria and requirements.",
    "renewal": "What does a renewal require? All that is asked for to continue.",
    "exclusions": "What does the policy exclude? All exclusions, whom and what it rules out.",
    "documentation": "Which documents must be sent? All of the paperwork that goes with the request.",
}
# The payer's own clauses about appeals, by words in them.
_APPEAL = (
    (
        r"\b(60|65|120|180) ",
        "They turned us down: how long do we have to fight, contest, dispute or object? Deadline after a denial.",
    ),
    (
        r"peer|speak|director|physician|clinician",
        "Can the doctor talk to their medical director on the phone?",
    ),
    (
        r"external|independent|outside|hearing",
        "Who outside the plan can review and overturn their second no?",
    ),
    (r"urgent|expedit|72", "It can't wait: is there a fast track for urgent cases?"),
)


def fixed_clauses(policy: Policy, benefit: Benefit, drug: Drug) -> dict[str, str]:
    """Which clauses state the quantity `limit`, the `starting` strengths, the `initial` and the `renewal` period: the
    first of their sections, in this order, one for each group of uses for which it is the same."""
    rules = benefit.rules
    counts = {
        "quantity": {
            "limit": bool(benefit.quantity_limit) + len(benefit.strength_limits),
            "starting": len(benefit.starting_limits),
        },
        "authorization": {
            "initial": len({rule.initial_months for rule in rules}),
            "renewal": len({rule.renewal_months for rule in rules}),
        },
    }
    found: dict[str, str] = {}
    for section, kinds in counts.items():
        clauses = iter([clause.id for clause in policy.clauses if clause.section == section])
        for kind, count in kinds.items():
            found |= dict.fromkeys(islice(clauses, count), kind)
    return found


def questions(part: Part | str | None, clause: Clause) -> list[str]:
    """What this clause answers, in everyday words. `part` is the criterion that it prints, or which of
    `fixed_clauses` it is; a lead-in answers nothing, its parts have their own clauses."""
    if isinstance(part, str):
        return list(_FIXED[part])
    if part is None:
        asks = _APPEAL if clause.section == "appeal" else ()
        return [ask for words, ask in asks if re.search(words, clause.text, re.IGNORECASE)]
    if isinstance(part, Composite):
        return []
    return _ASK[type(part)](part, clause.section)


def in_clinical_words(query: str) -> str:
    """The question with what its drugs and abbreviations stand for, e.g. "Victoza (liraglutide, a GLP-1 receptor
    agonist)"."""
    capitals = query.upper() if len(query.upper()) == len(query) else query  # nobody shifts for "mi" or "osa"
    for span in reversed(_first_of_each(matches(capitals))):
        meant = _stands_for(span, query[span.start : span.end].casefold())
        query = f"{query[: span.end]} ({meant}){query[span.end :]}" if meant else query
    return query


def _first_of_each(spans: list[Span]) -> list[Span]:
    """Of the concepts that one name stands for, the first."""
    return list({span.start: span for span in reversed(spans)}.values())[::-1]


def _stands_for(span: Span, said: str) -> str:
    """What a name stands for in the words of a clause; "" where it says so itself."""
    if span.kind == "medicine":
        made_of = ingredients_of(span.key)
        kinds = [CLASSES[class_of(one)] for one in made_of]
        return ", ".join(dict.fromkeys((*(one for one in made_of if one != said), *kinds)))
    if span.kind == "condition" and span.key in CONCEPTS:
        label = CONCEPTS[span.key].label
        return "" if said == label.casefold() else label
    if span.kind == "test" and span.key in TESTS:
        return "" if said == TESTS[span.key].name.casefold() else _test(span.key)
    return ""


def _drugs(part: Any) -> str:
    said = [_CLASSES.get(name, CLASSES.get(name, name)) for name in part.classes]
    for name in part.drugs:
        said.append(_CLASSES["biguanide"] if class_of(name) == "biguanide" else name)
    if getattr(part, "requested", False):
        said.append("this drug itself")
    return "; ".join(said)


def _people(specialties: tuple[str, ...]) -> str:
    """endocrinology → endocrinologist"""
    return " or ".join(re.sub(r"ology$", "ologist", specialty) for specialty in specialties)


def _condition(label: str) -> str:
    said = [words for pattern, words in _CONDITIONS if re.search(pattern, label, re.IGNORECASE)]
    return ", ".join([label, *said])


def _test(name: str) -> str:
    return f"{TESTS[name].name}, {_TESTS[name]}" if name in _TESTS else TESTS[name].name


def _ask_condition(part: Condition, section: str) -> list[str]:
    what = _condition(part.label)
    if section == "exclusions":
        return [f"Is {what} a reason to refuse?", f"The patient has {what}: is that a problem?"]
    return [
        f"Does the patient need to have {what}? Which diagnosis, illness or code is it covered for?",
        f"Does having {what} count or qualify?",
    ]


def _ask_lab(part: Lab, section: str) -> list[str]:
    what = _test(part.test)
    asks = [
        f"How high or low must the {what} be? What number, cutoff or result is needed?",
        f"Is this {what} enough? The last result was so much.",
    ]
    if part.within:
        asks.append(f"How old may the {what} be? Is a result from months ago too old?")
    if part.test == "egfr" and part.op in ("<", "<="):
        asks.append("Kidneys too weak for metformin, the older tablet: does that excuse the step?")
    return asks


def _ask_trial(part: Trial, section: str) -> list[str]:
    what = _drugs(part)
    return [
        f"Which medicine must be tried and fail first, and for how long? Step therapy with {what}.",
        f"How many days or months on {what} before moving on? Can the step be skipped?",
        "What must have been prescribed earlier? Prior therapy that was attempted and found lacking, fail first.",
        "Took the first-line tablet only for some weeks: is that long enough?",
    ]


def _ask_intolerance(part: Intolerance, section: str) -> list[str]:
    what = _drugs(part)
    return [
        f"Side effects such as nausea, vomiting or diarrhea from {what}: does that count?",
        f"Could not stand {what} because of stomach upset and stopped it.",
    ]


def _ask_taking(part: Taking, section: str) -> list[str]:
    what = _drugs(part)
    if section != "exclusions":
        return [f"Does the patient have to be taking {what} as well?"]
    return [
        f"Can it be combined with, or taken together with, {what}?",
        f"Already on {what}: will they pay for both at the same time? Two overlapping shots or tablets.",
    ]


def _ask_change(part: Change, section: str) -> list[str]:
    what = _test(part.test)
    return [
        f"How much must {what} improve to keep getting the drug?",
        f"What progress or response do they want to see for renewal? How much {what} lost or gained?",
        f"Is so small a drop in {what} enough to go on? It went from one value to another: is that a response?",
        f"How much lost or gained so far in {what}, for the plan to extend or approve again?",
    ]


_ASK: dict[type, Callable[[Any, str], list[str]]] = {
    Age: lambda part, section: ["How old must the patient be? What is the youngest or minimum age?",
                                "Can a teenager, minor or child get it?"],
    Condition: _ask_condition,
    Lab: _ask_lab,
    Measured: lambda part, section: [
        f"When must {' and '.join(_test(test) for test in part.tests)} last have been measured? How recent, how fresh?"
    ],
    Trial: _ask_trial,
    Intolerance: _ask_intolerance,
    AllergyTo: lambda part, section: [f"Allergic or hypersensitive to {_drugs(part)}, gets hives or a rash."],
    Taking: _ask_taking,
    OnDrug: lambda part, section: ["How long must the patient have been on the full dose before renewal?"],
    Programme: lambda part, section: [
        "Must diet, exercise, nutrition counseling or coaching be tried first, and for how many months?",
        "How long in a lifestyle program with a dietitian or in classes?",
    ],
    Attested: lambda part, section: [f"Is it required that the patient {_TOPICS.get(part.topic, part.statement)}?"],
    Specialist: lambda part, section: [
        f"Who may prescribe it: the family doctor, or only a specialist such as {_people(part.specialties)}?",
        f"Does {_people(part.specialties)} need to be involved or consulted?",
    ],
    Change: _ask_change,
    Use: lambda part, section: [
        "Can I get it purely for obesity, only to lose weight, to slim down, shed pounds or get thinner?"
        if "weight" in part.uses
        else f"Will they pay for {part.label}?"
    ],
    Required: lambda part, section: [
        f"Which paper must be attached or sent: {_DOCUMENTS[part.of]}?" + (f" {_test(part.test)}" if part.test else ""),
        f"What do we enclose with the request, how old may it be: {_DOCUMENTS[part.of]}",
    ],
}  # fmt: skip
