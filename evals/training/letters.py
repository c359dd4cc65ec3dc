"""Trains `tools.denials.learned`, what the parts of a payer's letter are, from labelled letters.

It learns from `evals/examples/letters`, from the letters by hand of `evals/denials`, and from printed ones. Weights are
the same for the same examples and the same scipy. The whole reader is scored on authors whom neither these models nor
the encoder of letters have seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache, cached_property, partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import yaml

from evals.denials.generated import labelled
from evals.denials.gold import SETS, Label, load
from evals.training.examples import FOLDER, authors_of, hashed, held_out, lines
from evals.training.reports import report
from tools.common.dates import add_months
from tools.denials import encoded
from tools.denials import learned as known
from tools.denials.drugs import drug_rows, named_in, seen_drugs, written
from tools.denials.learned import (
    BUCKETS,
    DENSE,
    DRUGS,
    FROM,
    GIVE_REASONS,
    KINDS,
    NAMES,
    NUMBERS,
    ROLES,
    SPARSE,
    TIMES,
    WEIGHTS,
    Learned,
    Model,
    OfRows,
    Seen,
)  # fmt: skip
from tools.denials.mentions import Mention, names_in, numbers_in, seen_mentions, times_in
from tools.denials.reasons import CODES, evidence, seen_reasons
from tools.denials.rights import rights_named
from tools.denials.sentences import Sentence, sentences_of
from tools.denials.slips import legible
from tools.terminology.matcher import products_in

PRINTED = 220  # letters; more teach nothing that strangers say
OWN = "b01"  # letters by the hand that wrote the reader: they teach, and are no stranger's to score on
HELD = ("l20", "l21", "m05", "m06")  # authors whom the encoder does not see, and on whom the reader is scored
FOLDS = 3
UNLABELLED = 0.25  # how much a sentence counts of which only the reason is known
STEP = 0.6  # how much the order of sentences counts beside their words
KIND_OF = {
    "denial": "denial", "partial_approval": "partial", "approval": "approval", "pend": "pend",
    "appeal_upheld": "upheld", "appeal_overturned": "overturned",
}  # fmt: skip


@dataclass(frozen=True)
class Example:
    """A letter with its labels: the role of each sentence ("" where its author gave none), the codes of each, and what
    each mention is ("" where that is not known)."""

    author: str
    id: str
    kind: str
    text: str
    sentences: list[Sentence]
    roles: list[str]
    codes: list[tuple[str, ...]]
    times: list[tuple[Mention, str, str]] = field(default_factory=list)
    numbers: list[tuple[Mention, str]] = field(default_factory=list)
    names: list[tuple[Mention, str]] = field(default_factory=list)
    drugs: frozenset[str] | None = None  # those decided on

    @cached_property
    def seen(self) -> list[Seen]:
        return known.seen_sentences(self.sentences)

    @cached_property
    def rows(self) -> tuple[list[Seen], list[Seen], dict[str, Seen]]:
        """What the encoder of letters makes of its sentences, of its times, and of each drug that is named in it."""
        read = encoded.encode(self.text, self.sentences)
        named = named_in(self.text, self.sentences) if self.drugs is not None else {}
        times = [read.mean(mention.start, mention.end) for mention, _, _ in self.times]
        return (
            known.seen_rows(encoded.sentence_rows(read, self.sentences)),
            known.seen_rows(np.array(times)),
            dict(zip(named, known.seen_rows(drug_rows(read, named)), strict=True)),
        )

    @property
    def by_stranger(self) -> bool:
        """Labelled whole, by somebody who had not seen the reader."""
        return bool(self.roles[0]) and self.author != OWN

    def counts(self, printed: float) -> float:
        """How much what it labels counts: so much, if it is printed."""
        return printed if self.author == "printed" else 1.0


def train(write: bool) -> None:
    """Score on the authors that are held out; with `write` keep score and weights of all."""
    examples = [*strangers(), *older()]
    folds = folds_of(examples)
    report("letters", score(examples, folds), write)
    if write:
        known.save(fit_all(examples, fit_roles(examples), folds), WEIGHTS, encoded.fingerprint())


# --- reading examples ------------------------------------------------------------------------------------


def strangers() -> Iterator[Example]:
    """The letters of evals/examples, by authors of their own; b01 is by the hand that wrote the reader."""
    for author, letter in lines("letters/*.jsonl"):
        text = letter["text"]
        sentences = sentences_of(text)
        reasons = [(one["code"], one["quote"]) for one in letter["reasons"]]
        times = [(one, *_what_time(letter, one)) for one in times_in(text, sentences)]
        yield Example(
            author, letter["id"], letter["kind"], text, sentences, list(_roles(letter, sentences)),
            _codes(reasons, text, sentences), times, drugs=_drugs(letter["decided"]),
        )  # fmt: skip


def _drugs(names: Sequence[str]) -> frozenset[str]:
    """As the reader writes them."""
    return frozenset(written(span.key) for name in names for span in products_in(legible(name)))


def _roles(letter: dict[str, Any], sentences: Sequence[Sentence]) -> Iterator[str]:
    spans, at = [], 0
    for one in letter["sentences"]:
        if (start := letter["text"].find(one["quote"], at)) >= 0:
            at = start + len(one["quote"])
            spans.append((start, at, one["role"]))
    for s in sentences:
        yield max(spans, key=lambda span: min(span[1], s.end) - max(span[0], s.start))[2]


def _codes(
    reasons: Iterable[tuple[str, str]], text: str, sentences: Sequence[Sentence]
) -> list[tuple[str, ...]]:
    spans = [(start, start + len(quote), code) for code, quote in reasons if (start := text.find(quote)) >= 0]
    return [
        tuple(sorted({code for start, end, code in spans if min(end, s.end) - max(start, s.start) > 3}))
        for s in sentences
    ]


def _what_time(letter: dict[str, Any], one: Mention) -> tuple[str, str]:
    """What a day or a stretch is, and from when the stretch runs."""
    notice = next((_day(d) for d in letter["dates"] if d["what"] == "notice" and d["date"]), None)
    for given in letter["dates"]:
        start = letter["text"].find(given["quote"])
        if not (start <= one.start < start + len(given["quote"])):
            continue
        if one.kind == "date" and (one.day == _day(given) or not given["date"]):
            return given["what"], ""
        if one.kind == "span" and given["what"].endswith("_by"):
            runs_from = given.get("runs_from", "")
            if not runs_from and notice and _day(given):
                runs_from = "notice" if _counted(notice, one) == _day(given) else "receipt"
            return given["what"], runs_from
    return "other", ""


def _day(given: dict[str, Any]) -> date | None:
    return date.fromisoformat(given["date"]) if given["date"] else None


def _counted(start: date, one: Mention) -> date:
    return add_months(start, one.amount) if one.unit == "months" else start + timedelta(days=one.amount)


def older(printed: int = PRINTED) -> Iterator[Example]:
    """Letters whose labels are of the whole letter: those of evals/denials, and printed ones."""
    for name in SETS:
        yield from (_older(one, name) for one in load(name))
    yield from (_older(one, "printed") for one in labelled(7, printed))


def _older(one: Label, author: str) -> Example:
    sentences = sentences_of(one.text)
    times = times_in(one.text, sentences)
    due = one.deadline
    label = "reply_by" if one.kind == "pend" else "appeal_by"
    told: list[tuple[Mention, str, str]] = []
    for time in times:
        what, runs_from = "", ""
        if time.kind == "date":
            if time.day == one.birth_date:
                what = "birth"
            elif time.day == one.letter_date:  # what begins on that day may stand further down
                what = "" if any(given == "notice" for _, given, _ in told) else "notice"
            elif due and time.day == due[3]:
                what = label
        elif due and (time.amount, time.unit) == due[:2]:
            what, runs_from = label, (due[2] or "").replace("decision", "notice")
        elif not rights_named(one.text, sentences[time.sentence]):
            what = "other"
        told.append((time, what, runs_from))
    return Example(
        author, one.name, KIND_OF[one.kind], one.text, sentences, [""] * len(sentences),
        _codes(one.reasons.items(), one.text, sentences), told,
        _what(one.text, numbers_in(one.text, sentences, times), member=one.member_id, reference=one.reference),
        _what(one.text, names_in(one.text, sentences), member=one.member, payer=one.payer),
        _drugs([str(drug["drug"]) for drug in one.drugs]),
    )  # fmt: skip


def _what(text: str, mentions: Iterable[Mention], **written: str) -> list[tuple[Mention, str]]:
    """Which of the things that are written so each mention is, the first of them, or another."""
    return [
        (one, next((what for what, words in written.items() if words and said == words.casefold()), "other"))
        for one in mentions
        for said in [" ".join(text[one.start : one.end].split()).casefold()]
    ]


@cache
def alone(name: str) -> tuple[Example, ...]:
    """The sentences of evals/examples/NAME.yaml, which stand without a letter: by the kind of document to which they
    belong ("decisions"), or by their reason ("reasons")."""
    given = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    made = []
    for what, listed in given.items():
        kind, codes = (what, ()) if name == "decisions" else ("", tuple({what} & set(CODES)))
        for text in listed:
            sentence = Sentence(0, len(text), " ".join(text.split()))
            made.append(Example(name, text, kind, text, [sentence], [""], [codes]))
    return tuple(made)


# --- fitting ---------------------------------------------------------------------------------------------


class Lessons:
    """What one model learns from.

    Args:
        classes: of which a thing may be.
    """

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = classes
        self.seen: list[Seen] = []
        self.targets: list[Any] = []
        self.weight: list[float] = []

    def add(self, seen: Seen, given: Collection[str], much: float = 1.0) -> None:
        """A thing, the classes that it is of, and how much it counts."""
        self.seen.append(seen)
        self.targets.append([float(one in given) for one in self.classes])
        self.weight.append(much)

    def fit(self, strength: float = 1.0, many: bool = False) -> Model:
        """The likeliest model under a prior: one class for each thing, or with `many` each class by itself. Features
        that only one thing has tell nothing."""
        from scipy.optimize import minimize

        rows = hashed([one.rows for one in self.seen], BUCKETS, dtype=np.float32)
        used = np.flatnonzero(np.asarray((rows > 0).sum(0)).ravel() > 1)
        few = rows[:, used] * SPARSE
        back = few.T.tocsr()
        dense_too = self.seen[0].vector is not None
        vectors = np.array([one.vector if dense_too else () for one in self.seen]) * DENSE
        classes, width = len(self.classes), vectors.shape[1]
        size = len(used) * classes
        targets, weight = np.array(self.targets, np.float32), np.array(self.weight)[:, None]

        def loss(flat: Any) -> tuple[float, Any]:
            sparse, dense = flat[:size].reshape(-1, classes), flat[size:-classes].reshape(width, classes)
            given = few @ sparse + vectors @ dense + flat[-classes:]
            if many:
                chance = known.chances(given)
                cost = float((weight * np.logaddexp(0, np.where(targets > 0, -given, given))).sum())
            else:
                chance = known.shares(given)
                cost = float(-(weight * targets * np.log(chance + 1e-12)).sum())
            off = (chance - targets) * weight
            slope = np.concatenate([(back @ off).ravel(), (vectors.T @ off).ravel(), off.sum(0)])
            slope[:-classes] += flat[:-classes] / strength
            return cost + float(flat[:-classes] @ flat[:-classes]) / strength / 2, slope

        begin = np.zeros(size + (width + 1) * classes)
        flat = minimize(loss, begin, jac=True, method="L-BFGS-B", options={"maxiter": 70, "maxcor": 6}).x
        sparse = np.zeros((BUCKETS if len(used) else 0, classes), np.float32)
        sparse[used] = flat[:size].reshape(-1, classes)
        dense = flat[size:-classes].reshape(width, classes).astype(np.float32)
        return Model(sparse, dense, flat[-classes:].astype(np.float32))


def fit_roles(examples: Sequence[Example]) -> tuple[Model, Any]:
    """The roles of sentences, and how much likelier than by chance one follows another.

    Of a letter without roles it is known which sentences give a reason, and of a printed one that no other does: those
    are of the roles that a first model says, but for that one.
    """
    lessons = Lessons(ROLES)
    others: list[Seen] = []
    for one in examples:
        for seen, role, codes in zip(one.seen, one.roles, one.codes, strict=True):
            if role:
                lessons.add(seen, [role])
            elif codes:
                lessons.add(seen, ["reason"], UNLABELLED)
            elif one.author == "printed":
                others.append(seen)
    model = lessons.fit()
    if others:
        likely = known.shares(model.scores(others))
        likely[:, ROLES.index("reason")] = 0
        lessons.seen += others
        lessons.targets += [*(likely / likely.sum(1, keepdims=True))]
        lessons.weight += [UNLABELLED] * len(others)
        model = lessons.fit()
    return model, fit_steps([one.roles for one in examples if one.roles[0]], ROLES)


def fit_steps(chains: Sequence[Sequence[str]], classes: Sequence[str]) -> Any:
    """The logarithm of how much more often than by chance one class follows another."""
    counts = np.full((len(classes), len(classes)), 2.0)
    for chain in chains:
        for before, after in pairwise(chain):
            counts[classes.index(before), classes.index(after)] += 1
    share = counts / counts.sum()
    steps = np.log(share / share.sum(1, keepdims=True) / share.sum(0, keepdims=True)) * STEP
    return steps.astype(np.float32)


def fit_kind(examples: Sequence[Example], chances: dict[str, Any]) -> Model:
    """The kind of a letter; each kind counts alike, however many letters are of it."""
    sure = np.array([[role == "decision" for role in ROLES]], np.float32)
    told = [(one, chances[one.id]) for one in examples if one.kind]
    told += [(one, sure) for one in alone("decisions")]
    total = Counter(one.kind for one, _ in told)
    lessons = Lessons(KINDS)
    for one, roles in told:
        lessons.add(known.seen_letter(one.sentences, one.seen, roles), [one.kind], 20 / total[one.kind])
    return lessons.fit(2.0)


def fit_codes(examples: Sequence[Example]) -> Model:
    """From sentences of which an author says which reason they give."""
    lessons = Lessons(CODES)
    for one in examples:
        for sentence, shown, codes, role in zip(one.sentences, one.seen, one.codes, one.roles, strict=True):
            if codes or role in ("decision", "request"):
                seen = known.seen_reason(sentence.words, sentence.heading, shown.vector, one.kind)
                lessons.add(seen, codes, 0.4 if one.author == "printed" else 1.0 if codes else 0.5)
    for one in alone("reasons"):
        lessons.add(known.seen_reason(one.sentences[0].words, "", one.seen[0].vector), one.codes[0], 0.7)
    return lessons.fit(1.5, many=True)


def fit_reasons(examples: Sequence[Example], folds: Sequence[Fold]) -> Model:
    """Which reasons a letter gives, by what speaks for each where neither the roles' model nor that of reasons had seen
    its author."""
    lessons = Lessons(("given",))
    for one in examples:
        if one.by_stranger and one.kind in GIVE_REASONS:
            fold = next(fold for fold in folds if one.author in fold.authors)
            found = evidence(one.sentences, one.seen, fold.chances[one.id], one.kind, fold.codes)
            for code, seen in zip(CODES, seen_reasons(found, one.kind), strict=True):
                lessons.add(seen, ["given"] if any(code in given for given in one.codes) else [])
    return lessons.fit(1 / DENSE**2, many=True)


def fit_rows(examples: Sequence[Example]) -> OfRows:
    """What sentences do, which reasons they give, what dates are and which drugs are decided on, by the rows of the
    encoder of letters."""
    role, code, time, drug = Lessons(ROLES), Lessons(CODES), Lessons(TIMES), Lessons(DRUGS)
    for one in examples:
        sentences, times, drugs = one.rows
        own = 1.0 if one.by_stranger else 0.5
        much = own * one.counts(0.4)
        for row, what, codes in zip(sentences, one.roles, one.codes, strict=True):
            if what:
                role.add(row, [what], own)
            if codes or what in ("decision", "request"):
                code.add(row, codes, much if codes else own / 2)
        for row, (_, what, _) in zip(times, one.times, strict=True):
            if what:
                time.add(row, [what], much)
        for name, row in drugs.items():
            drug.add(row, _whether(name, one), much)
    return OfRows(role.fit(), code.fit(many=True), time.fit(), drug.fit())


def fit_mentions(examples: Sequence[Example], chances: dict[str, Any]) -> dict[str, Model]:
    """What dates, stretches, numbers and names are."""
    lessons = {
        "time": Lessons(TIMES), "runs_from": Lessons(FROM), "number": Lessons(NUMBERS), "name": Lessons(NAMES),
    }  # fmt: skip
    for one in examples:
        roles = [ROLES[at] for at in chances[one.id].argmax(1)]
        told: dict[str, list[tuple[Mention, str]]] = {
            "time": [(m, what) for m, what, _ in one.times if what],
            "runs_from": [(m, of) for m, what, of in one.times if m.kind == "span" and what.endswith("_by")],
            "number": one.numbers,
            "name": one.names,
        }
        for name, listed in told.items():
            letter = one.kind if name in ("time", "runs_from") else ""
            seen = seen_mentions(one.text, one.sentences, roles, [mention for mention, _ in listed], letter)
            for shown, (_, what) in zip(seen, listed, strict=True):
                lessons[name].add(shown, [what], one.counts(0.3))
    return {name: given.fit(2.0) for name, given in lessons.items()}


def fit_drugs(examples: Sequence[Example], chances: dict[str, Any]) -> Model:
    """Which of the drugs that a letter names it decides on."""
    lessons = Lessons(DRUGS)
    for one in examples:
        named = named_in(one.text, one.sentences) if one.drugs is not None else {}
        seen = seen_drugs(one.text, one.sentences, chances[one.id], named, one.kind)
        for name, shown in zip(named, seen, strict=True):
            lessons.add(shown, _whether(name, one), one.counts(0.3))
    return lessons.fit(2.0)


def _whether(drug: str, one: Example) -> list[str]:
    return ["decided" if drug in (one.drugs or ()) else "mentioned"]


class Fold(NamedTuple):
    """Models of roles and of reasons that have not seen these authors, and the roles of their letters' sentences."""

    authors: set[str]
    roles: tuple[Model, Any]
    codes: Model
    chances: dict[str, Any]


