"""The conversation, on one screen: one turn from question to verified answer.

    understand → bind ─┬→ check → write → remember → END
                       │                     ↑
                       └─────────────────────┘
                         (who is it about? another patient?)

Understanding is the code's, and a model's where the code is not sure. Binding is the server's: no model and no
tool holds a patient's id. Checking looks up, determines and retrieves, and says it in sentences with slots;
writing lets a model reword them as far as every word holds. The state is plain data, kept under the
conversation's id, so that it can be left and gone on with.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypedDict

import msgspec
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from msgspec.structs import replace

from agent import prose
from agent.answers import (
    again,
    alike,
    arrangement,
    beforehand,
    compare,
    courtesy,
    drafting,
    focus,
    glossary,
    messages,
    people,
    refusals,
    registry,
    resolution,
    why,
)
from agent.answers.answer import Answer, Said, Source, plain
from agent.answers.translated import translated
from agent.conversation import LONGEST_QUESTION, ChatDesk, Event, Sitting, Turn
from agent.dialogue import choice, lessons, reader
from agent.dialogue.known import Known
from agent.dialogue.query import DECISIONS, OF_A_DRUG, Ask, Query, Reading, Talk
from agent.dialogue.turns import Question
from agent.dialogue.words import words_of
from agent.ledger import Fact, Ledger
from agent.models.model import ModelTrouble, Reply
from agent.verification.checker import verifier
from tools.common.errors import Correctable
from tools.domain.records import Determination, Patient
from tools.engine.eligibility import plans_on
from tools.engine.what_if import Insured
from tools.messages import language_named, language_of
from tools.queries.bound import Bound

FEW_WORDS = 4  # of a turn that names a language and asks nothing else
SURE = 0.3  # of likelihood, below which the second reading is offered behind the answer
SURE_OF_A_DRAFT = 0.9  # of likelihood, below which it is asked whether one is wanted
MOST_TALKED = 5  # drugs that a follow-up can lean on
MOST_CALLS = 4  # of a model in one turn
MOST_HISTORY = 200  # turns kept in a conversation's list


class State(TypedDict, total=False):
    """What is known so far; JSON only."""

    patient_id: str  # bound for good once it is set
    as_of: str  # the day that was named, if one was
    plan_id: str  # the plan that was named, if one was
    talk: dict[str, Any]  # a Talk
    history: list[dict[str, Any]]
    question: str
    reading: dict[str, Any]  # a Reading
    settled: bool  # the reply is complete: nobody is bound, or somebody else is meant
    reply: dict[str, Any]  # a Spoken
    turn: dict[str, Any]  # a Turn


class Spoken(msgspec.Struct, kw_only=True):
    """An answer as the state holds it, and what the model cost and did so far."""

    said: list[Said] = []
    facts: list[Fact] = []
    determinations: list[Determination] = []
    sources: list[Source] = []
    drugs: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()
    hypothetical: bool = False
    refused: bool = False
    draft_id: int | None = None
    shown: tuple[str, ...] = ()
    model_calls: int = 0
    prompt_tokens: int = 0
    output_tokens: int = 0
    notice: str = ""


def build() -> StateGraph[State, Sitting, State, State]:
    """The graph; compile it with a checkpointer."""
    graph = StateGraph(State, context_schema=Sitting)
    for node in (understand, bind, check, write, remember):
        graph.add_node(node)
    graph.add_edge(START, "understand")
    graph.add_edge("understand", "bind")
    graph.add_conditional_edges(
        "bind", lambda state: "remember" if state["settled"] else "check", ["check", "remember"]
    )
    graph.add_edge("check", "write")
    graph.add_edge("write", "remember")
    graph.add_edge("remember", END)
    return graph


# --- nodes, in their order -------------------------------------------------------------------------------


def understand(state: State, runtime: Runtime[Sitting]) -> State:
    """What is asked for, by code; where the code isn't sure, by code and model together."""
    sitting = runtime.context
    sitting.go_on()
    sitting.emit(Event(what="understanding"))
    question, talk = state["question"], _talk_with(state, sitting.desk)
    known = Known.of(sitting.desk.store)
    reading = _outright(question, talk) or reader.read(
        question, talk, known, lessons.Lessons.of(sitting.desk.lessons)
    )
    _learn_choice(reading, talk, sitting.desk)
    spoken = Spoken(notice=sitting.desk.notice)
    if sitting.desk.model is not None and len(reading.readings) > 1:
        reading = _with_model(question, talk, reading, sitting, spoken)
        sitting.go_on()
    return {"reading": msgspec.to_builtins(reading), "reply": msgspec.to_builtins(spoken), "settled": False}


