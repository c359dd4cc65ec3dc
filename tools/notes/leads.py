"""Where a note could show a criterion that is open: leads, which count for nothing until a person confirms them.

Only what the chart lacks is looked for, and a note is read only if it names it: most charts have nothing to look
for, and pay nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tools.domain.records import (
    Attestation,
    Determination,
    Diagnosis,
    Finding,
    Lead,
    Medication,
    Note,
    Observation,
    Patient,
    Plan,
    Program,
    Proposal,
    Record,
    TrialOutcome,
)
from tools.domain.rules import (
    Attested,
    Change,
    Condition,
    Intolerance,
    Lab,
    Measured,
    Node,
    OnDrug,
    Period,
    Programme,
    Rule,
    Specialist,
    Taking,
    Trial,
)
from tools.evidence.context import DECIDED
from tools.evidence.courses import matches, response_of
from tools.messages.grammar import amount
from tools.terminology.conditions import CONCEPTS, conditions
from tools.terminology.effects import INTOLERANCES
from tools.terminology.matcher import telling_words
from tools.terminology.medicines import class_of, ingredients_of, medicines_of, terminology
from tools.terminology.observations import TESTS, tests, units
from tools.terminology.terms import TOPICS

if TYPE_CHECKING:
    from tools.notes.facts import NoteFact

_WORD = re.compile(r"[^a-z0-9]+")

_OUTCOMES: dict[str, TrialOutcome] = {
    "inadequate": "Inadequate response",
    "partial": "Partial response",
    "effective": "Effective",
    "intolerance": "Intolerance - other",
}
# What a diagnosis is coded with if nobody says it closer.
_CODES = {
    "t2dm": "E11.9", "prediabetes": "R73.03", "obesity": "E66.9", "overweight": "E66.3", "hypertension": "I10",
    "dyslipidemia": "E78.5", "osa": "G47.33", "ascvd": "I25.10", "mi": "I25.2", "hf": "I50.9", "ckd": "N18.9",
    "nash": "K75.81", "pad": "I73.9", "stroke": "Z86.73",
}  # fmt: skip
# Which diagnoses, beside the one that is asked for, show it too.
_SHOW_IT_TOO = {"ascvd": ("mi", "stroke", "pad")}


class CandidateRecord(NamedTuple):
    """A fact that could show a leaf: what confirming it would enter, in words, and what the note leaves open."""

    part: str
    record: Record
    said: str
    needs: tuple[str, ...] = ()


class Open(NamedTuple):
    """A leaf that is not met for want of evidence, and the words one of which a note must hold to be read for it."""

    leaf: Node
    finding: Finding
    cues: frozenset[str]


def leads(patient: Patient, plan: Plan, determination: Determination) -> tuple[Lead, ...]:
    """The leads of a determination, in the order of its criteria; of the same thing in several notes, the newest.
    What a person has confirmed or rejected is not offered again."""
    if not patient.notes or not determination.rule_id:
        return ()
    wanted = [item for item in _open(patient, plan, determination) if item.cues]
    if not wanted:
        return ()
    as_of = determination.as_of
    found: dict[tuple[object, ...], Lead] = {}
    notes = sorted(patient.notes, key=lambda note: note.date or date.min, reverse=True)
    for note in (note for note in notes if note.date is None or note.date <= as_of):
        folded = note.text.casefold()
        words = frozenset(_WORD.split(folded))
        asking = [
            item for item in wanted if any(cue in (words if len(cue) < 4 else folded) for cue in item.cues)
        ]
        if asking:
            _read_for(asking, note, patient, as_of, determination, found)
    order = {item.finding.criterion: place for place, item in enumerate(wanted)}
    decided = {
        item.topic
        for item in patient.attestations
        if item.topic.startswith(DECIDED) and _holds(item, patient)
    }
    open_leads = [lead for lead in found.values() if DECIDED + lead.id not in decided]
    return tuple(sorted(open_leads, key=lambda lead: (order[lead.criteria[0]], lead.document, lead.start)))


def _holds(decision: Attestation, patient: Patient) -> bool:
    """A confirmation holds while what it entered stands in the chart."""
    if not decision.present:
        return True
    record_id = decision.text.partition(":")[0]
    lists = (
        patient.medications,
        patient.observations,
        patient.conditions,
        patient.attestations,
        patient.programs,
    )
    return any(record.id == record_id for records in lists for record in records or ())


def _read_for(
    asking: Iterable[Open],
    note: Note,
    patient: Patient,
    as_of: date,
    determination: Determination,
    found: dict[tuple[object, ...], Lead],
) -> None:
    from tools.notes.reader import read_note

    facts = [fact for fact in read_note(note) if fact.counts]
    for item in asking:
        for fact in facts:
            shown = _shown(item, fact, note, patient, as_of, determination)
            if shown is not None:
                _keep(found, item, fact, note, shown)


def _keep(
    found: dict[tuple[object, ...], Lead], item: Open, fact: NoteFact, note: Note, shown: CandidateRecord
) -> None:
    record = {
        name: value
        for name, value in msgspec.json.decode(msgspec.json.encode(shown.record)).items()
        if name != "id"
    }
    same = {name: value for name, value in record.items() if name not in ("reason", "text", "date", "by")}
    if shown.part == "observations":
        same["date"] = record.get("date")
    key = (shown.part, msgspec.json.encode(same, order="sorted"))
    criterion = item.finding.criterion
    known = found.get(key)
    if known is not None:
        if criterion not in known.criteria:
            found[key] = msgspec.structs.replace(known, criteria=(*known.criteria, criterion))
        return
    start, end = _passage(note, fact)
    found[key] = Lead(
        id=lead_id(note.id, fact.start, fact.end, shown.part, fact.kind, fact.of), criteria=(criterion,),
        quote=note.text[start:end], document=note.id, date=note.date, start=start, end=end,
        proposes=Proposal(part=shown.part, record=record), needs=shown.needs,
        says=_says(note, note.text[start:end], shown),
    )  # fmt: skip


def lead_id(*parts: object) -> str:
    """L and five letters or digits, which stay as long as the note says it there."""
    return "L" + hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:5]


def _words(note: Note, fact: NoteFact) -> str:
    """The sentence that says it, on one line."""
    start, end = _passage(note, fact)
    return " ".join(note.text[start:end].split())


def _passage(note: Note, fact: NoteFact) -> tuple[int, int]:
    from tools.notes.reader import passage_of

    return passage_of(note, fact.start, fact.end)


def _says(note: Note, words: str, shown: CandidateRecord) -> str:
    when = f"of {note.date:%b} {note.date.day}, {note.date.year}" if note.date else note.id
    quote = " ".join(words.split())
    still = f" (say {' and '.join(shown.needs)})" if shown.needs else ""
    return f"the note {when} says “{quote}”: confirm it{still} to enter {shown.said}"


# --- what is open -----------------------------------------------------------------------------------------


def _open(patient: Patient, plan: Plan, determination: Determination) -> Iterator[Open]:
    rule = _rule_of(plan, determination)
    if rule is None:
        return
    tree = rule.criteria_of(determination.request.kind, len(determination.request.approvals))
    nodes = (*tree.children, *rule.exclusions)
    for node, finding in zip(nodes, determination.findings, strict=False):
        yield from _open_leaves(node, finding, patient, determination)


def _rule_of(plan: Plan, determination: Determination) -> Rule | None:
    """The rule by which it was decided; of several versions the one whose criteria are those of the findings."""
    benefit = plan.benefits.get(determination.drug)
    names = [finding.criterion for finding in determination.findings]
    for rule in benefit.rules if benefit else ():
        for tree in (rule.criteria, *rule.renewals):
            ids = [node.id for node in (*tree.children, *rule.exclusions)]
            if rule.id == determination.rule_id and names[: len(ids)] == ids:
                return rule
    return None


def _open_leaves(
    node: Node, finding: Finding, patient: Patient, determination: Determination
) -> Iterator[Open]:
    if finding.status == "met" or node.id != finding.criterion:
        return
    if finding.parts:
        for child, part in zip(getattr(node, "children", ()), finding.parts, strict=False):
            yield from _open_leaves(child, part, patient, determination)
        return
    cues = _cues(node, finding, patient, determination)
    if cues:
        yield Open(node, finding, cues)


def _cues(leaf: Node, finding: Finding, patient: Patient, determination: Determination) -> frozenset[str]:
    """Words of which a note must hold one; none if nothing that a note says could help."""
    unknown = finding.status == "unknown"
    match leaf:
        case Trial() | Intolerance():
            return (
                _drug_cues(leaf.drugs, leaf.classes) if _wants_course(leaf, finding, patient) else frozenset()
            )
        case Taking():
            return (
                frozenset()
                if unknown and patient.medications is None
                else _drug_cues(leaf.drugs, leaf.classes)
            )
        case OnDrug():
            return _drug_cues((*determination.request.ingredients, determination.drug.casefold()), ())
        case Lab() | Change():
            return _test_cues(leaf.test)
        case Measured():
            return frozenset(cue for test in leaf.tests for cue in _test_cues(test))
        case Condition():
            if not unknown and not _is_silent(finding):
                return frozenset()
            keys = _concepts(leaf)
            keys += [
                key for key, row in conditions().items() if {*row.may_be, *row.implies}.intersection(keys)
            ]
            shows = [f"test:{key}" for key, row in tests().items() if row.evidence_of in keys]
            return _beginnings(*(f"condition:{key}" for key in keys), *shows)
        case Attested():
            return _TOPIC_CUES.get(leaf.topic, frozenset()) if unknown else frozenset()
        case Specialist():
            return frozenset(name[:8] for name in leaf.specialties)
        case Programme():
            return _PROGRAMME_CUES if unknown else frozenset()
        case _:
            return frozenset()


_TOPIC_CUES = {
    "adherent": frozenset(("adher", "complian", "dose", "skip", "miss")),
    "tolerating": frozenset(("toler", "side effect", "difficult", "w/o", "without")),
    "diet_exercise": frozenset(("diet", "kcal", "calor", "carb", "eat")),
    "pap_tried": frozenset(("cpap", "bipap", "pap ")),
    "low_alcohol": frozenset(("alcohol", "etoh", "drink")),
    "specialist_consult": frozenset(
        ("endocrin", "cardiol", "bariatric", "hepatol", "nephrol", "sleep med", "obesity med")
    ),
}
_PROGRAMME_CUES = frozenset(
    ("program", "class", "course", "group", "session", "watchers", "noom", "jenny", "optavia", "ww", "dpp")
)


def _test_cues(test: str) -> frozenset[str]:
    """The beginnings of a test's names, and its units where they alone can name it ("212 lb")."""
    vital = (
        {name for unit in TESTS[test].units for name in units()[unit.casefold()].names}
        if test == "weight"
        else ()
    )
    pair = ("test:blood_pressure",) if test in ("sbp", "dbp") else ()
    stages = ("f0", "f1", "f2", "f3", "f4") if test == "fibrosis_stage" else ()
    return frozenset((*_beginnings(f"test:{test}", *pair), *vital, *stages))


