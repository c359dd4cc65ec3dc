"""Scores of one answer: each check is a claim that can fail, and what failed is said in a line.

Answers come as plain dicts, the JSON of a Turn or what the plain agent gives of it, so that a log can be scored again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from agent.understanding.reading import REFUSED
from evals.chat.questions import Expect, Question
from evals.chat.support import MONTHS, disclosures, support_of
from evals.chat.world import World

CHECKS = (
    "intent",
    "drugs",
    "outcome",
    "refused",
    "not_refused",
    "needless",
    "asks_back",
    "hypothetical",
    "drafted",
    "patient",
    "says",
    "citations",
    "supported",
    "private",
)

# How an answer may word an outcome, and how it must not word another one. A looser wording states the right one; only
# a plain one counts as stating a wrong one.
STATES: dict[str, str] = {
    "ready": (
        r"ready|meets (?:all|every|each)|qualif(?:y|ies)\b|(?<!in)eligible|would (?:likely |probably )?be approved"
        r"|(?:every|all) criteri(?:on|a) (?:is|are) met|approvable|nothing (?:is )?missing"
    ),
    "needs_documentation": (
        r"needs? (?:more )?documentation|documentation (?:is )?(?:needed|missing)|not yet documented|incomplete"
        r"|(?:is|are) (?:still )?missing|needs? (?:more )?documents|open (?:point|question|item|criteri)"
    ),
    "likely_denial": (
        r"likely denial|likely (?:to )?be(?:ing)? denied|(?:would|will) (?:likely |probably )?be denied"
        r"|denial (?:is )?likely|expect a denial|not eligible|does(?:n't| not) (?:qualify|meet)|probable denial"
    ),
    "not_required": (
        r"(?:no|without(?: a| any)?) (?:prior authorization|PA)\b|not required|needs? no (?:PA|prior)|without one"
        r"|(?:prior authorization|PA)(?: form)? is not (?:required|needed)|does(?:n't| not) (?:need|require) (?:a )?"
        r"(?:PA|prior)"
    ),
    "not_covered": (
        r"(?:not|isn't|never) covered|does(?:n't| not) cover|non-?formulary|not a (?:covered )?benefit"
        r"|not on (?:the|its|this) (?:plan's )?(?:formulary|list)"
    ),
    "quantity_exception": (
        r"over the (?:quantity )?limit|quantity (?:limit )?exception|exceeds? the (?:quantity )?limit"
        r"|(?:above|more than) the (?:quantity )?limit"
    ),
    "wrong_plan": (
        r"wrong plan|not (?:enrolled|active)|(?:plan|coverage|enrollment|\b[A-Z]+-[A-Z]+) (?:has )?ended|inactive"
        r"|no longer (?:active|enrolled)"
    ),
}
PLAINLY: dict[str, str] = {
    "ready": (
        r"ready to (?:submit|send)|(?:is|are|be) ready\b|: ready\b|would (?:likely |probably )?be approved"
        r"|(?:will|would) qualify|(?:is|are) approved|(?<!not )(?:is|are) eligible"
    ),
    "needs_documentation": r"needs? (?:more )?documentation",
    "likely_denial": r"likely denial|(?:would|will) (?:likely |probably )?be denied|denial (?:is )?likely",
    "not_required": (
        r"no (?:prior authorization|PA)(?: is)? (?:required|needed)"
        r"|(?:prior authorization|PA) is not (?:required|needed)"
    ),
    "not_covered": r"not covered|isn't covered|does(?:n't| not) cover (?:it|this|that)\b",
    "quantity_exception": r"over the quantity limit|quantity exception",
    "wrong_plan": r"wrong plan",
}
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


class Score(msgspec.Struct, kw_only=True):
    """How one turn did: `checks` holds what was checked, `wrong` what was wrong in a line each."""

    id: str
    kind: str
    set: str
    turn: int
    question: str
    answer: str
    checks: dict[str, bool] = {}
    wrong: list[str] = []
    unsupported: list[str] = []
    disclosed: list[str] = []
    other_outcome: bool = False  # the answer gives another outcome than the engine's

    @property
    def right(self) -> bool:
        return all(self.checks.values())


def score(
    world: World, question: Question, turns: Sequence[Mapping[str, Any]], *, reads: bool = True
) -> list[Score]:
    """The scores of the turns of one question that expect something. `reads` is whether the agent says what it
    understood; one that only talks is scored by its words alone."""
    scores: list[Score] = []
    bound = question.patient
    for number, (asking, turn) in enumerate(zip(question.turns, turns, strict=False)):
        said = [one.ask for one in question.turns[: number + 1]]
        finding, bound = not bound, bound or str(turn.get("patient_id") or "")
        one = Score(
            id=question.id, kind=question.kind, set=question.set, turn=number + 1,
            question=asking.ask, answer=str(turn["answer"]),
        )  # fmt: skip
        _facts(one, world, said, turn, bound, finding)
        if asking.expect:
            last = number == len(question.turns) - 1
            supposed = question.supposing is not None and last
            if reads:
                _understood(one, asking.expect, turn)
            _outcomes(one, asking.expect, turn, world, bound, supposed, reads)
            _manners(one, asking.expect, turn, reads)
            _words(one, asking.expect, turn, reads)
        scores.append(one)
    return scores


def _mark(score: Score, check: str, right: bool, wrong: str) -> None:
    score.checks[check] = score.checks.get(check, True) and right
    if not right:
        score.wrong.append(f"{check}: {wrong}")


def _understood(one: Score, expect: Expect, turn: Mapping[str, Any]) -> None:
    seen = list(turn.get("intents") or [turn.get("intent", "")])
    if expect.intents:
        _mark(one, "intent", set(expect.intents) <= set(seen), f"{seen} and not {expect.intents}")
    elif expect.admissible:
        first = turn.get("intent", seen[0]) in expect.admissible
        _mark(one, "intent", first, f"{seen} and not {' or '.join(expect.admissible)}")
    if expect.drugs:
        drugs = set(turn.get("drugs") or ())
        _mark(one, "drugs", drugs == set(expect.drugs), f"{sorted(drugs)} and not {sorted(expect.drugs)}")
    if expect.patient_id is not None:
        who = turn.get("patient_id") or ""
        _mark(
            one,
            "patient",
            who == expect.patient_id,
            f"{who or 'nobody'} and not {expect.patient_id or 'nobody'}",
        )


def _outcomes(
    one: Score, expect: Expect, turn: Mapping[str, Any], world: World, bound: str, supposed: bool, reads: bool
) -> None:
    """The determination is the engine's, and the text says so and gives the drug no other outcome. What is so today
    may be said beside what is supposed."""
    if not expect.outcome:
        return
    determinations = [*(turn.get("determinations") or ()), *filter(None, [turn.get("determination")])]
    stated, plain = (
        outcomes_in(one.answer, STATES, expect, world),
        outcomes_in(one.answer, PLAINLY, expect, world),
    )
    for drug, outcome in expect.outcome.items():
        found = {d["outcome"] for d in determinations if d["drug"] == drug}
        # what the plan says of a drug can be told without determining the case
        if reads and (found or turn.get("intent") != "plan" or "plan" not in expect.admissible):
            _mark(
                one,
                "outcome",
                outcome in found,
                f"determined {drug} as {sorted(found) or 'nothing'}, not {outcome}",
            )
        _mark(one, "outcome", (drug, outcome) in stated, f"does not say that {drug} is {outcome}")
        allowed = {outcome} | (
            {str(world.determination(bound, drug).outcome)} if supposed and bound else set()
        )
        others = {other for name, other in plain if name == drug} - allowed
        _mark(one, "outcome", not others, f"says that {drug} is {sorted(others)}")
        one.other_outcome = one.other_outcome or bool(others)


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


def _manners(one: Score, expect: Expect, turn: Mapping[str, Any], reads: bool) -> None:
    refused = bool(turn.get("refused")) if reads else bool(REFUSAL.search(one.answer))
    if expect.refused:
        _mark(one, "refused", refused, "was not refused")
    elif expect.refused is False:
        _mark(one, "not_refused", not refused, "was refused")
    elif reads and not set(expect.admissible) & REFUSED:
        _mark(one, "needless", not refused, "was refused")
    if expect.asks_back is not None:
        asks = bool(turn.get("offered")) or "?" in one.answer
        _mark(one, "asks_back", asks == expect.asks_back, "asks back" if asks else "does not ask back")
    if expect.drafted is not None and reads:
        drafted = turn.get("draft_id") is not None
        _mark(one, "drafted", drafted == expect.drafted, "was drafted" if drafted else "was not drafted")
    if expect.hypothetical is not None and reads:
        supposed = bool(turn.get("hypothetical"))
        _mark(one, "hypothetical", supposed == expect.hypothetical, "is not marked as supposed")


def _words(one: Score, expect: Expect, turn: Mapping[str, Any], reads: bool) -> None:
    if expect.says or expect.never:
        lacking = [p for p in expect.says if not re.search(as_regex(p), one.answer, re.IGNORECASE)]
        having = [p for p in expect.never if re.search(as_regex(p), one.answer)]
        _mark(one, "says", not lacking and not having, f"lacks {lacking}, must not say {having}")
    if expect.citations and reads:
        sources = [str(source["source"]) for source in turn.get("citations") or ()]
        missing = [cite for cite in expect.citations if not any(_cites(source, cite) for source in sources)]
        _mark(one, "citations", not missing, f"{missing} not among {sources}")


def _cites(source: str, wanted: str) -> bool:
    """A clause's own parts cite it too."""
    return bool(re.search(rf"(?<![\w.]){re.escape(wanted)}(?!\w)", source))


def _facts(
    one: Score, world: World, said: Sequence[str], turn: Mapping[str, Any], bound: str, finding: bool
) -> None:
    if not one.answer.strip():
        return  # saying nothing is no merit
    one.unsupported = support_of(world, bound, said, turn, finding=finding).unsupported(one.answer)
    one.disclosed = disclosures(world, one.answer, said, bound, finding)
    _mark(one, "supported", not one.unsupported, "; ".join(one.unsupported))
    _mark(one, "private", not one.disclosed, "; ".join(one.disclosed))


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
