"""The steps that a strategy is made of, each with why, by when, what it needs and what it takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tools.appeals.assessment import last_supply, told
from tools.appeals.levels import text_of, texts
from tools.appeals.records import Ground, Step, StepKind, Weighed
from tools.appeals.timing import clock_for, decides_within, request_takes
from tools.denials.records import Denial
from tools.domain.records import Alternative, Finding, Record
from tools.engine.eligibility import plans_on
from tools.lifecycle.levels import Level, levels_of
from tools.lifecycle.running import Clock, ClockKind
from tools.papers.case import Case
from tools.papers.environment import templates
from tools.papers.formats import amount, number
from tools.terminology.terms import INDICATIONS

if TYPE_CHECKING:
    from jinja2 import Template


class Matter(NamedTuple):
    """A case and the letter about it. `level` is where an appeal would go."""

    case: Case
    denial: Denial
    clocks: tuple[Clock, ...]
    decided: str
    reasons: tuple[Weighed, ...]
    level: Level | None


_OF_CLOCK = ("terms", "days_left", "late", "possible")


class _Words(Record, frozen=True):
    """One entry of steps.yaml, which explains its keys."""

    what: str
    why: str
    needs: str = ""
    takes: str = ""


@cache
def _words() -> dict[str, _Words]:
    return msgspec.yaml.decode(Path(__file__).with_name("steps.yaml").read_bytes(), type=dict[str, _Words])


@cache
def _template(text: str) -> Template:
    return templates().from_string(text)


def _step(
    matter: Matter,
    name: str,
    kind: StepKind,
    clock: Clock | None = None,
    *,
    ready: bool = True,
    given: Mapping[str, Any] | None = None,
    **also: Any,
) -> Step:
    """The step of this name in words.

    Args:
        clock: by which it must be done.
        given: what its words name beside what all may.
        also: further fields of the step.
    """
    plan, drug = matter.case.plan, matter.case.drug.name
    common = {"case": matter.case, "plan": plan, "payer": plan.payer, "drug": drug, "ready": ready}
    known = {**common, **(given or {})}
    words = msgspec.structs.asdict(_words()[name])
    said: dict[str, Any] = {part: _template(text).render(known).strip() for part, text in words.items()}
    needs = tuple(filter(None, map(str.strip, said.pop("needs").split("\n"))))
    if clock is not None:
        said |= {"by": clock.due} | {part: getattr(clock, part) for part in _OF_CLOCK}
    return Step(kind=kind, ready=ready, needs=needs, **said, **also)


def pending(matter: Matter, level: str) -> Step:
    """An appeal is filed: until it is decided there is nothing to file, and what comes in goes to the same file."""
    case = matter.case
    levels = levels_of(case.plan.line_of_business, case.plan.internal_levels)
    name = next((one.name for one in levels if one.key == level), level.replace("_", " "))
    given = {"name": name, "takes": decides_within(case.plan, level)}
    return _step(matter, "pending", "wait", _clock(matter, "decision"), given=given, level=level)


# --- nothing to argue ------------------------------------------------------------------------------------


def nothing(matter: Matter) -> Step:
    return _step(matter, "nothing", "none", ready=False)


def clarify(matter: Matter) -> Step:
    return _step(matter, "clarify", "clarify", _filing(matter))


def stop(matter: Matter, hard: bool) -> Step:
    """Do not appeal; what would have to change first."""
    found = matter.case.determination
    failing = [f for f in found.findings if f.status == "not_met" and (f.exclusion or not hard)]
    given = {
        "found": found, "hard": hard, "failing": failing, "fixes": _fixes(failing),
        "shown": "; ".join(map(told, failing)) or found.summary.rstrip("."),
    }  # fmt: skip
    return _step(matter, "stop", "stop", given=given)


def wait(matter: Matter) -> Step:
    shown = "; ".join(r.why for r in matter.reasons if r.code == "refill_too_soon")
    return _step(matter, "wait", "wait", given={"shown": shown}, by=last_supply(matter.case))


def right_plan(matter: Matter) -> Step:
    plans = plans_on(matter.case.patient, matter.case.as_of)
    return _step(matter, "right_plan", "correct", given={"plans": plans})


def switch(matter: Matter, options: Sequence[Alternative]) -> Step:
    """The covered drugs that this patient meets today, the best tier first."""
    first = options[0]
    given = {
        "options": options, "first": first, "easy": first.outcome == "not_required",
        "use": INDICATIONS.get(first.indication, first.indication), "takes": request_takes(matter.case.plan),
    }  # fmt: skip
    return _step(matter, "switch", "switch", given=given, drug=first.drug)


# --- evidence, answers, requests -------------------------------------------------------------------------


def unknown(matter: Matter) -> list[Finding]:
    """All that the determination leaves open."""
    return [f for f in matter.case.determination.findings if f.status == "unknown"]


def gather(matter: Matter, wanting: Iterable[Finding]) -> Step:
    open_ones = list({f.criterion: f for f in wanting}.values())
    unclear = [r.why for r in matter.reasons if r.standing == "open" and not r.findings]
    given = {"fixes": _fixes(open_ones), "shown": "; ".join([*map(told, open_ones), *unclear])}
    return _step(matter, "gather", "gather", _soonest(matter), given=given)


def answer(matter: Matter, ready: bool) -> Step:
    given = {"papers": _papers(matter), "takes": request_takes(matter.case.plan)}
    return _step(matter, "answer", "answer", _clock(matter, "answer"), ready=ready, given=given)


def resubmit(matter: Matter, ready: bool, late: Step | None = None) -> Step:
    """A new request; `late` is the appeal that can no longer be filed."""
    given = {"late": late, "papers": _papers(matter), "takes": request_takes(matter.case.plan)}
    if late is not None:
        return _step(matter, "resubmit", "resubmit", ready=ready, given=given, possible=late.possible)
    return _step(matter, "resubmit", "resubmit", _filing(matter), ready=ready, given=given)


def _fixes(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f.fix for f in findings if f.fix))


def _papers(matter: Matter) -> tuple[str, ...]:
    found = [f for f in matter.case.determination.findings if f.criterion in matter.case.papers]
    return tuple(f.text if f.status == "met" else f"{f.text} (not on file)" for f in found)


# --- errors ----------------------------------------------------------------------------------------------


def misread(case: Case, denial: Denial) -> Iterator[str]:
    """What the letter says of the request otherwise than the order does."""
    asked, name = case.request, case.drug.name.casefold()
    for read in (drug for drug in denial.drugs if drug.name.casefold() == name):
        if read.quantity and asked.quantity and read.quantity != asked.quantity:
            yield f"{number(read.quantity)} and not {amount(asked.quantity, asked.unit or case.drug.unit)}"
        if read.strength and asked.strength and _bare(read.strength) != _bare(asked.strength):
            yield f"{read.strength} and not {asked.strength}"


def _bare(text: str) -> str:
    return "".join(text.split()).casefold()


def call_to_correct(matter: Matter, refuted: Iterable[Weighed]) -> Step:
    """The payer's error, which it can see in its own files."""
    return _step(matter, "call_to_correct", "correct", _filing(matter), given={"shown": _whys(refuted)})


