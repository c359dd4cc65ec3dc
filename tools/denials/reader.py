"""Reads a payer's letter: who, what, why, and what may be done by when. It quotes only what stands there, and follows
no order that stands there.

What was decided is told by the sentences that decide, a reason only by those that give one in this case; both by what
was learned from letters of many hands (`learned.py`). Code counts, dates and compares.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, NamedTuple

import msgspec
import numpy as np

from tools.common.errors import Invalid
from tools.denials.cited_clauses import clauses_told
from tools.denials.drugs import drug_at, drugs_of
from tools.denials.encoded import encode, kinds_of, sentence_rows
from tools.denials.learned import (
    FROM,
    GIVE_REASONS,
    KINDS,
    ROLES,
    TIMES,
    Learned,
    along,
    chances,
    learned,
    seen_letter,
    seen_rows,
    seen_sentences,
    shares,
    together,
)  # fmt: skip
from tools.denials.mentions import Mention, seen_mentions, times_in
from tools.denials.reasons import CODES, evidence, reasons_by_clause, seen_reasons
from tools.denials.records import (
    REFUSALS,
    Approved,
    Cited,
    Deadline,
    Denial,
    LetterKind,
    NamedDay,
    Quote,
    RequestedDrug,
    StatedDate,
    StatedReason,
)  # fmt: skip
from tools.denials.rights import Time, deadline_of, rights_of
from tools.denials.sentences import Sentence, sentences_of
from tools.denials.who import who
from tools.domain.records import Policy
from tools.language.encoder import Encoded
from tools.terminology.quantities import quantities_in

LONGEST = 100_000  # characters
SURE = 0.2  # of a kind, below which it is left open
REFUSED = 0.7  # … of all that refuse together
GIVING = 0.6  # … of all that give reasons, from which they are told of a letter that is left open
LIKELY = 0.5  # of a reason, from which it is told
CONFIRMED = 0.9  # … from which it is believed
WORDED = 0.3  # … by its likeliest sentence, below which a code of a table alone tells it
LEAST = 0.45  # of what a day is
ORDERED = 0.25  # of an order to whoever reads by machine, from which it is reported: to report none is worse
ROLES_BY_ROWS, TIMES_BY_ROWS, KIND_BY_ROWS = 0.35, 0.5, 0.5  # what the encoder's rows count beside the words
NOTHING = 0.5  # what it counts that a day seems to be none of them
_KIND: dict[str, LetterKind] = {
    "partial": "partial_approval",
    "upheld": "appeal_upheld",
    "overturned": "appeal_overturned",
}


class _Read(NamedTuple):
    """A letter in sentences, with the share of every role, and the times in it by what they are; `rows` are the
    encoder's of the sentences."""

    text: str
    sentences: list[Sentence]
    seen: list[Any]
    roles: Any
    times: list[Time]
    days: list[tuple[Mention, str, float]]
    kinds: Any
    encoded: Encoded | None = None
    rows: Any = None

    @property
    def refused(self) -> float:
        """How likely it refuses, whichever way."""
        return float(sum(self.kinds[KINDS.index(one)] for one in ("denial", "partial", "upheld")))

    @property
    def letter(self) -> str:
        """The likeliest of its kinds, in the light of which its dates and drugs are read."""
        return KINDS[int(self.kinds.argmax())]

    def share(self, at: int, role: str) -> float:
        return float(self.roles[at, ROLES.index(role)])

    def role(self, at: int) -> str:
        return ROLES[int(self.roles[at].argmax())]

    def quote(self, at: int) -> Quote:
        return self.quote_of(self.sentences[at])

    def quote_of(self, one: Sentence | Mention) -> Quote:
        return Quote.of(self.text, one.start, one.end)


def read_letter(
    text: str, payers: Iterable[str] = (), policy: Policy | None = None, models: Learned | None = None
) -> Denial:
    """What the letter states. `payers` are names that may be found in it; with the policy that it applies, clauses that
    it names are looked up there, and tell the reason where the letter's own words do not. `models` are others than the
    ones that are shipped, to score them.

    Raises:
        Invalid: the text is empty or longer than a letter.
    """
    if not text.strip():
        raise Invalid("the letter holds no text")
    if len(text) > LONGEST:
        raise Invalid(f"the letter has {len(text):,} characters; one letter has at most {LONGEST:,}")
    models = models or learned()
    read = _sensed(text, models)
    found = _stated(read, payers, policy, models)
    for quote in found.quotes():
        assert text[quote.start : quote.end] == quote.text, f"{quote.text!r} does not stand in the letter"
    return found


