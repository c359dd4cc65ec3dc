"""The job, on one screen. It stops before a person approves, and goes on after that, in another process if need be.

    look_up_patient → check_coverage → retrieve_policy → determine ─┬→ draft → review ─┬→ conclude → END
                                                                    │           ↑      │ edit
                                                                    └→ END      revise ┘
                                                                      (refused)

Every step of the graph is checkpointed before the next begins. The state holds ids and plain data only; each step
reads the records that it needs from the store and makes sure that the chart is still the one that was looked up.
Nothing is done twice: a draft is one row per case, files have the same bytes, a decision is recorded once. So a process
that drafts one case and ends takes the same steps without the graph, whose libraries take longer to load than a
draft to make: what is interrupted before the draft is there leaves nothing behind and is begun again, and the graph
takes the draft up at its review (`begun`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import msgspec

from agent.drafts import papers, revision
from agent.drafts.decision import Decision
from agent.drafts.integrity import require_unaltered
from agent.drafts.requests import (
    DraftRequest,
    agree,
    clauses_of,
    coverage,
    fingerprint,
    look_up,
    retrying,
    why_not,
    worth_a_retry,
)
from tools.common.errors import Unavailable
from tools.domain.records import Determination
from tools.papers.case import Case
from tools.queries.check import Asked, decide
from tools.queries.replay import provenance_of
from tools.store.rows import Draft, DraftStatus
from tools.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from langgraph.graph import StateGraph
    from langgraph.runtime import Runtime

    from agent.models.model import Model

TRIES, FIRST_PAUSE = 3, 0.2  # of a step that a busy disk or database was in the way of; seconds


class State(TypedDict, total=False):
    """What is known so far; JSON only."""

    thread: str
    asking: dict[str, Any]  # a DraftRequest
    chart: str  # fingerprint of everything that was looked up
    coverage: dict[str, Any]
    clauses: list[dict[str, Any]]  # as retrieved
    determination: dict[str, Any]
    refusal: str
    draft_id: int
    decision: dict[str, Any]  # a Decision


@dataclass(frozen=True)
class DraftingContext:
    """What the work is done with: the store, the folder for drafts, the time on the clock, and a model that words
    letters, if one was asked for."""

    store: Store
    folder: Path
    now: datetime
    model: Model | None = None


def build() -> StateGraph[State, DraftingContext, State, State]:
    """The graph; compile it with a checkpointer."""
    from langgraph.graph import END, START, StateGraph
    from langgraph.types import RetryPolicy

    outside = RetryPolicy(max_attempts=TRIES, initial_interval=FIRST_PAUSE, retry_on=worth_a_retry)
    graph = StateGraph(State, context_schema=DraftingContext)
    for step in (look_up_patient, check_coverage, retrieve_policy, determine, draft, revise, conclude):
        graph.add_node(step.__name__, _node(step), retry_policy=outside)
    graph.add_node("review", review)
    graph.add_edge(START, "look_up_patient")
    graph.add_edge("look_up_patient", "check_coverage")
    graph.add_edge("check_coverage", "retrieve_policy")
    graph.add_edge("retrieve_policy", "determine")
    graph.add_conditional_edges(
        "determine", lambda state: END if state["refusal"] else "draft", ["draft", END]
    )
    graph.add_edge("draft", "review")
    graph.add_conditional_edges("review", after_review, ["revise", "conclude"])
    graph.add_edge("revise", "review")
    graph.add_edge("conclude", END)
    return graph


def _node(step: Callable[[State, DraftingContext], State]) -> Any:
    """The step as the graph calls it."""

    def node(state: State, runtime: Runtime[DraftingContext]) -> State:
        return step(state, runtime.context)

    return node


def run_to_review(state: State, context: DraftingContext) -> State:
    """The steps up to the review, or to a refusal, without the graph and its checkpoints."""
    trying = retrying(TRIES, FIRST_PAUSE)
    for step in (look_up_patient, check_coverage, retrieve_policy, determine, draft):
        if not state.get("refusal"):
            state = state | trying(step, state, context)
    return state


# --- steps, in their order -------------------------------------------------------------------------------


def look_up_patient(state: State, context: DraftingContext) -> State:
    """Patient, plan, drug and the complete request are there, and this is what they were."""
    return {"chart": fingerprint(context.store, look_up(context.store, _asking(state)))}


def check_coverage(state: State, context: DraftingContext) -> State:
    """The enrolment on the day, and what the plan says of the drug."""
    return {"coverage": coverage(_asked(state, context))}


def retrieve_policy(state: State, context: DraftingContext) -> State:
    """The clauses of this plan's policy for this drug, and of no other, as they are printed."""
    asked = _asked(state, context)
    return {"clauses": clauses_of(context.store.policy(asked.plan.id, asked.drug.name))}


