"""Which drugs and supplies a letter decides on, in which strength and amount: learned from the roles of the sentences
that name one and from the words around it; the others are only mentioned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

from tools.denials.learned import (
    DRUGS,
    ROLES,
    Floats,
    Model,
    Seen,
    hashed,
    seen_rows,
    shares,
    together,
    tokens_of,
)
from tools.denials.records import Quote, RequestedDrug
from tools.denials.sentences import Sentence
from tools.denials.slips import legible
from tools.language.encoder import Encoded
from tools.terminology.matcher import products_in
from tools.terminology.medicines import terminology
from tools.terminology.quantities import Quantity, quantities_in

_REACH = 170  # characters behind a drug's name in which its strength and amount stand
LEAST = 0.4  # of a drug, from which it is decided on
BY_ROWS = 0.5  # what the rows of the encoder of letters count beside the words
_FAR = 4  # words on each side of a name


class Named(NamedTuple):
    """A drug's name at [start, end), and the sentence in which it stands."""

    name: str
    start: int
    end: int
    sentence: int


def named_in(text: str, sentences: Sequence[Sentence]) -> dict[str, list[Named]]:
    """Every drug with all its places, in the letter's order; a second name that stands right behind the first, such as
    the ingredient in brackets, is the same drug."""
    places = [
        Named(written(span.key), one.start + span.start, one.start + span.end, at)
        for at, one in enumerate(sentences)
        for span in products_in(legible(text[one.start : one.end]))
    ]
    also: dict[str, str] = {}
    for one, other in pairwise(places):
        if not text[one.end : other.start].strip(" (®™") and _alike(one.name, other.name):
            also[other.name] = also.get(one.name, one.name)
    found: dict[str, list[Named]] = {}
    for place in places:
        name = also.get(place.name, place.name)
        found.setdefault(name, []).append(place._replace(name=name))
    return found


def _alike(one: str, other: str) -> bool:
    """Names of different kinds for the same ingredients."""
    first, second = terminology().resolve(one), terminology().resolve(other)
    return bool(
        first and second and first.kind != second.kind and set(first.ingredients) == set(second.ingredients)
    )


def seen_drugs(
    text: str,
    sentences: Sequence[Sentence],
    chances: Floats,
    named: Mapping[str, Sequence[Named]],
    letter: str,
) -> list[Seen]:
    """Each drug with the sentences that name it, their roles, the words around it, what the others have, and the kind
    of the letter."""
    places = [one.sentence for own in named.values() for one in own]
    best = dict(zip(ROLES, map(float, chances[places].max(0, initial=0.0)), strict=True))
    return [
        Seen(hashed(_features(text, sentences, chances, own, best, rank, len(named), letter)))
        for rank, own in enumerate(named.values())
    ]  # fmt: skip


def _features(
    text: str,
    sentences: Sequence[Sentence],
    chances: Floats,
    own: Sequence[Named],
    best: Mapping[str, float],
    rank: int,
    count: int,
    letter: str,
) -> Iterator[str]:
    yield f"letter={letter}"
    yield f"letter={letter} rank={min(rank, 3)} of {min(count, 4)}"
    yield f"rank={min(rank, 3)}"
    yield f"rank={min(rank, 3)} of {min(count, 4)}"
    yield f"often={min(len(own), 4)}"
    for at, role in enumerate(ROLES):
        most = max(float(chances[one.sentence, at]) for one in own)
        yield f"{role} {int(3 * most)}"
        yield f"{role} {most > 0.3} {most >= 0.9 * best[role]}"
    for one in own:
        sentence = sentences[one.sentence]
        role = ROLES[int(chances[one.sentence].argmax())]
        yield f"letter={letter} {role}"
        yield f"at={min(one.sentence, 6)}"
        yield f"line {sentence.alone} {len(sentence.words) < 60}"
        yield from (f"H={word}" for word in tokens_of(sentence.heading))
        before = tokens_of(text[sentence.start : one.start])[-_FAR:]
        after = tokens_of(text[one.end : sentence.end])[:_FAR]
        yield from (f"L={word}" for word in before)
        yield from (f"R={word}" for word in after)
        yield f"La={before[-1] if before else ''}"
        yield f"Lb={' '.join(before[-2:])}"
        yield f"Ra={after[0] if after else ''}"
        yield from (f"{role}={word}" for word in tokens_of(sentence.words))


