"""What is said of drugs: who takes what, how much, since when, and how it went; one course must bear out all of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from agent.claims import stance
from agent.claims.dates import Day
from agent.claims.drugs import Drug
from agent.claims.index import Course, amount_key, same
from agent.claims.numbers import Number
from agent.claims.sentence import Kind, Sentence, spoken
from tools.terminology.medicines import CLASSES

GOES_ON = re.compile(r"\W*(?:(?:so|and|then)\s+)?(?:it|this|which)\b", re.IGNORECASE)
DOSED = frozenset(("mg", "mcg", "g", "units"))
IN_GRAMS = {"mcg": 1e-6, "mg": 1e-3, "g": 1.0, "units": 1.0}
STARTS = re.compile(
    r"\b(?:since|from|started|starting|began|begun|start(?:ed)?\s+on|initiated|on\s+board\s+since)\b[\s:,]*(?:on"
    r"|in|about|around)?\s*$",
    re.IGNORECASE,
)
ENDS = re.compile(
    r"\b(?:until|till|through|thru|to|ended|stopped|discontinued|off|dropped|end(?:ed)?\s+on)\b[\s:,]*(?:on"
    r"|in|about|around)?\s*$|[-]\s*$",
    re.IGNORECASE,
)
LATER = re.compile(r"\b(?:stopped|ended|dropped|discontinued|off)\b[^.;]*$", re.IGNORECASE)
EARLIER = re.compile(r"\b(?:since|started|began|begun|initiated|from|start)\b[^.;]*$", re.IGNORECASE)
ANSWERS = {
    "failed": ("Inadequate", "Partial"),
    "partial": ("Partial",),
    "worked": ("Effective",),
    "intolerant": ("Intolerance",),
}
TAKES = frozenset(("ongoing", "taken", "stopped", "failed", "partial", "worked", "intolerant", "tolerated"))


class Element(NamedTuple):
    """One thing said of a course: whether it fits one, and what to say where it fits none."""

    kind: Kind
    start: int
    end: int
    fits: Callable[[Course], bool]
    shows: Callable[[Course], str]


class Courses:
    """The drugs of one sentence. Afterwards `numbers` and `days` are those that belonged to them."""

    def __init__(self, s: Sentence) -> None:
        self.s, self.index = s, s.index
        self.numbers: set[Number] = set()
        self.days: set[Day] = set()

    def check(self) -> None:
        mentions = self._mentions()
        for drug in mentions:
            self._drug(drug, mentions)
        self._classes()

    def _mentions(self) -> list[Drug]:
        s = self.s
        if s.drugs or s.before is None or not s.before.drugs:
            return s.drugs
        leans = re.match(r"\W*(?:it|this|that|the\s+drug)\b", s.low)
        last = s.before.drugs[-1]
        return [last._replace(start=0, end=0)] if leans and (s.said or s.days) and not s.cues else []

    def _drug(self, drug: Drug, mentions: list[Drug]) -> None:
        s, index = self.s, self.index
        part = s.around(drug.start)
        known = [
            *index.drug_facts.get(drug.name, []),
            *(f for i in drug.ingredients for f in index.drug_facts.get(i, [])),
        ]
        if not known:
            said = self._predicates(drug, mentions)
            denied = said and all(p.denied or p.what == "never" for p in said)
            if not denied and not self._in_policy(drug):
                s.wrong(
                    "drug", drug.start, drug.end, f"{drug.name} is not in the chart, the plan or the request"
                )
            return
        if drug.brand and not any(
            str(f.value).lower() == drug.name or drug.name in (a.lower() for a in f.aliases) for f in known
        ):
            charted = index.courses_of(drug.name, drug.ingredients, "", True)
            if not charted:
                s.wrong(
                    "drug", drug.start, drug.end, f"{drug.name} is not in the chart, the plan or the request"
                )
                return
        s.support(known[0].id)
        courses = index.courses_of(drug.name, drug.ingredients, drug.form, drug.brand)
        elements = self._elements(drug, mentions, courses)
        said = self._predicates(drug, mentions)
        if not courses and (elements or said):
            self._uncharted(drug, elements, said)
            return
        if part.policy and not part.patient and not any(e.kind == "dose" for e in elements) and not said:
            return
        self._bear_out(drug, courses, elements)
        meant = [c for c in courses if all(e.fits(c) for e in elements)] or courses
        for one in said:
            self._predicate(drug, meant, one)

    def _in_policy(self, drug: Drug) -> bool:
        part = self.s.around(drug.start)
        return (part.policy or part.general) and any(drug.name in quote for quote, _ in self.index.quotes)

    # --- what belongs to a mention ----------------------------------------------------------------------------

    def _reach(self, drug: Drug, mentions: list[Drug]) -> tuple[int, int]:
        """From this mention to the next one, or to the end of its part of the sentence."""
        later = [d.start for d in mentions if d.start > drug.start and not _same_drug(d, drug)]
        return drug.start, min([self._end(drug), *later])

    def _end(self, drug: Drug) -> int:
        """Where the part of the drug ends, with those after it that go on about "it"."""
        at = self.s.parts.index(self.s.around(drug.start))
        end = self.s.parts[at].span.end
        for part in self.s.parts[at + 1 :]:
            if not GOES_ON.match(part.text):
                break
            end = part.span.end
        return end

    def _elements(self, drug: Drug, mentions: list[Drug], courses: list[Course]) -> list[Element]:
        s = self.s
        start, end = self._reach(drug, mentions)
        first = next((d for d in mentions if s.around(d.start) is s.around(drug.start)), drug)
        low = s.around(drug.start).span.start if drug is first else start
        found: list[Element] = []
        for number in s.numbers:
            before = self._leads(number, drug, mentions)
            if (
                number.unit in DOSED
                and (start <= number.start < end or before)
                and not self._of_a_test(number)
            ):
                self.numbers.add(number)
                found.append(self._dose(drug, number, courses))
            elif (
                number.what == "duration"
                and low <= number.start < end
                and courses
                and self._lasted(number, drug)
            ):
                self.numbers.add(number)
                found.append(self._duration(number))
        if any(n.unit in DOSED and start <= n.start < end for n in s.numbers) or not self._asked(drug):
            for a, b, rate in s.frequencies:
                if start <= a < end and courses:
                    found.append(_frequency(a, b, rate))
        if courses and not self._other_owner(drug):
            for day in s.days:
                if low <= day.start < end and day not in self.days:
                    self.days.add(day)
                    found.append(self._day(day))
        return found

    def _leads(self, number: Number, drug: Drug, mentions: list[Drug]) -> bool:
        """ "500 mg of metformin", unless another drug has the dose."""
        if any(0 <= number.start - d.end < 14 for d in mentions):
            return False
        return (
            bool(re.fullmatch(r"\s*(?:of\s+)?(?:oral\s+|daily\s+)?", self.s.low[number.end : drug.start]))
            and number.end <= drug.start
        )

    def _of_a_test(self, number: Number) -> bool:
        return any(
            0 <= number.start - c.end < 12
            for c in self.s.cues
            if c.key in ("glucose", "random_glucose", "ldl", "hdl", "tg", "tc", "uacr")
        )

    def _lasted(self, number: Number, drug: Drug) -> bool:
        """A length of treatment, not a window, a supply, or how old something is."""
        s = self.s
        before, after = s.low[max(0, number.start - 26) : number.start], s.low[number.end : number.end + 12]
        if any(d.start <= number.start < d.end for d in s.days) or (
            self._asked(drug)
            and not self.index.courses_of(drug.name, drug.ingredients, drug.form, drug.brand)
        ):
            return False
        if re.search(
            r"(?:per|within|every|each|\bin|supply\s+(?:of|for))\s*(?:the\s+last\s+)?$", before
        ) or re.match(r"\s*(?:supply|ago|old|window|by\s+pharmacy)", after):
            return False
        part = s.around(number.start)
        granted = re.search(r"\b(?:authori[sz]|approv)\w*\b.*\bfor\s*$", s.low[: number.start])
        return not (part.policy and number.compare) and not part.general and not granted

    def _asked(self, drug: Drug) -> bool:
        return drug.name in self.index.asked or any(
            i in self.index.asked for i in drug.ingredients if not drug.brand
        )

    def _other_owner(self, drug: Drug) -> bool:
        """The days of this part belong to a value, a birth or a document, not to the drug."""
        part = self.s.around(drug.start)
        values = [
            n
            for n in self.s.numbers
            if n.unit in ("%", "kg/m2", "kg", "mL/min/1.73 m2") and part.span.start <= n.start < part.span.end
        ]
        words = (
            r"\b(?:born|dob|fills?|filled|refill\w*|note|visit|report|enrol\w*|diagnosed|letter|as\s+of"
            r"|effective|ordered|requested)\b"
        )
        about_a_test = any(
            c.key not in ("type", "stage", "class", "age", "tier", "copay")
            for c in self.s.cues
            if part.span.start <= c.start < part.span.end
        )
        return bool(values) or about_a_test or bool(re.search(words, part.text.lower()))

    def _dose(self, drug: Drug, number: Number, courses: list[Course]) -> Element:
        def fits(course: Course) -> bool:
            if course.dose is None:
                return False
            scale = IN_GRAMS.get(course.unit or "mg", 1.0)
            return abs(number.value * IN_GRAMS[number.unit] - course.dose * scale) < 1e-9 and (
                number.unit != "units"
            ) == (course.unit != "units")

        return Element(
            "dose",
            number.start,
            number.end,
            fits,
            lambda c: f"{c.drug} {c.dose:g} {c.unit}" if c.dose else f"no dose of {c.drug} in the chart",
        )

    def _duration(self, number: Number) -> Element:
        def fits(course: Course) -> bool:
            if course.days is None:
                return False
            length = {"days": 1.0, "weeks": 7.0, "months": 30.44, "years": 365.25, "hours": 1 / 24}[
                number.unit
            ]
            lasted = course.days / length
            if number.compare:
                near = abs(lasted - number.value) < 1e-9
                return {">": lasted > number.value, ">=": lasted >= number.value or near, "<": lasted < number.value,
                        "<=": lasted <= number.value or near}[number.compare]  # fmt: skip
            slack = 0.01 if length == 1 else 1.0 if number.unit != "years" else 0.75
            if number.about:
                slack = max(0.12 * lasted, slack, 3 if length == 1 else 0)
            if number.value == 1 and number.about:
                return 0.5 < lasted < 1.75
            return abs(lasted - number.value) < slack

        return Element(
            "number",
            number.start,
            number.end,
            fits,
            lambda c: (
                f"{c.drug} for {c.days} days"
                if c.days is not None
                else f"how long {c.drug} was taken is not known"
            ),
        )

    def _day(self, day: Day) -> Element:
        s = self.s
        before = s.low[max(0, day.start - 30) : day.start]
        earlier = [d for d in s.days if d.end <= day.start and day.start - d.end < 14]
        in_range = bool(earlier) and bool(
            re.fullmatch(
                r"\s*,?\s*(?:to|until|till|through|thru|and|-)\s*(?:the\s+)?",
                s.low[earlier[-1].end : day.start],
            )
        )
        later = next((d for d in s.days if d.start >= day.end), None)
        opens = later is not None and bool(
            re.fullmatch(
                r"\s*,?\s*(?:to|until|till|through|thru|and|-)\s*(?:the\s+)?", s.low[day.end : later.start]
            )
        )
        if in_range or (ENDS.search(before) and not opens):
            which = "end"
        elif opens or STARTS.search(before):
            which = "start"
        elif LATER.search(before):
            which = "end"
        elif EARLIER.search(before):
            which = "start"
        else:
            which = "any"

        def fits(course: Course) -> bool:
            begun = course.start is not None and day.has(course.start)
            ended = course.end is not None and day.has(course.end)
            if which == "any":
                during = (
                    not day.exact
                    and course.start is not None
                    and course.start <= day.last
                    and (course.end is None or course.end >= day.first)
                )
                fills = any(d.attribute == "fill" and day.has(d.day) for d in self.index.dates)
                return begun or ended or during or fills
            return begun if which == "start" else ended

        def shows(course: Course) -> str:
            start = spoken(course.start) if course.start else "an unknown day"
            return f"{course.drug} from {start}" + (f" to {spoken(course.end)}" if course.end else "")

        return Element("date", day.start, day.end, fits, shows)

    # --- judging ----------------------------------------------------------------------------------------------

    def _bear_out(self, drug: Drug, courses: list[Course], elements: list[Element]) -> None:
        """All elements in one course; a mention that sums up several courses is judged piece by piece."""
        s = self.s
        if not elements or s.supposed:
            return
        if self._asked(drug):
            elements = [e for e in elements if not (e.kind == "dose" and self._is_ordered(drug, e))]
        several = len(elements) > 2 and sum(e.kind == "dose" for e in elements) > 1
        best = max(courses, key=lambda c: sum(e.fits(c) for e in elements))
        wrong = [e for e in elements if not (any(e.fits(c) for c in courses) if several else e.fits(best))]
        s.support(*best.ids[:1])
        if (
            len(wrong)
            and len(courses) > 1
            and not several
            and all(any(e.fits(c) for c in courses) for e in elements)
        ):
            doses = [e for e in elements if e.kind == "dose"]
            wrong = doses if doses and len(wrong) >= len(doses) else wrong
        for element in wrong:
            if element.kind == "dose" and self._is_ordered(drug, element):
                continue
            s.wrong(element.kind, element.start, element.end, f"the chart: {element.shows(best)}")

    def _is_ordered(self, drug: Drug, element: Element) -> bool:
        """The strength that is asked for, or one that the label or the policy names as theirs."""
        s, part = self.s, self.s.around(element.start)
        number = next((n for n in s.numbers if n.start == element.start), None)
        if number is None:
            return False
        mine = {
            drug.name,
            *(
                a
                for a in self.index.asked
                if not drug.brand
                and any(
                    i in drug.ingredients
                    for f in self.index.drug_facts[a]
                    for i in (x.lower() for x in f.aliases)
                )
            ),
        }
        for fact in self.index.facts:
            kind, _, of = fact.attribute.partition(":")
            if of.lower() not in mine or not isinstance(fact.value, int | float):
                continue
            ok = kind == "strength" or (
                kind == "label strength"
                and (part.general or (part.policy and not part.asked and not part.patient))
            )
            if ok and same(number, float(fact.value)) and fact.unit == number.unit:
                s.support(fact.id)
                return True
        return (
            (part.policy or part.general)
            and not part.patient
            and amount_key(number.value, number.unit) in self.index.policy
        )

    def _uncharted(self, drug: Drug, elements: list[Element], said: list[stance.Said]) -> None:
        """A drug that the chart has no course of: asked for, allergic to, or not this patient's."""
        s, part = self.s, self.s.around(drug.start)
        for element in elements:
            if element.kind == "dose" and not s.supposed and not self._is_ordered(drug, element):
                kind: Kind = "dose" if self._asked(drug) else "drug"
                why = (
                    "not the strength that is asked for"
                    if kind == "dose"
                    else f"no course of {drug.name} in the chart"
                )
                s.wrong(
                    kind, *((element.start, element.end) if kind == "dose" else (drug.start, drug.end)), why
                )
        if s.supposed or part.general:
            return
        for one in said:
            self._predicate(drug, [], one)

    def _predicates(self, drug: Drug, mentions: list[Drug]) -> list[stance.Said]:
        """What is said of this drug: by a verb ahead of it, or by what follows it up to the next drug."""
        s, part = self.s, self.s.around(drug.start)
        inside = [p for p in s.said if part.span.start <= p.start < self._end(drug)]
        mine = [d for d in mentions if part.span.start <= d.start < part.span.end]
        ahead = [p for p in inside if p.end <= drug.start]
        found = []
        if ahead:
            last = ahead[-1]
            between = [d for d in mine if last.end <= d.start < drug.start]
            listed = all(
                re.fullmatch(r"[^;]*(?:,|\band\b|\bor\b|/|\+)[^;]*", s.low[d.end : drug.start])
                for d in between
            )
            behind = [d for d in mine if d.end <= last.start]
            if (
                not (
                    behind
                    and last.what in stance.AFTERWARDS
                    and not between
                    and _follows(s.low, behind[-1].end, last.start)
                )
                and listed
            ):
                found.append(last)
        end = min(
            [self._end(drug), *(d.start for d in mine if d.start > drug.start and not _same_drug(d, drug))]
        )
        after = [p for p in inside if drug.end <= p.start < end]
        last_of_list = drug is mine[-1] if mine else True
        next_drug = next((d for d in mine if d.start > drug.start), None)
        for one in after:
            leads = (
                next_drug is not None and one.what not in stance.AFTERWARDS and next_drug.start - one.end < 14
            )
            if not leads or last_of_list:
                found.append(one)
        return [p for p in found if not (p.what == "taken" and self._asked(drug) and part.asked)]

    def _predicate(self, drug: Drug, courses: list[Course], one: stance.Said) -> None:
        s, part = self.s, self.s.around(one.start)
        if s.supposed or part.unsure or (part.policy and not part.patient) or part.general:
            return
        allergy = next(
            (self.index.allergies[n] for n in (drug.name, *drug.ingredients) if n in self.index.allergies),
            None,
        )
        if one.what == "allergic":
            self._allergic(drug, one, allergy is not None)
            return
        if not courses:
            if one.what == "never" or (one.denied and one.what in ("ongoing", "taken")):
                return
            if one.what == "intolerant" and allergy is not None:
                return
            if one.what in TAKES and not (
                self._asked(drug)
                and (
                    part.asked
                    or (
                        one.what in ("ongoing", "taken")
                        and re.search(r"\b(?:will|would|to|plans?)\b", part.text)
                    )
                )
            ):
                s.wrong("drug", drug.start, drug.end, f"no course of {drug.name} in the chart")
            return
        wrong = self._contradicts(courses, one, allergy is not None)
        if wrong:
            s.wrong("negation", one.start, one.end, wrong)

    def _allergic(self, drug: Drug, one: stance.Said, listed: bool) -> None:
        word = self.s.low[one.start : one.end]
        if one.denied and listed and word.startswith("allerg"):
            self.s.wrong("negation", one.start, one.end, f"the allergy list has {drug.name}")
        elif not one.denied and not listed and word.startswith(("allerg", "anaphyl", "hypersens")):
            if not self.s.around(one.start).policy:
                self.s.wrong("negation", one.start, one.end, f"no allergy to {drug.name} in the chart")
        elif (
            not one.denied
            and not listed
            and not any(
                c.response.startswith("Intolerance")
                for c in self.index.courses_of(drug.name, drug.ingredients, "", drug.brand)
            )
        ):
            self.s.wrong("negation", one.start, one.end, f"the chart has no reaction to {drug.name}")

    def _contradicts(self, courses: list[Course], one: stance.Said, allergic: bool) -> str:
        """Why the courses do not bear the words out; "" if they do."""
        what, denied = one.what, one.denied
        active = [c for c in courses if c.status == "active"]
        stopped = [c for c in courses if c.status == "stopped" or c.end is not None]
        name = courses[0].drug
        if what == "stopped":
            if not denied and not stopped:
                return f"{name} is {'ongoing' if active else 'not known to have ended'}"
            return f"{name} was stopped" if denied and not active and stopped else ""
        if what == "ongoing":
            if not denied and not active:
                return f"{name} was stopped" if stopped else f"it is not known whether {name} goes on"
            return f"{name} is ongoing" if denied and active else ""
        if what == "never":
            return f"the chart has a course of {name}"
        if what == "taken":
            return f"the chart has a course of {name}" if denied else ""
        if what == "tolerated":
            intolerant = [c for c in courses if c.response.startswith("Intolerance")]
            if not denied and intolerant and len(intolerant) == len(courses):
                return f"{name}: {intolerant[0].response}"
            return ""
        wanted = ANSWERS.get(what, ())
        fits = any(c.response.startswith(wanted) for c in courses) or (what == "intolerant" and allergic)
        if not denied and not fits:
            return f"{name}: {courses[-1].response or 'the chart has no response'}"
        if denied and any(c.response.startswith(wanted[0]) for c in courses):
            return f"{name}: {next(c.response for c in courses if c.response.startswith(wanted[0]))}"
        return ""

    def _classes(self) -> None:
        """ "Takes no DPP-4 inhibitor", "is on a statin"."""
        s = self.s
        for one in s.classes:
            part = s.around(one.start)
            if s.supposed or part.unsure or part.general or (part.policy and not part.patient):
                continue
            ahead = [
                p
                for p in s.said
                if part.span.start <= p.start
                and p.end <= one.start
                and p.what in ("ongoing", "never", "stopped")
            ]
            if not ahead:
                continue
            last, name = ahead[-1], CLASSES.get(one.key, one.key)
            denied = last.denied or last.what == "never" or stance.denies(s.text, one.start, reach=14)
            if last.what == "ongoing" and not denied and one.key not in self.index.classes:
                s.wrong(
                    "negation",
                    one.start,
                    one.end,
                    f"the medication list has no {name.removeprefix('a ').removeprefix('an ')} that is ongoing",
                )
            elif last.what == "ongoing" and denied and one.key in self.index.classes:
                s.wrong("negation", one.start, one.end, f"takes {name}")
            elif last.what == "never" and one.key in self.index.charted_classes:
                s.wrong("negation", one.start, one.end, f"the chart has {name}")


def _frequency(start: int, end: int, rate: float) -> Element:
    def fits(course: Course) -> bool:
        return course.per_day is not None and abs(course.per_day - rate) < 0.01

    return Element(
        "dose",
        start,
        end,
        fits,
        lambda c: (
            f"{c.drug} {c.per_day:g} times a day"
            if c.per_day
            else f"how often {c.drug} is taken is not charted"
        ),
    )


def _same_drug(one: Drug, other: Drug) -> bool:
    return bool(set(one.ingredients) & set(other.ingredients)) and one.form == other.form


def _follows(low: str, start: int, end: int) -> bool:
    """Does the predicate belong to the drug before it: "metformin was stopped, losartan …"?"""
    between = low[start:end]
    return len(between) < 40 and ";" not in between
