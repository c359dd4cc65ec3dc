from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from data_gen.catalog_cli import app
from data_gen.catalog_loader import CATALOG, Catalog, load_catalog, our_catalog
from tools.common.errors import Invalid, NotFound, Unavailable
from tools.domain.records import Benefit, Plan
from tools.domain.rules import AllOf, Condition, Rule, walk
from tools.rulebook.located import Place, as_map, parse_yaml, read_yaml
from tools.rulebook.policy_rules import stated
from tools.rulebook.rule_yaml import Reader
from tools.terminology.conditions import CONCEPTS
from tools.terminology.medicines import ingredients_of
from tools.terminology.observations import TESTS
from tools.terminology.terms import INDICATIONS

EXAMPLE = CATALOG.parent / "catalog_example"
DIABETES = ("Ozempic", "Trulicity", "Mounjaro", "Rybelsus")
OBESITY = ("Wegovy", "Zepbound", "Saxenda")
OTHERS = ("Jardiance", "Farxiga", "Januvia")


def cells(catalog: Catalog) -> list[tuple[Plan, Benefit]]:
    return [(plan, benefit) for plan in catalog.plans.values() for benefit in plan.benefits.values()]


def rules(catalog: Catalog) -> list[Rule]:
    return [rule for _, benefit in cells(catalog) for rule in benefit.rules]


# --- the grid --------------------------------------------------------------------------------------------


def test_ten_payers_of_ten_archetypes_say_something_of_each_of_ten_drugs() -> None:
    plans = our_catalog().plans.values()
    assert sorted(plan.archetype for plan in plans) == list("ABCDEFGHIJ")
    assert len({plan.payer_id for plan in plans}) == 10
    assert all(tuple(plan.benefits) == (*DIABETES, *OBESITY, *OTHERS) for plan in plans)


def test_about_85_cells_are_covered_and_55_of_them_need_pa_most_of_them_incretins() -> None:
    found = cells(our_catalog())
    covered = [benefit for _, benefit in found if benefit.covered]
    assert 82 <= len(covered) <= 88 and 52 <= sum(benefit.pa_required for benefit in covered) <= 58
    incretins = [b.pa_required for b in covered if b.drug in DIABETES + OBESITY]
    others = [b.pa_required for b in covered if b.drug in OTHERS]
    assert sum(incretins) / len(incretins) > 0.9 and sum(others) / len(others) < 0.25
    for plan, benefit in found:
        assert bool(benefit.rules) == benefit.pa_required and (benefit.covered or not benefit.pa_required)
        if not benefit.covered:  # a weight drug, or a duplicate of a preferred one
            given = benefit.drug in OBESITY or re.search("non-preferred|duplicate", benefit.reason)
            assert benefit.reason and given, (plan.id, benefit.drug)


def test_drugs_are_covered_for_all_the_indications_that_payers_argue_about() -> None:
    covered = {(b.drug, use) for _, b in cells(our_catalog()) if b.pa_required for use in b.indications}
    wanted = {("Wegovy", "weight"), ("Wegovy", "cv"), ("Wegovy", "mash"), ("Zepbound", "weight")}
    wanted |= {("Zepbound", "osa"), ("Jardiance", "hf"), ("Farxiga", "t2dm"), ("Farxiga", "ckd")}
    assert wanted <= covered


def test_medicare_covers_no_drug_for_weight() -> None:
    for plan, benefit in cells(our_catalog()):
        if plan.line_of_business.startswith("medicare"):
            assert "weight" not in benefit.indications
            assert not benefit.pa_required or "weight" in benefit.excluded_uses


# --- rules -----------------------------------------------------------------------------------------------


def test_no_two_payers_have_the_same_rule() -> None:
    by_use: dict[tuple[str, str], list[tuple[str, Rule]]] = {}
    for plan, benefit in cells(our_catalog()):
        for rule in benefit.rules:
            by_use.setdefault((benefit.drug, rule.indication), []).append((plan.id, rule))
    for use, found in by_use.items():
        for i, (one, rule) in enumerate(found):
            for other, its in found[i + 1 :]:
                assert stated(rule).criteria != stated(its).criteria, f"{use}: {one} and {other}"


def test_paths_differ_and_not_only_numbers() -> None:
    def shape(rule: Rule) -> str:
        return re.sub(r"[\d.]+", "#", " ".join(type(n).__name__ for n in walk(rule.criteria)))

    ozempic = [b.rules[0] for _, b in cells(our_catalog()) if b.drug == "Ozempic" and b.rules]
    assert len({shape(rule) for rule in ozempic}) == len(ozempic)


