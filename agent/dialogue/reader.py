"""A turn read: what it asks, in order, and about what.

    text → what it names (entities) · what each span asks (encoder) → drugs, from the span, the turn or the talk → Asks

What is asked is learned from examples by many authors (evals/examples/questions); no pattern decides it. What a drug, a
person, a plan and a supposition are is looked up. Every drug of a reading is one of the catalog's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from agent.dialogue import days, entities, hypotheses, replies, words
from agent.dialogue import drugs as drug_names
from agent.dialogue.classifiers import POLARITY, addressee
from agent.dialogue.entities import Entities
from agent.dialogue.known import Known
from agent.dialogue.query import (
    DECISIONS,
    OF_A_DRUG,
    QUERIES,
    Ask,
    Form,
    Mention,
    Polarity,
    Query,
    Reading,
    Scope,
    Talk,
    intent_of,
)
from agent.dialogue.turns import asking
from agent.dialogue.wordlists import words as listed_words
from tools.engine.what_if import Diagnosed, Insured
from tools.language.assertion import sentences
from tools.language.encoder import Encoded, encode, head
from tools.language.ngrams import ngrams
from tools.terminology.medicines import CLASSES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.dialogue.lessons import Lessons
    from tools.engine.what_if import Change

SURE = 0.5  # of likelihood, from which a query is answered without asking back
LIKELY = 0.2  # of likelihood, from which a span asks a second thing too: two questions are often told as one
# Of likelihood, from which a part of what forbids something is taken to ask for a draft.
SURE_OF_A_DRAFT = 0.9
OF_SENDING = 0.25  # of what is not taken to forbid a draft: from there on it is sending that is forbidden
SURE_OF_ANOTHER = 0.8  # of likelihood, from which a turn that names nobody is taken to be about somebody else
# What a second reading may be. It is told behind the first, so it does nothing, and is about nobody else.
_TELLING: frozenset[Query] = frozenset(
    query
    for query in QUERIES
    if intent_of(query) in ("eligibility", "missing", "why", "compare", "chart", "plan", "dates", "cases")
) - {"quantity", "sources", "note", "summary"}
_WANTED = ("requested", "mentioned")  # roles of a drug that is no course
SEVERAL = 0.6  # of likelihood, from which a drug that is named is one that is asked about
_DRAFTING: tuple[Query, ...] = ("draft", "draft_appeal")
# Asks for which a text to somebody is read that no ask of the turn was taken to want.
_INSTEAD: frozenset[Query] = frozenset((*_DRAFTING, "no_draft", "unclear", "off_topic", "fabricate"))
_THINGS = ("test", "condition", "medicine", "class", "drug")
_VALUES: frozenset[Query] = frozenset(("value", "trend", "value_age"))
_OF_A_TEST: frozenset[Query] = _VALUES | {"criterion", "lookback"}
_OF_A_MEDICINE: frozenset[Query] = frozenset(("medication", "allergy", "fills"))
_OF_A_CONDITION: frozenset[Query] = frozenset(("diagnosis", "statement", "family"))
_OF_A_THING = _OF_A_TEST | _OF_A_MEDICINE | _OF_A_CONDITION
_CLASS_TEXTS = frozenset(CLASSES.values())
_SUPPOSING: frozenset[Query] = frozenset(("what_if", "news", "quantity", "earliest"))


# What may be asked of a supposed case as of the real one.
_PERHAPS: frozenset[Query] = DECISIONS | {"criterion", "attach", "compare", "options", "coverage", "lookback"}
MAY_SUPPOSE = 0.15  # of likelihood, from which one of these is read as asked of what its turn supposes


class Span(NamedTuple):
    """A part of the turn that asks something: the likeliest query, the next one, and how likely both are."""

    start: int
    end: int
    query: Query
    form: Form
    scope: Scope
    sure: float
    next: Query
    next_sure: float = 0.0


def read(question: str, talk: Talk, known: Known, lessons: Lessons | None = None) -> Reading:
    """What the turn says; never raises for what it says.

    Args:
        question: the turn, as it was typed.
        talk: what the conversation was about so far.
        known: the drugs, plans and people of the store.
        lessons: how this clinic asks.

    Raises:
        Unavailable: the encoder is not installed.
    """
    text = drug_names.in_full(words.clean(question), known)
    named = entities.find(text, talk, known)
    if talk.offered and (chosen := replies.reply(named, talk, known)):
        return chosen
    encoded = encode(text, talk.question)
    spans = spans_of(text, talk.question) or [_whole(encoded, text, talk.question)]
    spans = [_without_sending(span, encoded, text, talk.question) for span in spans]
    if any(span.query in _DRAFTING for span in spans):
        spans = [span for span in spans if not (span.query == "no_draft" and _forbids_sending(span, text))]
        spans += _taken_back(text, talk.question, encoded, spans)
    if lessons is not None:
        spans = [_as_taught(span, encoded, lessons) for span in spans]
    if not named.person.said:
        spans = [_of_this_patient(span, SURE_OF_ANOTHER) for span in spans]
    elif {word.casefold() for word in named.person.said.split()} <= {*talk.names}:
        spans = [_of_this_patient(span, 1.0) for span in spans]
    impossible = _impossible(talk)
    spans = [span._replace(query=span.next) if span.query in impossible else span for span in spans]
    if any(one.kind == "drug" for one in named.found):
        # "Blair, Sarah. Ozempic": whose chart is open asks nothing
        spans = [span._replace(query="eligible") if _only_names(span, talk) else span for span in spans]
    asks: list[Ask] = []
    for span in spans:
        asks.append(_ask(span, spans, encoded, named, asks, talk, known))
    second = [_ask(span, spans, encoded, named, asks, talk, known) for span in _second(spans, asks)]
    asks += [ask for ask in second if ask.query not in _OF_A_THING or ask.names_something]
    asks = [_with_drugs_of_the_turn(ask, asks) for ask in asks]
    if len(spans) == 1 and spans[0].query == "correct":
        asks = _corrected(asks[0], spans[0], talk)
    if encoded.offsets:
        asks = _with_message(asks, encoded, text, talk)
    sure = min(span.sure for span in spans)
    unsure = min(spans, key=lambda span: span.sure)
    return Reading(
        asks=tuple(_merged(asks)),
        mentions=_mentions(named, encoded),
        person=named.person.said,
        candidates=_candidates(named, asks, known),
        strangers=_strangers(named, spans, asks),
        strange_plan=next((one.key for one in named.found if one.kind == "strange plan"), ""),
        readings=(unsure.query, unsure.next) if sure < SURE else (),
        sure=round(sure, 2),
    )


# --- what is asked ----------------------------------------------------------------------------------------


def spans_of(text: str, before: str = "") -> list[Span]:
    """The spans of a text that ask something, in order."""
    encoded = encode(text, before)
    return [_span(encoded, text, before, start, end) for start, end in asking(text, encoded)]


def _span(encoded: Encoded, text: str, before: str, start: int, end: int) -> Span:
    row = encoded.mean(start, end)
    queries = head("query")
    shares = ngrams().joined(queries.likelihoods(row), text[start:end], text, before)
    best, second = (int(at) for at in shares.argsort()[::-1][:2])
    return Span(
        start,
        end,
        _query(queries.labels[best]),
        head("form").best(row)[0],  # type: ignore[arg-type]
        head("scope").best(row)[0],  # type: ignore[arg-type]
        float(shares[best]),
        _query(queries.labels[second]),
        float(shares[second]),
    )


def _of_this_patient(span: Span, sure: float) -> Span:
    """A span is about somebody else only where that is so sure; else it asks what is likeliest next."""
    if span.query == "other_patient" and span.sure <= sure:
        return span._replace(query=span.next, sure=max(span.sure, SURE))
    return span


def _second(spans: Sequence[Span], asks: Sequence[Ask]) -> list[Span]:
    """The next likeliest queries of spans that may well ask two things, or that suppose nothing though it is likeliest
    that they suppose."""
    first = {span.query for span in spans}
    if not first <= _TELLING | {"policy", "draft", "no_draft"}:
        return []
    told = first | DECISIONS if first & DECISIONS else first
    return [
        span._replace(query=span.next, sure=span.next_sure)
        for span, ask in zip(spans, asks, strict=True)
        if (span.next_sure >= LIKELY or (span.query == "what_if" and not ask.changes))
        and span.next in _TELLING - told
    ]


def _impossible(talk: Talk) -> frozenset[Query]:
    """What cannot be asked: a choice where nothing is offered, the last answer again where there is none."""
    nothing_said: frozenset[Query] = frozenset() if talk.asks else frozenset(("rephrase", "correct"))
    return nothing_said if talk.offered else nothing_said | {"choose"}


def _only_names(span: Span, talk: Talk) -> bool:
    return span.query == "patient" and bool(talk.patient_id)


def _as_taught(span: Span, encoded: Encoded, lessons: Lessons) -> Span:
    """A span that is all but the words of a lesson asks what the lesson says."""
    query = lessons.nearest(encoded.mean(span.start, span.end))
    if query in (None, span.query):
        return span
    return span._replace(query=query, next=span.query, sure=1.0)


def _taken_back(text: str, before: str, encoded: Encoded, spans: Sequence[Span]) -> list[Span]:
    """Sentences of a turn that asks for a draft which say, read whole, that nothing is to be drafted: those between its
    spans, and those of which a span that asks for it is a part ("Draft nothing yet")."""
    rest = [
        (start, end)
        for start, end in sentences(text)
        if not any(span.start < end and start < span.end and span.query not in _DRAFTING for span in spans)
    ]
    read = [
        _without_sending(_span(encoded, text, before, start, end), encoded, text, before)
        for start, end in rest
    ]
    return [
        span
        for span in read
        if span.query == "no_draft" and span.sure >= SURE and not _forbids_sending(span, text)
    ]


def _without_sending(span: Span, encoded: Encoded, text: str, before: str) -> Span:
    """The part of a span that asks for a draft, where the rest only forbids to send it; else the span."""
    if span.query != "no_draft":
        return span
    for at in (start for start, _ in encoded.offsets if span.start < start < span.end):
        asks = _span(encoded, text, before, span.start, at)
        alone = _read_alone(text[span.start : at])
        if asks.query != alone.query or alone.query not in _DRAFTING or alone.sure < SURE_OF_A_DRAFT:
            continue
        if _forbids_sending(Span(at, span.end, "no_draft", span.form, span.scope, SURE, span.next), text):
            return asks._replace(sure=alone.sure)
    return span


def _forbids_sending(span: Span, text: str) -> bool:
    """Whether what forbids a draft by itself speaks rather of sending than of drafting."""
    part = text[span.start : span.end]
    encoded, queries = encode(part, ""), head("query")
    if not encoded.offsets:
        return False
    shares = ngrams().joined(queries.likelihoods(encoded.mean(0, len(part))), part, part, "")
    likely = dict(zip(queries.labels, map(float, shares), strict=True))
    sending = likely["submit_it"] + likely["submit"] + likely["sent"]
    return sending + likely["no_draft"] >= SURE and sending > OF_SENDING * (1 - likely["no_draft"])


def _read_alone(text: str) -> Span:
    return _whole(encode(text, ""), text, "")


def _query(label: str) -> Query:
    return label if label in QUERIES else "unclear"


def _whole(encoded: Encoded, text: str, before: str) -> Span:
    """The whole turn, where the tagger finds no question in it: it may be a name, a fragment or a story."""
    if not encoded.offsets:
        return Span(0, len(text), "unclear", "text", "none", 0.0, "help")
    return _span(encoded, text, before, 0, len(text))


# --- about what -------------------------------------------------------------------------------------------


def _ask(
    span: Span,
    spans: Sequence[Span],
    encoded: Encoded,
    named: Entities,
    before: Sequence[Ask],
    talk: Talk,
    known: Known,
) -> Ask:
    start, end = span.start, span.end
    if len(spans) == 1:  # what stands around the only question belongs to it
        start, end = 0, len(named.text)
    changes, heard = _supposed(span, spans, named, talk, known)
    if changes and span.query not in _SUPPOSING:
        span = span._replace(query="what_if")
    elif span.query == "what_if" and not changes and talk.supposed and _asks_otherwise(span):
        span = span._replace(query=span.next, sure=span.next_sure)
    supposed = frozenset(str(getattr(change, "drug", "")) for change in changes)
    drugs, all_drugs = _drugs(span, start, end, encoded, named, supposed, before, talk, known)
    typed = named.text[span.start : span.end].lower()
    within = named.within(start, end)
    if not any(one.kind in _THINGS for one in within) and not any(ask.names_something for ask in before):
        # what stands outside all questions may be what the first is about
        within += [
            one for one in named.found if not any(other.start <= one.start < other.end for other in spans)
        ]
    medicines = [one.key for one in within if one.kind in ("medicine", "class")]
    for one in within:
        if one.kind == "drug" and one.key in _CLASS_TEXTS:  # "on a GLP-1": any of the class, ours or not
            medicines.append(one.key)
        elif one.kind == "drug":
            medicines += [name for name in one.names if name not in drugs]
    in_span = any(
        one.kind == "drug" for one in within
    )  # an allergy is not to a drug that another question is about
    if not medicines and (span.query in ("medication", "fills") or (span.query == "allergy" and in_span)):
        medicines = [*drugs]
    tests, conditions = _keys(within, "test"), _keys(within, "condition")
    named_one = bool(tests or conditions or medicines)
    if not named_one:
        if span.query in _OF_A_TEST and (near := _test_meant(span.query, typed, named.text, known)):
            tests = (near,)
        elif span.query in _OF_A_CONDITION and (near := entities.nearest(typed, "condition", known)):
            conditions = (near,)
    guessed = not named_one and bool(tests or conditions)
    if not (tests or conditions or medicines) and span.query in _OF_A_THING:
        tests, conditions, medicines = _talked_of(span.query, typed, before, talk)
        guessed = span.query == "criterion" and bool(tests)  # which may be about something else
    told = days.told(
        span.query, named, (start, end), _supposing_parts(span, spans, len(named.text)), known.as_of
    )
    lapses = days.lapses(named.text[start:end], known.as_of) if span.query == "deadline" else []
    return Ask(
        query=span.query,
        form=span.form,
        yes=_yes(span, encoded, named.text, talk.question) if len(spans) == 1 else "",
        drugs=drugs,
        all_drugs=all_drugs,
        from_talk=bool(drugs) and not {name for one in named.found for name in one.names} & {*drugs},
        tests=tests,
        conditions=conditions,
        medicines=tuple(dict.fromkeys(medicines)),
        guessed=guessed,
        changes=changes,
        unheard=span.query == "what_if" and bool(changes) and not heard,
        indication=drug_names.indication(typed),
        plan_id=next((one.key for one in within if one.kind == "plan"), talk.plan_id),
        day=told[0] if told else None,
        until=min((*told, *lapses), default=None),
        text=named.text[span.start : span.end],
        sure=round(span.sure, 2),
    )


def _with_message(asks: Sequence[Ask], encoded: Encoded, text: str, talk: Talk) -> list[Ask]:
    """With whom a text is to be written to, if one is: in the ask for a message, else instead of one that may be for
    the plan's own papers, or that forbids them, else before all."""
    replace = msgspec.structs.replace
    read = any(ask.query == "message" for ask in asks)
    to = addressee(encoded, text, talk.question, wanted=read)
    papers = any(ask.query in _DRAFTING and ask.sure >= SURE_OF_A_DRAFT for ask in asks)
    if not to or papers or any(ask.query == "rephrase" for ask in asks):
        return [*asks]
    if not read:
        at = next((at for at, ask in enumerate(asks) if ask.query in _INSTEAD), None)
        first = asks[at or 0]
        sure = max(SURE, first.sure)
        message = replace(first, query="message", form="text", yes="", changes=(), text=text, sure=sure)
        if message.all_drugs:
            message = replace(message, drugs=talk.drugs[:1], all_drugs=False, from_talk=True)
        asks = [message, *(ask for number, ask in enumerate(asks) if number != at)]
    return [replace(ask, to=to) if ask.query == "message" else ask for ask in asks]


