# ruff: noqa: E501 - a pattern is read more easily on one line than in pieces
"""Which drugs a question names, however they are spelt or described.

A mention is a brand, an ingredient (which several brands may hold), another medicine that is only a topic, a class,
or a description ("the weekly shot from Lilly"). What fits one drug is that drug; what fits several is left open,
unless the talk settles it. A word is corrected to a drug only if it is no ordinary English word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from agent.dialogue.known import Known, ordinary
from agent.dialogue.query import Talk
from tools.terminology.medicines import CLASSES

NEAR = 0.70  # how alike a misspelling is to what it stands for, where it begins with the same letter
NEARER = 0.80  # where it doesn't
MOST_TRIED = 24  # odd words of one question that are compared with drug names


class Mention(NamedTuple):
    """One drug, or several, between two places of the text. `kind`: brand, ingredient, other (a medicine that is
    none of ours), class, described, stranger (an unknown name) or odd (an unknown word where a drug would be). `word` is what was meant, spelt right. `many`: all are meant."""

    start: int
    end: int
    kind: str
    names: tuple[str, ...]
    word: str
    many: bool = False


INDICATIONS: dict[str, str] = {
    "weight": r"(?:weight|wt)[- ]?(?:loss|management|reduction|control|losing)|los(?:e|ing) weight|obesity|obese|weight|"
    r"bajar de peso|perder peso",
    "t2dm": r"(?:type 2 |t2 )?diabet(?:es|ic|ics)\b|t2dm?|type 2|dm2|glycemic control|(?:blood )?sugars?|a1c control",
    "cv": r"cardiovascular(?: risk)?(?: reduction)?|cv risk(?: reduction)?|cv|heart attack(?:s)?(?: prevention)?|mace",
    "osa": r"(?:obstructive )?sleep apno?ea|osa|apnea",
    "hf": r"heart failure|chf|hfref|hfpef|hf",
    "ckd": r"(?:chronic )?kidney(?: disease| protection)?|kidneys|ckd",
    "mash": r"mash|nash|fatty liver(?: disease)?|steatohepatitis",
}
INDICATION = re.compile(
    r"(?<![\w-])(?:"
    + "|".join(f"(?P<{key}>{pattern})" for key, pattern in INDICATIONS.items())
    + r")(?![\w-])"
)
_PINNED = re.compile(
    r"\b(?:for|as an?|to treat|because of|under(?: the)?|it's for|indication(?: is| of|:)?|on the basis of|para)\s+"
    r"(?:(?:a|an|her|his|their|the|its|treating|of|chronic|la|el|su)\s+)*$"
)
_CALLED = re.compile(r"^\s*(?:indication|use|side)\b")

_INJECTED = frozenset(
    [
        "shot",
        "shots",
        "injection",
        "injections",
        "injectable",
        "injectables",
        "injected",
        "jab",
        "jabs",
        "pen",
        "pens",
        "needle",
    ]
)
_ORAL = frozenset(
    ["pill", "pills", "tablet", "tablets", "tab", "tabs", "oral", "orals", "pastilla", "pastillas"]
)
_HEADS = frozenset(
    [
        "drug",
        "drugs",
        "med",
        "meds",
        "medication",
        "medications",
        "medicine",
        "medicines",
        "version",
        "one",
        "ones",
        "option",
        "options",
        "agent",
        "agents",
        "product",
        "something",
        "brand",
        "brands",
    ]
)
_GLUE = frozenset(
    [
        "the",
        "a",
        "an",
        "that",
        "this",
        "once",
        "1",  # "a day" is written so before it comes here
        "per",
        "week",
        "day",
        "every",
        "by",
        "from",
        "of",
        "for",
        "made",
        "its",
        "their",
        "her",
        "his",
        "or",
        "weekly",
        "daily",
        "one's",
    ]
)
_WEEKLY = re.compile(
    r"\b(?:once[- ]?weekly|weekly|once[- ](?:a|1)[- ]week|every week|1x ?(?:/|a|per) ?week|per week)\b"
)
_DAILY = re.compile(r"\b(?:once[- ]?daily|daily|once[- ](?:a|1)[- ]day|every day|per day)\b")
_MANY = re.compile(
    r"\b(?:any|all|every|each|which|what|some|other|another)\s+(?:of\s+)?(?:the\s+|these\s+|those\s+)?(?:other\s+)?$"
)
_CLASS_TAIL = r"(?P<tail>(?:s|'s)?(?:[- ](?:receptor )?(?:agonists?|ras?|inhibitors?|drugs?|meds?|medications?|medicines?|agents?|class))?)"
_FAMILIES = {"gliflozin": "sglt2", "gliptin": "dpp4", "glutide": "glp1", "incretin": "glp1"}
_STRENGTH = re.compile(r"^\s*(?:at\s+)?(\d+(?:\.\d+)?)(?:\s?mg)?\b(?!\s*(?:months?|weeks?|days?|%))")
_WORD = re.compile(r"[a-z][a-z'-]*[a-z]|[a-z]")
_STRANGE = re.compile(r"^(?!.*ness$)[a-z]{3,}(?:tide|gliptin|flozin|glitazone|umab|enatide|glutide|formin)$")


def find(text: str, known: Known, talk: Talk, taken: Sequence[tuple[int, int]] = ()) -> list[Mention]:
    """Every mention, in order; `text` is in lower case, and what is `taken` (persons, plans) is no drug."""
    found = [
        mention
        for mention in (*_named(text, known), *_classes(text, known))
        if not _within(mention.start, mention.end, taken)
    ]
    found = _apart(found)
    found += _misspelt(text, known, [*taken, *((m.start, m.end) for m in found)])
    found.sort()
    return _described(text, known, talk, found, taken)


def indication(text: str) -> str:
    """The indication that the words pin ("for weight loss"), or none."""
    for match in INDICATION.finditer(text):
        if _PINNED.search(text, 0, match.start()) or _CALLED.match(text[match.end() : match.end() + 14]):
            return str(match.lastgroup)
    return ""


def indication_named(text: str) -> str:
    """The first indication that is named at all: enough in an answer to "for which use?"."""
    match = INDICATION.search(text)
    return str(match.lastgroup) if match else ""


def for_indication(names: Iterable[str], key: str, known: Known) -> tuple[str, ...]:
    """Those of the drugs whose label has this indication."""
    return tuple(n for n in names if any(i.key == key for i in known.by_name[n].indications))


def settled(names: tuple[str, ...], talk: Talk, known: Known) -> tuple[str, ...]:
    """What the talk was about, where it was about just one of these; else, of the talk's ingredient."""
    for pool in (talk.offered, talk.drugs, talk.earlier):
        common = [name for name in names if name in pool]
        if len(common) == 1:
            return tuple(common)
    return names


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
        if (
            len(word) < 5
            or len(word) > 24
            or _within(match.start(), match.end(), taken)
            or tried >= MOST_TRIED
        ):
            continue
        if word in ordinary() or word.rstrip("s") in ordinary():
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
                found.append(Mention(match.start(), end, "described", names, word))
                continue
        kind, value = kinds[0]
        found.append(Mention(match.start(), end, kind, _names(kind, value, known), value))
    return found


