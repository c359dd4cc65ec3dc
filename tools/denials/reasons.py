"""Which reasons a letter gives: each only by sentences that give one, and all of a letter weighed together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tools.denials.codes import REASONS, codes_in
from tools.denials.learned import (
    GIVE_REASONS,
    ROLES,
    Floats,
    Model,
    Seen,
    chances,
    code_shares,
    seen_reason,
    seen_rows,
)  # fmt: skip
from tools.denials.records import Cited, StatedReason
from tools.denials.sentences import Sentence
from tools.domain.records import Clause, Policy

CODES = tuple(REASONS)
GIVES = 0.1  # how likely a sentence must give a reason to be asked which
BY_ROWS = 0.25  # what the rows of the encoder of letters count beside the words
_SILENT = ("rule", "met", "past", "order", "rights")  # roles of sentences whose codes of a table tell nothing


class Evidence(NamedTuple):
    """What in a letter speaks for each of CODES: how likely its likeliest sentence gives it, and which that is; how
    likely all sentences give it, summed; and the sentence in which a code of a table stands for it, -1 if none does."""

    best: Floats
    at: Sequence[int]
    total: Floats
    coded: Sequence[int]


def evidence(
    sentences: Sequence[Sentence],
    seen: Sequence[Seen],
    roles: Floats,
    kind: str,
    model: Model,
    by_rows: tuple[Model, Floats] | None = None,
) -> Evidence:
    """What speaks for each reason.

    Args:
        seen: of each sentence, with its vector.
        roles: a row of shares for each sentence.
        kind: of the letter.
        model: of the reason that a sentence gives.
        by_rows: another model of it, over the encoder's rows of the sentences.
    """
    gives = np.minimum(1, roles[:, ROLES.index("reason")] + 0.9 * roles[:, ROLES.index("decision")])
    near = np.flatnonzero(gives > GIVES).tolist()  # one that decides may give a reason in the same breath
    best, total, at = np.zeros(len(CODES), np.float32), np.zeros(len(CODES), np.float32), [0] * len(CODES)
    if near:
        scores = model.scores(
            [seen_reason(sentences[n].words, sentences[n].heading, seen[n].vector, kind) for n in near]
        )
        if by_rows:
            other, rows = by_rows
            scores = (1 - BY_ROWS) * scores + BY_ROWS * other.scores(seen_rows(rows[near]))
        each = chances(scores) * gives[near, None]
        best, total, at = each.max(0), each.sum(0), [near[n] for n in each.argmax(0)]
    coded = [-1] * len(CODES)
    for n in reversed(range(len(sentences))):
        if ROLES[int(roles[n].argmax())] not in _SILENT:
            for row in codes_in(sentences, n):
                if row.reason:
                    coded[CODES.index(row.reason)] = n
    return Evidence(best, at, total, coded)


def seen_reasons(found: Evidence, kind: str) -> list[Seen]:
    """Each reason beside the others of the letter, in the order of CODES."""
    best = found.best
    odds = np.log(best + 0.01) - np.log(1.01 - best)
    told = []
    for at in range(len(CODES)):
        others = float(np.delete(best, at).max())
        told.append([
            odds[at] / 2, best[at], float(best[at] == best.max()), np.log(others + 0.01),
            np.log(found.total[at] + 0.01), float(found.coded[at] >= 0),
            *(0.7 * (one == CODES[at]) for one in CODES), *(0.7 * (one == kind) for one in GIVE_REASONS),
            *(float(one == kind and best[at] == best.max()) for one in GIVE_REASONS),
        ])  # fmt: skip
    return [Seen((), row) for row in np.array(told, np.float32)]


# --- by a clause's number alone ------------------------------------------------------------------------

_OF_SECTION = {
    "quantity": "quantity_limit",
    "documentation": "insufficient_documentation",
    "exclusions": "exclusion",
}
_ASKED = ("step_therapy", "age", "diagnosis_mismatch", "medical_necessity")


def reasons_by_clause(cited: tuple[Cited, ...], policy: Policy | None) -> tuple[StatedReason, ...]:
    """A reason for every clause that the policy has; none where there is no policy to look it up in."""
    clauses = {clause.id: clause for clause in policy.clauses} if policy else {}
    found: dict[str, StatedReason] = {}
    for one in cited:
        clause = clauses.get(one.id)
        code = _code_of(clause) if clause else ""
        if code and code not in found:
            found[code] = StatedReason(code=code, quote=one.quote, clauses=(one.id,), by="clause")
    return tuple(found.values())


def _code_of(clause: Clause) -> str:
    if clause.section in _OF_SECTION:
        return _OF_SECTION[clause.section]
    if clause.section not in ("criteria", "renewal"):
        return ""
    shares = code_shares(clause.text)
    return max(_ASKED, key=lambda code: shares[code])
