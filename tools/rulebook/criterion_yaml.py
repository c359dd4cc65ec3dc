"""Reads one criterion as a policy analyst writes it in YAML; data_gen/catalog/README.md is its manual.

It is a line (`hba1c >= 7.0 % within 90 days`), a mapping (`condition: t2dm`), or a use of a fragment. Names of
conditions and tests are those of tools/terminology.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_args

import msgspec

from tools.domain.records import Drug
from tools.domain.rules import (
    After,
    Age,
    AllergyTo,
    AllOf,
    AnyOf,
    AtLeast,
    Attested,
    Change,
    Condition,
    Intolerance,
    Lab,
    Measured,
    Node,
    NoneOf,
    OnDrug,
    P,
    Period,
    Programme,
    Specialist,
    Taking,
    TimeUnit,
    Trial,
    Use,
    mapped,
)
from tools.rulebook.fragments import Fragments
from tools.rulebook.located import (
    Map,
    Place,
    Seq,
    as_map,
    as_seq,
    convert,
    known_keys,
    known_words,
    no_slip,
    only,
    unknown,
    words,
)
from tools.rulebook.wording import CODE, drugs_label, uses_label
from tools.terminology.conditions import CONCEPTS
from tools.terminology.medicines import CLASSES, medicine, medicine_names
from tools.terminology.observations import TESTS
from tools.terminology.terms import INDICATIONS, TOPICS
from tools.terminology.vocabulary import term_of_name, vocabulary

T = TypeVar("T")
_BOUND = re.compile(
    r"(?:(?P<reading>any|highest|lowest)\s+)?(?P<what>[a-z_0-9]+)\s*(?P<op>>=|<=|==|>|<|≥|≤)\s*"
    r"(?P<value>-?\d+(?:\.\d+)?)(?P<rest>.*)",
    re.DOTALL,
)
_REST = re.compile(
    r"(?P<unit>.*?)(?P<at>\s+at\s+(?:baseline|therapy start))?(?:\s+within\s+(?P<within>\d+\s+[a-z]+))?"
    r"(?P<rounded>\s+rounded\s+to\s+tenths)?\s*",
    re.DOTALL,
)
_PERIOD = re.compile(r"\s*(\d+)\s*(day|week|month)s?\s*")
_TIME_UNITS: dict[str, TimeUnit] = {unit.removesuffix("s"): unit for unit in get_args(TimeUnit)}
_SIGNS = {"≥": ">=", "≤": "<="}


class Criteria:
    """Reads criteria; `fragments` are the named parts that `use:` may call, `drugs` names beside those of terms,
    `preferred` a plan's own lists by class. While a rule is read, `requested` is the drug that it is for, if it is for
    one."""

    def __init__(
        self,
        fragments: Mapping[str, Map] | None = None,
        drugs: Mapping[str, object] | None = None,
        preferred: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.fragments = Fragments(fragments)
        self.drugs = {name.casefold() for name in drugs or ()} | set(medicine_names())
        self.preferred = preferred or {}
        self.requested: Drug | None = None

    def nodes(self, found: Any, place: Place) -> tuple[Node, ...]:
        """A list of criteria, fragments expanded in place."""
        return tuple(
            self.node(item, at) for item, at in self.fragments.expand(as_seq(found, place, "criteria"))
        )

    def node(self, found: Any, place: Place) -> Node:
        if isinstance(found, str):
            return self.line(found, place)
        found = as_map(found, place, "a criterion")
        kinds = [key for key in found if key in _KINDS]
        if len(kinds) != 1:
            if not kinds:
                odd = next((key for key in found if key not in ("id", "text", "of")), "")
                raise unknown(found.at(odd), "kind of criterion", odd or "(nothing)", _KINDS)
            raise place.error(f"one criterion says two things: {' and '.join(kinds)}")
        kind = kinds[0]
        only(found, (kind, "id", "text", *_KINDS[kind][1]), f"a criterion of kind {kind!r}")
        node = _KINDS[kind][0](self, found, place)
        changes = {key: str(found[key]) for key in ("id", "text") if key in found}
        return msgspec.structs.replace(node, **changes) if changes else node

    def line(self, text: str, place: Place) -> Node:
        """`age >= 18`, `hba1c >= 7.0 % within 90 days`, `bmi >= 30 at baseline`."""
        match = _BOUND.fullmatch(text.strip())
        if match is None:
            raise place.error(
                f"cannot read criterion {text!r}; write e.g. 'age >= 18', 'hba1c >= 7.0 % within 90 days',"
                " 'bmi >= 30 at baseline', or a mapping such as 'condition: t2dm'"
            )
        op = _SIGNS.get(match["op"], match["op"])
        if match["what"] == "age":
            if match["rest"].strip() not in ("", "years") or "." in match["value"]:
                raise place.error(f"age is in whole years: {text!r}")
            return convert({"kind": "age", "id": "age", "op": op, "years": int(match["value"])}, Age, place)
        return _lab(match, op, place)

    def drug_names(self, found: Map, key: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Drug names in lower case and class keys (`any glp1`)."""
        drugs, classes = [], []
        for item in words(found, key):
            name = item.strip()
            if name.startswith("any "):
                if name[4:] not in CLASSES:
                    raise unknown(found.at(key), "drug class", name[4:], CLASSES)
                classes.append(name[4:])
            elif name.casefold() not in self.drugs:
                raise unknown(found.at(key), "drug", name, [*self.drugs, *(f"any {c}" for c in CLASSES)])
            else:
                drugs.append(name.casefold())
        return tuple(drugs), tuple(classes)


