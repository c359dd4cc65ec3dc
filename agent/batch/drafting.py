"""One case of a batch: its determination, its papers, and the line that the summary has of it.

The same pure functions as `pa draft`, without its checkpoints: a case takes a hundredth of a second, so a chunk is
what is begun again. What a case is made from has a digest, by which unchanged work is known.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from agent.batch.checking import BatchRequest
from agent.batch.worklist import Stage, open_points, stage_of
from agent.drafts import papers
from agent.drafts.letter_wording import Reworded, Wording
from agent.drafts.requests import (
    agree,
    clauses_of,
    complete_request,
    fingerprint,
    look_up,
    thread_of,
    why_not,
)
from agent.runtime.dump import plain, to_json
from tools.domain.records import Determination, PARequest
from tools.queries.check import Asked, decide
from tools.store.rows import Draft, DraftFile

if TYPE_CHECKING:
    from agent.models.model import Model
    from tools.store.store import Store

Path_ = Literal["code", "model", "repaired", "fallback"]
PATHS: dict[str, Path_] = {"llm": "model", "repaired": "repaired", "template": "fallback"}
FIT_TO_KEEP = ("code", "model", "repaired")  # a fallback is worth another try
# What makes a case.
MAKES = ("tools/**/*.py", "tools/**/*.json*", "tools/**/*.yaml", "agent/drafts/*.py", "agent/batch/*.py")


class CaseLine(msgspec.Struct, frozen=True, kw_only=True):
    """A case as the summary has it; `files` are its papers by name and SHA-256."""

    row: int
    patient_id: str
    patient: str = ""
    drug: str
    strength: str = ""
    quantity: float | None = None
    days_supply: int | None = None
    kind: str = ""
    urgency: str = "standard"
    plan_id: str = ""
    payer: str = ""
    channel: str = ""
    practice: str = ""  # the prescriber's, who signs it
    as_of: str = ""
    outcome: str = ""
    stage: Stage = "failed"
    ready: bool = False
    summary: str = ""
    open: tuple[str, ...] = ()  # what is missing or not met, each once
    next: tuple[str, ...] = ()
    path: str = ""
    notice: str = ""  # what went wrong with the model, or with the case
    folder: str = ""
    files: dict[str, str] = {}
    alternatives: tuple[str, ...] = ()


class DraftedCase(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a case: its line, and its papers by file name."""

    line: CaseLine
    papers: dict[str, bytes] = {}
    draft: Draft | None = None  # to be reviewed; its files by their names in the case's folder


