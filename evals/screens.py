"""Pictures of the workspace on the demo world, for eyes: every screen at three widths, light and dark.

python -m evals.screens                 all of them into out/screens
python -m evals.screens --write         and the twelve that are kept in evals/results/workspace
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from agent.cases import casefile
from agent.drafts import drafting
from agent.drafts.requests import DraftRequest
from agent.runtime.settings import Settings
from evals.bench.workspace import NEXT, events_of
from evals.proofs import tasks
from evals.serving import chromium
from tools.common.errors import PaladinError
from tools.domain.records import Request
from tools.store.store import Store

WIDTHS = {1440: 900, 1024: 768, 390: 844}  # pixels, with the height of such a window
SCHEMES = ("light", "dark")
DRUGS = ("Ozempic", "Jardiance", "Wegovy", "Mounjaro", "Januvia", "Farxiga")
PATIENCE = 90_000  # ms
SHOWN = 18  # requests of the worklist
KEPT = Path(__file__).parent / "results/workspace"
TWELVE = (
    "worklist-1440-light", "worklist-390-dark", "check-1440-light", "patient-1440-dark", "draft-1440-dark",
    "letter-1440-light", "case-1024-light", "batch-1440-light", "renewals-1440-light", "policy-1440-light",
    "palette-1440-dark", "drugs-390-light",
)  # fmt: skip


def main(
    write: Annotated[
        bool, typer.Option("--write", help="And the twelve that are kept in evals/results/workspace.")
    ] = False,
) -> None:
    """Take a picture of every screen of the workspace, at three widths, light and dark, into out/screens."""
    out = Path("out/screens")
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder, tasks.world(Path(folder)) as (settings, cases):
        _fill(settings, {one.patient_id for one in cases.values()})
        with tasks.served(settings) as base:
            for name, content in _pictures(base, cases):
                (out / f"{name}.png").write_bytes(content)
                if write and name in TWELVE:
                    (KEPT / f"{name}.png").write_bytes(content)


def _fill(settings: Settings, kept_free: set[str]) -> None:
    """A practice at work: drafts in each status, and cases to which each thing has happened, on the days before."""
    store = Store.open(settings.database_url)
    when, steps, drugs = datetime.now(UTC), cycle(NEXT), cycle(DRUGS)
    day = store.dataset().as_of
    for row in (one for one in store.find_patients(limit=3 * SHOWN) if one.id not in kept_free):
        asking = DraftRequest(patient_id=row.id, request=Request(drug=next(drugs)), force=True)
        try:
            draft = drafting.draft_alone(store, settings, asking).draft
        except PaladinError:
            continue
        if draft.id % 3 == 0:
            continue
        store.set_draft_status(draft.id, "approved", by=tasks.ME, when=when)
        ago = day - timedelta(days=7 * (draft.id % 9))
        kept = casefile.open_from_draft(store, draft.id, casefile.Entry(tasks.ME, ago, when))
        for event in islice(events_of(next(steps)[1:], ago), 1, None):  # it was opened and reviewed
            store.enter(kept.case.id, event)
        if draft.id >= SHOWN:
            break
    store.close()


def _pictures(base: str, cases: tasks.Cases) -> Iterator[tuple[str, bytes]]:
    """Each screen by its name, width and scheme."""
    with chromium() as browser:
        page = browser.new_page(base_url=base)
        person = tasks.Person(page)
        page.set_default_timeout(PATIENCE)
        walks = {"case": tasks.sent, "letter": tasks.denied, "draft": tasks.attached, "batch": tasks.batch}
        done = {}
        for name, do in walks.items():
            page.goto("/", wait_until="load")
            do(person, cases)
            done[name] = page.url.partition("#")[0]
        case = cases["needs_documentation"]
        chart = f"/patients/{case.patient_id}"
        screens = {
            "worklist": "/", "denied": "/?view=denied", "nothing": "/?plan=X", "renewals": "/renewals?within=180",
            "patients": "/patients", "patient": chart, "drugs": f"{chart}/check", "chat": f"{chart}/chat",
            "check": f"{chart}/check/{case.drug}?programme_months=6", "draft": done["draft"], "letter": done["letter"],
            "case": done["case"], "batch": done["batch"], "batches": "/batches",
            "screen": "/screen", "policies": "/policies", "policy": f"/policies/BLUESTEM-PPO/{case.drug}?q=how+long",
            "models": "/models", "import": "/import", "not-there": "/patients/P9999", "sign-in": "/sign-in",
        }  # fmt: skip
        for scheme in SCHEMES:
            for width, height in WIDTHS.items():
                yield from _drawn(browser, base, screens, scheme, {"width": width, "height": height})


def _drawn(
    browser: Any, base: str, screens: dict[str, str], scheme: str, window: dict[str, int]
) -> Iterator[tuple[str, bytes]]:
    page = browser.new_page(base_url=base, color_scheme=scheme, viewport=window)
    page.set_default_timeout(PATIENCE)
    for name, path in screens.items():
        page.goto(path, wait_until="load")
        yield f"{name}-{window['width']}-{scheme}", page.screenshot()
    page.goto("/", wait_until="load")
    page.keyboard.press("Control+k")
    page.keyboard.type("ma")
    page.locator("#found a").first.wait_for()
    yield f"palette-{window['width']}-{scheme}", page.screenshot()
    page.close()


if __name__ == "__main__":
    typer.run(main)