def _yes(span: Span, encoded: Encoded, text: str, before: str) -> Polarity:
    """What a yes to the only question of a turn would say, if it can be answered with one; beside others it would not
    be clear to which it is."""
    if span.form != "yes_no" or not encoded.offsets:
        return ""
    return POLARITY.label(encoded, span.start, span.end, text, before)  # type: ignore[return-value]


def _supposed(
    span: Span, spans: Sequence[Span], named: Entities, talk: Talk, known: Known
) -> tuple[tuple[Change, ...], bool]:
    """What a span supposes, and whether any of it is told by the span itself: one that most likely supposes, or one
    that may and in which something is found. What was supposed before holds on, unless the span may as well ask
    something else and supposes nothing itself."""
    perhaps = span.query in _PERHAPS and span.next in _SUPPOSING and span.next_sure >= MAY_SUPPOSE
    if span.query not in _SUPPOSING and not perhaps:
        return (), False
    text = named.text
    parts = _supposing_parts(span, spans, len(text))
    changes = hypotheses.find(named, parts, talk, known)
    if drug_names.indication(
        text[span.start : span.end].lower()
    ):  # "for the kidneys and not the diabetes": a use
        changes = tuple(one for one in changes if not (isinstance(one, Diagnosed) and not one.present))
    if span.query == "earliest":
        return hypotheses.under_way(changes, named.within(0, len(text), "drug")), True
    if perhaps:  # under which plan it is asked is known by the plan's name alone
        changes = tuple(one for one in changes if not isinstance(one, Insured))
    if not changes and (perhaps or _asks_otherwise(span)):
        return (), False
    return hypotheses.with_before(talk.supposed, changes), bool(changes)


