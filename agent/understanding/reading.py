"""The vocabulary of understanding: what was asked, about which drugs, and what the talk was about before."""

from __future__ import annotations

from typing import Literal, get_args

from tools.records import Record
from tools.what_if import Change

Intent = Literal[
    "eligibility",  # can she get it? would it go through?
    "missing",  # what is missing, and how to get it
    "why",  # criterion by criterion, or why one criterion stands as it does
    "compare",  # several or all drugs for this patient; alternatives
    "what_if",  # a supposed change of the record
    "policy",  # what does the policy say
    "chart",  # what does the chart hold
    "plan",  # tier, copay, limit, step therapy, channel, phone, enrolment
    "dates",  # deadlines, clocks, when something lapses or can be asked again
    "draft",  # draft the form or the letter
    "patient",  # find, choose or name the patient of this conversation
    "smalltalk",  # hello, thanks, bye
    "help",  # what can you do
    "off_topic",
    "advice",  # should she take it: a clinician's question
    "dosing",  # which dose to give: a clinician's question
    "fabricate",  # make evidence up, change the record, skip a rule, submit or sign
    "other_patient",  # something about somebody else than the bound patient
    "alike",  # what was tried by patients like this one, and how it went
    "cases",  # a request that was made: where it stands, what the payer answered, what is due, who called
    "unclear",
]
# Those that examples teach and a model may name; the others are told by their form alone.
INTENTS: tuple[Intent, ...] = tuple(intent for intent in get_args(Intent) if intent not in ("alike", "cases"))
ABOUT_A_DRUG: frozenset[Intent] = frozenset(
    ("eligibility", "missing", "why", "compare", "what_if", "policy", "plan", "dates", "draft")
)
REFUSED: frozenset[Intent] = frozenset(("advice", "dosing", "fabricate", "other_patient"))


class Ask(Record, frozen=True, kw_only=True):
    """One thing asked for. `drugs` are catalog names in the order named; empty means none was named and none
    was meant. `about` narrows it: of a chart a test ("hba1c"), drug ("metformin") or list ("medications",
    "allergies", "diagnoses", "notes"); of a plan "tier", "copay", "limit", "step", "channel", "enrolment",
    "formulary"; of dates "review", "appeal", "approval", "lookback"; of a case its side (of_cases.py); of a criterion
    its words; of a policy the question itself."""

    intent: Intent
    drugs: tuple[str, ...] = ()
    all_drugs: bool = False  # everything on the plan
    about: str = ""
    changes: tuple[Change, ...] = ()
    indication: str = ""  # t2dm, weight, cv, osa, hf, ckd, mash, if the question pins it
    text: str = ""  # the words of the question that ask this


class Reading(Record, frozen=True, kw_only=True):
    """What one question says. `person` is somebody named or numbered in it ("P007", "Maria Lopez", "born
    1970-02-03"), never resolved here. `candidates` are the drugs that a description fits when it fits several
    ("the weekly shot"); `strangers` are words that stand where a drug would and are none of ours."""

    asks: tuple[Ask, ...]
    person: str = ""
    candidates: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    plan_id: str = ""  # another plan than the one on file, if one is named
    sure: float = 1.0  # 0 … 1: how sure the reader is of the intents
    by: Literal["code", "model", "both"] = "code"


class Talk(Record, frozen=True, kw_only=True):
    """What the conversation was about so far: all that a follow-up can lean on."""

    patient_id: str = ""
    sex: str = "unknown"
    drugs: tuple[str, ...] = ()  # of the last answer, the main one first
    earlier: tuple[str, ...] = ()  # talked about before that, newest first
    asks: tuple[Ask, ...] = ()  # of the last turn
    offered: tuple[str, ...] = ()  # what the last answer asked back about: drugs or patient ids
    question: str = ""  # the last one