def _drug_cues(drugs: Iterable[str], classes: Iterable[str]) -> frozenset[str]:
    """The beginnings of every name under which a note may speak of them."""
    of_class = tuple(classes)
    names = {one for drug in drugs for one in (drug.casefold(), *ingredients_of(drug))}
    names |= {row.name for row in medicines_of(of_class)}
    rows = [row for row in terminology().rows() if row.name in names or names.intersection(row.ingredients)]
    named = [f"medicine:{row.name.casefold()}" for row in rows]
    return frozenset((*_beginnings(*named, *(f"class:{key}" for key in of_class)), *names))


def _beginnings(*named: str) -> frozenset[str]:
    """Where words of these concepts' names begin: a slip of the pen is rarely in the first letters."""
    every = telling_words()
    return frozenset(word[:4] if len(word) > 5 else word for one in named for word in every.get(one, ()))


def _concepts(leaf: Condition) -> list[str]:
    """Which of the known diagnoses the leaf is about."""
    found = [
        key
        for key, concept in CONCEPTS.items()
        if leaf.label == concept.label
        or (leaf.topic and leaf.topic == concept.topic)
        or set(leaf.phrases) & set(concept.phrases)
    ]
    return [*found, *(more for key in found for more in _SHOW_IT_TOO.get(key, ()) if more not in found)]