def _asks_otherwise(span: Span) -> bool:
    """Whether a span that most likely supposes may well ask for something that is told as it is."""
    return span.next in _TELLING - DECISIONS and span.next_sure >= LIKELY


def _supposing_parts(span: Span, spans: Sequence[Span], length: int) -> list[tuple[int, int]]:
    """What of a turn a span may suppose: all but what others ask that suppose nothing. A story told before a question
    belongs to what it supposes."""
    others = [one for one in spans if one is not span and one.query not in _SUPPOSING]
    ends, starts = [0, *(one.end for one in others)], [*(one.start for one in others), length]
    return [(end, start) for end, start in zip(ends, starts, strict=True) if end < start]


def _test_meant(query: Query, typed: str, turn: str, known: Known) -> str:
    """The test that the words of the span mean, or those around it ("the kidneys are down to twenty. Is that so?")."""
    near = entities.nearest(typed, "test", known)
    return near or (entities.nearest(turn.lower(), "test", known) if query in _VALUES else "")


def _talked_of(
    query: Query, typed: str, before: Sequence[Ask], talk: Talk
) -> tuple[tuple[str, ...], tuple[str, ...], list[str]]:
    """The tests, conditions and medicines that were asked about last, as far as the query is about such things; of a
    criterion for which a word stands ("and is it enough"), whatever the question before it names."""
    last = before[-1] if before else None
    if (
        query == "criterion"
        and last
        and last.names_something
        and words.words_of(typed) & listed_words("pronouns")
    ):
        return last.tests, last.conditions, [*last.medicines]
    for one in (*reversed(before), *reversed(talk.asks)):
        if one.tests and query in _OF_A_TEST:
            return one.tests, (), []
        if one.medicines and query in _OF_A_MEDICINE:
            return (), (), [*one.medicines]
        if one.conditions and query in _OF_A_CONDITION:
            return (), one.conditions, []
    return (), (), []


