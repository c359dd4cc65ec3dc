"""What a chart says of a medicine: its name, ingredients, classes, codes and the dose it is usually given at.

Charted medicines are JSON fragments, made once per medicine and dose and shared by every patient who takes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from data_gen.vocabulary import VOCABULARY, Dosing
from tools.domain.records import Drug, Medication, Strength
from tools.terminology.medicines import medicine, ndc11

WEEKLY = 0.142857


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
        self.lines: dict[str, Line] = {
            key: self._line(dosing) for key, dosing in VOCABULARY.medicines.items()
        }
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