def folds_of(examples: Sequence[Example]) -> list[Fold]:
    """All authors, each in the fold whose model has not seen it."""
    groups, made = _groups(examples), []
    for group, (seen, unseen) in zip(groups, held_out(examples, groups), strict=True):
        model, steps = fit_roles(seen)
        chances = {one.id: known.along(model.scores(one.seen), steps) for one in unseen}
        made.append(Fold(group, (model, steps), fit_codes(seen), chances))
    return made


def fit_all(examples: Sequence[Example], roles: tuple[Model, Any], folds: Sequence[Fold]) -> Learned:
    """Every model. What rests on roles learns from those of sentences that the roles' model had not seen."""
    chances = {name: given for fold in folds for name, given in fold.chances.items()}
    mentions = fit_mentions(examples, chances)
    dated = [[what for _, what, _ in one.times] for one in examples if one.roles[0]]
    return Learned(
        role=roles[0], steps=roles[1], kind=fit_kind(examples, chances), code=fit_codes(examples),
        reasons=fit_reasons(examples, folds), time=mentions["time"], time_steps=fit_steps(dated, TIMES),
        runs_from=mentions["runs_from"], number=mentions["number"], name=mentions["name"],
        drug=fit_drugs(examples, chances), of_rows=fit_rows(examples),
    )  # fmt: skip


