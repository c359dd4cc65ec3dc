"""What a coverage rule is made of: a tree of criteria, as plain data.

A rule is written once, in the catalog, and printed as the plan table, the policy's clauses, the form's
questions and the labels of the cases. This module only names its parts; `criteria.py` evaluates them and
`prose.py` prints them and reads them back.

There is no way to write a rule in which missing means failed: a leaf says what must be *shown*, and what
is not shown is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from tools.common.dates import add_months

Op = Literal[">=", ">", "<=", "<", "=="]
Anchor = Literal["current", "baseline"]
Who = Literal["self", "family"]
Rounding = Literal["tenths"]
Degree = Literal["first", "second"]
Reading = Literal["newest", "any", "highest", "lowest"]
Response = Literal["inadequate", "partial", "intolerance", "effective"]
Count = Annotated[int, msgspec.Meta(ge=0)]
Dose = Annotated[float, msgspec.Meta(ge=0)]
TimeUnit = Literal["days", "weeks", "months"]


class Period(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A span of time as a policy counts it: days, weeks of seven days, or calendar months."""

    count: int
    unit: TimeUnit = "days"

    def before(self, day: date) -> date:
        """The first day of the window of this length that ends on `day`; both are in it."""
        return self._moved(day, -1)

    def after(self, day: date) -> date:
        """The day on which what began on `day` has lasted so long."""
        return self._moved(day, 1)

    def last(self, day: date) -> date:
        """The last day whose window holds `day`; a month that is too short holds a day longer."""
        end = self.after(day)
        while self.unit == "months" and self.before(end + timedelta(days=1)) <= day:
            end += timedelta(days=1)
        return end

    def _moved(self, day: date, way: int) -> date:
        """No further than the calendar goes."""
        try:
            if self.unit == "months":
                return add_months(day, way * self.count)
            return day + timedelta(days=way * self.count * _DAYS[self.unit])
        except (OverflowError, ValueError):
            return date.min if way < 0 else date.max

    def __str__(self) -> str:
        return f"{self.count} {self.unit}"


_DAYS: dict[str, int] = {"days": 1, "weeks": 7}


class Part(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    dict=True,
):
    """What every node of the tree carries: its name, its plain statement, and the clause that prints it. What is
    derived from the node alone may be kept in its `__dict__`, which is neither compared nor written."""

    id: str
    text: str = ""  # plain statement in our words, e.g. "HbA1c at least 7.0 % within 90 days"
    clause_id: str = ""  # as numbered in the policy document
    quote: str = ""  # that clause, verbatim
    question: str = ""  # how the payer's form asks for it


# --- composites ------------------------------------------------------------------------------------------


class AllOf(Part, frozen=True, kw_only=True, tag="all_of"):
    """Met if every child is; not met as soon as one is not."""

    children: tuple[Node, ...]


class AnyOf(Part, frozen=True, kw_only=True, tag="any_of"):
    """Met as soon as one child is; not met only if none can be."""

    children: tuple[Node, ...]


class NoneOf(Part, frozen=True, kw_only=True, tag="none_of"):
    """The negation of any_of."""

    children: tuple[Node, ...]


class AtLeast(Part, frozen=True, kw_only=True, tag="at_least"):
    """Met if `k` children are."""

    k: int
    children: tuple[Node, ...]


# --- leaves ----------------------------------------------------------------------------------------------


class Age(Part, frozen=True, kw_only=True, tag="age"):
    """Completed years on as_of."""

    op: Op
    years: int


class Condition(Part, frozen=True, kw_only=True, tag="condition"):
    """A diagnosis or history. `codes` (ICD-10-CM prefixes), `label` and `phrases` prove it; `suggests` and
    `suggest_phrases` only hint at it (thyroid cancer of unstated type does not prove a medullary one)
    and make it unknown; `not_phrases` (papillary) are something else. `topic` is what an attestation calls it.

    `evidence` matters where it must be absent: `record`, a complete list that lacks it is enough;
    `attestation`, the chart must deny it, for everyone in `who`. `min_duration` is how long it must have stood since
    its onset; of the family only relatives of the first `degree` count, or of the first and second.
    """

    label: str
    codes: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    suggests: tuple[str, ...] = ()
    suggest_phrases: tuple[str, ...] = ()
    not_phrases: tuple[str, ...] = ()
    topic: str = ""
    who: tuple[Who, ...] = ("self",)
    status: Literal["active", "ever"] = "active"
    evidence: Literal["record", "attestation"] = "record"
    within: Period | None = None
    sex: Literal["female", "male"] | None = None  # it can only be present in this sex
    min_duration: Period | None = None
    degree: Degree | None = None


