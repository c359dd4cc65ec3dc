"""Trains `agent.answers.relevance` from labelled turns, and scores it on authors that it has not seen.

    .boot/bin/uv pip install --python .venv/bin/python --group train    # scikit-learn, once
    .venv/bin/python -m evals.train_relevance              # score with each author held out
    .venv/bin/python -m evals.train_relevance --write      # … and write weights and results

Weights are the same for the same examples, chart wordings and scikit-learn.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from agent.answers.passages import passages, texts
from agent.answers.relevance import WEIGHTS, Question, features, pool_of
from agent.settings import read_settings
from evals.first_sight.__main__ import WORLD
from tools.bound import Bound
from tools.language.encoder import fingerprint
from tools.store import Store
from tools.store.load import load

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EXAMPLES = Path(__file__).parent / "examples" / "facts"
RESULTS = Path(__file__).parent / "results" / "relevance.json"
STRENGTH = 10.0  # of the prior: C of scikit-learn's LogisticRegression
LIKELY = 0.5  # from which the first passage is counted as surely the one


class Example(NamedTuple):
    """A turn: what the model sees of each passage, and which of them its author wants stated."""

    author: str
    rows: Any  # sparse, passages x features
    wanted: NDArray[np.bool_]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--write", action="store_true", help="write the weights and evals/results/relevance.json"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        store = Store.create(read_settings({"PALADIN_HOME": home}).database_url)
        load(store, WORLD)
        examples = list(read(EXAMPLES, store))
    scored = held_out(examples)
    print(json.dumps(scored, indent=2))
    if given.write:
        save(examples)
        RESULTS.write_text(json.dumps(scored, indent=2) + "\n")


def read(folder: Path, store: Store) -> Iterator[Example]:
    """Every turn of every author, against everything that could be said of its patient and drugs."""
    from scipy.sparse import csr_matrix

    lines = [(path.stem, line) for path in sorted(folder.glob("f*.jsonl")) for line in path.open()]
    for author, line in lines:
        talk = json.loads(line)
        bound = Bound(store, talk["patient"])
        before = Question("")
        for said in talk["turns"]:
            everything = passages(bound, _drugs(said, bound))
            pool = pool_of(everything, texts(everything, bound))
            question = Question(said["text"], before.text, before.shown)
            wanted = [_is_one_of(key, said["facts"]) for key in pool.keys]
            yield Example(author, csr_matrix(features(question, pool)), _flags(wanted))
            shown = frozenset(key for key, one in zip(pool.keys, wanted, strict=True) if one)
            before = Question(said["text"], "", shown)


def _drugs(said: dict[str, Any], bound: Bound) -> list[str]:
    """The drugs whose policies are looked through: of the turn, or else what is ordered."""
    names = [said["drug"]] if said["drug"] else [order.drug for order in bound.patient.orders][:1]
    return [name for name in names if name in bound.plan.benefits]


def _is_one_of(key: str, facts: Sequence[str]) -> bool:
    """A measured value may stand in several records."""
    own = set(key.split(",")) if key[:2] not in ("P:", "F:") else {key}
    return any(own & ({fact} | set(fact.split(","))) for fact in facts)


def _flags(wanted: Sequence[bool]) -> NDArray[np.bool_]:
    import numpy as np

    return np.array(wanted, bool)


def held_out(examples: Sequence[Example]) -> dict[str, Any]:
    """How often the first passage is right, and one of the first three, where each author in turn is left out."""
    first = three = count = sure = sure_right = 0
    for author in sorted({example.author for example in examples}):
        model = _fitted([example for example in examples if example.author != author])
        for example in examples:
            if example.author != author:
                continue
            likely = model.predict_proba(example.rows)[:, 1]
            order = (-likely).argsort()
            if likely[order[0]] >= LIKELY:
                sure += 1
                sure_right += bool(example.wanted[order[0]])
            if example.wanted.any():
                count += 1
                first += bool(example.wanted[order[0]])
                three += bool(example.wanted[order[:3]].any())
    return {
        "authors": len({example.author for example in examples}),
        "turns": len(examples),
        "turns with a passage": count,
        "first is right": round(first / count, 3),
        "one of the first three is right": round(three / count, 3),
        "turns with a likely first": sure,
        "of them right": round(sure_right / max(1, sure), 3),
    }


def save(examples: Sequence[Example]) -> None:
    import numpy as np

    model = _fitted(examples)
    weights = np.append(model.coef_[0], model.intercept_).astype(np.float16)
    np.savez_compressed(WEIGHTS, weights=weights, encoder=np.array(fingerprint()))


def _fitted(examples: Sequence[Example]) -> Any:
    import numpy as np
    from scipy.sparse import vstack
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=STRENGTH, max_iter=400, tol=1e-5)
    return model.fit(
        vstack([example.rows for example in examples]), np.concatenate([one.wanted for one in examples])
    )


if __name__ == "__main__":
    main()