def test_every_rule_has_a_renewal_documents_and_unique_names() -> None:
    for rule in rules(our_catalog()):
        assert rule.renewal and rule.documents and rule.exclusions, rule.id
        trees = [rule.criteria, *rule.exclusions, rule.renewal]
        names = [node.id for tree in trees for node in walk(tree)] + [paper.id for paper in rule.documents]
        assert len(names) == len(set(names)), rule.id
        assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in names), rule.id


def test_every_glp1_rule_excludes_medullary_thyroid_cancer_of_the_family_too() -> None:
    for plan, benefit in cells(our_catalog()):
        if benefit.drug in DIABETES + OBESITY:
            for rule in benefit.rules:
                mtc = [n for n in rule.exclusions if isinstance(n, Condition) and n.topic == "mtc_men2"]
                assert mtc and mtc[0].who == ("self", "family"), (plan.id, benefit.drug)


# --- drugs -----------------------------------------------------------------------------------------------


def test_drugs_have_packages_codes_and_label_rules() -> None:
    for drug in our_catalog().drugs.values():
        assert all(ingredients_of(one) == (one,) for one in drug.ingredients)
        assert sum(strength.starting for strength in drug.strengths) == 1
        for strength in drug.strengths:
            assert strength.ndc == "" or re.fullmatch(r"\d{4}-\d{4}-\d{2}", strength.ndc)
        for indication in drug.indications:
            assert indication.key in INDICATIONS and indication.source
            assert isinstance(indication.rule and indication.rule.criteria, AllOf)


def test_nothing_that_the_reference_could_not_verify_is_printed() -> None:
    texts = [policy.text for policy in our_catalog().policies.values()]
    texts += [repr(drug) for drug in our_catalog().drugs.values()]
    assert not any("verify" in text for text in texts)
    assert our_catalog().drugs["Januvia"].rxnorm == ""


def test_addresses_of_payers_are_fictional() -> None:
    for plan in our_catalog().plans.values():
        assert re.fullmatch(r"800-555-01\d\d", plan.phone) and re.fullmatch(r"800-555-01\d\d", plan.fax)
        assert plan.portal == "" or re.fullmatch(
            r"https://[a-z.-]+\.example\.org(/[a-z-]*)*|https://example\.org.*", plan.portal
        )


def test_concepts_and_tests_have_names_of_their_own() -> None:
    labels = [concept.label for concept in CONCEPTS.values()]
    assert len(set(labels)) == len(labels)
    for house in our_catalog().houses.values():
        names = [house.style.test.get(key, test.name) for key, test in TESTS.items()]
        assert len(set(names)) == len(names), house.style.id


def test_the_catalog_loads_in_well_under_a_second(own_time: None) -> None:
    assert min(_seconds(load_catalog) for _ in range(5)) < 1.0


def _seconds(work: Callable[[], object]) -> float:
    """Of this process alone, whatever else the machine does."""
    start = time.process_time()
    work()
    return time.process_time() - start


# --- overlays --------------------------------------------------------------------------------------------


def test_an_overlay_adds_a_payer_and_a_drug() -> None:
    catalog = load_catalog(EXAMPLE)
    assert catalog.overlaid == {"MAPLEWOOD-CARE"}
    invokana = catalog.plans["MAPLEWOOD-CARE"].benefits["Invokana"]
    assert invokana.rules[0].criteria.children[2].text == "HbA1c > 7.2 % within 120 days"
    assert "MAPLEWOOD-CARE-INVOKANA" in catalog.policies
    assert not catalog.plans["CASCADE-GOLD"].benefits["Invokana"].covered
    assert set(our_catalog().plans) < set(catalog.plans)


def test_an_overlay_replaces_a_plan_by_its_id(tmp_path: Path) -> None:
    ours = (CATALOG / "payers" / "cascade.yaml").read_text()
    write(tmp_path, ours.replace("hba1c >= 6.5 %", "hba1c > 6.8 %"))
    catalog = load_catalog(tmp_path)
    assert len(catalog.plans) == 10
    texts = [
        node.text for node in catalog.plans["CASCADE-GOLD"].benefits["Ozempic"].rules[0].criteria.children
    ]
    assert "HbA1c > 6.8 % within 180 days" in texts


PAYER = """\
id: TEST-PLAN
payer: Test
name: Test Plan
line_of_business: commercial
style: cascade
channel: fax
policy: {version: "1", effective_from: 2025-01-01, appeal: [Appeal within 180 days.]}
rules:
  r:
    indication: t2dm
    criteria:
      - age >= 18
      - condition: t2dm
      - hba1c >= 7.0 % within 90 days
    renewal: [attested: adherent]
benefits:
  Ozempic: {tier: 3, pa: r}
"""