def bind(state: State, runtime: Runtime[Sitting]) -> State:
    """Whose case it is. Nobody's yet: find the patient. Somebody else than the bound one: refuse, and say how to
    switch."""
    store, reading, bound_to = runtime.context.desk.store, _reading(state), state.get("patient_id", "")
    spoken, ledger = _spoken(state), Ledger()
    if len(state["question"]) > LONGEST_QUESTION:
        return _settled(spoken, courtesy.too_long(ledger))
    if bound_to:
        patient = store.patient(bound_to)
        other = people.is_other(reading.person, patient) and people.may_be_patient(reading, patient, store)
        if not other and not any(ask.query == "other_patient" for ask in reading.asks):
            return {}
        other_ask = Ask(query="other_patient")
        if other and _names_both(state["question"], reading, patient):
            return {"reading": _with_asks(reading, (*reading.asks, other_ask))}
        settled = _settled(spoken, refusals.other_patient(ledger))
        return {"reading": _with_asks(reading, (other_ask,)), **settled}
    if not people.needs_patient(reading):
        ask = reading.asks[0]
        if ask.query == "define":
            return _settled(spoken, glossary.answer(ask, None, ledger))
        return _settled(spoken, courtesy.answer(ask, None, ledger, reading, Known.of(store)))
    found = people.find(state["question"], reading, store, talk_of(state).offered)
    if not found.patient_id:
        return _settled(spoken, people.answer(found, ledger))
    if asks := tuple(ask for ask in reading.asks if ask.query not in _NO_QUESTION):
        # "can Maria Lopez have Ozempic": found, and on to the question
        again = replace(reading, person="")
        return {"patient_id": found.patient_id, "reading": _with_asks(again, asks)}
    return {"patient_id": found.patient_id, **_settled(spoken, people.answer(found, ledger))}


def check(state: State, runtime: Runtime[Sitting]) -> State:
    """Look up, determine, retrieve: every thing asked for is answered by code, in sentences with slots."""
    sitting, reading, spoken = runtime.context, _reading(state), _spoken(state)
    sitting.go_on()
    sitting.emit(Event(what="checking", text=", ".join(dict.fromkeys(a.intent for a in reading.asks))))
    ledger, talk = _ledger(spoken), talk_of(state)
    question = Question(state["question"], talk.question, frozenset(talk.shown))
    of_file = sitting.desk.bind(state["patient_id"])
    likely = resolution.drugs_meant(question, reading, talk, of_file)
    reading = resolution.resolved(question, reading, likely, talk, of_file)
    spoken.drugs = resolution.likelier(likely, resolution.MEANT)
    maybe = resolution.likelier(likely, resolution.MAY_BE_MEANT)
    asks = resolution.worth_answering(question, reading, talk, of_file)
    answers = _answers(asks, state, reading, maybe, sitting.desk, ledger)
    pair = beforehand.apart(asks[0], resolution.beside(asks[0], reading, talk, of_file), of_file, ledger)
    # two drugs at once are what is asked for, and "yes" to one of them would mislead
    if arrangement.asks_for(question, pair, answers, ledger):
        pair.said = [replace(one, ahead=True) for one in pair.said]
        if not any(ask.query in resolution.DRAFTING for ask in asks):  # which is done once
            in_words = [replace(ask, form="text") for ask in asks]
            answers = _answers(in_words, state, reading, maybe, sitting.desk, ledger)
    _, bound = _under_the_plan_named(asks[-1], of_file, sitting.desk)
    told = focus.with_passages(question, asks, answers, maybe, bound, ledger)
    spoken.shown = told.shown
    joined = _joined(spoken, arrangement.arranged(question, [*told.answers, pair], ledger), ledger)
    asked_for = language_named(state["question"])
    language = asked_for or (language_of(state["question"]) if joined.determinations else "")
    if language and not any(one.closing for one in answers):  # a message is in it itself
        decides = bool(asked_for) or any(ask.query in _TOLD_BY_OUTCOMES for ask in asks)
        found, patient = joined.determinations, of_file.patient
        joined.said = translated(language, found, patient, ledger, joined.said, decides=decides)
        joined.facts = list(ledger.facts.values())
    return {"reply": msgspec.to_builtins(joined), "reading": msgspec.to_builtins(reading)}


