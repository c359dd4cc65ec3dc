"""Whose letter it is and whom it is about: the likeliest of its names and numbers, by the words around them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tools.denials.learned import NAMES, NUMBERS, Learned, Model, shares
from tools.denials.mentions import Mention, names_in, numbers_in, seen_mentions
from tools.denials.records import Quote, Stated
from tools.denials.sentences import Sentence
from tools.terminology.matcher import medicines_in

LEAST = 0.35  # of a name or a number, below which none is told


class Who(NamedTuple):
    payer: Stated | None = None
    member: Stated | None = None
    member_id: Stated | None = None
    reference: Stated | None = None


def who(
    text: str,
    sentences: Sequence[Sentence],
    roles: Sequence[str],
    times: Sequence[Mention],
    payers: Iterable[str],
    models: Learned,
) -> Who:
    """Names and numbers of the letter; a payer that is known by name is taken at its word."""
    names, numbers = names_in(text, sentences), numbers_in(text, sentences, times)
    names = [one for one in names if not medicines_in(text[one.start : one.end])]
    named = _likeliest(text, sentences, roles, names, models.name, NAMES)
    numbered = _likeliest(text, sentences, roles, numbers, models.number, NUMBERS)
    return Who(
        _known(text, payers) or named["payer"], named["member"], numbered["member"], numbered["reference"]
    )


def _likeliest(
    text: str,
    sentences: Sequence[Sentence],
    roles: Sequence[str],
    mentions: Sequence[Mention],
    model: Model,
    classes: Sequence[str],
) -> dict[str, Stated | None]:
    """Of each class the mention that is likeliest of it, if that is likely enough."""
    found: dict[str, Stated | None] = dict.fromkeys(classes)
    if not mentions:
        return found
    told = shares(model.scores(seen_mentions(text, sentences, roles, mentions)))
    for at, name in enumerate(classes):
        best = int(told[:, at].argmax())
        if told[best, at] >= LEAST:
            quote = Quote.of(text, mentions[best].start, mentions[best].end)
            found[name] = Stated(value=" ".join(quote.text.split()), quote=quote)
    return found


def _known(text: str, payers: Iterable[str]) -> Stated | None:
    """The first name that the letter has, the longest where several begin there."""
    low = " ".join(text.split()).casefold()
    for name in sorted(payers, key=len, reverse=True):
        if name.casefold() in low and (place := text.casefold().find(name.casefold())) >= 0:
            return Stated(value=name, quote=Quote.of(text, place, place + len(name)))
    return None
