"""The vocabulary: everything that Paladin knows about, as frozen data. No I/O, no clock, no model.

Field terms are the field's own: HbA1c, ICD-10-CM, RxNorm, NDC, UCUM, tier, step therapy, quantity limit, NPI.
Every record of a chart has an id that is unique within its patient, so that a statement can name what shows it.

Lists and silence (design: closed lists, open facts): `conditions`, `medications` and `allergies` are complete
if present, even empty, and unknown if None. Nothing else is ever complete: what is not recorded is unknown.

The structs are msgspec's: they validate as they are decoded, with the path of what is wrong.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from functools import cached_property
from typing import Any, ClassVar, Literal

import msgspec

from tools.common.errors import Invalid
from tools.common.printable import one_line
from tools.domain.rules import Limits, Rule
from tools.domain.rules import QuantityLimit as QuantityLimit
from tools.domain.rules import StartingLimit as StartingLimit
from tools.domain.rules import SupplyLimit as SupplyLimit
from tools.messages import Action, Message, message, render

Sex = Literal["female", "male", "unknown"]
BUSINESSES = (
    "commercial", "exchange", "self_funded", "medicare_part_d", "medicare_advantage", "medicaid",
    "state_employees",
)  # fmt: skip
Channel = Literal["phone", "fax", "portal", "mail"]
Kind = Literal["new", "continuation", "renewal"]
# What a request asks for beside or against the plan's rule, each with a statement of the prescriber's own.
ExceptionKind = Literal["quantity_limit", "step_therapy", "formulary", "tier"]
Status = Literal["met", "not_met", "unknown"]
# Why a finding is unknown: nothing is on record, it is too old, two records disagree, its unit is missing or wrong, it
# can be read in two ways, nobody knows what it names, it is not signed, or a note says otherwise.
Reason = Literal[
    "missing", "stale", "conflict", "unit", "ambiguous", "unrecognised", "unsigned", "contradicted"
]
Signature = Literal["signed", "unsigned", "draft", "amended"]
Outcome = Literal[
    "ready", "needs_documentation", "likely_denial", "not_required", "not_covered", "quantity_exception",
    "wrong_plan",
]  # fmt: skip
# The first three are the guide's; each says which Response (rules.py) it is by its first word.
TrialOutcome = Literal[
    "Inadequate response", "Partial response", "Intolerance - GI side effects", "Intolerance - hypoglycemia",
    "Intolerance - genital infection", "Intolerance - other", "Effective",
]  # fmt: skip


class Record(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    gc=False,
):
    """Base of all records: frozen, named fields only, unknown fields refused. A record holds no cycle, so the
    garbage collector need not look at it."""


# --- the chart -------------------------------------------------------------------------------------------


class Address(Record, frozen=True, kw_only=True):
    """A US postal address."""

    line: str
    city: str
    state: str  # two letters
    zip: str


class Prescriber(Record, frozen=True, kw_only=True):
    """Who orders the drug, and the practice. Fictitious NPIs begin with 2 and pass Luhn (prefix 80840)."""

    name: str
    npi: str | None = None
    specialty: str | None = None  # "family medicine", "endocrinology", …, in lower case
    practice: str | None = None
    address: Address | None = None
    phone: str | None = None
    fax: str | None = None
    contact: str | None = None


class Coverage(Record, frozen=True, kw_only=True):
    """One enrolment period in one plan; both days included, no end is open."""

    id: str
    plan_id: str
    member_id: str = ""
    group: str = ""
    bin: str = ""
    pcn: str = ""
    start: date | None = None
    end: date | None = None


class Diagnosis(Record, frozen=True, kw_only=True):
    """One entry of the problem list. A provisional one proves nothing; `abated` ends it."""

    id: str
    code: str  # ICD-10-CM with dot; "" where only a name is known
    name: str = ""
    onset: date | None = None
    abated: date | None = None
    verification: Literal["confirmed", "provisional", "refuted"] = "confirmed"
    source_code: str = ""  # e.g. "SNOMED 44054006" as imported


class Observation(Record, frozen=True, kw_only=True):
    """One measured value. Without a unit, or with an impossible date, it is no evidence."""

    id: str
    test: str  # a key of terms.TESTS: "hba1c", "bmi", "weight", …
    value: float
    unit: str | None = None  # UCUM
    date: date | None = None
    loinc: str = ""
    source: Literal["lab", "vital", "study", "form", "patient"] = "lab"


class Medication(Record, frozen=True, kw_only=True):
    """One course of one drug at one dose: a trial, or what is taken now. A titration is several. Without
    ingredients nobody knows what it is: it may be any drug.

    `dose` per administration in `dose_unit`, `per_day` administrations (weekly: 1/7 ≈ 0.142857).
    An end that is None with status `active` is ongoing; with status None it is not known whether it ended.
    """

    id: str
    drug: str  # as charted: "metformin", "Ozempic"
    ingredients: tuple[str, ...] = ()  # lower case
    classes: tuple[str, ...] = ()  # keys of terms.CLASSES
    rxnorm: str = ""
    dose: float | None = None
    dose_unit: str | None = None
    per_day: float | None = None
    formulation: Literal["IR", "ER"] | None = None
    start: date | None = None
    end: date | None = None
    status: Literal["active", "stopped"] | None = None
    outcome: TrialOutcome | None = None
    reason: str = ""  # why it was stopped or judged so, in the chart's words
    source: Literal["prescribed", "sample", "reported"] = "prescribed"
    source_code: str = ""


class Fill(Record, frozen=True, kw_only=True):
    """One pharmacy claim."""

    id: str
    drug: str
    ingredients: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    date: date
    days_supply: int
    quantity: float | None = None
    ndc: str = ""  # 11 digits


class Allergy(Record, frozen=True, kw_only=True):
    """One entry of the allergy list."""

    id: str
    substance: str
    ingredients: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    reaction: str = ""
    type: Literal["allergy", "intolerance"] = "allergy"
    date: date | None = None


class FamilyHistory(Record, frozen=True, kw_only=True):
    """One condition of one relative, as far as it is known."""

    id: str
    relation: str
    condition: str
    code: str = ""


class Program(Record, frozen=True, kw_only=True):
    """A structured programme, e.g. of diet and exercise. No end is ongoing, unless the status says otherwise."""

    id: str
    type: Literal["lifestyle"] = "lifestyle"
    name: str = ""
    start: date | None = None
    end: date | None = None
    sessions: int | None = None  # in which the patient took part
    reckoned: bool = False  # its start is counted back from how long it is said to have lasted
    status: Literal["ongoing", "completed", "stopped"] | None = None


class Procedure(Record, frozen=True, kw_only=True):
    """A procedure or study; its measured results stand among the observations of that date."""

    id: str
    name: str
    code: str = ""
    date: date | None = None
    result: str = ""


class Attestation(Record, frozen=True, kw_only=True):
    """The chart's explicit statement that something is, or is not, so."""

    id: str
    topic: str  # "mtc_men2", "type_1_diabetes", "pregnancy", "adherent", …
    present: bool
    subjects: tuple[Literal["self", "family"], ...] = ("self",)
    date: date | None = None
    by: str = ""
    text: str = ""
    specialty: str = ""  # of whoever was consulted, where the topic is a consultation