# --- one function per kind: (reader, mapping, place) → node ------------------------------------------------


def _lab(match: re.Match[str], op: str, place: Place) -> Lab:
    test = match["what"]
    if test not in TESTS:
        raise unknown(place, "test", test, [*TESTS, "age"])
    rest = _REST.fullmatch(match["rest"])
    unit = rest["unit"].strip() if rest else "?"
    spec = TESTS[test]
    if unit and (unit not in spec.units or spec.units[unit] != ("1", "0")):
        raise place.error(f"{spec.name} is compared in {spec.unit}, not {unit!r}")
    fields = {
        "kind": "lab", "id": test, "test": test, "op": op, "value": float(match["value"]), "unit": spec.unit,
        "within": _period(rest["within"], place) if rest and rest["within"] else None,
        "at": "baseline" if rest and rest["at"] else "current",
        "rounded": "tenths" if rest and rest["rounded"] else None,
        "reading": match["reading"] or "newest",
    }  # fmt: skip
    return convert(fields, Lab, place)


def _lab_of(reader: Criteria, found: Map, place: Place) -> Node:
    node = reader.line(str(found["lab"]), found.at("lab"))
    if not isinstance(node, Lab):
        raise found.at("lab").error(f"{found['lab']!r} is not a test; write 'age' for an age")
    fields = {key: getattr(node, key) for key in node.__struct_fields__}
    fields |= _given(found, "rounded", "reading", "readings")
    fields["within"] = window(found) or node.within
    fields["after"] = _after(reader, found) if "after" in found else None
    read = _node(Lab, found, fields, place)
    if read.readings < 1 or (read.readings > 1 and read.reading != "newest"):
        raise found.at("readings").error(
            "readings is 2 or more, of different days, and goes without a reading"
        )
    return read


def _after(reader: Criteria, found: Map) -> After:
    """`after: metformin, for: 90 days`; or the id of a trial of the rule, whose drugs and days are looked up there."""
    if "for" in found:
        drugs, classes = reader.drug_names(found, "after")
        least = _duration(found, "for", "days")
        return After(label=drugs_label(drugs, classes), drugs=drugs, classes=classes, least=least)
    return After(label=str(found["after"]), least=Period(0))


def with_trials(node: P, trials: Mapping[str, Trial], place: Place) -> P:
    """The node with the trials that its labs name by id. Errors: Invalid for a name that no trial of the rule has."""

    def looked_up(part: Node) -> Node:
        if not isinstance(part, Lab) or part.after is None or part.after.drugs or part.after.classes:
            return part
        trial = trials.get(part.after.label)
        if trial is None:
            known = [*trials, "drugs with 'for:'"]
            raise unknown(place, "trial of this rule in 'after'", part.after.label, known)
        least = Period(trial.min_days)
        after = After(label=trial.label, drugs=trial.drugs, classes=trial.classes, least=least)
        return msgspec.structs.replace(part, after=after)

    return mapped(node, looked_up)


