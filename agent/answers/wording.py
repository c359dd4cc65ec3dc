"""How a determination and its findings are said: engine text put into slots, in a specialist's words.

Findings speak in codes and ISO dates: exact, but not for the phone. Here they are turned round, and every date,
number, code, drug and record in them is entered into the ledger with what it is a value of and where it stands.
Text of a chart is quoted as data; its braces are no slots.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from agent.answers.answer import Answer, Said, Source
from agent.ledger import SLOT, Kind, Ledger, Origin
from tools.errors import NotFound
from tools.evidence.judge import ONLY
from tools.records import (
    Benefit,
    Determination,
    Evidence,
    Finding,
    Lead,
    Medication,
    Outcome,
    Patient,
    Plan,
    Status,
)
from tools.terms import BRANDS, INDICATIONS, INGREDIENTS, TESTS

if TYPE_CHECKING:
    from agent.understanding.reading import Ask, Intent
    from tools.bound import Bound

OUTCOMES: dict[Outcome, str] = {
    "ready": "ready to submit",
    "needs_documentation": "needs documentation",
    "likely_denial": "likely denial",
    "not_required": "no prior authorization required",
    "not_covered": "not covered",
    "quantity_exception": "over the quantity limit",
    "wrong_plan": "wrong plan",
}
SUPPOSED = "supposed-"  # how the ids of supposed records begin
LONGEST = 900  # characters of an answer
LONGEST_NAME = 80
LONGEST_QUOTE = 320
LONGEST_LEAD = 160
MOST_ALTERNATIVES = 4

# Composites are named for what they are about: their text lists every branch.
_NAMES = {
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


_STATUSES: dict[Status, str] = {"met": "met", "not_met": "not met", "unknown": "open"}
_EXCLUDES: dict[Status, str] = {
    "met": "ruled out",
    "not_met": "an exclusion that applies",
    "unknown": "not ruled out",
}


_UNSAID = "the chart does not say whether "


class Meant(NamedTuple):
    """A literal of a finding and what fact it is."""

    literal: str
    kind: Kind
    origin: Origin
    source: str
    attribute: str
    on: date | None = None
    shown: str = ""


class Words:
    """The words for one determination; facts go into the ledger as they are said."""

    def __init__(self, bound: Bound, ledger: Ledger, found: Determination, *, supposed: bool = False) -> None:
        self.bound, self.ledger, self.found, self.supposed = bound, ledger, found, supposed
        self.patient: Patient = bound.patient
        on_file = bound.plan
        self.plan_record: Plan = on_file if on_file.id == found.plan_id else bound.store.plan(found.plan_id)
        self.benefit: Benefit | None = self.plan_record.benefits.get(found.drug)
        self._drugs = _drug_names(tuple(drug.name for drug in bound.drugs))

    # --- names -------------------------------------------------------------------------------------------

    def drug(self, name: str = "") -> str:
        return drug_slot(self.ledger, name or self.found.drug)

    def plan(self) -> str:
        return plan_slot(self.ledger, self.plan_record)

    def use(self) -> str:
        """ " for type 2 diabetes", if the use is known."""
        use = INDICATIONS.get(self.found.indication, "")
        if not use:
            return ""
        slot = self.ledger.add(
            "words", use, origin="determination", source=self.found.rule_id, attribute="indication"
        )
        return f" for {slot}"

    def request(self, *, capital: bool = False) -> str:
        """The drug, and that it is to go on if it is."""
        kind = {"renewal": "the renewal of ", "continuation": "continued "}.get(
            self.found.request.kind or "", ""
        )
        return f"{kind[:1].upper() + kind[1:] if capital else kind}{self.drug()}{self.use()}"

    def outcome(self, *, capital: bool = False) -> str:
        return outcome_slot(
            self.ledger, self.found.outcome, self.found.drug, capital=capital, supposed=self.supposed
        )

    def count(self, number: int, of: str) -> str:
        return self.ledger.add("count", number, origin="derived", attribute=of, formula=f"{of} counted")

    def she(self, *, capital: bool = False) -> str:
        return pronoun(self.patient, capital=capital)

    # --- the outcome -------------------------------------------------------------------------------------

    def headline(self) -> str:
        """The outcome in one plain sentence, with drug and plan."""
        return _HEADLINES[self.found.outcome](self)

    def named(self, finding: Finding) -> str:
        """The criterion in a few words."""
        if finding.exclusion and finding.detail.startswith(_UNSAID):
            asked = finding.detail.removeprefix(_UNSAID).replace("the patient", self.she())
            return f"whether {self.slotted(_told(asked, self.she()), finding, 'chart')}"
        name = _NAMES.get(finding.criterion)
        if name is not None and (finding.parts or len(finding.text) > LONGEST_NAME // 2):
            return name
        if finding.parts or len(finding.text) > LONGEST_NAME:
            return self.slotted(finding.criterion.replace("_", " "), finding, "policy")
        return self.slotted(_asked(finding.text, self.she()), finding, "policy")

    def shown(self, finding: Finding, most: int = 1) -> str:
        """What the chart shows of it."""
        if finding.parts:
            wanted = [part for part in finding.parts if part.status == finding.status] or [*finding.parts]
            if finding.status == "not_met":
                worth = _worth_trying(finding)
                wanted = [part for part in wanted if part in worth] or wanted
            told = [self.shown(part) for part in wanted[:most]]
            return "; ".join(dict.fromkeys(text for text in told if text))
        diagnoses = [item for item in finding.evidence if item.kind == "diagnosis" and item.date is not None]
        listed = [item for item in finding.evidence if item.kind == "diagnosis" and _coded(item)]
        if listed and finding.reason is None:
            return self._diagnosis((diagnoses or listed)[0])
        if finding.criterion == "quantity":
            return self.slotted(finding.detail, finding, "request")
        detail = _told(finding.detail, self.she())
        if finding.text.endswith("shown by pharmacy fills") and finding.status == "met":
            detail = detail.replace(" days", " days by pharmacy fills", 1)
        return self.slotted(detail, finding, "chart")

    def _diagnosis(self, item: Evidence) -> str:
        code, _, name = str(item.value).partition(" ")
        origin = self._origin(item.record_id)
        slot = self.ledger.add(
            "code", code, origin=origin, source=item.record_id, attribute="diagnosis", on=item.date
        )
        words = _cut(name or code, 70)
        told = self.ledger.add("words", words, origin=origin, source=item.record_id, attribute="diagnosis")
        if origin == "supposed":
            return told
        if item.date is None:
            return f"{told} ({slot})" if name else slot
        since = self.ledger.add(
            "date", item.date, origin=origin, source=item.record_id, attribute="diagnosis"
        )
        return f"{told} ({slot}, onset {since})" if name else f"{slot}, onset {since}"

    def against(self, finding: Finding) -> str:
        """What the chart shows, and what the policy asks for where the two are numbers to compare."""
        told = self.shown(finding)
        leaf = deciding_leaf(finding)
        measured = any(item.kind in TESTS for item in leaf.evidence) and re.search("[≥≤><]", leaf.text)
        if measured or (leaf.text.startswith("lifestyle program") and leaf.evidence):
            wanted = self.slotted(_asked(_bound(leaf.text), self.she()), leaf, "policy")
            other = ", among other ways" if finding.status != "met" and _has_other_ways(finding) else ""
            return f"{told} (the policy asks for {wanted}{other})"
        return told

    def clause(self, finding: Finding) -> str:
        """The clause's number, or nothing."""
        if finding.clause is None:
            return ""
        return self.ledger.add(
            "code",
            finding.clause.clause_id,
            origin="policy",
            source=clause_source(finding),
            attribute="clause",
        )

    def status(self, finding: Finding, *, capital: bool = False) -> str:
        spoken = (_EXCLUDES if finding.exclusion else _STATUSES)[finding.status]
        return self.ledger.add(
            "status",
            finding.status,
            shown=spoken[0].upper() + spoken[1:] if capital else spoken,
            origin="supposed" if self.supposed else "determination",
            source=clause_source(finding) or self.found.rule_id,
            attribute=finding.clause.clause_id if finding.clause else finding.criterion,
            aliases=(finding.criterion,),
        )

    # --- what to do --------------------------------------------------------------------------------------

    def step(self, finding: Finding) -> str:
        """What would change it, in the imperative: all of it if the rule asks for all, else one of two ways."""
        if finding.status == "met":
            return ""
        if not finding.parts:
            fix = _step(_with_dose(finding), self.she())
            return self.slotted(fix, finding, "policy") if fix else ""
        ways = [way for part in _worth_trying(finding) if (way := self.step(part))]
        if not ways:
            return ""
        every = _every(finding)
        if not every and len(ways) > 1:
            ways = [_upper(way.removeprefix(ONLY)) for way in ways]
        first, *rest = dict.fromkeys(ways[: 3 if every else 2])
        joint = ", and also " if every else " or "
        return joint.join(
            (first, *(lower(way.removeprefix(_TRIAL) if first.startswith(_TRIAL) else way) for way in rest))
        )

    def next_steps(self, most: int = 3) -> list[str]:
        """The engine's next actions in these words, the general ones last."""
        by_fix = {finding.fix: finding for finding in self.found.findings if finding.fix}
        told: list[str] = []
        for action in self.found.next_actions:
            finding = by_fix.get(action)
            if finding is not None and finding.exclusion and action.startswith("Excluded by"):
                continue  # said as "do not submit it while this stands"
            text = self.step(finding) if finding is not None else self._general(action)
            if text and text not in told:
                told.append(text)
        return told[:most]

    def _general(self, action: str) -> str:
        if action.startswith(("Review the drafted form", "Record what comes in")):
            return ""
        if action.startswith("Then "):
            return (
                f"Review the drafted form and letter, have the prescriber sign, then {self._send(action[5:])}"
            )
        if action.startswith("If the clinician still wants it"):
            return "If the clinician still wants it, ask for an exception with the reason"
        if action.startswith("A PA cannot help"):
            return "Consider a covered alternative, since a PA cannot help here"
        blank = Finding(criterion="next", status="unknown", text="")
        return self.slotted(_told(action, self.she()), blank, "plan")

    def _send(self, text: str) -> str:
        plan = self.plan_record
        for attribute, literal in (("fax", plan.fax), ("phone", plan.phone), ("portal", plan.portal)):
            if literal and literal in text:
                kind: Kind = "words" if attribute == "portal" else "code"
                slot = self.ledger.add(
                    kind, literal, origin="plan", source=f"plan:{plan.id}", attribute=attribute
                )
                return lower(text.replace(literal, slot))
        payer = self.ledger.add(
            "name", plan.payer, origin="plan", source=f"plan:{plan.id}", attribute="payer"
        )
        return text.replace(plan.payer, payer)

    def cost(self) -> str:
        """Tier and copay, as far as the plan states them."""
        if self.benefit is None:
            return ""
        source = f"plan:{self.plan_record.id}"
        told = []
        if self.benefit.tier is not None:
            slot = self.ledger.add("count", self.benefit.tier, origin="plan", source=source, attribute="tier")
            told.append(f"tier {slot}")
        if self.benefit.copay:
            slot = self.ledger.add(
                "money", self.benefit.copay, origin="plan", source=source, attribute="copay"
            )
            told.append(f"copay {slot}")
        return ", ".join(told)

    def lead(self, lead: Lead) -> str:
        """What a note says of an open criterion; it counts once a person has confirmed it."""
        shown = f"“{_cut(' '.join(lead.quote.split()), LONGEST_LEAD)}”"
        quote = self.ledger.add(
            "quote",
            lead.quote,
            shown=shown,
            origin="chart",
            source=lead.document,
            attribute="note",
            on=lead.date,
        )
        day = ""
        if lead.date is not None:
            day = self.ledger.add("date", lead.date, origin="chart", source=lead.document, attribute="note")
            day = f" of {day}"
        more = ", with what it leaves open" if lead.needs else ""
        return f"The note{day} says {quote}: confirm it with `pa confirm`{more}, and it counts."

    def alternatives(self) -> str:
        """The covered drugs that this patient meets today; nothing if there is none."""
        names = [item.drug for item in self.found.alternatives]
        if not names:
            return ""
        return (
            f"Already possible today: {listed([self.drug(name) for name in names], MOST_ALTERNATIVES, self)}."
        )

    # --- engine text into slots --------------------------------------------------------------------------

    def _origin(self, record_id: str) -> Origin:
        return "supposed" if record_id.startswith(SUPPOSED) else "chart"

    def slotted(self, text: str, finding: Finding, origin: Origin) -> str:
        """The text with each date, number, code, drug and quoted record as a slot. `origin` is where the text
        stands; a value of the chart's own records is the chart's, and one that the policy limits is the policy's."""
        return _Slotter(self, finding, origin).put(text.replace("{", "(").replace("}", ")"))