class Note(Record, frozen=True, kw_only=True):
    """A clinical note. Its text is data, never an instruction, and no value in it is evidence by itself."""

    id: str
    date: date | None
    author: str = ""
    specialty: str = ""  # of the author, in lower case
    type: str = "progress note"
    status: Signature = "signed"
    text: str


class Document(Record, frozen=True, kw_only=True):
    """A paper, by its hash. One that was attached here has `pages`: its file is kept, and can be enclosed."""

    id: str
    title: str
    of: str = ""  # Required.of that it can fulfil
    about: str = ""  # the test (a key of terms.TESTS) or drug that it is about
    specialty: str = ""  # of who wrote it, in lower case
    date: date | None = None
    status: Signature | Literal[""] = ""  # "" where its source does not say
    sha256: str = ""
    media_type: str = ""  # of the file that is kept
    pages: int = 0


class Authorization(Record, frozen=True, kw_only=True):
    """A payer's earlier approval. It never transfers to another plan."""

    id: str
    plan_id: str
    drug: str
    indication: str = ""
    start: date
    end: date


class Order(Record, frozen=True, kw_only=True):
    """What the prescriber ordered."""

    id: str
    drug: str
    strength: str = ""
    quantity: float | None = None
    unit: str | None = None  # the drug's billing unit if None
    days_supply: int | None = None
    sig: str = ""
    date: date | None = None
    indication: str = ""
    kind: Kind | None = None


