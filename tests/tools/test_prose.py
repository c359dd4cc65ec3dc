from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from data_gen.catalog_loader import our_catalog
from tools.common.errors import Invalid
from tools.domain.rules import (
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
    NoneOf,
    OnDrug,
    Period,
    Programme,
    Required,
    Specialist,
    Taking,
    Trial,
    Use,
)
from tools.rulebook.prose import House, bare, describe
from tools.rulebook.wording import SPECIALTIES, drugs_label, uses_label
from tools.terminology.conditions import CONCEPTS
from tools.terminology.medicines import CLASSES, STEP_CLASSES, medicines_of
from tools.terminology.observations import TESTS
from tools.terminology.terms import INDICATIONS, TOPICS

HOUSES: dict[str, House] = our_catalog().houses

# --- any tree that the schema allows (texts of one line, as a clause is one line) --------------------------

names = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")), min_size=1, max_size=12)
days = st.integers(0, 4000)
periods = st.builds(Period, days, st.sampled_from(["days", "weeks", "months"]))
maybe_period = st.none() | periods
amounts = st.integers(0, 500_000).map(lambda n: n / 1000)
ops = st.sampled_from([">=", ">", "<=", "<", "=="])
drug_names = st.lists(
    st.sampled_from([row.name for row in medicines_of(STEP_CLASSES) if row.kind == "ingredient"])
    | names.map(str.lower),
    max_size=3,
).map(tuple)
class_keys = st.lists(st.sampled_from(list(CLASSES)), max_size=3).map(tuple)
some = st.lists(names, max_size=2).map(tuple)


@st.composite
def listed(draw: Any, requested: bool = False) -> dict[str, Any]:
    """Drugs and classes with the usual label, or one of their own."""
    drugs, classes = draw(drug_names), draw(class_keys)
    asked = {"requested": draw(st.booleans())} if requested else {}
    label = draw(st.just(drugs_label(drugs, classes, asked.get("requested", False))) | names)
    return {"drugs": drugs, "classes": classes, "label": label, **asked}


@st.composite
def conditions(draw: Any) -> Condition:
    concept = CONCEPTS[draw(st.sampled_from(list(CONCEPTS)))]._asdict()
    own = {
        "label": draw(names),
        "codes": draw(some),
        "phrases": draw(some),
        "suggests": draw(some),
        "suggest_phrases": draw(some),
        "not_phrases": draw(some),
        "topic": draw(st.just("") | names),
    }
    said = {
        "who": draw(st.sampled_from([("self",), ("family",), ("self", "family")])),
        "status": draw(st.sampled_from(["active", "ever"])),
        "evidence": draw(st.sampled_from(["record", "attestation"])),
        "within": draw(maybe_period),
        "sex": draw(st.sampled_from([None, "female", "male"])),
        "min_duration": draw(maybe_period),
        "degree": draw(st.sampled_from([None, "first", "second"])),
    }
    return Condition(id="x", **{**(concept if draw(st.booleans()) else own), **said})


@st.composite
def labs(draw: Any) -> Lab:
    test = draw(st.sampled_from(list(TESTS)))
    return Lab(
        id="x",
        test=test,
        op=draw(ops),
        value=draw(amounts),
        unit=draw(st.sampled_from(list(TESTS[test].units))),
        within=draw(maybe_period),
        at=draw(st.sampled_from(["current", "baseline"])),
        rounded=draw(st.sampled_from([None, "tenths"])),
        **draw(
            st.sampled_from(
                [{"reading": "newest"}, {"reading": "any"}, {"reading": "lowest"}, {"readings": 2}]
            )
        ),
    )


@st.composite
def trials(draw: Any) -> Trial:
    responses = st.lists(st.sampled_from(["inadequate", "partial", "intolerance", "effective"]), max_size=4)
    parts, together = draw(listed()), draw(st.booleans())
    if together and draw(st.booleans()):
        parts["label"] = drugs_label(parts["drugs"], parts["classes"], together=True)
    return Trial(
        id="x",
        **parts,
        together=together,
        sum=draw(st.booleans()),
        min_days=draw(days),
        responses=tuple(draw(responses)),
        min_daily_dose=draw(st.none() | amounts),
        formulation=draw(st.sampled_from([None, "IR", "ER"])),
        within_days=draw(st.none() | days),
        proof=draw(st.sampled_from(["record", "fills"])),
        gap_days=draw(st.just(1) | st.integers(0, 60)),
        continuous=draw(st.booleans()),
        carry_over=draw(st.booleans()),
        min_fills=draw(st.integers(0, 12)),
        adherence=draw(st.none() | st.integers(1, 1000).map(lambda n: n / 10)),
    )


@st.composite
def attestations(draw: Any) -> Attested:
    topic = draw(st.sampled_from(list(TOPICS)))
    own = {"topic": draw(names), "statement": draw(names)}
    said = draw(st.sampled_from([{"topic": topic, "statement": TOPICS[topic]}, own]))
    return Attested(id="x", within=draw(maybe_period), **said)


def build(kind: type, **parts: Any) -> Any:
    return st.builds(kind, id=st.just("x"), **parts)


