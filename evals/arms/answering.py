"""How each arm answers an item: always the same item, the same store and the same seed.

engine    the conversation without a model
paladin   the conversation with the model
plain     the model with tools and a prompt, nothing of ours around it (agent/toolbox/plain_agent.py)
alone     the model with policy and chart in its prompt, held to a JSON schema: one call a turn
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from agent.cases import appeals
from agent.conversation import ChatDesk, Conversation
from agent.dialogue.query import Reading
from agent.drafts import papers
from agent.drafts.drafting import drafter
from agent.ledger import Ledger
from agent.runtime.dump import as_data
from agent.verification.checker import Checker
from agent.verification.known_facts import enter_bound
from evals.appeals import items as appeal_items
from evals.appeals.labelled import judge
from evals.arms import alone
from evals.arms.bench import Bench, Place
from evals.arms.chat_model import chat_model
from evals.denials import items as denial_items
from evals.making import notes as note_items
from evals.scores.rows import ARMS, ASKED, Arm, Row
from evals.suites.items import Item, Suite
from tools.appeals.letter import Filing
from tools.denials.reader import read_letter
from tools.denials.working import work_to
from tools.notes.reader import read_note
from tools.queries.bound import Bound

if TYPE_CHECKING:
    from agent.conversation import Turn
    from agent.dialogue.query import Ask, Intent
    from agent.drafts.letter_wording import Wording
    from agent.models.model import Model
    from tools.queries.check import Asked

# The tool of the toolbox that answers what a question asks for.
TOOL_OF: dict[Intent, str] = {
    "eligibility": "determine_eligibility",
    "why": "determine_eligibility",
    "missing": "whats_missing",
    "compare": "compare_drugs",
    "what_if": "what_if",
    "policy": "policy_search",
    "chart": "patient_chart",
    "plan": "coverage_check",
    "dates": "policy_search",
    "draft": "draft_request",
}


def asks(arm: Arm, item: Item) -> bool:
    """Whether the item can be put to the arm at all: the tools and the model alone are bound to a patient."""
    bound = bool(item.patient) or arm in ("engine", "paladin")
    return bound and arm in ASKED.get(item.suite, ARMS)


def answer(row: Row, item: Item, bench: Bench, model: Model | None) -> list[dict[str, Any]]:
    """The arm's turns; what they cost, and what went wrong with the model, goes into the row."""
    bench.begin()
    began = time.perf_counter()
    try:
        turns = _WAYS[row.arm](row, item, bench, model)
    finally:
        row.seconds = round(time.perf_counter() - began, 4)
        if bench.model is not None and row.arm in ("paladin", "alone"):
            row.calls, row.prompt_tokens = bench.model.calls, bench.model.prompt_tokens
            row.output_tokens = bench.model.output_tokens
            row.infrastructure = row.infrastructure or bench.model.infrastructure > 0
            row.format_failure = row.format_failure or bench.model.format_failures > 0
    return turns


# --- the conversation --------------------------------------------------------------------------------------


def _converse(row: Row, item: Item, bench: Bench, model: Model | None) -> list[dict[str, Any]]:
    place = bench.of(item)
    if item.suite in _PAPERS:
        return [_PAPERS[item.suite](row, item, place, model)]
    desk = ChatDesk(
        store=place.store, model=model, plan_id=item.plan_id, draft=drafter(place.store, place.settings),
        clock=time.perf_counter, temperature=row.temperature, seed=row.seed,
    )  # fmt: skip
    talk = Conversation(bench.graph, desk, patient_id=item.patient)
    try:
        return _turns(row, item, place, talk, bench.graph)
    finally:
        bench.graph.checkpointer.delete_thread(talk.id)


def _in_words(turn: Turn) -> dict[str, Any]:
    """The turn as data, what was determined in words."""
    words = as_data({"determination": turn.determination, "determinations": turn.determinations})
    told: dict[str, Any] = msgspec.to_builtins(turn)
    return {**told, **{name: words[name] for name in words if name in told}}


def _turns(row: Row, item: Item, place: Place, talk: Conversation, graph: Any) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = []
    for asking in item.turns:
        turn = talk.ask(asking.ask)
        turns.append(_in_words(turn))
        # a model was to word it, and nothing of what it said was kept
        tried = turn.model_calls > 0 and bool(turn.rejected or turn.notice)
        row.fallback = row.fallback or (tried and turn.path == "template")
        row.repaired = row.repaired or turn.path == "repaired"
    if item.suite == "forms":
        turns[-1]["fields"] = _drafted(place, turns[-1].get("draft_id"))
    if item.suite == "tools":
        turns[-1]["calls"] = _understood(graph, talk.id)
    return turns


def _understood(graph: Any, conversation_id: str) -> list[dict[str, Any]]:
    """The tools that what was understood stands for; of a refusal, small talk or what is not understood, none."""
    state = graph.get_state({"configurable": {"thread_id": conversation_id}}).values
    return [call for ask in msgspec.convert(state["reading"], Reading).asks if (call := _call(ask))["name"]]


def _call(ask: Ask) -> dict[str, Any]:
    given: dict[str, Any] = {"drugs": list(ask.drugs)}
    if ask.intent == "chart":
        given["test"] = next(iter(ask.tests), "")
        given["part"] = ask.query
    for change in ask.changes:
        given |= {name: value for name, value in msgspec.to_builtins(change).items() if name != "type"}
    return {"name": TOOL_OF.get(ask.intent, ""), "arguments": given}


def _drafted(place: Place, draft_id: int | None) -> dict[str, str]:
    if draft_id is None:
        return {}
    return {field.id: field.value for field in place.store.draft(draft_id).filled_form().fields}


