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
from typing import TYPE_CHECKING

import msgspec

from agent.understanding import wordlists
from tools.errors import PaladinError
from tools.records import Drug, Plan
from tools.terminology.conditions import CONCEPTS
from tools.terminology.medicines import CLASSES, STEP_CLASSES, medicines_of
from tools.terminology.observations import TESTS

if TYPE_CHECKING:
    from tools.store.store import Store

# The first part of an NDC is the labeler, which the FDA assigns to one company (NDC directory).
LABELERS: dict[str, tuple[str, ...]] = {
    "0002": ("lilly",),
    "0169": ("novo", "nordisk"),
    "0597": ("boehringer", "ingelheim"),
    "0310": ("astrazeneca", "astra"),
    "0006": ("merck", "msd"),
    "0024": ("sanofi",),
    "50458": ("janssen",),
    "0069": ("pfizer",),
    "64764": ("takeda",),
    "55513": ("amgen",),
}

_TEST_WORDS: dict[str, tuple[str, ...]] = {
    "hba1c": (
        "a1c",
        "a1cs",
        "hgba1c",
        "hb a1c",
        "hba1",
        "hemoglobin a1c",
        "glycated hemoglobin",
        "hga1c",
        "ha1c",
    ),
    "bmi": ("bmi", "body mass index", "b m i"),
    "weight": ("weight", "body weight", "weigh", "weighs", "weighed", "weighing", "pesa", "peso"),
    "height": ("height", "tall"),
    "egfr": ("egfr", "e gfr", "gfr", "kidney function", "renal function"),
    "creatinine": ("creatinine", "serum creatinine"),
    "uacr": ("uacr", "acr", "urine albumin", "albumin creatinine ratio"),
    "sbp": ("sbp", "systolic", "blood pressure", "bp"),
    "dbp": ("dbp", "diastolic"),
    "ldl": ("ldl", "ldl cholesterol"),
    "hdl": ("hdl",),
    "tc": ("total cholesterol", "cholesterol"),
    "tg": ("triglycerides", "trigs"),
    "glucose": ("fasting glucose", "fpg", "fasting sugar", "glucose", "blood sugar"),
    "lvef": ("lvef", "ejection fraction"),
    "ahi": ("ahi", "apnea hypopnea index"),
    "abi": ("abi", "ankle brachial index"),
    "fibrosis_stage": ("fibrosis stage", "liver fibrosis"),
    "alt": ("alt",),
    "ast": ("ast",),
    "platelets": ("platelets",),
}
_CONCEPT_WORDS: dict[str, tuple[str, ...]] = {
    "t2dm": ("type 2 diabetes", "type two diabetes", "type 2", "t2d", "t2dm", "diabetic", "diabetes", "dm2"),
    "t1dm": ("type 1 diabetes", "type one diabetes", "type 1", "t1d", "t1dm"),
    "prediabetes": ("prediabetes", "prediabetic", "pre-diabetes"),
    "obesity": ("obesity", "obese"),
    "overweight": ("overweight",),
    "hypertension": ("hypertension", "high blood pressure", "htn", "hypertensive"),
    "dyslipidemia": ("dyslipidemia", "hyperlipidemia", "high cholesterol", "high lipids"),
    "osa": ("obstructive sleep apnea", "sleep apnea", "sleep apnoea", "osa"),
    "central_apnea": ("central sleep apnea", "central apnea"),
    "ascvd": (
        "ascvd", "cardiovascular disease", "heart disease", "coronary artery disease", "cad",
        "coronary disease",
    ),
    "mi": ("heart attack", "myocardial infarction", "mi"),
    "stroke": ("stroke",),
    "pad": ("peripheral arterial disease", "peripheral artery disease", "pad"),
    "hf": ("heart failure", "chf", "hfref", "hfpef"),
    "ckd": ("chronic kidney disease", "kidney disease", "ckd"),
    "dialysis": ("dialysis", "end-stage renal disease", "esrd"),
    "nash": ("mash", "nash", "steatohepatitis", "fatty liver"),
    "cirrhosis": ("cirrhosis",),
    "mtc_men2": (
        "medullary thyroid carcinoma", "medullary thyroid cancer", "thyroid cancer", "mtc", "men2", "men 2",
        "men-2", "men ii", "mtc/men2", "mtc/men 2",
    ),
    "pancreatitis": ("pancreatitis",),
    "gastroparesis": ("gastroparesis",),
    "ketoacidosis": ("ketoacidosis", "dka"),
    "pregnancy": ("pregnancy", "pregnant"),
    "gallbladder": ("cholecystitis", "gallbladder disease"),
}  # fmt: skip
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
            fold(label.removeprefix("a ").removeprefix("an "))
            for key, label in CLASSES.items()
            if key not in self.classes
        }
        words -= {"another drug", "another weight-loss drug"}
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
        words.update({word: ("ingredient", word) for word in self.ingredients if " " not in word})
        words.update({word: ("brand", name) for word, name in self.brands.items() if word.isalpha()})
        return words

    @cached_property
    def makers(self) -> dict[str, frozenset[str]]:
        """Companies, as they are called for short, and the drugs that carry their labeler code."""
        found: dict[str, set[str]] = {}
        for drug in self.drugs:
            for strength in drug.strengths:
                for maker in LABELERS.get(strength.ndc.split("-")[0], ()):
                    found.setdefault(maker, set()).add(drug.name)
        return {maker: frozenset(names) for maker, names in found.items()}

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
        words = {fold(name): key for key, test in TESTS.items() for name in (key, test.name, *test.names)}
        words.update({word: key for key, all_words in _TEST_WORDS.items() for word in all_words})
        return words

    @cached_property
    def concepts(self) -> dict[str, str]:
        """What diagnoses are called, and their keys."""
        words = {fold(p): key for key, concept in CONCEPTS.items() for p in (concept.label, *concept.phrases)}
        words.update({word: key for key, all_words in _CONCEPT_WORDS.items() for word in all_words})
        return {word: key for word, key in words.items() if len(word) > 1 and word != "pregnan"}

    @cached_property
    def test_pattern(self) -> re.Pattern[str]:
        return any_of(self.tests)

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

    def is_called(self, word: str) -> bool:
        """Whether a patient of the store has this word in the name."""
        store = self._store() if self._store else None
        try:
            found = store.find_patients(word, limit=20) if store else []
        except PaladinError:
            return False
        return any(word.casefold() in f"{row.given} {row.family}".casefold().split() for row in found)


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
