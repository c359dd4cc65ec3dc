"""What each ask of a turn is about where its words leave it open: drugs of the talk, uses, courses, and pairs."""

from __future__ import annotations

from collections.abc import Container, Iterable

from msgspec.structs import replace

from agent.answers import focus, registry, wording
from agent.answers.policy import printed
from agent.answers.what_if import is_taken
from agent.answers.wording import Sorted
from agent.dialogue import linking
from agent.dialogue.drugs import indications_named
from agent.dialogue.query import DECISIONS, OF_A_DRUG, Ask, Query, Reading, Talk
from agent.dialogue.turns import Question, turn_of
from tools.domain import rules
from tools.engine.documents import walk
from tools.engine.request import is_same_strength
from tools.engine.what_if import Asked, Change, On, Started, Stopped
from tools.papers.case import use_of
from tools.queries.bound import Bound

MOST_ASKS = 6  # things asked for in one turn
UNSURE = 0.15  # of likelihood, below which a query is asked back about and not answered
MEANT = 0.5  # of likelihood, from which a turn is about a drug
MAY_BE_MEANT = 0.25  # the same, from which it may be, where none is likelier
FAR_LIKELIER = 4  # times as likely as a drug that it names is the one that it is about instead
MOST_MEANT = 4

_COURTESIES: frozenset[Query] = frozenset(("smalltalk", "choose", "correct"))
DRAFTING: frozenset[Query] = frozenset(("draft", "draft_appeal"))
_OF_OPEN_ONES: frozenset[Query] = frozenset(("what_if", "message"))
# Of one drug that is named, what it is told apart from is that of the talk.
_BESIDE_THE_TALK: frozenset[Query] = frozenset(("compare", "copay"))
_COMPARING: frozenset[Query] = frozenset(("compare", "options"))
_OF_A_USE: frozenset[Query] = DECISIONS | _COMPARING | {"coverage", "pa_required"}
_OF_THE_TABLE: tuple[Query, ...] = ("coverage", "pa_required", "limit", "copay", "tier", "formulary")


def drugs_meant(question: Question, reading: Reading, talk: Talk, bound: Bound) -> dict[str, float]:
    """How likely the turn is about each drug of the plan; a choice that was offered is what the talk is about."""
    offered = tuple(name for name in talk.offered if name in bound.benefits)
    if offered:
        talk = replace(talk, drugs=offered, earlier=(*talk.drugs, *talk.earlier))
    if not any(map(str.isalnum, question.text)):
        return {}
    return linking.likelihoods(turn_of(question), reading.mentions, talk, bound)


def likelier(likely: dict[str, float], least: float) -> tuple[str, ...]:
    """The drugs that are so likely meant, the likeliest first."""
    return tuple(name for name, likelihood in likely.items() if likelihood >= least)[:MOST_MEANT]


def resolved(
    question: Question, reading: Reading, likely: dict[str, float], talk: Talk, bound: Bound
) -> Reading:
    """The reading, each ask of it with the drugs, uses and courses that it is about.

    Args:
        question: what was typed now and before.
        reading: what was understood of it by itself.
        likely: the drugs that the turn is likely about, by `drugs_meant`.
        talk: what was talked about.
        bound: the chart and the plan on file.
    """
    linked = _linked(reading, likely, talk)
    asks = (_of_a_course(_possible(ask, bound), linked, bound) for ask in linked.asks)
    asks = (_with_uses(_for_its_use(ask, bound), question.text, bound) for ask in asks)
    asks = (_with_what_must_change(ask, bound) for ask in asks)
    return replace(linked, asks=tuple(asks))


def worth_answering(question: Question, reading: Reading, talk: Talk, bound: Bound) -> list[Ask]:
    """What is answered of a turn that was resolved, with what it may be about besides.

    Args:
        question: what was typed now and before.
        reading: by `resolved`.
        talk: what was talked about.
        bound: the chart and the plan on file.
    """
    asks = _worth_answering(reading, talk)
    if len(asks) == 1:
        return [_with_open_ones(asks[0], question, bound)]
    # a part of a turn is understood after the whole
    parts = (Question(ask.text or question.text, question.text, question.shown) for ask in asks)
    return [
        _with_open_ones(ask, part if ask.query == "criterion" else question, bound)
        for ask, part in zip(asks, parts, strict=True)
    ]


def beside(ask: Ask, reading: Reading, talk: Talk, bound: Bound) -> tuple[str, ...]:
    """The drugs that may be meant to be taken together with the one that an ask is about: those that the turn names,
    that are talked about or ordered.

    Args:
        ask: the first of a turn.
        reading: of the turn.
        talk: what was talked about.
        bound: the chart and the plan.
    """
    named = (one.names[0] for one in reading.mentions if len(one.names) == 1)
    ordered = (order.drug for order in bound.patient.orders)
    every = (*ask.drugs, *named, *talk.drugs, *talk.earlier, *ordered)
    return tuple(one for one in dict.fromkeys(every) if one in bound.benefits)


