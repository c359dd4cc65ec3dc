"""Numbers and days against the ledger, each with its unit and with what it is of, and values with their days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from agent.ledger import Fact, spoken_date
from agent.verification.courses import DAYS, DOSES, compares
from agent.verification.dates import DayMention
from agent.verification.index import ChartedValue, amount, in_unit
from agent.verification.sentence import Placed, Sentence, SentencePart, overlaps
from tools.terminology.matcher import Span as Concept
from tools.terminology.observations import TESTS
from tools.terminology.quantities import Quantity

_NEAR = 34  # characters between a number and the name of its test behind it
_LINE_BEGINS = 3  # characters of a bullet or paragraph sign
_OF_PAGES = 8  # between "page" and the second number of "page 1 of 3"
_FAR = 60  # between a value and its day
_AMOUNTS = frozenset((*DOSES, "mL", "{tablet}", "{pen}", "{box}", "{syringe}", "{injection}"))


class _Owner(NamedTuple):
    """A value said of a test, and which ones of the chart it can be."""

    start: int
    end: int
    test: str
    values: list[ChartedValue]


def check_values(s: Sentence) -> None:
    """Every number and day of a sentence that belongs to no course of a drug."""
    _Values(s).check()


class _Values:
    """The numbers and days of one sentence."""

    def __init__(self, s: Sentence) -> None:
        self.s, self.index = s, s.index
        self.owners: list[_Owner] = []
        self.of = s.words("of")

    def check(self) -> None:
        s = self.s
        numbers = [
            q for q in s.quantities if q[:2] not in s.taken and (q.dimension != "frequency" or q.unit == "/h")
        ]
        for place, q in enumerate(numbers):
            following = numbers[place + 1] if place + 1 < len(numbers) else None
            if q.unit == "mm[Hg]" and following and s.gap(q, following).strip() == "/":
                self._pressure(q, following)
            elif not (q.unit == "mm[Hg]" and s.text[: q.start].rstrip().endswith("/")):
                self._number(q, s.part(q))
        for day in s.days:
            if day[:2] not in s.taken:
                self._day(day)

    # --- numbers ------------------------------------------------------------------------------------------------

    def _pressure(self, high: Quantity, low: Quantity) -> None:
        systolic = {m.date for m in self.index.measured["sbp"] if m.value == high.low}
        both = [m for m in self.index.measured["dbp"] if m.value == low.low and m.date in systolic]
        whole = _Owner(high.start, low.end, "sbp", both)
        if both:
            self.s.support(*(m.id for m in both))
            self.owners.append(whole)
        elif not self.s.supposed:
            self.s.wrong("number", whole, f"no blood pressure of {high.low:g}/{low.low:g} in the chart")

    def _number(self, q: Quantity, part: SentencePart) -> None:
        if self._numbers_a_line(q):
            return
        digits = any(c.isdigit() for c in self.s.text[q.start : q.end])
        ahead = next((w for w in reversed(self.of) if w.end <= q.start and len(self.s.gap(w, q)) < 4), None)
        test = self._test_of(q, part)
        if q.dimension in ("money", "age") or (ahead and ahead.key in ("copay", "age", "tier")):
            key = {"money": "copay", "age": "age"}.get(q.dimension) or (ahead.key if ahead else "")
            self._age(q, part) if key == "age" else self._of_plan(q, key)
        elif self._is_page(q):
            pass  # of the text itself
        elif ahead and ahead.key == "stage" and not overlaps(ahead, self.s.tests):
            self._stage(q, part)
        elif q.unit in DAYS:
            self._duration(q, part)
        elif self._is_change(q):
            self._change(q, part)
        elif test and (digits or q.unit or len(self.s.gap(test, q)) < 5):
            self._value(q, "sbp" if test.key == "blood_pressure" else test.key, part)
        elif not digits and not q.unit:
            pass  # "one open point"
        elif q.unit in _AMOUNTS and not test:
            self._must(q, part, "dose" if q.unit in DOSES else "number")
        elif (q.unit and not self._must_be_of_a_test(q)) or not q.unit:
            self._any(q, part)

    def _test_of(self, q: Quantity, part: SentencePart) -> Concept | None:
        """What the number is of: the test named right behind it, else the last before it, else the next behind."""
        s = self.s
        before = [t for t in s.tests if t.end <= q.start]
        here = [t for t in before if part.holds(t)]
        after = [t for t in s.tests if t.start >= q.end and part.holds(t) and not self._has_value(t)]
        claimed = not here or any(here[-1].end <= other.start < q.start for other in s.quantities)
        if after and claimed and s.gap(q, after[0]).strip(" -") in ("", "of", "as", "in"):
            return after[0]
        if here:
            return here[-1]
        if after and after[0].start - q.end < _NEAR:
            return after[0]
        if before or not s.before or s.tests or s.drugs:
            return before[-1] if before and q.dimension != "time" else None
        return next(iter(s.before.tests[::-1]), None) if "policy" not in part.voices else None

    def _has_value(self, test: Placed) -> bool:
        return any(0 <= q.start - test.end <= 6 for q in self.s.quantities)

    def _value(self, q: Quantity, test: str, part: SentencePart) -> None:
        s, name = self.s, TESTS[test].name
        demanded = "demand" in part.voices
        if q.compare or not part.of_patient or "policy" in part.voices:
            if (q.compare or demanded or not part.of_patient) and self._of_policy(q):
                return
            if q.compare and not demanded and self._newest_compares(q, test):
                return
        if s.supposed:
            return
        if q.unit and in_unit(test, q.low, q.unit, TESTS[test].unit) is None:
            s.wrong("unit", q, f"{name} is not measured in {q.unit}")
            return
        found = self._measured(q, test)
        if found:
            s.support(*(m.id for m in found))
            self.owners.append(_Owner(q.start, q.end, test, found))
            if demanded and not part.of_patient and not q.compare:
                s.wrong("attribute", q, f"a value of the chart, given as what the policy asks of {name}")
            elif self._is_old(q, test, found, part):
                s.wrong("date", q, f"not the newest {name}; {self._known(test)}")
            return
        other = next((t for t in self.index.measured if t != test and self._measured(q, t)), None)
        if other is not None:
            s.wrong("attribute", q, f"the chart has this value as {TESTS[other].name}, not as {name}")
        elif amount(q.low, q.unit) in self.index.policy:
            s.wrong("attribute", q, f"a number of the policy; {self._known(test)}")
        else:
            s.wrong("number", q, self._known(test))

    def _measured(self, q: Quantity, test: str) -> list[ChartedValue]:
        return [
            m
            for m in self.index.measured.get(test, ())
            if (self.s.supposed or not m.supposed) and self._is(q, test, m)
        ]

    def _is(self, q: Quantity, test: str, m: ChartedValue) -> bool:
        """Is this the value that is said: as recorded, or rounded where it is said in another unit?"""
        value = m.value
        for unit in {m.unit, TESTS[test].unit, q.unit or m.unit}:
            converted = in_unit(test, value, m.unit, unit)
            if converted is not None and q.unit in ("", unit) and self._same(q, converted, unit == m.unit):
                return True
        return False

    def _same(self, q: Quantity, value: float, exact: bool = True) -> bool:
        """Is this the number: exactly, or, where it was converted or said "about", as rounded?"""
        if exact and not q.about:
            return abs(q.low - value) < 1e-6
        shown = self.s.text[q.start : q.end].split(" ")[0].rstrip("%")
        step = 10.0 ** -len(shown.partition(".")[2])
        rounded = float(Decimal(repr(value)).quantize(Decimal(repr(step)), ROUND_HALF_UP))
        return abs(rounded - q.low) <= (step if q.about else 0.0) + 1e-6

    def _known(self, test: str) -> str:
        known = sorted({(m.date or date.min, m.value) for m in self.index.measured.get(test, ())})[-3:]
        shown = ", ".join(f"{value:g} ({spoken_date(day)})" for day, value in known)
        return f"the chart's {TESTS[test].name}: {shown}" if known else f"the chart has no {TESTS[test].name}"

    def _is_old(self, q: Quantity, test: str, found: list[ChartedValue], part: SentencePart) -> bool:
        """ "Her BMI is 33": not where only an older value says so and no day is named."""
        said = {w.key for w in self.s.words("day") if part.holds(w)}
        days = [m.date for m in self.index.measured[test] if m.date]
        if self.s.days or "newest" not in said or "older" in said or not days:
            return False
        return all(m.date and m.date < max(days) for m in found)

    def _newest_compares(self, q: Quantity, test: str) -> bool:
        known = [m for m in self.index.measured.get(test, ()) if m.date]
        newest = max(known, key=lambda m: m.date or date.min, default=None)
        value = in_unit(test, newest.value, newest.unit, q.unit or newest.unit) if newest else None
        return value is not None and compares(value, q.compare, q.low)

    def _numbers_a_line(self, q: Quantity) -> bool:
        """ "5. Previous therapy", or a 5 alone."""
        behind = self.s.text[q.end :].lstrip()[:1]
        return not q.unit and q.start < _LINE_BEGINS and q.low in range(100) and behind in ("", ".", ")")

    def _is_page(self, q: Quantity) -> bool:
        pages = [w for w in self.of if w.key == "page"]
        return any(len(self.s.gap(w, q)) < _OF_PAGES and w.end <= q.start for w in pages) or any(
            w.start - q.end == 1 for w in pages
        )

    def _is_change(self, q: Quantity) -> bool:
        return any(w.key == "change" and w.end <= q.start and len(self.s.gap(w, q)) < 3 for w in self.of)

    def _change(self, q: Quantity, part: SentencePart) -> None:
        unit = "" if q.dimension == "score" else q.unit  # "0.7 points"
        for fact in self.index.by_attribute["change"]:
            test, value = fact.attribute.partition(":")[2], float(fact.value)
            said = value if unit in ("", fact.unit) else in_unit(test, value, fact.unit, unit)
            if said is not None and self._same(q, abs(said), exact=False):
                self.s.support(fact.id)
                return
        if not self.s.supposed and not (not part.of_patient and self._of_policy(q)):
            self.s.wrong("number", q, "no two values of the chart differ by this")

    def _age(self, q: Quantity, part: SentencePart) -> None:
        ages = [f for f in self.index.by_attribute["age"] if f.origin != "policy"]
        years = next((float(f.value) for f in ages if f.origin != "supposed"), None)
        if any(float(f.value) == q.low for f in ages):
            self.s.support(ages[0].id)
        elif self.s.supposed or ((q.compare or not part.of_patient) and self._of_policy(q)):
            pass
        elif years is None or not (q.compare and compares(years, q.compare, q.low)):
            why = "no birth date in the chart" if years is None else f"the patient is {years:g}"
            self.s.wrong("number", q, why)

    def _of_plan(self, q: Quantity, attribute: str) -> None:
        """Tier and copay of the drug that is spoken of."""
        s = self.s
        before, after = [d for d in s.drugs if d.end <= q.start], [d for d in s.drugs if d.start >= q.end]
        wanted = {(before[-1:] or after[:1])[0].name} if s.drugs else self.index.main
        found = [
            f
            for f in self.index.by_attribute[attribute]
            if f.source.rpartition("/")[2].lower() in wanted and isinstance(f.value, int | float)
        ]
        if right := next((f for f in found if float(f.value) == q.low), None):
            s.support(right.id)
        elif q.dimension != "money" or amount(q.low, "") not in self.index.said:
            known = ", ".join(sorted({f.shown for f in found})) or "none in the plan"
            s.wrong("number", q, f"{attribute} of {', '.join(sorted(wanted))}: {known}")

    def _stage(self, q: Quantity, part: SentencePart) -> None:
        shown = self.s.low[q.start : q.end]
        if part.of_patient and not any(
            shown in d.name.replace(",", " ").split() for d in self.index.diagnoses
        ):
            self.s.wrong("number", q, f"no diagnosis of such a stage or class, {shown}, in the chart")

    def _duration(self, q: Quantity, part: SentencePart) -> None:
        s = self.s
        if any(day.start <= q.start < day.end for day in s.days) or (
            not any(c.isdigit() for c in s.text[q.start : q.end]) and q.low == 1
        ):
            return  # "a year", "a week": a way of speaking
        lengths = [f for f in self.index.amounts.get(amount(q.low, q.unit), ()) if self._lasts(f)]
        if lengths:
            s.support(lengths[0].id)
        elif not self._since(q) and not (
            part.voices & {"policy", "request", "general"} and self._of_policy(q)
        ):
            self._must(q, part, "number")

    def _lasts(self, fact: Fact) -> bool:
        of_course = fact.attribute == "course" and bool(self.s.drugs)
        return (
            fact.kind == "duration"
            and not of_course
            and fact.attribute.partition(":")[0] not in ("age", "since")
        )

    def _since(self, q: Quantity) -> bool:
        """ "The HbA1c is 15 days old": from a day of the chart."""
        tests = {test.key for test in self.s.tests}
        for fact in self.index.by_attribute["since"]:
            if tests and fact.attribute.partition(":")[2] not in tests:
                continue
            if abs(float(fact.value) / DAYS[q.unit] - q.low) < (0.001 if q.unit == "d" else 0.6):
                self.s.support(fact.id)
                return True
        return False

    def _of_policy(self, q: Quantity) -> bool:
        facts = self.index.policy.get(amount(q.low, q.unit), ())
        if not facts and not q.unit:
            facts = next((some for (value, _), some in self.index.policy.items() if value == q.low), ())
        self.s.support(*(fact.id for fact in facts[:1]))
        return bool(facts)

    def _must_be_of_a_test(self, q: Quantity) -> bool:
        """A value of some test, by its unit alone. True if that settled it."""
        tests = [t for t in TESTS if in_unit(t, 1.0, q.unit, TESTS[t].unit) is not None]
        found = {t: values for t in tests if (values := self._measured(q, t))}
        for test, values in found.items():
            self.s.support(values[0].id)
            self.owners.append(_Owner(q.start, q.end, test, values))
        return bool(found)

    def _any(self, q: Quantity, part: SentencePart) -> None:
        """A number of which nothing says what it is of: some text, count or age of the record has it."""
        ages = {float(f.value) for f in self.index.by_attribute["age"]}
        of_kind = any(w.key == "type" and w.end <= q.start and len(self.s.gap(w, q)) < 3 for w in self.of)
        if not (of_kind or (not q.unit and q.low in ages)):
            self._must(q, part, "number")

    def _must(self, q: Quantity, part: SentencePart, kind: str) -> None:
        key, alone = amount(q.low, q.unit), amount(q.low, "")
        facts = [
            fact
            for fact in self.index.amounts.get(key, ())
            if fact.attribute not in _OTHERS and (fact.kind != "duration" or self._lasts(fact))
        ]
        if not facts and q.unit in ("", "%", *DAYS):
            facts = self.index.said.get(key) or self.index.said.get(alone) or []
        if facts:
            self.s.support(facts[0].id)
        elif not self.s.supposed and not (
            (part.voices & {"policy", "general"} or q.compare) and self._of_policy(q)
        ):
            self.s.wrong(kind, q, "no such number in the chart, the plan or the request")  # type: ignore[arg-type]

    # --- days -----------------------------------------------------------------------------------------------------

    def _day(self, day: DayMention) -> None:
        s = self.s
        part = s.part(day)
        roles = {w.key for w in s.words("day") if part.holds(w)}
        near = [w for w in s.words("day") if w.end <= day.start and len(s.gap(w, day)) < 8]
        if any(w.key == "birth" for w in near):
            self._must_be(day, [d for d, what, _ in self.index.dates if what == "birth"], "the birth date")
        elif owner := self._owner(day, part):
            self._must_be(
                day,
                [m.date for m in owner.values if m.date],
                f"{TESTS[owner.test].name} {s.text[owner.start : owner.end]}",
            )
        elif (
            not s.supposed
            and not self._of_test(day, part, roles)
            and not self._of_diagnosis(day, part, roles)
        ):
            known = next(
                (fact for on, what, fact in self.index.dates if day.has(on) and what != "birth"), None
            )
            if known:
                s.support(known)
            elif not any(map(day.has, self.index.said_dates)):
                s.wrong("date", day, "nothing is known of this day")

    def _must_be(self, day: DayMention, known: Sequence[date], what: str) -> None:
        if not any(map(day.has, known)) and (known or what == "the birth date") and not self.s.supposed:
            shown = ", ".join(spoken_date(one) for one in sorted(set(known))) or "not in the chart"
            self.s.wrong("date", day, f"{what}: {shown}")

    def _owner(self, day: DayMention, part: SentencePart) -> _Owner | None:
        """The value that the day belongs to: the nearest before it, or the nearest behind where none is before, with
        no other day between them."""
        s = self.s
        here = [o for o in self.owners if part.holds(o)] or self.owners
        before = [o for o in here if 0 <= day.start - o.end < _FAR and not self._parted(o, day)]
        after = [o for o in here if 0 <= o.start - day.end < _FAR and not self._parted(day, o)]
        if s.text[day.end : day.end + 1] == ":" and after:
            return after[0]
        return before[-1] if before else after[0] if after else None

    def _parted(self, one: Placed, other: Placed) -> bool:
        return any(one.end <= day.start < other.start for day in self.s.days)

    def _of_test(self, day: DayMention, part: SentencePart, roles: set[str]) -> bool:
        """A day of a test of which no value is said. True if that settled it."""
        s = self.s
        tests = [t for t in s.tests if part.holds(t) and t.key in self.index.measured]
        if (
            not tests
            or any(c.kind == "condition" for c in s.concepts)
            or any(map(self._is_change, s.quantities))
        ):
            return False
        test = min(tests, key=lambda t: abs(t.start - day.start)).key
        known = [m.date for m in self.index.measured[test] if m.date]
        if "newest" in roles and known and "is" not in s.low.split():
            known = [max(known)]
        if not any(map(day.has, known)) and known and "open" not in part.voices:
            s.wrong("date", day, f"no {TESTS[test].name} of this day; {self._known(test)}")
        return bool(known)

    def _of_diagnosis(self, day: DayMention, part: SentencePart, roles: set[str]) -> bool:
        """A day of a diagnosis: its onset. True if that settled it."""
        s = self.s
        keys = [c.key for c in s.concepts if c.kind == "condition" and part.holds(c)]
        coded = {code.value for code in s.codes}
        mine = [d for key in keys for d in self.index.diagnosed(key)]
        mine = [d for d in (*mine, *(d for d in self.index.diagnoses if d.code in coded)) if d.onset]
        right = [d.id for d in mine if d.onset and day.has(d.onset)]
        s.support(*right)
        if right:
            return True
        stated = any(
            day.has(on) for on, what, _ in self.index.dates if what in ("statement", "start", "enrolled")
        )
        if mine and "diagnosis" in roles and not stated:
            known = ", ".join(sorted({spoken_date(d.onset) for d in mine if d.onset}))
            s.wrong("date", day, f"the chart dates this diagnosis {known}")
            return True
        return False


_OTHERS = frozenset((*TESTS, "dose", "per day", "tier", "copay"))  # what is looked up as what it is