# --- what the models say ---------------------------------------------------------------------------------


def _sensed(text: str, models: Learned) -> _Read:
    sentences = sentences_of(text)
    seen = seen_sentences(sentences)
    scores = models.role.scores(seen)
    encoded = rows = None
    if models.of_rows:
        encoded = encode(text, sentences)
        rows = sentence_rows(encoded, sentences)
        scores = together(scores, models.of_rows.role.scores(seen_rows(rows)), ROLES_BY_ROWS)
    roles = along(scores, models.steps)
    kinds = models.kind.scores([seen_letter(sentences, seen, roles)])[0]
    if rows is not None:
        kinds = together(kinds, np.log(kinds_of(rows)), KIND_BY_ROWS)
    named = [ROLES[int(at)] for at in roles.argmax(1)]
    days, times = _times(text, sentences, named, KINDS[int(kinds.argmax())], models, encoded)
    return _Read(text, sentences, seen, roles, times, days, shares(kinds), encoded, rows)


def _times(
    text: str,
    sentences: list[Sentence],
    named: list[str],
    letter: str,
    models: Learned,
    encoded: Encoded | None,
) -> tuple[list[tuple[Mention, str, float]], list[Time]]:
    """Each day with what it is and how likely it is that, and the times by which something is to be done."""
    days, times = list[tuple[Mention, str, float]](), list[Time]()
    mentions = times_in(text, sentences)
    if not mentions:
        return days, times
    around = seen_mentions(text, sentences, named, mentions, letter)
    scores = models.time.scores(around)
    if models.of_rows and encoded:
        rows = np.array([encoded.mean(one.start, one.end) for one in mentions])
        scores = together(scores, models.of_rows.time.scores(seen_rows(rows)), TIMES_BY_ROWS)
    scores[:, TIMES.index("other")] += np.log(NOTHING)
    told = _one_notice(mentions, along(scores, models.time_steps))
    starts = shares(models.runs_from.scores(around))
    for one, share, start in zip(mentions, told, starts, strict=True):
        what = TIMES[int(share.argmax())]
        if one.kind == "date":
            days.append((one, what, float(share.max())))
        if what.endswith("_by"):
            runs_from = FROM[int(start.argmax())] or None if one.kind == "span" else None
            times.append(Time(one, what, runs_from))  # type: ignore[arg-type]
    return days, times


def _one_notice(mentions: list[Mention], told: Any) -> Any:
    """A letter has one date of its own: days that seem to be it too are the next that is likely of them."""
    column = TIMES.index("notice")
    seem = [(told[at, column], one.day) for at, one in enumerate(mentions) if told[at].argmax() == column]
    if seem:
        own = max(seem, key=lambda pair: pair[0])[1]
        for at, one in enumerate(mentions):
            if one.day != own:
                told[at, column] = 0
                told[at] /= told[at].sum()
    return told


# --- what they come to -----------------------------------------------------------------------------------


def _stated(read: _Read, payers: Iterable[str], policy: Policy | None, models: Learned) -> Denial:
    text, sentences = read.text, read.sentences
    count = range(len(sentences))
    named = [read.role(at) for at in count]
    kind = _kind(read)
    about = who(text, sentences, named, [one for one, _, _ in read.days], payers, models)
    dated = _day(read, "notice")
    cited = clauses_told(text, {clause.id: clause.text for clause in policy.clauses} if policy else None)
    by_rows = (models.of_rows.drug, read.encoded) if models.of_rows and read.encoded else None
    decided = _decisions(read, models)
    drugs = drugs_of(text, sentences, read.roles, decided, read.letter, models.drug, by_rows)
    reasons = _reasons(read, kind, drugs, cited, policy, models)
    when = dated.value if dated else None
    rights = rights_of(text, sentences, [read.share(at, "rights") > 0.4 for at in count], read.times, when)
    found = Denial(
        **about._asdict(),
        kind=kind,
        kind_quote=_deciding(read),
        birth_date=_day(read, "birth"),
        dated=dated,
        received=_day(read, "receipt"),
        days=tuple(_days(read)),
        drugs=drugs,
        reasons=reasons,
        cited=cited,
        rights=rights,
        reply_by=_reply(read, when),
        questions=tuple(read.quote(at) for at in count if kind == "pend" and _asks(sentences[at], named[at])),
        approved=_approved(read) if kind in ("approval", "partial_approval", "appeal_overturned") else None,
        orders=tuple(read.quote(at) for at in count if read.share(at, "order") > ORDERED),
    )
    return msgspec.structs.replace(found, unclear=tuple(_unclear(found, read)))


