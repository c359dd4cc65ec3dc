"""Loading a world as the generator prints it, its ten house styles of policies included."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from data_gen.world import Order, generate
from tools.common.errors import Invalid, Refused
from tools.domain.records import Plan
from tools.domain.rules import Lab
from tools.store import Store
from tools.store.load import load
from tools.store.validation import parts


@pytest.fixture(autouse=True)
def documents_are_records() -> None:
    """Not here: these documents are printed ones."""


@pytest.fixture
def printed(tmp_path: Path) -> Path:
    generate(Order(count=20, out=tmp_path / "printed"))
    return tmp_path / "printed"


def policy_file(folder: Path) -> Path:
    return folder / "policies" / "cascade-gold-ozempic.txt"


def test_every_policy_reads_back_with_the_clauses_that_its_plans_quote(store: Store, printed: Path) -> None:
    report = load(store, printed)
    assert (report.patients, report.plans, report.drugs) == (20, 10, 10)
    needed = {(p.id, b.drug) for p in store.plans() for b in p.benefits.values() if b.pa_required}
    assert needed == {(policy.plan_id, policy.drug) for policy in store.policies()}


def test_a_policy_that_is_cut_short_is_named(store: Store, printed: Path) -> None:
    file = policy_file(printed)
    file.write_text(file.read_text()[:-200])
    with pytest.raises(Invalid, match=r"policies/cascade-gold-ozempic\.txt:\d+: "):
        load(store, printed)
    assert store.count_patients() == 0


def hba1c_clause(folder: Path) -> str:
    """What CASCADE-GOLD's rule for Ozempic quotes about HbA1c, a threshold in it."""
    plans = msgspec.json.decode((folder / "plans.json").read_bytes(), type=list[Plan])
    benefit = next(plan for plan in plans if plan.id == "CASCADE-GOLD").benefits["Ozempic"]
    return next(
        part.quote for part in parts(benefit.rules[0]) if isinstance(part, Lab) and part.test == "hba1c"
    )


def test_a_threshold_that_only_the_policy_changed_is_found_out(store: Store, printed: Path) -> None:
    quote = hba1c_clause(printed)
    file = policy_file(printed)
    file.write_text(file.read_text().replace(quote, re.sub(r"\d\.\d", "9.9", quote)))
    with pytest.raises(
        Invalid, match=r"plans\.json:\d+: plan CASCADE-GOLD: benefits\.Ozempic: .*does not say"
    ):
        load(store, printed, trust=True)


def test_a_threshold_that_only_the_plan_changed_is_found_out(store: Store, printed: Path) -> None:
    quote = hba1c_clause(printed)
    file = printed / "plans.json"
    file.write_text(file.read_text().replace(quote, re.sub(r"\d\.\d", "9.9", quote)))
    with pytest.raises(Invalid, match=r"plans\.json:\d+: plan CASCADE-GOLD.*does not say .*9\.9"):
        load(store, printed, trust=True)


def test_a_word_that_was_changed_in_the_opening_of_a_policy_needs_trust(store: Store, printed: Path) -> None:
    file = policy_file(printed)
    file.write_text(file.read_text().replace("This policy says when", "This paper says when"))
    with pytest.raises(Refused, match=r"policies/cascade-gold-ozempic\.txt.*--trust"):
        load(store, printed)
    assert load(store, printed, trust=True).trusted == ("policies/cascade-gold-ozempic.txt",)


def test_a_chart_is_kept_as_it_was_printed(store: Store, printed: Path) -> None:
    load(store, printed)
    for whole in msgspec.json.decode((printed / "patients.json").read_bytes()):
        kept = msgspec.json.decode(msgspec.json.encode(store.patient(whole["id"])))
        assert {key: value for key, value in whole.items() if value} == {
            key: kept[key] for key in whole if whole[key]
        }
