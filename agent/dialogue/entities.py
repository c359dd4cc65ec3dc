"""What a text names, with where it stands: persons, plans, drugs, tests, diagnoses, and words that nobody knows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from agent.dialogue import drugs, people, wordlists, words
from agent.dialogue.drugs import Mention
from agent.dialogue.known import Known, any_of, ordinary
from agent.dialogue.query import Talk
from agent.dialogue.spelling import correction, is_slip
from tools.terminology.conditions import CONCEPTS, conditions_of
from tools.terminology.dates import dates_in

Kind = Literal["drug", "class", "medicine", "stranger", "plan", "strange plan", "person", "test", "condition"]
_SUFFIXES = (  # of ordinary words, and of no drug's name
    "ing", "ed", "ly", "tion", "ions", "ment", "ness", "able", "ity", "ies", "ous", "ally", "emia", "itis", "opathy",
    "osis", "ology", "ist", "ists", "gram",
)  # fmt: skip
NEAR = 0.45  # cosine from which words mean a test or diagnosis that they do not name
_WORD = re.compile(r"[a-z][a-z-]{3,}[a-z]")
_NAMED = re.compile(r"(?:[A-Z][\w&-]+ ){1,4}[\w-]+")  # words with capitals, and the one behind them


class Entity(NamedTuple):
    """A thing that is named. `names` are catalog drugs; `key` is the terminology's or the store's, or the word itself;
    `several` says that all of `names` are meant and not one of them."""

    start: int
    end: int
    kind: Kind
    names: tuple[str, ...] = ()
    key: str = ""
    several: bool = False


class Entities(NamedTuple):
    """All that a text names, in order; none overlap, but the tests of a panel, which stand at the same words."""

    text: str
    found: tuple[Entity, ...]
    person: people.Person

    def within(self, start: int, end: int, *kinds: Kind) -> list[Entity]:
        """Those that stand in a span, of these kinds."""
        return [one for one in self.found if start <= one.start < end and (not kinds or one.kind in kinds)]


def find(text: str, talk: Talk, known: Known) -> Entities:
    """What the text names; `talk` settles what fits several."""
    low = words.low(text)
    found: list[Entity] = [
        Entity(match.start(), match.end(), "plan", key=known.plan_words[match.group()])
        for match in _plan_pattern(tuple(known.plan_words)).finditer(low)
    ]
    mentions = drugs.find(low, known, [(one.start, one.end) for one in found])
    found += [one for one in _strange_plans(text, talk, known) if not _overlaps(one.start, one.end, found)]
    spans = [*((one.start, one.end) for one in found), *((m.start, m.end) for m in mentions)]
    person = people.somebody_else(
        people.find(text, known, tuple(spans), bound=bool(talk.patient_id)),
        text,
        known,
        tuple(spans),
        talk.names,
    )
    found += [Entity(start, end, "person", key=person.said) for start, end in person.spans]
    found += [_drug(mention) for mention in mentions]
    found += [
        Entity(match.start(), match.end(), "condition", key=known.concepts[match.group()])
        for match in known.concept_pattern.finditer(low)
        if not _overlaps(match.start(), match.end(), found)
    ]
    found += [
        Entity(match.start(), match.end(), "test", key=key)
        for match in known.test_pattern.finditer(low)
        if not _overlaps(match.start(), match.end(), found)
        for key in known.panels.get(match.group()) or (known.tests[match.group()],)
    ]
    found += [one for one in _codes(text) if not _overlaps(one.start, one.end, found)]
    found += [one for one in _strangers(text, low, found, known) if not _overlaps(one.start, one.end, found)]
    return Entities(text, tuple(_apart(found)), person)


def nearest(text: str, kind: Literal["test", "condition"], known: Known) -> str:
    """The test or diagnosis that words mean which name none ("is he any heavier"); empty if none is near."""
    from tools.store.embedding import bundled

    keys, rows = known.embedded_tests if kind == "test" else known.embedded_concepts
    scores = rows @ bundled().embed([text])[0]
    at = int(scores.argmax())
    return keys[at] if scores[at] >= NEAR else ""


def _drug(mention: Mention) -> Entity:
    kind: Kind = "medicine" if mention.kind == "other" else "class" if mention.many else "drug"
    if mention.kind == "stranger":
        kind = "stranger"
    return Entity(mention.start, mention.end, kind, mention.names, mention.word, mention.many)


def _codes(text: str) -> Iterator[Entity]:
    """Diagnoses that are named by a code of them ("is K75.81 on the list")."""
    end = 0
    for word in text.split():
        start = text.index(word, end)
        end = start + len(word)
        code = word.strip("()[],;:?!.")
        keys = conditions_of(code) if code[:1].isalpha() and code[1:3].isdigit() else ()
        judged = [key for key in keys if key in CONCEPTS]
        if judged:
            yield Entity(start, end, "condition", key=judged[0])


def _strangers(text: str, low: str, taken: Sequence[Entity], known: Known) -> list[Entity]:
    """Words that are in no dictionary and written as a name is: nobody knows what they are, a drug perhaps."""
    found = [_drug(mention) for mention in drugs.strangers(low, [(one.start, one.end) for one in taken])]
    mixed = any(character.islower() for character in text)
    for match in _WORD.finditer(low):
        word, (start, end) = match.group(), match.span()
        named = mixed and text[start].isupper()
        if not named or _overlaps(start, end, [*taken, *found]) or _is_common(word, known) or is_slip(word):
            continue
        found.append(Entity(start, end, "stranger", key=word))
    return found


def _strange_plans(text: str, talk: Talk, known: Known) -> Iterator[Entity]:
    """Names that stand before a word that plans are called by, or hold one, and are none of ours."""
    for match in _NAMED.finditer(text):
        parts = list(re.finditer(r"[\w&-]+", match[0]))
        begins = (
            not match.start() or text[match.start() - 2] in ".?!"
        )  # whose first word has a capital anyway
        if begins and parts[0][0].casefold() in ordinary():
            parts.pop(0)
        while parts and parts[-1][0].casefold() not in known.payer_words:
            parts.pop()
        first = parts[0][0].casefold() if len(parts) > 1 else ""
        if not parts:
            continue
        start, end = match.start() + parts[0].start(), match.start() + parts[-1].end()
        if (
            first
            and first not in {*known.payer_words, *known.brands, *talk.names}
            and not (known.as_of and dates_in(text[start:end], known.as_of))  # "June value"
        ):
            yield Entity(start, end, "strange plan", key=text[start:end])


def _is_common(word: str, known: Known) -> bool:
    parts = [word, word.rstrip("s"), *word.split("-")]
    return (
        any(part in ordinary() for part in parts)
        or word in known.payer_words
        or word in wordlists.words("no_name")
        or word.endswith(_SUFFIXES)
        or bool(correction(word))
    )


@lru_cache(maxsize=8)
def _plan_pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    return any_of(dict.fromkeys(names, ""))


def _apart(found: Iterable[Entity]) -> list[Entity]:
    """In order, the first of two over the same words; all tests of a panel."""
    kept: list[Entity] = []
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        beside = bool(kept) and one._replace(key="") == kept[-1]._replace(key="") and one.kind == "test"
        if not kept or one.start >= kept[-1].end or beside:
            kept.append(one)
    return kept


def _overlaps(start: int, end: int, taken: Iterable[Entity]) -> bool:
    return any(start < one.end and one.start < end for one in taken)