def write(folder: Path, text: str) -> Path:
    (folder / "payers").mkdir(exist_ok=True)
    path = folder / "payers" / "test.yaml"
    path.write_text(text)
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("right", "wrong", "line", "says"),
    [
        ("condition: t2dm", "condition: t2dn", 13, "condition (or give its own codes) 't2dn'; did you mean t2dm"),
        ("hba1c >=", "hba1 >=", 14, "unknown test 'hba1'; did you mean hba1c"),
        (">= 7.0 %", "=> 7.0 %", 14, "cannot read criterion"),
        ("7.0 % within", "7.0 mmol within", 14, "HbA1c is compared in %, not 'mmol'"),
        ("Ozempic: {tier", "Ozempik: {tier", 17, "unknown drug 'Ozempik'; did you mean Ozempic"),
        ("pa: r", "pa: q", 17, "unknown fragment 'q'"),
        ("tier: 3", "tier: three", 17, "tier: Expected `int | null`, got `str`"),
        ("tier: 3", "teir: 3", 17, "unknown key in the benefit of Ozempic 'teir'; did you mean tier"),
        ("channel: fax", "channel: pigeon", 6, "channel: Invalid enum value 'pigeon'"),
        ("style: cascade", "style: cascad", 5, "unknown style 'cascad'; did you mean cascade"),
        ("commercial", "comercial", 4, "unknown line of business 'comercial'; did you mean commercial"),
        ("indication: t2dm", "indicaton: t2dm", 10, "unknown key in a rule 'indicaton'"),
        ("attested: adherent", "attested: adherant", 15, "unknown topic (or give its statement) 'adherant'"),
        ("2025-01-01", "soon", 7, "effective_from must be a date such as 2025-01-01"),
        ("[Appeal within 180 days.]", "Appeal within 180 days", 7, "appeal must be a list (- lines), not 'Appeal"),
        ("id: TEST-PLAN", "id: test plan", 1, "a plan id is capitals, digits and hyphens"),
        ('"1", eff', '"1", renewal_gap_days: six, eff', 7, "renewal_gap_days is a number of days such as 180"),
        ("payer: Test\n", "payer: Test\npayer: Best\n", 3, "key 'payer' stands twice"),
        ("benefits:", "benefits: [", 18, "not valid YAML"),
        ("- age >= 18", "- {trial: metformine, days: 90}", 12, "unknown drug 'metformine'; did you mean metformin"),
        ("- age >= 18", "- {trial: metformin, days: ninety}", 12, "min_days: Expected `int`, got `str`"),
        ("- age >= 18", "- {trial: metformin, day: 90}", 12, "unknown key in a criterion of kind 'trial' 'day'"),
        ("- age >= 18", "- {trial: metformin, responses: [good]}", 12, "Invalid enum value 'good'"),
        ("- age >= 18", "- {at_least: 3, of: [age >= 18]}", 12, "at_least 3 of 1 criteria"),
        ("- age >= 18", "- {any_of: []}", 12, "any_of must not be empty"),
        ("- age >= 18", "- {condition: gout, codes: [10M]}", 12, "'10M' is no code of ICD-10-CM"),
        ("- age >= 18", "- {attested: adherant, statement: takes it}", 12, "unknown topic 'adherant'; did you mean"),
        ("- age >= 18", "- {specialist: cardiologie}", 12, "unknown specialty 'cardiologie'; did you mean cardiology"),
        ("- age >= 18", "- {condition: t2dm, who: [slef]}", 12, "'slef'; did you mean self? (allowed: self, family)"),
        ("renewal: [", "documents: [{document: zzz}]\n    renewal: [", 15, "unknown kind of document 'zzz' (allowed:"),
        ("tier: 3,", "covered: flase, tier: 3,", 17, "covered is true or false, not 'flase'"),
        ("tier: 3, pa: r", "covered: false, tier: 3", 17, "key in the benefit of Ozempic, which is not covered"),
        ("tier: 3,", "step_therapy: [metformin], tier: 3,", 17, "unknown key in the benefit of Ozempic 'step_therapy'"),
        ("indication: t2dm", "indication: t2dmm", 10, "unknown indication 't2dmm'; did you mean t2dm"),
        ("rules:\n", "rules:\n  unused: {indication: t2dm, criteria: [hba2c > 7]}\n", 9, "unknown test 'hba2c'"),
        ("- age >= 18", "- {use: usual_comorbidity}", 12, "unknown fragment 'usual_comorbidity'; did you mean"),
        ("- age >= 18", "- {use: ckd_at_risk, with: {day: 1}}", 12, "unknown parameter of ckd_at_risk 'day'"),
    ],
)  # fmt: skip
def test_an_error_names_file_line_value_and_what_is_allowed(
    tmp_path: Path, right: str, wrong: str, line: int, says: str
) -> None:
    assert right in PAYER
    path = write(tmp_path, PAYER.replace(right, wrong, 1))
    with pytest.raises(Invalid) as caught:
        load_catalog(tmp_path)
    assert str(caught.value).startswith(f"{path}:{line}: "), caught.value
    assert says in str(caught.value)