class Patient(Record, frozen=True, kw_only=True, dict=True, gc=True):
    """A whole chart. `plan_id` is the plan on file, which need not be one that is active."""

    id: str
    given: str = ""
    family: str = ""
    birth_date: date | None = None
    sex: Sex = "unknown"
    address: Address | None = None
    phone: str = ""
    plan_id: str = ""
    coverages: tuple[Coverage, ...] = ()
    prescriber: Prescriber | None = None
    conditions: tuple[Diagnosis, ...] | None = None
    observations: tuple[Observation, ...] = ()
    medications: tuple[Medication, ...] | None = None
    fills: tuple[Fill, ...] = ()
    allergies: tuple[Allergy, ...] | None = None
    family_history: tuple[FamilyHistory, ...] = ()
    programs: tuple[Program, ...] = ()
    procedures: tuple[Procedure, ...] = ()
    attestations: tuple[Attestation, ...] = ()
    notes: tuple[Note, ...] = ()
    documents: tuple[Document, ...] = ()
    authorizations: tuple[Authorization, ...] = ()
    orders: tuple[Order, ...] = ()
    as_of: date | None = None  # the day on which this chart alone is judged, where an import gave it one
    source: str = ""  # e.g. "fhir:<uuid>"; the same source is the same patient
    typed: tuple[str, ...] = ()  # ids of what a person typed in: it says that a paper exists, and is none

    @property
    def name(self) -> str:
        return one_line(f"{self.given} {self.family}")  # whoever wrote it, a name makes no line of its own

    def judged_on(self, world: date, today: date | None) -> date:
        """The day on which this chart is judged where none is named.

        Args:
            world: the day of the world that was made with its charts.
            today: the day on the clock of whoever asks, for a chart that was imported.

        Raises:
            Invalid: the chart was imported, and nobody says which day it is.
        """
        day = self.as_of or (today if self.source else world)
        if day is None:
            raise Invalid(f"{self.id} was imported, and no day is named on which to judge it")
        return day

    @cached_property
    def observations_by_test(self) -> dict[str, list[Observation]]:
        by_test: dict[str, list[Observation]] = defaultdict(list)
        for observation in self.observations:
            by_test[observation.test].append(observation)
        return by_test

    @cached_property
    def charted_ingredients(self) -> frozenset[tuple[str, ...]]:
        """What the entries of the medication list contain, each in the order of the alphabet."""
        return frozenset([tuple(sorted(entry.ingredients)) for entry in self.medications or ()])

    @cached_property
    def courses_by_drug(self) -> dict[str, list[Medication]]:
        """The medication list by what it says, in lower case."""
        by_drug: dict[str, list[Medication]] = {}
        for entry in self.medications or ():
            by_drug.setdefault(entry.drug.casefold(), []).append(entry)
        return by_drug


# --- drugs and plans -------------------------------------------------------------------------------------


