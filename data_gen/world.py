"""Writing a world: patients by blocks, in as many processes as there are cores, and the files of its catalog.

    generate(Order(count=20)) → mock_data/{patients,plans,forms,drugs,dataset}.json, policies/*.txt

Everything is written beside the old world and put in its place at the end, dataset.json last: a run that is
killed leaves the old world, or one whose hashes do not fit and which `pa load` therefore refuses.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from itertools import chain
from pathlib import Path
from time import perf_counter
from typing import IO, Literal, NamedTuple

import msgspec

from data_gen import charts, parquet
from data_gen.cases import Planter
from data_gen.catalog_loader import Catalog, load_catalog, our_catalog
from data_gen.draws import BLOCK, block_rows
from data_gen.forms import print_forms
from data_gen.history import draw_record
from data_gen.people import Person, draw_person
from data_gen.setting import AS_OF, Setting
from data_gen.workers import in_order
from tools.common.errors import Invalid, Refused, Unavailable
from tools.terminology.own_terms import OwnTerms

BATCH = 16  # patients that are charted together
VERSION = "1"  # of the people: the same seed and version are the same patients
Format = Literal["json", "jsonl", "parquet"]
Progress = Callable[[int, int], None]  # patients done, of how many


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What world is wanted, and where."""

    count: int = 20
    seed: int = 42
    as_of: date = AS_OF
    out: Path = Path("mock_data")
    append: bool = False
    format: Format = "json"
    workers: int = 0  # 0: as many as cores, where there is work for them
    also: tuple[int, ...] = ()  # numbers of later patients who come too, ascending
    labels: Path | None = None
    catalog: Path | None = None


