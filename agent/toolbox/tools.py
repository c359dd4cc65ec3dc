"""The tools of a model: one table of names, docstrings, schemas and functions over a store bound to one patient.

`toolbox(bound)` makes LangChain tools of it, `mcp_server.py` makes MCP tools of it. No schema has a patient's id: whose
chart it is was decided before any model is asked. What a model sends is checked here; what is wrong with it comes back
as text that says what to send instead. No example in it looks like a fact: a model of 1.5 billion parameters gave the
value and the date of an example out as the patient's.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from agent import enquiries
from tools.common.errors import Correctable, Invalid, Unavailable, nearest
from tools.terminology.conditions import CONCEPTS
from tools.terminology.observations import TESTS
from tools.terminology.terms import INDICATIONS, TOPICS

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

    from agent.enquiries import Drafting
    from tools.queries.bound import Bound
    from tools.store.store import Store

log = logging.getLogger(__name__)

LONGEST_ARGUMENT = 400  # characters
MOST_ITEMS = 20  # of a list
BIGGEST_NUMBER = 100_000
DRUG_LIST: Final = "drugs"  # an enum that the store fills in

Type = Literal["string", "number", "integer", "date", "list"]


class Param(NamedTuple):
    """One argument: its line for the model, and what it may be. `one_of` may name the store's drugs; a long one
    that is seldom needed is not `listed` in the schema, for every prompt pays for it."""

    name: str
    about: str
    type: Type = "string"
    one_of: tuple[str, ...] | Literal["", "drugs"] = ""
    required: bool = False
    listed: bool = True


class Tool(NamedTuple):
    """One question: what a model reads about it, what it sends, and the function that answers."""

    name: str
    about: str
    params: tuple[Param, ...]
    run: Callable[..., str]
    writes: bool = False


class Result(NamedTuple):
    """What a tool says; `error` if it did not do what was asked."""

    text: str
    error: bool = False


DRUG = Param("drug", "The drug's name", one_of=DRUG_LIST, required=True)

TOOLS = (
    Tool(
        "patient_chart",
        "Read the chart of the patient of this conversation: diagnoses, medications tried and why they were stopped, "
        "lab values with dates, allergies, notes. Use it for any question about what the record holds.",
        (
            Param(
                "part", "Which part of the chart; summary if you are not sure", one_of=tuple(enquiries.PARTS)
            ),
            Param("test", "One test, for all its values with dates, e.g. hba1c", one_of=tuple(TESTS)),
        ),
        enquiries.patient_chart,
    ),
    Tool(
        "coverage_check",
        "Is the patient's plan active, does it cover this drug, does it need prior authorization? Also tier, copay, "
        "step therapy, quantity limit and where to send a request.",
        (DRUG,),
        enquiries.coverage_check,
    ),
    Tool(
        "policy_search",
        "Search the plan's policy for this drug. Returns the clauses that fit, word for word, with their numbers.",
        (
            DRUG,
            Param("question", "What you want to know, in your words", required=True),
        ),
        enquiries.policy_search,
    ),
    Tool(
        "determine_eligibility",
        "Can this patient get this drug? Returns the outcome (ready, needs_documentation, likely_denial, not_required, "
        "not_covered, quantity_exception or wrong_plan), each criterion, and the next steps. The outcome is decided "
        "by rules: report it as it is.",
        (DRUG, Param("indication", "Only if one use is meant", one_of=tuple(INDICATIONS))),
        enquiries.determination,
    ),
    Tool(
        "whats_missing",
        "What is missing or not met for this drug, and how to get it.",
        (DRUG,),
        enquiries.whats_missing,
    ),
    Tool(
        "compare_drugs",
        "Compare drugs for this patient: one line each with outcome, tier and copay, the easiest first. "
        "Without drugs, all drugs of the plan; use that to find alternatives.",
        (Param("drugs", "The drugs to compare; leave out for all", type="list", one_of=DRUG_LIST),),
        enquiries.compare_drugs,
    ),
    Tool(
        "what_if",
        "Would the outcome change if something were different? Give only what is supposed. Nothing is recorded.",
        (
            DRUG,
            Param("test", "A test with another value; needs value", one_of=tuple(TESTS)),
            Param("value", "The supposed value of that test", type="number"),
            Param("days_later", "So many days from now, with ongoing drugs going on", type="integer"),
            Param("on", "On another day, YYYY-MM-DD", type="date"),
            Param("stopped", "An ongoing drug that is supposed to be stopped"),
            Param("tried", "A drug that is supposed to have been tried without success"),
            Param("tried_days", "For how many days it was tried", type="integer"),
            Param("diagnosis", "A supposed diagnosis, e.g. osa", one_of=tuple(CONCEPTS), listed=False),
            Param(
                "denied",
                "What the chart is supposed to deny, e.g. mtc_men2",
                one_of=tuple(TOPICS),
                listed=False,
            ),
            Param("programme_months", "Months in a lifestyle programme", type="integer"),
            Param("plan", "The id of another plan"),
        ),
        enquiries.what_if,
    ),
    Tool(
        "authorization_cases",
        "Requests that were made for the patient: where each case or appeal stands, what the payer answered, what is "
        "due by when, and who called the payer last. It only reads; report days and states as they are.",
        (),
        enquiries.authorization_cases,
    ),
)
DRAFT = Tool(
    "draft_request",
    "Fill the payer's form and write the letter for this drug. The draft waits for a person's review; nothing is sent.",
    (DRUG,),
    enquiries.draft_request,
    writes=True,
)


def table(draft: Drafting | None = None) -> tuple[Tool, ...]:
    """The tools; drafting is one of them only where somebody hands it in."""
    if draft is None:
        return TOOLS
    return (*TOOLS, DRAFT._replace(run=lambda bound, **given: enquiries.draft_request(bound, draft, **given)))


def schema(tool: Tool, drugs: Iterable[str]) -> dict[str, Any]:
    """The JSON schema of its arguments, with the store's drugs as an enum."""
    return {
        "type": "object",
        "properties": {param.name: _property(param, list(drugs)) for param in tool.params},
        "required": [param.name for param in tool.params if param.required],
        "additionalProperties": False,
    }