def _is_silent(finding: Finding) -> bool:
    """Not met only because the list does not hold it."""
    return not finding.exclusion and [item.record_id for item in finding.evidence] == ["conditions"]


def _wants_course(leaf: Trial | Intolerance, finding: Finding, patient: Patient) -> bool:
    """The chart has no course of it, or one of which it does not say how it went."""
    if finding.status == "unknown":
        return True
    charted = [
        item for item in patient.medications or () if matches(item, leaf.drugs, leaf.classes, item.drug)
    ]
    return all(item.outcome is None for item in charted)


# --- what a fact would show -------------------------------------------------------------------------------


def _shown(
    item: Open, fact: NoteFact, note: Note, patient: Patient, as_of: date, determination: Determination
) -> CandidateRecord | None:
    leaf = item.leaf
    match leaf:
        case Trial() | Intolerance():
            return _course(leaf, fact, note, patient)
        case Taking() | OnDrug():
            return _taking(leaf, fact, patient, determination)
        case Lab() | Change():
            return _value(
                leaf.test, leaf.within, item.finding, fact, patient, as_of,
                at_start=getattr(leaf, "at", "current") == "baseline",
                newest=not isinstance(leaf, Lab) or leaf.of_newest,
            )  # fmt: skip
        case Measured():
            tests = [test for test in leaf.tests if test == fact.of]
            return _value(tests[0], leaf.within, item.finding, fact, patient, as_of) if tests else None
        case Condition():
            return _diagnosis(leaf, item.finding, fact, note, patient)
        case Attested():
            return _statement(leaf, fact, note, as_of, determination)
        case Specialist():
            named = [name for name in leaf.specialties if fact.detail[:8] == name[:8]]
            if fact.of != "specialist_consult" or not fact.present or not named:
                return None
            return _attestation("specialist_consult", True, ("self",), fact, note, named[0])
        case Programme():
            return _programme(fact)
        case _:
            return None


