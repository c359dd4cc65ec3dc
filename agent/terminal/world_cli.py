"""`pa setup`, `load`, `index` and `serve`: bring a world into the store, and open the HTTP door."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path

from rich.progress import TaskID
from typer import Argument, Option

from agent.runtime.access import watch
from agent.runtime.home import make_home
from agent.runtime.settings import Settings, read_settings
from agent.terminal.common import JsonReport, opened
from agent.terminal.lines import answer
from agent.terminal.progress import bars
from tools.common.errors import Invalid, Refused, Unavailable
from tools.common.private import keep_private
from tools.store import DatasetInfo
from tools.store.index import ensure, rebuild
from tools.store.load import LoadReport, Mode
from tools.store.load import load as load_world
from tools.store.record_files import read_record
from tools.store.store import Store

PATIENTS = 20


def setup(
    without_patients: bool = Option(
        False, "--without-patients", help="Plans, drugs, forms and policies alone, for charts of your own."
    ),
    as_json: bool = Option(False, "--json", help="Print what was done as one JSON object."),
) -> None:
    """Generate a world if there is none, load it, and index its policies.

    Safe to repeat: what is already there is left as it is.
    """
    settings = read_settings()
    generated = _generate_if_needed(settings)
    store = _create(settings)
    mode: Mode = "replace" if _is_newer_print(store, settings) else "new"
    report = _load(store, settings.data, mode, trust=False, people=not without_patients)
    clauses = ensure(store)
    said = f"""{_told(report)}
{clauses} policy clauses are indexed
Everything lies in {settings.home}
Next: pa {"fhir import FILE" if without_patients else "check P001 Ozempic"}"""
    did = {"generated": generated, "load": report, "clauses": clauses, "home": str(settings.home)}
    answer(did, as_json, lambda: print(said))


def load(
    directory: Path | None = Argument(
        None, metavar="DIR", help="World folder; default PALADIN_DATA or mock_data."
    ),
    append: bool = Option(False, "--append", help="Add the patients that are not there yet."),
    replace: bool = Option(False, "--replace", help="Put this world in the place of the one that is loaded."),
    trust: bool = Option(False, "--trust", help="Take files that somebody edited after they were generated."),
    as_json: JsonReport = False,
) -> None:
    """Load a world into the store: all of it, or nothing.

    The same world again changes nothing. Imported charts, drafts and what people
    added to charts are kept.
    """
    if append and replace:
        raise Refused("--append keeps what is loaded and --replace takes it out; choose one")
    settings = read_settings()
    mode: Mode = "append" if append else "replace" if replace else "new"
    report = _load(_create(settings), directory or settings.data, mode, trust)
    answer(report, as_json, lambda: print(_told(report)))


def index(as_json: JsonReport = False) -> None:
    """Rebuild the search index of the policies."""
    clauses = rebuild(opened()[1])
    print(f'{{"clauses": {clauses}}}' if as_json else f"{clauses} policy clauses are indexed")


def serve(
    host: str = Option(
        "127.0.0.1", help="Loopback; another only with users, a name, a certificate and its key."
    ),
    port: int = Option(8000, min=1, max=65535, help="Port."),
    workers: int = Option(2, min=1, max=64, help="Processes that share the port."),
    show: bool = Option(False, "--open", help="Open the workspace in a browser once it answers."),
    certificate: Path | None = Option(None, metavar="PEM", help="Encrypt with this certificate (TLS)."),
    key: Path | None = Option(None, metavar="PEM", help="The certificate's key."),
    names: list[str] = Option([], "--name", help="What other machines call the server; repeatable."),
) -> None:
    """Serve the workspace and the HTTP API on this machine."""
    from agent.api.serving import Encryption, run
    from agent.web.opening import open_once_up

    if (certificate is None) != (key is None):
        raise Invalid("--certificate and --key belong together")
    encryption = Encryption(certificate, key, tuple(names)) if certificate and key else None
    shown = partial(open_once_up, scheme="https" if encryption else "http")
    run(read_settings(), host, port, workers, shown if show else None, encryption)


# --- steps -----------------------------------------------------------------------------------------------


def _generate_if_needed(settings: Settings) -> bool:
    """Make a world where there is none; with a clinic's catalog, always, since the catalog may have changed.

    A world that is there is made again in its own size, seed, date and format.
    """
    made = settings.data / "dataset.json"
    if made.is_file() and not settings.catalog:
        return False
    from agent.cli import load_command

    given = _wanted_as(made) if made.is_file() else [str(PATIENTS)]
    given += ["--out", str(settings.data)]
    if settings.catalog:
        given += ["--catalog", str(settings.catalog)]
    with redirect_stdout(sys.stderr):
        load_command("generate").main(given, prog_name="pa generate", standalone_mode=False)
    return True


def _wanted_as(made: Path) -> list[str]:
    """What `pa generate` was given for the world that is there."""
    info = read_record(made, DatasetInfo)
    kinds = {"jsonl": made.parent / "patients.jsonl", "parquet": made.parent / "patients"}
    written = next((kind for kind, place in kinds.items() if place.exists()), "json")
    count = str(info.counts.get("patients", PATIENTS) - len(info.also))
    also = [f"--also={number}" for number in info.also]
    return [count, *also, "--seed", str(info.seed), "--as-of", str(info.as_of), "--format", written]


def _is_newer_print(store: Store, settings: Settings) -> bool:
    """Does the store hold an earlier print of this very world (seed and date), which it may take the place of?"""
    if settings.catalog:
        return True
    try:
        loaded = store.dataset()
    except Unavailable:
        return False
    offered = read_record(settings.data / "dataset.json", DatasetInfo)
    return (loaded.seed, loaded.as_of) == (offered.seed, offered.as_of)


def _create(settings: Settings) -> Store:
    make_home(settings.home)
    keep_private(settings.home)
    store = watch(Store.create(settings.database_url))
    store.chroma_url = settings.chroma_url
    return store


def _load(store: Store, folder: Path, mode: Mode, trust: bool, people: bool = True) -> LoadReport:
    with bars() as shown:
        tasks: dict[str, TaskID] = {}

        def progress(stage: str, done: int, expected: int) -> None:
            if stage not in tasks:
                tasks[stage] = shown.add_task(stage, total=expected or None)
            shown.update(tasks[stage], completed=done)

        return load_world(store, folder, mode=mode, trust=trust, people=people, progress=progress)


def _told(report: LoadReport) -> str:
    """What a load did, in one line."""
    world = f"{report.plans} plans, {report.drugs} drugs, {report.forms} forms, {report.policies} policies"
    names = {"unchanged": "Already loaded", "appended": f"Appended {report.added} patients; now"}
    did = names.get(report.did, report.did.capitalize())
    more = f"; {report.imported} imported charts kept" if report.imported else ""
    resting = f"; {report.resting} additions rest, their patients are gone" if report.resting else ""
    trusted = f"; edited, and taken on trust: {', '.join(report.trusted)}" if report.trusted else ""
    return f"{did}: {report.patients} patients, {world}{more}{resting}{trusted}"