def _keys(within: Sequence[entities.Entity], kind: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.key for one in within if one.kind == kind))


def _drugs(
    span: Span,
    start: int,
    end: int,
    encoded: Encoded,
    named: Entities,
    supposed: frozenset[str],
    before: Sequence[Ask],
    talk: Talk,
    known: Known,
) -> tuple[tuple[str, ...], bool]:
    """The catalog's drugs that the span asks about, and whether it asks about all of the plan's. What is supposed of a
    drug, that it was stopped say, does not ask about it."""
    targets = head("target")
    mine: list[entities.Entity] = []
    beside: list[entities.Entity] = []
    all_named = named.within(0, len(named.text), "drug", "class")
    alone = encode(named.text)
    roles = [hypotheses.role_of(alone, one.start, one.end, "drug") for one in all_named]
    for one, role in zip(all_named, roles, strict=True):
        likely = targets.likelihoods(encoded.mean(one.start, one.end))[1]
        had = role not in _WANTED and "requested" in roles  # a course that another drug is asked for after
        if not one.names or had or likely < SEVERAL or supposed & {*one.names, one.key}:
            continue
        (mine if start <= one.start < end else beside).append(one)
    use = drug_names.indication(named.text[start:end].lower())
    for pool in (mine, beside):
        names: list[str] = []
        for one in pool:
            fits = drug_names.for_indication(one.names, use, known) or one.names if use else one.names
            if len(fits) == 1 or one.several or span.query in ("compare", "options", "formulary"):
                names += fits
        if names and (pool is mine or not before or not before[-1].drugs):
            return tuple(dict.fromkeys(names)), False
    leans = span.query in OF_A_DRUG and bool(talk.drugs) and span.query != "compare"
    return (), (span.scope == "all" and not leans) or span.query in ("options", "formulary")