def _mine(fact: NoteFact) -> bool:
    return "self" in fact.subjects


def _names(fact: NoteFact) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ingredients and classes of the drug that the fact is about."""
    parts = tuple(part.replace("_", " ") for part in fact.of.split("+"))
    if len(parts) == 1 and not ingredients_of(parts[0]):
        return (), parts
    return parts, tuple(dict.fromkeys(kind for part in parts if (kind := class_of(part))))


def _drug_name(fact: NoteFact) -> str:
    """The drug as a chart calls it: the note's own name for it, or its ingredient where that is an abbreviation."""
    name = _FORM.sub("", fact.drug)
    row = terminology().row(name)
    return name if row and row.name.casefold() == name.casefold() else fact.of.replace("_", " ")


_FORM = re.compile(r"\s+(?:ER|XR|IR)$")


def _speaks_of(fact: NoteFact, drugs: tuple[str, ...], classes: tuple[str, ...]) -> bool:
    ingredients, of_classes = _names(fact)
    return bool(
        set(ingredients) & set(drugs) or set(of_classes) & set(classes) or fact.drug.casefold() in drugs
    )


def _course(
    leaf: Trial | Intolerance, fact: NoteFact, note: Note, patient: Patient
) -> CandidateRecord | None:
    """A course with the outcome that the note tells, on the dates and dose of the chart's own entry if there is just
    one whose outcome is not known."""
    outcome = _outcome(fact)
    if not (_mine(fact) and fact.present and _speaks_of(fact, leaf.drugs, leaf.classes)):
        return None
    if isinstance(leaf, Intolerance) and fact.kind != "intolerance":
        return None
    if isinstance(leaf, Trial):
        if leaf.responses and (outcome is None or response_of(outcome) not in leaf.responses):
            return None
        if not leaf.responses and fact.kind not in ("tried", "stopped", *_OUTCOMES):
            return None
    ingredients, classes = _names(fact)
    if not ingredients:  # of a whole class: nobody can enter which drug it was
        return None
    charted = [entry for entry in patient.medications or () if set(entry.ingredients) & set(ingredients)]
    if any(entry.outcome is not None and outcome is not None for entry in charted):
        return None
    form = _formulation(fact)
    blank = [entry for entry in charted if form is None or entry.formulation in (None, form)]
    base = blank[0] if len(blank) == 1 else None
    ended = fact.date if fact.kind != "effective" else None
    record = Medication(
        id="", drug=base.drug if base else _drug_name(fact), ingredients=base.ingredients if base else ingredients,
        classes=base.classes if base else classes, dose=base.dose if base else None,
        dose_unit=base.dose_unit if base else None, per_day=base.per_day if base else None,
        formulation=(base.formulation if base else None) or form, start=(base.start if base else None) or fact.began,
        end=(base.end if base else None) or ended,
        status="stopped" if fact.kind in ("intolerance", "stopped") else (base.status if base else None),
        outcome=outcome, reason=_words(note, fact),
    )  # fmt: skip
    needs = []
    if isinstance(leaf, Trial) and leaf.min_days:
        needs = [
            option
            for option, day in (("--start", record.start), ("--end", record.end))
            if day is None and record.status != "active"
        ]
    said = f"{record.drug}: {outcome}" if outcome else f"a course of {record.drug}"
    return CandidateRecord("medications", record, said, tuple(needs))