# --- slots -----------------------------------------------------------------------------------------------

_UNITS = (
    r"mL/min/1\.73 m2|kg/m2|mg/dL|mg/g|mmol/mol|U/L|events/h|mmHg|percentage points|points|mg|mL|kg|cm|%"
    r"|tablets?|capsules?|pens?|days?|weeks?|months?|years?"
)
_TOKEN = re.compile(
    r"(?P<date>\b\d{4}-\d{2}-\d{2}\b)"
    r"|(?P<icd>\b[A-TV-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})?\b)"
    r"|(?P<name>\b(?:HbA1c|GLP-1 receptor agonist|GLP-1|DPP-4 inhibitor|DPP-4|SGLT2 inhibitor|SGLT2"
    r"|type [12] diabetes|MEN 2[AB]?|F\d-F\d|stage \d[a-z]?)(?!\w))"
    rf"|(?P<number>(?<![\w.])\d+(?:\.\d+)?(?!\.?\d))(?P<unit> ?(?:{_UNITS})(?![\w/]))?"
    r"|(?P<other>[\w./-]*\d[\w./-]*)"
)
_TEST_NAMES = {test.name: key for key, test in TESTS.items()}
_TEST = re.compile(r"\b(" + "|".join(sorted(map(re.escape, _TEST_NAMES), key=len, reverse=True)) + r")\b")
_DURATIONS = ("day", "week", "month", "year")
_LIMITS = re.compile(r"(?:within|last|at least|more than|above|below|at most|the|of|accepts|asks for|at) $")
_RESPONSE = re.compile(r"\b(Inadequate|Partial|Effective|Intolerance)\b( - )?")