class Strength(Record, frozen=True, kw_only=True):
    """One orderable package. `quantity` billing units in one package last `days` days at the label's dose."""

    label: str  # "1 mg"
    dose: float  # mg per administration
    package: str  # "1 pen of 4 mg/3 mL"
    quantity: float
    days: int
    ndc: str  # 10 digits with hyphens, as on the label
    units: int = 1  # pens, tablets in the package
    doses: int = 1  # administrations that one package holds
    starting: bool = False
    limit_days: int | None = None  # a titration strength that may be used only this long


class LabelIndication(Record, frozen=True, kw_only=True):
    """What the FDA label allows. `rule` = who has it and is not contraindicated; used for alternatives
    where the plan asks for no PA. `doses` are those of this use, in mg per administration, `starting_doses` those on
    the way there; without any, the label is not held against an order."""

    key: str  # t2dm | weight | cv | osa | hf | ckd | mash
    text: str
    doses: tuple[float, ...] = ()
    starting_doses: tuple[float, ...] = ()
    icd10: tuple[str, ...] = ()
    rule: Rule | None = None
    source: str = ""


class Drug(Record, frozen=True, kw_only=True, dict=True, gc=True):
    """A brand."""

    name: str
    generic: str
    ingredients: tuple[str, ...]
    classes: tuple[str, ...]
    class_text: str = ""
    rxnorm: str  # ingredient RxCUI; the brand is kept apart because it cannot tell Ozempic from Wegovy
    route: str
    form: str = ""
    unit: str  # billing unit: "mL" or "tablet"
    per_day: float  # administrations
    sig: str = ""
    strengths: tuple[Strength, ...]
    indications: tuple[LabelIndication, ...]
    contraindications: tuple[str, ...] = ()
    boxed_warning: str = ""
    duplicate_classes: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    list_price: float | None = None
    sources: tuple[str, ...] = ()

    def starting_package(self, use: str = "") -> Strength:
        """The package that the label begins with, for that use where it has doses of its own."""
        named = next((item for item in self.indications if item.key == use), None)
        doses = (*named.starting_doses, *named.doses) if named is not None else ()
        fitting = [item for item in self.strengths if item.dose in doses] or self.strengths
        return next((item for item in fitting if item.starting), fitting[0])


class Benefit(Record, frozen=True, kw_only=True):
    """What one plan says of one drug: a cell of the plan table."""

    drug: str
    covered: bool
    reason: str = ""  # why it is not covered
    pa_required: bool = False
    tier: int | None = None
    copay: str = ""  # "$45" or "30 %"
    step_therapy: tuple[str, ...] = ()
    quantity_limit: QuantityLimit | None = None
    strength_limits: dict[str, QuantityLimit] = {}
    starting_limits: dict[str, StartingLimit] = {}  # by strength, as the policy prints them
    supply_limits: tuple[SupplyLimit, ...] = ()
    indications: tuple[str, ...] = ()  # covered ones
    excluded_uses: dict[str, str] = {}  # indication key → why the benefit excludes it
    rules: tuple[Rule, ...] = ()
    policy_id: str = ""

    def all_limits(self) -> Iterator[QuantityLimit | StartingLimit | SupplyLimit]:
        """Its own and those of its rules."""
        own = Limits(
            quantity=self.quantity_limit,
            by_strength=self.strength_limits,
            starting=self.starting_limits,
            supplies=self.supply_limits,
        )
        for limits in (own, *(rule.limits for rule in self.rules)):
            if limits is not None:
                yield from limits.every()