def _outcome(fact: NoteFact) -> TrialOutcome | None:
    if fact.kind == "intolerance":
        return INTOLERANCES.get(fact.detail, "Intolerance - other")
    return _OUTCOMES.get(fact.kind)


def _formulation(fact: NoteFact) -> Any:
    word = fact.drug.split(" ")[-1]
    return {"ER": "ER", "XR": "ER", "IR": "IR"}.get(word)


def _taking(
    leaf: Taking | OnDrug, fact: NoteFact, patient: Patient, determination: Determination
) -> CandidateRecord | None:
    if not (_mine(fact) and fact.present and fact.kind in ("taking", "effective")):
        return None
    drugs, classes = (
        (leaf.drugs, leaf.classes) if isinstance(leaf, Taking) else ((determination.drug.casefold(),), ())
    )
    if isinstance(leaf, OnDrug) and fact.drug.casefold() != determination.drug.casefold():
        return None
    if not _speaks_of(fact, drugs, classes):
        return None
    ingredients, of_classes = _names(fact)
    if not ingredients or any(
        set(entry.ingredients) & set(ingredients) and entry.status == "active"
        for entry in patient.medications or ()
    ):
        return None
    record = Medication(
        id="", drug=_drug_name(fact), ingredients=ingredients, classes=of_classes,
        start=fact.began, status="active",
    )  # fmt: skip
    lasts = leaf.min_days if isinstance(leaf, Taking) else leaf.min_months
    return CandidateRecord(
        "medications", record, f"{record.drug} as taken now", ("--start",) if lasts and not fact.began else ()
    )


