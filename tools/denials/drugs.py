"""Which drugs a letter decides on, in which strength and amount: those of the sentences that say what was asked for or
decided; what other sentences name is only mentioned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from tools.denials.records import Quote, RequestedDrug
from tools.denials.sentences import Sentence
from tools.terminology.matcher import medicines_in
from tools.terminology.medicines import terminology
from tools.terminology.quantities import Quantity, quantities_in

_WEIGHT = {"request": 1.0, "decision": 1.0, "boilerplate": 0.35, "reason": 0.4, "past": 0.25, "future": 0.15}
_REACH = 170  # characters behind a drug's name in which its strength and amount stand


class _Named(NamedTuple):
    name: str
    start: int
    end: int
    sentence: int


def drugs_of(
    text: str, sentences: Sequence[Sentence], chances: Sequence[dict[str, float]], decided: Sequence[str]
) -> tuple[RequestedDrug, ...]:
    """The drugs decided on, in the letter's order.

    Args:
        chances: of the roles of each sentence.
        decided: "denied", "approved" or "" for each sentence that says what is decided of a drug.
    """
    named = [
        _Named(_written(span.key), sentence.start + span.start, sentence.start + span.end, at)
        for at, sentence in enumerate(sentences)
        for span in medicines_in(text[sentence.start : sentence.end])
    ]
    weights: dict[str, float] = {}
    for one in named:
        weight = sum(_WEIGHT.get(role, 0.0) * chance for role, chance in chances[one.sentence].items())
        weights[one.name] = max(weights.get(one.name, 0.0), weight)
    if not weights:
        return ()
    most = max(weights.values())
    chosen = [name for name, weight in weights.items() if weight >= max(0.45, 0.72 * most) or weight == most]
    several = len(chosen) > 1
    return tuple(_drug(text, name, named, chances, decided if several else ()) for name in chosen)


def _drug(
    text: str, name: str, named: Sequence[_Named], chances: Sequence[dict[str, float]], decided: Sequence[str]
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
            elif (
                quantity is None and _is_supply(amount, window) and chances[one.sentence].get("rule", 0) < 0.5
            ):
                quantity, days = amount.value, _days(amount)
    said = next((decided[one.sentence] for one in own if decided and decided[one.sentence]), "")
    decision: Literal["", "denied", "approved"] = said if said in ("denied", "approved") else ""  # type: ignore[assignment]
    return RequestedDrug(
        name=name, strength=strength, quantity=quantity, days_supply=days, decision=decision,
        quote=Quote(text=text[first.start : end], start=first.start, end=end),
    )  # fmt: skip


def _is_supply(amount: Quantity, window: str) -> bool:
    return (
        amount.value is not None
        and amount.unit in ("mL", "{tablet}", "{pen}", "{capsule}", "{unit}")
        and _days(amount) is not None
    )


def _days(amount: Quantity) -> int | None:
    if amount.per is None:
        return None
    number, unit = amount.per
    return {"d": int(number), "wk": int(7 * number), "mo": int(30 * number)}.get(unit)


def drug_at(drugs: tuple[RequestedDrug, ...], text: str, start: int, end: int) -> str:
    """Of several drugs, the one that a passage names, or under which it stands."""
    if len(drugs) < 2:
        return ""
    within = [_written(span.key) for span in medicines_in(text[start:end])]
    named = next((drug.name for drug in drugs if drug.name in within), "")
    before = [drug.name for drug in drugs if drug.quote.start <= start]
    return named or (before[-1] if before else "")


def _written(name: str) -> str:
    row = terminology().row(name)
    return row.name if row else name