def _groups(examples: Sequence[Example]) -> list[set[str]]:
    """All authors in groups, so that each is left out once; those that are scored are in the first."""
    full = authors_of(one for one in examples if one.roles[0] and one.author not in HELD)
    authors = [*full, *authors_of(one for one in examples if not one.roles[0])]
    return [{*authors[at::FOLDS], *(HELD if not at else ())} for at in range(FOLDS)]


def score(examples: Sequence[Example], folds: Sequence[Fold]) -> dict[str, Any]:
    """How the whole reader reads the letters of each author that is held out, by models that have not seen that author
    nor any other of the same fold."""
    from evals.first_sight import letters as first_sight
    from tools.denials.reader import read_letter

    first = folds[0]
    models = fit_all([one for one in examples if one.author not in first.authors], first.roles, folds)
    read = partial(read_letter, models=models)
    found: dict[str, Any] = {}
    for author in HELD:
        letters = [letter for _, letter in lines(f"letters/{author}.jsonl")]
        row = first_sight.score(letters, author, "", read)
        found[author] = {name: getattr(row, name) for name in _SCORES}
    for name in _SCORES:
        values = [found[author][name] for author in HELD]
        parts = isinstance(values[0], tuple)
        found[name] = [sum(part) for part in zip(*values, strict=True)] if parts else sum(values)
    return found


_SCORES = ("n", "right", "abstained", "false_denials", "reasons", "dates", "drugs", "orders")
