"""A run: what was wanted, its items and samples, the bench that they are answered on, and the log that they go to."""

from __future__ import annotations

import re
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from agent.models.address import address
from agent.models.factory import is_of_langchain, open_model
from agent.models.host import full, held
from agent.models.model import ModelTrouble
from agent.models.server import fetch
from agent.runtime.settings import Settings, read_settings
from evals.arms.bench import Bench, opened
from evals.arms.models import SCRIPTED, Counted, NotRecorded, Recording
from evals.making.book import Book, read_book
from evals.making.makers import SEED, SIZES, make
from evals.making.people import overlay
from evals.measuring import machine
from evals.scores.rows import Arm, Row
from evals.scores.sight import OTHERS, spoken
from evals.suites.items import SPECS, SUITES, Item, Suite, digest_of, spread
from evals.suites.running import Log, Task, code, prompts, run, tasks_of, ways
from evals.suites.sources import DRAWN, given
from tools.common.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from agent.models.model import Model

OUT = Path(__file__).parents[2] / "out" / "evals"
ITEMS = Path(__file__).parents[1] / "items"  # what is asked where no seed is given
OFFLINE = "offline"


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is asked for. Seed 0 means the usual items with those written by hand; another, fresh ones."""

    suites: tuple[Suite, ...] = SUITES
    arms: tuple[Arm, ...] = ("engine",)
    model: str = OFFLINE
    seed: int = 0
    epochs: int = 1
    smoke: bool = False
    limit: int = 0  # of each suite
    cases: Path | None = None  # a folder that `python -m evals.make` wrote
    record: Path | None = None
    replay: Path | None = None
    name: str = ""  # of the log

    def check(self) -> None:
        if self.model == OFFLINE and set(self.arms) - {"engine"}:
            raise Invalid(f"--arm {', '.join(sorted({*self.arms} - {'engine'}))} needs a --model")
        if self.record and self.replay:
            raise Invalid("either --record or --replay")


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What a report states of the run: everything that decides its figures."""

    name: str = ""
    model: str = OFFLINE
    digest: str = ""
    quantisation: str = ""
    parameters: str = ""
    server: str = ""
    num_ctx: int = 0
    mode: str = "live"  # live, recording or replayed
    commit: str = ""
    code: str = ""
    prompts: str = ""
    cases: str = ""
    people: str = ""
    seed: int = 0
    items: dict[str, int] = {}
    epochs: int = 1
    arms: tuple[str, ...] = ()
    smoke: bool = False
    hardware: str = ""
    date: str = ""


class Session:
    """One run, open."""

    def __init__(self, wanted: RunOptions, items: list[Item], bench: Bench, model: About, log: Log) -> None:
        self.wanted, self.items, self.bench, self.model, self.log = wanted, items, bench, model, log
        # how many more are logged, and of what
        self.hears: Callable[[int, str], None] = lambda many, what: None
        self.lost: list[NotRecorded] = []
        which = ways(wanted.arms, model.model, model.digest, wanted.epochs)
        self.tasks: dict[str, Task] = {
            f"{one.item.id}/{one.way.arm}/{one.way.temperature:g}/{one.epoch}": one
            for one in tasks_of(items, which, wanted.seed or 1)
        }

    @classmethod
    @contextmanager
    def open(cls, wanted: RunOptions) -> Iterator[Session]:
        """Make or read the items, and open model and stores."""
        wanted.check()
        book, items = items_of(wanted)
        model, about = find_model(wanted)
        log = Log(OUT / "logs" / f"{wanted.name or name_of(wanted, about.model)}.jsonl")
        recording = model if isinstance(model, Recording) else None
        with opened(book, Counted(model) if model else None, recording) as bench:
            session = cls(wanted, items, bench, about, log)
            facts = msgspec.json.format(msgspec.json.encode(session.facts), indent=1)
            log.path.with_suffix(".json").write_bytes(facts)
            yield session

    def done(self, task: Task) -> Row:
        """The task's row: as it is logged, or made now."""
        key = task.key
        if key not in self.log.rows:
            try:
                self.log.add(run(task, self.bench, None if task.way.arm == "engine" else self.bench.model))
            except NotRecorded as error:
                self.lost.append(error)
                raise
            finally:
                self.hears(1, task.item.suite)
        return self.log.rows[key]

    def left(self) -> list[Task]:
        """What is not logged yet."""
        return [task for task in self.tasks.values() if task.key not in self.log.rows]

    @cached_property
    def facts(self) -> About:
        return msgspec.structs.replace(
            self.model, name=self.log.path.stem,
            mode="replayed" if self.wanted.replay else "recording" if self.wanted.record else "live",
            commit=commit(), code=code(), prompts=prompts(), cases=digest_of(self.items),
            people=str(self.bench.book.seed), seed=self.wanted.seed, items=dict(Counter(i.suite for i in self.items)),
            epochs=self.wanted.epochs, arms=self.wanted.arms, smoke=self.wanted.smoke,
            hardware=machine().rpartition(", ")[0], date=datetime.now(UTC).date().isoformat(),
        )  # fmt: skip


# --- items -------------------------------------------------------------------------------------------------


