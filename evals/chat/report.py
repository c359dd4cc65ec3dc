"""What was measured of the chat, as JSON for each model and as one page with the models side by side."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from evals.bench import machine
from evals.chat.driving import COSTS, Setup
from evals.chat.questions import KINDS, Expect
from evals.chat.scoring import CHECKS
from evals.stats import wilson

RESULTS = Path(__file__).parents[1] / "results"
COMBINED = RESULTS / "chat.md"
MOST_FAILURES = 60  # of one model on the page; the JSON has them all

SAID = {
    "outcome": "outcome right",
    "intent": "intent right",
    "drugs": "drugs right",
    "refused": "refused what is to be refused",
    "not_refused": "benign twins not refused",
    "needless": "nothing else refused needlessly",
    "asks_back": "asked back where it must",
    "hypothetical": "marked as supposed",
    "drafted": "drafted what can be, and nothing else",
    "patient": "the right patient bound",
    "says": "says what it must, and nothing it must not",
    "citations": "cites what it must",
    "supported": "no unsupported fact",
    "private": "nobody else disclosed",
}


def owed(expect: Expect | None) -> list[str]:
    """The checks that a turn which never came fails."""
    if expect is None:
        return []
    asked = {
        "intent": expect.admissible,
        "drugs": expect.drugs,
        "outcome": expect.outcome,
        "citations": expect.citations,
        "says": expect.says,
        "refused": expect.refused,
        "asks_back": expect.asks_back,
        "hypothetical": expect.hypothetical,
        "drafted": expect.drafted,
    }
    return [name for name, value in asked.items() if value]


def result(
    setup: Setup, rows: Sequence[Mapping[str, Any]], what: Sequence[str], seconds: float
) -> dict[str, Any]:
    """Everything of one run; the figures can be made again of its rows."""
    return {
        **msgspec.to_builtins(setup),
        "what": list(what),
        "machine": machine(),
        "took_seconds": round(seconds, 1),
        **figures(rows),
        "rows": list(rows),
    }


def blind(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row without question, answer and what was wrong, if it is of the set that is held out."""
    held_out = row["set"] == "first"
    return {k: v for k, v in row.items() if not held_out or k not in ("question", "answer", "wrong")}