class Dataset(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """dataset.json. `files` maps a path to its SHA-256; `labels` is the labels' hash, which are kept elsewhere;
    `terms` are a clinic's own."""

    version: str
    seed: int
    as_of: date
    format: Format
    counts: dict[str, int]
    files: dict[str, str]
    labels: str
    terms: OwnTerms | None = None
    also: tuple[int, ...] = ()


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What a run made."""

    out: str
    patients: int
    added: int
    planted: int
    seconds: float
    bytes: int
    files: int
    labels: str | None
    dataset: Dataset


class Span(NamedTuple):
    """Patients first … last-1, all of one block."""

    first: int
    last: int


class Text(NamedTuple):
    """A span's patients as they stand in the file, without what separates spans, and its labels as JSON lines."""

    patients: bytes
    labels: bytes


# --- one patient, one block --------------------------------------------------------------------------------


class Maker:
    """Makes any patient of a world; one a process."""

    def __init__(self, catalog: Catalog, seed: int, as_of: date, format: Format) -> None:
        self.seed, self.format = seed, format
        self.setting = Setting(catalog.plans, catalog.drugs, as_of)
        self.planter = Planter(self.setting)
        block_rows(seed, 0)  # imports numpy now, before any worker is forked

    def write(self, span: Span, file: IO[bytes]) -> bytes:
        """Write the span's patients as they stand in the world's file, and return its labels."""
        layout, between = (charts.LINE, "\n") if self.format == "jsonl" else (charts.BLOCK, ",\n")
        labels: list[bytes] = []
        before = ""
        for people in self.people(span.first, span.last, labels):
            text = between.join(charts.write_charts(people, self.setting, layout))
            file.write((before + text).encode())
            before = between
        return b"".join(labels)

    def people(self, first: int, last: int, labels: list[bytes]) -> Iterator[list[Person]]:
        """Patients first … last-1 in batches that are charted together; `labels` gets those of planted ones."""
        for span in spans(first, last):
            fine, coarse = block_rows(self.seed, span.first // BLOCK)
            for start in range(span.first, span.last, BATCH):
                yield [
                    self._person(index, fine[index % BLOCK], coarse[index % BLOCK], labels)
                    for index in range(start, min(start + BATCH, span.last))
                ]

    def text(self, span: Span) -> Text:
        """The span's patients and labels."""
        file = io.BytesIO()
        labels = self.write(span, file)
        return Text(file.getvalue(), labels)

    def _person(self, index: int, fine: list[int], coarse: bytes, labels: list[bytes]) -> Person:
        planted = self.planter.plant(index, lambda: draw_person(index, fine, coarse))
        if planted is None:
            person = draw_person(index, fine, coarse)
            draw_record(person, self.setting)
            return person
        labels.append(msgspec.json.encode(planted[1]) + b"\n")
        return planted[0]

    def labels(self, span: Span) -> bytes:
        """The span's labels alone."""
        labels: list[bytes] = []
        fine, coarse = block_rows(self.seed, span.first // BLOCK)
        for index in range(span.first, span.last):
            if self.planter.is_planted(index):
                self._person(index, fine[index % BLOCK], coarse[index % BLOCK], labels)
        return b"".join(labels)


def spans(first: int, last: int) -> Iterator[Span]:
    """The span of every block that first … last-1 touches."""
    while first < last:
        end = min(last, (first // BLOCK + 1) * BLOCK)
        yield Span(first, end)
        first = end


class _Job(NamedTuple):
    """A span, and the file to write its patients to, which costs less than sending them."""

    span: Span
    path: Path


def _write_span(maker: Maker, job: _Job) -> bytes:
    """Write the span's patients; returns the labels."""
    with job.path.open("wb", buffering=0) as file:
        return maker.write(job.span, file)


def make_in_order(
    catalog: Catalog, order: Order, format: Format, first: int, parts: Path
) -> Iterator[tuple[Span, IO[bytes], bytes]]:
    """Each span from `first` on with its patients, as they stand in the file, and its labels. Several processes
    make them, a few spans ahead, in `parts`."""
    later = (Span(number - 1, number) for number in order.also)
    wanted = chain(spans(first, first + order.count), later)
    workers = order.workers or min(os.cpu_count() or 1, order.count // BLOCK)
    maker = Maker(catalog, order.seed, order.as_of, format)
    if workers < 2:
        for span in wanted:
            text = io.BytesIO()
            labels = maker.write(span, text)
            yield span, text, labels
        return
    jobs = (_Job(span, parts / f"part-{span.first}") for span in wanted)
    for job, labels in in_order(jobs, _write_span, maker, workers):
        file = job.path.open("rb")
        job.path.unlink()
        yield job.span, file, labels


# --- a whole world -----------------------------------------------------------------------------------------


def generate(order: Order, progress: Progress = lambda done, total: None) -> Made:
    """Make the world, or add to the one that is there; raises Invalid or Refused and leaves it as it was."""
    if order.count < 1:
        raise Invalid(f"{order.count} patients: at least 1 is needed")
    if order.also and (order.append or order.format == "parquet" or min(order.also) <= order.count):
        raise Invalid("--also names patients beyond the first N of a new world, which is no Parquet")
    began = perf_counter()
    catalog = load_catalog(order.catalog) if order.catalog else our_catalog()
    files = catalog_files(catalog, order.catalog)
    old = _old_world(order, files) if order.append else None
    format = old.format if old else order.format
    there = old.counts["patients"] if old else 0
    staging = order.out.parent / f".{order.out.name}.{os.getpid()}.partial"
    try:
        order.out.parent.mkdir(parents=True, exist_ok=True)
        staging.mkdir()
        made = _World(order, catalog, staging, format, there, progress).write(files)
        _put_in_place(staging, order.out, made)
    except OSError as error:
        raise Unavailable(f"can't write the world to {order.out}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return msgspec.structs.replace(made, seconds=round(perf_counter() - began, 3))


def catalog_files(catalog: Catalog, overlay: Path | None) -> dict[str, bytes]:
    """plans.json, drugs.json, forms.json and policies/*.txt by path."""
    lists = {
        "drugs.json": list(catalog.drugs.values()),
        "plans.json": list(catalog.plans.values()),
        "forms.json": list(print_forms(catalog.plans, overlay).values()),
    }
    files = {name: _as_json(items) for name, items in lists.items()}
    for policy in catalog.policies.values():
        files[f"policies/{Path(policy.file).name}"] = policy.text.encode()
    return files


def read_dataset(folder: Path) -> Dataset:
    """dataset.json of a world that pa generate made."""
    path = folder / "dataset.json"
    if not path.is_file():
        raise Invalid(f"{folder} holds no dataset.json; `pa generate --out {folder}` makes a world there")
    try:
        return msgspec.json.decode(path.read_bytes(), type=Dataset)
    except msgspec.MsgspecError as error:
        raise Invalid(f"{path}: {error}") from error


def _old_world(order: Order, files: dict[str, bytes]) -> Dataset:
    """The world to add to, if it is one that this run could have begun."""
    old = read_dataset(order.out)
    if old.also:
        raise Refused(f"can't append: {order.out} has patients beyond its first; make another world")
    for name, there, wanted in (
        ("seed", old.seed, order.seed), ("as-of date", old.as_of, order.as_of), ("version", old.version, VERSION),
    ):  # fmt: skip
        if there != wanted:
            raise Refused(
                f"can't append: the {name} of {order.out} is {there}, not {wanted}; make another world"
            )
    for path, digest in old.files.items():
        file = order.out / path
        if path.startswith("patients") and not (file.is_file() and _sha256(file) == digest):
            raise Refused(f"can't append: {file} is not as dataset.json describes it")
    for path, body in files.items():
        if old.files.get(path) != hashlib.sha256(body).hexdigest():
            raise Refused(f"can't append: the catalog has changed since {order.out} was made ({path})")
    return old


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Sink:
    """A file being written, with its hash."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.digest, self.size = file, hashlib.sha256(), 0

    def write(self, data: bytes) -> None:
        self.file.write(data)
        self.digest.update(data)
        self.size += len(data)

    def copy(self, source: IO[bytes], length: int) -> None:
        """The next `length` bytes of the source."""
        while length:
            data = source.read(min(length, 1 << 20))
            if not data:
                raise Unavailable("a file of the world grew shorter while it was being read")
            self.write(data)
            length -= len(data)


class _Patients(NamedTuple):
    """The patients' files: their hashes, all their bytes, and how many of the new patients are planted."""

    digests: dict[str, str]
    bytes: int
    planted: int


class _World:
    """A world while it is written into a folder of its own; `there` are the patients of the one that is added to."""

    def __init__(
        self, order: Order, catalog: Catalog, staging: Path, format: Format, there: int, progress: Progress
    ) -> None:
        self.order, self.catalog, self.staging = order, catalog, staging
        self.format, self.there, self.progress = format, there, progress

    def write(self, files: dict[str, bytes]) -> Made:
        """All of it; `files` are those of the catalog."""
        order, total = self.order, self.there + self.order.count + len(self.order.also)
        with (self.staging / "labels").open("wb") as label_file:
            labels = _Sink(label_file)
            if self.there:
                maker = Maker(self.catalog, order.seed, order.as_of, self.format)
                for span in spans(0, self.there):
                    labels.write(maker.labels(span))
            patients = self._parts(labels) if self.format == "parquet" else self._text(labels)
        digests = dict(patients.digests)
        for path, body in files.items():
            (self.staging / path).parent.mkdir(exist_ok=True)
            (self.staging / path).write_bytes(body)
            digests[path] = hashlib.sha256(body).hexdigest()
        dataset = Dataset(
            version=VERSION, seed=order.seed, as_of=order.as_of, format=self.format,
            counts=_counts(self.catalog, total), files=dict(sorted(digests.items())),
            labels=labels.digest.hexdigest(),
            terms=self.catalog.terms if self.catalog.terms != OwnTerms() else None, also=order.also,
        )  # fmt: skip
        (self.staging / "dataset.json").write_bytes(_as_json(dataset))
        return Made(
            out=str(order.out), patients=total, added=total - self.there, planted=patients.planted, seconds=0.0,
            bytes=patients.bytes + sum(map(len, files.values())), files=len(digests) + 1,
            labels=str(order.labels) if order.labels else None, dataset=dataset,
        )  # fmt: skip

    def _text(self, labels: _Sink) -> _Patients:
        """patients.json or patients.jsonl."""
        order, name, planted = self.order, f"patients.{self.format}", 0
        with (self.staging / name).open("wb", buffering=0) as file:
            patients = _Sink(file)
            if self.there:
                _copy_old(order.out / name, patients, self.format)
            made = make_in_order(self.catalog, order, self.format, self.there, self.staging)
            for span, text, found in made:
                patients.write(_opening(self.format, span.first))
                with text:
                    size = text.seek(0, io.SEEK_END)
                    text.seek(0)
                    patients.copy(text, size)
                labels.write(found)
                planted += found.count(b"\n")
                self.progress(min(span.last - self.there, order.count), order.count)
            patients.write(b"\n]\n" if self.format == "json" else b"\n")
        return _Patients({name: patients.digest.hexdigest()}, patients.size, planted)

    def _parts(self, labels: _Sink) -> _Patients:
        """patients/*.parquet: the parts that are full already as they are, the others made."""
        order, planted = self.order, 0
        (self.staging / "patients").mkdir()
        digests: dict[str, str] = {}
        for part in parquet.parts(0, self.there // parquet.PART * parquet.PART):
            shutil.copyfile(order.out / part.name, self.staging / part.name)
            digests[part.name] = _sha256(self.staging / part.name)
        maker, last = Maker(self.catalog, order.seed, order.as_of, self.format), self.there + order.count
        for part, found in parquet.write_parts(maker, self.there, last, self.staging, order.workers):
            digests[part.name] = _sha256(self.staging / part.name)
            labels.write(found)
            planted += found.count(b"\n")
            self.progress(part.last - self.there, order.count)
        size = sum((self.staging / name).stat().st_size for name in digests)
        return _Patients(digests, size, planted)


def _as_json(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"


def _opening(format: Format, first: int) -> bytes:
    """What stands between what was written and patient `first`."""
    if format == "json":
        return b",\n" if first else b"[\n"
    return b"\n" if first else b""


def _copy_old(path: Path, sink: _Sink, format: Format) -> None:
    """Everything up to the end of the last patient."""
    tail = len(b"\n]\n" if format == "json" else b"\n")
    with path.open("rb") as file:
        sink.copy(file, path.stat().st_size - tail)


def _counts(catalog: Catalog, patients: int) -> dict[str, int]:
    benefits = [benefit for plan in catalog.plans.values() for benefit in plan.benefits.values()]
    return {
        "patients": patients,
        "plans": len(catalog.plans),
        "drugs": len(catalog.drugs),
        "forms": len(catalog.plans),
        "policies": len(catalog.policies),
        "cells": len(catalog.plans) * len(catalog.drugs),
        "covered": sum(benefit.covered for benefit in benefits),
        "pa_required": sum(benefit.covered and benefit.pa_required for benefit in benefits),
    }


def _put_in_place(staging: Path, out: Path, made: Made) -> None:
    """File by file, dataset.json last; what belonged to the old world alone goes."""
    (out / "policies").mkdir(parents=True, exist_ok=True)
    (out / "dataset.json").unlink(missing_ok=True)
    wanted = set(made.dataset.files)
    parts = (out / "patients").glob("*.parquet")
    for old in (out / "patients.json", out / "patients.jsonl", *parts, *(out / "policies").glob("*.txt")):
        if old.relative_to(out).as_posix() not in wanted:
            old.unlink(missing_ok=True)
    if made.labels is not None:
        Path(made.labels).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(staging / "labels", made.labels)
    for path in sorted(wanted):
        (out / path).parent.mkdir(exist_ok=True)
        (staging / path).replace(out / path)
    (staging / "dataset.json").replace(out / "dataset.json")
