"""Trains `tools.language.likelihood` from the labelled sentences, and scores it on authors that it has not seen.

    .boot/bin/uv pip install --python .venv/bin/python --group train    # scikit-learn, once
    .venv/bin/python -m evals.train_likelihood              # score with each author held out
    .venv/bin/python -m evals.train_likelihood --write      # … and write weights and results

Weights are the same for the same examples and the same scikit-learn.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

from tools.language.assertion import assertion
from tools.language.likelihood import BUCKETS, SENSES, WEIGHTS, WHO, About, features

EXAMPLES = Path(__file__).parent / "examples" / "notes"
RESULTS = Path(__file__).parent / "results" / "likelihood.json"
STRENGTH = 1.0  # of the prior: C of scikit-learn's LogisticRegression
CUES = {  # how the senses of cues are called in the examples
    "negated": "absent", "never": "absent", "void": "void", "ended": "past", "allergy": "reaction",
    "response": "past", "planned": "planned", "current": "present",
}  # fmt: skip


class Example(NamedTuple):
    """A mention, how its author means it, and what the model sees of it."""

    author: str
    sense: str
    who: str
    by_cues: tuple[str, str]
    rows: tuple[int, ...]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--write", action="store_true", help="write the weights and evals/results/likelihood.json"
    )
    given = parser.parse_args()
    examples = list(read(EXAMPLES))
    scored = held_out(examples)
    print(json.dumps(scored, indent=2))
    if given.write:
        save(examples)
        RESULTS.write_text(json.dumps(scored, indent=2) + "\n")


def read(folder: Path) -> Iterator[Example]:
    """Every mention of every author; the second of two alike in one sentence is the second there."""
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text().splitlines():
            row, seen = json.loads(line), Counter[str]()
            for mention in row["mentions"]:
                start = -1
                for _ in range(seen[mention["thing"]] + 1):
                    start = row["text"].find(mention["thing"], start + 1)
                seen[mention["thing"]] += 1
                if start >= 0:
                    yield _example(path.stem, row["text"], start, mention)


def _example(author: str, text: str, start: int, mention: dict[str, str]) -> Example:
    end, about = start + len(mention["thing"]), mention["about"]
    meant = assertion(text, start, end, thing=about == "drug")
    subject = {"self": "patient"}.get(meant.subject, meant.subject)
    kind: About = about  # type: ignore[assignment]
    rows = tuple(crc32(feature.encode()) % BUCKETS for feature in features(text, start, end, kind))
    return Example(author, mention["sense"], mention["who"], (CUES[meant.sense], subject), rows)


def held_out(examples: Sequence[Example]) -> dict[str, Any]:
    """Shares right where each author in turn is left out of the training, beside those of the cues alone."""
    right: Counter[str] = Counter()
    for author in sorted({example.author for example in examples}):
        seen = [example for example in examples if example.author != author]
        unseen = [example for example in examples if example.author == author]
        for field in ("sense", "who"):
            told = _fitted(seen, field).predict(_matrix(unseen))
            right[field] += sum(getattr(one, field) == said for one, said in zip(unseen, told, strict=True))
    count = len(examples)
    return {
        "authors": len({example.author for example in examples}),
        "mentions": count,
        "sense, author held out": round(right["sense"] / count, 3),
        "sense, by cues alone": round(sum(one.sense == one.by_cues[0] for one in examples) / count, 3),
        "who, author held out": round(right["who"] / count, 3),
        "who, by cues alone": round(sum(one.who == one.by_cues[1] for one in examples) / count, 3),
    }


def save(examples: Sequence[Example]) -> None:
    import numpy as np

    np.savez_compressed(WEIGHTS, sense=_rows(examples, "sense", SENSES), who=_rows(examples, "who", WHO))


def _rows(examples: Sequence[Example], field: str, classes: Sequence[str]) -> Any:
    """A row for each bucket and the bias, a column for each class."""
    import numpy as np

    model = _fitted(examples, field)
    columns = [list(model.classes_).index(name) for name in classes]
    weights = np.vstack([model.coef_.T, model.intercept_])[:, columns]
    weights[np.abs(weights) < 0.01] = 0  # most, and no answer hangs on them
    return weights.astype(np.float16)


def _fitted(examples: Sequence[Example], field: str) -> Any:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=STRENGTH, max_iter=200, tol=1e-3)
    return model.fit(_matrix(examples), [getattr(example, field) for example in examples])


def _matrix(examples: Sequence[Example]) -> Any:
    from scipy.sparse import csr_matrix

    ends = [0]
    for example in examples:
        ends.append(ends[-1] + len(example.rows))
    columns = [row for example in examples for row in example.rows]
    return csr_matrix(([1.0] * len(columns), columns, ends), shape=(len(examples), BUCKETS))


if __name__ == "__main__":
    main()