doses = st.fixed_dictionaries({"min_dose": st.none() | amounts, "max_dose": st.none() | amounts})
uses = st.lists(st.sampled_from(list(INDICATIONS)) | names, min_size=1, max_size=3).map(tuple)
leaves = st.one_of(
    build(Age, op=ops, years=st.integers(0, 130)),
    conditions(),
    labs(),
    build(
        Measured,
        tests=st.lists(st.sampled_from(list(TESTS)), min_size=1, max_size=4).map(tuple),
        within=periods,
    ),
    trials(),
    st.builds(
        lambda parts, form: Intolerance(id="x", formulation=form, **parts),
        listed(),
        st.sampled_from([None, "IR", "ER"]),
    ),
    listed(requested=True).map(lambda parts: AllergyTo(id="x", **parts)),
    st.builds(
        lambda parts, least, doses: Taking(id="x", min_days=least, **parts, **doses), listed(), days, doses
    ),
    build(OnDrug, min_months=st.integers(0, 60), min_dose=st.none() | amounts),
    build(
        Programme,
        min_duration=periods,
        within=maybe_period,
        min_sessions=st.integers(0, 20),
        ongoing=st.booleans(),
    ),
    attestations(),
    build(
        Specialist,
        specialties=st.lists(
            st.sampled_from(list(SPECIALTIES)) | names.map(str.casefold), min_size=1, max_size=3
        ).map(tuple),
        within=maybe_period,
        prescriber=st.booleans(),
    ),
    build(
        Change,
        test=st.sampled_from(list(TESTS)),
        direction=st.sampled_from(["fall", "rise"]),
        percent=st.none() | amounts,
        amount=st.none() | amounts,
        within=maybe_period,
        since=st.sampled_from(["start", "renewal"]),
    ),
    st.builds(
        lambda parts, doses: Use(id="x", **parts, **doses),
        uses.flatmap(
            lambda u: st.fixed_dictionaries({"uses": st.just(u), "label": st.just(uses_label(u)) | names})
        ),
        doses,
    ),
)


def composites(children: Any) -> Any:
    few = st.lists(children, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        *(build(kind, children=few) for kind in (AllOf, AnyOf, NoneOf)),
        few.flatmap(lambda c: build(AtLeast, children=st.just(c), k=st.integers(1, len(c)))),
    )


trees = st.recursive(leaves, composites, max_leaves=8)
documents = build(
    Required,
    of=st.sampled_from(["note", "lab", "fills", "programme", "study", "medication"]),
    test=st.just("") | st.sampled_from(list(TESTS)),
    drugs=drug_names,
    within=maybe_period,
    for_criterion=st.sampled_from(["", "1.1.4", "C-2(a)", "§ 3(b)(1)", "Item 1-4-1", "I-A-3-b"]),
)


@pytest.mark.slow
@pytest.mark.parametrize("plan", HOUSES)
@settings(max_examples=60)
@example(tree=Trial(id="x", label="c:", drugs=("c:",)))
@given(tree=trees)
def test_any_tree_reads_back_from_its_clauses_in_every_style(plan: str, tree: Any) -> None:
    house = HOUSES[plan]
    stamped, lines = house.print_tree(tree, (1, 1))
    clauses = {line.id: line.text for line in lines}
    assert len(clauses) == len(lines), "two clauses of one number"
    assert house.read_tree(clauses, (1, 1)) == bare(tree) == bare(stamped)


@pytest.mark.parametrize("plan", HOUSES)
@settings(max_examples=20)
@given(paper=documents)
def test_any_required_document_reads_back_in_every_style(plan: str, paper: Required) -> None:
    house = HOUSES[plan]
    assert house.phrases.read_document(house.phrases.clause(paper)) == bare(paper)


@settings(max_examples=30)
@given(tree=trees)
def test_every_node_names_its_clause_quote_and_plain_text(tree: Any) -> None:
    stamped, lines = HOUSES["CASCADE-GOLD"].print_tree(tree, (1, 1))
    printed = {line.id: line.text for line in lines}

    def check(node: Any) -> int:
        assert printed[node.clause_id] == node.quote
        assert node.text and node.question
        return 1 + sum(check(child) for child in getattr(node, "children", ()))

    assert check(stamped) == len(lines)


# --- styles ----------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(leaf=leaves)
def test_no_two_styles_say_a_criterion_alike(leaf: Any) -> None:
    said = [house.phrases.clause(leaf) for house in HOUSES.values()]
    asked = [house.phrases.question(leaf) for house in HOUSES.values()]
    assert len(set(said)) == len(set(asked)) == len(HOUSES)


def test_a_sentence_of_another_house_is_refused_and_not_guessed() -> None:
    age = Age(id="age", op=">=", years=18)
    foreign = HOUSES["PRAIRIE-SILVER"].phrases.clause(age)
    with pytest.raises(Invalid, match="is no sentence of this style"):
        HOUSES["CASCADE-GOLD"].phrases.read(foreign)


# --- our own short words ---------------------------------------------------------------------------------


def test_plain_words_are_short_and_exact() -> None:
    metformin = Trial(
        id="t", label="metformin", drugs=("metformin",), min_days=90, responses=("inadequate", "partial")
    )
    assert describe(metformin) == "metformin for at least 90 days with inadequate or partial response"
    taken = Taking(id="n", label="metformin", drugs=("metformin",), min_dose=500, max_dose=1000)
    assert describe(taken) == "taking metformin now, at least 500 mg and at most 1000 mg per dose"
    bridged = Trial(id="t", label="metformin", drugs=("metformin",), min_days=90, gap_days=7)
    assert describe(bridged) == "metformin for at least 90 days, gaps of up to 7 days bridged"
    hba1c = Lab(id="a", test="hba1c", op=">=", value=7.0, unit="%", within=Period(90))
    assert describe(hba1c) == "HbA1c ≥ 7.0 % within 90 days"
    bmi = Lab(id="b", test="bmi", op=">=", value=30, unit="kg/m2", at="baseline")
    assert describe(bmi) == "baseline BMI ≥ 30.0 kg/m2"
    loss = Change(id="c", test="weight", percent=5, within=Period(90))
    assert describe(loss) == "body weight fall of at least 5 % from baseline within 90 days"
    fall = Change(id="c", test="hba1c", amount=0.5)
    assert describe(fall) == "HbA1c fall of at least 0.5 percentage points from baseline"
