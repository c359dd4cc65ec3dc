"""The questions of a drug's rule as a form asks them, each with its finding."""

from __future__ import annotations

import msgspec

from tools.domain.records import Evidence, Finding
from tools.domain.rules import Node
from tools.evidence.measurements import canonical
from tools.papers import formats
from tools.papers.case import Case
from tools.terminology.observations import TESTS
from tools.terminology.terms import INDICATIONS


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One criterion as the payer asks it. `inverted`: yes means that what excludes the drug is present."""

    criterion: str
    text: str
    clause_id: str = ""
    quote: str = ""  # the clause, verbatim
    inverted: bool = False
    finding: Finding | None = None

    @property
    def answer(self) -> str:
        """Yes, No, or nothing where the record does not say."""
        status = self.finding.status if self.finding else "unknown"
        if status == "unknown":
            return ""
        return "Yes" if (status == "met") != self.inverted else "No"

    def shown(self, dates: str, units: str) -> str:
        """The values and dates that the answer rests on; what was set aside is left out."""
        if self.finding is None or self.finding.status == "unknown":
            return ""
        rows = (_evidence(e, dates, units) for e in self.finding.evidence if _counts(e))
        return "; ".join(dict.fromkeys(filter(None, rows)))


def questions(case: Case) -> tuple[Question, ...]:
    """One per criterion and exclusion of the case's rule, in its order; renewal asks the renewal's."""
    if case.rule is None:
        return ()
    request = case.determination.request
    root = case.rule.criteria_of("renewal" if case.renewal else request.kind, len(request.approvals))
    asked = [_question(node, case, False) for node in root.children]  # "are none of these so?": yes is met
    excluded = [_question(node, case, True) for node in case.rule.exclusions]
    return tuple(asked + excluded)


def _question(node: Node, case: Case, inverted: bool) -> Question:
    return Question(
        criterion=node.id,
        text=node.question or f"{node.text.rstrip('.?')}?",
        clause_id=node.clause_id,
        quote=node.quote,
        inverted=inverted,
        finding=case.findings.get(node.id),
    )


def _counts(shown: Evidence) -> bool:
    """A note says why a record was set aside, or what a value was derived from."""
    return not shown.note or shown.note.startswith("from ")


def _evidence(shown: Evidence, dates: str, units: str) -> str:
    day = formats.written(shown.date, dates) if shown.date else ""
    if shown.kind in TESTS and isinstance(shown.value, float | int):
        name, value = TESTS[shown.kind].name, canonical(shown.kind, float(shown.value), shown.unit or "")
        what = "" if value is None else f"{name} {formats.measure(shown.kind, value, units)}"
    elif shown.kind == "use":
        what = f"requested for {INDICATIONS.get(str(shown.value), shown.value)}"
    else:
        what = " ".join(filter(None, (str(shown.value or ""), formats.unit(shown.unit or ""))))
        what = formats.dates_in(what, lambda day: formats.written(day, dates))
    return f"{what} ({day})" if what and day and day not in what else what