def _kind(read: _Read) -> LetterKind:
    """The likeliest, unless that is not likely enough, or it refuses and refusals together are not likely enough."""
    best = int(read.kinds.argmax())
    kind = _called(KINDS[best])
    if read.kinds[best] < SURE or (kind in REFUSALS and read.refused < REFUSED):
        return "unclear"
    return kind


def _called(kind: str) -> LetterKind:
    return _KIND.get(kind, kind)  # type: ignore[arg-type]


def _deciding(read: _Read) -> Quote | None:
    """The sentence that tells most likely what was decided."""
    decides = read.roles[:, ROLES.index("decision")]
    best = int(decides.argmax())
    return read.quote(best) if decides[best] > 0.25 else None


def _decisions(read: _Read, models: Learned) -> list[str]:
    """What each sentence that decides says by itself."""
    told = [""] * len(read.sentences)
    for at in range(len(told)):
        if read.share(at, "decision") > 0.4:
            alone = read.roles[at : at + 1] * 0
            alone[0, ROLES.index("decision")] = 1
            scores = models.kind.scores([seen_letter([read.sentences[at]], [read.seen[at]], alone)])
            kinds = dict(zip(KINDS, map(float, shares(scores)[0]), strict=True))
            no, yes = kinds["denial"] + kinds["upheld"], kinds["approval"] + kinds["overturned"]
            told[at] = "denied" if no > max(yes, 0.3) else "approved" if yes > 0.3 else ""
    return told


class _Hit(NamedTuple):
    """How likely a letter gives a reason, and the sentence by which it does; `by_code` if only a code of a table there
    says so."""

    share: float
    at: int
    by_code: bool

    @property
    def confirmed(self) -> bool:
        return self.share >= CONFIRMED and not self.by_code


def _reasons(
    read: _Read,
    kind: LetterKind,
    drugs: tuple[RequestedDrug, ...],
    cited: tuple[Cited, ...],
    policy: Policy | None,
    models: Learned,
) -> tuple[StatedReason, ...]:
    """Each reason once, with its likeliest words; none where the document gives none, and no reason makes it one that
    refuses."""
    giving = {one: float(read.kinds[KINDS.index(one)]) for one in GIVE_REASONS}
    likeliest = max(giving, key=lambda one: giving[one])
    if kind != _called(likeliest) and not (kind == "unclear" and sum(giving.values()) >= GIVING):
        return ()
    best = _likeliest(read, likeliest, models)
    told = {code: hit for code, hit in best.items() if hit.share >= LIKELY}
    if kind in REFUSALS:
        bare = set(told) <= {"medical_necessity"} and not any(hit.confirmed for hit in told.values())
        if bare and (by_clause := reasons_by_clause(cited, policy)):
            return by_clause  # no more is said than that a criterion is not met
        if not told:  # a code, or a guess
            likely = [pair for pair in best.items() if pair[1].share >= LIKELY / 4]
            told = dict(sorted(likely, key=lambda pair: (not pair[1].by_code, -pair[1].share))[:1])
    made = [_reason(read, code, hit, drugs, cited) for code, hit in told.items()]
    return tuple(sorted(made, key=lambda reason: reason.quote.start))


def _likeliest(read: _Read, kind: str, models: Learned) -> dict[str, _Hit]:
    """What speaks for each reason in a letter of this kind."""
    by_rows = (models.of_rows.code, read.rows) if models.of_rows else None
    found = evidence(read.sentences, read.seen, read.roles, kind, models.code, by_rows)
    told = chances(models.reasons.scores(seen_reasons(found, kind)))[:, 0]
    hits = {}
    for code, share, best, at, coded in zip(CODES, told, found.best, found.at, found.coded, strict=True):
        by_code = coded >= 0 and best < WORDED
        hits[code] = _Hit(float(share), coded if by_code else at, by_code)
    return hits