def write(state: State, runtime: Runtime[Sitting]) -> State:
    """The answer in words: a model's as far as every sentence holds, else the code's."""
    sitting, spoken = runtime.context, _spoken(state)
    ledger = _ledger(spoken)
    model, calls = sitting.desk.model, MOST_CALLS - spoken.model_calls
    worded = None
    if model is not None and not spoken.notice and prose.worth_wording(spoken.said):
        bound = sitting.desk.bind(state["patient_id"])
        verify = verifier(bound, spoken.determinations, ledger)
        worded = prose.reword(
            state["question"], spoken.said, ledger, model, verify,
            calls=calls, emit=sitting.say, cancelled=sitting.cancelled.is_set,
            temperature=sitting.desk.temperature, seed=sitting.desk.seed,
        )  # fmt: skip
        spoken.notice = worded.trouble
    if worded is None:
        worded = prose.in_code(spoken.said, ledger)
        for sentence in worded.sentences:
            sitting.say(sentence)
    sitting.go_on()
    _count(spoken, *worded.replies)
    return {"turn": msgspec.to_builtins(_turn(state, sitting, spoken, worded))}


def remember(state: State, runtime: Runtime[Sitting]) -> State:
    """What a follow-up can lean on, and a line for the list of what was said."""
    sitting, spoken, reading = runtime.context, _spoken(state), _reading(state)
    turn = state.get("turn") or {}
    if state["settled"]:
        worded = prose.in_code(spoken.said, _ledger(spoken))
        for sentence in worded.sentences:
            sitting.say(sentence)
        turn = msgspec.to_builtins(_turn(state, sitting, spoken, worded))
    kept = ("question", "answer", "intent", "drugs", "path")
    line: dict[str, Any] = {key: turn[key] for key in kept if key in turn}
    history = [*state.get("history", ()), line][-MOST_HISTORY:]
    talk = _next_talk(talk_of(state), reading, spoken, state, sitting.desk)
    return {"turn": turn, "history": history, "talk": msgspec.to_builtins(talk)}


# --- understanding ----------------------------------------------------------------------------------------


def _outright(question: str, talk: Talk) -> Reading | None:
    """What needs no reading: nothing was said, or far too much, or hardly more than a language's name."""
    if not any(map(str.isalnum, question)) or len(question) > LONGEST_QUESTION:
        return Reading(asks=(Ask(query="unclear"),))
    if talk.asks and len(question.split()) <= FEW_WORDS and language_named(question):
        return Reading(asks=(Ask(query="rephrase", text=question),))
    return None


def _learn_choice(reading: Reading, talk: Talk, desk: ChatDesk) -> None:
    """Of two readings that were offered one was chosen: those words ask that, today and the next time. A turn that
    asks anew, be it the same query, has words of its own and teaches nothing."""
    if desk.lessons is None or not talk.asks or not reading.asks:
        return
    asked, chosen = talk.asks[0], reading.asks[0]
    if chosen.query in talk.offered and asked.text.strip() and chosen.text == asked.text:
        with suppress(OSError):  # an answer is not lost for a lesson that cannot be kept
            lessons.teach(desk.lessons, lessons.Lesson(text=asked.text, query=chosen.query, by="chosen"))


def _with_model(question: str, talk: Talk, reading: Reading, sitting: Sitting, spoken: Spoken) -> Reading:
    """The reading that the model chose of the two likeliest; code's, if the model fails."""
    desk = sitting.desk
    assert desk.model is not None
    try:
        chosen, reply = choice.choose(
            question, reading, talk, desk.model,
            temperature=desk.temperature, seed=desk.seed, cancelled=sitting.cancelled.is_set,
        )  # fmt: skip
    except ModelTrouble as trouble:
        sitting.go_on()
        spoken.notice = str(trouble)
        return reading
    _count(spoken, reply)
    return chosen


# --- answering --------------------------------------------------------------------------------------------