def test_the_unbroken_payer_loads(tmp_path: Path) -> None:
    write(tmp_path, PAYER)
    assert "TEST-PLAN-OZEMPIC" in load_catalog(tmp_path).policies


def test_the_days_in_which_an_approval_is_renewed_are_the_payer_s_and_printed(tmp_path: Path) -> None:
    write(tmp_path, PAYER.replace('version: "1"', 'version: "1", renewal_gap_days: 60'))
    catalog = load_catalog(tmp_path)
    text = catalog.policies["TEST-PLAN-OZEMPIC"].text
    assert catalog.plans["TEST-PLAN"].renewal_gap_days == 60 and "no more than 60 days before" in text


def test_a_rule_may_be_as_short_as_a_payer_leaves_it(tmp_path: Path) -> None:
    short = PAYER.replace("    renewal: [attested: adherent]\n", "").replace(
        "Appeal within 180 days.", "Appeal."
    )
    write(tmp_path, short)
    texts = [clause.text for clause in load_catalog(tmp_path).policies["TEST-PLAN-OZEMPIC"].clauses]
    assert "A renewal is decided by the coverage criteria." in texts
    assert "There are no exclusions beyond the criteria above." in texts


def test_a_file_that_nobody_would_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "drug.yaml").write_text("{}")
    with pytest.raises(Invalid, match=r"drug.yaml: the catalog has no such file \(allowed: drugs.yaml"):
        load_catalog(tmp_path)


def test_a_missing_folder_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no catalog folder"):
        load_catalog(tmp_path / "none")


# --- pa catalog ------------------------------------------------------------------------------------------


def run(*words: str) -> str:
    result = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


@pytest.mark.slow
def test_check_shows_the_overlays_rule_as_its_policy_prints_it() -> None:
    shown = run("check", "--catalog", str(EXAMPLE))
    assert "hemoglobin A1c (HbA1c) is strictly greater than 7.2 %" in shown
    assert "CASCADE-GOLD" not in shown


@pytest.mark.slow
def test_check_says_everything_to_a_machine() -> None:
    said = json.loads(run("check", "--json"))
    assert said["ok"] and len(said["plans"]) == 10
    ozempic = next(p for p in said["plans"] if p["plan_id"] == "CASCADE-GOLD")["drugs"]["Ozempic"]
    assert ozempic["rules"][0]["criteria"][0]["quote"] == "The member is 18 years of age or older."


def test_show_takes_names_in_any_case_and_suggests_what_is_near() -> None:
    assert "Ozempic is covered for type 2 diabetes" in run("show", "cascade-gold", "ozempic")
    with pytest.raises(NotFound, match="did you mean Ozempic"):
        CliRunner().invoke(app, ["show", "CASCADE-GOLD", "Ozempik"], catch_exceptions=False)


# --- the manual ------------------------------------------------------------------------------------------


def test_every_criterion_of_the_manual_can_be_read() -> None:
    manual = (CATALOG / "README.md").read_text()
    rows = [line.split(" | ")[0] for line in manual.splitlines() if line.startswith("| `")]
    written = [
        text
        for row in rows
        for text in re.findall(r"`([^`]+)`", row)
        if "…" not in text and ".yaml" not in text
    ]
    fragments = as_map(read_yaml(CATALOG / "fragments.yaml"), Place("", 1), "fragments")
    reader = Reader(fragments)
    for text in written:
        items = parse_yaml(f"- {text}", "README.md")
        assert reader.nodes(items, items.place), text
    assert len(written) >= 20


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_the_list_shows_every_cell_whole_however_narrow(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    shown = CliRunner().invoke(app, ["list"], catch_exceptions=False).output
    assert shown.count(" PA") == 2 + len(  # legend and foot name it too
        [b for p in our_catalog().plans.values() for b in p.benefits.values() if b.pa_required]
    )
    assert all(name in shown for name in (*our_catalog().drugs, *our_catalog().plans))
    assert "85 of 100 cells covered" in shown
    assert max(map(len, shown.splitlines()[:-1])) <= columns and "…" not in shown
