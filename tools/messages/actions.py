"""What can be done about a finding, or next about a case: by whom, and at what effort."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from tools.messages.catalogue import render
from tools.messages.message import Message

Actor = Literal[
    "prescriber", "clinician", "patient", "lab", "office", ""
]  # "" where it is nobody in particular
# What a specialist settles first: pulling what exists, then measuring, then asking the prescriber. `treat` takes a
# change of therapy; a `chance` nobody can bring about; to `nothing` there is no answer.
Effort = Literal[
    "retrieve", "correct", "record", "document", "confirm", "find", "obtain", "measure", "ask", "arrange",
    "submit", "treat", "chance", "nothing",
]  # fmt: skip
FIRST: tuple[Effort, ...] = (
    "retrieve", "correct", "record", "document", "confirm", "find", "obtain", "measure", "ask", "arrange",
)  # fmt: skip
VISIT: tuple[Effort, ...] = (
    "arrange",
    "treat",
    "chance",
)  # takes a visit or a decision, and not only a paper


class Action(Message, frozen=True, omit_defaults=True, gc=False):
    """A step as a message, whose turn it is, and its effort; `parts` are the steps of one that has several."""

    actor: Actor = ""
    effort: Effort = "submit"
    parts: tuple[Action, ...] = ()

    def __hash__(self) -> int:
        return hash(self.code)

    @property
    def rank(self) -> int:
        """Its place among what is done next."""
        return FIRST.index(self.effort) if self.effort in FIRST else len(FIRST)

    def __str__(self) -> str:
        return render(self)


def action(code: str, **params: Any) -> Action:
    """The step with this code; who does it, and at what effort, stands in `_WORK`."""
    return Action(code, params, *_WORK[code])


def both(steps: Sequence[Action]) -> Action:
    """All of these; it is the turn of whoever does the first."""
    return Action("all_of", {}, steps[0].actor, steps[0].effort, tuple(steps))


def choice(steps: Sequence[Action], count: int) -> Action:
    """So many of these."""
    if len(steps) == 2 and count == 1:
        return Action("either", {}, steps[0].actor, steps[0].effort, tuple(steps))
    return Action("some_of", {"count": count}, "", "submit", tuple(steps))


_WORK: dict[str, tuple[Actor, Effort]] = {
    # courses
    "obtain_history": ("office", "retrieve"),
    "obtain_list": ("office", "retrieve"),
    "record_filled_course": ("office", "record"),
    "try": ("clinician", "treat"),
    "correct_course": ("office", "correct"),
    "document_trial": ("office", "document"),
    "continue_trial": ("patient", "treat"),
    "continue_drug": ("patient", "treat"),
    "continue_until": ("patient", "treat"),
    "document_formulation": ("office", "document"),
    "document_why_stopped": ("office", "document"),
    "document_whether_stopped": ("office", "document"),
    "document_stop": ("office", "document"),
    "document_dose": ("office", "document"),
    "document_doses": ("office", "document"),
    "document_since": ("office", "document"),
    "document_still": ("office", "document"),
    "reach_months": ("", "treat"),
    "allergy_excludes": ("", "submit"),
    "add_drug": ("clinician", "chance"),
    "stop_drug": ("clinician", "treat"),
    "record_product": ("office", "record"),
    "record_which_product": ("office", "record"),
    # measured values
    "record_course": ("office", "record"),
    "ask_ingredient": ("", "ask"),
    "measure_after": ("", "chance"),
    "obtain": ("lab", "obtain"),
    "obtain_since": ("lab", "obtain"),
    "obtain_new": ("lab", "obtain"),
    "obtain_another": ("lab", "obtain"),
    "obtain_coded": ("office", "retrieve"),
    "confirm_value": ("office", "confirm"),
    "confirm_values": ("office", "confirm"),
    "confirm_which": ("office", "confirm"),
    "correct_value": ("office", "correct"),
    "find_before": ("office", "find"),
    "find_baseline": ("office", "find"),
    "measure": ("lab", "measure"),
    "measure_again": ("lab", "measure"),
    "exception_reading": ("", "chance"),
    "newer_lifts": ("lab", "chance"),
    "newer_meets": ("lab", "chance"),
    "baseline_meets": ("lab", "chance"),
    "record_approval": ("office", "record"),
    "record_start": ("office", "record"),
    "show_trend": ("", "submit"),
    # conditions
    "record_onset": ("office", "record"),
    "wait_until": ("", "submit"),
    "code_diagnosis": ("clinician", "nothing"),
    "excluded_by": ("clinician", "submit"),
    "ask_which": ("prescriber", "ask"),
    "ask_whether_this": ("prescriber", "ask"),
    "ask_whether": ("prescriber", "ask"),
    "correct_date": ("office", "correct"),
    # statements, programs
    "record_birth_date": ("office", "record"),
    "age_outside": ("", "nothing"),
    "state_use": ("office", "submit"),
    "not_covered_for": ("", "nothing"),
    "order_strength": ("prescriber", "ask"),
    "ask_dose": ("prescriber", "ask"),
    "ask_statement": ("prescriber", "ask"),
    "confirm_denial": ("prescriber", "nothing"),
    "arrange_consult": ("clinician", "arrange"),
    "ask_if_consulted": ("prescriber", "ask"),
    "ask_specialty": ("", "ask"),
    "document_program": ("office", "document"),
    "document_program_dates": ("office", "document"),
    "document_sessions": ("office", "document"),
    "rejoin_program": ("patient", "treat"),
    "complete_program": ("patient", "treat"),
    "continue_program": ("patient", "treat"),
    "attend_sessions": ("patient", "treat"),
    # doubts
    "ask_name": ("", "ask"),
    "ask_diagnosis": ("", "ask"),
    "ask_which_code": ("prescriber", "ask"),
    "ask_if_taken": ("", "ask"),
    "ask_if_tolerated": ("", "ask"),
    "confirm_record": ("office", "confirm"),
    "ask_about_note": ("prescriber", "ask"),
    # documents, quantity, dose, enrolment, form
    "attach": ("office", "submit"),
    "attach_record": ("office", "submit"),
    "attach_named": ("office", "submit"),
    "sign": ("", "submit"),
    "state_about": ("office", "submit"),
    "state_quantity": ("office", "submit"),
    "find_strength": ("office", "find"),
    "ask_starting_dose": ("prescriber", "ask"),
    "ask_supply": ("prescriber", "ask"),
    "ask_quantity": ("prescriber", "ask"),
    "ask_label_dose": ("prescriber", "ask"),
    "check_under": ("", "submit"),
    "find_plan": ("office", "find"),
    "record_boxes": ("office", "record"),
    # the case
    "find_policy": ("office", "find"),
    "order_drug": ("prescriber", "ask"),
    "review": ("", "submit"),
    "send": ("", "submit"),
    "do_not_submit": ("clinician", "submit"),
    "ask_exception": ("clinician", "submit"),
    "correct_order": ("office", "submit"),
    "correct_order_and_send": ("office", "submit"),
    "record_and_check": ("office", "submit"),
    "ask_transition": ("", "submit"),
    "update_plan": ("office", "submit"),
    "send_prescription": ("office", "submit"),
    "check_other_use": ("", "submit"),
    "consider_alternative": ("", "submit"),
    "pa_cannot_help": ("", "submit"),
    "ask_formulary_exception": ("", "submit"),
}
