"""The record around a planted person: studies, statements, lists, insurance, the order and its papers."""

from __future__ import annotations

import msgspec

from data_gen.history import ankle_index, echocardiogram, liver_study, sleep_study
from data_gen.scene import MONTH, Step
from data_gen.setting import bare, starting_order
from data_gen.sketch import counts, stand_in
from data_gen.vocabulary import VOCABULARY
from data_gen.wanted import Infeasible, days_of
from tools.domain.records import (
    Allergy,
    Attestation,
    Authorization,
    Diagnosis,
    Document,
    FamilyHistory,
)
from tools.domain.rules import Condition
from tools.terminology.medicines import medicine


class RecordStep(Step):
    """Replaces what chance put into the record where the case says otherwise."""

    def run(self, courses: int) -> None:
        """`courses` of the person's are the case's own; those after them are background."""
        for specialist, shown in self.sketch.specialists:
            self._doctor(specialist.specialties, shown)
        self.person.observations += self.scene.more
        self._background(courses)
        self._studies()
        self._diagnoses()
        self._statements()
        self._lists()
        self._insurance()
        self._order()
        self._papers()

    def _background(self, already: int) -> None:
        """Drop background medicines that the case must not have."""
        person = self.person
        unwanted = [*self.sketch.failed, *self.sketch.not_taking, *self.sketch.unclear]
        kept = person.courses[:already]
        for course in person.courses[already:]:
            name = self.setting.pharmacy.lines[course.drug].name
            if not any(counts(leaf, name) for leaf in unwanted):
                kept.append(course)
        person.courses = kept

    def _studies(self) -> None:
        """Studies at the dates that the windows ask for."""
        person, sketch, setting = self.person, self.sketch, self.setting
        involved = {test for test, _ in sketch.bounds} | sketch.absent | set(sketch.beyond)
        for test, title in (
            ("ahi", "Polysomnography"),
            ("fibrosis_stage", "Transient"),
            ("lvef", "Transthoracic"),
        ):
            if test in involved:
                person.observations = [text for text in person.observations if f'"{test}"' not in text]
                person.procedures = [text for text in person.procedures if f'"name":"{title}' not in text]
        if "ahi" in involved and "ahi" not in sketch.absent:
            if ("ahi", "start") in sketch.bounds:
                sleep_study(person, setting, self.scene.since + 20, sketch.bounds["ahi", "start"][0])
            sleep_study(person, setting, self._study_age("ahi"), person.ahi)
        if "fibrosis_stage" in involved and "fibrosis_stage" not in sketch.absent:
            liver_study(person, setting, self._study_age("fibrosis_stage"), person.fibrosis)
        if "lvef" in involved and person.lvef and "lvef" not in sketch.absent:
            echocardiogram(person, setting, self._study_age("lvef"))
        if ("abi", "now") in sketch.bounds:
            ankle_index(person, setting, self._study_age("abi"), self.scene.settle("abi", 78))

    def _study_age(self, test: str) -> int:
        sketch = self.sketch
        newest = sketch.beyond[test] + 1 + self.turn % 50 if test in sketch.beyond else 10 + self.turn % 40
        if self.case.renewing:
            newest = min(newest, self.scene.since - 20)
        return min(newest, sketch.within.get(test, newest))

    def _diagnoses(self) -> None:
        person, sketch = self.person, self.sketch
        for concept, is_so in sketch.has.items():
            if is_so and concept in VOCABULARY.rare and concept != "dialysis":
                code, name = VOCABULARY.rare[concept]
                if concept == "ketoacidosis" and not person.t2dm:
                    code, name = "E13.10", "Other specified diabetes mellitus with ketoacidosis without coma"
                self._diagnose(code, name, 60 + self.turn % 300 if concept == "pregnancy" else 700)
        for leaf in sketch.others:
            if not leaf.codes:
                raise Infeasible(leaf.id)
            self._diagnose(leaf.codes[0], leaf.label, 400)

    def _diagnose(self, code: str, name: str, ago: int) -> None:
        entry = Diagnosis(id="", code=code, name=name, onset=self.scene.date(ago if code != "Z33.1" else 60))
        self.person.conditions.append(bare(entry))

    def _statements(self) -> None:
        person, sketch = self.person, self.sketch
        by = self.setting.pools.doctors[person.doctor].name
        person.attestations = []
        person.family = [text for text in person.family if "thyroid" not in text]
        for topic, (present, who) in sketch.says.items():
            if topic == "pregnancy" and not person.female:
                continue
            subjects = tuple(
                subject for subject in who if not (self._of_relative(topic) and subject == "family")
            )
            known = VOCABULARY.statements.stated if present else VOCABULARY.statements.denied
            text = known.get(topic, f"{'Yes' if present else 'No'}: {topic.replace('_', ' ')}.")
            person.attestations.append(
                bare(
                    Attestation(
                        id="",
                        topic=topic,
                        present=present,
                        subjects=subjects,  # type: ignore[arg-type]
                        date=self.scene.date(person.visits[0]),
                        by=by,
                        text=text,
                    )
                )
            )
        if sketch.relative is not None:
            self._family_case(sketch.relative)
        if sketch.unsure is not None and "family" in sketch.unsure.who and self.turn % 2:
            aunt = FamilyHistory(id="", relation="aunt", condition="thyroid cancer, type unknown")
            person.family.append(bare(aunt))

    def _of_relative(self, topic: str) -> bool:
        return self.sketch.relative is not None and self.sketch.relative.topic == topic

    def _family_case(self, leaf: Condition) -> None:
        condition = "medullary thyroid carcinoma" if leaf.topic == "mtc_men2" else leaf.label
        relation = ("mother", "father", "sister", "brother")[self.turn % 4]
        self.person.family.append(bare(FamilyHistory(id="", relation=relation, condition=condition)))

    def _lists(self) -> None:
        person, sketch = self.person, self.sketch
        if not sketch.intolerant:
            person.allergies = [text for text in person.allergies if '"metformin"' not in text]
        for leaf in sketch.allergic:
            name = self.case.drug.name if leaf.requested else stand_in(leaf)
            known = medicine(name, self.setting.drugs.values())
            entry = Allergy(
                id="", substance=name, ingredients=known.ingredients, classes=known.classes, reaction="hives"
            )
            person.allergies.append(bare(entry))
        for programme, shown in sketch.programmes:
            months = -(-(days_of(programme.min_duration) or 0) // 31)
            if shown is None:
                person.program = None
            elif shown:
                known_length = person.program[0] - (person.program[1] or 0) if person.program else 0
                length = max((months + 1) * MONTH + self.turn % 50, known_length)
                # on a renewal it still goes on or ended lately; otherwise as the window allows
                person.program = (length + 12, 12) if self.turn % 2 else (length, None)
            else:
                person.program = ((months - 1) * 30, None)

    def _doctor(self, specialties: tuple[str, ...], shown: bool) -> None:
        doctors = self.setting.pools.doctors
        fitting = [
            place
            for place, doctor in enumerate(doctors)
            if (doctor.specialty in specialties) is shown
            and (shown or doctor.specialty in ("family medicine", "internal medicine"))
        ]
        if not fitting:
            raise Infeasible("specialist")
        self.person.doctor = fitting[(self.person.index + self.turn) % len(fitting)]

    def _insurance(self) -> None:
        person, case = self.person, self.case
        others = [item.plan_id for item in self.setting.insurers if item.plan_id != case.plan_id]
        began = max(person.coverages[-1][1], self.scene.since + 60)
        end = person.coverages[-1][2]
        person.plan = case.plan_id
        if case.former:
            ended = 20 + self.turn % 100
            if not others:
                raise Infeasible("one plan only")
            now = others[(person.index + self.turn) % len(others)]
            person.coverages = [(case.plan_id, began + ended + 300, ended), (now, ended - 1, end)]
            person.authorizations.append(self._authorization(ended + 200, -121))
        elif others and (person.index + self.turn) % 4 == 0:
            former = others[(person.index + self.turn) % len(others)]
            person.coverages = [(former, began + 500, began + 1), (case.plan_id, began, end)]
        else:
            person.coverages = [(case.plan_id, began, end)]

    def _authorization(self, start: int, end: int) -> str:
        case = self.case
        return bare(
            Authorization(
                id="",
                plan_id=case.plan_id,
                drug=case.drug.name,
                indication=case.use,
                start=self.scene.date(start),
                end=self.scene.date(end),
            )
        )

    def _order(self) -> None:
        person, case = self.person, self.case
        order = starting_order(case.drug, self.scene.strength if case.renewing else None, case.use)
        if case.twice:
            order = msgspec.structs.replace(order, quantity=(order.quantity or 0) * 2)
        order = msgspec.structs.replace(
            order,
            date=self.scene.date(person.visits[0]),
            indication=case.use,
            kind="renewal" if case.renewing else "new",
        )
        if case.renewing:
            person.authorizations.append(self._authorization(self.scene.since + 6, -14))
        person.orders, person.asked = [bare(order)], case.drug.name

    def _papers(self) -> None:
        """The attachments that a rule asks for and no record fulfils by itself."""
        rule = self.case.rule
        if rule is None or self.case.papers_missing:
            return
        titles = {
            "study": "Study report",
            "programme": "Program participation record",
            "medication": "Medication record",
            "fills": "Pharmacy claims printout",
        }
        for paper in rule.documents:
            if paper.of == "fills" and paper.within is None and not self.case.renewing:
                continue  # the fills are there
            if paper.of in titles:
                document = Document(
                    id="",
                    title=titles[paper.of],
                    of=paper.of,
                    about=paper.test,
                    date=self.scene.date(self.person.visits[0]),
                )
                self.person.documents.append(bare(document))