class Plan(Record, frozen=True, kw_only=True):
    """A payer's plan, with its rule for every drug."""

    id: str  # "CASCADE-GOLD"
    payer_id: str
    payer: str
    name: str
    archetype: str = ""  # a letter of reference §3
    # commercial, exchange, self_funded, medicare_part_d, medicare_advantage, medicaid or state_employees
    line_of_business: str
    bin: str = ""
    pcn: str = ""
    group: str = ""
    phone: str = ""
    fax: str = ""
    portal: str = ""
    address: Address | None = None
    channel: Channel
    form_id: str = ""
    enclosures: tuple[Literal["note", "lab", "fills"], ...] = ()  # that its form wants with every request
    review_hours: int | None = None  # standard review clock
    expedited_hours: int | None = None
    renewal_gap_days: int = 180  # after an approval's end, in which a request is still its renewal
    appeal: str = ""
    internal_levels: int = 1  # of appeal that must be gone through before an external review
    peer_to_peer_days: int | None = None  # after a denial, where the plan offers such a call
    benefits: dict[str, Benefit]  # by drug name


class Clause(Record, frozen=True, kw_only=True):
    """One numbered clause of a policy document."""

    id: str  # as printed: "1.3", "C-4", "§2(b)"
    section: str  # one of the seven keys in terms.SECTIONS
    text: str  # verbatim, without its number


class Policy(Record, frozen=True, kw_only=True):
    """A policy document, as read back from its printed text."""

    id: str  # "CASCADE-GOLD-OZEMPIC"
    plan_id: str
    payer: str
    drug: str
    title: str = ""
    version: str = ""
    effective_from: date | None = None
    effective_to: date | None = None
    clauses: tuple[Clause, ...]
    text: str = ""  # the whole document
    file: str = ""


# --- a question and its answer ---------------------------------------------------------------------------


class LabelDoses(Record, frozen=True, kw_only=True):
    """What the label says of a drug's doses for one use, in mg per administration, and the strength it begins with."""

    use: str
    doses: tuple[float, ...]
    starting_doses: tuple[float, ...] = ()
    strength: str
    dose: float
    ndc: str = ""


class Correction(Record, frozen=True, kw_only=True):
    """The request that waits for an answer and is corrected: our case, the payer's reference, when it was sent, and
    the last day for the answer, if one is known."""

    case_id: int
    reference: str = ""
    sent: date | None = None
    due: date | None = None


class Request(Record, frozen=True, kw_only=True):
    """What is asked of the plan. What is left out is filled in by `determine.complete_request`."""

    drug: str
    strength: str = ""
    quantity: float | None = None
    unit: str | None = None
    days_supply: int | None = None
    kind: Kind | None = None
    indication: str = ""
    therapy_start: date | None = None
    # First days, oldest first, of this plan's approvals of the drug for the use that have begun, each in time to renew
    # the one before.
    approvals: tuple[date, ...] = ()
    lapsed: date | None = None  # the last one's end, if it is too long ago for a renewal
    exception: ExceptionKind | None = None
    statement: str = ""  # the prescriber's own words in support of the exception
    expedited: str = (
        ""  # the prescriber's certification why the standard time would do harm; "" is a standard review
    )
    corrects: Correction | None = None
    order_id: str = ""
    ingredients: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    dose: float | None = None  # mg per administration, of the strength asked for
    ndc: str = ""  # of its package, 11 digits
    assumed: bool = False  # the strength is the label's start, named by nobody
    label: tuple[LabelDoses, ...] = ()
    form: str = ""  # the payer's own form on which it is to be written; "" is the plan's


class ClauseRef(Record, frozen=True, kw_only=True):
    """A citation: code checks that the quote stands in the policy."""

    policy_id: str
    clause_id: str
    quote: str


class Evidence(Record, frozen=True, kw_only=True):
    """A record that shows, or fails to show, a criterion. `note` says why it was set aside, if it was."""

    record_id: str
    kind: str  # "hba1c", "diagnosis", "medication", …
    value: str | float | None = None
    unit: str | None = None
    date: date | None = None
    note: str = ""


