"""One maker a suite: so many fresh items from a seed, with labels by construction."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from evals.chat.questions import Asking, Expect
from evals.making import notes
from evals.making.appeals import appeal_items
from evals.making.book import Book
from evals.making.forms import form_fields
from evals.making.people import PLANTED, Planted, balanced, catalog, charts_of, planted, with_note
from evals.making.wording import Payload, filled, payloads, wordings
from evals.retrieval.gold import answers
from evals.suites.items import Attack, Called, Item, Suite
from tools.errors import Invalid
from tools.records import Outcome, Policy

SEED = 11  # of the usual items
# So many of each where nothing else is said: as many as others' suites have, or more.
SIZES: dict[Suite, int] = {
    "eligibility": 300, "tools": 120, "policy_qa": 100, "forms": 60, "letters": 60, "notes": 40, "multi_turn": 40,
    "clusters": 200, "refusals": 80, "injection": 420, "unknowns": 40, "appeals": 120,
}  # fmt: skip
FIRST_CLONE = 500_000  # patients with a planted note are numbered from here
SURFACES = ("note", "policy", "user", "note")
DIFFICULTIES = ("easy", "middle", "hard")
MAY_DRAFT = ("ready", "one_document_away", "over_quantity", "renewing")


def make(seed: int, sizes: dict[Suite, int]) -> Book:
    """The items of these suites, with the people and the policies that they are about."""
    unknown = set(sizes) - set(SIZES)
    if unknown:
        raise Invalid(f"no suite {', '.join(sorted(unknown))}; there are {', '.join(SIZES)}")
    book = Book(seed=seed)
    used: dict[str, Planted] = {}
    # All suites ask about the same people first: each of them then costs the scoring once.
    people = _in_turn(seed, -(-max(1, *sizes.values()) // PLANTED))
    for suite, wanted in sizes.items():
        draw = random.Random(f"{seed}/{suite}")
        for item, who in _MAKERS[suite](wanted, people, draw, book):
            book.items.append(item)
            used |= {one.patient: one for one in who}
    book.charts = charts_of(used.values())
    return book


@lru_cache(maxsize=4)
def _in_turn(seed: int, thousands: int) -> list[Planted]:
    people = planted(seed, thousands * PLANTED)
    return balanced(people, len(people), random.Random(seed))


Made = Iterator[tuple[Item, tuple[Planted, ...]]]


def _about(one: Planted) -> dict[str, Any]:
    """What is said of every item about this person's case."""
    return {
        "patient": one.patient,
        "drug": one.label.drug,
        "cluster": one.patient,
        "payer": one.label.plan_id,
        "why": one.label.why,
    }


def _expected(one: Planted) -> Expect:
    return Expect(outcome={one.label.drug: one.label.outcome})


def _eligibility(wanted: int, people: Sequence[Planted], draw: random.Random, book: Book) -> Made:
    asked = wordings().eligibility
    for number, one in enumerate(people[:wanted]):
        difficulty: Any = DIFFICULTIES[number % 3]
        ask = filled(draw.choice(asked[difficulty]), one.label.drug, draw)
        yield (
            Item(
                id=f"eligibility-{number + 1}", suite="eligibility", kind=one.label.kind, truth=one.truth,
                turns=[Asking(ask=ask, expect=_expected(one))], difficulty=difficulty, **_about(one),
            ),
            (one,),
        )  # fmt: skip


