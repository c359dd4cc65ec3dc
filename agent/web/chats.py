"""Chat beside a patient: each answer with what it rests on, as links into the chart and the policy."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Query, Request, Response

from agent.api.office import Office, office
from agent.conversation import LONGEST_QUESTION, Conversation, find, kept
from agent.web.page import PageRoute, Sent, go, is_part, render
from tools.errors import Invalid
from tools.records import Patient

router = APIRouter(prefix="/patients/{patient_id}/chat", route_class=PageRoute, include_in_schema=False)
RECENT = 100  # conversations that are looked through for this patient's


@router.get("")
def chat(request: Request, patient_id: str) -> Response:
    """A new conversation, and those that can be gone on with."""
    desk = office(request)
    patient = desk.store.patient(patient_id)
    return render(request, "chat.html", **_page(desk, patient), talk="", history=())


@router.get("/{talk}")
def conversation(request: Request, patient_id: str, talk: str) -> Response:
    desk = office(request)
    patient = desk.store.patient(patient_id)
    held = Conversation(desk.talks, desk.chat_desk(model="offline"), find(desk.talks, talk).id, patient.id)
    return render(request, "chat.html", **_page(desk, patient), talk=held.id, history=held.history)


@router.post("")
def ask(request: Request, patient_id: str, form: Sent, model: str = Query("", max_length=100)) -> Response:
    """One turn; without scripts the conversation is shown anew."""
    desk, question = office(request), form.words("question")
    if not question:
        raise Invalid("write a question")
    if len(question) > LONGEST_QUESTION:
        raise Invalid(f"the question has {len(question)} characters; ask in at most {LONGEST_QUESTION}")
    patient, talk = desk.store.patient(patient_id), form.text("talk")
    known = find(desk.talks, talk).id if talk else ""
    held = Conversation(desk.talks, desk.chat_desk(model=model), known, patient.id)
    turn = held.ask(question)
    if is_part(request):
        return render(request, "turn.html", patient=patient, turn=turn, talk=held.id)
    return go(f"/patients/{patient.id}/chat/{held.id}#last")


def _page(desk: Office, patient: Patient) -> dict[str, Any]:
    others = [one for one in kept(desk.talks, RECENT) if one.patient_id == patient.id and one.turns]
    return {"patient": patient, "others": others}
