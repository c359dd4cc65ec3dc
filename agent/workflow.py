"""The job, on one screen. It stops before a person approves, and goes on after that, in another process if need be.

    look_up_patient → check_coverage → retrieve_policy → determine ─┬→ draft → review ─┬→ conclude → END
                                                                    │           ↑      │ edit
                                                                    └→ END      revise ┘
                                                                      (refused)

Every step is checkpointed before the next begins. The state holds ids and plain data only; each node reads the
records that it needs from the store and makes sure that the chart is still the one that was looked up.
Nothing is done twice: a draft is one row per case, files have the same bytes, a decision is recorded once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import msgspec
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import RetryPolicy, interrupt

from agent import papers, revision
from agent.casework import (
    Asking,
    agree,
    case_of,
    coverage,
    fingerprint,
    look_up,
    retrieve,
    why_not,
    worth_a_retry,
)
from agent.decision import Decision
from agent.integrity import require_unaltered
from tools.common.errors import Unavailable
from tools.domain.records import Determination
from tools.papers.case import Case
from tools.queries.check import Asked, decide
from tools.queries.replay import provenance_of
from tools.store.rows import DraftStatus
from tools.store.store import Store

if TYPE_CHECKING:
    from agent.models.model import Model


class State(TypedDict, total=False):
    """What is known so far; JSON only."""

    thread: str
    asking: dict[str, Any]  # an Asking
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
    outside = RetryPolicy(max_attempts=3, initial_interval=0.2, retry_on=worth_a_retry)
    graph = StateGraph(State, context_schema=DraftingContext)
    graph.add_node("look_up_patient", look_up_patient, retry_policy=outside)
    graph.add_node("check_coverage", check_coverage, retry_policy=outside)
    graph.add_node("retrieve_policy", retrieve_policy, retry_policy=outside)
    graph.add_node("determine", determine, retry_policy=outside)
    graph.add_node("draft", draft, retry_policy=outside)
    graph.add_node("review", review)
    graph.add_node("revise", revise, retry_policy=outside)
    graph.add_node("conclude", conclude, retry_policy=outside)
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


# --- nodes, in their order -------------------------------------------------------------------------------


def look_up_patient(state: State, runtime: Runtime[DraftingContext]) -> State:
    """Patient, plan, drug and the complete request are there, and this is what they were."""
    asking = _asking(state)
    return {"chart": fingerprint(runtime.context.store, look_up(runtime.context.store, asking))}


def check_coverage(state: State, runtime: Runtime[DraftingContext]) -> State:
    """The enrolment on the day, and what the plan says of the drug."""
    return {"coverage": coverage(_asked(state, runtime.context))}


def retrieve_policy(state: State, runtime: Runtime[DraftingContext]) -> State:
    """The clauses of this plan's policy for this drug, and of no other, from the index."""
    return {"clauses": retrieve(runtime.context.store, _asked(state, runtime.context))}


def determine(state: State, runtime: Runtime[DraftingContext]) -> State:
    """Decide, make sure that every clause cited was retrieved as it is quoted, and refuse what no PA can mend."""
    asked = _asked(state, runtime.context)
    found = decide(runtime.context.store, asked)
    refusal = why_not(asked, found, force=_asking(state).force)
    if not refusal:
        agree(found, state["clauses"])
    return {"determination": msgspec.to_builtins(found), "refusal": refusal}


def draft(state: State, runtime: Runtime[DraftingContext]) -> State:
    """Fill the form, write the letter and the cover, and keep them as one draft that waits for a person."""
    desk = runtime.context
    case = _case(state, desk)
    filled = papers.fill_form(desk.store, case)
    said = papers.compose(desk.store, case, desk.model)
    written = papers.write(desk.store, case, filled, desk.folder / state["thread"], said)
    kept = desk.store.save_draft(
        papers.draft_of(case, filled, written.letter, written.files, thread=state["thread"], when=desk.now),
        provenance_of(desk.store, _asked(state, desk), case.determination),
    )
    return {"draft_id": kept.id}


def review(state: State) -> State:
    """Wait for a person."""
    return {"decision": interrupt({"draft_id": state["draft_id"], "choose": ["approve", "edit", "reject"]})}


def after_review(state: State) -> str:
    return "revise" if state["decision"]["action"] == "edit" else "conclude"


def revise(state: State, runtime: Runtime[DraftingContext]) -> State:
    """Decide the changed request anew and print all papers of it; they take the place of the old ones together."""
    desk, decision = runtime.context, _decision(state)
    kept = desk.store.draft(state["draft_id"])
    if any(edit.when == decision.when for edit in kept.edits):  # killed after it was kept
        return {}
    asked = _asked(state, desk)
    edit, force = revision.edit_of(desk.store, kept, decision), _asking(state).force
    before = revision.revise(desk.store, asked, kept.edits, force=force).case
    revised = revision.revise(desk.store, asked, (*kept.edits, edit), force=force)
    case, form = revised.case, revised.form
    agree(case.determination, state["clauses"])
    version = kept.version + 1
    said = papers.recompose(desk.store, kept, before, case)
    written = papers.write(desk.store, case, form, desk.folder / state["thread"] / f"version-{version}", said)
    desk.store.revise_draft(
        msgspec.structs.replace(
            kept,
            status="edited",
            outcome=case.determination.outcome,
            determination=msgspec.json.encode(case.determination),
            pa_request=msgspec.json.encode(form),
            letter=written.letter,
            files=written.files,
            updated=decision.when,
            version=version,
            edits=(*kept.edits, msgspec.structs.replace(edit, contradicts=revised.contradicts)),
        ),
        reason=decision.said(),
        made=provenance_of(desk.store, revised.asked, case.determination, asked.patient),
    )
    return {}


def conclude(state: State, runtime: Runtime[DraftingContext]) -> State:
    """Record what the person decided. Nothing is sent: that is the person's, too."""
    decision = _decision(state)
    status: DraftStatus = "approved" if decision.action == "approve" else "rejected"
    if status == "approved":
        require_unaltered(runtime.context.store.draft(state["draft_id"]))
    runtime.context.store.set_draft_status(
        state["draft_id"], status, by=decision.by, reason=decision.reason, when=decision.when
    )
    return {}


# --- reading the state ------------------------------------------------------------------------------------


def _asking(state: State) -> Asking:
    return msgspec.convert(state["asking"], Asking)


def _asked(state: State, desk: DraftingContext) -> Asked:
    """What was looked up, read again; Unavailable if it changed while the case was being worked on."""
    asked = look_up(desk.store, _asking(state))
    if fingerprint(desk.store, asked) != state["chart"]:
        raise Unavailable(f"the records of {asked.patient.id} changed meanwhile; run `pa draft` again")
    return asked


def _case(state: State, desk: DraftingContext) -> Case:
    asked = _asked(state, desk)
    found = msgspec.convert(state["determination"], Determination)
    return case_of(asked, found, desk.store.policy(asked.plan.id, asked.drug.name))


def _decision(state: State) -> Decision:
    return msgspec.convert(state["decision"], Decision)