# What a plan that is named is looked at for as it stands; a decision under it supposes that the patient is in it.
_OF_THE_PLAN_NAMED: frozenset[Query] = frozenset(
    (*registry.queries_of("plan", "policy"), "turnaround", "approval_length", "lookback")
)
_UNDER_A_PLAN: frozenset[Query] = frozenset(
    ("eligible", "what_if", "compare", "options", *_OF_THE_PLAN_NAMED)
)
# What outcomes answer, so that they are an answer in any language that they can be told in.
_TOLD_BY_OUTCOMES: frozenset[Query] = DECISIONS | {"what_if", "compare", "earliest", "news"}
# What is asked in order to send a request, which goes to a plan that the patient is in.
_TO_SEND: frozenset[Query] = frozenset(("submit", "contact", "coverage", "pa_required", "step", "turnaround"))


def _under_the_plan_named(ask: Ask, of_file: Bound, desk: ChatDesk) -> tuple[Ask, Bound]:
    """The ask, and the chart under the plan that it names where it is looked at as it stands, or is one of theirs."""
    if ask.query in _TO_SEND and _has_ended(ask.plan_id, of_file):
        ask = replace(ask, plan_id="")
    if ask.query in _OF_THE_PLAN_NAMED or ask.plan_id in plans_on(of_file.patient, of_file.as_of):
        return ask, desk.bind(of_file.patient.id, ask.plan_id)
    return ask, of_file


def _under_its_plan(ask: Ask, bound: Bound) -> Ask:
    """A decision under another plan than the one on file, as the supposition that it is; not under one that the patient
    was in and is no more, which is told beside the answer."""
    if ask.query not in DECISIONS or not ask.plan_id or ask.plan_id == bound.plan.id:
        return ask
    if _has_ended(ask.plan_id, bound):
        return replace(ask, plan_id="")
    return replace(ask, query="what_if", changes=(Insured(plan_id=ask.plan_id),))


def _names_both(question: str, reading: Reading, patient: Patient) -> bool:
    """Whether a turn names the patient beside somebody else, of whom nothing will be said."""
    theirs = {*reading.person.casefold().split()}
    spoken = words_of(question)
    typed = spoken | {word.removesuffix("s") for word in spoken}  # "roths last a1c"
    own = words_of(patient.family)
    asked = any(ask.query not in _NO_QUESTION for ask in reading.asks)
    return asked and bool(own) and own <= typed and not own <= theirs


# What says nothing that could be asked of a patient who was just found.
_NO_QUESTION: frozenset[Query] = frozenset(
    ("patient", "unclear", "other_patient", "smalltalk", "choose", "correct")
)


def _answers(
    asks: Sequence[Ask],
    state: State,
    reading: Reading,
    maybe: tuple[str, ...],
    desk: ChatDesk,
    ledger: Ledger,
) -> list[Answer]:
    """To everything that is worth answering, each under the plan that it names."""
    answers, talk = list[Answer](), talk_of(state)
    if any(ask.query in ("patient", "other_patient") and ask not in asks for ask in reading.asks):
        answers.append(courtesy.whom(desk.bind(state["patient_id"]).patient, ledger))
    for at, ask in enumerate(asks):
        ask, bound = _under_the_plan_named(ask, desk.bind(state["patient_id"]), desk)
        ask = why.step_of(ask, (*talk.drugs[:1], *maybe), bound)
        before = replace(talk, asks=tuple(asks[:at]) or talk.asks)
        if ask.query in resolution.DRAFTING and ask.sure < SURE_OF_A_DRAFT:
            if ask.query == "draft":  # it may be one of a message
                answers.append(messages.answer(ask, bound, ledger))
            answers.append(courtesy.otherwise(ask.query, ledger))
        else:
            answers.append(_answered(_under_its_plan(ask, bound), reading, before, bound, ledger, desk))
            answers[-1].sure, answers[-1].query, answers[-1].yes = ask.sure, ask.query, ask.yes
    unsure = len(asks) == 1 and resolution.UNSURE <= asks[0].sure < SURE
    if unsure and reading.readings and not answers[-1].offered:
        answers.append(courtesy.otherwise(reading.readings[1], ledger))

    once_more = partial(_once_more, bound=bound, ledger=ledger, desk=desk)
    return messages.composed(answers, talk.asks, once_more, state["question"], bound)


