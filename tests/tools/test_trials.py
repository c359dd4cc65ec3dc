"""Claims about how the days of a trial are counted: gaps, fills, drugs in a row and at once."""

from __future__ import annotations

from typing import Any

import pytest

from data_gen.catalog_loader import our_catalog
from tests.judging import Claim, claims, criterion, found
from tools.common.errors import Invalid
from tools.domain.rules import AllOf, AtLeast, Node, Trial
from tools.rulebook.criterion_yaml import read_preferred
from tools.rulebook.located import parse_yaml
from tools.rulebook.rule_yaml import Reader


def trial(*more: str, of: str = "metformin") -> str:
    """A trial of ninety days, and what else its rule says."""
    return f"{{{', '.join([f'trial: {of}', 'days: 90', *more])}}}"


def taken(*courses: str, fills: str = "") -> str:
    """A chart of courses, each from so many days ago to so many (`metformin 200-150`) or going on (`metformin 365-`),
    failed unless it is said what came of it; and of fills of so many days ago, of 30 days unless it is said (`300/80`),
    of the first course's drug."""
    lines = [_course(*one.split(" ", 2)) for one in courses]
    chart = f"medications: [{', '.join(lines)}]"
    return f"{chart}, {filled(courses[0].split(' ')[0], fills)}" if fills else chart


def _course(drug: str, days: str, outcome: str = "inadequate") -> str:
    first, _, last = days.partition("-")
    period = f"-{first}d to -{last}d" if last else f"since -{first}d" if first else ""
    return f"'{drug} {period}, {outcome}'"


def filled(drug: str, fills: str) -> str:
    each = [one.partition("/") for one in fills.split()]
    return f"fills: [{', '.join(f'{chr(39)}{drug} -{day}d, {supply or 30} days{chr(39)}' for day, _, supply in each)}]"


METFORMIN = trial()
BY_FILLS = "proof: fills"
YEAR = "metformin 365-"
SULFONYLUREA = trial(of="any sulfonylurea")
ADDED = trial("sum: true", of="any sulfonylurea")
ADDED_IN_A_ROW = trial("sum: true", "continuous: true", of="any sulfonylurea")
IN_A_ROW = ("glipizide 250-200", "glimepiride 199-154")
APART = ("glipizide 650-600", "glimepiride 199-154")
UNDATED = "medications: ['glipizide -250d to -200d, inadequate', 'glimepiride until -154d, inadequate']"
UNKNOWN = ("glipizide 250-200", "Foozepam 199-154")
BOTH = trial("together: true", of="[metformin, glipizide]")
ANSWERED = trial("together: true", "responses: [inadequate]", of="[metformin, glipizide]")
PARTLY = "metformin 300-100 partial"


def by_fills(*more: str) -> str:
    return trial(BY_FILLS, *more)


