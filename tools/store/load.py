"""Loading a world's files into the store: everything is read and checked first, then written in one transaction.

    load(store, "mock_data")                     into an empty store; the same world again changes nothing
    load(store, "mock_data", mode="append")      adds the patients that are not there yet; nothing else may differ
    load(store, "mock_data", mode="replace")     puts this world in the place of the one that is loaded

Replacing keeps what is not the world's: imported charts, drafts, and what people added to charts. An addition goes
on applying as long as its id is the same person (name and birth date); otherwise it rests in the log.

dataset.json holds the hash of each file. A file that reads well but is not the one that was made was edited by
somebody: that is refused unless the caller says `trust=True`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from sqlalchemy import Table, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from tools.audit.rows import RowSet
from tools.common.errors import Invalid, Refused
from tools.domain.records import Patient, Record
from tools.store import database
from tools.store import tables as t
from tools.store.audit import ALL_CHARTS, AS_A_WHOLE, Key, recorded_charts, rows_of, sum_of
from tools.store.bulk import forget_dataset, insert_patients
from tools.store.record_files import read_record, read_records, sha256_of
from tools.store.rows import DatasetInfo, person
from tools.store.store import Store
from tools.store.validation import Catalog, PatientChecks, read_catalog
from tools.store.versions import keep_replaced
from tools.terminology.own_terms import register

if TYPE_CHECKING:
    from sqlalchemy import Connection

Mode = Literal["new", "append", "replace"]
Did = Literal["loaded", "unchanged", "appended", "replaced"]
Progress = Callable[[str, int, int], None]  # stage ("checking", "writing"), done, expected
Chart = tuple[Patient, bytes]  # and its JSON
BATCH = 500


class LoadReport(Record, frozen=True, kw_only=True):
    """What a load did. `imported` charts were kept; `resting` additions are to people who are no longer there."""

    did: Did
    patients: int
    added: int = 0
    plans: int
    drugs: int
    forms: int
    policies: int
    imported: int = 0
    resting: int = 0
    trusted: tuple[str, ...] = ()  # files that are not as they were made


def load(
    store: Store,
    directory: Path | str,
    *,
    mode: Mode = "new",
    trust: bool = False,
    people: bool = True,
    progress: Progress = lambda stage, done, expected: None,
) -> LoadReport:
    """Bring the files of a folder into the store, or raise Invalid and leave the store as it was.

    Args:
        people: without them come plans, drugs, forms and policies alone, for charts of one's own.
    """
    folder = Path(directory)
    dataset, files = _manifest(folder)
    fingerprint = _fingerprint(dataset, files if people else {**files, "patients": "none"})
    loaded = store.loaded()
    if loaded and loaded.fingerprint == fingerprint:
        return _report(store, "unchanged", 0, ())
    catalog = read_catalog(folder)
    count = _check_patients(folder, dataset, catalog, progress) if people else 0
    changed = tuple(name for name, digest in sorted(files.items()) if dataset.files.get(name) != digest)
    if changed and not trust:
        raise Refused(_edited(changed, dataset, count))
    if loaded and mode == "new":
        raise Refused(
            f"the store already holds another world (seed {loaded.seed}, version {loaded.version}, as of "
            f"{loaded.as_of}): `pa load --append` adds the patients it lacks, `pa load --replace` replaces it"
        )
    info = msgspec.structs.replace(dataset, files=files, fingerprint=fingerprint)
    appending = mode == "append" and loaded is not None
    if loaded and appending:
        _check_same_catalog(store, catalog, info, loaded)
    added = _write(store, folder, info, catalog, appending, people, progress)
    database.settle(store.engine)
    return _report(store, "appended" if appending else "replaced" if loaded else "loaded", added, changed)


# --- reading and checking ---------------------------------------------------------------------------------


def _manifest(folder: Path) -> tuple[DatasetInfo, dict[str, str]]:
    """dataset.json, and the hash of each file that is there."""
    if not (folder / "dataset.json").is_file():
        raise Invalid(f"{folder} holds no dataset.json; `pa generate` makes a world there")
    dataset = read_record(folder / "dataset.json", DatasetInfo)
    register(dataset.terms)
    paths = [*patients_files(folder), *(folder / f"{name}.json" for name in ("drugs", "plans", "forms"))]
    paths += sorted((folder / "policies").glob("*.txt"))
    files = {path.relative_to(folder).as_posix(): sha256_of(path) for path in paths}
    if missing := sorted(
        name for name in dataset.files if name not in files and not (folder / name).is_file()
    ):
        raise Invalid(f"dataset.json names {', '.join(missing)}, which {folder} does not hold")
    return dataset, files


def patients_files(folder: Path) -> list[Path]:
    """patients.json, patients.jsonl, or the parts patients/*.parquet; Invalid if there is none or more than one."""
    files = [[path] for path in (folder / "patients.json", folder / "patients.jsonl") if path.is_file()]
    parts = sorted((folder / "patients").glob("*.parquet"))
    found = [*files, parts] if parts else files
    if len(found) == 1:
        return found[0]
    if not found:
        raise Invalid(f"{folder} holds neither patients.json nor patients.jsonl nor patients/*.parquet")
    names = " and ".join(paths[0].name if paths is not parts else "patients/*.parquet" for paths in found)
    raise Invalid(f"{folder} holds both {names}; keep one")


def _fingerprint(dataset: DatasetInfo, files: dict[str, str]) -> str:
    what = [dataset.as_of.isoformat(), str(dataset.seed), dataset.version]
    what += [f"{name} {digest}" for name, digest in sorted(files.items())]
    return hashlib.sha256("\n".join(what).encode()).hexdigest()


def _check_patients(folder: Path, dataset: DatasetInfo, catalog: Catalog, progress: Progress) -> int:
    """How many there are; Invalid at the first that is wrong."""
    expected = dataset.counts.get("patients", 0)
    checks, count = PatientChecks(catalog), 0
    charts = chain.from_iterable(read_records(path, Patient) for path in patients_files(folder))
    for count, located in enumerate(charts, 1):
        checks.check(located.record, located.place)
        if count % BATCH == 0:
            progress("checking", count, expected)
    progress("checking", count, expected or count)
    return count


def _edited(changed: Iterable[str], dataset: DatasetInfo, count: int) -> str:
    names = ", ".join(
        name if name in dataset.files else f"{name} (which dataset.json does not name)" for name in changed
    )
    expected = dataset.counts.get("patients", count)
    fewer = f" There are {count} patients, and {expected} were made." if count != expected else ""
    return (
        f"not as dataset.json describes: {names}.{fewer} What is there is valid, so somebody edited it: "
        "`pa load --trust` takes it as it is, `pa generate` makes it again"
    )


def _check_same_catalog(store: Store, catalog: Catalog, info: DatasetInfo, loaded: DatasetInfo) -> None:
    """Appending adds people to a world; it must be the same world."""
    pairs = {
        "as_of": (loaded.as_of, info.as_of),
        "drugs": (store.drugs(), list(catalog.drugs.values())),
        "plans": (store.plans(), list(catalog.plans.values())),
        "forms": (store.forms(), sorted(catalog.forms.values(), key=lambda form: form.plan_id)),
        "policies": (store.policies(), sorted(catalog.policies.values(), key=lambda policy: policy.id)),
    }
    if differing := [name for name, (here, there) in pairs.items() if here != there]:
        raise Refused(
            f"can't append: {', '.join(differing)} differ from what the store holds; `pa load --replace` takes them all"
        )


# --- writing ----------------------------------------------------------------------------------------------


def _write(
    store: Store,
    folder: Path,
    info: DatasetInfo,
    catalog: Catalog,
    appending: bool,
    people: bool,
    progress: Progress,
) -> int:
    """One transaction; returns how many patients are new."""
    added = done = 0
    with database.writing(store.engine) as connection:
        gone: list[Key] = []
        if not appending:
            replaced = keep_replaced(connection, catalog.policies.values(), store.acting().clock())
            gone = _clear(connection) + replaced
            _write_catalog(connection, catalog)
        charts = recorded_charts(connection) if appending else RowSet(rows_of(connection, t.CHARTS))
        for name, batch in _batches(folder, info) if people else ():
            fresh = _fresh(connection, batch, appending)
            try:
                insert_patients(connection, fresh, "dataset")
                charts.add({"patient_id": chart.id, "body": body} for chart, body in fresh)
            except IntegrityError as error:
                raise Invalid(_taken(store, fresh, name)) from error
            added += len(fresh)
            done += len(batch)
            progress("writing", done, info.counts.get("patients", 0))
        connection.execute(delete(t.DATASET))
        connection.execute(insert(t.DATASET), _row(t.DATASET, info, 1))
        sums = {f"{table.name}/*": sum_of(connection, table) for table in AS_A_WHOLE[1:]}
        of = f"seed {info.seed}, as of {info.as_of}: {added} patients"
        more = {ALL_CHARTS: str(charts)} | sums
        store.record(connection, "world.loaded", of=of, rows=gone, more=more)
    return added


def _batches(folder: Path, info: DatasetInfo) -> Iterator[tuple[str, list[Chart]]]:
    """The charts, some at a time, with the name of their file; Invalid if a file is no longer the one checked."""
    for path in patients_files(folder):
        digest = hashlib.sha256()
        patients = read_records(path, Patient, digest)
        while batch := [(located.record, located.body) for located in islice(patients, BATCH)]:
            yield path.name, batch
        if digest.hexdigest() != info.files[path.relative_to(folder).as_posix()]:
            raise Invalid(f"{path.name} changed while it was being loaded; load it again")


def _fresh(connection: Connection, batch: list[Chart], appending: bool) -> list[Chart]:
    """Those that are not there yet; Refused if one that is there is somebody else."""
    if not appending:
        return batch
    statement = select(t.CHARTS.c.patient_id, t.CHARTS.c.body).where(
        t.CHARTS.c.patient_id.in_([patient.id for patient, _ in batch])
    )
    there = {row.patient_id: row.body for row in connection.execute(statement)}
    for patient, body in batch:
        if there.get(patient.id, body) != body:
            raise Refused(
                f"can't append: {patient.id} differs from the {patient.id} that the store holds; "
                "`pa load --replace` takes the new one"
            )
    return [(patient, body) for patient, body in batch if patient.id not in there]


def _taken(store: Store, batch: list[Chart], file: str) -> str:
    """Asked on another connection: after an error this transaction answers nothing more on some databases."""
    ids = [patient.id for patient, _ in batch]
    statement = select(t.PATIENTS.c.id).where(t.PATIENTS.c.id.in_(ids), t.PATIENTS.c.origin == "import")
    with store.engine.connect() as connection:
        taken = connection.scalars(statement).all()
    return f"{file}: {', '.join(taken[:3])}: the store holds an imported chart of that id"


def _clear(connection: Connection) -> list[Key]:
    """Take out what came with the world that is loaded; the rows that went with its people and are recorded one by
    one."""
    of_dataset = select(t.PATIENTS.c.id).where(t.PATIENTS.c.origin == "dataset")
    table = t.PATIENT_IDENTIFIERS
    theirs = select(*table.primary_key).where(table.c.patient_id.in_(of_dataset))
    gone: list[Key] = [(table, tuple(row)) for row in connection.execute(theirs)]
    forget_dataset(connection)
    for each in (t.DRUGS, t.PLANS, t.FORMS, t.POLICIES):
        connection.execute(delete(each))
    return gone


def _write_catalog(connection: Connection, catalog: Catalog) -> None:
    known: dict[Table, Mapping[str, msgspec.Struct]] = {
        t.DRUGS: catalog.drugs, t.PLANS: catalog.plans, t.FORMS: catalog.forms, t.POLICIES: catalog.policies,
    }  # fmt: skip
    for table, records in known.items():
        if rows := [_row(table, record, at) for at, record in enumerate(records.values())]:
            connection.execute(insert(table), rows)


def _row(table: Table, record: msgspec.Struct, at: int) -> dict[str, object]:
    """A record whole, and beside it what it is found by: fields, folded ones, and its place."""
    said: dict[str, object] = {"body": msgspec.json.encode(record), "position": at}
    for column in table.columns.keys() - said.keys():
        field: Any = getattr(record, column.removesuffix("_fold"), at)
        said[column] = field.casefold() if column.endswith("_fold") else field
    return {column.name: said[column.name] for column in table.columns}


# --- reporting --------------------------------------------------------------------------------------------


def _report(store: Store, did: Did, added: int, trusted: tuple[str, ...]) -> LoadReport:
    by_origin = select(t.PATIENTS.c.origin, func.count()).group_by(t.PATIENTS.c.origin)
    # additions, and whose chart has their patient's id now
    additions = (
        select(t.CHART_ENTRIES.c.person, t.CHARTS.c.body)
        .outerjoin_from(t.CHART_ENTRIES, t.CHARTS, t.CHARTS.c.patient_id == t.CHART_ENTRIES.c.patient_id)
        .where(t.CHART_ENTRIES.c.undone_when.is_(None))
    )
    with store.engine.connect() as connection:
        people: dict[str, int] = {row[0]: row[1] for row in connection.execute(by_origin)}
        counts = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (t.PLANS, t.DRUGS, t.FORMS, t.POLICIES)
        }
        resting = sum(
            body is None or person(msgspec.json.decode(body, type=Patient)) != who
            for who, body in connection.execute(additions)
        )
    return LoadReport(
        did=did,
        patients=people.get("dataset", 0),
        added=added,
        imported=people.get("import", 0),
        resting=resting,
        trusted=trusted,
        **counts,
    )
