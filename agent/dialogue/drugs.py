# ruff: noqa: E501 - a pattern is read more easily on one line than in pieces
"""Which drugs a question names, however they are spelt.

A mention is a brand, an ingredient (which several brands may hold), another medicine that is only a topic, or a class.
What fits several is left open; which drug is meant, named or not, is for `linking`. A word is corrected to a drug only
if it is no ordinary English word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from agent.dialogue.known import Known, any_of, ordinary
from tools.terminology.medicines import CLASSES
from tools.terminology.vocabulary import vocabulary

NEAR = 0.70  # how alike a misspelling is to what it stands for, where it begins with the same letter
NEARER = 0.80  # where it doesn't
SHORTEST = 3  # letters of a brand that is cut short
MOST_TRIED = 24  # odd words of one question that are compared with drug names


class Mention(NamedTuple):
    """One drug, or several, between two places of the text. `kind`: brand, ingredient, other (a medicine that is none of
    ours), class, slip (of several names), stranger (an unknown name). `word` is what was meant, spelt right. `many`: all are meant."""

    start: int
    end: int
    kind: str
    names: tuple[str, ...]
    word: str
    many: bool = False


_PINNED = re.compile(
    r"\b(?:for|as an?|to treat|because of|under(?: the)?|it's for|indication(?: is| of|:)?|on the basis of|para)\s+"
    r"(?:(?:a|an|her|his|their|the|its|treating|of|chronic|la|el|su)\s+)*$"
)
_CALLED = re.compile(r"^\s*(?:indication|use|side)\b")

_MANY = re.compile(
    r"\b(?:any|all|every|each|which|what|some|other|another)\s+(?:of\s+)?(?:the\s+|these\s+|those\s+)?(?:other\s+)?$"
)
_CLASS_TAIL = r"(?P<tail>(?:s|'s)?(?:[- ](?:receptor )?(?:agonists?|ras?|inhibitors?|drugs?|meds?|medications?|medicines?|agents?|class))?)"
_FAMILIES = {"gliflozin": "sglt2", "gliptin": "dpp4", "glutide": "glp1", "incretin": "glp1"}
_STRENGTH = re.compile(r"^\s*(?:at\s+)?(\d+(?:\.\d+)?)(?:\s?mg)?\b(?!\s*(?:months?|weeks?|days?|%))")
_WORD = re.compile(r"[a-z][a-z'-]*[a-z]|[a-z]")
_STRANGE = re.compile(r"^(?!.*ness$)[a-z]{3,}(?:tide|gliptin|flozin|glitazone|umab|enatide|glutide|formin)$")


def find(text: str, known: Known, taken: Sequence[tuple[int, int]] = ()) -> list[Mention]:
    """Every mention, in order; `text` is in lower case, and what is `taken` (persons, plans) is no drug."""
    found = [
        mention
        for mention in (*_named(text, known), *_classes(text, known))
        if not _within(mention.start, mention.end, taken)
    ]
    found = _apart(found)
    found += _misspelt(text, known, [*taken, *((m.start, m.end) for m in found)])
    return sorted(_narrowed(mention, text, known) for mention in found)


def in_full(text: str, known: Known) -> str:
    """The text with the names of drugs for what they are called in talk ("oz vs trulicity"), and not where that is an
    amount ("8 oz")."""
    spoken = re.compile(rf"(?<![\w-])(?<!\d )(?:{'|'.join(known.spoken)})(?![\w-])", re.IGNORECASE)
    return spoken.sub(lambda match: known.spoken[match.group().lower()], text) if known.spoken else text


def indication(text: str) -> str:
    """The indication that the words pin ("for weight loss"), or none."""
    for match in _uses().finditer(text):
        if _PINNED.search(text, 0, match.start()) or _CALLED.match(text[match.end() : match.end() + 14]):
            return _use_names()[match.group()]
    return ""


def indication_named(text: str) -> str:
    """The first indication that is named at all: enough in an answer to "for which use?"."""
    return next(iter(indications_named(text)), "")


def indications_named(text: str) -> tuple[str, ...]:
    """Every indication that is named, in order."""
    return tuple(dict.fromkeys(_use_names()[match.group()] for match in _uses().finditer(text)))


@cache
def _uses() -> re.Pattern[str]:
    return any_of(_use_names())


@cache
def _use_names() -> dict[str, str]:
    return {name: key for key, use in vocabulary("uses").items() for name in use.names}


def for_indication(names: Iterable[str], key: str, known: Known) -> tuple[str, ...]:
    """Those of the drugs whose label has this indication."""
    return tuple(n for n in names if any(i.key == key for i in known.by_name[n].indications))


def strangers(text: str, spans: Sequence[tuple[int, int]]) -> list[Mention]:
    """Words that end as drug names do and are none that we know."""
    return [
        Mention(m.start(), m.end(), "stranger", (), m.group())
        for m in _WORD.finditer(text)
        if len(m.group()) > 6
        and _STRANGE.match(m.group())
        and m.group() not in ordinary()
        and not _within(m.start(), m.end(), spans)
    ]


# --- by name ----------------------------------------------------------------------------------------------


def _named(text: str, known: Known) -> list[Mention]:
    found = []
    for match in _name_pattern(known).finditer(text):
        word = match.group("name")
        if word in known.brands:
            found.append(
                Mention(match.start(), match.end(), "brand", (known.brands[word],), known.brands[word])
            )
        elif word in known.ingredients:
            found.append(Mention(match.start(), match.end(), "ingredient", known.ingredients[word], word))
        else:
            found.append(Mention(match.start(), match.end(), "other", (), word))
    for match in re.finditer(
        r"(?<!\w)(?=([a-z]{1,8})[ -]([a-z]{2,9})(?!\w))", text
    ):  # "zep bound", "mon-jaro"
        joined = match.group(1) + match.group(2)
        if joined in known.brands:
            name = known.brands[joined]
            found.append(Mention(match.start(), match.end(2), "brand", (name,), name))
    return found


def _name_pattern(known: Known) -> re.Pattern[str]:
    return _pattern(tuple(known.brands), tuple(known.ingredients), tuple(known.others))


@lru_cache(maxsize=8)
def _pattern(*groups: tuple[str, ...]) -> re.Pattern[str]:
    words = sorted({word for group in groups for word in group}, key=len, reverse=True)
    return re.compile(rf"(?<![\w])(?P<name>{'|'.join(map(re.escape, words))})(?:'s|s)?(?![\w])")


def _classes(text: str, known: Known) -> list[Mention]:
    found = []
    for one, names in known.classes.items():
        for match in _class_pattern(one).finditer(text):
            tail = match.group("tail") or ""
            plural = tail.endswith("s") and not tail.endswith("'s") and not tail.endswith("class")
            many = plural or bool(_MANY.search(text, 0, match.start()))
            found.append(Mention(match.start(), match.end(), "class", names, CLASSES.get(one, one), many))
    return found


@lru_cache(maxsize=64)
def _class_pattern(one: str) -> re.Pattern[str]:
    """ "glp1" is written glp-1, glp 1, glp1 and glp; and a class is known by how its drugs' names end."""
    stem, number = re.match(r"([a-z_]+?)(\d*)$", one).groups() if re.match(r"[a-z_]+\d*$", one) else (one, "")  # type: ignore[union-attr]
    spelt = re.escape(stem.replace("_", " ")) + (rf"(?:[- ]?{number})?" if number else "")
    label = re.sub(r"^an? ", "", CLASSES.get(one, "")).casefold()
    families = [f"{family}" for family, key in _FAMILIES.items() if key == one]
    forms = "|".join([spelt, *([re.escape(label)] if label else []), *families])
    return re.compile(rf"(?<![\w-])(?:{forms}){_CLASS_TAIL}(?![\w])")


