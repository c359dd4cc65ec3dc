"""What the name of a medicine, as charts, claims and RxNorm write it, stands for.

`data/medicines.jsonl` has a row for every ingredient, brand, combination and supply; `data/decorations.jsonl`
has the words that stand beside a name without being one: doses, forms, routes, salts, directions, makers.
A name is resolved only if each of its words is explained by the two, so that a partner that nobody knows
("sitagliptin/foozepam") never vanishes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, cached_property, lru_cache
from typing import Literal, NamedTuple

import msgspec

from tools.domain.records import Drug
from tools.terminology.rows import read_rows


class Medicine(NamedTuple):
    """`name` as the terminology writes it; `ingredients` in lower case; `classes` as keys of CLASSES;
    `rxnorm` the ingredient's RxCUI if there is just one ("" where none is confirmed); `kind` is ingredient,
    brand or supply. A supply (test strips, a CPAP mask) is known and has neither ingredients nor classes."""

    name: str
    ingredients: tuple[str, ...]
    classes: tuple[str, ...]
    rxnorm: str
    kind: str = "ingredient"


class MedicineRow(msgspec.Struct, frozen=True, gc=False):
    """A line of medicines.jsonl. An ingredient stands for itself; a brand names its ingredients, and classes only
    where it is more than they are (a weight-loss drug made of two that are none). `list_only`: names
    that are ordinary words or first names too, so that they count on a list of medicines and not in running text.
    `spoken`: what it is called in talk about the drugs of a plan ("oz") and in no chart."""

    name: str
    kind: str = "ingredient"
    ingredients: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    rxnorm: str = ""
    formulation: str = ""
    synonyms: tuple[str, ...] = ()
    abbreviations: tuple[str, ...] = ()
    misspellings: tuple[str, ...] = ()
    list_only: tuple[str, ...] = ()
    spoken: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    strengths: tuple[str, ...] = ()
    source: str = ""

    def names(self) -> tuple[str, ...]:
        return (self.name, *self.synonyms, *self.abbreviations, *self.misspellings)


class ClassRow(msgspec.Struct, frozen=True):
    """A line of classes.jsonl: `label` is how a sentence calls the class, with its article; `treats` are the
    conditions that it is taken for and the tests whose values it moves; `rest` marks what no narrower class holds,
    whose names mean all that treats the first of them."""

    key: str
    label: str
    names: tuple[str, ...] = ()
    treats: tuple[str, ...] = ()
    rest: bool = False


class _ProductRow(msgspec.Struct, frozen=True):
    rxcui: str
    name: str
    source: str = ""


class _Decorations(msgspec.Struct, frozen=True):
    kind: str
    words: tuple[str, ...]


class Terminology:
    """Every name of every medicine, and what it stands for. Immutable: a clinic's own rows make another one."""

    def __init__(self, rows: Iterable[MedicineRow] = (), names: dict[str, MedicineRow] | None = None) -> None:
        self._names = dict(names or {})
        for row in rows:
            for name in row.names():
                self._names[fold(name)] = row

    def with_medicines(self, rows: Iterable[MedicineRow]) -> Terminology:
        """This terminology and a clinic's answers to "what is X?", which win over it."""
        return Terminology(rows, self._names)

    def row(self, name: str) -> MedicineRow | None:
        """The row that has exactly this name, in any case and punctuation."""
        return self._names.get(fold(name))

    def rows(self) -> tuple[MedicineRow, ...]:
        """Every row once."""
        return self._rows

    @cached_property
    def _rows(self) -> tuple[MedicineRow, ...]:
        return tuple({id(row): row for row in self._names.values()}.values())

    def resolve(self, name: str) -> Medicine | None:
        """What a charted name stands for; None if a word of it that could be a medicine is unknown."""
        if row := self.row(name):
            return self._medicine([row])
        rows = self._rows_of(name)
        return self._medicine(rows) if rows else None

    def _rows_of(self, name: str) -> list[MedicineRow]:
        """The rows that the words of a name name, left to right; none if a word stays unexplained."""
        words = _words(name)
        rows: list[MedicineRow] = []
        at, named = 0, False  # named: the word before belongs to a medicine, so that a salt may follow
        while at < len(words):
            word = words[at]
            if rows and word.text == "for" and (size := _purpose(words, at + 1)):
                at, named = at + 1 + size, False
                continue
            row, size = self._longest(words, at, named)
            salt = named and word.text in _salts()
            if not (row or salt or _is_decoration(word, words[at - 1] if named else None)):
                row, size = self._near(word.text), 1
                if not row:
                    return []
            if row:
                rows.append(row)
            at, named = at + max(size, 1), bool(row) or salt
        return rows

    def _longest(self, words: list[_Word], at: int, named: bool) -> tuple[MedicineRow | None, int]:
        for size in range(min(_LONGEST, len(words) - at), 0, -1):
            found = self._names.get(" ".join(word.text for word in words[at : at + size]))
            if found and not (size == 1 and named and not words[at].apart and words[at].text in _salts()):
                return found, size
        return None, 0

    def _near(self, word: str) -> MedicineRow | None:
        """The only row with a one-word name a single edit away and the same first letter; shorter words have too many
        neighbours (tacrine is no taurine), and what people do to them is in the data."""
        if len(word) < 8 or not word.isalpha():
            return None
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        found = process.extract(
            word, _one_word_names(self), scorer=OSA.distance, processor=None, score_cutoff=1, limit=5
        )
        rows = {self._names[name].name: self._names[name] for name, _, _ in found if name[0] == word[0]}
        return next(iter(rows.values())) if len(rows) == 1 else None

    def _medicine(self, rows: list[MedicineRow]) -> Medicine:
        """One medicine of all the rows that a name named: the brand's name if it covers the rest."""
        medicines = [row for row in rows if row.kind != "supply"]
        if not medicines:
            return Medicine(rows[0].name, (), (), "", "supply")
        listed = [name for row in medicines for name in row.ingredients or (row.name,)]
        ingredients = tuple(dict.fromkeys(_specific(listed)))
        made_of = [self._names.get(fold(name)) for name in ingredients]
        classes = [key for one in made_of if one for key in one.classes]
        classes += [key for row in medicines for key in row.classes if row.ingredients]
        name = next(
            (
                row.name
                for row in sorted(medicines, key=lambda row: row.kind != "brand")
                if set(ingredients) <= set(row.ingredients or (row.name,))
            ),
            " / ".join(dict.fromkeys(row.name for row in medicines)),
        )
        return Medicine(
            name,
            ingredients,
            tuple(dict.fromkeys(classes)),
            made_of[0].rxnorm if len(made_of) == 1 and made_of[0] else "",
            "brand" if any(row.kind == "brand" for row in medicines) else "ingredient",
        )