def _condition(reader: Criteria, found: Map, place: Place) -> Node:
    key = str(found["condition"])
    fields: dict[str, Any] = {"id": key}
    if key in CONCEPTS:
        fields |= CONCEPTS[key]._asdict()
    elif not any(found.get(part) for part in ("codes", "phrases", "topic")):
        raise unknown(found.at("condition"), "condition (or give its own codes)", key, CONCEPTS)
    else:
        fields |= {"id": re.sub(r"[^a-z0-9]+", "_", key.casefold()).strip("_"), "label": key}
    for part in _KINDS["condition"][1]:
        if part in found and part not in ("within", "within_days", "for"):
            is_listed = part == "who" or isinstance(found[part], Seq)
            fields[part] = words(found, part) if is_listed else found[part]
    for part in ("codes", "suggests"):
        fields[part] = tuple(str(code) for code in fields.get(part, ()))
        for code in fields[part]:
            if not re.fullmatch(CODE, code):
                raise found.at(part).error(
                    f"{code!r} is no code of ICD-10-CM or beginning of one, such as E11"
                )
    fields["within"] = window(found)
    fields["min_duration"] = _duration(found, "for", "days") if "for" in found else None
    if "degree" in found and "family" not in fields.get("who", ()):
        raise found.at("degree").error("a degree is one of the family; write also who: family")
    for part in ("phrases", "suggest_phrases", "not_phrases"):
        fields[part] = tuple(str(phrase).casefold() for phrase in fields.get(part, ()))
    return _node(Condition, found, fields, place)


def _measured(reader: Criteria, found: Map, place: Place) -> Node:
    tests = known_words(found, "measured", "test", TESTS)
    within = window(found)
    if within is None:
        raise place.error("say how old they may be, e.g. within: 90 days")
    return _node(Measured, found, {"id": "_".join(tests), "tests": tests, "within": within}, place)


def _course(kind: type, tail: str) -> Callable[[Criteria, Map, Place], Node]:
    key = str(kind.__struct_config__.tag)  # type: ignore[attr-defined]

    def read(reader: Criteria, found: Map, place: Place) -> Node:
        drugs, classes = reader.drug_names(found, key)
        fields: dict[str, Any] = {
            "id": _slug((*drugs, *classes), tail),
            "label": drugs_label(drugs, classes, together=bool(found.get("together"))),
            "drugs": drugs,
            "classes": classes,
        }
        written = {"min_days": "days", "min_fills": "fills"}
        names = {name: field for field, name in written.items()}
        _check_counting(found, len(drugs) + len(classes))
        fields |= {names.get(part, part): value for part, value in _given(found, *_KINDS[key][1]).items()}
        if "responses" in found:
            fields["responses"] = words(found, "responses")
        if "within" in found:
            fields["within_days"] = _in_days(found, "within")
            del fields["within"]
        return _node(kind, found, fields, place, written)

    return read


_PREFERRED = re.compile(r"(\d+) of preferred (.+)")


def _trial(reader: Criteria, found: Map, place: Place) -> Node:
    """A trial, or so many of the plan's preferred drugs, each with a trial of its own."""
    one = _course(Trial, "trial")
    match = _PREFERRED.fullmatch(found["trial"]) if isinstance(found["trial"], str) else None
    if match is None:
        return one(reader, found, place)
    k, names = int(match[1]), _preferred(reader, match[2], found.at("trial"))
    if not 1 <= k <= len(names):
        listed = ", ".join(names) or "none"
        raise found.at("trial").error(
            f"{k} of preferred {match[2]} can not be: there are {len(names)} ({listed})"
        )
    if "label" in found:
        raise found.at("label").error("each preferred drug has a trial under its own name, and no label")
    children = tuple(one(reader, found.holding({**found, "trial": name}), place) for name in names)
    name = f"{k}_of_preferred_{match[2].replace(' ', '_')}"
    if k in (1, len(names)):
        return (AnyOf if k == 1 else AllOf)(id=name, children=children)
    return AtLeast(id=name, k=k, children=children)


def _preferred(reader: Criteria, wanted: str, place: Place) -> tuple[str, ...]:
    """The preferred drugs of a class, or of the class of the drug asked for, or of any other; not that drug itself."""
    lists, asked = reader.preferred, reader.requested
    keys = [wanted]
    if wanted in ("same class", "another class"):
        if asked is None:
            raise place.error(
                f"preferred {wanted}: this rule is for no drug of which the class would be known"
            )
        keys = [key for key in lists if (key in asked.classes) == (wanted == "same class")]
    elif wanted not in lists:
        raise unknown(place, "list of preferred drugs", wanted, [*lists, "same class", "another class"])
    own = asked.name.casefold() if asked is not None else ""
    return tuple(dict.fromkeys(name for key in keys for name in lists[key] if name.casefold() != own))