def _names(kind: str, value: str, known: Known) -> tuple[str, ...]:
    if kind == "brand":
        return (value,)
    return known.ingredients[value] if kind == "ingredient" else ()


# --- by description ---------------------------------------------------------------------------------------


class _Token(NamedTuple):
    start: int
    end: int
    word: str
    mention: Mention | None = None


def _described(
    text: str, known: Known, talk: Talk, found: list[Mention], taken: Sequence[tuple[int, int]]
) -> list[Mention]:
    """Noun phrases that say what a drug is like, each replaced by the drugs that are so."""
    tokens = _tokens(text, found, taken)
    result: list[Mention] = []
    run: list[_Token] = []
    for token in (*tokens, _Token(len(text), len(text), "")):
        joined = not run or not re.search(r"[?!;,:]|\.\s", text[run[-1].end : token.start])
        if token.word and joined and _belongs(token, text, known):
            run.append(token)
            continue
        result += _settle(run, text, known, talk)
        run = [token] if token.word and _belongs(token, text, known) else []
        if not run and token.mention:
            result.append(token.mention)
    result += _settle(run, text, known, talk)
    return sorted(result)


def _tokens(text: str, found: list[Mention], taken: Sequence[tuple[int, int]]) -> list[_Token]:
    spans = [_Token(m.start, m.end, m.word, m) for m in found]
    held = [(m.start, m.end) for m in found] + list(taken)
    for match in INDICATION.finditer(text):
        if not _within(match.start(), match.end(), held):
            spans.append(_Token(match.start(), match.end(), f"<{match.lastgroup}>"))
            held.append((match.start(), match.end()))
    for match in re.finditer(r"\w+(?:'s)?", text):
        if not _within(match.start(), match.end(), held):
            spans.append(_Token(match.start(), match.end(), match.group().removesuffix("'s")))
    return sorted(spans, key=lambda token: token.start)


def _belongs(token: _Token, text: str, known: Known) -> bool:
    if token.mention:
        return token.mention.kind in ("brand", "ingredient", "class")
    return (
        token.word.startswith("<")
        or token.word in _INJECTED
        or token.word in _ORAL
        or token.word in _HEADS
        or token.word in _GLUE
        or token.word in known.makers
    )