@lru_cache(maxsize=64)
def _drug_names(catalog: tuple[str, ...]) -> re.Pattern[str]:
    names = sorted({*catalog, *INGREDIENTS, *BRANDS}, key=lambda name: (-len(name), name))
    return re.compile(r"(?<![\w-])(?:" + "|".join(map(re.escape, names)) + r")(?: ER| IR)?(?![\w-])", re.I)


class _Slotter:
    """One text of one finding."""

    def __init__(self, words: Words, finding: Finding, origin: Origin) -> None:
        self.words, self.finding, self.origin = words, finding, origin
        self.policy_source = clause_source(finding) or words.found.policy_id or f"plan:{words.found.plan_id}"
        self.meant = _meant(words, finding)
        self.test = next((item.kind for item in finding.evidence if item.kind in TESTS), "")
        self.about = self.test or finding.criterion

    def put(self, text: str) -> str:
        spans = self._spans(text)
        out, at = [], 0
        for start, end, slot in spans:
            out += [text[at:start], slot]
            at = end
        return "".join((*out, text[at:]))

    def _spans(self, text: str) -> list[tuple[int, int, str]]:
        taken: list[tuple[int, int, str]] = []

        def free(start: int, end: int) -> bool:
            return all(end <= a or b <= start for a, b, _ in taken)

        for item in self.meant:
            for match in re.finditer(rf"(?<!\w){re.escape(item.literal)}(?!\w)", text):
                if free(*match.span()):
                    slot = self.words.ledger.add(
                        item.kind, item.shown or item.literal, origin=item.origin, source=item.source,
                        attribute=item.attribute, on=item.on, aliases=(item.literal,) if item.shown else (),
                    )  # fmt: skip
                    taken.append((*match.span(), slot))
        for match in self.words._drugs.finditer(text):
            if free(*match.span()):
                taken.append((*match.span(), self._drug(match[0])))
        for match in _TOKEN.finditer(text):
            if free(*match.span()):
                taken.append((*match.span(), self._token(match, text)))
        return sorted(taken)

    def _drug(self, name: str) -> str:
        return self.words.ledger.add(
            "drug", name, origin=self.origin if self.origin in ("policy", "request") else "drug",
            source=self.policy_source if self.origin == "policy" else f"drug:{name}",
        )  # fmt: skip

    def _token(self, match: re.Match[str], text: str) -> str:
        add, group = self.words.ledger.add, match.lastgroup
        before = text[: match.start()]
        if match["date"]:
            origin, source = self._where(match["date"])
            return add("date", date.fromisoformat(match["date"]), origin=origin, source=source,
                       attribute=self.about)  # fmt: skip
        if match["icd"]:
            return add("code", match["icd"], origin=self.origin, source=self._source(), attribute="diagnosis")
        if match["name"]:
            name = match["name"]
            about = "hba1c" if name == "HbA1c" else name.casefold()
            return add("words", name, origin=self.origin, source=self._source(), attribute=about)
        if group == "other" or not match["number"]:
            return add("words", match[0], origin=self.origin, source=self._source(), attribute=self.about)
        return self._number(match, before)

    def _number(self, match: re.Match[str], before: str) -> str:
        unit = (match["unit"] or "").strip()
        value = float(match["number"])
        kind: Kind = "value" if unit else "count"
        if unit.rstrip("s") in _DURATIONS:
            kind = "duration"
        about = self._about(before, kind)
        if self.test and re.search(r"\b(?:fall|rise) of (?:at least )?$", before):
            about = f"change:{self.test}"
        if about == "age":
            kind, unit = "value", unit or "years"
        origin, source, on, formula = self._measured(match["number"], value, before)
        return self.words.ledger.add(
            kind, value, shown=match[0].strip(), unit=unit, origin=origin, source=source, on=on,
            attribute=about, formula=formula,
        )  # fmt: skip

    def _about(self, before: str, kind: Kind) -> str:
        """What the number is a number of: the test or drug named last before it."""
        if re.search(r"\bage\b[^,;]*$", before, re.I):
            return "age"
        tests = [*_TEST.finditer(before)]
        drugs = [*self.words._drugs.finditer(before)]
        if kind == "duration" and drugs and not (tests and tests[-1].start() > drugs[-1].start()):
            return drugs[-1][0].casefold()
        if tests:
            return _TEST_NAMES[tests[-1][1]]
        return drugs[-1][0].casefold() if drugs and not self.test else self.about

    def _where(self, iso: str) -> tuple[Origin, str]:
        for item in self.finding.evidence:
            if (item.date is not None and item.date.isoformat() == iso) or iso in str(item.value):
                return self.words._origin(item.record_id), item.record_id
        if iso == self.words.found.as_of.isoformat():
            return ("supposed" if self.words.supposed else "request"), "as_of"
        return self.origin, self._source()

    def _measured(self, literal: str, value: float, before: str) -> tuple[Origin, str, date | None, str]:
        if self.origin == "policy":
            return "policy", self.policy_source, None, ""
        if self.origin in ("request", "plan"):
            return self.origin, self._source(), None, ""
        limited = re.search(rf"(?<![\d.]){re.escape(literal)}(?![\d.])", self.finding.text) is not None
        if limited and _LIMITS.search(before):
            return "policy", self.policy_source, None, ""
        for item in self.finding.evidence:
            if isinstance(item.value, int | float) and abs(item.value - value) < 0.06:
                return self.words._origin(item.record_id), item.record_id, item.date, ""
            if isinstance(item.value, str) and literal in item.value:
                return self.words._origin(item.record_id), item.record_id, item.date, ""
        records = " ".join(dict.fromkeys(item.record_id for item in self.finding.evidence[:4]))
        return "derived", records, None, f"from {records or 'the chart'} on {self.words.found.as_of}"

    def _source(self) -> str:
        if self.origin == "policy":
            return self.policy_source
        if self.origin == "plan":
            return f"plan:{self.words.found.plan_id}"
        return self.finding.evidence[0].record_id if self.finding.evidence else "chart"