def _once_more(ask: Ask, bound: Bound, ledger: Ledger, desk: ChatDesk) -> Answer:
    """An ask of a turn before, answered by itself."""
    return _answered(ask, Reading(asks=(ask,)), Talk(), bound, ledger, desk)


def _answered(ask: Ask, reading: Reading, talk: Talk, bound: Bound, ledger: Ledger, desk: ChatDesk) -> Answer:
    """One ask answered; what is wrong with it is said in one line, and what is near."""
    once_more = partial(_once_more, bound=bound, ledger=ledger, desk=desk)
    try:
        lost = (reading.strangers or reading.candidates) and not ask.drugs
        if ask.sure < resolution.UNSURE or (lost and ask.query in OF_A_DRUG):
            return courtesy.answer(ask, bound, ledger, reading)
        if reading.strange_plan and ask.query in _UNDER_A_PLAN:
            return courtesy.strange_plan(reading.strange_plan, ask, bound, ledger)
        before = beforehand.told(ask, bound, ledger)
        match ask.query:
            case "draft":
                answer = drafting.answer(ask, bound, ledger, desk.draft)
            case "alike":
                answer = alike.answer(ask, bound, ledger, desk.panel)
            case "rephrase":
                answer = again.rephrase(ask, talk.asks, once_more, ledger)
            case "sources":
                answer = again.sources(ask, talk.asks, once_more, bound, ledger)
            case _ if ask.query in registry.ANSWERS:
                answer = registry.answer(ask, bound, ledger)
            case _:
                answer = courtesy.answer(ask, bound, ledger, reading)
        # no drug is known: how each of them stands
        if answer.offered and ask.query in DECISIONS and not ask.drugs:
            each = compare.answer(Ask(query="options", all_drugs=True), bound, ledger)
            answer.said = [*each.said, *answer.said]
            answer.determinations = each.determinations
        first = [one for one in before.said if one.ahead]
        answer.said = [*first, *answer.said, *(one for one in before.said if not one.ahead)]
        answer.sources = [*before.sources, *answer.sources]
        return answer
    except Correctable as error:
        line = ledger.add("words", f"{error}.", origin="determination", source="check")
        return Answer(said=plain(line), ledger=ledger)


def _joined(spoken: Spoken, answers: Iterable[Answer], ledger: Ledger) -> Spoken:
    """Several answers as one, nothing said twice."""
    for answer in answers:
        told = {one.text for one in spoken.said}
        once = {one.text: one for one in answer.said}
        spoken.said += [one for text, one in once.items() if text not in told]
        spoken.sources += [source for source in answer.sources if source not in spoken.sources]
        spoken.determinations += [d for d in answer.determinations if d not in spoken.determinations]
        spoken.drugs = tuple(dict.fromkeys((*spoken.drugs, *answer.drugs)))
        spoken.offered = spoken.offered or answer.offered
        spoken.hypothetical = spoken.hypothetical or answer.hypothetical
        spoken.refused = spoken.refused or answer.refused
        spoken.draft_id = spoken.draft_id or answer.draft_id
    spoken.facts = list(ledger.facts.values())
    return spoken


def _settled(spoken: Spoken, answer: Answer) -> State:
    return {"reply": msgspec.to_builtins(_joined(spoken, [answer], answer.ledger)), "settled": True}


def _with_asks(reading: Reading, asks: tuple[Ask, ...]) -> dict[str, Any]:
    changed: dict[str, Any] = msgspec.to_builtins(replace(reading, asks=asks))
    return changed


def _turn(state: State, sitting: Sitting, spoken: Spoken, worded: prose.Worded) -> Turn:
    reading, desk = _reading(state), sitting.desk
    intents = tuple(dict.fromkeys(ask.intent for ask in reading.asks))
    return Turn(
        conversation_id=sitting.conversation_id,
        question=state["question"],
        answer="\n".join(_paragraphs(worded.sentences)),
        intent=intents[0],
        intents=intents,
        patient_id=state.get("patient_id", ""),
        as_of=desk.bind(state["patient_id"]).as_of if state.get("patient_id") else None,
        drugs=spoken.drugs,
        determination=spoken.determinations[0] if spoken.determinations else None,
        determinations=tuple(spoken.determinations),
        citations=tuple(spoken.sources),
        facts=worded.facts,
        hypothetical=spoken.hypothetical,
        refused=spoken.refused,
        offered=spoken.offered,
        draft_id=spoken.draft_id,
        understood_by=reading.by,
        path=worded.path,
        rejected=worded.rejected,
        notice=spoken.notice,
        model=desk.model.name if desk.model else "offline",
        model_calls=spoken.model_calls,
        prompt_tokens=spoken.prompt_tokens,
        output_tokens=spoken.output_tokens,
        seconds=round(desk.clock() - sitting.started, 4),
        first_token_seconds=None if sitting.first is None else round(sitting.first, 4),
    )