class Drafter:
    """Drafts cases from one store. What all cases share is digested once, so it lives no longer than a chunk."""

    def __init__(
        self, store: Store, model: Model | None = None, model_digest: str = "", notice: str = ""
    ) -> None:
        self.store, self.model, self.model_digest, self.notice = store, model, model_digest, notice
        self._cells: dict[tuple[str, str], bytes] = {}

    def content(self, wanted: BatchRequest, asked: Asked) -> str:
        """SHA-256 of all that the case is made from: chart, plan with its rules, drugs, form, policy, request, day,
        the code that drafts, and the model with its prompt if one words the letter."""
        digest = hashlib.sha256(self._cell(asked.plan.id, asked.drug.name))
        model = wanted.asking.model and self.model_digest
        told = (asked.request, asked.as_of, wanted.urgency, wanted.asking.force, model)
        for part in (asked.patient, told):
            digest.update(msgspec.json.encode(part, order="deterministic"))
        return digest.hexdigest()

    def look_up(self, wanted: BatchRequest) -> Asked:
        return look_up(self.store, wanted.asking)

    def draft(self, wanted: BatchRequest, asked: Asked, row: int, when: datetime) -> DraftedCase:
        """The case with its papers, as a draft of that moment; without any where a request would be in vain, and then
        with what to do instead."""
        found = decide(self.store, asked)
        policy = self.store.policy(asked.plan.id, asked.drug.name)
        if why_not(asked, found, wanted.asking.force):
            return DraftedCase(line=_line(wanted, asked, row, found, None, Wording()))
        agree(found, clauses_of(policy))
        case = asked.case(found, policy)
        filled = papers.fill_form(self.store, case)
        said = papers.compose(self.store, case, self.model)
        kept = papers.printed(self.store, case, filled, said.letter, apart=False)
        printed = dict(kept.values())
        wording = said.wording
        if wanted.asking.model and self.model is None:
            wording = Wording(model=wanted.asking.model, notice=self.notice)
        line = _line(wanted, asked, row, found, filled, wording)
        printed["case.json"] = _case_json(line, found, filled, wording)
        files = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(printed.items())}
        named = {name: DraftFile(path=file, sha256=files[file]) for name, (file, _) in kept.items()}
        asking, chart = complete_request(asked, wanted.asking), fingerprint(self.store, asked)
        letter = papers.kept_letter(Reworded(said.letter, wording), asking, chart)
        draft = papers.draft_of(case, filled, letter, named, thread=thread_of(asking, chart), when=when)
        return DraftedCase(line=msgspec.structs.replace(line, files=files), papers=printed, draft=draft)

    def _cell(self, plan_id: str, drug: str) -> bytes:
        """What every case of this plan and drug is made from, beside its chart."""
        if (plan_id, drug) not in self._cells:
            parts = (
                self.store.plan(plan_id),
                self._drugs,
                self.store.form(plan_id),
                self.store.policy(plan_id, drug),
                drug,
                code_digest(),
            )
            self._cells[plan_id, drug] = msgspec.json.encode(parts, order="deterministic")
        return self._cells[plan_id, drug]

    @cached_property
    def _drugs(self) -> Any:
        return self.store.drugs()


@cache
def code_digest() -> str:
    """What tells two versions of the code that drafts apart; read once in a process."""
    root = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for file in sorted(file for made in MAKES for file in root.glob(made)):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _line(
    wanted: BatchRequest,
    asked: Asked,
    row: int,
    found: Determination,
    filled: PARequest | None,
    wording: Wording,
) -> CaseLine:
    rules = asked.plan.benefits[asked.drug.name].rules
    rule = next((rule for rule in rules if rule.id == found.rule_id), None)
    doctor, worded = asked.patient.prescriber, filled is not None and wording.model != "offline"
    stage, request = stage_of(found, filled, rule), found.request
    return CaseLine(
        row=row,
        patient_id=asked.patient.id,
        patient=asked.patient.name,
        drug=asked.drug.name,
        strength=request.strength,
        quantity=request.quantity,
        days_supply=request.days_supply,
        kind=request.kind or "",
        urgency=wanted.urgency,
        plan_id=asked.plan.id,
        payer=asked.plan.payer,
        channel=asked.plan.channel,
        practice=(doctor.practice or doctor.name) if doctor else "",
        as_of=asked.as_of.isoformat(),
        outcome=found.outcome,
        stage=stage,
        ready=bool(filled and filled.ready and (filled.expedited or wanted.urgency != "expedited")),
        summary=found.summary,
        open=open_points(found, filled, rule),
        next=_next(found, wanted, stage),
        path=PATHS[wording.path] if worded else "code",
        notice=wording.notice if filled else "",
        alternatives=tuple(other.drug for other in found.alternatives),
    )


def _next(found: Determination, wanted: BatchRequest, stage: Stage) -> tuple[str, ...]:
    steps = found.next_actions
    uncertified = wanted.urgency == "expedited" and not found.request.expedited
    if uncertified and stage in ("ready", "one_away", "clinician"):
        steps = (*steps, "Expedited: the prescriber states on the form why it cannot wait; nobody else can")
    return steps


def _case_json(line: CaseLine, found: Determination, filled: PARequest, wording: Wording) -> bytes:
    case = {name: value for name, value in plain(line).items() if name not in ("row", "folder", "files")}
    parts = {"wording": wording, "form": filled, "determination": found}
    return to_json({"case": case} | {name: plain(part) for name, part in parts.items()}).encode()
