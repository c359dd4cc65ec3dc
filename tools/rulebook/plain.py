"""A node in our own words: short and exact, for findings, screens and plan tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

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
    Node,
    NoneOf,
    OnDrug,
    Part,
    Period,
    Programme,
    Required,
    Specialist,
    Taking,
    Trial,
    Use,
    window_of,
)
from tools.messages import Message, message, render
from tools.rulebook.wording import uses_label
from tools.terminology.observations import TESTS

_RESPONSES = {"inadequate", "partial", "effective"}


def describe(node: Part) -> str:
    """One line, e.g. "HbA1c ≥ 7.0 % within 90 days"; a composite names all its parts."""
    return render(criterion(node))


def asks(node: Part) -> Message | None:
    """What a criterion or document asks for; None for one that its rule words itself."""
    told = criterion(node)
    return told if node.text in ("", render(told)) else None


def criterion(node: Part) -> Message:
    """The same as a message, whatever the rule's own words are."""
    return _SAY[type(node)](node)


def _condition(leaf: Condition) -> Message:
    whose = None if leaf.who == ("self",) else "whose.both" if "self" in leaf.who else "whose.family"
    return message(
        "criterion.condition",
        condition=leaf.label,
        whose=whose,
        ever=whose is None and leaf.status == "ever" and "prior" not in leaf.label,
        degree=None if leaf.degree is None else f"degree.{leaf.degree}",
        least=_span(leaf.min_duration),
        window=_span(leaf.within),
    )


def _lab(leaf: Lab) -> Message:
    baseline = leaf.at == "baseline"
    return message(
        "criterion.lab",
        test=leaf.test,
        op=leaf.op,
        value=leaf.value,
        reading=leaf.reading if leaf.reading != "newest" else None,
        baseline=baseline,
        readings=leaf.readings if leaf.readings > 1 else None,
        window=_span(leaf.within),
        before=baseline and leaf.within is not None,
        least=_span(leaf.after.least) if leaf.after is not None else None,
        drug=leaf.after.label if leaf.after is not None else None,
    )


def _trial(leaf: Trial) -> Message:
    """With how its days are counted, where that is not as usual."""
    return message(
        "criterion.trial",
        drug=leaf.label,
        formulation=leaf.formulation,
        days=leaf.min_days or None,
        tried=not leaf.min_days,
        dose=leaf.min_daily_dose,
        responses=leaf.responses,
        response=bool(leaf.responses) and set(leaf.responses) <= _RESPONSES,
        window=_span(window_of(leaf)),
        together=leaf.together,
        sum=leaf.sum,
        fills=leaf.min_fills or None,
        adherence=leaf.adherence,
        continuous=leaf.continuous,
        carry_over=leaf.carry_over,
        gap=leaf.gap_days if leaf.gap_days != 1 else None,
        proof=leaf.proof == "fills",
    )


def _doses(leaf: Taking | Use) -> Message | None:
    low, high = leaf.min_dose, leaf.max_dose
    if low is None and high is None:
        return None
    return message("criterion.doses", low=low, high=high, both=low is not None and high is not None)


def _programme(leaf: Programme) -> Message:
    return message(
        "criterion.program",
        programme=leaf.programme,
        least=_span(leaf.min_duration),
        window=_span(leaf.within),
        sessions=leaf.min_sessions or None,
        ongoing=leaf.ongoing,
    )


def _specialist(leaf: Specialist) -> Message:
    return message(
        "criterion.specialist",
        specialties=leaf.specialties,
        prescriber=leaf.prescriber,
        window=_span(leaf.within),
    )


def _change(leaf: Change) -> Message:
    sizes = [message("size.percent", percent=leaf.percent)] if leaf.percent is not None else []
    if leaf.amount is not None and TESTS[leaf.test].unit == "%":
        sizes.append(message("size.point" if leaf.amount == 1 else "size.points", points=leaf.amount))
    elif leaf.amount is not None:
        sizes.append(message("value", value=leaf.amount, test=leaf.test))
    return message(
        "criterion.change",
        test=leaf.test,
        direction=leaf.direction,
        sizes=tuple(sizes),
        since="from.start" if leaf.since == "start" else "from.renewal",
        window=_span(leaf.within),
    )


def _use(leaf: Use) -> Message:
    uses = leaf.uses if leaf.label == uses_label(leaf.uses) else (leaf.label,)
    return message("criterion.use", uses=uses, doses=_doses(leaf))


def _required(part: Required) -> Message:
    of_a_vital = part.of == "lab" and part.test and TESTS[part.test].kind == "vital"
    return message(
        "criterion.document",
        kind="paper.record" if of_a_vital else f"paper.{part.of}",
        test=part.test or None,
        drugs=part.drugs,
        window=_span(part.within),
    )


def _span(period: Period | None) -> Message | None:
    return message("period", count=period.count, unit=period.unit) if period is not None else None


def _of_all(code: str) -> Callable[[Any], Message]:
    return lambda node: message(code, criteria=_each(node.children))


def _each(children: Sequence[Node]) -> tuple[Message, ...]:
    return tuple([criterion(child) for child in children])


_SAY: dict[type, Callable[[Any], Message]] = {
    AllOf: _of_all("criterion.all_of"),
    AnyOf: _of_all("criterion.any_of"),
    NoneOf: _of_all("criterion.none_of"),
    AtLeast: lambda node: message("criterion.at_least", count=node.k, criteria=_each(node.children)),
    Age: lambda leaf: message("criterion.age", op=leaf.op, years=leaf.years),
    Condition: _condition,
    Lab: _lab,
    Measured: lambda leaf: message("criterion.measured", tests=leaf.tests, window=_span(leaf.within)),
    Trial: _trial,
    Intolerance: lambda leaf: message("criterion.intolerance", drug=leaf.label, formulation=leaf.formulation),
    AllergyTo: lambda leaf: message("criterion.allergy", drug=leaf.label),
    Taking: lambda leaf: message(
        "criterion.taking", drug=leaf.label, doses=_doses(leaf), days=leaf.min_days or None
    ),
    OnDrug: lambda leaf: message("criterion.on_drug", months=leaf.min_months, dose=leaf.min_dose),
    Programme: _programme,
    Attested: lambda leaf: message("criterion.attested", statement=leaf.statement, window=_span(leaf.within)),
    Specialist: _specialist,
    Change: _change,
    Use: _use,
    Required: _required,
}