class Finding(Record, frozen=True, kw_only=True):
    """One criterion's status and what shows it; `met` always favours the patient. `parts` are the branches
    of a composite, of which `needed` must be met. `WIRE` names what leaves, with the messages in words."""

    WIRE: ClassVar = (
        "criterion", "status", "text", "clause", "evidence", "detail", "reason", "fix", "exclusion", "kind", "parts",
    )  # fmt: skip

    criterion: str
    status: Status
    text: str
    clause: ClauseRef | None = None
    evidence: tuple[Evidence, ...] = ()
    asks: Message | None = None  # what it asks for, where that is said in other words than its text
    found: Message | None = None
    reason: Reason | None = None  # why it is unknown
    action: Action | None = None  # what would change it
    exclusion: bool = False
    kind: Literal["criterion", "eligibility", "dose", "quantity", "document"] = "criterion"
    parts: tuple[Finding, ...] = ()
    needed: int = 0

    @property
    def detail(self) -> str:
        """What was found, in one sentence."""
        return render(self.found) if self.found is not None else ""

    @property
    def fix(self) -> str | None:
        """What would change it, in words."""
        return render(self.action) if self.action is not None else None


class Alternative(Record, frozen=True, kw_only=True):
    """Another covered drug that this patient already meets today."""

    drug: str
    outcome: Outcome
    indication: str = ""
    tier: int | None = None
    copay: str = ""


class Proposal(Record, frozen=True, kw_only=True):
    """An addition to a chart as it would be entered: the list, and the record without its id."""

    part: str  # a key of store.rows.PARTS
    record: dict[str, Any]


class Lead(Record, frozen=True, kw_only=True):
    """Words of a note that may show an open criterion. It counts for nothing until a person confirms it, and then
    as what it proposes; `needs` are the options of `pa confirm` that the note's words leave open."""

    id: str
    criteria: tuple[str, ...]
    quote: str  # verbatim, at [start, end) of the note's text
    document: str
    date: date | None
    start: int
    end: int
    proposes: Proposal
    needs: tuple[str, ...] = ()
    says: str


class Determination(Record, frozen=True, kw_only=True):
    """The answer to one request on one date. It predicts; the payer decides."""

    WIRE: ClassVar = (
        "patient_id", "plan_id", "payer", "drug", "as_of", "outcome", "summary", "indication", "request", "rule_id",
        "policy_id", "in_force", "stopped_by", "findings", "next_actions", "alternatives", "leads", "ignored",
    )  # fmt: skip

    patient_id: str
    plan_id: str
    payer: str
    drug: str
    as_of: date
    outcome: Outcome
    conclusion: Message
    indication: str = ""
    request: Request
    rule_id: str = ""
    policy_id: str = ""
    in_force: bool = True  # whether that policy is in force on as_of
    stopped_by: str = (
        ""  # eligibility | formulary | benefit | pa | exclusion | criteria | quantity | documents | ""
    )
    findings: tuple[Finding, ...] = ()
    actions: tuple[Action, ...] = ()  # what to do next, in that order
    alternatives: tuple[Alternative, ...] = ()
    leads: tuple[Lead, ...] = ()
    ignored: tuple[Evidence, ...] = ()  # values that are dated after as_of, newest first

    @property
    def summary(self) -> str:
        """The outcome, the case and what decided it, in one sentence."""
        return render(self.conclusion)

    @property
    def headless(self) -> str:
        """The summary without the outcome."""
        return render(self.without_outcome)

    @property
    def without_outcome(self) -> Message:
        """The conclusion without the outcome."""
        return message("summary", **{**self.conclusion.params, "outcome": None})

    @property
    def because(self) -> str:
        """What decided it."""
        return render(self.reason)

    @property
    def reason(self) -> Message:
        """What decided it, before it is put into words."""
        because = self.conclusion.params["because"]
        assert isinstance(because, Message)
        return because

    @property
    def next_actions(self) -> tuple[str, ...]:
        """What to do next, in words."""
        return tuple([render(action) for action in self.actions])


# --- the payer's form ------------------------------------------------------------------------------------


