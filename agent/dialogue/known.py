"""What a question may name: the store's drugs and plans, the field's tests, diagnoses and other medicines.

Made once per store and dataset. Nothing here is about the drugs that Paladin comes with: a clinic's own catalog
is read the same way, and what its drugs are called, who makes them and how they are taken comes from its records.
"""

from __future__ import annotations

import re
import weakref
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import msgspec

from agent.dialogue import wordlists
from tools.common.errors import PaladinError
from tools.domain.records import Drug, Plan
from tools.terminology.conditions import CONCEPTS, conditions
from tools.terminology.medicines import STEP_CLASSES, class_names, exact_names, medicines_of, terminology
from tools.terminology.observations import TESTS, tests

if TYPE_CHECKING:
    from tools.store.store import Store

# Classes of the other medicines that questions name: what is tried before, and what goes with diabetes and weight.
_ASKED_OF = (
    *STEP_CLASSES,
    "statin",
    "acei_arb",
    "beta_blocker",
    "antiplatelet",
    "diuretic",
    "ccb",
    "mra",
    "other",
)


def _is_typed(abbreviation: str) -> bool:
    """Nobody shifts in a question, and two small letters are too often something else."""
    return len(abbreviation) > 2


@dataclass(frozen=True)
class Known:
    """Everything that has a name. `names` are the catalog's drugs in its order."""

    drugs: tuple[Drug, ...]
    plans: tuple[Plan, ...]
    as_of: date | None = None
    _store: weakref.ref[Store] | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, store: Store) -> Known:
        """What this store knows, made anew when another dataset is loaded; Unavailable if none is."""
        dataset = store.dataset()
        version = dataset.fingerprint or msgspec.json.encode(dataset).hex()
        with _lock:
            kept = _kept.get(store)
            if kept is None or kept[0] != version:
                made = cls(tuple(store.drugs()), tuple(store.plans()), dataset.as_of, weakref.ref(store))
                kept = _kept[store] = (version, made)
        return kept[1]

    @cached_property
    def names(self) -> list[str]:
        return [drug.name for drug in self.drugs]

    @cached_property
    def by_name(self) -> dict[str, Drug]:
        return {drug.name: drug for drug in self.drugs}

    @cached_property
    def brands(self) -> dict[str, str]:
        """Brands and what stands for just one brand: aliases, and generic names of more than an ingredient."""
        words: dict[str, str] = {}
        for drug in self.drugs:
            for word in (*drug.aliases, drug.generic):
                key = fold(word)
                if key in self.ingredients:
                    continue
                if any(key == fold(other.generic) for other in self.drugs if other.name != drug.name):
                    continue
                words[key] = drug.name
        words.update({fold(drug.name): drug.name for drug in self.drugs})
        return words

    @cached_property
    def spoken(self) -> dict[str, str]:
        """What our drugs are called in talk, and the drug of each."""
        rows = ((drug.name, terminology().row(drug.name)) for drug in self.drugs)
        return {word: name for name, row in rows if row is not None for word in row.spoken}

    @cached_property
    def ingredients(self) -> dict[str, tuple[str, ...]]:
        """Ingredients of our drugs, and the brands that hold them alone, or else at all."""
        found: dict[str, list[str]] = {}
        for drug in self.drugs:
            for ingredient in drug.ingredients:
                found.setdefault(fold(ingredient), []).append(drug.name)
        return {
            ingredient: tuple(n for n in names if len(self.by_name[n].ingredients) == 1) or tuple(names)
            for ingredient, names in found.items()
        }

    @cached_property
    def others(self) -> dict[str, str]:
        """Medicines that charts name and that are none of our brands or ingredients."""
        words = {row.name.casefold() for row in medicines_of(_ASKED_OF) if row.name not in row.list_only}
        words |= {
            fold(name)
            for name, key in class_names().items()
            if key not in self.classes and key != "other" and _is_typed(name)
        }
        return {word: word for word in words if word not in self.brands and word not in self.ingredients}

    @cached_property
    def classes(self) -> dict[str, tuple[str, ...]]:
        """Our drugs by class."""
        found: dict[str, list[str]] = {}
        for drug in self.drugs:
            for one in drug.classes:
                found.setdefault(one, []).append(drug.name)
        return {one: tuple(names) for one, names in found.items()}

    @cached_property
    def spelt(self) -> dict[str, tuple[str, str]]:
        """Single words that a misspelling may stand for: what each is (brand, ingredient, other) and of what."""
        words = {word: ("other", word) for word in self.others if word.isalpha() and len(word) > 5}
        words = {word: what for word, what in words.items() if word not in exact_names()}
        words.update({word: ("ingredient", word) for word in self.ingredients if " " not in word})
        words.update({word: ("brand", name) for word, name in self.brands.items() if word.isalpha()})
        return words

    @cached_property
    def plan_words(self) -> dict[str, str]:
        """What plans are called: id, name, payer, and the first word where it is one plan's alone."""
        words: dict[str, str] = {}
        seen: dict[str, set[str]] = {}
        for plan in self.plans:
            first = fold(plan.name).split(" ")[0]
            names = {fold(plan.id), fold(plan.id.replace("-", " ")), fold(plan.name), fold(plan.payer)}
            names |= {fold(re.sub(r"\s*\(.*?\)", "", plan.name)), " ".join(fold(plan.name).split(" ")[:2])}
            if len(first) >= 5:
                names.add(first)
            for name in names:
                seen.setdefault(name, set()).add(plan.id)
                words[name] = plan.id
        return {name: plan_id for name, plan_id in words.items() if len(seen[name]) == 1 and len(name) > 4}

    @cached_property
    def payer_words(self) -> frozenset[str]:
        """Single words of payers' and plans' names, which are nobody's name."""
        return frozenset(
            word
            for plan in self.plans
            for word in re.findall(r"\w+", fold(f"{plan.payer} {plan.name} {plan.id}"))
        )

    @cached_property
    def tests(self) -> dict[str, str]:
        """What tests are called, and their keys."""
        words: dict[str, str] = {}
        for key in TESTS:
            row = tests()[key]
            names = (key, row.name, *row.names, *row.synonyms, *filter(_is_typed, row.abbreviations))
            words |= {fold(name): key for name in names}
        words |= {fold(name): key for key in TESTS for name in tests()[key].asked_names}
        return words

    @cached_property
    def panels(self) -> dict[str, tuple[str, ...]]:
        """What several tests are ordered as, and their keys."""
        words: dict[str, tuple[str, ...]] = {}
        for key in TESTS:
            words |= {fold(name): (*words.get(fold(name), ()), key) for name in tests()[key].panels}
        return words

    @cached_property
    def concepts(self) -> dict[str, str]:
        """What diagnoses are called, and their keys."""
        words: dict[str, str] = {}
        for key, concept in CONCEPTS.items():
            row = conditions()[key]
            names = (*concept.phrases, concept.label, *row.names, *filter(_is_typed, row.abbreviations))
            words |= {fold(name): key for name in names if fold(name) not in words}
        for key in CONCEPTS:
            row = conditions()[key]
            words |= {fold(name): key for name in (*row.loose_names, *row.asked_names)}
        return {word: key for word, key in words.items() if len(word) > 1 and word != "pregnan"}

    @cached_property
    def embedded_tests(self) -> tuple[list[str], Any]:
        """The keys of tests and a row for each of their names, by meaning."""
        return _embedded(self.tests)

    @cached_property
    def embedded_concepts(self) -> tuple[list[str], Any]:
        """The keys of diagnoses and a row for each of their names, by meaning."""
        return _embedded(self.concepts)

    @cached_property
    def test_pattern(self) -> re.Pattern[str]:
        return any_of(dict.fromkeys((*self.tests, *self.panels), ""))

    @cached_property
    def concept_pattern(self) -> re.Pattern[str]:
        return any_of(self.concepts)

    def name_of(self, patient_id: str) -> str:
        """What this patient is called; empty if the store is gone or there is no such patient."""
        store = self._store() if self._store else None
        if store is None or not patient_id:
            return ""
        try:
            return store.patient(patient_id).name
        except PaladinError:
            return ""

    def is_person(self, given: str, family: str) -> bool:
        """Whether somebody of the store has this name."""
        store = self._store() if self._store else None
        try:
            found = store.find_patients(f"{given} {family}", limit=5) if store else []
        except PaladinError:
            return False
        return any((row.given.casefold(), row.family.casefold()) == (given, family) for row in found)

    def is_called(self, word: str) -> bool:
        """Whether a patient of the store has this word in the name."""
        store = self._store() if self._store else None
        try:
            found = store.find_patients(word, limit=20) if store else []
        except PaladinError:
            return False
        return any(word.casefold() in f"{row.given} {row.family}".casefold().split() for row in found)


