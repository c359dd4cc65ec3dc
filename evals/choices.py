"""What a model adds where a turn is read unsurely: its choice between the two likeliest queries, beside code's first.

    python -m evals.choices --held q10,q15                      # how often code's first is right, and one of its two
    python -m evals.choices --held q10,q15 --model NAME         # … and how often the model's choice is

The turns are those of authors that the encoder has not seen, whose least sure span is below the bar at which the chat
asks a model or the user.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from agent.dialogue import choice, reader
from agent.dialogue.known import Known
from agent.dialogue.query import Query, Reading, Talk
from evals.train_encoder import EXAMPLES, known_world, read
from tools.statistics import wilson

RESULTS = Path(__file__).parent / "results" / "choices.json"


class Unsure(NamedTuple):
    """A turn with one question, what its author means by it, and how it is read."""

    text: str
    before: str
    meant: Query
    reading: Reading


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--held", required=True, help="authors, with commas between")
    parser.add_argument("--model", default="", help="one that Ollama has on this machine")
    parser.add_argument("--limit", type=int, default=80)
    parser.add_argument("--write", action="store_true", help="write evals/results/choices.json")
    given = parser.parse_args()
    turns = list(unsure(set(given.held.split(",")), known_world()))[: given.limit]
    told = score(turns, given.model)
    print(json.dumps(told, indent=2))
    if given.write:
        kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        RESULTS.write_text(json.dumps({**kept, given.model or "code": told}, indent=2) + "\n")


def unsure(held: set[str], known: Known) -> Iterator[Unsure]:
    """The turns of these authors that ask one thing and are read unsurely."""
    for example in read(EXAMPLES):
        if example.author not in held or example.spans is None or len(example.spans) != 1:
            continue
        reading = reader.read(example.text, Talk(patient_id="P001", question=example.before), known)
        if len(reading.asks) == 1 and len(reading.readings) == 2:
            meant: Query = example.spans[0].labels["query"]  # type: ignore[assignment]
            yield Unsure(example.text, example.before, meant, reading)


def score(turns: list[Unsure], model: str) -> dict[str, Any]:
    """Counts with Wilson's interval; the model's, if there is one."""
    told: dict[str, Any] = {"turns": len(turns)}
    told |= _share("code's first is right", [one.meant == one.reading.readings[0] for one in turns])
    told |= _share("one of the two is", [one.meant in one.reading.readings for one in turns])
    if model:
        from agent.models.factory import open_model
        from agent.settings import read_settings

        opened, _ = open_model(model, read_settings())
        assert opened is not None
        chosen = []
        for one in turns:
            talk = Talk(patient_id="P001", question=one.before)
            reading, _ = choice.choose(one.text, one.reading, talk, opened)
            chosen.append(reading.asks[0].query == one.meant)
        told |= _share(f"the choice of {model} is right", chosen)
    return told


def _share(name: str, hits: list[bool]) -> dict[str, Any]:
    low, high = wilson(sum(hits), len(hits)) if hits else (0.0, 1.0)
    return {name: [sum(hits), round(low, 3), round(high, 3)]}


if __name__ == "__main__":
    main()