def figures(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The scores, with Wilson's intervals, and what the answers cost."""
    scored = [row for row in rows if row["checks"]]
    return {
        "questions": len({row["id"] for row in rows}),
        "answers": len(rows),
        "right": _share([row["right"] for row in scored]),
        "scores": {check: _share(_of(rows, check)) for check in CHECKS if [*_of(rows, check)]},
        "kinds": {
            kind: {
                "right": _share([row["right"] for row in scored if row["kind"] == kind]),
                "outcome": _share([*_of((row for row in rows if row["kind"] == kind), "outcome")]),
            }
            for kind in KINDS
            if any(row["kind"] == kind for row in rows)
        },
        "sets": {
            name: {
                "right": _share([row["right"] for row in scored if row["set"] == name]),
                "outcome": _share([*_of((row for row in rows if row["set"] == name), "outcome")]),
                "intent": _share([*_of((row for row in rows if row["set"] == name), "intent")]),
            }
            for name in dict.fromkeys(row["set"] for row in rows)
        },
        "unsupported_facts": sum(row["unsupported"] for row in rows),
        "wrong_patient_disclosures": sum(row["disclosed"] for row in rows),
        "other_outcomes_said": sum(bool(row.get("other_outcome")) for row in rows),
        "errors": sum(bool(row.get("error")) for row in rows),
        "model_troubles": sum(bool(row.get("trouble")) for row in rows),
        "paths": _paths(rows),
        "costs": _costs(rows),
    }


def _of(rows: Iterable[Mapping[str, Any]], check: str) -> list[bool]:
    return [row["checks"][check] for row in rows if check in row["checks"]]


def _share(results: Sequence[bool]) -> dict[str, Any]:
    right, of = sum(results), len(results)
    low, high = wilson(right, of)
    return {
        "right": right,
        "of": of,
        "share": round(right / of, 4) if of else None,
        "low": round(low, 4),
        "high": round(high, 4),
    }


def _paths(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    paths = [row["path"] for row in rows if row.get("path")]
    return {path: round(paths.count(path) / len(paths), 4) for path in dict.fromkeys(sorted(paths))}


def _costs(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Medians and extremes over the answers; seconds are of the whole answer and until its first sentence."""
    values = {name: sorted(row[name] for row in rows if row.get(name) is not None) for name in COSTS}
    found: dict[str, Any] = {}
    if values["model_calls"]:
        found["model_calls_median"] = median(values["model_calls"])
        found["model_calls_most"] = values["model_calls"][-1]
    for name in ("prompt_tokens", "output_tokens"):
        if values[name]:
            found[f"{name}_median"] = median(values[name])
            found[f"{name}_most"] = values[name][-1]
    for name in ("seconds", "first_token_seconds"):
        if values[name]:
            found[f"{name}_p50"] = _percentile(values[name], 0.5)
            found[f"{name}_p95"] = _percentile(values[name], 0.95)
    return found


def _percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that so great a share does not exceed."""
    at = max(0, -(-int(share * 1000 * len(ordered)) // 1000) - 1)
    return round(float(ordered[min(at, len(ordered) - 1)]), 4)


# --- files ------------------------------------------------------------------------------------------------


def write(name: str, result: Mapping[str, Any], folder: Path = RESULTS) -> Path:
    """Write one run as JSON, a row to a line."""
    path = folder / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    head = json.dumps({k: v for k, v in result.items() if k != "rows"}, indent=2, ensure_ascii=False)
    lines = ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in result["rows"])
    path.write_text(f'{head[:-2]},\n  "rows": [\n{lines}\n  ]\n}}\n', encoding="utf-8")
    return path


def write_page(name: str, result: Mapping[str, Any], folder: Path) -> Path:
    """The page of one run."""
    path = folder / f"{name}.md"
    path.write_text("\n".join(page([result])) + "\n", encoding="utf-8")
    return path


def write_combined(folder: Path = RESULTS) -> Path:
    """The page of all runs that lie there."""
    runs = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("chat-*.json"))]
    runs.sort(
        key=lambda run: (run["agent"] != "chat", run["understanding"] != "joined", run["model"] != "offline")
    )
    path = folder / COMBINED.name
    path.write_text("\n".join(page(runs)) + "\n", encoding="utf-8")
    return path


# --- the page ---------------------------------------------------------------------------------------------


def page(runs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The runs side by side, as Markdown."""
    yield "# The chat, measured"
    yield ""
    yield "Written by `python -m evals.chat`; what is scored and how stands in `evals/chat/`. Shares are of the answers"
    yield "that the check applies to, with Wilson's 95 % interval."
    if not runs:
        yield ""
        yield "Nothing has been measured yet."
        return
    yield ""
    yield from _table(runs)
    for run in runs:
        if run["agent"] == "tools":
            yield from _beside(run, runs)
    yield ""
    yield "## By kind: answers that are right in everything"
    yield ""
    yield from _grid(runs, "kinds", KINDS)
    yield ""
    yield "## By set"
    yield ""
    yield "`first` was written before the understanding and kept from those who built it; `model` is what two small"
    yield "models made of seeds, corrected by hand; `open` was there for development."
    yield ""
    yield from _grid(runs, "sets", dict.fromkeys(name for run in runs for name in run["sets"]), "outcome")
    for run in runs:
        yield from _failures(run)


def _table(runs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield _line("", *(_title(run) for run in runs))
    yield _line("---", *("---:" for _ in runs))
    yield _line("questions / answers", *(f"{run['questions']} / {run['answers']}" for run in runs))
    for check, label in SAID.items():
        yield _line(label, *(_shown(run["scores"].get(check)) for run in runs))
    yield _line("right in everything", *(_shown(run["right"]) for run in runs))
    for name, label in (
        ("unsupported_facts", "unsupported facts"),
        ("wrong_patient_disclosures", "disclosures of another patient"),
        ("other_outcomes_said", "answers that say another outcome than the engine's"),
        ("errors", "errors"),
        ("model_troubles", "answers with trouble of the model"),
    ):
        yield _line(label, *(str(run[name]) for run in runs))
    yield _line("path: llm / repaired / template", *(_paths_shown(run) for run in runs))
    for name, label in (
        ("model_calls_median", "model calls, median"),
        ("model_calls_most", "model calls, most"),
        ("prompt_tokens_median", "prompt tokens, median"),
        ("output_tokens_median", "output tokens, median"),
        ("seconds_p50", "seconds, p50"),
        ("seconds_p95", "seconds, p95"),
        ("first_token_seconds_p50", "seconds to the first sentence, p50"),
        ("first_token_seconds_p95", "seconds to the first sentence, p95"),
    ):
        yield _line(label, *(f"{run['costs'][name]:g}" if name in run["costs"] else "" for run in runs))
    yield ""
    for run in runs:
        digest = f", digest {run['digest']}" if run["digest"] else ""
        how = f"{digest}, prompt {run['prompt']}, seed {run['seed']}, {' '.join(run['what'])}"
        yield f"- {_title(run)}{how}: {run['machine']}"


def _beside(plain: Mapping[str, Any], runs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The plain agent and the chat on the same questions."""
    ids = {row["id"] for row in plain["rows"]}
    same: list[Mapping[str, Any]] = [plain]
    for run in runs:
        rows = [row for row in run["rows"] if row["id"] in ids]
        if run["agent"] == "chat" and {row["id"] for row in rows} == ids:
            same.append({**run, **figures(rows)})
    if len(same) == 1:
        return
    yield ""
    yield f"## The plain agent on {plain['model']}, and the chat on the same {len(ids)} questions"
    yield ""
    yield "The plain agent does not say what it understood, so only its words are scored: an outcome is right if the"
    yield "text states the engine's and no other."
    yield ""
    yield _line("", *(_title(run) for run in same))
    yield _line("---", *("---:" for _ in same))
    for check in ("outcome", "says", "refused", "not_refused", "supported", "private"):
        yield _line(SAID[check], *(_shown(run["scores"].get(check)) for run in same))
    for name, label in (
        ("unsupported_facts", "unsupported facts"),
        ("other_outcomes_said", "answers that say another outcome than the engine's"),
        ("model_troubles", "unfinished or troubled"),
    ):
        yield _line(label, *(str(run[name]) for run in same))
    for name in (
        "model_calls_median",
        "prompt_tokens_median",
        "output_tokens_median",
        "seconds_p50",
        "seconds_p95",
    ):
        label = name.replace("_", " ")
        yield _line(label, *(f"{run['costs'][name]:g}" if name in run["costs"] else "" for run in same))


def _grid(
    runs: Sequence[Mapping[str, Any]], part: str, names: Iterable[str], also: str = ""
) -> Iterator[str]:
    yield _line(part.rstrip("s"), *(_title(run) for run in runs))
    yield _line("---", *("---:" for _ in runs))
    for name in names:
        cells = [run[part].get(name, {}) for run in runs]
        yield _line(name, *(_shown(cell.get("right"), brief=True) for cell in cells))
        if also:
            yield _line(f"{name}: {SAID[also]}", *(_shown(cell.get(also), brief=True) for cell in cells))


def _failures(run: Mapping[str, Any]) -> Iterator[str]:
    failed = [row for row in run["rows"] if not row["right"] and "question" in row]
    hidden = sum(not row["right"] for row in run["rows"]) - len(failed)
    yield ""
    yield f"## What was wrong: {_title(run)}"
    yield ""
    if hidden:
        yield f"{hidden} of the held-out set are not shown."
        yield ""
    if not failed:
        yield "" if hidden else "Nothing."
    elif len(failed) > MOST_FAILURES:
        yield f"The first {MOST_FAILURES} of {len(failed)}; `{RESULTS.name}/` has them all."
        yield ""
    for row in failed[:MOST_FAILURES]:
        yield f"- **{row['id']}** turn {row['turn']}: {_brief(row['question'], 160) or '(nothing)'}"
        yield f"  - {_brief(row['answer'], 400) or '(no answer)'}"
        for wrong in row["wrong"]:
            yield f"  - ✗ {_brief(wrong, 300)}"


def headlines(result: Mapping[str, Any]) -> Iterator[str]:
    """What a run says at its end."""
    yield f"{_title(result)}: {result['questions']} questions, {result['answers']} answers, {result['took_seconds']} s"
    for check, label in SAID.items():
        if check in result["scores"]:
            yield f"  {label:46} {_shown(result['scores'][check])}"
    yield f"  {'right in everything':46} {_shown(result['right'])}"
    yield f"  unsupported facts {result['unsupported_facts']}, disclosures {result['wrong_patient_disclosures']},"
    yield f"  other outcomes said {result['other_outcomes_said']}, errors {result['errors']}"
    yield f"  {', '.join(f'{name} {value:g}' for name, value in result['costs'].items())}"


def _title(run: Mapping[str, Any]) -> str:
    plain = " (plain agent)" if run["agent"] == "tools" else ""
    by = "" if run["understanding"] == "joined" else f" (understood by {run['understanding']} alone)"
    sample = (
        f", {run['questions']} questions" if any(str(one).startswith("limit") for one in run["what"]) else ""
    )
    return f"{run['model']}{plain}{by}{sample}"


def _shown(share: Mapping[str, Any] | None, brief: bool = False) -> str:
    if not share or not share["of"]:
        return ""
    text = f"{share['right']}/{share['of']}"
    if brief:
        return f"{text} ({100 * share['share']:.0f} %)"
    return f"{100 * share['share']:.1f} % ({text}; {100 * share['low']:.1f}-{100 * share['high']:.1f})"


def _paths_shown(run: Mapping[str, Any]) -> str:
    return " / ".join(f"{100 * run['paths'].get(name, 0):.0f} %" for name in ("llm", "repaired", "template"))


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _brief(text: str, most: int) -> str:
    line = " ".join(text.split()).replace("|", "\\|")
    return line if len(line) <= most else f"{line[:most]}…"
