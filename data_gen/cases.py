"""The cases that are there by construction and not by luck: who is planted, as what, and the label that says so.

Who is planted depends on the index alone. The first thousand hold every kind of every cell, the first twenty
every outcome; of later thousands every fortieth patient is planted, going round the same list. A label is the
truth that a chart was made from, never an engine's opinion of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

import msgspec

from data_gen import first
from data_gen.draws import BLOCK
from data_gen.history import draw_record
from data_gen.people import Person
from data_gen.realise_body import settle_body
from data_gen.realise_courses import take_medicines
from data_gen.realise_record import complete_record
from data_gen.scene import Case, Scene
from data_gen.setting import Setting
from data_gen.sketch import Sketch
from data_gen.wanted import Infeasible, days_of, wants
from tools.domain.records import Benefit, Outcome, Plan, Status
from tools.domain.rules import Node, Required, Rule


def realise(person: Person, setting: Setting, sketch: Sketch, case: Case, turn: int) -> None:
    """Change the person in place; Infeasible leaves it spoilt, so draw it anew then."""
    scene = Scene(person, setting, sketch, case, turn)
    settle_body(scene)
    take_medicines(scene)
    courses = len(person.courses)
    draw_record(person, setting)
    complete_record(scene, courses)


FIRST = 20  # patients of the default world; mock_data has two more (`pa generate 21 --also 41`)
LATER_EVERY = 40  # of a later block, one patient in so many is planted

OUTCOMES: dict[str, Outcome] = {
    "ready": "ready",
    "one_document_away": "needs_documentation",
    "excluded": "likely_denial",
    "not_met": "likely_denial",
    "former_plan": "wrong_plan",
    "over_quantity": "quantity_exception",
    "renewing": "ready",
    "renewing_not_met": "likely_denial",
    "no_pa": "not_required",
    "not_covered": "not_covered",
    "excluded_use": "not_covered",
}
_WITH_RULE = ("ready", "one_document_away", "excluded", "not_met", "renewing", "renewing_not_met")
# Of the first twenty; the others of them are as chance made them.
_FIRST_KINDS = {
    1: "one_document_away", 3: "excluded", 4: "no_pa", 6: "over_quantity", 7: "not_covered", 9: "former_plan",
    11: "not_met", 12: "renewing", 14: "one_document_away", 16: "ready", 18: "renewing_not_met",
}  # fmt: skip
_TURNS = 40
_VARIANTS = 2  # of one slot's case, over the blocks


class Label(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a planted chart was made to realise; kept apart from everything that run time reads.
    `truth` names only the criteria that were made true, false or open."""

    patient_id: str
    plan_id: str
    drug: str
    indication: str = ""
    kind: str
    outcome: Outcome
    truth: dict[str, Status] = {}
    why: str


class Slot(NamedTuple):
    """One case to plant: a kind, in a cell, under one of its rules."""

    kind: str
    plan: Plan
    benefit: Benefit
    rule: Rule | None
    number: int = 0  # in the list of slots


def slots(plans: Iterable[Plan]) -> list[Slot]:
    """Every kind of every cell, neighbours in the list far apart in the table."""
    found = [slot for plan in plans for benefit in plan.benefits.values() for slot in _cell(plan, benefit)]
    stride = next((step for step in (89, 97, 101, 103) if found and len(found) % step), 1)
    return [found[place * stride % len(found)]._replace(number=place) for place in range(len(found))]


def _cell(plan: Plan, benefit: Benefit) -> Iterator[Slot]:
    if not benefit.covered:
        yield Slot("not_covered", plan, benefit, None)
        return
    if not benefit.pa_required:
        yield Slot("no_pa", plan, benefit, None)
        if benefit.quantity_limit is not None:
            yield Slot("over_quantity", plan, benefit, None)
        return
    for rule in benefit.rules:
        # A renewal of what is limited in a year or a lifetime would have to count what was had before.
        limited = benefit.supply_limits or (rule.limits and rule.limits.supplies)
        renews = rule.renewal is not None and not limited
        for kind in _WITH_RULE:
            if renews or not kind.startswith("renewing"):
                yield Slot(kind, plan, benefit, rule)
    yield Slot("former_plan", plan, benefit, benefit.rules[0])
    if benefit.quantity_limit is not None and benefit.rules[-1].limits is None:
        yield Slot("over_quantity", plan, benefit, benefit.rules[-1])
    if benefit.excluded_uses:
        yield Slot("excluded_use", plan, benefit, None)


