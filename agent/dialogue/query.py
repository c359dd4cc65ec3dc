"""What can be asked, as data: a query with its answer's form and what it is about.

A turn of a conversation holds several queries, in order. `Query` is the table of everything that an answer exists for;
`agent.answers.registry` has the function of each. A query says nothing of the wording that asked for it.
"""

from __future__ import annotations

from datetime import date
from typing import Literal, get_args

from tools.domain.records import Record
from tools.engine.what_if import Change

Query = Literal[
    # the decision for this patient and a drug
    "eligible", "missing", "why", "criterion", "criteria", "next_step", "attach", "earliest", "options", "compare",
    "quantity", "what_if", "news", "sources",
    # the chart
    "value", "trend", "value_age", "medication", "medications", "diagnosis", "diagnoses", "allergy", "family",
    "statement", "program", "document", "note", "fills", "order", "person", "prescriber", "summary",
    # the plan
    "coverage", "formulary", "tier", "copay", "limit", "step", "pa_required", "submit", "contact", "turnaround",
    "enrolment", "ids",
    # the text of the policy
    "policy", "policy_all", "approval_length", "lookback", "renewal_rules",
    # a request that was sent
    "status", "answer", "denial", "deadline", "appeal", "peer_to_peer", "sent", "calls", "approval",
    # to be done
    "draft", "draft_appeal", "message", "no_draft", "submit_it",
    # the conversation itself
    "patient", "other_patient", "correct", "choose", "rephrase", "define", "help", "smalltalk", "alike", "panel",
    "advice", "dosing", "fabricate", "off_topic", "unclear",
]  # fmt: skip
QUERIES: tuple[Query, ...] = get_args(Query)
Form = Literal["yes_no", "value", "date", "list", "who", "where", "which", "how_long", "text", "action"]
FORMS: tuple[Form, ...] = get_args(Form)
Polarity = Literal["", "fine", "hurdle"]  # what a yes says of the request; "" if neither, or not known
# To whom a text to use is to be written; "" where none is wanted, "someone" where it is not known.
Addressee = Literal["", "prescriber", "patient", "payer", "colleague", "chart", "someone"]
Scope = Literal["named", "focus", "other", "both", "all", "none"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

Intent = Literal[
    "eligibility", "missing", "why", "compare", "what_if", "policy", "chart", "plan", "dates", "draft", "patient",
    "smalltalk", "help", "off_topic", "advice", "dosing", "fabricate", "other_patient", "alike", "cases", "unclear",
]  # fmt: skip
_OF_INTENT: dict[Intent, tuple[Query, ...]] = {
    "eligibility": ("eligible", "quantity"),
    "missing": ("missing", "next_step", "attach"),
    "why": ("why", "criterion", "criteria", "sources"),
    "compare": ("options", "compare"),
    "what_if": ("what_if", "news"),
    "policy": ("policy", "policy_all", "renewal_rules"),
    "chart": (
        "value", "trend", "value_age", "medication", "medications", "diagnosis", "diagnoses", "allergy", "family",
        "statement", "program", "document", "note", "fills", "order", "person", "prescriber", "summary",
    ),
    "plan": (
        "coverage", "formulary", "tier", "copay", "limit", "step", "pa_required", "submit", "contact", "enrolment",
        "ids",
    ),
    "dates": ("turnaround", "approval_length", "lookback", "earliest", "deadline", "approval"),
    "cases": ("status", "answer", "denial", "appeal", "peer_to_peer", "sent", "calls"),
    "draft": ("draft", "draft_appeal", "message", "no_draft"),
    "fabricate": ("fabricate", "submit_it"),
    "help": ("help", "define"),
    "patient": ("patient",),
    "alike": ("alike", "panel"),
    "unclear": ("unclear", "correct", "choose", "rephrase"),
}  # fmt: skip
_INTENTS: dict[Query, Intent] = {query: intent for intent, queries in _OF_INTENT.items() for query in queries}
INTENTS: tuple[Intent, ...] = get_args(Intent)

REFUSED: frozenset[Query] = frozenset(("advice", "dosing", "fabricate", "submit_it", "other_patient"))
ABOUT_NOBODY: frozenset[Query] = REFUSED - {"other_patient"} | {
    "smalltalk",
    "help",
    "define",
    "off_topic",
    "panel",
}
DECISIONS: frozenset[Query] = frozenset(
    ("eligible", "missing", "why", "criteria", "next_step")
)  # of one request
OF_A_DRUG: frozenset[Query] = frozenset((
    "eligible", "missing", "why", "criterion", "criteria", "next_step", "attach", "earliest", "compare", "quantity",
    "what_if", "news", "sources", "coverage", "tier", "copay", "limit", "step", "pa_required", "policy", "policy_all",
    "approval_length", "lookback", "renewal_rules", "draft", "message", "deadline", "dosing",
))  # fmt: skip


def intent_of(query: Query) -> Intent:
    """The kind that a query is counted under."""
    return _INTENTS.get(query, query)  # type: ignore[arg-type]


class Ask(Record, frozen=True, kw_only=True):
    """One query of a turn.

    `drugs` are catalog names, in the order named or, `from_talk`, as the talk had them; `all_drugs` is everything on
    the plan. `tests`, `conditions` and `medicines` are what it names beside them, by the keys of the terminology.
    `changes` is what it supposes. `text` is the words of the turn that ask it, with the names of drugs in full.
    """

    query: Query
    form: Form = "text"
    yes: Polarity = ""
    drugs: tuple[str, ...] = ()
    all_drugs: bool = False
    from_talk: bool = False  # the turn itself names none of its drugs
    tests: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    medicines: tuple[str, ...] = ()
    to: Addressee = ""  # of a message
    changes: tuple[Change, ...] = ()
    unheard: bool = False  # it supposes something that was not understood, beside what was supposed before
    indication: str = ""  # t2dm, weight, cv, osa, hf, ckd, mash, if the words pin it
    uses: tuple[str, ...] = ()  # those of its only drug, where the turn names several
    plan_id: str = ""  # another plan than the one on file, if one is named
    criteria: tuple[
        str, ...
    ] = ()  # clauses or names of those that the turn likely means, the likeliest first
    surely: bool = False  # the first of them is meant, whatever is named
    open_ones: tuple[str, ...] = ()  # criteria that are not met, and that it speaks of
    day: date | None = None  # to come, that is named; of `earliest`, on which something begins or began
    until: date | None = None  # the last day of the time that is asked for
    guessed: bool = False  # tests or conditions are those that its words come near to, and do not name
    text: str = ""
    sure: float = 1.0

    @property
    def intent(self) -> Intent:
        return intent_of(self.query)

    @property
    def names_something(self) -> bool:
        """Whether a test, a condition or a medicine is named, so that not the whole list is meant."""
        return bool(self.tests or self.conditions or self.medicines)


class Mention(Record, frozen=True, kw_only=True):
    """Drugs of the catalog that words name: one, or those that a class or an ingredient holds. `several` says that all
    of them are meant; `asked` is how likely the turn asks about them."""

    names: tuple[str, ...]
    several: bool = False
    asked: float = 0.0


class Reading(Record, frozen=True, kw_only=True):
    """What one turn says. `person` is somebody named or numbered in it ("P007", "Maria Lopez", "born 1970-02-03"),
    never resolved here. `candidates` are the drugs that a description fits when it fits several; `strangers` are words
    that stand where a drug would and are none of ours, `strange_plan` such a name of a plan; `readings` are the two
    likeliest queries where none is sure."""

    asks: tuple[Ask, ...]
    mentions: tuple[Mention, ...] = ()
    person: str = ""
    candidates: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    strange_plan: str = ""
    readings: tuple[Query, ...] = ()
    sure: float = 1.0
    by: Literal["code", "model", "both"] = "code"


class Talk(Record, frozen=True, kw_only=True):
    """What the conversation was about so far: all that a follow-up can lean on."""

    patient_id: str = ""
    names: tuple[str, ...] = ()  # the patient's, in lower case
    sex: str = "unknown"
    drugs: tuple[str, ...] = ()  # of the last answer, the main one first
    earlier: tuple[str, ...] = ()  # talked about before that, newest first
    asks: tuple[Ask, ...] = ()  # of the last turn
    plan_id: str = ""  # the plan that was named last, if one was
    supposed: tuple[Change, ...] = ()  # hypotheses that hold until they are taken back
    offered: tuple[str, ...] = ()  # what the last answer asked back about: drugs, patient ids or queries
    question: str = ""  # the last one
    shown: tuple[str, ...] = ()  # keys of the passages that the last answer told


# What a query wants to know, as a choice between readings names it.
WANTS: dict[Query, str] = {
    "eligible": "whether the drug would be approved",
    "missing": "what is still missing",
    "why": "why it stands as it does",
    "criterion": "how the patient stands to one requirement",
    "criteria": "all requirements one by one",
    "next_step": "what to do next, and who",
    "attach": "which papers to attach",
    "earliest": "from which day it would be fulfilled",
    "options": "which drugs are possible",
    "compare": "how the drugs compare",
    "quantity": "whether this amount may be requested",
    "what_if": "how it would stand if something were different",
    "news": "how it stands with what you told",
    "sources": "what the last answer rests on",
    "value": "the newest result of a test",
    "trend": "how a test went over time",
    "value_age": "how old the last result is",
    "medication": "one medicine in the chart",
    "medications": "the list of medicines",
    "diagnosis": "whether a condition is in the chart",
    "diagnoses": "the list of diagnoses",
    "allergy": "allergies",
    "family": "the family history",
    "statement": "what the prescriber has stated",
    "program": "lifestyle programs in the chart",
    "document": "which papers are on file",
    "note": "what the notes say",
    "fills": "pharmacy fills",
    "order": "what is ordered",
    "person": "who the patient is",
    "prescriber": "who prescribes",
    "summary": "the chart in short",
    "coverage": "whether the plan covers it",
    "formulary": "which drugs the plan lists",
    "tier": "the tier",
    "copay": "the copay",
    "limit": "the plan's quantity limit",
    "step": "the plan's step therapy",
    "pa_required": "whether prior authorization is needed",
    "submit": "how and where to send the request",
    "contact": "whom to call",
    "turnaround": "how long the payer takes",
    "enrolment": "which plan is active",
    "ids": "member id, group, BIN and PCN",
    "policy": "what the policy says",
    "policy_all": "everything that the policy asks for",
    "approval_length": "how long an approval lasts",
    "lookback": "how old things may be",
    "renewal_rules": "what a renewal needs",
    "status": "where the request stands",
    "answer": "what the payer decided",
    "denial": "why it was denied",
    "deadline": "what is due by when",
    "appeal": "how to appeal",
    "peer_to_peer": "the peer-to-peer call",
    "sent": "what was sent, and when",
    "calls": "calls with the payer",
    "approval": "the approval on file",
    "draft": "a draft of the form and letter",
    "draft_appeal": "a draft of the appeal",
    "message": "a message to the prescriber or the patient",
    "no_draft": "that nothing is drafted yet",
    "submit_it": "that I send or sign it",
    "patient": "another patient",
    "other_patient": "somebody else's chart",
    "correct": "a correction",
    "choose": "a choice",
    "rephrase": "the last answer again, shorter",
    "define": "what a word means",
    "help": "what I can do",
    "smalltalk": "a greeting",
    "alike": "how it went with patients like this one",
    "panel": "many patients at once",
    "advice": "a clinical opinion",
    "dosing": "which dose to give",
    "fabricate": "that evidence is changed",
    "off_topic": "something else",
    "unclear": "something else",
}