def _linked(reading: Reading, likely: dict[str, float], talk: Talk) -> Reading:
    """With the drugs that the turn is likely about, where it names none or where another is far likelier meant. What is
    compared without a name are several of them, or those of the talk; one that is named is told beside the talk's."""
    several = likelier(likely, MEANT)
    meant = several or likelier(likely, MAY_BE_MEANT)
    best = max(likely.values(), default=0.0)
    kinds = tuple(name for one in reading.mentions if one.several for name in one.names if name in likely)

    def with_drugs(ask: Ask) -> Ask:
        if ask.all_drugs and kinds:
            return replace(ask, drugs=kinds, all_drugs=False)
        for_a_use = ask.indication or use_of(ask.tests, ask.conditions)  # whatever is labeled for it
        if ask.all_drugs and len(several) > 1 and not for_a_use:
            return replace(ask, drugs=several, all_drugs=False, from_talk=True)
        if ask.query in _BESIDE_THE_TALK and ask.sure >= MEANT and len(ask.drugs) == 1 and not ask.from_talk:
            return replace(ask, drugs=tuple(dict.fromkeys((*ask.drugs, *talk.drugs[:1]))))
        if ask.query in _OF_THE_TABLE and ask.form == "list" and best < MEANT and not ask.drugs:
            return replace(ask, all_drugs=True)
        named = max((likely.get(name, 1.0) for name in ask.drugs), default=0.0)
        other = best >= MEANT and FAR_LIKELIER * named < best
        if ask.query not in OF_A_DRUG or ask.all_drugs or (ask.drugs and not other) or not meant:
            return ask
        if ask.query == "compare" and len(meant) < 2 <= len(talk.drugs):
            return replace(ask, drugs=talk.drugs, from_talk=True)
        return replace(ask, drugs=_beside_supposed(ask, meant, talk), from_talk=True)

    asks = tuple(map(with_drugs, reading.asks))
    open_ones = () if any(ask.drugs for ask in asks) else reading.candidates
    return replace(reading, asks=asks, candidates=open_ones)


def _beside_supposed(ask: Ask, meant: tuple[str, ...], talk: Talk) -> tuple[str, ...]:
    """The drugs that a question is about which supposes something of one of them: the others, or those of the talk."""
    supposed = {str(getattr(change, "drug", "")).casefold() for change in ask.changes}
    others = tuple(name for name in (*meant, *talk.drugs) if name.casefold() not in supposed)
    return others[:MOST_MEANT] if others and supposed & {name.casefold() for name in meant} else meant


def _for_its_use(ask: Ask, bound: Bound) -> Ask:
    """A question on all drugs for one use ("what will they pay for, weight wise"): on those that are labeled for it."""
    use = ask.indication or use_of(ask.tests, ask.conditions)
    if not (ask.all_drugs and use):
        return ask
    labeled = {drug.name for drug in bound.drugs if any(one.key == use for one in drug.indications)}
    drugs = tuple(name for name in bound.benefits if name in labeled)
    return replace(ask, drugs=drugs, all_drugs=False, from_talk=True) if drugs else ask


def _with_uses(ask: Ask, question: str, bound: Bound) -> Ask:
    """A question on one drug in a turn that names several of its uses: on each of them, unless the words pin one."""
    if len(ask.drugs) != 1 or ask.query not in _OF_A_USE or (ask.indication and ask.query not in _COMPARING):
        return ask
    covered = bound.benefits[ask.drugs[0]].indications if ask.drugs[0] in bound.benefits else ()
    uses = tuple(use for use in indications_named(question.lower()) if use in covered)
    return replace(ask, uses=uses) if len(uses) > 1 else ask


def _with_what_must_change(ask: Ask, bound: Bound) -> Ask:
    """How a test went that is not named: of the one whose change the drug's policy asks for."""
    drugs = wording.drugs_meant(ask, bound)[:1] if ask.query == "trend" and not ask.names_something else ()
    benefit = bound.benefits.get(drugs[0]) if drugs else None
    changing = (
        (one.part.test for one in printed(benefit) if isinstance(one.part, rules.Change)) if benefit else ()
    )
    return replace(ask, tests=(*ask.tests, *dict.fromkeys(changing)))


def _with_open_ones(ask: Ask, question: Question, bound: Bound) -> Ask:
    """A question on a criterion with the one that it speaks of; a message, or a supposition that holds nothing which
    could be put into the chart, with those that are open."""
    drugs = wording.drugs_meant(ask, bound)[:1]
    if ask.query == "criterion" and drugs and drugs[0] in bound.plan.benefits:
        meant = focus.criteria_meant(question, drugs[0], ask.indication, bound)
        surely = bool(meant) and meant[0][0] >= focus.SURELY
        return replace(ask, criteria=tuple(ref for _, ref in meant), surely=surely)
    if ask.query not in _OF_OPEN_ONES or ask.changes or not drugs or drugs[0] not in bound.benefits:
        return ask
    if ask.query == "what_if" and ask.drugs and not ask.from_talk:  # which may be what is supposed
        return ask
    named = ask.query == "what_if" and ask.names_something and not ask.guessed
    spoken_of = focus.open_ones(question, drugs[0], ask.indication, bound, named=named)
    return replace(ask, open_ones=spoken_of)