def _misspelt(text: str, known: Known, taken: Sequence[tuple[int, int]]) -> list[Mention]:
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    found: list[Mention] = []
    tried = 0
    for match in _WORD.finditer(text):
        word = match.group().removesuffix("'s")
        if len(word) > 24 or _within(match.start(), match.end(), taken) or tried >= MOST_TRIED:
            continue
        if word in ordinary() or word.rstrip("s") in ordinary():
            continue
        if len(word) < 5:
            found += _cut_short(match, word, known)
            continue
        tried += 1
        near = process.extract(
            word, known.spelt.keys(), scorer=OSA.normalized_similarity, score_cutoff=NEAR, limit=3
        )
        near = [one for one in near if one[0][0] == word[0] or one[1] >= NEARER]
        near = [one for one in near if len(one[0]) > 5 or one[1] >= NEARER]
        if not near:
            continue
        best = [one for one in near if one[1] >= near[0][1] - 0.02]
        end = match.start() + len(word)
        kinds = [known.spelt[one[0]] for one in best]
        if len({value for _, value in kinds}) > 1:
            names = tuple(dict.fromkeys(n for kind, value in kinds for n in _names(kind, value, known)))
            if len(names) > 1:
                found.append(Mention(match.start(), end, "slip", names, word))
                continue
        kind, value = kinds[0]
        found.append(Mention(match.start(), end, kind, _names(kind, value, known), value))
    return found


def _cut_short(match: re.Match[str], word: str, known: Known) -> list[Mention]:
    """The only brand that begins with a word of three or four letters ("zep")."""
    brands = {known.brands[name] for name in known.brands if name.startswith(word)}
    if len(word) < SHORTEST or len(brands) != 1:
        return []
    return [Mention(match.start(), match.end(), "brand", (brand := brands.pop(),), brand)]


def _names(kind: str, value: str, known: Known) -> tuple[str, ...]:
    if kind == "brand":
        return (value,)
    return known.ingredients[value] if kind == "ingredient" else ()


def _narrowed(mention: Mention, text: str, known: Known) -> Mention:
    """An ingredient of several brands, narrowed by a strength that only some of them have."""
    strength = _STRENGTH.match(text[mention.end : mention.end + 16])
    if mention.kind != "ingredient" or strength is None:
        return mention
    dose = float(strength.group(1))
    names = tuple(n for n in mention.names if any(s.dose == dose for s in known.by_name[n].strengths))
    return mention._replace(names=names or mention.names)


def _apart(mentions: list[Mention]) -> list[Mention]:
    """No two over the same words: the longer one, then the first."""
    kept: list[Mention] = []
    for mention in sorted(mentions, key=lambda m: (m.start - m.end, m.start)):
        if not _within(mention.start, mention.end, [(m.start, m.end) for m in kept]):
            kept.append(mention)
    return sorted(kept)


def _within(start: int, end: int, spans: Iterable[tuple[int, int]]) -> bool:
    return any(start < other_end and other_start < end for other_start, other_end in spans)