class Field(Record, frozen=True, kw_only=True):
    """One blank of a payer's form. `source` names the value that fills it (a key of forms.SOURCES)."""

    id: str
    label: str
    source: str
    type: Literal["text", "date", "number", "choice", "tick", "lines"] = "text"
    options: tuple[str, ...] = ()
    required: bool = False


class Section(Record, frozen=True, kw_only=True):
    """A part of a form. `repeat="criteria"` prints one question per criterion of the case's rule;
    trials, labs, diagnoses, allergies print one row per record. `only` names the requests on whose form it stands."""

    title: str
    fields: tuple[Field, ...] = ()
    repeat: Literal["", "criteria", "trials", "labs", "diagnoses", "allergies"] = ""
    renewal_only: bool = False
    only: Literal["", "exception", "expedited", "correction"] = ""


class Blank(Record, frozen=True, kw_only=True):
    """Where one value goes on a payer's own PDF: into a field of it, or into a box on one of its pages."""

    label: str  # as the paper calls it
    source: str  # as of Field; the column of a section that repeats has a `row`
    row: int = 0  # which record, from 1
    field: str = ""  # the name that the PDF gives it
    at: tuple[float, ...] = ()  # page from 1, left, bottom, right, top in points, where it has no name
    # What is marked for each value: a tick box by its name, a state or an option of `field`, or a box as `at` has it.
    marks: dict[str, str | tuple[float, ...]] = {}
    required: bool = False


class PayerPdf(Record, frozen=True, kw_only=True):
    """A payer's own form as a file, and its blanks."""

    sha256: str
    blanks: tuple[Blank, ...]
    smallest: float = 6.5  # points, to which text shrinks before it goes on in the addendum


class FormTemplate(Record, frozen=True, kw_only=True):
    """A payer's PA form, and how it wants things written."""

    id: str
    plan_id: str
    payer: str
    title: str
    channel: Channel
    date_format: str  # strftime, e.g. "%m/%d/%Y"
    units: Literal["us", "metric"]  # lb and in, or kg and cm
    yes_no: Literal["ticks", "words"] = "ticks"
    sections: tuple[Section, ...]
    attestation: str
    attachments: tuple[str, ...] = ()
    look: dict[str, str] = {}  # accent colour, font, header layout, …
    pdf: PayerPdf | None = None  # the payer's own, which is filled instead of being drawn


class FilledField(Record, frozen=True, kw_only=True):
    """A field with its value in the payer's format and where it came from."""

    id: str
    section: str
    label: str
    type: str
    value: str = ""
    required: bool = False
    options: tuple[str, ...] = ()
    record_id: str = ""  # the chart's record, "patient", "plan:<id>", "order:<id>", "drug:<name>", …
    clause_id: str = ""


class Attachment(Record, frozen=True, kw_only=True):
    """A document that the request needs, and the record that fulfils it ("" if none does yet). It is `enclosed` if the
    packet holds it; else it is still to be attached."""

    label: str
    record_id: str = ""
    date: date | None = None
    clause_id: str = ""
    enclosed: bool = False


class PARequest(Record, frozen=True, kw_only=True):
    """The filled form of one payer for one case. `ready` only if nothing required is missing."""

    form_id: str
    patient_id: str
    plan_id: str
    payer: str
    drug: str
    as_of: date
    channel: Channel
    outcome: Outcome
    warning: str = ""  # e.g. which criterion fails, on a forced draft
    fields: tuple[FilledField, ...]
    missing: tuple[str, ...] = ()  # labels
    ready: bool = False
    attachments: tuple[Attachment, ...] = ()
    exceptions: tuple[ExceptionKind, ...] = ()
    expedited: bool = False

    @property
    def to_attach(self) -> tuple[str, ...]:
        """The documents that the packet lacks."""
        return tuple(paper.label for paper in self.attachments if not paper.enclosed)
