"""Cases that stand in files of their own: decide them, and show where they differ from what they expect."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
from rich.text import Text

from agent.runtime.dump import plain
from agent.runtime.settings import read_settings
from agent.terminal import screen
from agent.terminal.lines import print_json
from tools.charts.casefile import Decided, Known, case_files, decide_case, no_store, read_case
from tools.common.errors import Unavailable
from tools.domain.records import Drug
from tools.messages import LANGUAGE, voice
from tools.store.store import Store

DIFFERS = 1


def decide_files(
    paths: Sequence[Path], *, as_of: date | None, as_json: bool, language: str = LANGUAGE
) -> int:
    """Decide the cases in these files and folders and print them in this language; 1 if one differs from its
    `expect`."""
    known = _known()
    decided = [decide_case(read_case(file, known, as_of), known.drugs) for file in case_files(paths)]
    if as_json:
        bodies = [_body(one) for one in decided]
        print_json(bodies[0] if len(paths) == 1 and paths[0].is_file() else bodies)
    elif len(decided) == 1:
        _show(decided[0], language)
    else:
        _list(decided, language)
    return DIFFERS if any(one.differences for one in decided) else 0


def _known() -> Known:
    """The store's plans and drugs if there is a store, else the drugs of the world that would be loaded; a case that
    brings its own rule needs no plan."""
    settings = read_settings()
    try:
        store = Store.open(settings.database_url)
    except Unavailable:
        drugs = settings.data / "drugs.json"
        listed = msgspec.json.decode(drugs.read_bytes(), type=list[Drug]) if drugs.is_file() else []
        return Known(no_store, tuple(listed))
    return Known(store.plan, tuple(store.drugs()))


def _body(one: Decided) -> dict[str, Any]:
    """The determination, as `pa check` prints it, and beside it what the case says of itself."""
    return {
        **plain(one.determination),
        "case": one.case.name,
        "file": one.case.file,
        "expect": plain(dict(one.case.expect)),
        "left_out": list(one.left_out),
        "differences": list(one.differences),
    }


def _show(one: Decided, language: str) -> None:
    patient = one.case.patient
    screen.show(one.determination, patient, screen.console(), voice(language, patient.sex))
    if one.left_out:
        screen.say(f"\nLeft out, since the case does not mention it: {', '.join(one.left_out)}", style="dim")
    if one.differences:
        lines = "\n".join(f"  {line}" for line in one.differences)
        screen.say(f"\nDiffers from what {one.case.file} expects\n{lines}", style="bold red")
    elif one.case.expect:
        screen.say(f"\nAs {one.case.file} expects.", style="green")


def _list(decided: Sequence[Decided], language: str) -> None:
    shown = screen.table(header=None)
    for one in decided:
        mark = Text("differs", "bold red") if one.differences else Text("as expected", "green")
        outcome = one.determination.outcome
        said = outcome if language == LANGUAGE else voice(language).term(f"headline.{outcome}")
        shown.add_row(
            Text.assemble(one.case.name, *(f"\n  {line}" for line in one.differences)),
            one.determination.drug,
            Text(said, screen.STYLES[outcome]),
            mark if one.case.expect else "",
        )
    screen.say(shown)
    differ = sum(bool(one.differences) for one in decided)
    expecting = sum(bool(one.case.expect) for one in decided)
    said = f"\n{len(decided)} cases: {expecting - differ} as expected, {differ} differ"
    screen.say(said, style="bold")