class After(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A course of one of these drugs that must have lasted so long when a value was measured; names as in Trial."""

    label: str
    drugs: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    least: Period


class Lab(Part, frozen=True, kw_only=True, tag="lab"):
    """A measured value. The newest valid one in the window governs, or any, the highest or the lowest of them
    (`reading`), or so many of different days (`readings`); `baseline` is the one at therapy start, with the window
    counted back from there. `after` wants it measured when a course had lasted long enough. It is compared as recorded,
    unless the rule says that it is `rounded`, halves up."""

    test: str  # a key of terms.TESTS
    op: Op
    value: float
    unit: str
    within: Period | None = None
    at: Anchor = "current"
    rounded: Rounding | None = None
    reading: Reading = "newest"
    readings: int = 1
    after: After | None = None

    @property
    def of_newest(self) -> bool:
        """Does the newest value alone decide it?"""
        return self.reading == "newest" and self.readings == 1


class Measured(Part, frozen=True, kw_only=True, tag="measured"):
    """Values of these tests are on record within the window, whatever they are."""

    tests: tuple[str, ...]
    within: Period


class Trial(Part, frozen=True, kw_only=True, tag="trial"):
    """A former or ongoing course of one of these drugs, long enough and with one of these responses.

    `drugs` are ingredient or brand names in lower case, `classes` keys of terms.CLASSES; either matches.
    `min_daily_dose` in mg. `proof="fills"`: pharmacy claims must show the days; samples do not count.
    Days may be shown by fills of one drug, distinct ones inside its course: `continuous` ones in a row, `carry_over`
    with what is left of a fill taken before the next. `min_fills` and `adherence` (percent of the course's days that
    fills cover) are asked whatever the proof. `gap_days`: entries or fills of one drug that begin so many days after
    the last day of the one before go on with it. Each drug counts for itself, save where `sum` adds up the days of
    all, `continuous` ones in a row, or `together` asks for all of them on the same days.
    """

    label: str
    drugs: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    min_days: Count = 0
    responses: tuple[Response, ...] = ()
    min_daily_dose: float | None = None
    formulation: Literal["IR", "ER"] | None = None
    within_days: int | None = None
    proof: Literal["record", "fills"] = "record"
    gap_days: Count = 1
    continuous: bool = False
    carry_over: bool = False
    sum: bool = False
    together: bool = False
    min_fills: Count = 0
    adherence: Annotated[float, msgspec.Meta(gt=0, le=100)] | None = None

    @property
    def wants_fills(self) -> bool:
        """Does it ask anything of pharmacy claims?"""
        return self.proof == "fills" or self.min_fills > 0 or self.adherence is not None

    @property
    def counts_days(self) -> bool:
        """Are its days others than those since a course began?"""
        return self.wants_fills or self.min_days > 0


class Intolerance(Part, frozen=True, kw_only=True, tag="intolerance"):
    """A documented adverse reaction that ended a course, or an intolerance on the allergy list."""

    label: str
    drugs: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    formulation: Literal["IR", "ER"] | None = None


class AllergyTo(Part, frozen=True, kw_only=True, tag="allergy"):
    """An allergy to one of these; `requested` also means the drug that is asked for."""

    label: str
    drugs: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    requested: bool = False


class Taking(Part, frozen=True, kw_only=True, tag="taking"):
    """Takes one of these on as_of, at `min_dose` mg or more and `max_dose` mg or less per dose. The product asked for
    itself does not count (`Ozempic` on a renewal of Ozempic), another brand of the same ingredient does."""

    label: str
    drugs: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    min_days: Count = 0
    min_dose: Dose | None = None
    max_dose: Dose | None = None


class OnDrug(Part, frozen=True, kw_only=True, tag="on_drug"):
    """Has been taking the drug asked for this many calendar months up to as_of, at `min_dose` mg per dose or more."""

    min_months: int
    min_dose: float | None = None


class Programme(Part, frozen=True, kw_only=True, tag="programme"):
    """Took part in a structured programme for so long and in so many of its sessions, ended no longer ago than the
    window, or goes on with it."""

    programme: Literal["lifestyle"] = "lifestyle"
    min_duration: Period
    within: Period | None = None
    min_sessions: int = 0
    ongoing: bool = False


class Attested(Part, frozen=True, kw_only=True, tag="attested"):
    """The prescriber states it in the chart."""

    topic: str
    statement: str
    within: Period | None = None


class Specialist(Part, frozen=True, kw_only=True, tag="specialist"):
    """Prescribed by one of these specialties (unless only a consultation counts), or after a consultation with one, in
    the window if there is one: an attestation `specialist_consult` or a document that names the specialty."""

    specialties: tuple[str, ...]
    within: Period | None = None
    prescriber: bool = True


class Change(Part, frozen=True, kw_only=True, tag="change"):
    """A fall or rise from the baseline to the newest value in the window, in percent of the baseline or as an amount in
    the test's unit. The baseline is the value at therapy start, or at the start of this plan's newest approval
    (`since="renewal"`). Percentages are never rounded."""

    test: str
    direction: Literal["fall", "rise"] = "fall"
    percent: float | None = None
    amount: float | None = None
    within: Period | None = None
    since: Literal["start", "renewal"] = "start"


class Use(Part, frozen=True, kw_only=True, tag="use"):
    """The drug is asked for one of these uses (indication keys), at `min_dose` mg or more and `max_dose` mg or less per
    dose. Without a dose, only exclusions say this."""

    uses: tuple[str, ...]
    label: str
    min_dose: Dose | None = None
    max_dose: Dose | None = None


Node = (
    AllOf
    | AnyOf
    | NoneOf
    | AtLeast
    | Age
    | Condition
    | Lab
    | Measured
    | Trial
    | Intolerance
    | AllergyTo
    | Taking
    | OnDrug
    | Programme
    | Attested
    | Specialist
    | Change
    | Use
)
Composite = AllOf | AnyOf | NoneOf | AtLeast


P = TypeVar("P", bound=Part)


def walk(node: Node) -> Iterator[Node]:
    """The node and everything under it, in order."""
    yield node
    if isinstance(node, Composite):
        for child in node.children:
            yield from walk(child)


def mapped(node: P, change: Callable[[Any], Any]) -> P:
    """The tree with every node changed, each before its children; a leaf or a document is a tree of itself."""
    made: Any = change(node)
    if isinstance(made, Composite):
        children = tuple(mapped(child, change) for child in made.children)
        made = msgspec.structs.replace(made, children=children)
    return made  # type: ignore[no-any-return]


def window_of(part: Part) -> Period | None:
    """How old its evidence may be; None where the part does not say."""
    if isinstance(part, Trial):
        return None if part.within_days is None else Period(part.within_days)
    within: Period | None = getattr(part, "within", None)
    return within


# --- how much ------------------------------------------------------------------------------------------------


class Quota(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, gc=False
):
    """Base of what a plan pays for at most; each names the clause that says so."""


class QuantityLimit(Quota, frozen=True, kw_only=True):
    """At most `quantity` billing units in `days` days; a rate, compared exactly."""

    quantity: float
    unit: str
    days: int
    clause_id: str = ""
    quote: str = ""


class StartingLimit(Quota, frozen=True, kw_only=True):
    """A titration strength may be had for so many days in all."""

    days: int
    clause_id: str = ""
    quote: str = ""


class SupplyLimit(Quota, frozen=True, kw_only=True):
    """At most so many days' supply or billing units, what was dispensed in the `days` days before counted in; without
    `days`, in a lifetime."""

    quantity: float
    unit: str  # "day", or the drug's billing unit
    days: int | None = None
    clause_id: str = ""
    quote: str = ""


class Limits(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, gc=False
):
    """A rule's own limits, for its use in place of the benefit's."""

    quantity: QuantityLimit | None = None
    by_strength: dict[str, QuantityLimit] = {}
    starting: dict[str, StartingLimit] = {}
    supplies: tuple[SupplyLimit, ...] = ()

    def every(self) -> Iterator[QuantityLimit | StartingLimit | SupplyLimit]:
        """Each of them, in the order in which a policy prints them."""
        if self.quantity is not None:
            yield self.quantity
        yield from self.by_strength.values()
        yield from self.starting.values()
        yield from self.supplies


# --- a whole rule ----------------------------------------------------------------------------------------


class Required(Part, frozen=True, kw_only=True, tag="document"):
    """A document that goes with the request. `of` says which records can fulfil it; `for_criterion`
    asks for it only where that criterion is met by the record (fills prove a trial, not an allergy)."""

    of: Literal["note", "lab", "fills", "programme", "study", "medication"]
    test: str = ""
    drugs: tuple[str, ...] = ()
    within: Period | None = None
    for_criterion: str = ""


class Rule(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    dict=True,
):
    """One plan's rule for one drug and one indication. `exclusions` state what must NOT be present: a proven
    one stops the case, an absent one is met, one that is unknown joins the criteria."""

    id: str  # e.g. "CASCADE-GOLD/Ozempic/t2dm"
    indication: str  # t2dm | weight | cv | osa | hf | ckd | mash | …
    indication_text: str = ""
    policy_id: str = ""
    version: str = ""
    effective_from: date | None = None
    effective_to: date | None = None
    criteria: AllOf
    exclusions: tuple[Node, ...] = ()
    documents: tuple[Required, ...] = ()
    renewal: AllOf | None = None  # its own criteria; the exclusions hold for both
    later_renewal: AllOf | None = None  # in place of `renewal`, once a renewal has been approved
    initial_months: int = 12
    renewal_months: int = 12
    limits: Limits | None = None

    @property
    def renewals(self) -> tuple[AllOf, ...]:
        """The criteria of a renewal, and those of a later one, as far as it has its own."""
        return tuple([tree for tree in (self.renewal, self.later_renewal) if tree is not None])

    def nodes(self) -> Iterator[Node]:
        """Every node of its criteria, its exclusions and its renewals, outer first."""
        for tree in (self.criteria, *self.exclusions, *self.renewals):
            yield from walk(tree)

    def criteria_of(self, kind: str | None, approvals: int) -> AllOf:
        """The criteria of a request of this kind, for what the plan has approved so many times before."""
        if kind != "renewal" or self.renewal is None:
            return self.criteria
        return self.later_renewal if self.later_renewal is not None and approvals > 1 else self.renewal