def _reason(
    read: _Read, code: str, hit: _Hit, drugs: tuple[RequestedDrug, ...], cited: tuple[Cited, ...]
) -> StatedReason:
    """With the drug under which it stands, and the clauses that are named beside it."""
    quote = read.quote(hit.at)
    near = tuple(one.id for one in cited if quote.start - 40 <= one.quote.start <= quote.end + 60)
    return StatedReason(
        code=code, quote=quote, drug=drug_at(drugs, read.text, quote.start, quote.end), clauses=near,
        by="code" if hit.by_code else "words", confirmed=hit.confirmed,
    )  # fmt: skip


def _day(read: _Read, what: str) -> StatedDate | None:
    """The likeliest day of this kind."""
    fitting = [(share, -one.start, one) for one, told, share in read.days if told == what]
    if not fitting:
        return None
    one = max(fitting)[2]
    assert one.day is not None
    return StatedDate(value=one.day, quote=read.quote_of(one))


def _days(read: _Read) -> Iterator[NamedDay]:
    """Every day that the letter states and that is something."""
    for one, what, share in read.days:
        if what != "other" and one.day is not None and share >= LEAST:
            yield NamedDay(what=what, value=one.day, quote=read.quote_of(one))  # type: ignore[arg-type]


def _reply(read: _Read, dated: date | None) -> Deadline | None:
    """By when answers are due: the earliest day, or the first stretch."""
    times = (time for time in read.times if time.what == "reply_by")
    due = [deadline_of(read.text, read.sentences[t.mention.sentence], t, dated) for t in times]
    stated = [one for one in due if one.day]
    return min(stated, key=lambda one: one.day or date.max) if stated else next(iter(due), None)


def _asks(sentence: Sentence, role: str) -> bool:
    """It asks for something: a question, or an item of a list under a line that announces it."""
    if role in ("rights", "order", "rule"):
        return False
    words = sentence.words
    numbered = words[:2].rstrip(".)").isdigit() and words[1:3].strip(".) ") != words[1:3]
    if sentence.alone and (words[0] in "-*•" or numbered):
        return True
    return words.endswith("?") and not words.lower().startswith(("what if", "what can", "question"))


def _approved(read: _Read) -> Approved | None:
    """From when to when, and how much in a sentence that decides."""
    start, end = _day(read, "effective"), _day(read, "expires")
    quantity = days = None
    decides = [at for at in range(len(read.sentences)) if read.share(at, "decision") > 0.3]
    for at in decides:
        for one in quantities_in(read.text[read.sentences[at].start : read.sentences[at].end]):
            counted = one.value and one.unit in ("mL", "{tablet}", "{pen}", "{unit}")
            if quantity is None and counted and one.per and one.per[1] == "d":
                quantity, days = one.value, int(one.per[0])
    place = end or start
    if place is None and quantity is None:
        return None
    stating = (one for one in read.sentences if place and one.start <= place.quote.start < one.end)
    quote = read.quote_of(next(stating, read.sentences[decides[0] if decides else 0]))
    return Approved(
        quote=quote, start=start.value if start else None, end=end.value if end else None, quantity=quantity,
        days_supply=days,
    )  # fmt: skip


def _unclear(found: Denial, read: _Read) -> Iterator[str]:
    """What a person should look at, because the letter does not say it or the reader is not sure of it."""
    if found.kind == "unclear":
        likely = [KINDS[int(at)].replace("_", " ") for at in read.kinds.argsort()[::-1][:2]]
        yield f"it is not clear what was decided: {likely[0]} or {likely[1]}; read it, or ask the payer"
    if found.kind in REFUSALS and not found.reasons:
        yield "no reason for the decision was found"
    for reason in found.reasons:
        if not reason.confirmed:
            yield f"the reason {reason.code} is unconfirmed: read its words"
    for name, value in (("date", found.dated), ("member", found.member), ("drug", found.drugs)):
        if not value:
            yield f"no {name} was found"
    if found.orders:
        yield "the letter gives orders to whoever reads it by machine; they were not followed"
    deadline = found.next_deadline
    if found.kind in REFUSALS and found.rights and deadline is None:
        yield "no deadline was found"
    elif deadline is not None and deadline.day is None:
        yield from _uncounted(deadline, found)


def _uncounted(deadline: Deadline, found: Denial) -> Iterator[str]:
    if deadline.runs_from == "receipt":
        yield "the letter alone does not give the day of its deadline: it runs from when the letter was received"
    elif found.dated is None:
        yield "the deadline runs from the letter's date, which was not found; no day was counted"
    else:
        yield "the letter alone does not give the day of its deadline"