def _meant(words: Words, finding: Finding) -> list[Meant]:
    """The records' own words that the finding's text may hold, longest first."""
    found: list[Meant] = []
    courses = {entry.id: entry for entry in words.patient.medications or ()}
    for item in finding.evidence:
        origin = words._origin(item.record_id)
        if item.kind in ("medication", "fill") and isinstance(item.value, str):
            name = item.value.split(",", 1)[0].strip()
            if name and not name.startswith("not on"):
                found.append(Meant(name, "drug", origin, item.record_id, "medication", item.date))
            entry: Medication | None = courses.get(item.record_id)
            if entry is not None and entry.reason:
                found.append(Meant(_tame(entry.reason), "words", origin, item.record_id, "reason"))
        elif item.kind in ("allergy", "intolerance", "family_history", "program") and item.value:
            literal = _tame(str(item.value))
            found.append(Meant(literal, "words", origin, item.record_id, item.kind, item.date))
        elif item.kind == "diagnosis" and _coded(item):
            code, _, name = str(item.value).partition(" ")
            found.append(Meant(code, "code", origin, item.record_id, "diagnosis", item.date))
            if name:
                found.append(Meant(_tame(name), "words", origin, item.record_id, "diagnosis", item.date))
    plans = dict.fromkeys((words.found.plan_id, *(period.plan_id for period in words.patient.coverages)))
    for plan_id in plans:
        found.append(
            Meant(plan_id, "name", "plan", f"plan:{plan_id}", "plan", shown=_plan_name(words.bound, plan_id))
        )
    return sorted(dict.fromkeys(found), key=lambda item: -len(item.literal))