def call(tool: Tool, bound: Bound, given: Mapping[str, Any] | None) -> Result:
    """The answer, or in one line why there is none and what to send instead. Never raises, never names an id."""
    try:
        text, error = tool.run(bound, **arguments(tool, bound.store, given or {})), False
    except Correctable as wrong:
        text, error = f"Not done: {wrong}.", True
    except Unavailable as gone:
        text, error = f"Not available now: {gone}. Tell the user.", True
    except Exception:
        log.exception("%s failed", tool.name)
        text, error = f"{tool.name} failed. Tell the user; do not try it again.", True
    text = _nameless(text, bound)
    return Result(text if len(text) <= enquiries.LONGEST else enquiries.fitted(text.splitlines()), error)


def arguments(tool: Tool, store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the model sent, as the function takes it. Empty values are left out, as models send many."""
    params = {param.name: param for param in tool.params}
    for name in given:
        if name not in params:
            raise Invalid(f"{tool.name} has no argument {str(name)[:40]!r}; it takes {', '.join(params)}")
    read: dict[str, Any] = {}
    for name, param in params.items():
        value = given.get(name)
        if value is None or value in ("", []):
            if param.required:
                raise Invalid(f"{tool.name} needs {name}: {param.about}")
            continue
        read[name] = _read(param, value, store)
    return read


def toolbox(bound: Bound, draft: Drafting | None = None) -> list[BaseTool]:
    """The table as LangChain tools for this patient."""
    from langchain_core.tools import StructuredTool

    names = [drug.name for drug in bound.drugs]
    return [
        StructuredTool.from_function(
            _bound_to(bound, tool),
            name=tool.name,
            description=tool.about,
            args_schema=schema(tool, names),
            infer_schema=False,
        )
        for tool in table(draft)
    ]


def _bound_to(bound: Bound, tool: Tool) -> Callable[..., str]:
    def answer(**given: Any) -> str:
        return call(tool, bound, given).text

    return answer


def _property(param: Param, drugs: list[str]) -> dict[str, Any]:
    known = drugs if param.one_of == DRUG_LIST else list(param.one_of) if param.listed else []
    item: dict[str, Any] = {"type": "string"} | ({"enum": known} if known else {})
    if param.type == "list":
        return {"type": "array", "items": item, "maxItems": MOST_ITEMS, "description": param.about}
    if param.type in ("number", "integer"):
        return {"type": param.type, "description": param.about}
    if param.type == "date":
        return {"type": "string", "format": "date", "description": param.about}
    return item | ({} if known else {"maxLength": LONGEST_ARGUMENT}) | {"description": param.about}


def _read(param: Param, value: Any, store: Store) -> Any:
    if param.type == "list":
        items = value if isinstance(value, list) else [value]
        if len(items) > MOST_ITEMS:
            raise Invalid(f"{param.name} takes at most {MOST_ITEMS}, not {len(items)}")
        return [_word(param, item, store) for item in items if item not in (None, "")]
    if param.type in ("number", "integer"):
        return _number(param, value)
    if param.type == "date":
        try:
            return date.fromisoformat(str(value)[:10])
        except ValueError:
            raise Invalid(f"{param.name} is a date, YYYY-MM-DD, not {_shown(value)}") from None
    return _word(param, value, store)


def _number(param: Param, value: Any) -> float | int:
    try:
        number = float(str(value)) if not isinstance(value, bool) else float("nan")
    except ValueError:
        number = float("nan")
    whole = param.type == "integer"
    if not abs(number) <= BIGGEST_NUMBER or (whole and number != int(number)):
        raise Invalid(f"{param.name} is a {'whole ' if whole else ''}number, not {_shown(value)}")
    return int(number) if whole else number


def _word(param: Param, value: Any, store: Store) -> str:
    """The text as it is known here, whatever its case; NotFound names what is near."""
    if not isinstance(value, str):
        raise Invalid(f"{param.name} is a word, not {_shown(value)}")
    if len(value) > LONGEST_ARGUMENT:
        raise Invalid(f"{param.name} has {len(value)} characters; at most {LONGEST_ARGUMENT} are read")
    text = " ".join(value.split())
    if param.one_of == DRUG_LIST:
        return store.drug(text).name
    if not param.one_of:
        return text
    folded = {known.casefold(): known for known in param.one_of}
    key = text.casefold().replace(" ", "_")
    if key not in folded:
        near = nearest(key, param.one_of) or [*param.one_of]
        raise Invalid(f"{param.name} cannot be {_shown(value)}; use one of {', '.join(near)}")
    return folded[key]


def _shown(value: Any) -> str:
    return repr(value if isinstance(value, str) else str(value))[:60]


def _nameless(text: str, bound: Bound) -> str:
    """No id of the patient leaves, whoever wrote it into an error."""
    return re.sub(rf"(?<!\w){re.escape(bound.patient.id)}(?!\w)", "the patient", text)
