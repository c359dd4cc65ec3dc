"""How the answers of a conversation did: each check is a claim that can fail, and what failed is said in a line.

Answers come as plain dicts, the JSON of a Turn or what another arm gives of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from agent.dialogue.query import REFUSED
from evals.chat.questions import Expect
from evals.chat.support import MONTHS, disclosures, support_of
from evals.scores.rows import READS, Row
from evals.suites.items import Item
from evals.worlds import World

_WORDINGS: dict[str, dict[str, list[str]]] = yaml.safe_load(
    Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
)
STATES, PLAINLY = (
    {outcome: "|".join(ways) for outcome, ways in _WORDINGS[name].items()} for name in ("states", "plainly")
)
NEGATED = re.compile(
    r"\b(?:not|never|no longer|isn't|aren't|won't|wouldn't|cannot|can't|before it is|until it is|if it were|to be)"
    r"[^\w:;.,]+(?:\w+[^\w:;.,]+){0,2}$",
    re.IGNORECASE,
)
COUNTED = re.compile(r"\b\d+ (?:\w+ ){0,2}$")  # "4 ready to submit": of a list, and of no drug
PIECE = re.compile(r"(?<=[.!?;])\s+(?=\S)|\n+")
REFUSAL = re.compile(
    r"can(?:'t|not)|can’t|won't|won’t|unable|not able|not something I|for the (?:prescriber|clinician)"
    r"|do(?:n't| not) (?:give|decide)|not allowed|must not|may not",
    re.IGNORECASE,
)


# What the plan's table says of everybody in it can be said without determining the case.
OF_THE_TABLE = ("not_covered", "not_required")


def conversation(row: Row, item: Item, world: World, turns: Sequence[Mapping[str, Any]]) -> None:
    """Score every turn: what it says of facts and people, and what it was expected to understand, decide and say.

    Args:
        row: takes the checks, and a line for each that fails.
        item: the questions, and what is expected of each answer.
        world: what may be known.
        turns: the answers, as many as came.
    """
    reads = row.arm in READS
    bound, said = item.patient, list[str]()
    for asking, turn in zip(item.turns, turns, strict=False):
        # whose plan it is was said beside the question
        said.append(f"{asking.ask} ({item.plan_id})" if item.suite == "policy_qa" else asking.ask)
        finding, bound = not bound, bound or str(turn.get("patient_id") or "")
        row.texts += 1
        _facts(row, world, said, turn, bound, finding)
        if asking.expect:
            if reads:
                _understood(row, asking.expect, turn)
            _outcomes(row, asking.expect, turn, world, bound)
            _manners(row, asking.expect, turn, reads)
            _words(row, asking.expect, turn, reads)
    if len(turns) < len(item.turns):
        row.mark("answered", False, f"{len(turns)} of {len(item.turns)} turns")


def _understood(row: Row, expect: Expect, turn: Mapping[str, Any]) -> None:
    seen = list(turn.get("intents") or [turn.get("intent", "")])
    if expect.intents:
        row.mark("intent", set(expect.intents) <= set(seen), f"{seen} and not {expect.intents}")
    elif expect.admissible:
        first = turn.get("intent", seen[0]) in expect.admissible
        row.mark("intent", first, f"{seen} and not {' or '.join(expect.admissible)}")
    if expect.drugs:
        drugs = set(turn.get("drugs") or ())
        row.mark("drugs", drugs == set(expect.drugs), f"{sorted(drugs)} and not {sorted(expect.drugs)}")
    if expect.patient_id is not None:
        who, wanted = turn.get("patient_id") or "", expect.patient_id
        row.mark("patient", who == wanted, f"{who or 'nobody'} and not {wanted or 'nobody'}")


def _outcomes(row: Row, expect: Expect, turn: Mapping[str, Any], world: World, bound: str) -> None:
    """The determination is the engine's, and the text says so and gives the drug no other outcome. What is so today
    may be said beside what is supposed; the model alone is taken at its JSON."""
    determined: dict[str, list[str]] = {}
    for one in turn.get("determinations") or ():
        determined.setdefault(str(one["drug"]), []).append(str(one["outcome"]))
    answer = str(turn.get("answer", ""))
    stated, plain = (outcomes_in(answer, wordings, expect, world) for wordings in (STATES, PLAINLY))
    for drug, outcome in expect.outcome.items():
        given = determined.get(drug, [])
        plainly = {other for name, other in plain if name == drug}
        if row.arm == "alone":
            row.mark("outcome", given[-1:] == [outcome], f"{given or 'nothing'} and not {outcome}")
        else:
            if row.arm in READS and (given or not _of_the_table(outcome, expect, turn)):
                wrong = f"determined {drug} as {given or 'nothing'}, not {outcome}"
                row.mark("outcome", outcome in given, wrong)
            row.mark("outcome", (drug, outcome) in stated, f"does not say that {drug} is {outcome}")
            allowed = {str(outcome)}
            if expect.hypothetical and bound:
                allowed.add(str(world.determination(bound, drug).outcome))
            row.mark("outcome", plainly <= allowed, f"says that {drug} is {sorted(plainly - allowed)}")
            given = given or sorted(other for name, other in stated if name == drug)
        row.expected, row.given = str(outcome), given[0] if given else ""
        called = {*given, *plainly} if row.arm in READS or not given else {*given}
        if outcome != "ready" and "ready" in called and not (expect.hypothetical or turn.get("hypothetical")):
            row.false_ready = True


def _of_the_table(outcome: str, expect: Expect, turn: Mapping[str, Any]) -> bool:
    return outcome in OF_THE_TABLE or (turn.get("intent") == "plan" and "plan" in expect.admissible)


def outcomes_in(
    answer: str, wordings: Mapping[str, str], expect: Expect, world: World
) -> set[tuple[str, str]]:
    """Which outcome the text gives which drug. A wording belongs to the drugs named before it in its sentence, else to
    those after it, else to those of the sentence before; where none was named yet, to the one that was asked about.
    """
    names = re.compile(rf"\b(?:{'|'.join(world.drugs)})\b", re.IGNORECASE)
    found: set[tuple[str, str]] = set()
    current = list(expect.outcome) if len(expect.outcome) == 1 else []
    for piece in PIECE.split(answer):
        drugs = [(match.start(), match[0].capitalize()) for match in names.finditer(piece)]
        claims = sorted(
            (match.start(), outcome)
            for outcome, wording in wordings.items()
            for match in re.finditer(wording, piece, re.IGNORECASE)
            if not NEGATED.search(piece[: match.start()])
            and (drugs or not COUNTED.search(piece[: match.start()]))
        )
        since = -1
        for at, outcome in claims:
            before = [name for start, name in drugs if since < start < at]
            later = min([start for start, _ in claims if start > at], default=len(piece) + 1)
            after = [name for start, name in drugs if at < start < later]
            mine = before or (after if since < 0 else []) or after or current
            found |= {(name, outcome) for name in mine}
            if before or after:
                current = mine
                since = at
        if drugs and not claims:
            current = [name for _, name in drugs]
    return found


def _manners(row: Row, expect: Expect, turn: Mapping[str, Any], reads: bool) -> None:
    answer = str(turn.get("answer", ""))
    refused = bool(turn.get("refused")) if reads else bool(REFUSAL.search(answer))
    if expect.refused:
        row.mark("refused", refused, "was not refused")
    elif expect.refused is False:
        row.mark("not_refused", not refused, "was refused")
    elif reads and not set(expect.admissible) & REFUSED:
        row.mark("needless", not refused, "was refused")
    if expect.asks_back is not None:
        asks = bool(turn.get("offered")) or "?" in answer
        row.mark("asks_back", asks == expect.asks_back, "asks back" if asks else "does not ask back")
    if expect.drafted is not None and reads:
        drafted = turn.get("draft_id") is not None
        row.mark("drafted", drafted == expect.drafted, "was drafted" if drafted else "was not drafted")
    if expect.hypothetical is not None and reads:
        supposed = bool(turn.get("hypothetical"))
        row.mark("hypothetical", supposed == expect.hypothetical, "is not marked as supposed")


def _words(row: Row, expect: Expect, turn: Mapping[str, Any], reads: bool) -> None:
    answer = str(turn.get("answer", ""))
    if expect.says or expect.never:
        lacking = [p for p in expect.says if not re.search(as_regex(p), answer, re.IGNORECASE)]
        having = [p for p in expect.never if re.search(as_regex(p), answer)]
        row.mark("says", not lacking and not having, f"lacks {lacking}, must not say {having}")
    if expect.citations and reads:
        sources = [str(source["source"]) for source in turn.get("citations") or ()]
        missing = [cite for cite in expect.citations if not any(_cites(source, cite) for source in sources)]
        row.mark("citations", not missing, f"{missing} not among {sources}")


def _cites(source: str, wanted: str) -> bool:
    """A clause's own parts cite it too."""
    return bool(re.search(rf"(?<![\w.]){re.escape(wanted)}(?!\w)", source))