def _write_letter(row: Row, item: Item, place: Place, model: Model | None) -> dict[str, Any]:
    """The letter of the drafted case, its free paragraphs in the model's words as far as they hold."""
    case = Bound(place.store, item.patient, plan_id=item.plan_id).case(item.drug)
    said = papers.compose(place.store, case, model)
    _worded(row, said.wording, model)
    return {
        "letter": said.letter.text, "path": said.wording.path, "notice": said.wording.notice,
        "determinations": [as_data(case.determination)],
    }  # fmt: skip


def _worded(row: Row, wording: Wording, model: Model | None) -> None:
    """Whether code's words stood in for the model's, or for some of them."""
    row.fallback = model is not None and wording.model_calls > 0 and wording.path == "template"
    row.repaired = wording.path == "repaired"


def _work_on_denial(row: Row, item: Item, place: Place, model: Model | None) -> dict[str, Any]:
    """What the payer's letter says, by when to act, what to do, and the appeal where one is right."""
    received = date.fromisoformat(item.fields["received"])
    as_of = date.fromisoformat(item.fields["as_of"])
    asked = appeals.AppealQuery(item.patient, item.drug, item.plan_id, as_of=as_of, received=received)
    made = appeals.assess(place.store, asked, appeals.PayerLetter(item.note))
    due = work_to(made.denial, made.case.plan, received)
    turn: dict[str, Any] = {
        "answer": "; ".join(step.what for step in made.found.steps),
        "codes": list(made.denial.codes),
        "steps": list(made.found.kinds),
        "level": made.found.appeal.level if made.found.appeal else "",
        "deadline": due.day.isoformat() if due and due.day else "",
        "letter": "",
        "determinations": [as_data(made.case.determination)],
    }
    if not made.found.refusal:
        said = appeals.compose(made, Filing(), model)
        _worded(row, said.wording, model)
        turn["letter"] = said.letter.text
    return turn


def _in_code(row: Row, item: Item, place: Place, model: Model | None) -> dict[str, Any]:
    """What code alone makes of the item: the facts of a note, the payer's letter as a door reads it (with the policy,
    if it is at hand), what is to be done about a letter, the reply to one, what the verifier says of each sentence.
    """
    if item.suite == "notes":
        return {"facts": read_note(note_items.labelled(item).note)}
    if item.suite == "denials":
        label = denial_items.label_of(item)
        return {"denial": read_letter(label.text, policy=label.policy)}
    if item.suite == "strategy":
        found = judge(appeal_items.label_of(item))
        return {"answer": "; ".join(step.what for step in found.steps), "strategy": found}
    if item.suite == "replies":
        reply = appeal_items.reply_to(item)
        return {"answer": reply.letter.text if reply.letter else "", "reply": reply}
    return {"checked": _checker(place, item.patient, item.drug).check(item.note)}


@lru_cache(maxsize=16)
def _checker(place: Place, patient: str, drug: str) -> Checker:
    ledger = Ledger()
    enter_bound(ledger, Bound(place.store, patient), [drug])
    return Checker(ledger)


_IN_CODE: tuple[Suite, ...] = ("notes", "denials", "grounding", "strategy", "replies")
_PAPERS: dict[Suite, Callable[[Row, Item, Place, Any], dict[str, Any]]] = {
    "letters": _write_letter,
    "appeals": _work_on_denial,
    **dict.fromkeys(_IN_CODE, _in_code),
}


# --- the plain agent ---------------------------------------------------------------------------------------


def _plain(row: Row, item: Item, bench: Bench, model: Model | None) -> list[dict[str, Any]]:
    assert model is not None
    place = bench.of(item)
    bound = Bound(place.store, item.patient, plan_id=item.plan_id)
    drafted: list[int] = []

    def draft(asked: Asked) -> Any:
        made = drafter(place.store, place.settings)(asked)
        drafted.append(made.draft.id)
        return made

    from agent.toolbox import plain_agent  # an extra of its own

    limits = plain_agent.AgentLimits(temperature=row.temperature, seed=row.seed)
    chat = chat_model(model, place.settings, limits)
    history: list[tuple[str, str]] = []
    turns: list[dict[str, Any]] = []
    for asking in item.turns:
        turn = plain_agent.ask(
            asking.ask, bound, model.name, place.settings, history, limits=limits, draft=draft, model=chat
        )  # fmt: skip
        history.append((asking.ask, turn.answer))
        row.calls += turn.model_calls
        row.prompt_tokens += turn.prompt_tokens
        row.output_tokens += turn.output_tokens
        row.infrastructure = row.infrastructure or turn.stopped in ("model", "seconds")
        row.format_failure = row.format_failure or turn.stopped not in ("answered", "model", "seconds")
        usable = turn.answer if turn.stopped == "answered" else ""
        turns.append(
            {
                **msgspec.to_builtins(turn),
                "answer": usable,
                "patient_id": item.patient,
                "notice": turn.trouble,
                "calls": [{"name": use.name, "arguments": use.arguments} for use in turn.tool_calls],
                "letter": usable if item.suite == "letters" else "",
            }
        )
    if item.suite == "forms":
        turns[-1]["fields"] = _drafted(place, drafted[-1] if drafted else None)
    return turns


_WAYS: dict[Arm, Callable[[Row, Item, Bench, Any], list[dict[str, Any]]]] = {
    "engine": lambda row, item, bench, model: _converse(row, item, bench, None),
    "paladin": _converse,
    "plain": _plain,
    "alone": lambda row, item, bench, model: alone.answer(row, item, bench.of(item), model),
}