def _plan_name(bound: Bound, plan_id: str) -> str:
    try:
        return bound.store.plan(plan_id).name
    except NotFound:
        return ""


def _tame(text: str) -> str:
    return text.replace("{", "(").replace("}", ")")


def _coded(item: Evidence) -> bool:
    return bool(re.match(r"[A-Z]\d", str(item.value or "")))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most].rsplit(" ", 1)[0].rstrip(" ,;(") + " …"


# --- the engine's phrases, spoken ------------------------------------------------------------------------

_SIGNS = (("≥ ", "at least "), ("≤ ", "at most "), ("> ", "above "), ("< ", "below "))


def _signs(text: str) -> str:
    for sign, words in _SIGNS:
        text = text.replace(sign, words)
    return text


def _asked(text: str, she: str) -> str:
    """A criterion's text as it is said."""
    text = re.sub(
        r"^prescriber states: ", "the prescriber's statement that {she} ".replace("{she}", she), text
    )
    return _signs(text)


def _bound(text: str) -> str:
    """ "at least 7.0 % within 90 days" of "HbA1c ≥ 7.0 % within 90 days"."""
    match = re.search(r"[≥≤><].*", text) or re.search(r"at least.*", text)
    return match[0] if match else text


_TOLD: tuple[tuple[str, str], ...] = (
    (
        r"^newest (.+?) is (.+) of (\S+), (\d+) days before (\S+); the window is (\d+)$",
        r"\1 \2 of \3, \4 days old where the policy accepts \6 days",
    ),
    (r"not on the problem list: ([^;]+)", r"\1 is not on the problem list"),
    (r"never tried: ([^;]+)", r"no trial of \1 is charted"),
    (
        r"^no course of (.+?) at ([\d.]+ mg) a day$",
        r"\1 is charted, but below the \2 a day that the policy asks for",
    ),
    (r"^no course of (.+)$", r"no course of \1 is charted"),
    (r"not stated: ([^;]+)", r"the chart does not state that {she} \1"),
    (r"^stated: ", r"the chart states that {she} "),
    (r"^denied: ", r"the chart denies that {she} "),
    (r"^age (\d+)$", r"age \1"),
    (r" for (\d+) of (\d+) days", r" for \1 days of the \2 days asked for"),
    (r"Intolerance - ([\w ]*\w)", r"intolerance (\1)"),
    (r"\bInadequate response\b", "inadequate response"),
    (r"\bPartial response\b", "partial response"),
    (r", Effective\b", ", effective"),
    (r"^no intolerance of ", "no intolerance charted of "),
    (r"^does not apply \((\w+)\)$", r"does not apply to a \1 patient"),
    (r"^takes ", "{she} takes "),
    (r"^does not take ", "{she} does not take "),
    (r"^requested for ", "asked for "),
    (r"^prescribed by ", "the prescriber's specialty is "),
    (r"^too old$", "the one on file is too old"),
    (r"^(.+) does not settle (.+)$", r"“\1” does not settle \2"),
    (r"has pregnancy$", "is pregnant"),
    (r"^(\w+ program) (\S+) to now$", r"\1 going on since \2"),
    (r"^(\w+ program) (\S+) to (\S+)$", r"\1 from \2 to \3"),
    (
        r"^(.+?) ([\d.]+ [^→]*?) → ([\d.]+ .*?) \((\S+) to (\S+)\): (fall|rise) of (.+)$",
        r"\1 \2 on \4 and \3 on \5, a \6 of \7",
    ),
)


def _told(text: str, she: str) -> str:
    """What was found, as it is said."""
    for pattern, words in _TOLD:
        text = re.sub(pattern, words.replace("{she}", she), text)
    return _signs(text)


