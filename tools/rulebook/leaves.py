"""The slots of every kind of leaf, bound to a house style: its sentence, its question, and the way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
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
    mapped,
)
from tools.rulebook.slots import (
    amount,
    change_amount,
    clause_number,
    code_list,
    is_concept,
    labelled,
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
    uses_label,
    whole,
    words,
)
from tools.terminology.observations import TESTS
from tools.terminology.terms import INDICATIONS

_LEAVES: tuple[type[Part], ...] = (
    Age, Condition, Lab, Measured, Trial, Intolerance, AllergyTo, Taking, OnDrug, Programme, Attested, Specialist,
    Change, Use,
)  # fmt: skip
LEAVES = {str(kind.__struct_config__.tag): kind for kind in _LEAVES}
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
        wording = self.documents[leaf.of] if isinstance(leaf, Required) else self.clauses[_KIND[type(leaf)]]
        return wording.show(_values(leaf))

    def question(self, leaf: Node) -> str:
        text = self.questions[_KIND[type(leaf)]].show(_values(leaf))
        return text[:1].upper() + text[1:]

    def read(self, text: str) -> Node:
        """The leaf that this sentence states; Invalid if no template of the style, or more than one, fits."""
        return self._one([_leaf(*found) for found in _readings(self.clauses, text)], text)  # type: ignore[no-any-return]

    def read_document(self, text: str) -> Required:
        """The document that this sentence asks for; `for_criterion` is a clause id."""
        found = [Required(id="", of=of, **fields) for of, fields in _readings(self.documents, text)]  # type: ignore[arg-type]
        return self._one(found, text)  # type: ignore[no-any-return]

    def _one(self, found: list[Any], text: str) -> Any:
        if len(found) != 1:
            kinds = " or ".join(sorted(type(leaf).__name__ for leaf in found))
            said = f"means {kinds} at once" if found else "is no sentence of this style"
            raise Invalid(f"style {self.style.id}: {text!r} {said}")
        return found[0]

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
            "test": self._said("doc_test", "test", test=self._test),
            "drugs": self._said("doc_drugs", "drugs", drugs=self._plain_drugs()),
            "window": self._window("doc_window"),
            "only": self._said("only", "for_criterion", item=clause_number("for_criterion")),
        }
        return {of: self._make("clause", f"doc_{of}", slots) for of in DOCUMENTS}

    def _sentence(self, table: str, kind: str) -> Wording:
        if kind not in _TIMED:
            return self._make(table, kind, self.slots[kind])
        slot, field = _TIMED[kind]
        return self._timed(table, kind, slot, field, self.slots[kind])

    def _timed(self, table: str, key: str, slot: str, field: str, slots: dict[str, Slot]) -> Timed:
        """The sentence or part for each unit in which the period may be counted; `slot` is its number."""
        make = self._part if table == "part" else partial(self._make, table)
        made = make(key, {**slots, slot: period(field, "days")})
        return Timed(self._text(table, key, slots) or OWN[key], slots, slot, field, made.name)

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

    def _said(self, key: str, field: str, default: Any = None, **slots: Slot) -> Slot:
        """This part of a sentence where the field says something other than the default, else nothing."""
        return optional(self._part(key, slots), field, default)

    def _flag(self, field: str, value: Any = True, key: str = "") -> Slot:
        """The words of this part, else those called as the field is, where the field has this value."""
        return flag(field, value, self._part(key or field, {}).show({}))

    # --- slots -------------------------------------------------------------------------------------------

    @cached_property
    def slots(self) -> dict[str, dict[str, Slot]]:
        style, word = self.style, self.style.word
        forms = words("formulation", word["formulation"])
        formulation = self._said("formulation", "formulation", formulation=forms)
        answers = {name: key for key, name in word["response"].items()}
        answered = listed("responses", style.either, word["response"].__getitem__, answers)
        responses = self._said("responses", "responses", responses=answered)
        course = {
            "drugs": self._drugs(),
            "formulation": formulation,
            "days": self._said("trial_days", "min_days", 0, days=whole("min_days")),
            "dose": self._said("dose", "min_daily_dose", dose=decimal("min_daily_dose")),
            "responses": responses,
            "window": self._said("trial_window", "within_days", days=whole("within_days")),
            "proof": joined(self._counting(), "proof"),
        }
        taking_days = self._said("taking_days", "min_days", 0, days=whole("min_days"))
        specialties = listed("specialties", style.either, lambda s: SPECIALTIES.get(s, s), SPECIALTIES)
        since = self._flag("since", "renewal", "since_approval")
        return {
            "age": {"limit": self._compare(style.age_op, "age_op", {"years": whole("years")})},
            "condition": self._condition(),
            "lab": {
                "test": self._test,
                "limit": self._compare(style.op, "op", {"amount": amount()}),
                "when": self._when(),
                "rounding": self._flag("rounded", "tenths", "rounding"),
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
                "dose": self._said("on_dose", "min_dose", dose=decimal("min_dose")),
            },
            "programme": {"window": self._window("program_window"), "more": self._of_program()},
            "attested": {"statement": statement(), "window": self._window("stated_window")},
            "specialist": {"specialties": specialties, "more": self._of_consult()},
            "change": {
                "test": self._test,
                "direction": words("direction", word["direction"]),
                "size": self._size(),
                "window": joined({"window": self._window("change_window"), "since": since}, "window"),
            },
            "use": {"uses": joined({"uses": self._uses(), **self._doses()}, "use")},
        }

    def _doses(self) -> dict[str, Slot]:
        return {
            "least": self._said("least_dose", "min_dose", dose=decimal("min_dose")),
            "most": self._said("most_dose", "max_dose", dose=decimal("max_dose")),
        }

    def _counting(self) -> dict[str, Slot]:
        """How the days of a trial are counted, where it is not as the style's reading rules say."""
        return {
            "fills": self._flag("proof", "fills", "fills"),
            "together": self._flag("together"),
            "sum": self._flag("sum"),
            "times": self._said("times", "min_fills", 0, times=whole("min_fills")),
            "adherence": self._said("adherence", "adherence", percent=decimal("adherence")),
            "row": self._flag("continuous", key="row"),
            "left_over": self._flag("carry_over", key="left_over"),
            "gap": self._said("gap", "gap_days", 1, gap=whole("gap_days")),
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
        sessions = self._said("sessions", "min_sessions", 0, sessions=whole("min_sessions"))
        return joined({"sessions": sessions, "going_on": self._flag("ongoing", key="going_on")}, "more")

    def _of_consult(self) -> Slot:
        only = self._flag("prescriber", False, "consult_only")
        return joined({"window": self._window("consult_window"), "only": only}, "more")

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

        def shown(keys: list[str], together: bool) -> str:
            # What no vocabulary knows is printed in quotes, without its mark.
            bare = [key if key in names else key[2:] for key in keys]
            return items.show(bare, both if together else either)

        def show(v: Values) -> tuple[str, str]:
            asked, together = bool(v.get("requested")), bool(v.get("together"))
            keys = [f"d:{d}" for d in v["drugs"]] + [f"c:{c}" for c in v["classes"]] + ["r:"] * asked
            return shown(keys, together), drugs_label(v["drugs"], v["classes"], asked, together)

        def read(text: str) -> dict[str, Any]:
            meant = [items.meaning(item) for item in items.split(text, (*either, *both))] if text else []
            # a name that no vocabulary knows is a drug's, whatever it begins with
            keys = [key if key in names else f"d:{key}" for key in meant]
            drugs = tuple(key[2:] for key in keys if key.startswith("d:"))
            classes = tuple(key[2:] for key in keys if key.startswith("c:"))
            together = len(keys) > 1 and text == shown(keys, True)
            label = drugs_label(drugs, classes, "r:" in keys, together)
            asked = {"requested": "r:" in keys} if requested else {}
            return {"drugs": drugs, "classes": classes, "label": label, **asked}

        return labelled(f"(?:{items.pattern((*either, *both))})", "none listed", show, read)

    def _uses(self) -> Slot:
        back = {name: key for key, name in INDICATIONS.items()}
        items, either = Items(lambda key: INDICATIONS.get(key, key), back), self.style.either

        def read(text: str) -> dict[str, Any]:
            uses = tuple(items.meaning(item) for item in items.split(text, either))
            return {"uses": uses, "label": uses_label(uses)}

        bare = f"(?:{items.pattern(either)})"
        return labelled(bare, "", lambda v: (items.show(v["uses"], either), uses_label(v["uses"])), read)

    # --- conditions --------------------------------------------------------------------------------------

    def _condition(self) -> dict[str, Slot]:
        style, word = self.style, self.style.word
        said = word["who"]
        who = {("self",): said["self"], ("family",): said["family"], ("self", "family"): said["both"]}
        standing = optional(self._timed("part", "standing", "days", "min_duration", {}), "min_duration")
        degree = self._said("degree", "degree", degree=words("degree", DEGREES))
        return {
            "who": words("who", who),
            "status": words("status", word["status"]),
            "name": Slot(show_name, lambda: f"{one_of(concept_back())}|{QUOTED}", read_name),
            "codes": self._said("codes", "codes", codes=code_list("codes", style.either)),
            "hints": self._said("suggests", "suggests", codes=code_list("suggests", style.either)),
            "window": self._window("onset_window"),
            "sex": self._said("sex", "sex", sex=words("sex", word["sex"])),
            "evidence": self._flag("evidence", "attestation", "denied"),
            "own": self._own(),
            "more": joined({"standing": standing, "degree": degree}, "more"),
        }

    def _own(self) -> Slot:
        """What a condition that is no concept of ours adds: its wording, and what its statement is called."""
        fields = {"recorded": "phrases", "hinted": "suggest_phrases", "unlike": "not_phrases"}
        slots = {
            key: self._said(key, field, **{field: listed(field, self.style.either, str, {})})
            for key, field in fields.items()
        }
        slots["topic"] = self._said("topic", "topic", topic=quoted_text("topic"))
        own = joined(slots, "own")
        return own._replace(show=lambda v: "" if is_concept(v) else own.show(v))


def _readings(wordings: Mapping[str, Wording], text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the text says by each wording that fits it."""
    for kind, wording in wordings.items():
        with suppress(NotRead):
            if (fields := wording.read(text)) is not None:
                yield kind, fields


def _values(leaf: Part) -> dict[str, Any]:
    return {field: getattr(leaf, field) for field in leaf.__struct_fields__}


def _leaf(kind: str, fields: dict[str, Any]) -> Part:
    if kind == "lab":
        fields.setdefault("unit", TESTS[fields["test"]].unit)
    return LEAVES[kind](id="", **fields)


def bare(node: Any) -> Any:
    """The node without what printing adds (ids, texts, clauses), to compare two trees."""
    nothing = {"id": "", "text": "", "clause_id": "", "quote": "", "question": ""}
    return mapped(node, lambda one: msgspec.structs.replace(one, **nothing))