def resolve_medicine(
    name: str, drugs: Iterable[Drug] = (), terms: Terminology | None = None
) -> Medicine | None:
    """What a charted name stands for.

    Args:
        name: as it stands in a chart, a claim or a code's display, with or without dose, form and directions.
        drugs: the catalog's, whose names and aliases are known whether or not the terminology has them.
        terms: the terminology with a clinic's own answers; ours alone if left out.

    Returns:
        The medicine; None if any word that could be a medicine is unknown.
    """
    bare = name.strip().casefold()
    for drug in drugs:
        if bare == drug.name.casefold() or bare in map(str.casefold, drug.aliases):
            return Medicine(drug.name, drug.ingredients, drug.classes, drug.rxnorm, "brand")
    found = terms.resolve(name) if terms else _resolve(name)
    if found or not drugs:
        return found
    own = [
        MedicineRow(drug.name, "brand", drug.ingredients, drug.classes, synonyms=drug.aliases)
        for drug in drugs
        if not terminology().row(drug.name)
    ]
    return (terms or terminology()).with_medicines(own).resolve(name) if own else None


def medicine(name: str, drugs: Iterable[Drug] = ()) -> Medicine:
    """What an entry of a chart stands for: what nobody knows has no ingredients, so that it can be told from every
    medicine that is known; what is no medicine stands for itself."""
    known = resolve_medicine(name, drugs)
    if known is None:
        return Medicine(name, (), (), "")
    return known if known.ingredients else known._replace(ingredients=(known.name.casefold(),))


@lru_cache(maxsize=1024)
def ndc11(ndc: str) -> str:
    """Billing form 5-4-2 without hyphens of a hyphenated 10-digit NDC: 0169-4181-13 → 00169418113."""
    parts = ndc.split("-")
    if len(parts) == 1 and len(ndc) == 11:
        return ndc
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        return ""
    labeler, product, package = parts
    return labeler.zfill(5) + product.zfill(4) + package.zfill(2)


LONGEST_FORM = 24  # characters behind a name in which its formulation is looked for
Formulation = Literal["", "IR", "ER"]  # as a chart's record has it