def drug_rows(encoded: Encoded, named: Mapping[str, Sequence[Named]]) -> Floats:
    """A row of the encoder for each drug: the mean of its places."""
    return np.array([np.mean([encoded.mean(one.start, one.end) for one in own], 0) for own in named.values()])


def drugs_of(
    text: str,
    sentences: Sequence[Sentence],
    chances: Floats,
    decided: Sequence[str],
    letter: str,
    model: Model,
    by_rows: tuple[Model, Encoded] | None = None,
) -> tuple[RequestedDrug, ...]:
    """The drugs decided on, in the letter's order.

    Args:
        chances: a row for each sentence, a column for each role.
        decided: "denied", "approved" or "" for each sentence that says what is decided of a drug.
        letter: its kind.
        by_rows: another model of it, over the encoder's rows.
    """
    named = named_in(text, sentences)
    if not named:
        return ()
    scores = model.scores(seen_drugs(text, sentences, chances, named, letter))
    if by_rows:
        other, encoded = by_rows
        scores = together(scores, other.scores(seen_rows(drug_rows(encoded, named))), BY_ROWS)
    told = shares(scores)[:, DRUGS.index("decided")]
    chosen = [name for name, share in zip(named, told, strict=True) if share >= LEAST]
    places = [one for own in named.values() for one in own]
    rule = chances[:, ROLES.index("rule")]
    several = len(chosen) > 1
    return tuple(_drug(text, name, places, rule, decided if several else ()) for name in chosen)


def _drug(
    text: str, name: str, named: Sequence[Named], rule: Floats, decided: Sequence[str]
) -> RequestedDrug:
    """With the first strength and amount that follow its name."""
    own = [one for one in named if one.name == name]
    strength, quantity, days = "", None, None
    first, end = own[0], own[0].end
    for one in own:
        stop = min((other.start for other in named if other.start > one.start), default=len(text))
        window = text[one.end : min(stop, one.end + _REACH)].split("\n\n")[0]
        for amount in quantities_in(window):
            if amount.unit == "mg" and not strength and amount.start < 44 and amount.value is not None:
                strength = f"{amount.value:g} mg"
                end = one.end + amount.end if one is first else end
            elif quantity is None and _is_supply(amount) and rule[one.sentence] < 0.5:
                quantity, days = amount.value, _days(amount)
    said = next((decided[one.sentence] for one in own if decided and decided[one.sentence]), "")
    decision: Literal["", "denied", "approved"] = said if said in ("denied", "approved") else ""  # type: ignore[assignment]
    return RequestedDrug(
        name=name, strength=strength, quantity=quantity, days_supply=days, decision=decision,
        quote=Quote.of(text, first.start, end),
    )  # fmt: skip


def _is_supply(amount: Quantity) -> bool:
    counted = amount.unit in ("mL", "{tablet}", "{pen}", "{capsule}", "{unit}")
    return counted and amount.value is not None and _days(amount) is not None


def _days(amount: Quantity) -> int | None:
    if amount.per is None:
        return None
    number, unit = amount.per
    return {"d": int(number), "wk": int(7 * number), "mo": int(30 * number)}.get(unit)


def drug_at(drugs: tuple[RequestedDrug, ...], text: str, start: int, end: int) -> str:
    """Of several drugs, the one that a passage names, or under which it stands."""
    if len(drugs) < 2:
        return ""
    within = [written(span.key) for span in products_in(legible(text[start:end]))]
    named = next((drug.name for drug in drugs if drug.name in within), "")
    before = [drug.name for drug in drugs if drug.quote.start <= start]
    return named or (before[-1] if before else "")


def written(name: str) -> str:
    """A medicine's name as it is usually written."""
    row = terminology().row(name)
    return row.name if row else name