def read_preferred(found: Map, drugs: Mapping[str, Drug]) -> dict[str, tuple[str, ...]]:
    """A plan's lists of preferred drugs by class, e.g. `preferred: {glp1: [Ozempic, Mounjaro]}`."""
    table = found.table("preferred")
    known = {name: name for name in medicine_names()} | {name.casefold(): name for name in drugs}
    known_keys(table, "drug class", CLASSES)
    for key in table:
        for name in words(table, key):
            if name.casefold() not in known:
                raise unknown(table.at(key), "drug", name, known.values())
            if key not in medicine(name, drugs.values()).classes:
                raise table.at(key).error(f"{name} is not {CLASSES[key]}")
    return {key: words(table, key) for key in table}


def _check_counting(found: Map, items: int) -> None:
    """Invalid where a trial says how its days are counted, and there is nothing that it could mean."""
    if found.get("sum") and found.get("together"):
        raise found.at("together").error("days are added up (sum) or taken at once (together), not both")
    if found.get("together") and items < 2:
        raise found.at("together").error("together needs two drugs or classes")
    if found.get("together") and found.get("fills"):
        raise found.at("fills").error("a number of fills is asked of one drug, not of several together")
    by_fills = found.get("proof") == "fills"
    if found.get("continuous") and not (by_fills or found.get("sum")):
        raise found.at("continuous").error(
            "continuous goes with proof: fills or sum: true; one course is in a row"
        )
    if found.get("carry_over") and not (by_fills or found.get("adherence")):
        raise found.at("carry_over").error("carry_over goes with proof: fills or adherence")


def _allergy(reader: Criteria, found: Map, place: Place) -> Node:
    named = words(found, "allergy")
    requested = "requested drug" in named
    others = found.holding({"allergy": tuple(name for name in named if name != "requested drug")})
    drugs, classes = reader.drug_names(others, "allergy")
    return AllergyTo(
        id="drug_allergy" if requested else _slug((*drugs, *classes), "allergy"),
        label=str(found.get("label") or drugs_label(drugs, classes, requested)),
        drugs=drugs,
        classes=classes,
        requested=requested,
    )


def _on_drug(reader: Criteria, found: Map, place: Place) -> Node:
    fields = {"id": "on_drug", "min_months": count(found, "on_drug", "months")}
    return _node(OnDrug, found, fields | _given(found, "min_dose"), place)


def _given(found: Map, *keys: str) -> dict[str, Any]:
    """What is written under these keys, as it stands."""
    return {key: found[key] for key in keys if key in found}


def _program(reader: Criteria, found: Map, place: Place) -> Node:
    fields = {
        "id": "lifestyle_program",
        "min_duration": _duration(found, "program", "months"),
        "within": window(found),
        "min_sessions": found.get("sessions", 0),
        **_given(found, "ongoing"),
    }
    return _node(Programme, found, fields, place, {"min_sessions": "sessions"})


def _attested(reader: Criteria, found: Map, place: Place) -> Node:
    topic = str(found["attested"])
    statement = found.get("statement") or TOPICS.get(topic)
    if not statement:
        raise unknown(found.at("attested"), "topic (or give its statement)", topic, TOPICS)
    no_slip(found.at("attested"), "topic", topic, TOPICS)
    fields = {"id": topic, "topic": topic, "statement": statement, "within": window(found)}
    return _node(Attested, found, fields, place)


def _specialist(reader: Criteria, found: Map, place: Place) -> Node:
    specialties = []
    for name in words(found, "specialist"):
        term = term_of_name("specialties", name)
        if term is None:
            known = [one.label for one in vocabulary("specialties").values()]
            raise unknown(found.at("specialist"), "specialty", name, known)
        specialties.append(term.label)
    fields = {"id": "specialist", "specialties": tuple(specialties), "within": window(found)}
    return _node(Specialist, found, fields | _given(found, "prescriber"), place)


def _change(reader: Criteria, found: Map, place: Place) -> Node:
    test = str(found["change"])
    if test not in TESTS:
        raise unknown(found.at("change"), "test", test, TESTS)
    if ("percent" in found) == ("amount" in found):
        raise place.error("a change has either 'percent' or 'amount'")
    fields = {"id": f"{test}_change", "test": test, "within": window(found)}
    fields |= _given(found, "direction", "percent", "amount", "since")
    return _node(Change, found, fields, place)


def _asked_for(reader: Criteria, found: Map, place: Place) -> Node:
    uses = known_words(found, "asked_for", "indication", INDICATIONS)
    fields = {"id": _slug(uses, "use"), "uses": uses, "label": str(found.get("label") or uses_label(uses))}
    return _node(Use, found, fields | _given(found, "min_dose", "max_dose"), place)


