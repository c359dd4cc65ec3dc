"""A reply to a question back: which of the drugs, people or readings that were offered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from agent.dialogue import drugs
from agent.dialogue.query import QUERIES, Ask, Query, Reading, Talk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.dialogue.entities import Entities
    from agent.dialogue.known import Known

MOST_WORDS = 8  # of a reply; what is longer asks something of its own
_PLACES: dict[str, int] = {
    "first": 0, "1st": 0, "former": 0, "1": 0, "one": 0, "primero": 0, "primera": 0, "#1": 0, "a": 0,
    "second": 1, "2nd": 1, "latter": 1, "2": 1, "two": 1, "segundo": 1, "segunda": 1, "#2": 1, "b": 1,
    "third": 2, "3rd": 2, "3": 2, "three": 2, "tercero": 2, "tercera": 2, "#3": 2, "c": 2,
    "fourth": 3, "4th": 3, "4": 3, "four": 3, "#4": 3, "d": 3,
    "last": -1, "último": -1, "última": -1,
}  # fmt: skip
_BESIDE = frozenset(
    """the option number no that this drug choice please it's its is i mean meant go with for el la lo""".split()  # noqa: SIM905
)
_YES = frozenset(
    """yes yep yeah yup y right correct sure exactly ok okay si sí claro""".split()  # noqa: SIM905
)
_BOTH = frozenset(
    """both all either each ambos ambas todos todas""".split()  # noqa: SIM905
)
_ASKING = frozenset(
    """what what's whats why how when who where which if can does is are will would que qué por cómo""".split()  # noqa: SIM905
)


def reply(named: Entities, talk: Talk, known: Known) -> Reading | None:
    """The last question again, about what was chosen; None where the turn is no reply to the offer."""
    tokens = [word.strip(" .,!?;:()\"'").lower() for word in named.text.split()]
    tokens = [word for word in tokens if word]
    if not tokens or len(tokens) > MOST_WORDS or (_ASKING & set(tokens) and tokens[0] not in _YES):
        return None
    if all(one in QUERIES for one in talk.offered):
        return _chosen_query(tokens, talk)
    of_ours = tuple(name for name in talk.offered if name in known.by_name)
    if not of_ours:
        return _chosen_person(tokens, talk)
    picked = _picked_drugs(named, tokens, of_ours, known)
    if not picked:
        return None
    use = drugs.indication_named(named.text.lower())
    clear = len(picked) == 1 or bool(_BOTH & set(tokens)) or len(picked) < len(of_ours)
    asks = tuple(
        msgspec.structs.replace(
            ask,
            drugs=picked if clear else (),
            all_drugs=False,
            indication=use if use and drugs.for_indication(picked, use, known) else ask.indication,
        )
        for ask in talk.asks or (Ask(query="eligible"),)
    )
    return Reading(asks=asks, candidates=() if clear else picked, sure=0.9)


def _picked_drugs(
    named: Entities, tokens: Sequence[str], offered: tuple[str, ...], known: Known
) -> tuple[str, ...]:
    """By name, by place, all of them, by use or route, or by a yes where one alone was offered."""
    said = tuple(dict.fromkeys(name for one in named.found for name in one.names))
    within = tuple(name for name in said if name in offered)
    if within or len(said) == 1:
        return within or said
    at = _place(tokens)
    if at is not None and at < len(offered):
        return (offered[at],)
    if _BOTH & set(tokens):
        return offered
    use = drugs.indication_named(named.text.lower())
    fits = drugs.for_indication(offered, use, known) if use else offered
    if 0 < len(fits) < len(offered):
        return fits
    return offered if len(offered) == 1 and tokens[0] in _YES else ()


def _chosen_person(tokens: Sequence[str], talk: Talk) -> Reading | None:
    """One of the people that were offered; the question that led there is asked again."""
    at = _place(tokens)
    if at is None and len(talk.offered) == 1 and tokens[0] in _YES:
        at = 0
    if at is None or at >= len(talk.offered):
        return None
    asks = tuple(ask for ask in talk.asks if ask.query not in ("patient", "unclear"))
    return Reading(
        asks=asks or (Ask(query="patient", text=" ".join(tokens)),), person=talk.offered[at], sure=0.9
    )


def _chosen_query(tokens: Sequence[str], talk: Talk) -> Reading | None:
    """What was asked back about: a thing that the last turn may have asked, alone; or the last turn again, read so."""
    at = _place(tokens)
    if at is None and tokens[0] in _YES:
        at = 0
    if at is None or at >= len(talk.offered) or not talk.asks:
        return None
    query: Query = talk.offered[at]  # type: ignore[assignment]
    unsure = next((ask for ask in talk.asks if ask.query == query), None)
    if unsure is not None:
        return Reading(asks=(msgspec.structs.replace(unsure, sure=1.0),), sure=0.9)
    return Reading(
        asks=(msgspec.structs.replace(talk.asks[0], query=query, sure=1.0), *talk.asks[1:]), sure=0.9
    )


def _place(tokens: Sequence[str]) -> int | None:
    """Which place the words name, if they name nothing else."""
    rest = [word for word in tokens if word not in _BESIDE] or list(tokens)
    if len(rest) > 1:  # "the second one"
        rest = [word for word in rest if word != "one"]
    return _PLACES.get(rest[0]) if len(rest) == 1 else None