def _settle(run: list[_Token], text: str, known: Known, talk: Talk) -> list[Mention]:
    """The mention that a run of describing words makes, or the mentions that stood in it."""
    inside = [token.mention for token in run if token.mention]
    if not run or len(inside) > 1:
        return _narrowed(inside, text, known, talk)
    words = [token.word for token in run]
    start = next(
        (t.start for t in run if t.word not in _GLUE or t.word in ("weekly", "daily", "once")), run[0].start
    )
    last = max(
        (t.end for t in run if t.word not in _GLUE or t.word in ("weekly", "daily", "week", "day")),
        default=run[-1].end,
    )
    said = text[run[0].start : run[-1].end]
    injected, oral = any(w in _INJECTED for w in words), any(w in _ORAL for w in words)
    weekly, daily = bool(_WEEKLY.search(said)), bool(_DAILY.search(said))
    makers = [known.makers[w] for w in words if w in known.makers]
    uses = [w[1:-1] for w in words if w.startswith("<")]
    head = injected or oral or any(w in _HEADS for w in words)
    filters = injected + oral + (weekly or daily) + bool(makers) + bool(uses)
    head = head or (filters > 1 and (weekly or daily or bool(makers)))  # "the Novo weekly for diabetes"
    if not filters:
        return _narrowed(inside, text, known, talk)
    if inside and inside[0].kind == "brand" and not (injected or oral or weekly or daily):
        return inside
    if not inside:
        named = any(w in ("the", "that", "a", "an", "this", "something") for w in words)
        before = text[: run[0].start]
        led = bool(
            re.search(r"(?:^|\b(?:about|and|or|on|get|for|which|what|any|other|some|all|of)\s|,\s*)$", before)
        )
        counted = bool(re.search(r"\bhow (?:many|much)\s+(?:\w+\s+)?$", before))
        if not head or counted or not (named or filters > 1 or led):
            return []
        if (
            filters == 1
            and not (injected or oral or weekly or daily or makers)
            and not re.search(
                r"\b(?:one|ones|drugs?|meds?|medications?|version|something|options?|brands?)\b", said
            )
        ):
            return []
    pool = list(inside[0].names) if inside else list(known.names)
    if inside and inside[0].kind == "brand":  # "the pill version of Ozempic"
        wanted = set(known.by_name[inside[0].names[0]].ingredients)
        pool = [n for n in known.names if wanted & set(known.by_name[n].ingredients)]
    fits = [n for n in pool if _fits(n, known, injected, oral, weekly, daily, makers, uses)]
    if not fits:
        return inside
    if inside and inside[0].kind == "brand" and inside[0].names[0] in fits:
        return inside
    many = bool(inside and inside[0].many) or (
        bool(
            re.search(
                r"\b(?:shots|injections|injectables|pills|tablets|drugs|meds|medications|options|ones|pens)\b",
                said,
            )
        )
        and not (inside and inside[0].kind == "ingredient")
    )
    names = tuple(fits)
    if len(names) > 1 and (not many or talk.drugs):
        near = _of_the_talk(names, talk, known)
        if len(near) == 1 or not many:
            names = near
    return [
        Mention(
            start,
            max(last, inside[0].end if inside else 0),
            "described",
            names,
            said.strip(),
            many and len(names) > 1,
        )
    ]


def _fits(
    name: str,
    known: Known,
    injected: bool,
    oral: bool,
    weekly: bool,
    daily: bool,
    makers: list[frozenset[str]],
    uses: list[str],
) -> bool:
    drug = known.by_name[name]
    by_mouth = drug.route == "oral"
    return (
        not (injected and by_mouth)
        and not (oral and not by_mouth)
        and not (weekly and drug.per_day > 0.5)
        and not (daily and drug.per_day < 0.5)
        and all(name in made for made in makers)
        and all(any(i.key == use for i in drug.indications) for use in uses)
    )


def _of_the_talk(names: tuple[str, ...], talk: Talk, known: Known) -> tuple[str, ...]:
    near = settled(names, talk, known)
    if len(near) == 1 or not talk.drugs or talk.drugs[0] not in known.by_name:
        return near
    wanted = set(known.by_name[talk.drugs[0]].ingredients)
    same = tuple(n for n in names if n != talk.drugs[0] and wanted & set(known.by_name[n].ingredients))
    return same if len(same) == 1 else names


def _narrowed(mentions: list[Mention], text: str, known: Known, talk: Talk) -> list[Mention]:
    """An ingredient of several brands, narrowed by a strength that only one of them has, or by the talk."""
    result = []
    for mention in mentions:
        if mention.kind == "ingredient" and len(mention.names) > 1:
            names = mention.names
            strength = _STRENGTH.match(text[mention.end : mention.end + 16])
            if strength:
                dose = float(strength.group(1))
                of_dose = [n for n in names if any(s.dose == dose for s in known.by_name[n].strengths)]
                names = tuple(of_dose) or names
            if len(names) > 1:
                names = settled(names, talk, known)
            mention = mention._replace(names=names)
        result.append(mention)
    return result


def _apart(mentions: list[Mention]) -> list[Mention]:
    """No two over the same words: the longer one, then the first."""
    kept: list[Mention] = []
    for mention in sorted(mentions, key=lambda m: (m.start - m.end, m.start)):
        if not _within(mention.start, mention.end, [(m.start, m.end) for m in kept]):
            kept.append(mention)
    return sorted(kept)


def _within(start: int, end: int, spans: Iterable[tuple[int, int]]) -> bool:
    return any(start < other_end and other_start < end for other_start, other_end in spans)
