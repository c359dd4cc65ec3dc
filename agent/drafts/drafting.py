"""Runs the workflow: starts a case, goes on where it stopped, and hands over what a person decided."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from agent.drafts.decision import Decision, validate
from agent.drafts.integrity import altered_papers, require_owner, require_unaltered
from agent.drafts.requests import DraftRequest, complete_request, fingerprint, look_up, thread_of
from agent.drafts.revision import edit_of, revise
from agent.drafts.workflow import DraftingContext, build, drafted_state, run_to_review
from agent.runtime.access import acting
from agent.runtime.checkpoints import Place, alone, checkpointer
from agent.runtime.home import make_home, now
from agent.runtime.settings import Settings
from tools.common.errors import Correctable, Outdated, PaladinError, Refused
from tools.store.drafts import SETTLED
from tools.store.rows import Draft
from tools.store.store import Store

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

    from agent.drafts.requests import DraftRequest
    from agent.drafts.workflow import State
    from agent.models.model import Model
    from tools.queries.check import Asked


class Drafted(NamedTuple):
    """A draft and whether this call made it, or found it waiting or decided."""

    draft: Draft
    new: bool


@contextmanager
def workflow(settings: Settings) -> Iterator[CompiledStateGraph[Any, Any, Any, Any]]:
    """The compiled graph with its checkpoints."""
    with checkpointer(settings, Place("checkpoints", settings.checkpoints, "drafting")) as saver:
        yield build().compile(checkpointer=saver)


def draft(
    graph: CompiledStateGraph[Any, Any, Any, Any],
    store: Store,
    settings: Settings,
    asking: DraftRequest,
    model: Model | None = None,
) -> Drafted:
    """Draft the case up to its review; Refused, with what to do instead, where a PA is not the way.

    What was interrupted goes on, what already waits is found again.
    """
    begin, kept = _begin(store, asking)
    if kept and _stands(kept):
        return Drafted(kept, False)
    config: Any = {"configurable": {"thread_id": begin["thread"]}}
    desk = DraftingContext(store, settings.drafts, now(), model)
    snapshot = graph.get_state(config)
    if kept or "review" in snapshot.next:  # its files or its row are gone: make them again
        graph.checkpointer.delete_thread(begin["thread"])  # type: ignore[union-attr]
        snapshot = graph.get_state(config)
    try:
        state = graph.invoke(None if snapshot.next else begin, config, context=desk, durability="sync")
    except PaladinError:  # what was found so far may be why, so nothing of it is kept
        graph.checkpointer.delete_thread(begin["thread"])  # type: ignore[union-attr]
        if not snapshot.next:
            raise
        state = graph.invoke(begin, config, context=desk, durability="sync")
    return _drafted(store, state)


def draft_alone(
    store: Store, settings: Settings, asking: DraftRequest, model: Model | None = None
) -> Drafted:
    """Draft one case in a process that does nothing else: the workflow's steps without its graph."""
    make_home(settings.home)
    begin, kept = _begin(store, asking)
    if kept and _stands(kept):
        return Drafted(kept, False)
    desk = DraftingContext(store, settings.drafts, now(), model)
    return _drafted(store, dict(run_to_review(begin, desk)))


def _begin(store: Store, asking: DraftRequest) -> tuple[State, Draft | None]:
    """What the workflow begins with, and the draft of this very case, whose thread is the same, if there is one."""
    asked = look_up(store, asking)
    asking = complete_request(asked, asking)  # a day that was left out is today's, also tomorrow
    thread = thread_of(asking, fingerprint(store, asked))
    kept = store.drafts(patient_id=asked.patient.id, thread_id=thread, limit=1)
    return {"thread": thread, "asking": msgspec.to_builtins(asking)}, kept[0] if kept else None


def _stands(kept: Draft) -> bool:
    """Is the draft there with all its papers? A batch prints form and letter within the packet alone."""
    return ("form_pdf" in kept.files or kept.status in SETTLED) and not altered_papers(kept)


def _drafted(store: Store, state: dict[str, Any]) -> Drafted:
    if state["refusal"]:
        raise Refused(state["refusal"])
    return Drafted(store.draft(state["draft_id"]), True)


def decide(
    graph: CompiledStateGraph[Any, Any, Any, Any],
    store: Store,
    settings: Settings,
    draft_id: int,
    decision: Decision,
) -> Draft:
    """Hand a person's decision to the case that waits for it: one at a time, in whatever process they are made.

    Raises:
        Outdated: the draft has another version than the one that was decided about.
        Refused: it was decided before, or may not be decided so.
    """
    with alone(graph.checkpointer, store.draft(draft_id).thread_id):
        return _decide(graph, store, settings, store.draft(draft_id), decision)