def items_of(wanted: RunOptions) -> tuple[Book, list[Item]]:
    """The run's items: those of a folder, fresh ones of a seed, or the usual ones: kept in evals/items, and by hand."""
    if wanted.cases:
        book, items = read_book(wanted.cases), list[Item]()
        for suite in wanted.suites:
            own = [item for item in book.items if item.suite == suite]
            items += spread(own, _many(wanted, suite, len(own)))
        return book, items
    if wanted.seed or overlay():
        made_ones = [suite for suite in wanted.suites if suite in SIZES]
        book = make(wanted.seed or SEED, {suite: _many(wanted, suite, SIZES[suite]) for suite in made_ones})
        for suite in wanted.suites:
            if suite in DRAWN:
                drawn = [*DRAWN[suite](wanted.seed or SEED)]
                book.items += spread(drawn, _many(wanted, suite, len(drawn)))
        return book, book.items
    kept, items = read_book(ITEMS), list[Item]()
    for suite in wanted.suites:
        made, own = [one for one in kept.items if one.suite == suite], [*given(suite)]
        many = _many(wanted, suite, len(made) + len(own))
        if many < len(made) + len(own):  # half and half, where there are both
            own = spread(own, many // 2 if made else many)
            made = spread(made, many - len(own))
        items += [*made, *own]
    return _about(kept, items), items


def _many(wanted: RunOptions, suite: Suite, whole: int) -> int:
    return min(whole, SPECS[suite].smoke if wanted.smoke else whole, wanted.limit or whole)


def _about(book: Book, items: Sequence[Item]) -> Book:
    """The book with the people whom these items are about or speak of, and some more to be mistaken for them."""
    said = " ".join(f"{item.patient} {spoken(item)}" for item in items)
    words = {*re.findall(r"[\w'-]+", said)}
    charts = [
        chart for at, chart in enumerate(book.charts) if at < OTHERS or {chart["id"], chart["family"]} & words
    ]
    return msgspec.structs.replace(book, items=[*items], charts=charts)


# --- the model ---------------------------------------------------------------------------------------------


# of the facts of a run, those that a recording brings of its model
OF_MODEL = ("digest", "quantisation", "parameters", "server", "num_ctx")


def find_model(wanted: RunOptions) -> tuple[Model | None, About]:
    """The model that was asked for, and what a report says of it. Played back, no server is asked.

    Raises:
        Unavailable: there is no such model, or no such recording.
        Invalid: the recording is another model's.
    """
    if wanted.model == OFFLINE:
        return None, About()
    if wanted.replay:
        return _replayed(wanted.replay, wanted.model)
    if wanted.model in SCRIPTED:
        model = SCRIPTED[wanted.model]()
        about = About(model=wanted.model, digest=code(), num_ctx=model.num_ctx)
    else:
        model, about = _held(wanted.model, read_settings())
    if wanted.record:
        header = {"name": about.model, **{name: getattr(about, name) for name in OF_MODEL}}
        wanted.record.parent.mkdir(parents=True, exist_ok=True)
        _header(wanted.record).write_bytes(msgspec.json.encode(header))
        model = Recording(wanted.record, about.model, about.digest, model.num_ctx, model)
    return model, about


def _header(path: Path) -> Path:
    return path.with_suffix(".model.json")


def _replayed(path: Path, name: str) -> tuple[Model, About]:
    if not _header(path).is_file():
        raise Unavailable(f"{path} is no recording; `pa eval run --model {name} --record {path}` makes one")
    header = msgspec.json.decode(_header(path).read_bytes())
    if header["name"] != name:
        raise Invalid(f"{path} is a recording of {header['name']}, not of {name}")
    about = About(model=name, **{field: header[field] for field in OF_MODEL})
    return Recording(path, name, about.digest, about.num_ctx), about


def _held(name: str, settings: Settings) -> tuple[Model, About]:
    model, why = open_model(name, settings)
    if model is None:
        raise Unavailable(why)
    if is_of_langchain(name):
        return model, About(model=name, num_ctx=model.num_ctx)
    where = address(settings.ollama_host)
    one = next(
        one for one in held(where, allow_remote=settings.allow_remote_model) if one.name == full(model.name)
    )
    return model, About(
        model=one.name, digest=one.digest.removeprefix("sha256:")[:12], quantisation=one.quantisation,
        parameters=one.parameters, server=_server(settings), num_ctx=model.num_ctx,
    )  # fmt: skip


def _server(settings: Settings) -> str:
    try:
        where = address(settings.ollama_host)
        version = fetch(where, "/api/version", seconds=2.0, allow_remote=settings.allow_remote_model)
    except Unavailable:
        return "Ollama"
    return f"Ollama {version.get('version', '')}".strip()


def probe(model: Model) -> float:
    """Output tokens a second of one short call, as this machine is now; 0 if it says nothing."""
    began = time.perf_counter()
    try:
        reply = model.complete("You are brief.", "Count from one to twenty in words.", max_tokens=40)
    except ModelTrouble as trouble:
        raise Unavailable(f"{model.name} does not answer: {trouble}") from trouble
    return reply.output_tokens / max(1e-6, time.perf_counter() - began)


# --- what a report states ----------------------------------------------------------------------------------


def name_of(wanted: RunOptions, model: str) -> str:
    """offline, qwen2.5-coder-0.5b-smoke, …: runs of one name go on with each other's log."""
    parts = ["".join(c if c.isalnum() or c in "._" else "-" for c in model)]
    parts += ["smoke"] if wanted.smoke else []
    parts += [f"seed{wanted.seed}"] if wanted.seed else []
    parts += [wanted.cases.name] if wanted.cases else []
    parts += ["replayed"] if wanted.replay else []
    return "-".join(parts)


def commit() -> str:
    """What is checked out, "with changes" where something differs from it; "" of no checkout."""

    def git(*arguments: str) -> str:
        root = Path(__file__).parents[2]
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        said = git("rev-parse", "--short=12", "HEAD")
        changed = git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f"{said}{' with changes' if changed else ''}"
