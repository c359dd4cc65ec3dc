"""Numbers and dates against the ledger, each in value, unit and attribute, and values with their days."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from agent.claims.attributes import Cue
from agent.claims.dates import Day
from agent.claims.index import Dated, Measured, amount_key, in_test_unit, same
from agent.claims.numbers import Number
from agent.claims.sentence import Kind, Sentence, spoken
from tools.terminology.observations import TESTS

PRESSURE = re.compile(r"(?<![\d/.])(\d{2,3})\s?/\s?(\d{2,3})(?![\d/])")
STAGED = re.compile(
    r"\b(?P<what>stage|class|ckd|grade)\s+(?:stage\s+)?(?P<n>\d[ab]?|i{1,3}v?|iv)\b(?!-)", re.IGNORECASE
)
CLASSED = re.compile(r"\bclass\s+(\d)\b", re.IGNORECASE)
NOW = re.compile(
    r"\b(?:latest|most\s+recent|current(?:ly)?|now|today|newest|last|is|stands)\b", re.IGNORECASE
)
THEN = re.compile(
    r"\b(?:was|were|had|before|previous(?:ly)?|earlier|prior|initial(?:ly)?|baseline|from|then"
    r"|trend|history|rose|fell|went)\b",
    re.IGNORECASE,
)
STRICT = re.compile(
    r"\b(?:requires?|required|must|shall|threshold|wants?|asks?\s+for|demands?|accepts?|cut-?off)\b",
    re.IGNORECASE,
)
BORN = re.compile(
    r"\b(?:born|dob|birth(?:\s*date|day)?|d\.o\.b\.)[\s:]*(?:on|is|of|in|was)?(?:\s+the)?\W*$", re.IGNORECASE
)
TEST_OF_UNIT = {
    "kg/m2": "bmi",
    "mL/min/1.73 m2": "egfr",
    "kg": "weight",
    "lb": "weight",
    "cm": "height",
    "in": "height",
    "mg/g": "uacr",
    "events/h": "ahi",
}
CHART_UNITS = frozenset(("mg", "mcg", "g", "units"))
COUNTED = re.compile(
    r"(?:\s+(?:open|unmet|of(?:\s+the)?(?:\s+\d+)?))*\s+"
    r"(?:criteri|exclusion|drug|finding|document|requirement|more\b)"
)
NOT_MEASURED = frozenset(("age", "copay", "tier", "stage", "class", "type"))


class Values:
    """The numbers and days of one sentence."""

    def __init__(self, s: Sentence) -> None:
        self.s, self.index = s, s.index
        self.done: set[Number] = set()
        self.dated: set[Day] = set()
        self.owners: list[
            tuple[int, int, str, list[Measured]]
        ] = []  # a value said of a test, and what it can be

    def check(self, taken: set[Number], dated: set[Day]) -> None:
        """`taken` and `dated` belong to courses of drugs and are judged there."""
        self.done |= taken
        self.dated |= dated
        self._pressures()
        self._stages()
        for number in self.s.numbers:
            if number not in self.done:
                self._number(number)
        self._days()

    # --- numbers ------------------------------------------------------------------------------------------

    def _pressures(self) -> None:
        s = self.s
        for match in s.free_matches(PRESSURE):
            mine = [n for n in s.numbers if match.start() <= n.start < match.end()]
            if len(mine) < 2 or not (
                any(c.key in ("blood_pressure", "sbp", "dbp") for c in s.cues)
                or mine[-1].unit == "mmHg"
                or re.search(r"\bpressure\b", s.low)
            ):
                continue
            self.done |= set(mine)
            high, low = int(match[1]), int(match[2])
            days_ = {m.date for m in self.index.measured["sbp"] if m.value == high}
            both = [m for m in self.index.measured["dbp"] if m.value == low and m.date in days_]
            if both:
                s.support(*(m.id for m in both))
                self.owners.append((match.start(), match.end(), "sbp", both))
            else:
                s.wrong(
                    "number", match.start(), match.end(), f"no blood pressure of {high}/{low} in the chart"
                )

    def _stages(self) -> None:
        """Stages and classes are part of a diagnosis's name."""
        s = self.s
        names = " | ".join(d.name for d in self.index.diagnoses)
        for match in s.free_matches(STAGED):
            number = match["n"].lower()
            what = "class" if match["what"].lower() == "class" else "stage"
            self.done |= {n for n in s.numbers if match.start("n") <= n.start < match.end("n")}
            part = s.around(match.start())
            if part.general or s.supposed or re.search(rf"\b{what} {number}\b", names):
                continue
            if part.policy and any(
                re.search(rf"\b{what} {number}\b", quote) for quote, _ in self.index.quotes
            ):
                continue
            if what == "stage" and "fibrosis" in s.low[: match.start()]:
                continue
            s.wrong("number", match.start(), match.end(), f"no diagnosis of {what} {number} in the chart")

    def _number(self, number: Number) -> None:
        s, part = self.s, self.s.around(number.start)
        if number.what == "money":
            self._of_plan(number, "copay")
        elif number.what == "age":
            self._age(number)
        elif number.what == "duration":
            self._duration(number)
        elif number.unit in ("mL", "tablets", "pens") or (number.unit in CHART_UNITS):
            self._amount(number)
        elif number.unit == "" and self._counts(number):
            self._bare(number)
        elif (cue := self._cue(number)) is not None and cue.key == "age":
            self._age(number)
        elif cue is not None and cue.key in ("tier", "copay"):
            self._of_plan(number, cue.key)
        elif cue is not None and cue.key == "type" and not number.unit:
            pass  # judged as a condition
        elif number.unit in ("%", "percentage points") and not cue and (number.change or "copay" in s.low):
            self._of_plan(number, "copay") if "copay" in s.low else self._change(number, "")
        elif cue is not None or number.unit in TEST_OF_UNIT:
            key = cue.key if cue and cue.key not in NOT_MEASURED else TEST_OF_UNIT.get(number.unit, "")
            if number.change and key in ("weight", "bmi", "hba1c"):
                self._change(number, key)
            elif key:
                self._value(number, "sbp" if key == "blood_pressure" else key)
            else:
                self._bare(number)
        elif (number.unit == "" and self._is_item(number)) or (part.policy and self._policy(number)):
            pass
        else:
            self._bare(number)

    def _cue(self, number: Number) -> Cue | None:
        """What the number is of: the words that follow at once, else the nearest before it, else the next after it."""
        s, part = self.s, self.s.around(number.start)
        before = [c for c in s.cues if part.span.start <= c.start and c.end <= number.start]
        after = [c for c in s.cues if c.start >= number.end and c.end <= part.span.end]
        if (
            after
            and s.text[number.end : after[0].start].strip(" -") in ("", "of", "as", "in")
            and not self._has_value(after[0])
        ) and (not before or not self._unclaimed(before[-1], number)):
            return after[0]
        if before:
            return before[-1]
        if after and after[0].start - number.end < 34 and not self._has_value(after[0]):
            return after[0]
        earlier = [c for c in s.cues if c.end <= number.start and c.key not in NOT_MEASURED]
        if earlier and number.what in ("value", "bare"):
            return earlier[-1]
        if s.before is not None and re.match(r"\W*(?:it|that|this|which|up|down)\b", s.low):
            lean = [c for c in s.before.cues if c.key not in NOT_MEASURED]
            return Cue(number.start, number.start, lean[-1].key) if lean else None
        return None

    def _unclaimed(self, cue: Cue, number: Number) -> bool:
        """No other number stands between the cue and this one."""
        return not any(cue.end <= n.start < number.start for n in self.s.numbers)

    def _has_value(self, cue: Cue) -> bool:
        return any(0 <= n.start - cue.end <= 6 for n in self.s.numbers)

    def _value(self, number: Number, key: str) -> None:
        s, part = self.s, self.s.around(number.start)
        shown = TESTS[key].name
        if number.compare or part.policy or part.asked:
            if self._policy(number) and (number.compare or STRICT.search(part.text) or not part.patient):
                return
            if number.compare and not STRICT.search(part.text) and self._holds(number, key):
                return
        if s.supposed:
            return
        if not number.unit or in_test_unit(key, number.value, number.unit) is not None:
            found = self._measured(number, key)
            if found:
                if (
                    part.policy
                    and STRICT.search(part.text[: number.start - part.span.start])
                    and not number.compare
                    and not part.patient
                ):
                    s.wrong(
                        "attribute",
                        number.start,
                        number.end,
                        f"a value of the chart, given as what the policy asks of {shown}",
                    )
                    return
                s.support(*(m.id for m in found))
                self.owners.append((number.start, number.end, key, found))
                self._is_newest(number, key, found)
                return
            if part.general and self._policy(number):
                return
        else:
            s.wrong("unit", number.start, number.end, f"{shown} is not measured in {number.unit}")
            return
        other = next((t for t in self.index.measured if t != key and self._measured(number, t)), None)
        if other is not None:
            s.wrong(
                "attribute",
                number.start,
                number.end,
                f"the chart has this value as {TESTS[other].name}, not as {shown}",
            )
        elif amount_key(number.value, number.unit) in self.index.policy:
            s.wrong("attribute", number.start, number.end, f"a number of the policy; {self._values(key)}")
        else:
            s.wrong("number", number.start, number.end, self._values(key))

    def _values(self, key: str) -> str:
        known = sorted({(m.date or date.min, m.value) for m in self.index.measured.get(key, [])})[-3:]
        if not known:
            return f"the chart has no {TESTS[key].name}"
        shown = ", ".join(f"{value:g} ({spoken(day)})" for day, value in known)
        return f"the chart's {TESTS[key].name}: {shown}"

    def _measured(self, number: Number, key: str) -> list[Measured]:
        found = []
        for measured in self.index.measured.get(key, []):
            if measured.supposed and not self.s.supposed:
                continue
            value = in_test_unit(key, number.value, number.unit)
            if value is None:
                continue
            if same(number, measured.value) or same(number, measured.shown):
                found.append(measured)
            elif (
                number.unit and in_test_unit(key, 1, number.unit) != 1 and number.unit not in (measured.unit,)
            ):
                factor = TESTS[key].units.get(number.unit)
                if factor and same(
                    number, (measured.value - float(factor[1])) / float(factor[0]), exact=False
                ):
                    found.append(measured)
        return found

    def _is_newest(self, number: Number, key: str, found: list[Measured]) -> None:
        """ "Her BMI is 33": not where only an older value says so and no day is named."""
        s, part = self.s, self.s.around(number.start)
        if s.days or THEN.search(part.text) or s.supposed or not NOW.search(part.text):
            return
        days_ = [m.date for m in self.index.measured[key] if m.date]
        if days_ and all(m.date and m.date < max(days_) for m in found):
            s.wrong(
                "date", number.start, number.end, f"not the newest {TESTS[key].name}; {self._values(key)}"
            )

    def _holds(self, number: Number, key: str) -> bool:
        known = [m for m in self.index.measured.get(key, []) if m.date]
        if not known:
            return False
        newest = max(known, key=lambda m: m.date or date.min)
        value = in_test_unit(key, number.value, number.unit)
        if value is None:
            return False
        self.s.support(newest.id)
        return compares(newest.value, number.compare, value)

    def _policy(self, number: Number) -> bool:
        ids = self.index.policy.get(amount_key(number.value, number.unit))
        if ids is None and not number.unit:
            ids = next((ids for (value, _), ids in self.index.policy.items() if value == number.value), None)
        if ids:
            self.s.support(ids[0])
        return bool(ids)

    def _change(self, number: Number, key: str) -> None:
        s = self.s
        facts = [
            f for f in self.index.facts
            if f.attribute.startswith("change:") and (not key or f.attribute == f"change:{key}")
        ]  # fmt: skip
        for fact in facts:
            value = float(fact.value)
            if fact.unit == "kg" and number.unit == "lb":
                value /= 0.45359237
            elif number.unit and fact.unit != number.unit.replace("percentage points", "%"):
                continue
            if number.change * value < 0:
                continue
            if same(number, abs(value), exact=False):
                s.support(fact.id)
                return
        if s.supposed or (s.around(number.start).policy and self._policy(number)):
            return
        if s.around(number.start).general and self._policy(number):
            return
        s.wrong("number", number.start, number.end, "no two values of the chart differ by this")

    def _age(self, number: Number) -> None:
        s, part = self.s, self.s.around(number.start)
        ages = [
            f
            for f in self.index.facts
            if f.attribute == "age"
            and isinstance(f.value, int | float)
            and (f.origin in ("chart", "derived", "determination") or (f.origin == "supposed" and s.supposed))
        ]
        age = next((f for f in ages if same(number, float(f.value))), ages[0] if ages else None)
        if age is not None and same(number, float(age.value)):
            s.support(age.id)
        elif s.supposed or ((part.policy or number.compare or part.general) and self._policy(number)):
            pass
        elif age is not None and number.compare and compares(float(age.value), number.compare, number.value):
            s.support(age.id)
        else:
            s.wrong(
                "number",
                number.start,
                number.end,
                f"the patient is {age.value:g}"
                if age and isinstance(age.value, int | float)
                else "no birth date in the chart",
            )

    def _of_plan(self, number: Number, attribute: str) -> None:
        """Tier and copay of the drug that is spoken of."""
        s = self.s
        wanted = self._drugs_of(number) or self.index.main
        unit = number.unit
        found = [
            f for f in self.index.facts
            if f.attribute == attribute
            and isinstance(f.value, int | float)
            and (not unit or not f.unit or f.unit == unit)
            and ("/" not in f.source or f.source.rpartition("/")[2].lower() in wanted)
        ]  # fmt: skip
        right = next((f for f in found if same(number, float(f.value))), None)
        if right is not None:
            s.support(right.id)
        elif attribute == "copay" and number.what == "money" and self._loose(number):
            pass
        else:
            known = ", ".join(sorted({f.shown for f in found})) or "none in the plan"
            s.wrong(
                "number", number.start, number.end, f"{attribute} of {', '.join(sorted(wanted))}: {known}"
            )

    def _drugs_of(self, number: Number) -> set[str]:
        s, part = self.s, self.s.around(number.start)
        near = [d for d in s.drugs if part.span.start <= d.start < part.span.end] or s.drugs
        if not near:
            return set()
        before = [d for d in near if d.end <= number.start]
        return {(before[-1] if before else near[0]).name}

    def _amount(self, number: Number) -> None:
        """Millilitres, tablets, and milligrams that no drug stands beside."""
        s, part = self.s, self.s.around(number.start)
        key = amount_key(number.value, number.unit)
        facts = [
            f
            for f in self.index.amounts.get(key, [])
            if f.origin in ("request", "chart", "derived") and f.attribute not in TESTS
        ]
        if facts:
            s.support(facts[0].id)
        elif s.supposed or ((part.policy or part.general or number.compare) and self._policy(number)):
            pass
        else:
            kind: Kind = "dose" if number.unit in CHART_UNITS else "number"
            s.wrong(kind, number.start, number.end, "no such amount in the chart or the request")

    def _duration(self, number: Number) -> None:
        s, part = self.s, self.s.around(number.start)
        key = amount_key(number.value, number.unit)
        if any(d.start <= number.start < d.end for d in s.days):
            return
        facts = [
            f
            for f in self.index.amounts.get(key, [])
            if f.kind == "duration"
            and f.origin != "policy"
            and f.attribute != "age"
            and not f.attribute.startswith("since:")
        ]
        mine = [
            f
            for f in facts
            if f.attribute in ("program", "review", "urgent review")
            or f.origin in ("request", "supposed")
            or f.attribute.startswith("supply")
        ]
        if s.supposed:
            return
        granted = re.search(r"\bapprov\w*|\bauthori[sz]\w*|\brenew\w*", part.text, re.IGNORECASE)
        if (part.policy or part.asked or part.general or number.compare or granted) and self._policy(number):
            return
        if mine or (facts and not s.drugs):
            s.support((mine or facts)[0].id)
        elif (
            number.about
            and number.value == 1
            and not re.match(r"\d|one", s.text[number.start : number.end].lower())
        ):
            pass  # "a year", "a week": a way of speaking
        elif "fill" in part.text.lower() and number.value in self.index.loose:
            s.support(self.index.loose[number.value])
        elif self._since(number) or (
            re.search(r"\b(?:call|reply|respond|contact|within|hear)\b", part.text) and self._policy(number)
        ):
            pass
        else:
            s.wrong("number", number.start, number.end, "no such length of time is known")

    def _since(self, number: Number) -> bool:
        """ "The HbA1c is 15 days old": from a day of the chart."""
        facts = [f for f in self.index.facts if f.attribute.startswith("since:")]
        length = {"days": 1.0, "weeks": 7.0, "months": 30.44, "years": 365.25}.get(number.unit, 0)
        cue = next((c for c in self.s.cues if c.key in TESTS), None)
        for fact in facts:
            if cue and fact.attribute != f"since:{cue.key}":
                continue
            if length and abs(float(fact.value) / length - number.value) < (0.001 if length == 1 else 0.6):
                self.s.support(fact.id)
                return True
        return False

    def _counts(self, number: Number) -> bool:
        """ "2 of 5 criteria", "4 drugs", "and 5 more"."""
        tier = self.s.low[: number.start].endswith("tier ")
        return bool(COUNTED.match(self.s.low, number.end)) and not tier

    def _is_item(self, number: Number) -> bool:
        """ "1." at the beginning of a line, or a number that only counts the words after it."""
        s = self.s
        if number.start < 2 and re.match(r"[.)]", s.text[number.end : number.end + 1]):
            return True
        shown = s.text[number.start : number.end]
        return not any(c.isdigit() for c in shown)

    def _bare(self, number: Number) -> None:
        s, part = self.s, self.s.around(number.start)
        if self._is_age(number):
            self._age(number)
            return
        if self._loose(number):
            return
        if s.supposed or ((part.policy or part.general or number.compare) and self._policy(number)):
            return
        if (
            number.unit == ""
            and number.value in (1, 2)
            and re.match(r"\s*(?:diabet|dm)", s.low[number.end :])
        ):
            return
        s.wrong(
            "number", number.start, number.end, "no such number in the chart, the plan or the determination"
        )

    def _is_age(self, number: Number) -> bool:
        """ "She is 55 and …", "Mr. Blair, 71, …"."""
        before, after = self.s.text[max(0, number.start - 24) : number.start], self.s.text[number.end :]
        subject = re.search(r"\b(?:[Hh]e|[Ss]he|[Pp]atient|[A-Z][a-z]+)(?:\s+is|'s|,)\s*$", before)
        return bool(subject) and 0 < number.value < 120 and bool(re.match(r"\s*(?:,|and\b|\.|$)", after))

    def _loose(self, number: Number) -> bool:
        """A number without a unit and a name that some text or count of the record has."""
        if number.value in self.index.loose and (not number.unit or number.unit == "%"):
            self.s.support(self.index.loose[number.value])
            return True
        facts = [
            f for f in self.index.amounts.get(amount_key(number.value, number.unit), [])
            if (f.kind in ("count", "money") or (number.unit and f.attribute not in TESTS and f.origin != "policy"))
            and f.attribute != "tier"
            and (f.attribute != "copay")
        ]  # fmt: skip
        if facts:
            self.s.support(facts[0].id)
        return bool(facts)

    # --- days -----------------------------------------------------------------------------------------------

    def _days(self) -> None:
        s = self.s
        for day in s.days:
            if day in self.dated or (s.supposed and not self._any(day)):
                continue
            before = s.low[max(0, day.start - 24) : day.start]
            if BORN.search(before):
                self._must(day, [d for d in self.index.dates if d.attribute == "birth"], "the birth date")
                continue
            owner = self._owner(day)
            if owner is not None:
                start, end, key, found = owner
                if found and not any(m.date and day.has(m.date) for m in found):
                    known = ", ".join(sorted({spoken(m.date) for m in found if m.date}))
                    s.wrong(
                        "date", day.start, day.end, f"{TESTS[key].name} {s.text[start:end]} is of {known}"
                    )
                continue
            cue = self._test_near(day)
            if cue is not None:
                values = [m for m in self.index.measured.get(cue.key, []) if m.date]
                if re.search(r"\b(?:last|latest|newest|most\s+recent)\b", s.low) and values:
                    newest = max(m.date for m in values if m.date)
                    values = [m for m in values if m.date == newest]
                if any(m.date and day.has(m.date) for m in values):
                    continue
                if values and not s.around(day.start).unsure:
                    s.wrong(
                        "date",
                        day.start,
                        day.end,
                        f"no {TESTS[cue.key].name} of this day; {self._values(cue.key)}",
                    )
                    continue
            if self._diagnosed(day):
                continue
            if not self._any(day):
                s.wrong("date", day.start, day.end, "nothing is known of this day")

    def _owner(self, day: Day) -> tuple[int, int, str, list[Measured]] | None:
        """The value that the day belongs to: the nearest before it, or the nearest after where none is before."""
        s = self.s
        part = s.around(day.start)
        taken = [(d.start, d.end) for d in s.days]

        def clear(a: int, b: int) -> bool:
            return not any(a <= start < b for start, _ in taken)

        inside = [o for o in self.owners if part.span.start <= o[0] < part.span.end] or self.owners
        before = [o for o in inside if o[1] <= day.start and clear(o[1], day.start)]
        after = [o for o in inside if o[0] >= day.end and clear(day.end, o[0])]
        if before and day.start - before[-1][1] < 60:
            later = [o for o in before if o[0] > before[-1][1] - 1]
            return (later or before)[-1]
        if after and after[0][0] - day.end < 60:
            return after[0]
        return None

    def _test_near(self, day: Day) -> Cue | None:
        s, part = self.s, self.s.around(day.start)
        near = [c for c in s.cues if c.key in TESTS and part.span.start <= c.start < part.span.end]
        values = [n for n in s.numbers if n.change]
        if not near or values or s.conditions:
            return None
        return min(near, key=lambda c: abs(c.start - day.start))

    def _diagnosed(self, day: Day) -> bool:
        """A day of a diagnosis: its own. True if that settled it."""
        s, part = self.s, self.s.around(day.start)
        keys = [c.key for c in s.conditions if part.span.start <= c.start < part.span.end]
        mine = [
            d
            for d in self.index.diagnoses
            if d.onset
            and (any(d in self.index.onset_keys(k) for k in keys) or any(c.value == d.code for c in s.codes))
        ]
        charted = [
            d
            for d in self.index.diagnoses
            if d.onset
            and d.words
            & set(re.findall(r"[a-z]{5,}", s.low)) - {"unspecified", "adult", "disease", "chronic"}
        ]
        mine = mine or charted
        if not mine:
            return False
        if any(d.onset and day.has(d.onset) for d in mine):
            s.support(*(d.id for d in mine if d.onset and day.has(d.onset)))
            return True
        if re.search(
            r"\b(?:since|diagnos\w+|dx|onset|charted|listed|began|dates?|goes\s+back|from)\b", s.low
        ) and not re.search(r"\b(?:denie[sd]|statement|program|insured|enrolled|member)\b", s.low):
            known = ", ".join(sorted({spoken(d.onset) for d in mine if d.onset}))
            s.wrong("date", day.start, day.end, f"the chart dates this diagnosis {known}")
            return True
        return False

    def _must(self, day: Day, known: list[Dated], what: str) -> None:
        right = next((d for d in known if day.has(d.day)), None)
        if right is not None:
            self.s.support(right.id)
        else:
            shown = ", ".join(sorted({spoken(d.day) for d in known})) or "not in the chart"
            self.s.wrong("date", day.start, day.end, f"{what}: {shown}")

    def _any(self, day: Day) -> bool:
        found = next((d for d in self._events() if day.has(d.day)), None)
        if found is not None:
            self.s.support(found.id)
            return True
        return any(day.has(said) for said in self.index.said_dates)

    def _events(self) -> Iterator[Dated]:
        for dated in self.index.dates:
            if dated.attribute != "birth":
                yield dated


def compares(left: float, how: str, right: float) -> bool:
    """Does `left` stand in this relation to `right`?"""
    return {
        ">": left > right, "<": left < right, ">=": left >= right - 1e-9, "<=": left <= right + 1e-9,
    }.get(how, left == right)  # fmt: skip
