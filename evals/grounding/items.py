"""What the verifier is asked: corruptions of ten kinds in the letters and short answers of every patient and drug of
the bundled world, those letters and answers as they are, and sentences that were written by hand."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from evals.grounding.mutate import KINDS, Wrong, answers, corrupt
from evals.stores import fresh_store
from evals.suites.items import Item
from tools.common.errors import PaladinError
from tools.papers.case import Case
from tools.papers.letters import letter
from tools.queries.bound import Bound
from tools.store.store import Store

HERE = Path(__file__).parent
SETS = ("known", "held_out")
EACH = 60  # corruptions of a kind
ROUNDS = 40  # through all cases, until there are enough of each kind


class Work(NamedTuple):
    """A case of the bundled world and its letter."""

    case: Case
    letter: str


def drawn(seed: int, each: int = EACH) -> Iterator[Item]:
    """So many corruptions of each kind; where each stands is known because it was put there."""
    works = cases()
    for number, (work, wrong) in enumerate(_corruptions(works, seed, each), start=1):
        yield Item(
            id=f"grounding-{seed}-{number}", suite="grounding", kind=wrong.kind, world="bundled",
            patient=work.case.patient.id, drug=work.case.drug.name, cluster=work.case.patient.id, note=wrong.text,
            span=(wrong.start, wrong.end), why=f"“{wrong.was}” stood there, in the {wrong.source}",
        )  # fmt: skip


def given() -> Iterator[Item]:
    """The letters and answers as they are, in which nothing is wrong, and the sentences by hand."""
    draw = random.Random(0)
    for work in cases():
        texts = {"letter": work.letter, "answers": "\n".join(answers(work.case, draw))}
        for what, text in texts.items():
            yield Item(
                id=f"grounding-{what}-{work.case.patient.id}-{work.case.drug.name}", suite="grounding", kind="clean",
                set=what, world="bundled", patient=work.case.patient.id, drug=work.case.drug.name,
                cluster=work.case.patient.id, note=text, why="it is printed from the record",
            )  # fmt: skip
    for name in SETS:
        for number, (kind, patient, drug, text) in enumerate(sentences(name), start=1):
            yield Item(
                id=f"grounding-{name}-{number}", suite="grounding", kind=kind, set=name, world="bundled",
                patient=patient, drug=drug, cluster=patient, note=text, span=(0, 0 if kind == "clean" else len(text)),
                why="labelled by hand",
            )  # fmt: skip


def sentences(name: str) -> Iterator[tuple[str, str, str, str]]:
    """Kind, patient, drug and sentence of each line `P001 Ozempic number: …` of a set."""
    for line in (HERE / "sentences" / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            head, _, sentence = line.partition(": ")
            patient_id, drug, kind = head.split()
            yield kind, patient_id, drug, sentence


@cache
def cases() -> tuple[Work, ...]:
    """Every patient and drug of the bundled world for which there is a case."""
    with fresh_store() as store:
        return tuple(_cases(store))


def _cases(store: Store) -> Iterator[Work]:
    for row in store.find_patients(limit=10_000):
        bound = Bound(store, row.id)
        for drug in bound.drugs:
            try:
                case = bound.case(drug.name)
            except PaladinError:
                continue
            yield Work(case, letter(case).text)


def _corruptions(works: tuple[Work, ...], seed: int, each: int) -> Iterator[tuple[Work, Wrong]]:
    draw = random.Random(seed)
    names = [work.case.patient.name for work in works]
    made: Counter[str] = Counter()
    pool = [*works]
    for _ in range(ROUNDS):
        draw.shuffle(pool)
        for work in pool:
            if all(made[kind] >= each for kind in KINDS):
                return
            for wrong in corrupt(work.case, work.letter, draw, names):
                if made[wrong.kind] < each:
                    made[wrong.kind] += 1
                    yield work, wrong