def _possible(ask: Ask, bound: Bound) -> Ask:
    """Without a strength that is supposed, and that none of the drugs has which the talk is about: it is the dose of
    something else. A drug that the turn names is told that it has none such."""
    if not ask.from_talk:
        return ask
    known = [one.label for drug in bound.drugs if drug.name in ask.drugs for one in drug.strengths]

    def of_another(change: Change) -> bool:
        asked = change.strength if isinstance(change, Asked) else ""
        return bool(known and asked) and not any(is_same_strength(asked, label) for label in known)

    changes = tuple(change for change in ask.changes if not of_another(change))
    return ask if changes == ask.changes else replace(ask, changes=changes)


def _of_a_course(ask: Ask, reading: Reading, bound: Bound) -> Ask:
    """What is supposed to end and stands for a medicine that is not taken, or to be taken and stands for one that is,
    as the end or the going on of the course that the request still waits to know of, if there is one such."""
    named = {name.casefold() for one in reading.mentions for name in one.names}

    def of_a_course(change: Change) -> Change:
        if not isinstance(change, Started | Stopped) or change.drug.casefold() in named:
            return change
        begins = isinstance(change, Started)
        if is_taken(change.drug, bound) is not begins or (begins and change != Started(drug=change.drug)):
            return change
        course = _waited_for(wording.drugs_meant(ask, bound)[:1], ask.indication, bound)
        return replace(change, drug=course) if course else change

    return replace(ask, changes=tuple(map(of_a_course, ask.changes)))


def _waited_for(drugs: tuple[str, ...], use: str, bound: Bound) -> str:
    """The only course that an open criterion of the first of these drugs rests on."""
    if not drugs or drugs[0] not in bound.benefits:
        return ""
    unmet = Sorted.of(bound.determination(drugs[0], use)).unmet
    seen = {item.record_id for top in unmet for one in walk([top]) for item in one.evidence}
    courses = {one.drug for one in bound.patient.medications or () if one.id in seen and one.end is None}
    return courses.pop() if len(courses) == 1 else ""


def _worth_answering(reading: Reading, talk: Talk) -> list[Ask]:
    """What is answered of a turn: no greeting beside a question, and no draft where one was forbidden."""
    asks = _without(_COURTESIES, reading.asks) or [*reading.asks]
    asks = _without(("other_patient", "patient"), asks) or asks
    if any(ask.query == "no_draft" for ask in asks):
        others = _without((*DRAFTING, "no_draft"), asks)
        if not any(ask.query == "message" for ask in others):  # of which it is said that nothing is sent
            others += [ask for ask in asks if ask.query == "no_draft"]
        asks = others
    if not talk.asks:
        asks = _without(("sources",), asks) or asks
    asks = _without_days_of_a_notice(asks)
    if any(ask.query == "earliest" for ask in asks):  # which says how it would stand, and from when
        asks = _without(("what_if",), asks)
    if any(ask.changes for ask in asks):  # it is told how the supposed case would stand, not the real one too
        asks = [ask for ask in asks if ask.changes or ask.query not in DECISIONS]
    clear = [ask for ask in asks if ask.sure >= UNSURE]
    told = _without(("no_draft",), clear)  # that nothing is drafted answers nothing
    return _of_the_table(clear if told else asks)[:MOST_ASKS]


def _without_days_of_a_notice(asks: list[Ask]) -> list[Ask]:
    """Nothing but a day is not supposed where it is that of a notice, which is asked about."""
    notices = {On(date=ask.day) for ask in asks if ask.query in ("deadline", "appeal") and ask.day}
    return [ask for ask in asks if not (ask.changes and {*ask.changes} <= notices)]


def _without(queries: Container[Query], asks: Iterable[Ask]) -> list[Ask]:
    return [ask for ask in asks if ask.query not in queries]


def _of_the_table(asks: list[Ask]) -> list[Ask]:
    """What is asked of the plan's table of drugs, as one: all of it is told, of each drug of the turn."""
    beside = [ask for ask in asks if ask.query in registry.SIDE_BY_SIDE and (len(ask.drugs) > 1 or ask.uses)]
    told = {drug for ask in beside for drug in ask.drugs}  # each with its row of the table
    of_the_table = [ask for ask in asks if ask.query in _OF_THE_TABLE and ask not in beside]
    rows = [ask for ask in of_the_table if not ask.drugs or not told >= {*ask.drugs}]
    asks = [ask for ask in asks if ask in rows or ask not in of_the_table]
    if len(rows) < 2:
        return asks
    named = [ask for ask in rows if ask.drugs and not ask.from_talk] or rows
    drugs = tuple(dict.fromkeys(drug for ask in named for drug in ask.drugs))
    first = min(rows, key=lambda ask: _OF_THE_TABLE.index(ask.query))
    every, sure = any(ask.all_drugs for ask in named), max(ask.sure for ask in rows)
    one = replace(first, drugs=drugs, all_drugs=every, sure=sure)
    at = asks.index(rows[0])
    return [*asks[:at], one, *(ask for ask in asks[at:] if ask not in rows)]