def _decide(
    graph: CompiledStateGraph[Any, Any, Any, Any],
    store: Store,
    settings: Settings,
    kept: Draft,
    decision: Decision,
) -> Draft:
    from langgraph.types import Command

    draft_id = kept.id
    _require_seen(store, kept, decision)
    if kept.status in SETTLED:
        raise Refused(
            f"draft {draft_id} was already {kept.status};"
            f" `pa draft {kept.patient_id} {kept.drug} --again` makes another one"
        )
    validate(decision, kept)
    if decision.action != "reject":
        require_owner(store, kept)
    if decision.action == "approve":
        require_unaltered(kept)
        if settings.practice.two_persons:
            _require_another(store, kept)
    config: Any = {"configurable": {"thread_id": kept.thread_id}}
    snapshot = graph.get_state(config)
    if snapshot.values.get("draft_id") != draft_id:  # it was drafted without the graph
        graph.checkpointer.delete_thread(kept.thread_id)  # type: ignore[union-attr]
        graph.update_state(config, drafted_state(store, kept), as_node="draft")
        snapshot = graph.get_state(config)
    if decision.action != "reject" and changed(store, snapshot.values):
        raise Refused(
            f"the records behind draft {draft_id} changed since it was made; `pa draft {kept.patient_id} {kept.drug}`"
            " makes a new one, and this one can only be rejected"
        )
    if decision.action == "edit":
        _try(store, snapshot.values, kept, decision)
    desk = DraftingContext(store, settings.drafts, decision.when)
    if "review" in snapshot.next and not snapshot.interrupts:  # it waits from now on
        graph.invoke(None, config, context=desk, durability="sync")
    if "review" not in snapshot.next:  # killed after an earlier decision: that one is finished first
        seen = kept.version
        graph.invoke(None, config, context=desk, durability="sync")
        kept = store.draft(draft_id)
        if kept.status in SETTLED:
            return kept
        if kept.version != seen and _is_the_last(store, kept, decision):  # the very edit, said again
            return kept
        _require_seen(store, kept, decision)
        if kept.version != seen and decision.action == "approve":
            raise Refused(
                f"an edit that was interrupted is finished only now, and draft {draft_id} has its version"
                f" {kept.version}; read it again: pa review {draft_id}"
            )
    graph.invoke(Command(resume=msgspec.to_builtins(decision)), config, context=desk, durability="sync")
    return store.draft(draft_id)


def _require_seen(store: Store, kept: Draft, decision: Decision) -> None:
    """Refused, with who was first and what they did, if the draft is not as the person had read it."""
    if decision.seen is None or (kept.version == decision.seen and kept.status not in SETTLED):
        return
    done = store.reviews(kept.id)
    by = f" by {done[-1].by}, {done[-1].when:%Y-%m-%d %H:%M} UTC" if done else ""
    what = f" ({done[-1].reason})" if done and done[-1].reason else ""
    raise (Refused if kept.status in SETTLED else Outdated)(
        f"somebody was first: draft {kept.id} is {kept.status.replace('_', ' ')}{by}{what}, and its version"
        f" {kept.version}, not {decision.seen}. Nothing of yours was kept; read it again"
    )


def _require_another(store: Store, kept: Draft) -> None:
    """Refused if whoever acts had a hand in this draft."""
    hands = {
        event.actor.who
        for _, event in store.audit_events(kept.patient_id)
        if event.of == f"draft {kept.id}" and event.what in ("draft.saved", "draft.edited")
    }
    if acting().actor.who in hands:
        raise Refused(
            f"{acting().actor.who} drafted or edited draft {kept.id}; in this practice somebody else approves"
        )


def _is_the_last(store: Store, kept: Draft, decision: Decision) -> bool:
    """Does the decision change what the draft's newest edit changed, to the same?"""
    return decision.action == "edit" and edit_of(store, kept, decision).values == kept.edits[-1].values


def _try(store: Store, state: dict[str, Any], kept: Draft, decision: Decision) -> None:
    """Refuse an edit before anything of it is kept."""
    asking = msgspec.convert(state["asking"], DraftRequest)
    edits = (*kept.edits, edit_of(store, kept, decision))
    revise(store, look_up(store, asking), edits, force=asking.force)


def drafter(store: Store, settings: Settings) -> Callable[[Asked], Drafted]:
    """Drafts what was looked up, in a process that does other things too."""
    return lambda asked: draft_alone(store, settings, complete_request(asked))


def decide_alone(store: Store, settings: Settings, draft_id: int, decision: Decision) -> Draft:
    """Decide about one draft in a process that does nothing else."""
    with workflow(settings) as graph:
        return decide(graph, store, settings, draft_id, decision)


def decided_before(store: Store, patient_id: str) -> int:
    """How many drafts of this patient were approved or rejected: the number of the next attempt."""
    return sum(kept.status in SETTLED for kept in store.drafts(patient_id=patient_id, limit=1000))


def changed(store: Store, state: dict[str, Any]) -> bool:
    """Is the chart, plan, policy, form or drug another one than when the case was looked up?"""
    try:
        asked = look_up(store, msgspec.convert(state["asking"], DraftRequest))
    except Correctable:  # patient, drug or plan is no longer there
        return True
    return fingerprint(store, asked) != str(state["chart"])
