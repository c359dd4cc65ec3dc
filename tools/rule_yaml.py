"""Reads a rule as a policy analyst writes it in YAML; data_gen/catalog/README.md is its manual.

A criterion is a line (`hba1c >= 7.0 % within 90 days`), a mapping (`condition: t2dm`), a use of a named fragment
(`use: mtc_men2`), or the full form with `kind:`. Names of conditions and tests are those of tools/terms.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args

import msgspec

from tools.errors import Invalid
from tools.located import Map, Place, Seq, as_map, as_seq, convert, only, unknown
from tools.rules import (
    Age,
    AllergyTo,
    AllOf,
    AnyOf,
    AtLeast,
    Attested,
    Change,
    Composite,
    Condition,
    Intolerance,
    Lab,
    Measured,
    Node,
    NoneOf,
    OnDrug,
    Op,
    Programme,
    Required,
    Rule,
    Specialist,
    Taking,
    Trial,
    Use,
)
from tools.terms import BRANDS, CLASSES, CONCEPTS, INDICATIONS, INGREDIENTS, TESTS, TOPICS
from tools.wording import drugs_label, uses_label

OPS: tuple[str, ...] = get_args(Op)
RULE_KEYS = (
    "indication",
    "indication_text",
    "criteria",
    "exclusions",
    "documents",
    "renewal",
    "initial_months",
    "renewal_months",
)
_BOUND = re.compile(
    r"(?P<what>[a-z_0-9]+)\s*(?P<op>>=|<=|==|>|<|≥|≤)\s*(?P<value>-?\d+(?:\.\d+)?)(?P<rest>.*)", re.DOTALL
)
_REST = re.compile(
    r"(?P<unit>.*?)(?P<at>\s+at\s+(?:baseline|therapy start))?(?:\s+within\s+(?P<days>\d+)\s+days?)?\s*",
    re.DOTALL,
)
_SIGNS = {"≥": ">=", "≤": "<="}


class Reader:
    """Reads nodes and rules; `fragments` are the named parts that `use:` may call, `drugs` more drug names."""

    def __init__(
        self, fragments: Mapping[str, Map] | None = None, drugs: Mapping[str, object] | None = None
    ) -> None:
        self.fragments = dict(fragments or {})
        self.drugs = {name.casefold() for name in drugs or ()} | set(INGREDIENTS) | set(BRANDS)

    # --- rules -------------------------------------------------------------------------------------------

    def rule(self, found: Map, rule_id: str) -> Rule:
        """A whole rule; ids of its nodes are unique within it, those of the renewal tree included."""
        only(found, RULE_KEYS, "a rule")
        for key in ("indication", "criteria"):
            if key not in found:
                raise found.place.error(f"this rule has no {key!r}")
        indication = str(found["indication"])
        if not re.fullmatch(r"[a-z0-9_]+", indication):
            raise unknown(found.at("indication"), "indication", indication, INDICATIONS)
        criteria = self._tree(found, "criteria")
        exclusions = (
            self.nodes(found["exclusions"], found.at("exclusions")) if found.get("exclusions") else ()
        )
        documents = self._documents(found)
        renewal = self._tree(found, "renewal") if found.get("renewal") else None
        taken: set[str] = set()
        criteria, exclusions, documents, renewal = _unique(criteria, exclusions, documents, renewal, taken)
        self._check_documents(found, documents, criteria)
        return Rule(
            id=rule_id,
            indication=indication,
            indication_text=str(found.get("indication_text") or INDICATIONS.get(indication, indication)),
            criteria=criteria,
            exclusions=exclusions,
            documents=documents,
            renewal=renewal,
            initial_months=_months(found, "initial_months"),
            renewal_months=_months(found, "renewal_months"),
        )

    def _tree(self, found: Map, key: str) -> AllOf:
        children = self.nodes(found[key], found.at(key))
        if not children:
            raise found.at(key).error(f"{key} must not be empty")
        return AllOf(id=key, children=children)

    def _documents(self, found: Map) -> tuple[Required, ...]:
        listed = found.get("documents")
        if not listed:
            return ()
        items = as_seq(listed, found.at("documents"), "documents")
        expanded = self._expand(items)
        return tuple(self._document(as_map(item, place, "a document"), place) for item, place in expanded)

    def _document(self, found: Map, place: Place) -> Required:
        only(found, ("id", "document", "test", "drugs", "within_days", "for"), "a document")
        of = found.get("document")
        test = str(found.get("test", ""))
        if test and test not in TESTS:
            raise unknown(found.at("test"), "test", test, TESTS)
        drugs, classes = self._drugs(found, "drugs") if found.get("drugs") else ((), ())
        if classes:
            raise found.at("drugs").error("a document names drugs, not classes")
        fields = {
            "id": str(
                found.get("id") or "_".join(part for part in (str(of), test or "_".join(drugs)) if part)
            ),
            "of": of,
            "test": test,
            "drugs": drugs,
            "within_days": found.get("within_days"),
            "for_criterion": str(found.get("for", "")),
        }
        return convert(_as(found, fields, {"of": "document", "for_criterion": "for"}), Required, place)

    def _check_documents(self, found: Map, documents: tuple[Required, ...], criteria: AllOf) -> None:
        known = {node.id for node in walk(criteria)}
        for document in documents:
            if document.for_criterion and document.for_criterion not in known:
                raise unknown(found.at("documents"), "criterion in 'for'", document.for_criterion, known)

    # --- nodes -------------------------------------------------------------------------------------------

    def nodes(self, found: Any, place: Place) -> tuple[Node, ...]:
        """A list of criteria, fragments expanded in place."""
        return tuple(self.node(item, at) for item, at in self._expand(as_seq(found, place, "criteria")))

    def _expand(self, items: Seq, depth: int = 0) -> Iterator[tuple[Any, Place]]:
        for index, item in enumerate(items):
            place = items.at(index)
            if not (isinstance(item, Map) and "use" in item):
                yield item, place
                continue
            if depth > 8:
                raise place.error(f"fragment {item['use']!r} uses itself")
            body = self.fill(item)
            yield from (
                self._expand(body, depth + 1)
                if isinstance(body, Seq)
                else self._expand(_one(body, place), depth + 1)
            )

    def fill(self, call: Map) -> Any:
        """The body of the fragment that `use:` names, with `with:` in place of its parameters."""
        only(call, ("use", "with"), "a use of a fragment")
        name = str(call["use"])
        fragment = self.fragments.get(name)
        if fragment is None:
            raise unknown(call.at("use"), "fragment", name, self.fragments)
        params = as_map(fragment.get("params") or Map(fragment.place), fragment.at("params"), "params")
        given = as_map(call.get("with") or Map(call.place), call.at("with"), "with")
        for key in given:
            if key not in params:
                raise unknown(given.at(key), f"parameter of {name}", key, params)
        body = fragment.get("is")
        if body is None:
            rest = Map(fragment.place)
            for key, value in fragment.items():
                if key not in ("params", "is"):
                    rest[key] = value
                    rest.places[key] = fragment.at(key)
            body = rest
        return substitute(body, {**params, **given}, call.place)

    def node(self, found: Any, place: Place) -> Node:
        if isinstance(found, str):
            return self._line(found, place)
        found = as_map(found, place, "a criterion")
        if "kind" in found:
            return _full(found, place)
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

    def _line(self, text: str, place: Place) -> Node:
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

    def _drugs(self, found: Map, key: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Drug names in lower case and class keys (`any glp1`)."""
        drugs, classes = [], []
        for item in _words(found, key):
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
        "kind": "lab",
        "id": test,
        "test": test,
        "op": op,
        "value": float(match["value"]),
        "unit": spec.unit,
        "within_days": int(rest["days"]) if rest and rest["days"] else None,
        "at": "baseline" if rest and rest["at"] else "current",
    }
    return convert(fields, Lab, place)


