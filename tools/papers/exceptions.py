"""Exceptions that a request asks of the plan: to a quantity limit, a step, the formulary or a tier. What stands in the
way, what the chart shows against it, and what the prescriber has to say for it (exceptions.yaml)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import msgspec

from tools.appeals.assessment import excluded_by_benefit
from tools.appeals.grounds import against_drug, covered_for_use, step_grounds, unmet_steps
from tools.appeals.reason_findings import leaves
from tools.appeals.records import Ground
from tools.domain.records import ClauseRef, ExceptionKind, Finding, Record
from tools.domain.rules import Trial
from tools.papers import formats
from tools.papers.case import Case
from tools.papers.form_sources import EXCEPTED

STATES_NOTHING = (
    "the statement supports an exception, and this request asks for none: name the exception, or leave it out"
)


class ExceptionText(Record, frozen=True, kw_only=True):
    """One entry of exceptions.yaml, which explains its keys."""

    name: str
    barrier: str
    ask: str
    why: str
    rules: dict[str, str] = {}


class ExpeditedText(Record, frozen=True, kw_only=True):
    """The certification of an expedited review."""

    certifies: str
    rules: dict[str, str] = {}


class _Texts(msgspec.Struct, frozen=True):
    exceptions: dict[ExceptionKind, ExceptionText]
    expedited: ExpeditedText


class Barrier(Record, frozen=True, kw_only=True):
    """One thing of the plan's that stands in the way: in the plan's words, and what the request is beside it."""

    rule: str
    found: str = ""
    clause: ClauseRef | None = None
    records: tuple[str, ...] = ()


class ExceptionAsked(Record, frozen=True, kw_only=True):
    """An exception with what it is made to and what speaks for it. `unanswered` are the drugs against which the chart
    shows nothing."""

    kind: ExceptionKind
    barriers: tuple[Barrier, ...]
    grounds: tuple[Ground, ...] = ()
    unanswered: tuple[str, ...] = ()
    statement: str = ""

    @property
    def text(self) -> ExceptionText:
        return texts().exceptions[self.kind]

    @property
    def complete(self) -> bool:
        """Is it said why? By the prescriber, or by the chart against every drug that is to come first."""
        return bool(self.statement) or (bool(self.grounds) and not self.unanswered)


@lru_cache(maxsize=1)
def texts() -> _Texts:
    """All of exceptions.yaml."""
    return msgspec.yaml.decode(Path(__file__).with_name("exceptions.yaml").read_bytes(), type=_Texts)


def rules_of(line: str) -> tuple[str, ...]:
    """The rules that letters of this line of business may cite."""
    found = texts()
    cited = [*(text.rules for text in found.exceptions.values()), found.expedited.rules]
    return tuple(rules[line] for rules in cited if line in rules)


def exceptions_of(case: Case) -> tuple[ExceptionAsked, ...]:
    """The exceptions that this request needs, as its determination calls for them, and the one that was asked for."""
    asked = case.request.exception
    kinds = dict.fromkeys((*([asked] if asked else ()), *_called_for(case)))
    return tuple(_MADE[kind](case) for kind in kinds)


def _called_for(case: Case) -> Iterator[ExceptionKind]:
    """Those that would leave nothing else failing."""
    if case.determination.outcome not in EXCEPTED or case.determination.stopped_by == "exclusion":
        return
    steps = unmet_steps(case)
    others = [f for f in case.determination.findings if f.status == "not_met" and f not in steps]
    if any(f.criterion != "quantity" for f in others):
        return
    if steps:
        yield "step_therapy"
    if others:
        yield "quantity_limit"


def excepted(case: Case) -> frozenset[str]:
    """The criteria that the exceptions are made to."""
    kinds = {one.kind for one in exceptions_of(case)}
    criteria = {f.criterion for f in unmet_steps(case)} if "step_therapy" in kinds else set()
    return frozenset(criteria | ({"quantity"} if "quantity_limit" in kinds else set()))


def in_order(case: Case) -> bool:
    """May this go out, as what it is? Ready by the rule; or all that is not met is excepted, and it is said why."""
    found = case.determination
    asked = exceptions_of(case)
    if not all(one.complete for one in asked):
        return False
    if found.outcome == "ready" or not asked:
        return found.outcome == "ready"
    open_ones = {f.criterion for f in found.findings if f.status != "met"}
    return open_ones <= excepted(case) and refusal(case) == ""


def refusal(case: Case) -> str:
    """Why the exception that was asked for cannot be had, or a statement supports none; "" if nothing is wrong."""
    kind, plan, drug = case.request.exception, case.plan, case.drug.name
    found = case.determination
    if kind is None:
        return STATES_NOTHING if case.request.statement and not exceptions_of(case) else ""
    if kind == "formulary":
        if found.outcome != "not_covered":
            return f"{plan.id} lists {drug}: no formulary exception is needed"
        if excluded_by_benefit(case.benefit, case):
            return f"{drug} is no benefit of {plan.id} for this use, so that no exception can be had"
        return "" if case.indication else f"name the use of {drug} that it is for, e.g. --indication t2dm"
    if kind == "tier":
        if found.outcome in ("not_covered", "wrong_plan"):
            return f"{plan.id} does not cover {drug}: it has no tier to except it from"
        return "" if _lower(case) else f"{plan.id} lists no drug for this use in a lower tier than {drug}"
    is_step = kind == "step_therapy"
    what = "step that is not met" if is_step else "quantity limit that is exceeded"
    stands = unmet_steps(case) if is_step else _over(case)
    return "" if stands else f"the request meets no {what}: no such exception is needed"


# --- each kind -------------------------------------------------------------------------------------------


def _quantity(case: Case) -> ExceptionAsked:
    barriers = tuple(map(_barrier, _over(case)))
    return ExceptionAsked(kind="quantity_limit", barriers=barriers, statement=case.request.statement)


def _over(case: Case) -> list[Finding]:
    return [f for f in case.determination.findings if f.criterion == "quantity" and f.status == "not_met"]


def _barrier(finding: Finding) -> Barrier:
    records = tuple(e.record_id for e in finding.evidence)
    return Barrier(rule=finding.text, found=finding.detail, clause=finding.clause, records=records)


def _step(case: Case) -> ExceptionAsked:
    """A step of several drugs is answered where the chart answers each; one of a class, where it answers any."""
    unmet = unmet_steps(case)
    trials = [part for f in unmet for part in _trials(f, case)]
    grounds = step_grounds(unmet, case)
    stable = any(ground.kind == "stable" for ground in grounds)
    return ExceptionAsked(
        kind="step_therapy",
        barriers=tuple(map(_barrier, trials)),
        grounds=grounds,
        unanswered=() if stable else tuple(dict.fromkeys(_not_answered(unmet, case))),
        statement=case.request.statement,
    )


def _trials(finding: Finding, case: Case) -> Iterator[Finding]:
    """The trials in it that are not met."""
    if isinstance(case.nodes.get(finding.criterion), Trial):
        yield finding
    for part in finding.parts:
        if part.status == "not_met":
            yield from _trials(part, case)


def _not_answered(unmet: Iterable[Finding], case: Case) -> Iterator[str]:
    for trial in (part for finding in unmet for part in _trials(finding, case)):
        grounds = step_grounds([trial], case)
        for leaf in leaves(case.nodes.get(trial.criterion)):
            if isinstance(leaf, Trial) and not grounds:
                yield leaf.label
            elif isinstance(leaf, Trial):
                yield from (name for name in leaf.drugs if not against_drug(name, case))


def _formulary(case: Case) -> ExceptionAsked:
    why = case.benefit.reason if case.benefit else ""
    rule = f"{case.plan.name} does not list {case.drug.name}" + (f": {why}" if why else "")
    return _against(case, "formulary", rule, covered_for_use(case))


def _tier(case: Case) -> ExceptionAsked:
    tier = case.benefit.tier if case.benefit else None
    rule = f"{case.plan.name} lists {case.drug.name} in tier {tier}"
    return _against(case, "tier", rule, _lower(case))


def _lower(case: Case) -> tuple[str, ...]:
    """The drugs for the same use in lower tiers."""
    own = case.benefit.tier if case.benefit else None
    tiers = {name: case.plan.benefits[name].tier for name in covered_for_use(case)}
    return tuple(name for name, tier in tiers.items() if own is not None and tier is not None and tier < own)


def _against(case: Case, kind: ExceptionKind, rule: str, others: tuple[str, ...]) -> ExceptionAsked:
    shown = {name: against_drug(name, case) for name in others}
    tiers = {name: case.plan.benefits[name].tier for name in others}
    named = ", ".join(f"{name} (tier {tier})" if tier else name for name, tier in tiers.items())
    beside = f"; for this use it lists {named}" if named else ""
    return ExceptionAsked(
        kind=kind,
        barriers=(Barrier(rule=rule + beside),),
        grounds=tuple(dict.fromkeys(ground for found in shown.values() for ground in found)),
        unanswered=tuple(name for name, found in shown.items() if not found),
        statement=case.request.statement,
    )


_MADE = {"quantity_limit": _quantity, "step_therapy": _step, "formulary": _formulary, "tier": _tier}


# --- in words --------------------------------------------------------------------------------------------


def told(asked: ExceptionAsked) -> str:
    """The exception in a line, for a form: its name, the plan's rule, and what is beyond it."""
    barriers = "; ".join(_told(one) for one in asked.barriers)
    return formats.sentence(f"{asked.text.name}: {barriers}" if barriers else asked.text.name)


def _told(barrier: Barrier) -> str:
    clause = f" (clause {barrier.clause.clause_id})" if barrier.clause else ""
    return f"{barrier.rule}{clause}" + (f": {barrier.found}" if barrier.found else "")


def said_for(asked: ExceptionAsked) -> str:
    """What speaks for it: the prescriber's words, and what the chart shows."""
    shown = [formats.sentence(formats.dates_in(ground.text, formats.long_date)) for ground in asked.grounds]
    parts = [asked.statement, *shown] if asked.complete else []
    return " ".join(f"{part.rstrip('.')}." for part in parts if part)


def certification(case: Case) -> str:
    """The prescriber's certification of an expedited review, with the reason as it was stated."""
    return f"{texts().expedited.certifies}: {case.request.expedited.rstrip('.')}."