def _value(
    test: str,
    within: Period | None,
    finding: Finding,
    fact: NoteFact,
    patient: Patient,
    as_of: date,
    *,
    at_start: bool = False,
    newest: bool = True,
) -> CandidateRecord | None:
    """A value that the chart does not hold, in its window; where the newest decides, only a newer one is a lead to
    one that fails."""
    if fact.kind != "value" or fact.of != test or fact.value is None or fact.subjects != ("self",):
        return None
    if (
        fact.date is not None
        and not (date.min if at_start or within is None else within.before(as_of)) <= fact.date <= as_of
    ):
        return None
    held = [item for item in patient.observations if item.test == test]
    if any(
        item.value == fact.value and (fact.date is None or item.date in (None, fact.date)) and item.unit
        for item in held
    ):
        return None
    last = max((item.date for item in held if item.date and item.unit), default=None)
    if newest and finding.status == "not_met" and (fact.date is None or last is None or fact.date <= last):
        return None
    known = TESTS[test]
    unit = fact.unit or ("" if test in ("weight", "height", "creatinine", "uacr") else known.unit)
    needs = [option for option, missing in (("--date", fact.date is None), ("--unit", not unit)) if missing]
    record = Observation(id="", test=test, value=fact.value, unit=unit or None, date=fact.date)
    shown = (
        f"{known.name} {amount(fact.value, test)}"
        if unit == known.unit
        else f"{known.name} {fact.value:g} {unit}".strip()
    )
    return CandidateRecord(
        "observations", record, f"{shown} of {fact.date}" if fact.date else shown, tuple(needs)
    )


def _diagnosis(
    leaf: Condition, finding: Finding, fact: NoteFact, note: Note, patient: Patient
) -> CandidateRecord | None:
    concepts = _concepts(leaf)
    if fact.kind != "diagnosis" or fact.of not in concepts:
        return None
    if finding.exclusion or not fact.present:
        if finding.status != "unknown" or leaf.topic not in TOPICS:
            return None
        subjects = tuple(who for who in fact.subjects if who in leaf.who)
        said = {who for item in patient.attestations if item.topic == leaf.topic for who in item.subjects}
        if not subjects or set(subjects) <= said:
            return None
        return _attestation(leaf.topic, fact.present, subjects, fact, note)
    if not _mine(fact) or (fact.status == "history" and leaf.status == "active"):
        return None
    code = _CODES.get(fact.of, "")
    if leaf.codes and not code.startswith(leaf.codes):
        code = ""
    label = CONCEPTS[fact.of].label
    record = Diagnosis(id="", code=code, name=label)
    return CandidateRecord(
        "conditions", record, f"{label} ({code})" if code else label, () if code else ("--code",)
    )


def _statement(
    leaf: Attested, fact: NoteFact, note: Note, as_of: date, determination: Determination
) -> CandidateRecord | None:
    if leaf.within is not None and (note.date is None or note.date < leaf.within.before(as_of)):
        return None
    if leaf.topic == "tolerating":
        about = _speaks_of(fact, determination.request.ingredients, ())
        said = (fact.kind == "intolerance" and not fact.present) or fact.kind == "effective"
        return (
            _attestation("tolerating", True, ("self",), fact, note)
            if about and said and _mine(fact)
            else None
        )
    concept = CONCEPTS.get(fact.of)
    is_it = (fact.kind == "statement" and fact.of == leaf.topic) or (
        fact.kind == "diagnosis" and concept is not None and concept.topic == leaf.topic
    )
    if not is_it or not _mine(fact) or leaf.topic not in TOPICS:
        return None
    return _attestation(leaf.topic, fact.present, ("self",), fact, note)


def _attestation(
    topic: str, present: bool, subjects: tuple[Any, ...], fact: NoteFact, note: Note, specialty: str = ""
) -> CandidateRecord:
    record = Attestation(
        id="", topic=topic, present=present, subjects=subjects, date=note.date, text=_words(note, fact),
        specialty=specialty,
    )  # fmt: skip
    whose = " and ".join("the family" if who == "family" else "the patient" for who in subjects)
    said = f"{'yes' if present else 'no'} to “{TOPICS[topic]}” for {whose}"
    return CandidateRecord("attestations", record, said, () if note.date else ("--date",))


def _programme(fact: NoteFact) -> CandidateRecord | None:
    if fact.kind != "programme" or not (_mine(fact) and fact.present):
        return None
    needs = [
        option
        for option, missing in (
            ("--start", not fact.began),
            ("--end", fact.status == "done" and not fact.date),
        )
        if missing
    ]
    record = Program(id="", name=" ".join(fact.quote.split()), start=fact.began, end=fact.date)
    return CandidateRecord("programs", record, f"the program {record.name}", tuple(needs))