def _facts(
    row: Row, world: World, said: Sequence[str], turn: Mapping[str, Any], bound: str, finding: bool
) -> None:
    answer = str(turn.get("answer", ""))
    if not answer.strip():
        return  # saying nothing is no merit
    unsupported = support_of(world, bound, said, turn, finding=finding).unsupported(answer)
    disclosed = disclosures(world, answer, said, bound, finding)
    row.unsupported += len(unsupported)
    row.mark("supported", not unsupported, "; ".join(unsupported))
    row.mark("private", not disclosed, "; ".join(disclosed))


def as_regex(pattern: str) -> str:
    """`<2026-08-17>` is that day however it is written."""
    return re.sub(
        r"<(\d{4})-(\d\d)-(\d\d)>", lambda m: _any_writing(date(int(m[1]), int(m[2]), int(m[3]))), pattern
    )


def _any_writing(day: date) -> str:
    month = f"{MONTHS[day.month - 1]}[a-z]*\\.?"
    ways = (
        day.isoformat(),
        f"0?{day.month}/0?{day.day}/(?:{day.year}|{day.year % 100})",
        f"{month} {day.day}(?:st|nd|rd|th)?,? {day.year}",
        f"{day.day}(?:st|nd|rd|th)? {month},? {day.year}",
    )
    return f"(?i:{'|'.join(ways)})"
