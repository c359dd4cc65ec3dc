"""The body of a planted person: age, dates, diseases and values that a rule's leaves must find."""

from __future__ import annotations

from data_gen.scene import MONTH, Scene
from data_gen.sketch import RANGE, SCALE
from data_gen.wanted import Infeasible, days_of
from tools.domain.rules import Change, OnDrug


def settle_body(scene: Scene) -> None:
    """Settles every value that is asked for, and leaves the rest to nature."""
    scene.person.planted = True
    _age_and_sex(scene)
    _dates(scene)
    _therapy(scene)
    _changes(scene)
    _body(scene)


def _age_and_sex(scene: Scene) -> None:
    person, sketch = scene.person, scene.sketch
    if sketch.sex is not None and (sketch.sex == "female") is not person.female:
        person.female = not person.female
        person.height += -130 if person.female else 130
    if sketch.has.get("pregnancy"):
        person.age = 35 + person.age % 8
    if _may_be(scene, person.age):
        return
    fitting = [age for age in range(35, 76) if _may_be(scene, age)]
    if not fitting:
        raise Infeasible("age")
    person.age = fitting[person.age % len(fitting)]


def _may_be(scene: Scene, age: int) -> bool:
    return scene.sketch.may_be(age) and not (scene.sketch.has.get("pregnancy") and age > 42)


def _dates(scene: Scene) -> None:
    """Visits and panels within every window that must hold, beyond every one that must not."""
    person, sketch, case = scene.person, scene.sketch, scene.case
    newest = min(sketch.said_within, sketch.within.get("bmi", 10_000), 85)
    panel = 85
    for paper in case.rule.documents if case.rule else ():
        days = days_of(paper.within)
        if days is not None and paper.of == "note" and not case.note_missing:
            newest = min(newest, days)
        if days is not None and paper.of == "lab":
            if paper.test in ("bmi", "weight", "height"):
                newest = min(newest, days)
            else:
                panel = min(panel, days)
    for test in ("hba1c", "egfr", "uacr"):
        panel = min(panel, sketch.within.get(test, panel))
    latest = 2 + person.visits[0] % max(1, newest - 2)
    if case.note_missing:
        latest = case.note_missing + 3 + scene.turn % 40
        if latest > min(sketch.said_within, sketch.within.get("bmi", 10_000)):
            raise Infeasible("note")
    shift = latest - person.visits[0]
    person.visits = (latest, person.visits[1] + shift, person.visits[2] + shift)
    gap = person.panels[1] - person.panels[0]
    fresh = 3 + person.panels[0] % max(1, panel - 3)
    person.panels = (fresh, fresh + gap)


def _therapy(scene: Scene) -> None:
    """How long the drug asked for has been taken, for a renewal."""
    if not scene.case.renewing:
        return
    months = max((leaf.min_months for leaf in scene.sketch.of(OnDrug, True)), default=0)
    scene.on_dose = (months + 2) * MONTH if months else 150
    short = scene.sketch.of(OnDrug, False)
    for leaf in short:
        scene.on_dose = max(20, (leaf.min_months - 1) * 30)
    began_at_dose = any(leaf.min_dose is None for leaf in short)
    scene.since = scene.on_dose + (0 if began_at_dose else 112 + scene.turn % 40)


def _changes(scene: Scene) -> None:
    """Values at the start of therapy and now that differ by more, or by less, than the rule asks."""
    for leaf, shown, _ in scene.sketch.wants:
        if not isinstance(leaf, Change) or shown is None:
            continue
        test = "bmi" if leaf.test in ("weight", "height") else leaf.test
        natural = {"hba1c": 84, "bmi": max(330, scene.person.bmi[-1][1]), "ahi": 340}[test]
        low, high = scene.sketch.bounds.get((test, "start"), RANGE[test])
        now_low, now_high = scene.sketch.bounds.get((test, "now"), RANGE[test])
        for start in sorted(range(low, high + 1), key=lambda value: (abs(value - natural), value)):
            now = start - _fall(leaf, start, shown, scene.turn, SCALE.get(test, 1))
            if now_low <= now <= now_high:
                scene.sketch.bounds[test, "start"] = start, start
                scene.sketch.bounds[test, "now"] = now, now
                break
        else:
            raise Infeasible("change")