def _lab_of(reader: Reader, found: Map, place: Place) -> Node:
    node = reader._line(str(found["lab"]), found.at("lab"))
    if not isinstance(node, Lab):
        raise found.at("lab").error(f"{found['lab']!r} is not a test; write 'age' for an age")
    return node


def _age(reader: Reader, found: Map, place: Place) -> Node:
    return reader._line(f"age {found['age']}", found.at("age"))


def _condition(reader: Reader, found: Map, place: Place) -> Node:
    key = str(found["condition"])
    fields: dict[str, Any] = {"kind": "condition", "id": key}
    if key in CONCEPTS:
        fields |= CONCEPTS[key]._asdict()
    elif not any(found.get(part) for part in ("codes", "phrases", "topic")):
        raise unknown(found.at("condition"), "condition (or give its own codes)", key, CONCEPTS)
    else:
        fields |= {"id": re.sub(r"[^a-z0-9]+", "_", key.casefold()).strip("_"), "label": key}
    for part in _KINDS["condition"][1]:
        if part in found:
            fields[part] = (
                _words(found, part) if isinstance(found[part], Seq) or part == "who" else found[part]
            )
    fields["codes"] = tuple(str(code) for code in fields.get("codes", ()))
    for part in ("phrases", "suggest_phrases", "not_phrases"):
        fields[part] = tuple(str(phrase).casefold() for phrase in fields.get(part, ()))
    return convert(_as(found, fields), Condition, place)


def _measured(reader: Reader, found: Map, place: Place) -> Node:
    tests = _words(found, "measured")
    for test in tests:
        if test not in TESTS:
            raise unknown(found.at("measured"), "test", test, TESTS)
    fields = {
        "kind": "measured",
        "id": "_".join(tests),
        "tests": tests,
        "within_days": found.get("within_days"),
    }
    return convert(_as(found, fields), Measured, place)


