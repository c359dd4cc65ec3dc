"""What a payer's letter says. Each statement is quoted, and says where it stands; what is not stated is None
or empty."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import chain
from typing import Literal

from tools.domain.records import Record

LetterKind = Literal[
    "denial",
    "partial_approval",
    "pend",
    "approval",
    "appeal_upheld",
    "appeal_overturned",
    "withdrawn",
    "duplicate",
    "returned",  # not worked on: wrong form, unsigned, wrong address
    "extension",  # more time is taken to decide
    "not_required",
    "change_notice",  # of a formulary or a rule, about no request
    "wrong_member",
    "payment_advice",
    "other",
    "unclear",
]
REFUSALS: tuple[LetterKind, ...] = ("denial", "partial_approval", "appeal_upheld")
RightKind = Literal[
    "peer_to_peer",
    "appeal",  # the first level, whatever the line of business calls it
    "second_level",
    "external_review",
    "fair_hearing",
    "hearing",  # before an administrative law judge
    "expedited",
]
_LEVELS: tuple[RightKind, ...] = ("appeal", "second_level", "external_review", "fair_hearing", "hearing")
Anchor = Literal["notice", "receipt", "decision"]
Unit = Literal["hours", "days", "business days", "months"]


class Quote(Record, frozen=True, kw_only=True):
    """Words of the letter, verbatim, at [start, end) of its text."""

    text: str
    start: int
    end: int

    @classmethod
    def of(cls, letter: str, start: int, end: int) -> Quote:
        return cls(text=letter[start:end], start=start, end=end)


class Stated(Record, frozen=True, kw_only=True):
    """A name or a number that the letter states, as it stands there."""

    value: str
    quote: Quote


class StatedDate(Record, frozen=True, kw_only=True):
    """A day that the letter states."""

    value: date
    quote: Quote


DayKind = Literal[
    "notice", "receipt", "service", "reply_by", "appeal_by", "p2p_by", "effective", "expires", "birth"
]


class NamedDay(Record, frozen=True, kw_only=True):
    """A day that the letter states, by what it is, whatever the letter decides."""

    what: DayKind
    value: date
    quote: Quote


class RequestedDrug(Record, frozen=True, kw_only=True):
    """A drug that the letter decides on. `name` is the brand as it is usually written; a decision is given only where
    the letter decides otherwise on another drug."""

    name: str
    strength: str = ""  # "0.25 mg"
    quantity: float | None = None
    days_supply: int | None = None
    decision: Literal["", "denied", "approved"] = ""
    quote: Quote


class StatedReason(Record, frozen=True, kw_only=True):
    """One reason: a key of codes.REASONS. `drug` where the letter is about several. `by` is what told it: the words, a
    code of a table (NCPDP, CARC, RARC), or the clause that the letter names, read in the policy. `confirmed`: words and
    code say so both, or the words leave little doubt."""

    code: str
    quote: Quote
    drug: str = ""
    clauses: tuple[str, ...] = ()
    by: Literal["words", "code", "clause"] = "words"
    confirmed: bool = True


class Cited(Record, frozen=True, kw_only=True):
    """A clause, rule or policy that the letter names. `known` if a policy was at hand: whether it has this clause."""

    id: str
    quote: Quote
    known: bool | None = None


class Deadline(Record, frozen=True, kw_only=True):
    """By when, as stated. `day` is given where the letter gives it or enough to count it; days that run from receipt
    cannot be counted from the letter alone."""

    quote: Quote
    amount: int | None = None
    unit: Unit | None = None
    runs_from: Anchor | None = None
    day: date | None = None
    stated: bool = False  # the letter gives the day itself


class Right(Record, frozen=True, kw_only=True):
    """What may be done against the decision. `where` are the addresses and numbers given for it."""

    kind: RightKind
    quote: Quote
    deadline: Deadline | None = None
    where: tuple[Quote, ...] = ()


class Approved(Record, frozen=True, kw_only=True):
    """What was approved, as far as it is stated; both days included."""

    quote: Quote
    start: date | None = None
    end: date | None = None
    quantity: float | None = None
    days_supply: int | None = None


class Denial(Record, frozen=True, kw_only=True):
    """A payer's letter as it was read; not every one denies. `unclear` says what a person should look at."""

    kind: LetterKind
    kind_quote: Quote | None = None
    payer: Stated | None = None
    member: Stated | None = None
    member_id: Stated | None = None
    birth_date: StatedDate | None = None
    reference: Stated | None = None
    dated: StatedDate | None = None
    received: StatedDate | None = None
    days: tuple[NamedDay, ...] = ()
    drugs: tuple[RequestedDrug, ...] = ()
    reasons: tuple[StatedReason, ...] = ()
    cited: tuple[Cited, ...] = ()
    rights: tuple[Right, ...] = ()
    reply_by: Deadline | None = None  # of a pend: when the answers are due
    questions: tuple[Quote, ...] = ()
    approved: Approved | None = None
    orders: tuple[Quote, ...] = ()  # text that gives orders to whoever reads it by machine; never followed
    unclear: tuple[str, ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """The reasons' codes, each once, in the letter's order."""
        return tuple(dict.fromkeys(reason.code for reason in self.reasons))

    @property
    def offered(self) -> Right | None:
        """The first level of appeal that it offers with a deadline, else the first that it offers."""
        levels = [right for kind in _LEVELS for right in self.rights if right.kind == kind]
        return next((right for right in levels if right.deadline), next(iter(levels), None))

    @property
    def next_deadline(self) -> Deadline | None:
        """By when to act on this letter: of the first level that it offers, or of the answers it asks for."""
        return self.reply_by or (self.offered.deadline if self.offered else None)

    def quotes(self) -> Iterator[Quote]:
        """Every quote of the record, for the check that it stands in the letter."""
        yield from _quotes(self)


def _quotes(part: object) -> Iterator[Quote]:
    if isinstance(part, Quote):
        yield part
    elif isinstance(part, Record | tuple):
        parts = part if isinstance(part, tuple) else (getattr(part, name) for name in part.__struct_fields__)
        yield from chain.from_iterable(map(_quotes, parts))