def determine(state: State, context: DraftingContext) -> State:
    """Decide, make sure that every clause cited was retrieved as it is quoted, and refuse what no PA can mend."""
    asked = _asked(state, context)
    found = decide(context.store, asked)
    refusal = why_not(asked, found, force=_asking(state).force)
    if not refusal:
        agree(found, state["clauses"])
    return {"determination": msgspec.to_builtins(found), "refusal": refusal}


def draft(state: State, context: DraftingContext) -> State:
    """Fill the form, write the letter and the cover, and keep them as one draft that waits for a person."""
    case = _case(state, context)
    filled = papers.fill_form(context.store, case)
    said = papers.compose(context.store, case, context.model)
    files = papers.write(context.store, case, filled, context.folder / state["thread"], said.letter)
    letter = papers.kept_letter(said, state["asking"], state["chart"])
    kept = context.store.save_draft(
        papers.draft_of(case, filled, letter, files, thread=state["thread"], when=context.now),
        provenance_of(context.store, _asked(state, context), case.determination),
    )
    return {"draft_id": kept.id}


def review(state: State) -> State:
    """Wait for a person."""
    from langgraph.types import interrupt

    return {"decision": interrupt({"draft_id": state["draft_id"], "choose": ["approve", "edit", "reject"]})}


def after_review(state: State) -> str:
    return "revise" if state["decision"]["action"] == "edit" else "conclude"


def revise(state: State, context: DraftingContext) -> State:
    """Decide the changed request anew and print all papers of it; they take the place of the old ones together."""
    decision = _decision(state)
    kept = context.store.draft(state["draft_id"])
    edit, force = revision.edit_of(context.store, kept, decision), _asking(state).force
    known = [msgspec.structs.replace(one, contradicts=()) for one in kept.edits]
    if edit in known:  # killed after it was kept
        return {}
    asked = _asked(state, context)
    before = revision.revise(context.store, asked, kept.edits, force=force).case
    revised = revision.revise(context.store, asked, (*kept.edits, edit), force=force)
    case, form = revised.case, revised.form
    agree(case.determination, state["clauses"])
    version = kept.version + 1
    said = papers.recompose(context.store, kept, before, case)
    folder = context.folder / state["thread"] / f"version-{version}"
    files = papers.write(context.store, case, form, folder, said.letter)
    context.store.revise_draft(
        msgspec.structs.replace(
            kept,
            status="edited",
            outcome=case.determination.outcome,
            determination=msgspec.json.encode(case.determination),
            pa_request=msgspec.json.encode(form),
            letter=papers.kept_letter(said, state["asking"], state["chart"]),
            files=files,
            updated=decision.when,
            version=version,
            edits=(*kept.edits, msgspec.structs.replace(edit, contradicts=revised.contradicts)),
        ),
        reason=decision.said(),
        made=provenance_of(context.store, revised.asked, case.determination, asked.patient),
    )
    return {}


def conclude(state: State, context: DraftingContext) -> State:
    """Record what the person decided. Nothing is sent: that is the person's, too."""
    decision = _decision(state)
    status: DraftStatus = "approved" if decision.action == "approve" else "rejected"
    if status == "approved":
        require_unaltered(context.store.draft(state["draft_id"]))
    context.store.set_draft_status(
        state["draft_id"], status, by=decision.by, reason=decision.reason, when=decision.when
    )
    return {}


# --- reading the state ------------------------------------------------------------------------------------


def drafted_state(store: Store, kept: Draft) -> State:
    """What the graph would know of a draft that was made without it; Unavailable of one that does not tell."""
    begun = msgspec.json.decode(kept.letter).get("begun")
    if not begun:
        raise Unavailable(
            f"the checkpoint of draft {kept.id} is gone; run `pa draft {kept.patient_id} {kept.drug}`"
        )
    return {
        "thread": kept.thread_id,
        "asking": begun["asking"],
        "chart": begun["chart"],
        "clauses": clauses_of(store.policy(kept.plan_id, kept.drug)),
        "determination": msgspec.json.decode(kept.determination),
        "refusal": "",
        "draft_id": kept.id,
    }


def _asking(state: State) -> DraftRequest:
    return msgspec.convert(state["asking"], DraftRequest)


def _asked(state: State, context: DraftingContext) -> Asked:
    """What was looked up, read again; Unavailable if it changed while the case was being worked on."""
    asked = look_up(context.store, _asking(state))
    if fingerprint(context.store, asked) != state["chart"]:
        raise Unavailable(f"the records of {asked.patient.id} changed meanwhile; run `pa draft` again")
    return asked


def _case(state: State, context: DraftingContext) -> Case:
    asked = _asked(state, context)
    found = msgspec.convert(state["determination"], Determination)
    return asked.case(found, context.store.policy(asked.plan.id, asked.drug.name))


def _decision(state: State) -> Decision:
    return msgspec.convert(state["decision"], Decision)
