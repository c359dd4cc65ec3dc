"""The bundled world, and stores that an eval makes for itself in a folder that is gone afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from data_gen.world import Order, generate
from tools.domain.records import Drug, Plan
from tools.store import Store
from tools.store import index as policies
from tools.store.load import load

MOCK_DATA = Path(__file__).parents[1] / "mock_data"


def read_plans(world: Path = MOCK_DATA) -> dict[str, Plan]:
    """The plans of a world's folder by id."""
    return {
        plan.id: plan for plan in msgspec.json.decode((world / "plans.json").read_bytes(), type=list[Plan])
    }


def read_drugs(world: Path = MOCK_DATA) -> dict[str, Drug]:
    """The drugs of a world's folder by name."""
    return {
        drug.name: drug for drug in msgspec.json.decode((world / "drugs.json").read_bytes(), type=list[Drug])
    }


@contextmanager
def fresh_store(world: Path = MOCK_DATA, *, index: bool = False) -> Iterator[Store]:
    """A store of a world's folder, the bundled one if none is named; with `index` its policies can be searched."""
    with TemporaryDirectory(prefix="paladin-evals-") as folder:
        store = Store.create(f"sqlite:///{folder}/paladin.db")
        try:
            load(store, world)
            if index:
                policies.ensure(store)
            yield store
        finally:
            store.close()


def filled(order: Order, url: str) -> Store:
    """A new store at this URL, with a world that is generated for it."""
    generate(order)
    store = Store.create(url)
    load(store, order.out)
    return store


@contextmanager
def generated_store(patients: int) -> Iterator[Store]:
    """A store of a world that is made for it, of so many patients under the committed catalog."""
    with TemporaryDirectory(prefix="paladin-evals-") as folder:
        generate(Order(count=patients, out=Path(folder)))
        with fresh_store(Path(folder)) as store:
            yield store
