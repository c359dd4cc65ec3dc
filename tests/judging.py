"""Criteria and charts as people write them, and what the engine answers: most claims about criteria are made so."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any, NamedTuple

import msgspec
import pytest

from tools.charts.chartfile import read_chart
from tools.domain.records import Finding, Patient, Request
from tools.domain.rules import Node
from tools.engine.criteria import evaluate
from tools.evidence.context import EvaluationContext
from tools.rulebook.located import Place, parse_yaml
from tools.rulebook.rule_yaml import Reader

AS_OF = date(2026, 9, 1)
OZEMPIC = Request(drug="Ozempic", ingredients=("semaglutide",), classes=("glp1",))
_PLACE = Place("rule.yaml", 1)
_DAYS = re.compile(r"(?P<before>[ :])-(?P<ago>-?\d+)d\b")


def day(ago: int) -> date:
    return AS_OF - timedelta(days=ago)


def dated(text: str) -> str:
    """The text with each `-90d` as the day that was so many days ago."""
    return _DAYS.sub(lambda found: f"{found['before']}{day(int(found['ago']))}", text)


def criterion(text: str) -> Any:
    """The criterion as it is written in a catalog."""
    written = parse_yaml(text, "rule.yaml")
    return Reader().node(written, getattr(written, "place", _PLACE))


def chart(text: str) -> Patient:
    """The chart as a case file writes it, with `-90d` for a day that was so many days ago; of a woman who is 56
    tomorrow, unless it says otherwise."""
    born = "" if "born:" in text else "born: 1970-09-02, "
    sex = "" if "sex:" in text else "sex: female, "
    return read_chart(parse_yaml(f"{{{born}{sex}{dated(text)}}}", "case.yaml"), AS_OF).patient


def found(node: Node | str, on: str | Patient = "", *, exclude: bool = False, **request: Any) -> Finding:
    """The finding of a criterion, or with `exclude` of an exclusion, on a chart, for a request of Ozempic."""
    asked = msgspec.structs.replace(OZEMPIC, **request)
    judged = criterion(node) if isinstance(node, str) else node
    patient = chart(on) if isinstance(on, str) else on
    context = EvaluationContext(patient, asked, AS_OF, asked.therapy_start)
    return evaluate(judged, context, exclude=exclude)


def status(node: Node | str, on: str | Patient = "", **request: Any) -> str:
    return found(node, on, **request).status


class Claim(NamedTuple):
    """What a criterion answers on a chart: its status, and the reason if it is unknown; `words` stand in what is said
    of it, `evidence` are the records that it shows."""

    claim: str
    criterion: Node | str
    chart: str
    answer: str
    words: str = ""
    evidence: frozenset[str] = frozenset()
    start: date | None = None

    def holds(self, *, exclude: bool = False) -> None:
        finding = found(self.criterion, self.chart, exclude=exclude, therapy_start=self.start)
        status, _, reason = self.answer.partition(" ")
        assert (finding.status, finding.reason if reason else "") == (status, reason)
        assert self.words in f"{finding.detail} | {finding.fix}"
        if self.evidence:
            assert {item.record_id for item in finding.evidence} == self.evidence


def claims(*listed: Claim) -> Any:
    return pytest.mark.parametrize("claim", listed, ids=[claim.claim for claim in listed])