_STEPS: tuple[tuple[str, str], ...] = (
    (r"has pregnancy$", "is pregnant"),
    (r"^Stop (.+) and record the stop date$",
     r"Ask the clinician whether \1 is to be stopped, and record the stop date if so"),
    (r"^Ask the prescriber to state whether this is (.+?): (.+)$",
     r"Ask the prescriber to state whether “\2” is \1"),
    (r"^Ask the prescriber to state in the chart: (.+)", r"Ask the prescriber to state in the chart that {she} \1"),
    (r"^No (.+) in the chart; code only what the clinician has diagnosed$",
     r"Code \1 only if the clinician has diagnosed it"),
    (r"^Only (a newer|a baseline) (.+?) ([≥≤><]) (.+) would meet it$", r"Only \1 \2 of \3 \4 would do"),
    (r"^Only a newer (.+) would lift this exclusion$", r"Only a newer \1 would lift this exclusion"),
    (r"^Only with (.+) on board$", r"Ask the clinician about adding \1"),
    (r"^Attach (signed|lab|study|medication) ", r"Attach a \1 "),
    (r"^Attach (pharmacy|program) ", r"Attach the \1 "),
    (r"^(Attach .*) within (\d+ days)$", r"\1 (the policy accepts the last \2)"),
    (r"^(Obtain a new .+): the last, of (.+), is (\d+ days) old$", r"\1 (the last, of \2, is \3 old)"),
    (r"^Excluded by (.+); consider another drug$", r"Offer the clinician another drug: \1 excludes this one"),
    (r"^The chart denies it: (.+)$", r"Ask the prescriber to confirm whether {she} \1"),
    (r"\ba (?=HbA1c|eGFR|ankle|apnea|ALT|AST|LVEF|LDL|HDL)", "an "),
    (r"^Try (.+)$", r"Ask the clinician about a trial of \1"),
    (r"^Age \d+ is outside the rule \((.+)\); only an exception can help$",
     r"Only an exception can help, since the rule asks for an age of \1"),
)  # fmt: skip


def _step(text: str, she: str) -> str:
    for pattern, words in _STEPS:
        text = re.sub(pattern, words.replace("{she}", she), text)
    return _signs(text)


_IDLE = ("Only ", "No ", "Age ", "Not covered", "The chart denies")
_TRIAL = "Ask the clinician about "


def _with_dose(finding: Finding) -> str:
    """A trial that lacks the dose is to be tried at it."""
    dose = re.search(r"^no course of .+( at [\d.]+ mg a day)$", finding.detail)
    fix = finding.fix or ""
    return f"{fix}{dose[1]}" if dose and fix.startswith("Try ") else fix


def _has_other_ways(finding: Finding) -> bool:
    return finding.text.startswith("any of") and len(finding.parts) > 1


def _every(finding: Finding) -> bool:
    return finding.text.startswith("all of")


def _worth_trying(finding: Finding) -> list[Finding]:
    """The parts that would change it; of several ways, one that nobody can go only where there is no other."""
    parts = [part for part in finding.parts if part.status != "met" and (part.fix or part.parts)]
    if _every(finding):
        return parts
    parts = [part for part in parts if part.status == "unknown"] or parts
    return [part for part in parts if not (part.fix or "").startswith(_IDLE)] or parts


def deciding_leaf(finding: Finding) -> Finding:
    """The leaf that is told of a composite."""
    while finding.parts:
        same = [part for part in finding.parts if part.status == finding.status] or [*finding.parts]
        if finding.status == "not_met":
            worth = _worth_trying(finding)
            same = [part for part in same if part in worth] or same
        finding = same[0]
    return finding


# --- the first sentence ----------------------------------------------------------------------------------


def _ready(words: Words) -> str:
    kinds = Sorted.of(words.found)
    told = f"all {words.count(len(kinds.criteria), 'criteria')} criteria are met"
    if len(kinds.criteria) == 1:
        told = "its criterion is met"
    more = ["no exclusion applies"] if kinds.exclusions else []
    more += ["every document asked for is on file"] if kinds.documents else []
    told = ", ".join((told, *more[:-1])) + (f" and {more[-1]}" if more else "")
    return f"{words.request(capital=True)} is {words.outcome()} to {words.plan()}: {told}."


def _needs_documentation(words: Words) -> str:
    kinds = Sorted.of(words.found)
    head = f"Not yet: {words.request()} {words.outcome()} under {words.plan()}"
    open_criteria = [finding for finding in kinds.criteria if finding.status == "unknown"]
    unruled = [finding for finding in kinds.exclusions if finding.status == "unknown"]
    missing = [finding for finding in kinds.documents if finding.status != "met"]
    told = []
    if open_criteria:
        all_of = words.count(len(kinds.criteria), "criteria")
        number = words.count(len(open_criteria), "open criteria")
        told.append(f"{number} of {all_of} criteria {_is(open_criteria)} open")
    if unruled:
        number = words.count(len(unruled), "exclusions not ruled out")
        told.append(f"{number} {_plural('exclusion', unruled)} {_is(unruled)} not ruled out")
    if kinds.quantity and kinds.quantity[0].status == "unknown":
        told.append("the quantity is not settled")
    if missing:
        number = words.count(len(missing), "missing documents")
        only = "" if told else "only "
        told.append(f"{only}{number} {_plural('document', missing)} {_is(missing)} missing")
    return f"{head}; {listed(told, len(told), words)}."


def _likely_denial(words: Words) -> str:
    kinds = Sorted.of(words.found)
    head = f"{words.outcome(capital=True)} of {words.request()} by {words.plan()}"
    if words.found.stopped_by == "exclusion":
        proven = [finding for finding in kinds.exclusions if finding.status == "not_met"]
        return f"{head}: an exclusion applies, {' and '.join(words.shown(item) for item in proven[:2])}."
    failing = [finding for finding in kinds.criteria if finding.status == "not_met"]
    number = words.count(len(failing), "criteria not met")
    return (
        f"{head}: {number} of {words.count(len(kinds.criteria), 'criteria')} criteria {_is(failing)} not met."
    )


