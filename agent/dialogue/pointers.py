"""What a turn means that names no drug: the one that the talk is about, the other one, both."""

from __future__ import annotations

from agent.dialogue.query import OF_A_DRUG, Query, Scope, Talk

MANY = 3


def drugs(scope: Scope, query: Query, talk: Talk) -> tuple[str, ...]:
    """The drugs of the talk that are pointed at; none where the talk has none."""
    pool = tuple(dict.fromkeys((*talk.drugs, *talk.earlier)))
    if scope == "both" or (query == "compare" and len(pool) > 1):
        return talk.drugs if len(talk.drugs) > 1 else pool[:2]
    if scope == "other":
        if len(talk.drugs) == 2:
            return talk.drugs[1:]
        return talk.earlier[:1] or talk.drugs[1:2]
    if len(talk.drugs) > MANY:  # a list that was told is no drug
        return ()
    return talk.drugs[:1] if query in OF_A_DRUG or scope == "focus" else ()