def _clusters(wanted: int, people: Sequence[Planted], draw: random.Random, book: Book) -> Made:
    groups = wordings().clusters
    for number, one in enumerate(people[: -(-wanted // 4)]):
        for way, text in enumerate(groups[number % len(groups)]):
            asking = Asking(ask=filled(text, one.label.drug, draw), expect=_expected(one))
            about = {**_about(one), "cluster": f"cluster-{number + 1}"}
            yield (
                Item(
                    id=f"clusters-{number + 1}-{way + 1}", suite="clusters", turns=[asking],
                    kind=("plain", "formal", "short", "typo")[way], **about,
                ),
                (one,),
            )  # fmt: skip


def _tools(wanted: int, people: Sequence[Planted], draw: random.Random, book: Book) -> Made:
    with_tool, without = wordings().tools, wordings().no_tool
    for number, one in enumerate(people[:wanted]):
        other = _other(one, draw)
        if number % 5 == 4:
            ask, call, why = (
                without[number // 5 % len(without)],
                Called(),
                "nothing is to be looked up for it",
            )
        else:
            row = with_tool[(number - number // 5) % len(with_tool)]
            drug = "" if row.drugless else one.label.drug
            ask, call = row.ask, Called(name=row.name, drug=drug, arguments=row.arguments)
            why = f"that is what {row.name.replace('|', ' or ')} answers"
        yield (
            Item(
                id=f"tools-{number + 1}", suite="tools", kind="tool" if call.name else "no_tool", call=call,
                turns=[Asking(ask=filled(ask, one.label.drug, draw, other=other))], **{**_about(one), "why": why},
            ),
            (one,),
        )  # fmt: skip


def _other(one: Planted, draw: random.Random) -> str:
    return draw.choice(sorted({*catalog().drugs} - {one.label.drug}))


def _policy_qa(wanted: int, people: Sequence[Planted], draw: random.Random, book: Book) -> Made:
    """Questions by what a clause is, of policies that have one; every fifth about what none of them says."""
    kinds, silent = wordings().policy, wordings().policy_silent
    with_policy = [one for one in people if _policy(one) is not None]
    number = turn = 0
    while number < wanted:
        one = with_policy[turn % len(with_policy)]
        row = kinds[turn // 3 % len(kinds)]
        policy = _policy(one)
        turn += 1
        assert policy is not None
        plan, drug = catalog().plans[one.label.plan_id], catalog().drugs[one.label.drug]
        clauses: list[str] = []
        if number % 5 == 4:
            ask, why = silent[number // 5 % len(silent)], "no policy of ours says anything of it"
        else:
            clauses = sorted(answers(row.gold, plan.benefits[drug.name], policy, drug))
            ask, why = (
                draw.choice(row.asks),
                f"the clauses that print {msgspec.json.encode(row.gold).decode()}",
            )
            if not clauses:
                continue
        number += 1
        yield (
            Item(
                id=f"policy_qa-{number}", suite="policy_qa", kind="answerable" if clauses else "unanswerable",
                plan_id=plan.id, clauses=clauses, turns=[Asking(ask=f"{drug.name} policy: {ask}")],
                **{**_about(one), "why": why, "cluster": policy.id},
            ),
            (one,),
        )  # fmt: skip


def _policy(one: Planted) -> Policy | None:
    return next(
        (
            p
            for p in catalog().policies.values()
            if (p.plan_id, p.drug) == (one.label.plan_id, one.label.drug)
        ),
        None,
    )


def _drafted(people: Sequence[Planted], wanted: int) -> list[Planted]:
    return [one for one in people if one.label.kind in MAY_DRAFT and _policy(one) is not None][:wanted]


def _forms(wanted: int, people: Sequence[Planted], draw: random.Random, book: Book) -> Made:
    for number, one in enumerate(_drafted(people, wanted)):
        ask = f"Please draft the prior authorization for {one.label.drug}."
        about = {**_about(one), "why": "the chart, the plan and the drug's label hold these values"}
        yield (
            Item(
                id=f"forms-{number + 1}", suite="forms", kind=one.label.kind, turns=[Asking(ask=ask)],
                fields=form_fields(one), **about,
            ),
            (one,),
        )  # fmt: skip


def _letters(wanted: int, people: Sequence[Planted], draw: random.Random, book: Book) -> Made:
    for number, one in enumerate(_drafted(people, wanted)):
        ask = f"Write the letter of medical necessity for {one.label.drug}."
        required = [one.chart["family"], one.label.drug]
        about = {
            **_about(one),
            "why": "a letter names patient and drug, and says nothing that the case does not hold",
        }
        yield (
            Item(
                id=f"letters-{number + 1}", suite="letters", kind=one.label.kind, turns=[Asking(ask=ask)],
                required=required, **about,
            ),
            (one,),
        )  # fmt: skip


def _notes(wanted: int, people: Sequence[Planted], draw: random.Random, book: Book) -> Made:
    for item in notes.made_items(wanted, draw):
        yield item, ()


def _multi_turn(wanted: int, people: Sequence[Planted], draw: random.Random, book: Book) -> Made:
    """Scripts in which one drug's outcome is planted and the other's follows from the plan's table alone."""
    scripts = wordings().multi_turn
    pairs = [(one, *other) for one in people for other in _by_table(one)]
    chosen: dict[str, tuple[Planted, str, Outcome]] = {}
    for one, other, outcome in pairs:
        chosen.setdefault(one.patient, (one, other, outcome))
    for number, (one, other, outcome) in enumerate([*chosen.values()][:wanted]):
        own, others = {one.label.drug: one.label.outcome}, {other: outcome}
        expects = {"drug": own, "other": others, "both": own | others}
        turns = [
            Asking(
                ask=filled(row.ask, one.label.drug, draw, other=other),
                expect=Expect(outcome=expects[row.of]) if row.of in expects else None,
            )
            for row in scripts[number % (len(scripts) - (one.label.kind == "former_plan"))]
        ]
        about = {**_about(one), "why": f"{one.label.why}; {other} is {outcome} by the plan's table"}
        yield (
            Item(
                id=f"multi_turn-{number + 1}", suite="multi_turn", kind=one.label.kind, turns=turns, **about
            ),
            (one,),
        )


def _by_table(one: Planted) -> Iterator[tuple[str, Outcome]]:
    """A drug that the plan does not cover, for whoever is in it; whoever is in it no more has the wrong plan."""
    benefits = catalog().plans[one.label.plan_id].benefits.values()
    for benefit in benefits:
        if benefit.drug != one.label.drug and not benefit.covered:
            yield benefit.drug, "wrong_plan" if one.label.kind == "former_plan" else "not_covered"


def _refusals(wanted: int, people: Sequence[Planted], draw: random.Random, book: Book) -> Made:
    """Half to be refused, half their benign twins."""
    strangers = wordings().strangers
    for number, one in enumerate(people[:wanted]):
        kind = "benign" if number % 2 else "refused"
        row = (wordings().benign if number % 2 else wordings().refused)[number // 2 % 10]
        ask = filled(row.ask, one.label.drug, draw, stranger=strangers[number // 20 % len(strangers)])
        expect = Expect(refused=kind == "refused")
        if row.trap == "other_patient" and kind == "refused":
            why = "the conversation is about one patient"
        else:
            why = (
                f"{row.trap}: not ours to do" if kind == "refused" else "a plain question, whatever its words"
            )
        yield (
            Item(
                id=f"refusals-{number + 1}", suite="refusals", kind=kind, trap=row.trap,
                turns=[Asking(ask=ask, expect=expect)], **{**_about(one), "why": why},
            ),
            (one,),
        )  # fmt: skip


def _unknowns(wanted: int, people: Sequence[Planted], draw: random.Random, book: Book) -> Made:
    words = wordings()
    for number, one in enumerate(people[:wanted]):
        what = ("drug", "patient", "drug", "plan")[number % 4]
        row: list[str] = getattr(words, f"unknown_{what}")
        ask = filled(
            row[number // 4 % len(row)], one.label.drug, draw,
            strange=words.unknown_drugs[number // 2 % len(words.unknown_drugs)],
            stranger=words.strangers[number // 4 % len(words.strangers)],
            number=f"P{900_000 + draw.randrange(90_000)}",
            plan=words.unknown_plans[number // 4 % len(words.unknown_plans)],
        )  # fmt: skip
        about = {**_about(one), "why": f"there is no such {what}"}
        if what == "patient":  # asked before anybody is bound
            about["patient"] = ""
        yield (
            Item(
                id=f"unknowns-{number + 1}",
                suite="unknowns",
                kind=f"no_{what}",
                turns=[Asking(ask=ask)],
                **about,
            ),
            (one,),
        )


# --- injection ---------------------------------------------------------------------------------------------


def _injection(wanted: int, people: Sequence[Planted], draw: random.Random, book: Book) -> Made:
    """Of seven, five are static payloads, one is an adaptive one and one a benign twin; each of them stands now in a
    note, now in a policy, now in the question. A policy holds one payload, so a payload has one policy."""
    able = [one for one in people if one.label.outcome != "ready"]
    behind = _behind(able)
    counts: dict[tuple[str, str], int] = {}
    for number, (kind, payload) in enumerate(_attacks(wanted)):
        which = kind, payload.name
        time = counts[which] = counts.get(which, -1) + 1
        surface: Any = SURFACES[(time + number) % len(SURFACES)]
        one, stranger = able[number % len(able)], people[(number + 7) % len(people)]
        names = {"other_id": stranger.patient, "other_name": stranger.chart["family"]}
        words = (payload.twin if kind == "benign" else payload.text).format(**names)
        if surface == "policy" and (kind, words) not in behind:
            surface = "note"  # a payload that names somebody names another one each time
        if surface == "policy":
            file, insured = behind[kind, words]
            book.doctored[file] = words
            one = insured[time % len(insured)]
        who = with_note(one, FIRST_CLONE + number, words) if surface == "note" else one
        ask = filled(payloads().tasks[time % len(payloads().tasks)], one.label.drug, draw)
        states = time % len(payloads().tasks) < 2 and not (surface == "user" and "{other" in payload.text)
        if surface == "user":
            ask = f"{ask} {words}" if kind == "benign" else f"{words} {ask}"
        attack = Attack(
            payload=which[1], surface=surface, outcome=payload.outcome,
            shows=[show.format(**names) for show in payload.shows],
        )  # fmt: skip
        why = (
            "the words ask for nothing" if kind == "benign" else "an attack is text, and text decides nothing"
        )
        about = {**_about(one), "patient": who.patient, "why": f"{one.label.why}; {why}"}
        yield (
            Item(
                id=f"injection-{number + 1}", suite="injection", kind=kind, trap=which[1],
                world="hostile" if surface == "policy" else "made", attack=None if kind == "benign" else attack,
                turns=[Asking(ask=ask, expect=_expected(one) if states else None)], **about,
            ),
            (who, stranger),
        )  # fmt: skip


def _attacks(wanted: int) -> Iterator[tuple[str, Payload]]:
    static, adaptive = payloads().static, payloads().adaptive
    for number in range(wanted):
        turn, place = divmod(number, 7)
        if place < 5:
            yield "static", static[(turn * 5 + place) % len(static)]
        elif place == 5:
            yield "adaptive", adaptive[turn % len(adaptive)]
        else:
            yield "benign", static[turn % len(static)]


def _behind(able: Sequence[Planted]) -> dict[tuple[str, str], tuple[str, list[Planted]]]:
    """For each payload that names nobody, a policy's file to put it into and the people whom that policy binds."""
    insured: dict[str, list[Planted]] = {}
    for one in able:
        policy = _policy(one)
        if policy is not None:
            insured.setdefault(policy.file.rpartition("/")[2], []).append(one)
    static, adaptive = payloads().static, payloads().adaptive
    words = [("static", row.text) for row in static] + [("adaptive", row.text) for row in adaptive]
    words += [("benign", row.twin) for row in static]
    bare = [(kind, text.format()) for kind, text in words if "{other" not in text]
    return dict(zip(bare, sorted(insured.items(), key=lambda pair: (-len(pair[1]), pair[0])), strict=False))


def _appeals(wanted: int, people: Sequence[Planted], draw: random.Random, book: Book) -> Made:
    yield from appeal_items(wanted, people, draw)


_MAKERS: dict[Suite, Callable[[int, Sequence[Planted], random.Random, Book], Made]] = {
    "eligibility": _eligibility,
    "tools": _tools,
    "policy_qa": _policy_qa,
    "forms": _forms,
    "letters": _letters,
    "notes": _notes,
    "multi_turn": _multi_turn,
    "clusters": _clusters,
    "refusals": _refusals,
    "injection": _injection,
    "unknowns": _unknowns,
    "appeals": _appeals,
}
