"""The table of evals/chat/README.md, printed from evals/results/chat-*.json."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "results"
SHARES = {
    "outcome": "outcome right",
    "intent": "understood what was asked",
    "refused": "refused what is to be refused",
}
COUNTS = {
    "unsupported_facts": "unsupported facts",
    "wrong_patient_disclosures": "facts of another patient",
    "other_outcomes_said": "wrong outcomes said",
}
COSTS = {
    "model_calls_median": "model calls, median",
    "prompt_tokens_median": "prompt tokens, median",
    "seconds_p50": "seconds, median",
    "first_token_seconds_p50": "… to the first verified sentence",
}


def results() -> list[dict[str, Any]]:
    """Everything that was measured: offline first, then each model, Paladin before the plain agent."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("chat-*.json"))]
    return sorted(found, key=lambda one: (one["agent"] != "chat", one["model"] != "offline", one["model"]))


def table(measured: Sequence[Mapping[str, Any]]) -> str:
    """Markdown, one column for each model and agent."""
    heads = [_head(one) for one in measured]
    rows = [["measured by `python -m evals.chat`", *heads], ["---", *("---:" for _ in heads)]]
    rows += _rows(measured)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _rows(measured: Sequence[Mapping[str, Any]]) -> Iterator[list[str]]:
    yield ["questions", *(f"{one['questions']:,}" for one in measured)]
    for key, said in SHARES.items():
        yield [said, *(_share(one["scores"].get(key)) for one in measured)]
    for key, said in COUNTS.items():
        yield [said, *(f"{one[key]:,}" for one in measured)]
    for key, said in COSTS.items():
        yield [said, *(_cost(one["costs"].get(key)) for one in measured)]


def _head(one: Mapping[str, Any]) -> str:
    name = str(one["model"]).removeprefix("qwen2.5-coder:")
    return name if one["agent"] == "chat" else f"plain agent, {name}"


def _share(score: Mapping[str, Any] | None) -> str:
    if not score or not score["of"]:
        return "-"
    return f"{100 * score['share']:.1f} % ({score['right']}/{score['of']})"


def _cost(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2g}"