def formulation_of(name: str) -> str:
    """ "ER" for extended, "DR" for delayed, "IR" for immediate release, by the name's words or its brand; else ""."""
    words = fold(name)
    for formulation, pattern in _RELEASE.items():
        if pattern.search(words):
            return formulation
    return next((row.formulation for row in terminology()._rows_of(name) if row.formulation), "")


def formulation_at(text: str, start: int, end: int) -> Formulation:
    """The formulation that a text gives the drug named at [start, end), in the name or right behind it; "" if none."""
    name, behind = fold(text[start:end]), fold(text[end : end + LONGEST_FORM])
    for formulation in ("ER", "IR"):
        if _RELEASE[formulation].search(name) or _RELEASE[formulation].match(behind):
            return formulation
    return ""


@cache
def terminology() -> Terminology:
    """The terminology that is shipped."""
    rows = read_rows("medicines", MedicineRow)
    named = [(name, row) for row in rows for name in row.names()]
    folded = fold_lines("\n".join([name for name, _ in named]))
    return Terminology(names=dict(zip(folded, [row for _, row in named], strict=True)))


def ingredients_of(name: str) -> tuple[str, ...]:
    """What exactly this name, a brand or an ingredient, is made of; () if no medicine is called so."""
    row = terminology().row(name)
    return (row.ingredients or (row.name,)) if row and row.kind != "supply" else ()


def is_brand(name: str) -> bool:
    """Is this exactly a brand's name?"""
    row = terminology().row(name)
    return row is not None and row.kind == "brand"


def class_of(ingredient: str) -> str:
    """The class of an ingredient, a key of CLASSES; "" if nobody knows the ingredient."""
    row = terminology().row(ingredient)
    return row.classes[0] if row and row.kind == "ingredient" else ""


@cache
def medicines_of(classes: tuple[str, ...]) -> tuple[MedicineRow, ...]:
    """The ingredients of these classes and the brands that have one of them, as the data lists them."""
    rows = terminology().rows()
    wanted = {row.name for row in rows if row.kind == "ingredient" and set(row.classes) & set(classes)}
    return tuple(row for row in rows if row.name in wanted or wanted & set(row.ingredients))


@cache
def product_name(rxcui: str) -> str:
    """What an RxNorm product or ingredient is called; "" if the terminology has no such code."""
    known = {row.rxnorm: row.name for row in terminology().rows() if row.rxnorm}
    known |= {row.rxcui: row.name for row in read_rows("products", _ProductRow)}
    return known.get(rxcui, "")


@cache
def medicine_names() -> tuple[str, ...]:
    """Every ingredient and brand by its names, in lower case; neither abbreviations nor slips."""
    rows = (row for row in terminology().rows() if row.kind != "supply")
    return tuple(name.casefold() for row in rows for name in (row.name, *row.synonyms))


@lru_cache(maxsize=8192)
def _resolve(name: str) -> Medicine | None:
    return terminology().resolve(name)


# Classes that payers of this field ask an authorization for, or want tried before.
STEP_CLASSES = (
    "biguanide", "sulfonylurea", "glinide", "tzd", "dpp4", "glp1", "amylin", "sglt2", "insulin", "agi", "anorectic",
)  # fmt: skip
_CLASS_ROWS = tuple(read_rows("classes", ClassRow))
CLASSES: dict[str, str] = {row.key: row.label for row in _CLASS_ROWS}


def treating(what: str) -> frozenset[str]:
    """The classes that are taken for a condition, or to move a test's value; none if that is not told."""
    return frozenset(row.key for row in _CLASS_ROWS if what in row.treats)


def classes_meant(key: str) -> frozenset[str]:
    """The classes that the names of a class mean: itself, and every one that treats the same where it is the rest."""
    row = next(row for row in _CLASS_ROWS if row.key == key)
    return treating(row.treats[0]) if row.rest else frozenset((key,))


@lru_cache(maxsize=1)
def class_names() -> dict[str, str]:
    """What classes are called, in lower case, and their keys."""
    names = {name.casefold(): row.key for row in _CLASS_ROWS for name in row.names}
    return names | {
        row.label.removeprefix("an ").removeprefix("a ").casefold(): row.key for row in _CLASS_ROWS
    }


class _Word(NamedTuple):
    text: str
    hyphen: bool  # a hyphen stands before it
    apart: bool  # a comma, slash, plus or bracket stands before it


