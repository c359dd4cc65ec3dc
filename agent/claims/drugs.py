"""Drugs and drug classes by any name they go by: brand, ingredient, short form, a slip of the pen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from tools.terms import BRANDS, INGREDIENTS


class Drug(NamedTuple):
    """`name` in lower case as it is known; a brand keeps its name, because two brands of one ingredient are not one
    drug. `form` is ER or IR where it is said."""

    start: int
    end: int
    name: str
    ingredients: tuple[str, ...]
    brand: bool
    form: str = ""


class Class(NamedTuple):
    """A drug class as a key of terms.CLASSES."""

    start: int
    end: int
    key: str


# Drugs that letters name beside those of terms: to know one when it is none of this patient's.
OTHERS: dict[str, tuple[str, ...]] = {
    name: (name,)
    for name in re.findall(r"\S+", """
            valsartan irbesartan olmesartan telmisartan candesartan enalapril ramipril benazepril quinapril
            pravastatin lovastatin pitavastatin ezetimibe fenofibrate gemfibrozil niacin bempedoic
            evolocumab alirocumab warfarin apixaban rivaroxaban dabigatran ticagrelor prasugrel atenolol
            bisoprolol propranolol nebivolol diltiazem verapamil nifedipine felodipine chlorthalidone
            spironolactone eplerenone finerenone torsemide bumetanide sacubitril digoxin hydralazine
            isosorbide nitroglycerin levothyroxine liothyronine omeprazole pantoprazole esomeprazole
            famotidine gabapentin pregabalin duloxetine sertraline fluoxetine escitalopram citalopram
            venlafaxine trazodone mirtazapine alprazolam lorazepam clonazepam zolpidem quetiapine olanzapine
            aripiprazole risperidone lithium lamotrigine levetiracetam prednisone prednisolone dexamethasone
            albuterol fluticasone budesonide montelukast tiotropium salmeterol cetirizine loratadine
            acetaminophen ibuprofen naproxen celecoxib meloxicam tramadol oxycodone hydrocodone morphine
            allopurinol colchicine methotrexate adalimumab etanercept tamsulosin finasteride sildenafil
            tadalafil nateglinide repaglinide acarbose miglitol bromocriptine colesevelam albiglutide
            pramlintide retatrutide cagrilintide orforglipron sotagliflozin bexagliflozin rosiglitazone
            tolbutamide chlorpropamide tolazamide lorcaserin setmelanotide diethylpropion benzphetamine
            phendimetrazine sibutramine
            """)
}  # fmt: skip
OTHER_BRANDS: dict[str, tuple[str, ...]] = {
    "lantus": ("insulin glargine",), "basaglar": ("insulin glargine",), "toujeo": ("insulin glargine",),
    "humalog": ("insulin lispro",), "novolog": ("insulin aspart",), "tresiba": ("insulin degludec",),
    "levemir": ("insulin detemir",), "steglatro": ("ertugliflozin",), "nesina": ("alogliptin",),
    "onglyza": ("saxagliptin",), "adlyxin": ("lixisenatide",),
    "trijardy": ("empagliflozin", "linagliptin", "metformin"),
    "qtern": ("dapagliflozin", "saxagliptin"), "duetact": ("pioglitazone", "glimepiride"), "kerendia": ("finerenone",),
    "glumetza": ("metformin",), "fortamet": ("metformin",), "riomet": ("metformin",), "diabeta": ("glyburide",),
    "adipex": ("phentermine",), "xenical": ("orlistat",), "alli": ("orlistat",), "lipitor": ("atorvastatin",),
    "crestor": ("rosuvastatin",), "zocor": ("simvastatin",), "cozaar": ("losartan",), "zestril": ("lisinopril",),
    "prinivil": ("lisinopril",), "norvasc": ("amlodipine",), "lasix": ("furosemide",), "lopressor": ("metoprolol",),
    "toprol": ("metoprolol",), "coreg": ("carvedilol",), "plavix": ("clopidogrel",), "diovan": ("valsartan",),
    "entresto": ("sacubitril", "valsartan"), "tanzeum": ("albiglutide",), "symlin": ("pramlintide",),
    "avandia": ("rosiglitazone",), "brenzavvy": ("bexagliflozin",), "inpefa": ("sotagliflozin",),
}  # fmt: skip
SHORT = {
    "hctz": "hydrochlorothiazide",
    "asa": "aspirin",
    "sema": "semaglutide",
    "tirz": "tirzepatide",
    "metf": "metformin",
}
CLASSES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (key, re.compile(pattern, re.IGNORECASE))
    for key, pattern in (
        ("glp1", r"\bglp-?\s?1s?\b(?:\s*(?:receptor\s+agonists?|ra|agonists?|drugs?|medicines?))?"),
        ("dpp4", r"\bdpp-?\s?4s?\b(?:\s*inhibitors?)?|\bgliptins?\b"),
        ("sglt2", r"\bsglt-?\s?2s?\b(?:\s*inhibitors?)?|\b(?<!\w)gliflozins?\b"),
        ("sulfonylurea", r"\bsulfonylureas?\b|\bsulphonylureas?\b"),
        ("tzd", r"\bthiazolidinediones?\b|\btzds?\b"),
        ("statin", r"\bstatins?\b"),
        ("insulin", r"\binsulins?\b(?!\s+(?:resist|pump|glargine|lispro|aspart|degludec|detemir))"),
        ("acei_arb", r"\bace\s+inhibitors?\b|\barbs?\b|\bacei\b"),
        ("beta_blocker", r"\bbeta[- ]blockers?\b"),
        ("biguanide", r"\bbiguanides?\b"),
    )
)
FORM = re.compile(
    r"\s*[,(]?\s*(?P<er>\b(?:er|xr|extended[- ]release|sr)\b)|\s*[,(]?\s*(?P<ir>\b(?:ir|immediate[- ]release)\b)",
    re.IGNORECASE,
)
FORM_BEFORE = re.compile(
    r"(?P<er>(?:extended[- ]release|\ber|\bxr))\s+(?:form\s+of\s+)?$|(?P<ir>(?:immediate[- ]release"
    r"|plain|regular|\bir))\s+$",
    re.IGNORECASE,
)
WORD = re.compile(r"[A-Za-z][A-Za-z]{3,}")
NOT_SLIPS = frozenset(("diabetes", "diabetic", "diabetics", "statin", "statins", "insulins"))

KNOWN: dict[str, tuple[tuple[str, ...], bool]] = {
    **{name: ((name,), False) for name in (*INGREDIENTS, *OTHERS)},
    **{name: (made_of, True) for name, made_of in {**OTHER_BRANDS, **BRANDS}.items()},
}


class Lexicon:
    """The drugs that are known, with those of one catalog added."""

    def __init__(self, more: Mapping[str, tuple[str, ...]] | None = None) -> None:
        added = {
            name.lower(): (made_of, True)
            for name, made_of in (more or {}).items()
            if name.lower() not in KNOWN
        }
        self.names = {**KNOWN, **added}
        ordered = sorted((*self.names, *SHORT), key=len, reverse=True)
        self._pattern = re.compile(
            r"(?<![\w-])(?:" + "|".join(map(re.escape, ordered)) + r")(?![\w])", re.IGNORECASE
        )

    def drugs(self, text: str) -> list[Drug]:
        """Every drug of the text, in order."""
        found = []
        for match in self._pattern.finditer(text):
            found.append(self._drug(match.start(), match.end(), match[0], text))
        for match in WORD.finditer(text):
            if any(d.start < match.end() and match.start() < d.end for d in found):
                continue
            meant = slip(match[0].lower())
            if meant:
                found.append(self._drug(match.start(), match.end(), meant, text))
        return sorted(found)

    def _drug(self, start: int, end: int, shown: str, text: str) -> Drug:
        name = SHORT.get(shown.lower(), shown.lower())
        made_of, brand = self.names[name]
        form = ""
        if after := FORM.match(text, end):
            form, end = ("ER" if after["er"] else "IR"), after.end()
        elif before := FORM_BEFORE.search(text[max(0, start - 28) : start]):
            form = "ER" if before["er"] else "IR"
        return Drug(start, end, name, made_of, brand, form)


def classes(text: str) -> list[Class]:
    """Every drug class of the text, in order."""
    return sorted(
        Class(match.start(), match.end(), key) for key, pattern in CLASSES for match in pattern.finditer(text)
    )


@lru_cache(maxsize=4096)
def slip(word: str) -> str:
    """The drug that a misspelt word means; "" if it is none, or could be two."""
    if len(word) < 6 or word in NOT_SLIPS:
        return ""
    from rapidfuzz.distance import DamerauLevenshtein

    most = 1 if len(word) < 8 else 2
    near = {
        name
        for name in KNOWN
        if name[0] == word[0]
        and abs(len(name) - len(word)) <= most
        and len(name) >= 6
        and DamerauLevenshtein.distance(name, word, score_cutoff=most) <= most
    }
    return near.pop() if len(near) == 1 else ""