def _course(kind: type, tail: str) -> Callable[[Reader, Map, Place], Node]:
    key = "trial" if kind is Trial else "intolerance" if kind is Intolerance else "taking"

    def read(reader: Reader, found: Map, place: Place) -> Node:
        drugs, classes = reader._drugs(found, key)
        fields: dict[str, Any] = {
            "kind": key,
            "id": _slug((*drugs, *classes), tail),
            "label": drugs_label(drugs, classes),
            "drugs": drugs,
            "classes": classes,
        }
        names = {"days": "min_days"}
        for part in _KINDS[key][1]:
            if part in found:
                value = found[part]
                fields[names.get(part, part)] = _words(found, part) if part == "responses" else value
        return convert(_as(found, fields, {"min_days": "days"}), kind, place)

    return read


def _allergy(reader: Reader, found: Map, place: Place) -> Node:
    words = _words(found, "allergy")
    requested = "requested drug" in words
    rest = Map(found.place)
    rest["allergy"], rest.places = tuple(word for word in words if word != "requested drug"), found.places
    drugs, classes = reader._drugs(rest, "allergy")
    return AllergyTo(
        id="drug_allergy" if requested else _slug((*drugs, *classes), "allergy"),
        label=str(found.get("label") or drugs_label(drugs, classes, requested)),
        drugs=drugs,
        classes=classes,
        requested=requested,
    )


def _on_drug(reader: Reader, found: Map, place: Place) -> Node:
    fields = {
        "id": "on_drug",
        "min_months": _count(found, "on_drug", "months"),
        "min_dose": found.get("min_dose"),
    }
    return convert(_as(found, {"kind": "on_drug", **fields}), OnDrug, place)


def _program(reader: Reader, found: Map, place: Place) -> Node:
    fields = {
        "kind": "programme",
        "id": "lifestyle_program",
        "min_months": _count(found, "program", "months"),
        "within_days": found.get("within_days"),
    }
    return convert(_as(found, fields), Programme, place)


def _attested(reader: Reader, found: Map, place: Place) -> Node:
    topic = str(found["attested"])
    statement = found.get("statement") or TOPICS.get(topic)
    if not statement:
        raise unknown(found.at("attested"), "topic (or give its statement)", topic, TOPICS)
    fields = {"id": topic, "topic": topic, "statement": statement, "within_days": found.get("within_days")}
    return convert(_as(found, {"kind": "attested", **fields}), Attested, place)


def _specialist(reader: Reader, found: Map, place: Place) -> Node:
    return Specialist(id="specialist", specialties=tuple(s.casefold() for s in _words(found, "specialist")))


def _change(reader: Reader, found: Map, place: Place) -> Node:
    test = str(found["change"])
    if test not in TESTS:
        raise unknown(found.at("change"), "test", test, TESTS)
    if ("percent" in found) == ("amount" in found):
        raise place.error("a change has either 'percent' or 'amount'")
    fields = {"kind": "change", "id": f"{test}_change", "test": test}
    fields |= {part: found[part] for part in _KINDS["change"][1] if part in found}
    return convert(_as(found, fields), Change, place)


def _asked_for(reader: Reader, found: Map, place: Place) -> Node:
    uses = _words(found, "asked_for")
    for use in uses:
        if use not in INDICATIONS:
            raise unknown(found.at("asked_for"), "indication", use, INDICATIONS)
    return Use(id=_slug(uses, "use"), uses=uses, label=str(found.get("label") or uses_label(uses)))


def _composite(key: str) -> Callable[[Reader, Map, Place], Node]:
    kind: Any = {"all_of": AllOf, "any_of": AnyOf, "none_of": NoneOf}.get(key)

    def read(reader: Reader, found: Map, place: Place) -> Node:
        listed = key if kind else "of"
        if listed not in found:
            raise place.error("at_least needs 'of:' with its criteria")
        children = reader.nodes(found[listed], found.at(listed))
        if not children:
            raise found.at(listed).error(f"{key} must not be empty")
        if kind:
            return kind(id=key, children=children)  # type: ignore[no-any-return]
        k = _count(found, "at_least", "")
        if not 1 <= k <= len(children):
            raise found.at(key).error(f"at_least {k} of {len(children)} criteria can not be")
        return AtLeast(id=key, k=k, children=children)

    return read