def _embedded(names: dict[str, str]) -> tuple[list[str], Any]:
    from tools.store.embedding import bundled

    told = [(key, name) for name, key in names.items() if len(name) > 3]
    return [key for key, _ in told], bundled().embed([name for _, name in told])


def fold(text: str) -> str:
    return " ".join(text.casefold().split())


def any_of(words: dict[str, str]) -> re.Pattern[str]:
    """A pattern for any of these words, the longest first."""
    return re.compile(
        rf"(?<![\w-])(?:{'|'.join(re.escape(w) for w in sorted(words, key=len, reverse=True))})(?![\w])"
    )


@lru_cache(maxsize=1)
def ordinary() -> frozenset[str]:
    """Words that are common in English, names included: the whole words that the bundled tokenizer knows."""
    from tools.store import embedding

    raw = (Path(embedding.__file__).parent / "model" / "tokenizer.json").read_bytes()
    vocabulary = msgspec.json.decode(raw, type=_Tokenizer).model.vocab
    return frozenset(word for word in vocabulary if word.isalpha()) | wordlists.words("common")


class _Model(msgspec.Struct):
    vocab: dict[str, int]


class _Tokenizer(msgspec.Struct):
    model: _Model


_kept: weakref.WeakKeyDictionary[Store, tuple[str, Known]] = weakref.WeakKeyDictionary()
_lock = Lock()