def _not_required(words: Words) -> str:
    cost = words.cost()
    told = f" ({cost})" if cost else ""
    return f"{words.outcome(capital=True)}: {words.plan()} covers {words.drug()} without one{told}."


def _not_covered(words: Words) -> str:
    benefit = words.benefit
    reason, use = "it is not on the formulary", ""
    if words.found.stopped_by == "benefit":
        reason = "the plan does not cover it for this use"
        if benefit is not None:
            reason = benefit.excluded_uses.get(words.found.request.indication) or reason
        use = words.use()
    elif benefit is not None and benefit.reason:
        reason = benefit.reason
    slot = words.ledger.add(
        "words", _tame(reason), origin="plan", source=f"plan:{words.plan_record.id}", attribute="reason"
    )
    return (
        f"{words.outcome(capital=True)}: {words.drug()}{use} under {words.plan()}; the plan's reason: {slot}."
    )


def _quantity_exception(words: Words) -> str:
    over = next(finding for finding in words.found.findings if finding.criterion == "quantity")
    asked = words.slotted(over.detail.removesuffix(" asked for"), over, "request")
    limit = words.slotted(over.text, over, "policy")
    strength = words.found.request.strength
    slot = ""
    if strength:
        slot = " " + words.ledger.add(
            "value", strength, origin="request", source="request", attribute=words.found.drug
        )
    allowed = limit.replace("at most ", "")
    return (
        f"{words.outcome(capital=True)}: {asked} of {words.drug()}{slot} are asked for,"
        f" and {words.plan()} allows {allowed}."
    )


def _wrong_plan(words: Words) -> str:
    finding = words.found.findings[0]
    detail = _told(finding.detail, words.she())
    plan_id = words.plan_record.id
    slot = words.plan()
    if detail.startswith(plan_id):
        ended = words.slotted(detail.removeprefix(plan_id).strip(), finding, "plan")
        told = f"{slot} {ended}"
    else:
        told = f"the patient is not enrolled in {slot}"
    return f"{words.outcome(capital=True)} for {words.drug()}: {told}."