_Read = Callable[[Reader, Map, Place], Node]
_KINDS: dict[str, tuple[_Read, tuple[str, ...]]] = {
    "all_of": (_composite("all_of"), ()),
    "any_of": (_composite("any_of"), ()),
    "none_of": (_composite("none_of"), ()),
    "at_least": (_composite("at_least"), ("of",)),
    "age": (_age, ()),
    "lab": (_lab_of, ()),
    "condition": (
        _condition,
        (
            "label", "codes", "phrases", "suggests", "suggest_phrases", "not_phrases", "topic",
            "who", "status", "evidence", "within_days", "sex",
        ),
    ),
    "measured": (_measured, ("within_days",)),
    "trial": (
        _course(Trial, "trial"),
        ("label", "days", "responses", "min_daily_dose", "formulation", "within_days", "proof"),
    ),
    "intolerance": (_course(Intolerance, "intolerance"), ("label", "formulation")),
    "allergy": (_allergy, ("label",)),
    "taking": (_course(Taking, "now"), ("label", "days")),
    "on_drug": (_on_drug, ("min_dose",)),
    "program": (_program, ("within_days",)),
    "attested": (_attested, ("statement", "within_days")),
    "specialist": (_specialist, ()),
    "change": (_change, ("direction", "percent", "amount", "within_days")),
    "asked_for": (_asked_for, ("label",)),
}  # fmt: skip


# --- helpers ---------------------------------------------------------------------------------------------


def walk(node: Node) -> Iterator[Node]:
    """The node and everything under it, in order."""
    yield node
    if isinstance(node, Composite):
        for child in node.children:
            yield from walk(child)


def substitute(value: Any, values: Mapping[str, Any], place: Place) -> Any:
    """A copy with `$name` replaced; a scalar that is nothing but `$name` takes the value's own type."""
    if isinstance(value, Map):
        filled = Map(value.place)
        filled.places = value.places
        for key, item in value.items():
            filled[key] = substitute(item, values, value.at(key))
        return filled
    if isinstance(value, Seq):
        items = Seq(value.place)
        items.places = value.places
        items.extend(substitute(item, values, value.at(index)) for index, item in enumerate(value))
        return items
    if not isinstance(value, str) or "$" not in value:
        return value
    whole = re.fullmatch(r"\$([a-z_0-9]+)", value)
    if whole and whole[1] in values:
        return values[whole[1]]

    def one(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise unknown(place, "parameter", match[1], values)
        return str(values[match[1]])

    return re.sub(r"\$([a-z_0-9]+)", one, value)


def _one(item: Any, place: Place) -> Seq:
    items = Seq(place)
    items.append(item)
    items.places.append(place)
    return items


def _words(found: Map, key: str) -> tuple[str, ...]:
    value = found[key]
    return tuple(str(item) for item in value) if isinstance(value, list | tuple) else (str(value),)


def _count(found: Map, key: str, unit: str) -> int:
    match = re.fullmatch(rf"(\d+)(?:\s*{unit})?", str(found[key]).strip())
    if match is None:
        raise found.at(key).error(
            f"{key} needs a whole number{f' of {unit}' if unit else ''}, not {found[key]!r}"
        )
    return int(match[1])


def _months(found: Map, key: str) -> int:
    return _count(found, key, "months") if key in found else 12


def _slug(names: tuple[str, ...], tail: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", f"{names[0] if names else 'drug'}_{tail}")


def _as(found: Map, fields: dict[str, Any], written: Mapping[str, str] | None = None) -> Map:
    """The fields as a Map whose places are those of the keys they were written as."""
    made = Map(found.place)
    for key, value in fields.items():
        made[key] = value
        made.places[key] = found.at((written or {}).get(key, key))
    return made


def _full(found: Map, place: Place) -> Node:
    """A node in the form in which stores keep it."""
    node: Node = convert(found, Node, place)  # type: ignore[arg-type]
    for part in walk(node):
        test = getattr(part, "test", None)
        if test is not None and test not in TESTS:
            raise unknown(place, "test", test, TESTS)
    return node


def _unique(
    criteria: AllOf,
    exclusions: tuple[Node, ...],
    documents: tuple[Required, ...],
    renewal: AllOf | None,
    taken: set[str],
) -> tuple[AllOf, tuple[Node, ...], tuple[Required, ...], AllOf | None]:
    """The same parts with ids that are unique within the rule; a later one of a name gets a number."""

    def named(node: Any, tail: str = "") -> Any:
        name = node.id
        if name in taken and tail:
            name = f"{name}_{tail}"
        base, count = name, 2
        while name in taken:
            name, count = f"{base}_{count}", count + 1
        taken.add(name)
        changes: dict[str, Any] = {"id": name}
        if isinstance(node, Composite):
            changes["children"] = tuple(named(child, tail) for child in node.children)
        return msgspec.structs.replace(node, **changes)

    return (
        named(criteria),
        tuple(named(node) for node in exclusions),
        tuple(named(document, "document") for document in documents),
        None if renewal is None else named(renewal, "renewal"),
    )


__all__ = ["RULE_KEYS", "Invalid", "Reader", "substitute", "walk"]
