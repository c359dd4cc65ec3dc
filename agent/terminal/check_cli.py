"""`pa check`: decide one case of the store, or cases that stand in files of their own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import typer
from typer import Argument, Option

from agent.runtime.settings import read_as_of
from agent.terminal.common import (
    AskPlan,
    AsOfChart,
    DaysSupply,
    JsonObject,
    Language,
    PatientId,
    Quantity,
    RequestKind,
    Strength,
    Use,
    opened,
)
from agent.terminal.lines import print_json
from tools.common.errors import Invalid
from tools.messages import LANGUAGE, voice
from tools.queries.check import check as decide

if TYPE_CHECKING:
    from tools.domain.records import Kind


def check(
    patient_id: PatientId = "",
    drug: str = Argument("", metavar="DRUG", help="Brand, or a generic name that only one brand has."),
    case: list[Path] = Option(
        [],
        "--case",
        metavar="FILE",
        help="Decide the case in this YAML file, or all in a folder; repeatable.",
    ),
    plan: AskPlan = "",
    as_of: AsOfChart = "",
    indication: Use = "",
    strength: Strength = "",
    quantity: Quantity = None,
    days_supply: DaysSupply = None,
    kind: RequestKind = "",
    language: Language = "en",
    as_json: JsonObject = False,
) -> None:
    """Is this patient eligible for this drug, and what is missing?

    Decides every criterion of the plan's rule from the chart, names the record
    and the policy clause behind each, and says what to do next. Nothing is sent
    anywhere; the payer decides.
    """
    if as_json and language != LANGUAGE:
        raise Invalid("--json gives codes, their parameters and English text; leave --language out beside it")
    if case:
        if patient_id or drug:
            raise Invalid("a case file names its patient and drug itself; leave them out beside --case")
        from agent.terminal.case_files import decide_files

        raise typer.Exit(decide_files(case, as_of=read_as_of(as_of), as_json=as_json, language=language))
    if not (patient_id and drug):
        raise Invalid("name a patient and a drug, e.g. `pa check P001 Ozempic`, or a file with --case")

    settings, store = opened()
    found = decide(
        store,
        patient_id,
        drug,
        plan_id=plan,
        as_of=settings.day(as_of),
        strength=strength,
        quantity=quantity,
        days_supply=days_supply,
        kind=cast("Kind | None", kind or None),
        indication=indication,
    )
    if as_json:
        print_json(found)
    else:
        from agent.terminal import screen

        patient = store.patient(patient_id)
        screen.show(found, patient, screen.console(), voice(language, patient.sex))