def _with_drugs_of_the_turn(ask: Ask, asks: Sequence[Ask]) -> Ask:
    """A question that names no drug is about the one that another question of the turn names."""
    if ask.drugs or ask.all_drugs or ask.query not in OF_A_DRUG:
        return ask
    return msgspec.structs.replace(ask, drugs=next((one.drugs for one in asks if one.drugs), ()))


def _corrected(ask: Ask, span: Span, talk: Talk) -> list[Ask]:
    """What a correction asks: the last question about what is named now, or, where nothing is, what it is likeliest to
    ask beside correcting."""
    told = {"drugs": ask.drugs, "tests": ask.tests, "conditions": ask.conditions, "medicines": ask.medicines}
    named = {name: value for name, value in told.items() if value and value != getattr(_last(talk), name)}
    if named and talk.asks:
        return [msgspec.structs.replace(one, **named, text=ask.text) for one in talk.asks]
    return [msgspec.structs.replace(ask, query=span.next, drugs=ask.drugs or talk.drugs[:1])]


def _last(talk: Talk) -> Ask:
    return talk.asks[-1] if talk.asks else Ask(query="unclear")


def mentions_of(text: str, talk: Talk, known: Known) -> tuple[Mention, ...]:
    """The drugs that a turn names, as the linking of drugs learns from them."""
    text = drug_names.in_full(words.clean(text), known)
    return _mentions(entities.find(text, talk, known), encode(text, talk.question))