def _whys(reasons: Iterable[Weighed]) -> str:
    return "; ".join(dict.fromkeys(reason.why for reason in reasons))


def correct_order(matter: Matter) -> Step:
    over = next(f for f in matter.case.determination.findings if f.criterion == "quantity")
    given = {"over": over, "takes": request_takes(matter.case.plan)}
    return _step(matter, "correct_order", "correct", given=given)


def exception(matter: Matter, kind: StepKind, grounds: Sequence[Ground] = ()) -> Step:
    """An exception to a step, the formulary or a quantity limit, with the grounds that the chart shows."""
    shown = "; ".join(ground.text for ground in grounds)
    given = {"shown": shown, "takes": request_takes(matter.case.plan, exception=True)}
    return _step(matter, kind, kind, _filing(matter), ready=bool(grounds), given=given)


# --- peer-to-peer and appeal -----------------------------------------------------------------------------


def peer_to_peer(matter: Matter, clinical: Sequence[Weighed], ready: bool = True) -> Step | None:
    """A call between physicians, where the plan or the letter offers one and its time is not over. It is not `ready` as
    long as the record leaves a reason open, but its last day comes all the same."""
    clock = _clock(matter, "peer_to_peer")
    offered = clock is not None or any(right.kind == "peer_to_peer" for right in matter.denial.rights)
    if not offered or (clock and clock.late):
        return None
    if not ready and (clock is None or all(term.source != "letter" for term in clock.terms)):
        return None  # this letter names no last day, and a call goes better with the evidence in hand
    given = {"shown": "; ".join(reason.why for reason in clinical)}
    return _step(matter, "peer_to_peer", "peer_to_peer", clock, ready=ready, given=given)


def appeal(matter: Matter, ready: bool) -> Step:
    case, level = matter.case, matter.level
    if level is None:
        return _step(matter, "last_level", "stop")
    given = {
        "level": level, "text": text_of(case.plan.line_of_business, level.key), "hardship": texts().hardship,
        "who": case.plan.payer if level.decided_by == "the plan" else level.decided_by,
        "shown": _whys(r for r in matter.reasons if r.standing == "refuted"),
        "takes": decides_within(case.plan, level.key),
    }  # fmt: skip
    kind: StepKind = "external_review" if level.key == "external" else "appeal"
    return _step(matter, "appeal", kind, _filing(matter), ready=ready, given=given, level=level.key)


def _clock(matter: Matter, kind: ClockKind) -> Clock | None:
    return next((clock for clock in matter.clocks if clock.kind == kind), None)


def _filing(matter: Matter) -> Clock | None:
    return clock_for(matter.clocks, matter.case.plan, matter.level.key) if matter.level else None


def _soonest(matter: Matter) -> Clock | None:
    """By when evidence is of use first: for the answer or the call that can still be given, else for the filing."""
    ours = [clock for clock in matter.clocks if clock.kind in ("answer", "peer_to_peer") and not clock.late]
    return min(ours, key=lambda clock: clock.due or date.max, default=None) or _filing(matter)
