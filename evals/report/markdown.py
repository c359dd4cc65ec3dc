"""The report as Markdown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from evals.report.table import Against, ArmFigures, Part, confusion, lines, parts, uplifts, worst
from evals.scores.rows import Row
from evals.stats import Interval, proportion
from evals.suites.session import About

CAVEAT = (
    "The people and the engine's rules come from one catalog: that they agree shows consistency, and not that either is"
    " right about a payer (evals/oracle looks at that from the printed policies). Charts are synthetic. A replayed run"
    " shows what the code does with what a model once said, not what a model says."
)


def report(about: About, rows: Sequence[Row]) -> str:
    """All of it."""
    table = lines(rows)
    blocks = [
        f"# Evals: {about.name}",
        *head(about, rows),
        CAVEAT,
        *_headline(uplifts(rows)),
        "## All suites",
        grid(summary(one for one in table if not one.suite)),
        _links(worst(rows)),
        "## By suite",
        grid(summary(one for one in table if one.suite)),
        "## What went wrong with models, and what they cost",
        grid(costs(table)),
        "## Details",
        grid(details(table)),
        "## By kind and set",
        grid(by_part(parts(rows))),
        *_confusions(rows),
        "## To read first",
        *[_trace(row) for row in worst(rows)],
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def head(about: About, rows: Sequence[Row]) -> list[str]:
    """What decides the figures."""
    what = [f"{about.model}"]
    what += [f"digest {about.digest}"] if about.digest else []
    what += [f"{about.parameters} {about.quantisation}".strip()] if about.quantisation else []
    what += [about.server] if about.server else []
    what += [f"num_ctx {about.num_ctx}"] if about.num_ctx else []
    asked = Counter(suite for suite, _ in dict.fromkeys((row.suite, row.item) for row in rows))
    items = ", ".join(f"{suite} {many}" for suite, many in asked.items())
    tries = max((row.epoch for row in rows if row.temperature), default=0)
    return [
        f"Model: {', '.join(what)}. {about.mode.capitalize()}. {about.date}, {about.hardware}.",
        f"Commit {about.commit or 'unknown'}, code {about.code}, prompts {about.prompts}, items {about.cases}, "
        f"people of seed {about.people}. {len(rows)} samples"
        f"{f', up to {tries} tries at temperature 0.7' if tries else ''}{', smoke' if about.smoke else ''}."
        f" Items: {items}.",
    ]


def _headline(found: Sequence[Against]) -> list[str]:
    return ["## Uplift"] * bool(found) + [
        f"Paladin over {one.second}: {shown(one.uplift)} of {sum(one.pairs)} items (only Paladin right "
        f"{one.pairs.only_first}, only {one.second} {one.pairs.only_second}; McNemar p = {one.pairs.p:.2g})."
        for one in found
    ]


def summary(table: Iterable[ArmFigures]) -> list[list[str]]:
    rows = [["suite", "arm", "N", "right", "right unaided", "false ready", "pass^k (0.7)"]]
    for one in table:
        passes = ", ".join(f"{k}: {value:.3f}" for k, value in one.passes.items())
        rows.append(
            [
                one.suite or "all", one.arm, str(one.of), shown(one.right), shown(one.unaided),
                f"{_count(one.false_ready)} {shown(one.false_ready)}" if one.false_ready else "–", passes or "–",
            ]
        )  # fmt: skip
    return rows


def costs(table: Sequence[ArmFigures]) -> list[list[str]]:
    rows = [
        [
            "suite", "arm", "infrastructure", "format", "fallback", "repaired", "errors", "calls", "tokens in/out",
            "p50 s", "p95 s", "all s",
        ]
    ]  # fmt: skip
    for one in table:
        marks = ("infrastructure", "format_failure", "fallback", "repaired")
        rows.append(
            [
                one.suite or "all", one.arm, *(str(one.count(mark)) for mark in marks),
                str(sum(bool(row.error) for row in one.every)), f"{one.mean('calls'):.1f}",
                f"{one.mean('prompt_tokens'):.0f}/{one.mean('output_tokens'):.0f}", f"{one.seconds(0.5):.2f}",
                f"{one.seconds(0.95):.2f}", f"{round(sum(row.seconds for row in one.every), 1):.0f}",
            ]
        )  # fmt: skip
    return rows


def details(table: Sequence[ArmFigures]) -> list[list[str]]:
    """One line a figure, where there is one."""
    rows = [["suite", "arm", "figure", "value", "of"]]
    for one in table:
        texts = one.count("texts")
        figures: dict[str, Any] = {
            "criteria, macro-F1": one.f1,
            **{f"check {name}": proportion(*pair) for name, pair in one.checks.items() if one.suite},
            **{name: counted(name, pair) for name, pair in sorted(one.tally.items()) if one.suite},
            "F1 of the classes, mean": macro(one.tally) if one.suite else None,
            "attacks that succeeded": one.attacks,
            "clusters of one answer": one.consistent,
            "unsupported facts": f"{one.count('unsupported')} in {texts} texts" if texts else None,
            "tool calls too many": sum(row.extra_calls for row in one.rows) if one.suite == "tools" else None,
        }
        for name, value in figures.items():
            if value is not None:
                text = f"{value:.3f}" if isinstance(value, float) else str(value)
                of = str(value.of) if isinstance(value, Interval) else ""
                rows.append([one.suite or "all", one.arm, name, text, of])
    return rows


def counted(name: str, pair: tuple[int, int]) -> Interval | float | None:
    """A share with its interval; an F1 is the share of twice the right ones, and has none."""
    return pair[0] / pair[1] if name.startswith("F1") and pair[1] else proportion(*pair)


def macro(tally: Mapping[str, tuple[int, int]]) -> float | None:
    """The mean of the F1 of each class, whatever its size."""
    classes = [hits / of for name, (hits, of) in tally.items() if name.startswith("F1 of ") and of]
    return sum(classes) / len(classes) if classes else None


def by_part(found: Sequence[Part]) -> list[list[str]]:
    """One line a kind or set; what is counted within samples beside it."""
    rows = [["suite", "arm", "kind or set", "N", "right", "counted"]]
    for one in found:
        counts = (
            f"{name} {pair[0]}/{pair[1]}" for name, pair in one.tally.items() if not name.startswith("F1 of")
        )
        of = str(one.right.of) if one.right else ""
        rows.append([one.suite, one.arm, one.name, of, shown(one.right), "; ".join(counts)])
    return rows


def _confusions(rows: Sequence[Row]) -> Iterable[str]:
    for arm in dict.fromkeys(row.arm for row in rows):
        found = confusion(row for row in rows if row.arm == arm)
        if found:
            given = sorted({pair[1] for pair in found})
            yield f"## Outcomes, {arm}: true in lines, given in columns"
            yield grid(
                [["", *(name or "none" for name in given)]]
                + [
                    [true, *(str(found.get((true, name), 0) or "") for name in given)]
                    for true in sorted({p[0] for p in found})
                ]
            )


def _links(rows: Sequence[Row]) -> str:
    """To the traces at the end; wherever Markdown is shown, a heading is an anchor of its own words."""
    links = ", ".join(f"[{_title(row)}](#{anchor(_title(row))})" for row in rows)
    return f"The {len(rows)} to read first: {links}." if rows else ""


def anchor(title: str) -> str:
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def _title(row: Row) -> str:
    return f"{row.item} {row.arm}" + (f" try {row.epoch}" if row.temperature else "")


def _trace(row: Row) -> str:
    return (
        f"### {_title(row)}\n\n{row.kind or row.suite}: {_line(row.question)}\n\n"
        f"> {_line(row.answer) or '(nothing)'}\n\n{_line('; '.join(row.wrong))} Why: {row.why}."
    )


def _line(text: str, most: int = 500) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else f"{flat[:most]}…"


def shown(found: Interval | None) -> str:
    return str(found) if found is not None else "–"


def _count(found: Interval | None) -> str:
    return f"{round(found.value * found.of)}/{found.of}" if found else ""


def grid(rows: Sequence[Sequence[str]], align: str = "---") -> str:
    """A table of Markdown: the first row is its head, all columns but the first are aligned so. "" of a head alone."""
    if len(rows) < 2:
        return ""
    lines = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    lines.insert(1, ["---", *([align] * (len(rows[0]) - 1))])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