@claims(
    *[
        Claim(f"what follows after {gap} days goes on where seven are bridged", trial(f"gap_days: {gap}"),
              taken("metformin 200-150", "metformin 143-100"), answer)
        for gap, answer in ((6, "not_met"), (7, "met"), (8, "met"))
    ],
    *[
        Claim(f"by default the next day is bridged alone: {day}", METFORMIN,
              taken("metformin 200-150", f"metformin {day}-100"), answer)
        for day, answer in ((150, "met"), (149, "met"), (148, "not_met"))
    ],
    Claim("a part that overlaps goes on", METFORMIN, taken("metformin 200-150", "metformin 170-100"), "met"),
    Claim("one inside adds nothing", METFORMIN, taken("metformin 200-100", "metformin 170-150"), "met", "for 100 days"),
    Claim("a gap is not bridged to another drug", trial("gap_days: 30", of="any sulfonylurea"),
          taken("glipizide 200-150", "glimepiride 149-104"), "not_met"),
    *[
        Claim(f"a day that two fills cover counts once, one to come not at all: {fills}",
              by_fills(), taken(YEAR, fills=fills), answer)
        for fills, answer in (("300 270 240", "met"), ("300 275 245", "unknown"), ("300 300 240", "unknown"),
                              ("90 60 29", "unknown"))
    ],
    Claim("supply inside the charted course counts", by_fills(),
          taken("metformin 300-200", fills="310/40 270/70"), "met"),
    Claim("outside it does not", by_fills(), taken("metformin 300-200", fills="315/40 250/70"), "unknown"),
    Claim("what is left is not carried over", by_fills(), taken(YEAR, fills="300 275 250"), "unknown"),
    Claim("unless the rule says so", by_fills("carry_over: true"), taken(YEAR, fills="300 275 250"), "met"),
    *[
        Claim(f"days in a row are broken by a gap longer than {gap}", by_fills("continuous: true", f"gap_days: {gap}"),
              taken(YEAR, fills="300 264 228"), answer)
        for gap, answer in ((1, "unknown"), (6, "unknown"), (7, "met"))
    ],
    Claim("fills of a year are ninety days", by_fills(), taken(YEAR, fills="350 260 170 80"), "met"),
    Claim("and not ninety in a row", by_fills("continuous: true"), taken(YEAR, fills="350 260 170 80"), "unknown",
          "fills cover 30 of 90 days in a row"),
    *[
        Claim(f"adherence is the share of the days of the course: {supply}", trial("adherence: 80"),
              taken("metformin 300-200", fills=f"300/{supply}"), answer)
        for supply, answer in ((80, "met"), (79, "unknown"))
    ],
    Claim("of a course without dates it wants its dates", trial("adherence: 80"),
          taken("metformin - inadequate now", fills="300/90"), "unknown", "start and stop dates"),
    Claim("three fills are three", trial("fills: 3"), taken("metformin 300-200", fills="300 270 240"), "met"),
    Claim("two of one day are one", trial("fills: 3"), taken("metformin 300-200", fills="300 270 270"), "unknown"),
    Claim("fills of another drug of the class do not count", trial(BY_FILLS, of="any sulfonylurea"),
          f"{taken('glipizide 300-200')}, {filled('glimepiride', '300/90')}", "unknown"),
    Claim("fills of its own do", trial(BY_FILLS, of="any sulfonylurea"),
          taken("glipizide 300-200", fills="300/90"), "met"),
    Claim("each drug of a class counts for itself", SULFONYLUREA, taken(*IN_A_ROW), "not_met"),
    Claim("they are added up where the rule says so", ADDED, taken(*IN_A_ROW), "met",
          "glipizide and glimepiride for 95 days", frozenset({"med-1", "med-2"})),
    Claim("also apart", ADDED, taken(*APART), "met"),
    Claim("in a row in a row", ADDED_IN_A_ROW, taken(*IN_A_ROW), "met"),
    Claim("and not apart", ADDED_IN_A_ROW, taken(*APART), "not_met"),
    Claim("a day on two drugs is added once", ADDED, taken("glipizide 250-200", "glimepiride 211-160"), "met"),
    Claim("and is then one too few", ADDED, taken("glipizide 250-200", "glimepiride 211-161"), "not_met"),
    Claim("a course without dates may add what is lacking", ADDED, UNDATED, "unknown"),
    Claim("a medicine that nobody knows may, too", ADDED, taken(*UNKNOWN), "unknown unrecognised"),
    Claim("not where each counts for itself", SULFONYLUREA, taken(*UNKNOWN), "not_met"),
    *[
        Claim(f"together means the same days: {added}", BOTH,
              taken("metformin 300-100", f"glipizide {added}-50"), answer)
        for added, answer in ((190, "met"), (189, "not_met"))
    ],
    Claim("one after the other is not together", BOTH, taken("metformin 300-200", "glipizide 200-50"), "not_met",
          "metformin and glipizide for 0 of 90 days"),
    Claim("what was never taken is named", BOTH, taken("metformin 300-100"), "not_met", "never tried: glipizide"),
    *[
        Claim(f"the response to both is that to the one added last: {last}", ANSWERED,
              taken(PARTLY, f"glipizide 200-100 {last}"), answer)
        for last, answer in (("inadequate", "met"), ("effective", "not_met"), ("", "unknown"))
    ],
)  # fmt: skip
def test_the_days_of_a_trial(claim: Claim) -> None:
    claim.holds()


