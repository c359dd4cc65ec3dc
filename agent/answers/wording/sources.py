"""Where what is said stands: clauses word for word, records, notes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from agent.answers.answer import Source
from agent.answers.wording.findings import deciding_leaf
from agent.answers.wording.slots import SUPPOSED, clause_source
from tools.domain.records import Determination, Evidence, Finding
from tools.terminology.observations import TESTS


def sources(findings: Iterable[Finding], most: int = 12) -> list[Source]:
    """The clauses of these findings and of what decides them, word for word, and the records that they rest on."""
    found: dict[tuple[str, str], Source] = {}
    for finding in (one for top in findings for one in (top, deciding_leaf(top))):
        if finding.clause is not None and finding.clause.quote:
            where = clause_source(finding)
            found.setdefault((where, ""), Source(source=where, quote=finding.clause.quote))
        for item in finding.evidence:
            if item.value is None or item.record_id in _NO_RECORDS or item.record_id.startswith(SUPPOSED):
                continue
            where = f"chart {item.record_id}"
            kind: Literal["chart", "note"] = "note" if item.kind == "note" else "chart"
            found.setdefault((where, item.kind), Source(source=where, quote=_record(item), kind=kind))
    return [*found.values()][:most]


_NO_RECORDS = ("request", "medications", "conditions", "allergies")


def _record(item: Evidence) -> str:
    name = TESTS[item.kind].name if item.kind in TESTS else item.kind.replace("_", " ")
    told = f"{name} {item.value} {item.unit or ''}".strip()
    return f"{told}, {item.date}" if item.date and str(item.date) not in told else told


def note_sources(found: Determination) -> list[Source]:
    """The words of notes that leads quote."""
    return [Source(source=f"chart {lead.document}", quote=lead.quote, kind="note") for lead in found.leads]