class Planter:
    """Plants the cases of a world."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.slots = slots(setting.plans.values())
        self.places = self._places()
        self._sketches: dict[tuple[int, int], Made | None] = {}

    def _places(self) -> dict[int, Slot]:
        """The slots of the first thousand, by index."""
        room = BLOCK - FIRST
        here = self.slots[:room]
        places = {FIRST + place * room // len(here): slot for place, slot in enumerate(here)}
        for index, kind in _FIRST_KINDS.items():
            fitting = [slot for slot in self.slots if slot.kind == kind]
            if fitting:
                places[index] = fitting[index * 7 % len(fitting)]
        first_case = self._first_case()
        if first_case is not None:
            places[0] = first_case
        return places

    def _first_case(self) -> Slot | None:
        """P001: Ozempic where it needs PA, by fax if any plan asks for that."""
        own = (slot for slot in self.slots if slot.kind == "ready" and slot.benefit.drug == "Ozempic")
        ready = (slot for slot in own if slot.rule and slot.rule.indication == "t2dm")
        return min(ready, key=lambda slot: (slot.plan.channel != "fax", slot.plan.id), default=None)

    def slot(self, index: int) -> Slot | None:
        if index < BLOCK:
            return self.places.get(index)
        if index % LATER_EVERY or not self.slots:
            return None
        number = (index // BLOCK - 1) * (BLOCK // LATER_EVERY) + index % BLOCK // LATER_EVERY
        return self.slots[number % len(self.slots)]

    def is_planted(self, index: int) -> bool:
        return self.slot(index) is not None

    def plant(self, index: int, draw: Callable[[], Person]) -> tuple[Person, Label] | None:
        """The case of the index, made from the person that `draw` draws anew each time; None if there is none,
        or if its rule leaves no room for it."""
        slot = self.slot(index)
        if slot is None:
            return None
        begin = slot.number + index // BLOCK % _VARIANTS
        ways = [(self._first_patient, turn) for turn in range(_TURNS)] if index == 0 else []
        ways += [(self._planted, turn) for turn in range(begin, begin + _TURNS)]
        for way, turn in ways:
            with suppress(Infeasible):
                return way(slot, turn, draw, index)
        return None

    def _planted(self, slot: Slot, turn: int, draw: Callable[[], Person], index: int) -> tuple[Person, Label]:
        made, case = self._made(slot, turn), self._case(slot)
        case = case._replace(note_missing=made.note_missing, papers_missing=made.papers_missing)
        person = draw()
        realise(person, self.setting, made.sketch, case, turn)
        return person, self._label(slot, case, made, index)

    def _first_patient(
        self, slot: Slot, turn: int, draw: Callable[[], Person], index: int
    ) -> tuple[Person, Label]:
        """P001 with the past that first.py gives him, if that is what the rule asks for."""
        made, case = self._made(slot, turn), self._case(slot)._replace(courses=first.courses())
        if not first.fits(made.sketch) or made.sketch.has.get("ascvd") is False:
            raise Infeasible("first")
        person = draw()
        first.natural(person)
        realise(person, self.setting, made.sketch, case, turn)
        first.add_former_plan(person, self.setting)
        return person, self._label(slot, case, made, index)

    def _made(self, slot: Slot, turn: int) -> Made:
        """The slot's sketch at this turn, made once."""
        key = slot.number, turn
        if key not in self._sketches:
            self._sketches[key] = None
            with suppress(Infeasible):
                self._sketches[key] = _by_rule(slot, slot.rule, turn) if slot.rule else _without_rule(slot)
        made = self._sketches[key]
        if made is None:
            raise Infeasible(slot.kind)
        return made

    def _label(self, slot: Slot, case: Case, made: Made, index: int) -> Label:
        return Label(
            patient_id=f"P{index + 1:03d}",
            plan_id=slot.plan.id,
            drug=slot.benefit.drug,
            indication=case.use,
            kind=slot.kind,
            outcome=OUTCOMES[slot.kind],
            truth=made.truth,
            why=made.why,
        )

    def _case(self, slot: Slot) -> Case:
        drug = self.setting.drugs[slot.benefit.drug]
        use = slot.rule.indication if slot.rule else drug.indications[0].key
        if slot.kind == "excluded_use":
            use = next(iter(slot.benefit.excluded_uses))
        return Case(
            plan_id=slot.plan.id,
            drug=drug,
            rule=slot.rule,
            use=use,
            renewing=slot.kind.startswith("renewing"),
            twice=slot.kind == "over_quantity",
            former=slot.kind == "former_plan",
        )


