"""The slots of every kind of leaf, bound to a house style: its sentence, its question, and the way back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import msgspec

from tools.common.errors import Invalid
from tools.domain.rules import (
    After,
    Age,
    AllergyTo,
    Attested,
    Change,
    Condition,
    Intolerance,
    Lab,
    Measured,
    Node,
    OnDrug,
    Part,
    Programme,
    Required,
    Specialist,
    Taking,
    Trial,
    Use,
)
from tools.rulebook.slots import (
    amount,
    change_amount,
    clause_number,
    code_list,
    is_concept,
    quoted_text,
    read_name,
    show_name,
    statement,
    unit_of_test,
)
from tools.rulebook.wording import (
    QUOTED,
    SPECIALTIES,
    Items,
    NotRead,
    Slot,
    Style,
    Template,
    Timed,
    Values,
    Wording,
    choice,
    concept_back,
    decimal,
    drug_back,
    drugs_label,
    flag,
    joined,
    listed,
    nested,
    one_of,
    optional,
    period,
    quoted,
    unquoted,
    uses_label,
    whole,
    words,
)
from tools.terminology.observations import TESTS
from tools.terminology.terms import INDICATIONS

LEAVES: dict[str, type[Part]] = {
    "age": Age,
    "condition": Condition,
    "lab": Lab,
    "measured": Measured,
    "trial": Trial,
    "intolerance": Intolerance,
    "allergy": AllergyTo,
    "taking": Taking,
    "on_drug": OnDrug,
    "programme": Programme,
    "attested": Attested,
    "specialist": Specialist,
    "change": Change,
    "use": Use,
}
DEGREES = {"first": "first-degree", "second": "first- or second-degree"}
DOCUMENTS = ("note", "lab", "fills", "programme", "study", "medication")
# Kinds whose sentence itself counts a period: the slot of its number, and the field.
_TIMED = {"measured": ("days", "within"), "programme": ("months", "min_duration")}
_KIND = {cls: kind for kind, cls in LEAVES.items()}
# What few rules say is worded alike for all styles that have no words of their own for it: parts of sentences, and
# clauses of fixed wording.
OWN, OWN_FIXED = msgspec.json.decode(
    Path(__file__).with_name("own_words.json").read_bytes(), type=dict[str, dict[str, str]]
).values()


class Phrases:
    """One style's sentences, compiled once."""

    def __init__(self, style: Style) -> None:
        self.style = style

    def clause(self, leaf: Node | Required) -> str:
        return self._template(leaf, self.clauses, self.documents).show(_values(leaf))

    def question(self, leaf: Node) -> str:
        text = self._template(leaf, self.questions, {}).show(_values(leaf))
        return text[:1].upper() + text[1:]

    def read(self, text: str) -> Node:
        """The leaf that this sentence states; Invalid if no template of the style, or more than one, fits."""
        found = []
        for kind, template in self.clauses.items():
            fields = _read(template, text)
            if fields is not None:
                found.append(_leaf(kind, fields))
        return self._one(found, text)  # type: ignore[no-any-return]

    def read_document(self, text: str) -> Required:
        """The document that this sentence asks for; `for_criterion` is a clause id."""
        found = []
        for of, template in self.documents.items():
            fields = _read(template, text)
            if fields is not None:
                found.append(Required(id="", of=of, **fields))  # type: ignore[arg-type]
        return self._one(found, text)  # type: ignore[no-any-return]

    def _one(self, found: list[Any], text: str) -> Any:
        if len(found) != 1:
            kinds = " or ".join(sorted(type(leaf).__name__ for leaf in found))
            said = f"means {kinds} at once" if found else "is no sentence of this style"
            raise Invalid(f"style {self.style.id}: {text!r} {said}")
        return found[0]

    def _template(self, leaf: Any, leaves: dict[str, Wording], documents: dict[str, Wording]) -> Wording:
        if isinstance(leaf, Required):
            return documents[leaf.of]
        return leaves[_KIND[type(leaf)]]

    # --- templates ---------------------------------------------------------------------------------------

    @cached_property
    def clauses(self) -> dict[str, Wording]:
        return {kind: self._sentence("clause", kind) for kind in LEAVES}

    @cached_property
    def questions(self) -> dict[str, Wording]:
        return {kind: self._sentence("ask", kind) for kind in LEAVES}

    @cached_property
    def documents(self) -> dict[str, Wording]:
        slots = {
            "test": optional(self._part("doc_test", {"test": self._test}), "test"),
            "drugs": optional(self._part("doc_drugs", {"drugs": self._plain_drugs()}), "drugs"),
            "window": self._window("doc_window"),
            "only": optional(self._part("only", {"item": clause_number("for_criterion")}), "for_criterion"),
        }
        return {of: self._make("clause", f"doc_{of}", slots) for of in DOCUMENTS}

    def _sentence(self, table: str, kind: str) -> Wording:
        if kind not in _TIMED:
            return self._make(table, kind, self.slots[kind])
        slot, field = _TIMED[kind]
        return self._timed(table, kind, slot, field, self.slots[kind])

    def _timed(self, table: str, key: str, slot: str, field: str, slots: dict[str, Slot]) -> Timed:
        """The sentence or part for each unit in which the period may be counted; `slot` is its number."""
        made = (self._part if table == "part" else partial(self._make, table))(
            key, {**slots, slot: period(field, "days")}
        )
        return Timed(
            self._text(table, key, slots) or OWN[key],
            lambda unit: {**slots, slot: period(field, unit)},
            lambda v: v[field] and v[field].unit,
            made.name,
        )

    def _make(self, table: str, key: str, slots: dict[str, Slot]) -> Template:
        texts: dict[str, str] = getattr(self.style, table)
        if key not in texts:
            raise Invalid(f"style {self.style.id}: {table} has no {key!r}")
        name = f"style {self.style.id}, {table}.{key}"
        made = Template(self._text(table, key, slots), slots, name)
        unsaid = [slot for slot in slots if slot not in made.names]
        if table == "clause" and unsaid:
            raise Invalid(f"{name} must say {{{unsaid[0]}}}")
        return made

    def _text(self, table: str, key: str, slots: Mapping[str, Slot]) -> str:
        """The style's words; `more`, which few rules say, stands at their end where they have no place for it."""
        text: str = getattr(self.style, table).get(key, "")
        if "more" not in slots or "{more}" in text:
            return text
        body = text.rstrip(".:?")
        return f"{body}{{more}}{text[len(body) :]}"

    def _part(self, key: str, slots: dict[str, Slot]) -> Template:
        if key in OWN:
            return Template(self.style.part.get(key, OWN[key]), slots, key)
        return self._make("part", key, slots)

    # --- slots -------------------------------------------------------------------------------------------

    @cached_property
    def slots(self) -> dict[str, dict[str, Slot]]:
        style, part, word = self.style, self._part, self.style.word
        formulation = optional(
            part("formulation", {"formulation": words("formulation", word["formulation"])}), "formulation"
        )
        responses = {"responses": self._words_list("responses", word["response"])}
        course = {
            "drugs": self._drugs(),
            "formulation": formulation,
            "days": optional(part("trial_days", {"days": whole("min_days")}), "min_days", 0),
            "dose": optional(part("dose", {"dose": decimal("min_daily_dose")}), "min_daily_dose"),
            "responses": optional(part("responses", responses), "responses"),
            "window": optional(part("trial_window", {"days": whole("within_days")}), "within_days"),
            "proof": joined(
                {"fills": flag("proof", "fills", style.part["fills"]), **self._counting()}, "proof"
            ),
        }
        taking_days = optional(part("taking_days", {"days": whole("min_days")}), "min_days", 0)
        stated = self._window("stated_window")
        specialties = listed("specialties", style.either, lambda s: SPECIALTIES.get(s, s), SPECIALTIES)
        return {
            "age": {"limit": self._compare(style.age_op, "age_op", {"years": whole("years")})},
            "condition": self._condition(),
            "lab": {
                "test": self._test,
                "limit": self._compare(style.op, "op", {"amount": amount()}),
                "when": self._when(),
                "rounding": flag("rounded", "tenths", style.part["rounding"]),
            },
            "measured": {"tests": self._tests()},
            "trial": course,
            "intolerance": {"drugs": self._drugs(), "formulation": formulation},
            "allergy": {"drugs": self._drugs(word["requested"]["drug"])},
            "taking": {
                "drugs": self._drugs(),
                "days": joined({**self._doses(), "days": taking_days}, "taking"),
            },
            "on_drug": {
                "months": whole("min_months"),
                "dose": optional(part("on_dose", {"dose": decimal("min_dose")}), "min_dose"),
            },
            "programme": {"window": self._window("program_window"), "more": self._of_program()},
            "attested": {"statement": statement(), "window": stated},
            "specialist": {"specialties": specialties, "more": self._of_consult()},
            "change": {
                "test": self._test,
                "direction": words("direction", word["direction"]),
                "size": self._size(),
                "window": joined({"window": self._window("change_window"), "since": self._since()}, "window"),
            },
            "use": {"uses": joined({"uses": self._uses(), **self._doses()}, "use")},
        }

    def _doses(self) -> dict[str, Slot]:
        part = self._part
        return {
            "least": optional(part("least_dose", {"dose": decimal("min_dose")}), "min_dose"),
            "most": optional(part("most_dose", {"dose": decimal("max_dose")}), "max_dose"),
        }

    def _counting(self) -> dict[str, Slot]:
        """How the days of a trial are counted, where it is not as the style's reading rules say."""
        part = self._part
        return {
            "together": flag("together", True, part("together", {}).show({})),
            "sum": flag("sum", True, part("sum", {}).show({})),
            "times": optional(part("times", {"times": whole("min_fills")}), "min_fills", 0),
            "adherence": optional(part("adherence", {"percent": decimal("adherence")}), "adherence"),
            "row": flag("continuous", True, part("row", {}).show({})),
            "left_over": flag("carry_over", True, part("left_over", {}).show({})),
            "gap": optional(part("gap", {"gap": whole("gap_days")}), "gap_days", 1),
        }

    @cached_property
    def _test(self) -> Slot:
        return words("test", self._test_names)

    @cached_property
    def _test_names(self) -> dict[str, str]:
        return {key: self.style.test.get(key, test.name) for key, test in TESTS.items()}

    def _tests(self) -> Slot:
        back = {name: key for key, name in self._test_names.items()}
        return listed("tests", self.style.both, self._test_names.__getitem__, back)

    def _words_list(self, field: str, table: dict[str, str]) -> Slot:
        return listed(field, self.style.either, table.__getitem__, {name: key for key, name in table.items()})

    def _window(self, key: str) -> Slot:
        return optional(self._timed("part", key, "days", "within", {}), "within")

    def _compare(self, table: dict[str, str], name: str, slots: dict[str, Slot]) -> Slot:
        made = {
            op: Template(text, slots, f"style {self.style.id}, {name}.{op}") for op, text in table.items()
        }
        return choice(lambda v: v["op"], made, lambda op: {"op": op})

    def _when(self) -> Slot:
        made: dict[tuple[str, str, bool], Wording] = {}
        for reading in ("newest", "any", "highest", "lowest", "several"):
            name = "" if reading == "newest" else f"{reading}_"
            count = {"readings": whole("readings")} if reading == "several" else {}
            for at in ("current", "baseline"):
                made[reading, at, False] = self._part(f"{name}{at}", count)
                made[reading, at, True] = self._timed("part", f"{name}{at}_window", "days", "within", count)
        which = choice(
            lambda v: ("several" if v["readings"] > 1 else v["reading"], v["at"], v["within"] is not None),
            made,
            lambda key: {"at": key[1]} | ({} if key[0] == "several" else {"reading": key[0]}),
        )
        least = optional(self._timed("part", "after_least", "days", "least", {}), "least")
        course = self._part("after", {"least": least, "drugs": self._drugs()})
        return joined({"which": which, "after": nested("after", After, course)}, "when")

    def _size(self) -> Slot:
        slots = {"percent": decimal("percent"), "amount": change_amount(), "unit": unit_of_test()}
        both = f"{self.style.part['percent']}{self.style.both[1]}{self.style.part['amount']}"
        made = {
            (True, False): self._part("percent", slots),
            (False, True): self._part("amount", slots),
            (True, True): Template(both, slots, f"style {self.style.id}, part.amount"),
            (False, False): self._part("any_size", slots),
        }
        return choice(lambda v: (v["percent"] is not None, v["amount"] is not None), made, lambda key: {})

    def _of_program(self) -> Slot:
        sessions = optional(self._part("sessions", {"sessions": whole("min_sessions")}), "min_sessions", 0)
        going_on = flag("ongoing", True, self._part("going_on", {}).show({}))
        return joined({"sessions": sessions, "going_on": going_on}, "more")

    def _of_consult(self) -> Slot:
        only = flag("prescriber", False, self._part("consult_only", {}).show({}))
        return joined({"window": self._window("consult_window"), "only": only}, "more")

    def _since(self) -> Slot:
        return flag("since", "renewal", self._part("since_approval", {}).show({}))

    def _plain_drugs(self) -> Slot:
        back = {name: key[2:] for name, key in drug_back().items() if key.startswith("d:")}
        names = {key: name for name, key in back.items()}
        return listed("drugs", self.style.either, lambda d: names.get(d, d), back)

    def _drugs(self, requested: str = "") -> Slot:
        """Drugs, classes and the drug asked for; a label of the rule's own stands before them in quotes."""
        back = drug_back(requested)
        names = {key: name for name, key in back.items()}
        items = Items(lambda key: names.get(key, key), back)
        either, both = self.style.either, self.style.both
        bare = f"(?:{items.pattern((*either, *both))})"

        def listed(keys: list[str], together: bool) -> str:
            # What no vocabulary knows is printed in quotes, without its mark.
            return items.show(
                [key if key in names else key[2:] for key in keys], both if together else either
            )

        def show(v: Values) -> str:
            keys = [f"d:{d}" for d in v["drugs"]] + [f"c:{c}" for c in v["classes"]]
            keys += ["r:"] if v.get("requested") else []
            together = bool(v.get("together"))
            shown = listed(keys, together)
            usual = drugs_label(v["drugs"], v["classes"], bool(v.get("requested")), together)
            if keys and v["label"] == usual:
                return shown
            return f"{quoted(v['label'])} [{shown or 'none listed'}]"

        def read(text: str) -> dict[str, Any]:
            label = re.fullmatch(rf"({QUOTED}) \[(.*)\]", text, re.DOTALL)
            inner = label[2] if label else text
            keys = (
                []
                if inner == "none listed"
                else [items.meaning(item) for item in items.split(inner, (*either, *both))]
            )
            found: dict[str, Any] = {
                "drugs": tuple(key.removeprefix("d:") for key in keys if key[:2] not in ("c:", "r:")),
                "classes": tuple(key[2:] for key in keys if key.startswith("c:")),
            }
            if requested:
                found["requested"] = "r:" in keys
            marked = [key if key in names else f"d:{key}" for key in keys]
            together = len(keys) > 1 and inner == listed(marked, True)
            default = drugs_label(found["drugs"], found["classes"], found.get("requested", False), together)
            return {**found, "label": unquoted(label[1]) if label else default}

        return Slot(show, lambda: f"{bare}|{QUOTED} \\[(?:{bare}|none listed)\\]", read)

    def _uses(self) -> Slot:
        back = {name: key for key, name in INDICATIONS.items()}
        items, either = Items(lambda key: INDICATIONS.get(key, key), back), self.style.either
        bare = f"(?:{items.pattern(either)})"

        def show(v: Values) -> str:
            shown = items.show(v["uses"], either)
            return (
                shown
                if v["uses"] and v["label"] == uses_label(v["uses"])
                else f"{quoted(v['label'])} [{shown}]"
            )

        def read(text: str) -> dict[str, Any]:
            label = re.fullmatch(rf"({QUOTED}) \[(.*)\]", text, re.DOTALL)
            uses = tuple(items.meaning(item) for item in items.split(label[2] if label else text, either))
            return {"uses": uses, "label": unquoted(label[1]) if label else uses_label(uses)}

        return Slot(show, lambda: f"{bare}|{QUOTED} \\[(?:{bare})?\\]", read)

    # --- conditions --------------------------------------------------------------------------------------

    def _condition(self) -> dict[str, Slot]:
        style, word = self.style, self.style.word
        who = {
            ("self",): word["who"]["self"],
            ("family",): word["who"]["family"],
            ("self", "family"): word["who"]["both"],
        }
        sex = words("sex", word["sex"])
        codes = code_list("codes", style.either)
        return {
            "who": words("who", who),
            "status": words("status", word["status"]),
            "name": Slot(show_name, lambda: f"{one_of(concept_back())}|{QUOTED}", read_name),
            "codes": optional(self._part("codes", {"codes": codes}), "codes"),
            "hints": optional(
                self._part("suggests", {"codes": code_list("suggests", style.either)}), "suggests"
            ),
            "window": self._window("onset_window"),
            "sex": optional(self._part("sex", {"sex": sex}), "sex"),
            "evidence": flag("evidence", "attestation", style.part["denied"]),
            "own": self._own(),
            "more": joined(
                {
                    "standing": optional(
                        self._timed("part", "standing", "days", "min_duration", {}), "min_duration"
                    ),
                    "degree": optional(self._part("degree", {"degree": words("degree", DEGREES)}), "degree"),
                },
                "more",
            ),
        }

    def _own(self) -> Slot:
        """What a condition that is no concept of ours adds: its wording, and what its statement is called."""
        either = self.style.either
        fields = {"recorded": "phrases", "hinted": "suggest_phrases", "unlike": "not_phrases"}
        slots = {
            key: optional(self._part(key, {field: listed(field, either, str, {})}), field)
            for key, field in fields.items()
        }
        slots["topic"] = optional(self._part("topic", {"topic": quoted_text("topic")}), "topic")
        own = joined(slots, "own")
        return own._replace(show=lambda v: "" if is_concept(v) else own.show(v))


def _read(template: Wording, text: str) -> dict[str, Any] | None:
    try:
        return template.read(text)
    except NotRead:
        return None


def _values(leaf: Part) -> dict[str, Any]:
    return {field: getattr(leaf, field) for field in leaf.__struct_fields__}


def _leaf(kind: str, fields: dict[str, Any]) -> Part:
    if kind == "lab":
        fields.setdefault("unit", TESTS[fields["test"]].unit)
    return LEAVES[kind](id="", **fields)


def bare(node: Any) -> Any:
    """The node without what printing adds (ids, texts, clauses), to compare two trees."""
    changes: dict[str, Any] = {"id": "", "text": "", "clause_id": "", "quote": "", "question": ""}
    if hasattr(node, "children"):
        changes["children"] = tuple(bare(child) for child in node.children)
    return msgspec.structs.replace(node, **changes)