def _composite(key: str) -> Callable[[Criteria, Map, Place], Node]:
    kind: Any = {"all_of": AllOf, "any_of": AnyOf, "none_of": NoneOf}.get(key)

    def read(reader: Criteria, found: Map, place: Place) -> Node:
        listed = key if kind else "of"
        if listed not in found:
            raise place.error("at_least needs 'of:' with its criteria")
        children = reader.nodes(found[listed], found.at(listed))
        if not children:
            raise found.at(listed).error(f"{key} must not be empty")
        if kind:
            return kind(id=key, children=children)  # type: ignore[no-any-return]
        k = count(found, "at_least", "")
        if not 1 <= k <= len(children):
            raise found.at(key).error(f"at_least {k} of {len(children)} criteria can not be")
        return AtLeast(id=key, k=k, children=children)

    return read


_Read = Callable[[Criteria, Map, Place], Node]
_KINDS: dict[str, tuple[_Read, tuple[str, ...]]] = {
    "all_of": (_composite("all_of"), ()),
    "any_of": (_composite("any_of"), ()),
    "none_of": (_composite("none_of"), ()),
    "at_least": (_composite("at_least"), ("of",)),
    "age": (lambda reader, found, _: reader.line(f"age {found['age']}", found.at("age")), ()),
    "lab": (_lab_of, ("within", "within_days", "rounded", "reading", "readings", "after", "for")),
    "condition": (
        _condition,
        (
            "label", "codes", "phrases", "suggests", "suggest_phrases", "not_phrases", "topic",
            "who", "status", "evidence", "within", "within_days", "sex", "for", "degree",
        ),
    ),
    "measured": (_measured, ("within", "within_days")),
    "trial": (
        _trial,
        (
            "label", "days", "responses", "min_daily_dose", "formulation", "within", "within_days", "proof",
            "gap_days", "continuous", "carry_over", "fills", "adherence", "sum", "together",
        ),
    ),
    "intolerance": (_course(Intolerance, "intolerance"), ("label", "formulation")),
    "allergy": (_allergy, ("label",)),
    "taking": (_course(Taking, "now"), ("label", "days", "min_dose", "max_dose")),
    "on_drug": (_on_drug, ("min_dose",)),
    "program": (_program, ("within", "within_days", "sessions", "ongoing")),
    "attested": (_attested, ("statement", "within", "within_days")),
    "specialist": (_specialist, ("within", "within_days", "prescriber")),
    "change": (_change, ("direction", "percent", "amount", "since", "within", "within_days")),
    "asked_for": (_asked_for, ("label", "min_dose", "max_dose")),
}  # fmt: skip


# --- helpers ---------------------------------------------------------------------------------------------


def window(found: Map) -> Period | None:
    """`within: 6 months`, or `within_days: 90`; None where neither stands there."""
    if "within" in found and "within_days" in found:
        raise found.at("within_days").error("within and within_days say the same; write one of them")
    if "within" in found:
        return _period(found["within"], found.at("within"))
    return _duration(found, "within_days", "days") if found.get("within_days") is not None else None


def _duration(found: Map, key: str, unit: TimeUnit) -> Period:
    """A period; a bare number counts in `unit`."""
    value = found[key]
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return Period(value, unit)
    return _period(value, found.at(key), key)


def _period(value: object, place: Place, key: str = "within") -> Period:
    match = _PERIOD.fullmatch(str(value))
    if match is None:
        raise place.error(f"{key} needs a number of days, weeks or months, e.g. 90 days, not {value!r}")
    return Period(int(match[1]), _TIME_UNITS[match[2]])


def _in_days(found: Map, key: str) -> int:
    within = _period(found[key], found.at(key), key)
    if within.unit == "months":
        raise found.at(key).error(f"{key} of a trial is counted in days or weeks, not {found[key]!r}")
    return within.count * (7 if within.unit == "weeks" else 1)


def count(found: Map, key: str, unit: str) -> int:
    match = re.fullmatch(rf"(\d+)(?:\s*{unit})?", str(found[key]).strip())
    if match is None:
        raise found.at(key).error(
            f"{key} needs a whole number{f' of {unit}' if unit else ''}, not {found[key]!r}"
        )
    return int(match[1])


def _slug(names: tuple[str, ...], tail: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", f"{names[0] if names else 'drug'}_{tail}")


def _node(
    kind: type[T], found: Map, fields: dict[str, Any], place: Place, written: Mapping[str, str] | None = None
) -> T:
    """The fields as a node of this kind; an error names the key that a field was written as."""
    tagged = {"kind": kind.__struct_config__.tag, **fields}  # type: ignore[attr-defined]
    return convert(found.holding(tagged, written), kind, place)