# --- what a slot's chart must show ---------------------------------------------------------------------------


class Made(NamedTuple):
    """A consistent sketch of a slot's case, and what it makes true."""

    sketch: Sketch
    truth: dict[str, Status]
    why: str
    note_missing: int = 0
    papers_missing: bool = False


def _without_rule(slot: Slot) -> Made:
    """Somebody for whom the drug makes sense."""
    sketch = Sketch(False)
    use = next(iter(slot.benefit.excluded_uses), "") if slot.kind == "excluded_use" else ""
    if use == "weight" or slot.benefit.drug in ("Wegovy", "Zepbound", "Saxenda"):
        sketch.bound("bmi", "now", ">", 31)
    else:
        sketch.diagnosed("t2dm", True)
    return Made(sketch, {}, _WHY[slot.kind])


def _by_rule(slot: Slot, rule: Rule, turn: int) -> Made:
    kind, renewing = slot.kind, slot.kind.startswith("renewing")
    criteria = rule.renewal.children if renewing and rule.renewal else rule.criteria.children
    nodes = [(node, True) for node in rule.exclusions] + [(node, False) for node in criteria]
    targets, status = _targets(kind, nodes)
    sketch, truth, why = Sketch(renewing), dict[str, Status](), _WHY[kind]
    note_missing, papers_missing = 0, False
    if status == "unknown":
        papers = [paper for paper in rule.documents if _can_be_missing(paper)]
        place = turn % (len(targets) + len(papers))
        if place >= len(targets):
            paper = papers[place - len(targets)]
            note_missing = days_of(paper.within) or 0 if paper.of == "note" else 0
            papers_missing = paper.of == "study"
            truth[paper.id], status = "unknown", "met"
            why = f"{why}: {paper.text or paper.id} is not on file"
    if status != "met":
        node, exclude = targets[turn % len(targets)]
        sketch = sketch.take(wants(node, status, exclude, turn))
        truth[node.id] = status
        why = f"{why}: {node.text or node.id}"
    must = kind not in ("excluded", "not_met", "renewing_not_met")
    for node, exclude in nodes:
        if node.id in truth:
            continue
        try:
            sketch = _take(sketch, node, exclude, turn)
            truth[node.id] = "met"
        except Infeasible:
            if must or (exclude and kind != "excluded"):
                raise
    return Made(sketch, truth, why, note_missing, papers_missing)


def _targets(kind: str, nodes: list[tuple[Node, bool]]) -> tuple[list[tuple[Node, bool]], Status]:
    """The nodes of which one shall have the status; the others shall be met."""
    if kind in ("excluded", "not_met", "renewing_not_met"):
        return [pair for pair in nodes if pair[1] is (kind == "excluded")], "not_met"
    return nodes, "unknown" if kind == "one_document_away" else "met"


def _can_be_missing(paper: Required) -> bool:
    dated_note = paper.of == "note" and paper.within is not None
    return not paper.for_criterion and (paper.of == "study" or dated_note)


def _take(sketch: Sketch, node: Node, exclude: bool, turn: int) -> Sketch:
    """The sketch with the node met as well, by whichever of its branches fits."""
    for other in range(turn, turn + 6):
        with suppress(Infeasible):
            return sketch.take(wants(node, "met", exclude, other))
    raise Infeasible(node.id)


_WHY = {
    "ready": "every criterion is met and documented",
    "one_document_away": "all is met but for one thing that the chart leaves open",
    "excluded": "an exclusion is proven",
    "not_met": "one criterion is not met",
    "former_plan": "the plan on file has ended and another is active",
    "over_quantity": "twice the package that the quantity limit allows is ordered",
    "renewing": "every renewal criterion is met",
    "renewing_not_met": "one renewal criterion is not met",
    "no_pa": "the plan covers the drug without prior authorization",
    "not_covered": "the drug is not on the plan's formulary",
    "excluded_use": "the benefit excludes this use of the drug",
}
