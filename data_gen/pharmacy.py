"""What a chart says of a medicine: its name, ingredients, classes, codes and the dose it is usually given at.

Charted medicines are JSON fragments, made once per medicine and dose and shared by every patient who takes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from tools.domain.records import Drug, Medication, Strength
from tools.terminology.medicines import medicine, ndc11

# key → (name, dose per administration, unit, administrations a day, formulation)
Dosing = tuple[str, float, str, float, str]
WEEKLY = 0.142857
USUAL: dict[str, Dosing] = {
    "metformin 500": ("metformin", 500, "mg", 2, "IR"),
    "metformin 1000": ("metformin", 1000, "mg", 2, "IR"),
    "metformin ER 750": ("metformin ER", 750, "mg", 2, "ER"),
    "glipizide 5": ("glipizide", 5, "mg", 1, ""),
    "glipizide 10": ("glipizide", 10, "mg", 2, ""),
    "Jardiance 10": ("Jardiance", 10, "mg", 1, ""),
    "Jardiance 25": ("Jardiance", 25, "mg", 1, ""),
    "Invokana 100": ("Invokana", 100, "mg", 1, ""),
    "Invokana 300": ("Invokana", 300, "mg", 1, ""),
    "phentermine 37.5": ("phentermine", 37.5, "mg", 1, ""),
    "atorvastatin 20": ("atorvastatin", 20, "mg", 1, ""),
    "atorvastatin 40": ("atorvastatin", 40, "mg", 1, ""),
    "atorvastatin 80": ("atorvastatin", 80, "mg", 1, ""),
    "rosuvastatin 10": ("rosuvastatin", 10, "mg", 1, ""),
    "lisinopril 10": ("lisinopril", 10, "mg", 1, ""),
    "lisinopril 20": ("lisinopril", 20, "mg", 1, ""),
    "losartan 50": ("losartan", 50, "mg", 1, ""),
    "amlodipine 5": ("amlodipine", 5, "mg", 1, ""),
    "hydrochlorothiazide 25": ("hydrochlorothiazide", 25, "mg", 1, ""),
    "metoprolol 50": ("metoprolol", 50, "mg", 2, ""),
    "carvedilol 12.5": ("carvedilol", 12.5, "mg", 2, ""),
    "furosemide 20": ("furosemide", 20, "mg", 1, ""),
    "aspirin 81": ("aspirin", 81, "mg", 1, ""),
    "clopidogrel 75": ("clopidogrel", 75, "mg", 1, ""),
    "glimepiride 4": ("glimepiride", 4, "mg", 1, ""),
    "pioglitazone 30": ("pioglitazone", 30, "mg", 1, ""),
    "sitagliptin 100": ("sitagliptin", 100, "mg", 1, ""),
    "linagliptin 5": ("linagliptin", 5, "mg", 1, ""),
    "exenatide 2": ("exenatide", 2, "mg", WEEKLY, ""),
    "insulin glargine 24": ("insulin glargine", 24, "[iU]", 1, ""),
    "orlistat 120": ("orlistat", 120, "mg", 3, ""),
    "Victoza 1.8": ("Victoza", 1.8, "mg", 1, ""),
}


class Line(NamedTuple):
    """One medicine at one dose, as fragments of its JSON: of a medication, and of a fill."""

    name: str
    charted: str  # drug … formulation, as they stand between an entry's id and its start
    filled: str  # drug, ingredients, classes
    ndc: str  # 11 digits; "" where we do not know it
    quantity: str  # of a 90-day fill, in tablets; "" where it is not counted in tablets
    classes: tuple[str, ...]
    ingredients: tuple[str, ...]
    status_code: str  # the Z79 code of one who takes it long term


class Pharmacy:
    """The medicines of a world: what charts commonly name, and the catalog's drugs."""

    def __init__(self, drugs: Iterable[Drug]) -> None:
        self.drugs = tuple(drugs)
        self.lines: dict[str, Line] = {key: self._line(dosing) for key, dosing in USUAL.items()}
        for drug in self.drugs:
            for strength in drug.strengths:
                dosing = (drug.name, strength.dose, "mg", drug.per_day, "")
                line = self._line(dosing, ndc11(strength.ndc))
                self.lines[self.strength_key(drug, strength)] = line

    def strength_key(self, drug: Drug, strength: Strength) -> str:
        """The key of a catalog drug at one of its strengths."""
        return f"{drug.name} {strength.dose:g}"

    def own_key(self, dosing: Dosing) -> str:
        """The key of a medicine at a dose that charts don't commonly name."""
        key = f"{dosing[0]} {dosing[1]:g}"
        if key not in self.lines:
            self.lines[key] = self._line(dosing)
        return key

    def _line(self, dosing: Dosing, ndc: str = "") -> Line:
        name, dose, unit, per_day, formulation = dosing
        known = medicine(name.removesuffix(" ER"), self.drugs)
        entry = Medication(
            id="",
            drug=name,
            ingredients=known.ingredients,
            classes=known.classes,
            rxnorm=known.rxnorm,
            dose=float(dose) or None,
            dose_unit=unit or None,
            per_day=float(per_day) or None,
            formulation=formulation or None,  # type: ignore[arg-type]
        )
        charted = msgspec.json.encode(entry).decode()
        bare = Medication(id="", drug=name, ingredients=known.ingredients, classes=known.classes)
        return Line(
            name,
            charted[len('{"id":"",') : -1],
            msgspec.json.encode(bare).decode()[len('{"id":"",') : -1],
            ndc,
            f"{per_day * 90:.1f}" if per_day >= 1 and unit == "mg" else "",
            known.classes,
            known.ingredients,
            _status_code(known.classes, oral=name == "Rybelsus" or not {"glp1"} & set(known.classes)),
        )


def _status_code(classes: tuple[str, ...], oral: bool) -> str:
    if "insulin" in classes:
        return "Z79.4"
    if not {"biguanide", "sulfonylurea", "tzd", "dpp4", "sglt2", "glp1"} & set(classes):
        return ""
    return "Z79.84" if oral else "Z79.85"