def _body(scene: Scene) -> None:
    person, sketch, turn = scene.person, scene.sketch, scene.turn
    has = sketch.has
    t1dm, wants_diabetes = has.get("t1dm", False), scene.case.use == "t2dm"
    t2dm = has.get("t2dm", (wants_diabetes or person.t2dm) and not t1dm)
    high = sketch.bounds.get(("hba1c", "now"), RANGE["hba1c"])[1]
    if t2dm and "t2dm" not in has and high < 66 and not scene.case.renewing:
        t2dm = False
    natural = person.a1c[-1][1]
    if (t2dm or t1dm) and natural < 66:
        natural = 72 + (person.index + turn) % 22
    elif not (t2dm or t1dm) and natural > 64:
        natural = 58 + (person.index + turn) % 7
    person.t2dm, person.prediabetes = t2dm, not (t2dm or t1dm)
    scene.a1c = scene.settle("hba1c", natural)
    _flags(scene)
    bmi = scene.settle("bmi", person.bmi[-1][1])
    latest = person.visits[0]
    if scene.case.renewing:
        first = scene.settle("bmi", bmi, "start")
        person.visits = (latest, (latest + scene.since) // 2, scene.since + 5)
        series = (first, (bmi + first) // 2, bmi)
    else:
        earlier = person.bmi[1][1] - person.bmi[2][1]
        first, middle = (max(230, min(420, bmi + change)) for change in (earlier // 2, earlier))
        series = (first, middle, bmi)
    person.bmi = list(zip(reversed(person.visits), series, strict=True))
    _kidney(scene)


def _flags(scene: Scene) -> None:
    person, has, bounds = scene.person, scene.sketch.has, scene.sketch.bounds
    for name in ("hypertension", "dyslipidemia", "nash"):
        if name in has:
            setattr(person, name, has[name])
    if "osa" in has or ("ahi", "now") in bounds or ("ahi", "start") in bounds:
        person.osa = has.get("osa", True)
    if person.osa or ("ahi", "now") in bounds:
        person.ahi = scene.settle("ahi", person.ahi or 240)
    if "hf" in has or ("lvef", "now") in bounds:
        person.hf = (person.hf or ("I50.22", "I50.32")[scene.turn % 2]) if has.get("hf", True) else ""
    if person.hf or ("lvef", "now") in bounds:
        natural = 34 if person.hf == "I50.22" else 55
        person.lvef = scene.settle("lvef", person.lvef or natural)
    if person.hf:
        person.hf = "I50.22" if person.lvef <= 45 else "I50.32"
    vessels = [kind for kind in ("mi", "stroke", "pad") if has.get(kind)]
    if vessels:
        person.ascvd = vessels[0]
    elif has.get("ascvd"):
        allowed = [kind for kind in ("cad", "mi", "stroke", "pad") if has.get(kind, True)]
        person.ascvd = person.ascvd if person.ascvd in allowed else allowed[scene.turn % len(allowed)]
    elif has.get("ascvd") is False or has.get(person.ascvd) is False:
        person.ascvd = ""
    if ("fibrosis_stage", "now") in bounds:
        person.nash = True
        person.fibrosis = scene.settle("fibrosis_stage", person.fibrosis)
    elif "fibrosis_stage" in scene.sketch.absent | set(scene.sketch.beyond):
        person.fibrosis = 2
    if not person.nash:
        person.fibrosis = 0
    person.neuropathy, person.retinopathy = (
        diabetic and person.t2dm for diabetic in (person.neuropathy, person.retinopathy)
    )


def _kidney(scene: Scene) -> None:
    person, sketch = scene.person, scene.sketch
    egfr = scene.settle("egfr", person.egfr[-1][1])
    uacr = scene.settle("uacr", person.uacr[-1][1] if person.uacr else 9)
    person.dialysis = sketch.has.get("dialysis", False)
    person.ckd = egfr < 60 or (person.t2dm and uacr >= 30) or bool(sketch.has.get("ckd"))
    recent, earlier = person.panels
    before_that = min(59, egfr + 2) if egfr < 60 else egfr + 1
    person.egfr = [(earlier, before_that), (recent, egfr)]
    person.uacr = [(earlier, max(3, uacr - uacr // 15)), (recent, uacr)]


def _fall(leaf: Change, start: int, shown: bool, turn: int, scale: int) -> int:
    """By how much the value falls: clearly more than asked for, or clearly less."""
    if leaf.percent is not None:
        share = leaf.percent + 2 + turn % 5 if shown else leaf.percent * 0.5
        return int(start * share / 100) + (1 if shown else 0)
    amount = round((leaf.amount or 0) * scale)
    return amount + turn % 5 if shown else max(0, amount - 1 - turn % 3)
