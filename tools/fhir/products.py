"""What an RxNorm product's text says: "24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet"."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Literal, NamedTuple

from tools.terms import BRANDS, INGREDIENTS

# Ingredients that charts name and terms.INGREDIENTS does not, with their class there.
_OTHERS: dict[str, str] = {
    "acei_arb": (
        "azilsartan benazepril candesartan captopril enalapril eprosartan fosinopril irbesartan moexipril "
        "olmesartan perindopril quinapril ramipril sacubitril telmisartan trandolapril valsartan"
    ),
    "anorectic": "benzphetamine diethylpropion phendimetrazine",
    "antiplatelet": "prasugrel ticagrelor dipyridamole vorapaxar",
    "beta_blocker": "acebutolol atenolol bisoprolol labetalol nadolol nebivolol pindolol propranolol sotalol",
    "ccb": "diltiazem felodipine isradipine nicardipine nifedipine nisoldipine verapamil",
    "diuretic": (
        "amiloride bumetanide chlorothiazide chlorthalidone eplerenone indapamide metolazone spironolactone "
        "torsemide triamterene"
    ),
    "glp1": "albiglutide",
    "sglt2": "bexagliflozin sotagliflozin",
    "statin": "fluvastatin lovastatin pitavastatin pravastatin",
    "sulfonylurea": "chlorpropamide tolazamide tolbutamide gliclazide",
    "tzd": "rosiglitazone",
}
CLASS_OF: dict[str, str] = {name: cls for cls, names in _OTHERS.items() for name in names.split()} | {
    name: cls for name, (cls, _) in INGREDIENTS.items()
}
_BRANDS: dict[str, tuple[str, ...]] = BRANDS | {
    "actoplus met": ("pioglitazone", "metformin"),
    "adlyxin": ("lixisenatide",),
    "basaglar": ("insulin glargine",),
    "coumadin": ("warfarin",),
    "fortamet": ("metformin",),
    "glumetza": ("metformin",),
    "humalog": ("insulin lispro",),
    "humulin": ("insulin",),
    "inpefa": ("sotagliflozin",),
    "kazano": ("alogliptin", "metformin"),
    "kombiglyze": ("saxagliptin", "metformin"),
    "lantus": ("insulin glargine",),
    "nesina": ("alogliptin",),
    "novolin": ("insulin",),
    "novolog": ("insulin",),
    "onglyza": ("saxagliptin",),
    "segluromet": ("ertugliflozin", "metformin"),
    "steglatro": ("ertugliflozin",),
    "toujeo": ("insulin glargine",),
    "tresiba": ("insulin",),
    "trijardy": ("empagliflozin", "linagliptin", "metformin"),
    "valium": ("diazepam",),
}
# What Synthea writes as a bare code, where a display is missing; from the displays that it writes elsewhere.
_PRODUCTS: dict[str, str] = {
    "860975": "24 HR metformin hydrochloride 500 MG Extended Release Oral Tablet",
    "106892": "insulin isophane, human 70 UNT/ML / insulin, regular, human 30 UNT/ML [Humulin]",
    "897122": "3 ML liraglutide 6 MG/ML Pen Injector",
    "1373463": "canagliflozin 100 MG Oral Tablet",
    "314076": "lisinopril 10 MG Oral Tablet",
    "314231": "simvastatin 10 MG Oral Tablet",
    "312961": "simvastatin 20 MG Oral Tablet",
    "309362": "clopidogrel 75 MG Oral Tablet",
    "866412": "24 HR metoprolol succinate 100 MG Extended Release Oral Tablet",
    "310798": "hydrochlorothiazide 25 MG Oral Tablet",
    "308136": "amlodipine 2.5 MG Oral Tablet",
    "197361": "amlodipine 5 MG Oral Tablet",
    "259255": "atorvastatin 80 MG Oral Tablet",
}
_INGREDIENT_CODES = {rxcui: name for name, (_, rxcui) in INGREDIENTS.items() if rxcui}

_SALTS = re.compile(
    r"\b(hydrochloride|hcl|sodium|potassium|calcium|maleate|succinate|tartrate|besylate|bitartrate|acetate|"
    r"fumarate|mesylate|sulfate|phosphate|citrate|bisulfate|benzoate|medoxomil|hydrobromide|hydrate|"
    r"monohydrate|anhydrous|propanediol|dihydrate|magnesium|erbumine|cilexetil|micronized|disodium)\b"
)
_STRENGTH = re.compile(
    r"(\d[\d,.]*)\s*(mcg|mg|g|unt|meq|iu|%)(?:/[\d.]*\s*(ml|actuat|hr|mg|h))?\b", re.IGNORECASE
)
_LEAD = re.compile(
    r"^(?:\d[\d,.]*\s*(?:hr|ml|actuat|day|h)\b\s*|nda\d+\s*|anda\d+\s*|\(\d+ .*?\)\s*)+", re.IGNORECASE
)
_EXTENDED = re.compile(r"\b(extended[ -]release|er|xr|sr|24 ?hr|12 ?hr)\b", re.IGNORECASE)
_SOLID = re.compile(r"\b(tablet|capsule)s?\b", re.IGNORECASE)
_FORM = re.compile(
    r"\b(oral|injectable|injection|pen injector|tablet|capsule|solution|suspension|inhal\w+|topical|"
    r"prefilled|cartridge|transdermal|metered|nasal|ophthalmic|cream|vaginal|sublingual|chewable|delayed|"
    r"extended|disintegrating|powder|patch|rectal|auto-injector)\b.*$"
)
_MISSPELT = {"simvistatin": "simvastatin"}  # as Synthea writes it
_MG = {"mg": 1.0, "mcg": 0.001, "g": 1000.0}


class Product(NamedTuple):
    """`name` is the brand, if the text names one that we know, else the whole text. `strength` in mg of one
    tablet or capsule with one ingredient, else None; `formulation` of solids only."""

    name: str
    ingredients: tuple[str, ...]
    classes: tuple[str, ...]
    rxnorm: str  # ingredient RxCUI, if there is just one and we know it
    strength: float | None = None
    formulation: Literal["IR", "ER"] | None = None


def product(text: str, code: str = "") -> Product:
    """Read a product's text; a code alone is looked up among a few. What is not recognized keeps its words
    as ingredient and has no class."""
    name = text.strip() or _PRODUCTS.get(code, "") or _INGREDIENT_CODES.get(code, "")
    ingredients = _ingredients(name) or ((_INGREDIENT_CODES[code],) if code in _INGREDIENT_CODES else ())
    classes = tuple(dict.fromkeys(CLASS_OF[i] for i in ingredients if i in CLASS_OF))
    known = INGREDIENTS.get(ingredients[0], ("", "")) if len(ingredients) == 1 else ("", "")
    solid = bool(_SOLID.search(name))
    formulation: Literal["IR", "ER"] | None = None
    if solid and not re.search(r"delayed release", name, re.IGNORECASE):
        formulation = "ER" if _EXTENDED.search(name) else "IR"
    strength = _strength(name) if solid and len(ingredients) == 1 else None
    return Product(_brand(name) or name or code, ingredients, classes, known[1], strength, formulation)


def _brand(name: str) -> str:
    """ "semaglutide 1.34 MG/ML Pen Injector [Ozempic]" → "Ozempic": the ingredient cannot tell it from Wegovy."""
    found = re.search(r"\[([^\]]+)\]", name)
    return found.group(1) if found and found.group(1).casefold() in _BRANDS else ""


def _ingredients(name: str) -> tuple[str, ...]:
    fold = name.casefold()
    brand = re.search(r"\[([^\]]+)\]", fold)
    for named in ((brand.group(1),) if brand else ()) + (fold, fold.split(" ")[0]):
        if named.strip() in _BRANDS:
            return _BRANDS[named.strip()]
    body = re.sub(r"\[[^\]]*\]", "", fold)
    return tuple(dict.fromkeys(i for part in re.split(r"\s+/\s+", body) if (i := _ingredient(part))))


def _ingredient(part: str) -> str:
    """ "24 hr metformin hydrochloride 500 mg extended release oral tablet" → "metformin"."""
    words = _LEAD.sub("", part.strip())
    strength = _STRENGTH.search(words)
    words = words[: strength.start()] if strength and strength.start() else words
    words = _FORM.sub("", words).strip(" ,")
    if words.startswith("insulin"):
        kind = next((k for k in INGREDIENTS if k.startswith("insulin ") and k in words), "")
        return kind or "insulin"
    bare = re.sub(r"\s+", " ", _SALTS.sub("", words)).strip(" ,")
    bare = _MISSPELT.get(bare, bare)
    return bare if bare in CLASS_OF else next((w for w in bare.split() if w in CLASS_OF), bare)


def _strength(name: str) -> float | None:
    found = _STRENGTH.search(_LEAD.sub("", name))
    if found is None or found.group(3) or found.group(2).lower() not in _MG:
        return None
    return float(found.group(1).replace(",", "")) * _MG[found.group(2).lower()]


def named_drugs(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ingredients and classes of the drugs that a phrase names ("Allergy to metformin"); none if none."""
    words = re.findall(r"[a-z][a-z-]+", text.casefold())
    pairs = [*words, *(" ".join(pair) for pair in pairwise(words))]
    ingredients: dict[str, None] = {}
    for word in pairs:
        for name in _BRANDS.get(word, (word,) if word in CLASS_OF else ()):
            ingredients[name] = None
    classes = dict.fromkeys(CLASS_OF[name] for name in ingredients if name in CLASS_OF)
    for word in words:
        if cls := _CLASS_WORDS.get(word.rstrip("s")):
            classes[cls] = None
    return tuple(ingredients), tuple(classes)


_CLASS_WORDS = {
    "sulfonylurea": "sulfonylurea",
    "biguanide": "biguanide",
    "thiazolidinedione": "tzd",
    "gliptin": "dpp4",
    "gliflozin": "sglt2",
    "statin": "statin",
    "insulin": "insulin",
}