def test_too_few_days_are_told_and_leave_it_open() -> None:
    finding = found(by_fills(), taken(YEAR, fills="300 260"))
    assert (finding.status, finding.reason) == ("unknown", "missing")
    assert "fills cover 60 of 90 days" in finding.detail
    assert finding.fix == "Document for metformin: more pharmacy fills"
    assert {item.kind for item in finding.evidence} == {"medication", "fill"}
    assert found(by_fills(), taken(YEAR)).fix == "Document for metformin: pharmacy fills"


def test_the_manual_s_words_for_fills_and_drugs_together_are_read() -> None:
    node = criterion(by_fills("continuous: true", "carry_over: true", "fills: 3", "adherence: 80"))
    assert (node.continuous, node.carry_over, node.min_fills, node.adherence) == (True, True, 3, 80.0)
    both = criterion(trial("together: true", of="[metformin, any sglt2]"))
    assert both.label == "metformin and any SGLT2 inhibitor"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("trial: metformin, days: 90, gap_days: -1", r"rule.yaml:1: gap_days: Expected `int` >= 0"),
        ("trial: metformin, days: 90, adherence: 101", "adherence: Expected `float` <= 100"),
        ("trial: [metformin, glipizide], sum: true, together: true", "not both"),
        ("trial: metformin, together: true", "two drugs or classes"),
        ("trial: [metformin, glipizide], together: true, fills: 3", "asked of one drug"),
        ("trial: metformin, continuous: true", "goes with proof: fills or sum"),
        ("trial: metformin, carry_over: true", "goes with proof: fills or adherence"),
    ],
)
def test_what_could_mean_nothing_is_refused(said: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        criterion(f"{{{said}}}")


# --- preferred drugs -------------------------------------------------------------------------------------

PREFERRED = {"glp1": ("Ozempic", "Trulicity", "Victoza"), "sglt2": ("Jardiance",)}


def preferring(text: str, requested: str = "") -> Node:
    given: Any = parse_yaml(text, "own")
    reader = Reader(preferred=PREFERRED)
    reader.requested = our_catalog().drugs[requested] if requested else None
    return reader.node(given, given.place)


def test_so_many_preferred_drugs_each_have_a_trial_of_their_own() -> None:
    node = preferring("{trial: 2 of preferred glp1, days: 60, proof: fills}", "Mounjaro")
    assert isinstance(node, AtLeast)
    trials = [child for child in node.children if isinstance(child, Trial)]
    assert node.k == 2
    assert [trial.drugs for trial in trials] == [("ozempic",), ("trulicity",), ("victoza",)]
    assert {(trial.min_days, trial.proof) for trial in trials} == {(60, "fills")}
    asked = (
        found(preferring("{trial: 2 of preferred glp1, days: 60}", "Mounjaro"), "medications: none").fix or ""
    )
    assert asked.startswith("Two of: try Ozempic for 60 days; try Trulicity for 60 days; ")


def test_the_drug_asked_for_is_none_of_its_own_preferred_ones() -> None:
    node = preferring("{id: both, trial: 2 of preferred same class}", "Ozempic")
    assert isinstance(node, AllOf)
    assert (node.id, [child.id for child in node.children]) == ("both", ["trulicity_trial", "victoza_trial"])
    other = preferring("{trial: 1 of preferred another class}", "Ozempic")
    assert [child.id for child in getattr(other, "children", ())] == ["jardiance_trial"]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("trial: 3 of preferred same class", r"there are 2 \(Trulicity, Victoza\)"),
        ("trial: 0 of preferred glp1", "can not be"),
        ("trial: 1 of preferred glp", "unknown list of preferred drugs 'glp'; did you mean glp1"),
        ("trial: 1 of preferred glp1, label: any", "under its own name"),
    ],
)
def test_a_preferred_list_that_cannot_serve_is_refused(said: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        preferring(f"{{{said}}}", "Ozempic")


@pytest.mark.parametrize(
    ("lists", "why"),
    [
        ("{glp: [Ozempic]}", "unknown drug class 'glp'; did you mean glp1"),
        ("{glp1: [Ozmpic]}", "unknown drug 'Ozmpic'; did you mean Ozempic"),
        ("{glp1: [Januvia]}", "Januvia is not a GLP-1"),
    ],
)
def test_a_plan_s_preferred_drugs_are_checked(lists: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        read_preferred(parse_yaml(f"preferred: {lists}", "own"), our_catalog().drugs)