_HEADLINES = {
    "ready": _ready,
    "needs_documentation": _needs_documentation,
    "likely_denial": _likely_denial,
    "not_required": _not_required,
    "not_covered": _not_covered,
    "quantity_exception": _quantity_exception,
    "wrong_plan": _wrong_plan,
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


def _is(items: Sequence[object]) -> str:
    return "is" if len(items) == 1 else "are"


def _plural(word: str, items: Sequence[object]) -> str:
    return word if len(items) == 1 else f"{word}s"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def lower(text: str) -> str:
    return text[:1].lower() + text[1:]


# --- shared by the answers -------------------------------------------------------------------------------


def pronoun(patient: Patient, *, capital: bool = False) -> str:
    word = {"female": "she", "male": "he"}.get(patient.sex, "the patient")
    return word[0].upper() + word[1:] if capital else word


def sentence(ledger: Ledger, text: str) -> str:
    """The text with a capital letter, also where it begins with a fact."""
    match = SLOT.match(text)
    fact = ledger.facts.get(match[1]) if match else None
    if match is None or fact is None or fact.kind not in ("words", "drug"):
        return _upper(text)
    if fact.origin == "drug" or fact.shown[:1].isupper() or fact.shown[:1] == "e":
        return text
    slot = ledger.add(
        fact.kind, fact.value, shown=_upper(fact.shown), unit=fact.unit, on=fact.date, origin=fact.origin,
        attribute=fact.attribute, source=fact.source, aliases=(*fact.aliases, fact.shown),
    )  # fmt: skip
    return f"{slot}{text[match.end() :]}"


def drug_slot(ledger: Ledger, name: str) -> str:
    return ledger.add("drug", name, origin="drug", source=f"drug:{name}")


def plan_slot(ledger: Ledger, plan: Plan) -> str:
    aliases = tuple(dict.fromkeys((plan.id, plan.payer)))
    return ledger.add(
        "name",
        plan.name or plan.id,
        origin="plan",
        source=f"plan:{plan.id}",
        attribute="plan",
        aliases=aliases,
    )


def outcome_slot(
    ledger: Ledger, outcome: Outcome, drug: str, *, capital: bool = False, supposed: bool = False
) -> str:
    words = OUTCOMES[outcome]
    return ledger.add(
        "outcome",
        outcome,
        shown=words[0].upper() + words[1:] if capital else words,
        origin="supposed" if supposed else "determination",
        source="supposed" if supposed else "determine",
        attribute=drug,
        aliases=(outcome,),
    )


def listed(slots: Sequence[str], most: int, words: Words) -> str:
    """ "a, b and c", or so many of them and how many more."""
    if len(slots) > most:
        more = words.count(len(slots) - most, "more")
        return f"{', '.join(slots[:most])} and {more} more"
    return slots[0] if len(slots) == 1 else f"{', '.join(slots[:-1])} and {slots[-1]}"


def clause_source(finding: Finding) -> str:
    """ "BLUESTEM-PPO-OZEMPIC § 1(a)(3)"; nothing if the rule was never printed."""
    return f"{finding.clause.policy_id} {finding.clause.clause_id}" if finding.clause is not None else ""


def sources(findings: Iterable[Finding], most: int = 12) -> list[Source]:
    """The clauses of these findings and of what decides them, word for word, and the records that they rest on."""
    found: dict[tuple[str, str], Source] = {}
    for finding in (one for top in findings for one in (top, deciding_leaf(top))):
        if finding.clause is not None and finding.clause.quote:
            where = clause_source(finding)
            found.setdefault((where, ""), Source(source=where, quote=finding.clause.quote))
        for item in finding.evidence:
            if item.value is None or item.record_id in _NO_RECORDS or item.record_id.startswith(SUPPOSED):
                continue
            where = f"chart {item.record_id}"
            kind: Literal["chart", "note"] = "note" if item.kind == "note" else "chart"
            found.setdefault((where, item.kind), Source(source=where, quote=_record(item), kind=kind))
    return [*found.values()][:most]


def note_sources(found: Determination) -> list[Source]:
    """The words of notes that leads quote."""
    return [Source(source=f"chart {lead.document}", quote=lead.quote, kind="note") for lead in found.leads]


_NO_RECORDS = ("request", "medications", "conditions", "allergies")


def _record(item: Evidence) -> str:
    name = TESTS[item.kind].name if item.kind in TESTS else item.kind.replace("_", " ")
    told = f"{name} {item.value} {item.unit or ''}".strip()
    return f"{told}, {item.date}" if item.date and str(item.date) not in told else told


def drugs_meant(ask: Ask, bound: Bound) -> tuple[str, ...]:
    """The drugs asked about, else the one ordered last."""
    if ask.drugs:
        return tuple(bound.store.drug(name).name for name in dict.fromkeys(ask.drugs))
    orders = sorted(bound.patient.orders, key=lambda order: order.date or date.min, reverse=True)
    for order in orders:
        try:
            return (bound.store.drug(order.drug).name,)
        except NotFound:
            continue
    return ()


def ask_back(intent: Intent, bound: Bound, ledger: Ledger) -> Answer:
    """No drug was named and none is ordered."""
    choice = tuple(name for name, benefit in bound.plan.benefits.items() if benefit.covered)
    names = ", ".join(drug_slot(ledger, name) for name in choice)
    text = f"Which drug do you mean? {plan_slot(ledger, bound.plan)} covers {names}."
    return Answer(intent=intent, said=[Said(text=text, verbatim=True)], ledger=ledger, offered=choice)


def unlisted(drug: str, bound: Bound, ledger: Ledger) -> Said:
    """The plan has no rule for the drug."""
    name, plan = drug_slot(ledger, drug), plan_slot(ledger, bound.plan)
    return Said(text=f"{plan} does not list {name}, so there is no rule to check it against.", verbatim=True)


def line(words: Words, found: Determination) -> Said:
    """One drug as one line of a list: the outcome and the one thing that decides."""
    kinds = Sorted.of(found)
    told = f"{words.drug()}: {words.outcome()}"
    if found.outcome in ("ready", "not_required"):
        cost = words.cost()
        told += f" ({cost})" if cost else ""
    elif found.outcome == "not_covered":
        told += "" if words.benefit is None else _why_not_covered(words)
    elif found.outcome == "wrong_plan":
        told += ""
    elif kinds.unmet:
        first, rest = kinds.unmet[0], len(kinds.unmet) - 1
        why = words.named(first)
        lead = _LEADS[first.status]
        if first.status == "not_met" and found.stopped_by == "exclusion":
            lead, why = "excluded by", words.shown(first)
        more = f", and {words.count(rest, 'more points')} more" if rest else ""
        told += f"; {lead} {why}{more}"
    return Said(text=f"{told}.", bullet=True)


_LEADS = {"not_met": "fails on", "unknown": "open:", "met": "for"}


def _why_not_covered(words: Words) -> str:
    benefit = words.benefit
    if benefit is None or words.found.stopped_by == "benefit" or not benefit.reason:
        return ""
    slot = words.ledger.add(
        "words",
        _tame(benefit.reason),
        origin="plan",
        source=f"plan:{words.plan_record.id}",
        attribute="reason",
    )
    return f" ({slot})"


def all_wrong_plan(reply: Answer, bound: Bound, ledger: Ledger) -> list[Said]:
    """Where the plan itself is the wrong one, it is said once, not drug by drug."""
    found = reply.determinations
    if len(found) < 2 or any(one.outcome != "wrong_plan" for one in found):
        return []
    words = Words(bound, ledger, found[0])
    steps = "; ".join(map(lower, words.next_steps()))
    every = words.headline().replace(f" for {words.drug()}:", " for every drug:")
    return [Said(text=every), *([Said(text=f"Next: {steps}.")] if steps else [])]


def fitted(said: Iterable[Said], ledger: Ledger, most: int = LONGEST) -> list[Said]:
    """As much of it as an answer should hold: what need not be said goes first, then what comes last."""
    kept = list(said)
    while len(kept) > 1 and sum(len(ledger.render(one.text)) + 3 for one in kept) > most:
        spare = [at for at, one in enumerate(kept) if at and not one.must]
        del kept[spare[-1] if spare else -1]
    return kept