def _paragraphs(sentences: Iterable[str]) -> list[str]:
    """Sentences run on; lines of a list stand alone."""
    lines: list[str] = []
    for sentence in sentences:
        if lines and not sentence.startswith("- ") and not lines[-1].startswith("- "):
            lines[-1] += f" {sentence}"
        else:
            lines.append(sentence)
    return lines


_IDLE: frozenset[Query] = frozenset((
    "smalltalk", "unclear", "off_topic", "other_patient", "rephrase", "sources", "define", "help", "choose", "correct",
))  # fmt: skip


def _next_talk(talk: Talk, reading: Reading, spoken: Spoken, state: State, desk: ChatDesk) -> Talk:
    """What the next question can lean on. A look at the whole plan does not change what the talk is about."""
    drugs = (spoken.drugs or talk.drugs)[:MOST_TALKED]
    before = talk.drugs if drugs != talk.drugs else ()
    idle = all(ask.query in _IDLE for ask in reading.asks)
    supposed = tuple(change for ask in reading.asks for change in ask.changes)
    return replace(
        _talk_with(state, desk),
        drugs=drugs,
        supposed=supposed or talk.supposed,
        plan_id=_plan_talked_of(reading, talk, state, desk),
        earlier=tuple(dict.fromkeys(d for d in (*before, *talk.earlier) if d not in drugs))[:6],
        asks=talk.asks if idle else reading.asks,
        offered=spoken.offered,
        shown=spoken.shown,
        question=state["question"][:LONGEST_QUESTION],
    )


def _plan_talked_of(reading: Reading, talk: Talk, state: State, desk: ChatDesk) -> str:
    """The plan that was named last; one that the patient was in and is no more holds for its turn alone."""
    plan_id = next((ask.plan_id for ask in reversed(reading.asks) if ask.plan_id), talk.plan_id)
    if not plan_id or not state.get("patient_id"):
        return plan_id
    bound = desk.bind(state["patient_id"])
    return "" if _has_ended(plan_id, bound) else plan_id


def _has_ended(plan_id: str, bound: Bound) -> bool:
    """Whether the patient was in the plan and is no more."""
    was_in = any(one.plan_id == plan_id for one in bound.patient.coverages)
    return was_in and plan_id not in plans_on(bound.patient, bound.as_of)


def _count(spoken: Spoken, *replies: Reply) -> None:
    spoken.model_calls += len(replies)
    spoken.prompt_tokens += sum(reply.prompt_tokens for reply in replies)
    spoken.output_tokens += sum(reply.output_tokens for reply in replies)


# --- reading the state ------------------------------------------------------------------------------------


def talk_of(state: State) -> Talk:
    """What was kept; of a conversation that an earlier version left, nothing but its list of questions goes on."""
    try:
        return msgspec.convert(state.get("talk", {}), Talk)
    except msgspec.ValidationError:
        return Talk()


def _talk_with(state: State, desk: ChatDesk) -> Talk:
    """The same with whom it is about, who may have been bound before anything was said."""
    patient_id = state.get("patient_id", "")
    if not patient_id:
        return talk_of(state)
    patient = desk.store.patient(patient_id)
    names = tuple(f"{patient.given} {patient.family}".casefold().split())
    return replace(talk_of(state), patient_id=patient_id, names=names, sex=patient.sex)


def _reading(state: State) -> Reading:
    return msgspec.convert(state["reading"], Reading)


def _spoken(state: State) -> Spoken:
    return msgspec.convert(state["reply"], Spoken)


def _ledger(spoken: Spoken) -> Ledger:
    return Ledger.of(spoken.facts)