_LONGEST = 7  # words in the longest name
_TOKEN = re.compile(r"[^\W_]+%?|%")
_AMOUNT = re.compile(
    r"\d+(?:st|nd|rd|th|x|k|d|w|m|h|hr|hrs|ct|day|days|wk|week|month|mo|g|gm|mg|mcg|ug|µg|ml|l|u|iu|unit|units|meq"
    r"|mmol|cc|oz|mm|tab|tabs|cap|caps|pk|pen|pens|am|pm|%|mgml|mcgml|act|hour|min|in|gauge)*$|[ux]\d+$|a?nda\d+$"
)
_RELEASE = {
    "ER": re.compile(
        r"\b(?:er|xr|xl|sr|la|cr|extended release|24 ?hr|12 ?hr|24 hour|12 hour|tb24|cp24|tb12|tber)\b"
    ),
    "DR": re.compile(r"\b(?:dr|ec|delayed release|enteric coated|tbec|cpdr)\b"),
    "IR": re.compile(r"\b(?:ir|immediate release)\b"),
}
_MARKS = str.maketrans(
    {**dict.fromkeys('!"#$&()*+,-./:;<=>?@[\\]^_`{|}~®™©–—·•', " "), **dict.fromkeys("'’‘´")}
)


def fold(name: str) -> str:
    """A name in the form in which names are compared: no case, no punctuation, single spaces."""
    return " ".join(name.casefold().translate(_MARKS).split())


def fold_lines(names: str) -> list[str]:
    """`fold` of many names, one a line, at once: seven thousand of them in two milliseconds."""
    text = names.casefold().translate(_MARKS)
    while "  " in text:
        text = text.replace("  ", " ")
    return [line.strip() for line in text.split("\n")]


def _words(name: str) -> list[_Word]:
    text = name.casefold().translate(str.maketrans("", "", "'’‘´®™©"))
    found, end = [], 0
    for match in _TOKEN.finditer(text):
        gap = text[end : match.start()]
        found.append(
            _Word(match.group(), gap == "-", bool(set(gap) & set(",/+;&([") or gap.strip() == "and"))
        )
        end = match.end()
    return found


def _is_decoration(word: _Word, medicine: _Word | None) -> bool:
    """Says how, how much or by whom; or is the four meaningless letters of a biologic: insulin glargine-yfgn."""
    if word.text in _other_words() or _AMOUNT.match(word.text):
        return True
    suffix = word.hyphen and len(word.text) == 4
    return bool(medicine and suffix and medicine.text.endswith(_BIOLOGIC))


_BIOLOGIC = (
    "ase",
    "mab",
    "cept",
    "stim",
    "alfa",
    "beta",
    "glargine",
    "aspart",
    "lispro",
    "glulisine",
    "degludec",
    "tropin",
)


def _purpose(words: list[_Word], at: int) -> int:
    """How many words from here on say what a medicine is for: conditions, and what is done about them."""
    start = at
    while at < len(words):
        sizes = range(min(6, len(words) - at), 0, -1)
        size = next(
            (n for n in sizes if " ".join(word.text for word in words[at : at + n]) in _purposes()), 0
        )
        if not size:
            break
        at += size
    return at - start


class _Condition(msgspec.Struct, frozen=True):
    label: str
    phrases: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    abbreviations: tuple[str, ...] = ()


@cache
def _purposes() -> frozenset[str]:
    """What a medicine is taken for, folded."""
    rows = read_rows("conditions", _Condition)
    named = {fold(n) for row in rows for n in (row.label, *row.phrases, *row.names, *row.abbreviations)}
    return frozenset(named).union(
        *(row.words for row in read_rows("decorations", _Decorations) if row.kind == "purpose")
    )


def _specific(ingredients: list[str]) -> list[str]:
    """Without a bare name that another one says better: insulin beside insulin glargine."""
    return [
        one
        for one in ingredients
        if " " in one or not any(other.startswith(f"{one} ") for other in ingredients)
    ]


@cache
def _salts() -> frozenset[str]:
    return frozenset(
        w for row in read_rows("decorations", _Decorations) if row.kind == "salt" for w in row.words
    )


@cache
def _other_words() -> frozenset[str]:
    return frozenset(
        w for row in read_rows("decorations", _Decorations) if row.kind != "salt" for w in row.words
    )


@lru_cache(maxsize=4)
def _one_word_names(terms: Terminology) -> list[str]:
    return [name for name in terms._names if " " not in name and len(name) > 5 and name not in exact_names()]


@cache
def exact_names() -> frozenset[str]:
    """Words of names that an ordinary word is one letter away from, so that no slip of the pen is read as them."""
    return frozenset(
        w for row in read_rows("decorations", _Decorations) if row.kind == "exact" for w in row.words
    )