def _mentions(named: Entities, encoded: Encoded) -> tuple[Mention, ...]:
    targets = head("target")
    return tuple(
        Mention(
            names=one.names,
            several=one.several,
            asked=float(targets.likelihoods(encoded.mean(one.start, one.end))[1]),
        )
        for one in named.found
        if one.names
    )


def _candidates(named: Entities, asks: Sequence[Ask], known: Known) -> tuple[str, ...]:
    """The drugs that a description fits when it fits several, and nothing else says which."""
    if any(ask.drugs or ask.all_drugs for ask in asks) or not any(ask.query in OF_A_DRUG for ask in asks):
        return ()
    for one in named.found:
        if one.kind == "drug" and len(one.names) > 1:
            use = drug_names.indication(named.text.lower())
            return drug_names.for_indication(one.names, use, known) or one.names
    return ()


def _strangers(named: Entities, spans: Sequence[Span], asks: Sequence[Ask]) -> tuple[str, ...]:
    """Unknown names where a drug is asked about and none of ours is named."""
    if any(one.kind in ("drug", "class", "medicine") for one in named.found):
        return ()
    return tuple(
        one.key
        for span, ask in zip(spans, asks, strict=False)
        if ask.query in OF_A_DRUG
        for one in named.within(span.start, span.end, "stranger")
    )


def _merged(asks: Sequence[Ask]) -> list[Ask]:
    """One query asked twice in a row, of two drugs say, is one."""
    kept: list[Ask] = []
    for ask in asks:
        last = kept[-1] if kept else None
        if (
            last
            and last.query == ask.query
            and (last.drugs == ask.drugs or not (last.changes or ask.changes))
        ):
            kept[-1] = msgspec.structs.replace(
                last,
                drugs=tuple(dict.fromkeys((*last.drugs, *ask.drugs))),
                tests=tuple(dict.fromkeys((*last.tests, *ask.tests))),
                conditions=tuple(dict.fromkeys((*last.conditions, *ask.conditions))),
                medicines=tuple(dict.fromkeys((*last.medicines, *ask.medicines))),
                changes=tuple(dict.fromkeys((*last.changes, *ask.changes))),
            )
        else:
            kept.append(ask)
    return kept
