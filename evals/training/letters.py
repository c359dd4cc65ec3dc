"""Trains `tools.denials.learned`, what the parts of a payer's letter are, from labelled letters.

It learns from `evals/examples/letters`, from the letters by hand of `evals/denials`, and from printed ones. Weights are
the same for the same examples and the same scipy. It is scored without the encoder of letters, which is trained apart
and knows all authors that it learned from.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import yaml

from evals.denials.generated import labelled
from evals.denials.gold import SETS, Label, load
from evals.training.examples import FOLDER, authors_of, held_out, lines
from evals.training.linear import hashed
from evals.training.reports import report
from tools.common.dates import add_months
from tools.denials import encoded
from tools.denials import learned as known
from tools.denials.drugs import named_in, seen_drugs, written
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
from tools.terminology.matcher import medicines_in

PRINTED = 220  # letters; more teach nothing that strangers say
OWN = "b01"  # letters by the hand that wrote the reader: they teach, and are no stranger's to score on
FOLDS = 3
UNLABELLED = 0.25  # how much a sentence counts of which only the reason is known
STEP = 0.6  # how much the order of sentences counts beside their words
KIND_OF = {
    "denial": "denial", "partial_approval": "partial", "approval": "approval", "pend": "pend",
    "appeal_upheld": "upheld", "appeal_overturned": "overturned",
}  # fmt: skip


class Example(NamedTuple):
    """A letter with its labels: the role of each sentence ("" where its author gave none), the codes of each, and what
    each mention is ("" where that is not known)."""

    author: str
    id: str
    kind: str
    sentences: list[Sentence]
    seen: list[Seen]
    roles: list[str]
    codes: list[tuple[str, ...]]
    text: str
    times: list[tuple[Mention, str, str]]
    numbers: list[tuple[Mention, str]]
    names: list[tuple[Mention, str]]
    drugs: frozenset[str] | None = None  # those decided on


def train(write: bool) -> None:
    """Score with each author held out; with `write` keep score and weights."""
    examples = [*strangers(), *older()]
    folds = folds_of(examples)
    report("letters", score(examples, folds), write)
    if write:
        whole = fit_all(examples, fit_roles(examples), folds)
        known.save(whole._replace(of_rows=fit_rows(examples)), WEIGHTS, encoded.fingerprint())


# --- reading examples ------------------------------------------------------------------------------------


def strangers() -> Iterator[Example]:
    """The letters of evals/examples, by authors of their own; b01 is by the hand that wrote the reader."""
    for author, letter in lines("letters/*.jsonl"):
        text = letter["text"]
        sentences = sentences_of(text)
        reasons = [(one["code"], one["quote"]) for one in letter["reasons"]]
        times = [(one, *_what_time(letter, one)) for one in times_in(text, sentences)]
        yield Example(
            author, letter["id"], letter["kind"], sentences, known.seen_sentences(sentences),
            list(_roles(letter, sentences)), list(_codes(reasons, text, sentences)), text, times, [], [],
            _drugs(letter["decided"]),
        )  # fmt: skip


def _drugs(names: Sequence[str]) -> frozenset[str]:
    """As the reader writes them."""
    return frozenset(written(span.key) for name in names for span in medicines_in(name))


def _roles(letter: dict[str, Any], sentences: Sequence[Sentence]) -> Iterator[str]:
    spans, at = [], 0
    for one in letter["sentences"]:
        start = letter["text"].find(one["quote"], at)
        if start >= 0:
            at = start + len(one["quote"])
            spans.append((start, at, one["role"]))
    for s in sentences:
        yield max(spans, key=lambda span: min(span[1], s.end) - max(span[0], s.start))[2]


def _codes(
    reasons: Sequence[tuple[str, str]], text: str, sentences: Sequence[Sentence]
) -> Iterator[tuple[str, ...]]:
    spans = [(start, start + len(quote), code) for code, quote in reasons if (start := text.find(quote)) >= 0]
    for s in sentences:
        yield tuple(sorted({code for start, end, code in spans if min(end, s.end) - max(start, s.start) > 3}))


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
    codes = list(_codes(list(one.reasons.items()), one.text, sentences))
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
    numbers = [
        (m, "member" if _same(one.text[m.start : m.end], one.member_id) else
            "reference" if _same(one.text[m.start : m.end], one.reference) else "other")
        for m in numbers_in(one.text, sentences, times)
    ]  # fmt: skip
    names = [
        (m, "member" if _same(one.text[m.start : m.end], one.member) else
            "payer" if _same(one.text[m.start : m.end], one.payer) else "other")
        for m in names_in(one.text, sentences)
    ]  # fmt: skip
    return Example(
        author, one.name, KIND_OF[one.kind], sentences, known.seen_sentences(sentences), [""] * len(sentences),
        codes, one.text, told, numbers, names, _drugs([str(drug["drug"]) for drug in one.drugs]),
    )  # fmt: skip


def _same(said: str, wanted: str) -> bool:
    return bool(wanted) and " ".join(said.split()).casefold() == wanted.casefold()


# --- fitting ---------------------------------------------------------------------------------------------


def fit(
    seen: Sequence[Seen], targets: Any, strength: float = 1.0, many: bool = False, weight: Any = None
) -> Model:
    """The likeliest model under a prior: one class for each thing, or with `many` each class by itself. Features that
    only one thing has tell nothing."""
    from scipy.optimize import minimize

    rows = hashed([one.rows for one in seen], BUCKETS, np.float32)
    used = np.flatnonzero(np.asarray((rows > 0).sum(0)).ravel() > 1)
    few = rows[:, used] * SPARSE
    back = few.T.tocsr()
    vectors = (
        np.array([one.vector for one in seen]) * DENSE
        if seen[0].vector is not None
        else np.zeros((len(seen), 0))
    )
    classes, width, size = targets.shape[1], vectors.shape[1], len(used) * targets.shape[1]
    weight = np.ones((len(targets), 1)) if weight is None else np.asarray(weight)[:, None]

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


def _hot(labels: Sequence[str], classes: Sequence[str]) -> Any:
    return np.array([[label == name for name in classes] for label in labels], np.float32)


def fit_roles(examples: Sequence[Example]) -> tuple[Model, Any]:
    """The roles of sentences, and how much likelier than by chance one follows another.

    Of a letter without roles it is known which sentences give a reason, and of a printed one that no other does: those
    are of the roles that a first model says, but for that one.
    """
    told = [one for one in examples if one.roles[0]]
    seen = [shown for one in told for shown in one.seen]
    roles = [role for one in told for role in one.roles]
    weight = [1.0] * len(seen)
    others: list[Seen] = []
    for one in examples:
        for shown, codes in zip(one.seen, one.codes, strict=True):
            if codes and not one.roles[0]:
                seen.append(shown)
                roles.append("reason")
                weight.append(UNLABELLED)
            elif one.author == "printed":
                others.append(shown)
    targets = _hot(roles, ROLES)
    model = fit(seen, targets, weight=weight)
    if others:
        likely = known.shares(model.scores(others))
        likely[:, ROLES.index("reason")] = 0
        targets = np.concatenate([targets, likely / likely.sum(1, keepdims=True)])
        model = fit([*seen, *others], targets, weight=[*weight, *[UNLABELLED] * len(others)])
    return model, fit_steps([one.roles for one in told], ROLES)


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
    told = [one for one in examples if one.kind]
    seen = [known.seen_letter(one.sentences, one.seen, chances[one.id]) for one in told]
    kinds = [one.kind for one in told]
    sure = np.array([[role == "decision" for role in ROLES]], np.float32)
    for one in alone("decisions"):
        seen.append(known.seen_letter(one.sentences, one.seen, sure))
        kinds.append(one.kind)
    total = Counter(kinds)
    return fit(seen, _hot(kinds, KINDS), 2.0, weight=[20 / total[kind] for kind in kinds])


@cache
def alone(name: str) -> list[Example]:
    """Sentences that stand without a letter, by what they say."""
    made = []
    for what, text in lone_sentences(name):
        sentence = Sentence(0, len(text), " ".join(text.split()))
        seen = known.seen_sentences([sentence])
        made.append(Example("", text, what, [sentence], seen, [""], [()], text, [], [], []))
    return made


def lone_sentences(name: str) -> Iterator[tuple[str, str]]:
    """What each sentence of evals/examples/NAME.yaml says, and its text."""
    given = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    for what, listed in given.items():
        for text in listed:
            yield what, text


def fit_codes(examples: Sequence[Example]) -> Model:
    """From sentences of which an author says which reason they give."""
    seen, targets, weight = [], [], []
    for one in examples:
        for sentence, shown, codes, role in zip(one.sentences, one.seen, one.codes, one.roles, strict=True):
            if codes or role in ("decision", "request"):
                seen.append(known.seen_reason(sentence.words, sentence.heading, shown.vector, one.kind))
                targets.append([code in codes for code in CODES])
                weight.append(0.4 if one.author == "printed" else 1.0 if codes else 0.5)
    for one in alone("reasons"):
        seen.append(known.seen_reason(one.sentences[0].words, "", one.seen[0].vector))
        targets.append([one.kind == name for name in CODES])
        weight.append(0.7)
    return fit(seen, np.array(targets, np.float32), 1.5, many=True, weight=weight)


def fit_reasons(examples: Sequence[Example], folds: Sequence[Fold]) -> Model:
    """Which reasons a letter gives, by what speaks for each where neither the roles' model nor that of reasons had seen
    its author."""
    seen, targets = list[Seen](), list[list[float]]()
    for one in examples:
        if one.roles[0] and one.author != OWN and one.kind in GIVE_REASONS:
            fold = next(fold for fold in folds if one.author in fold.authors)
            found = evidence(one.sentences, one.seen, fold.chances[one.id], one.kind, fold.codes)
            seen += seen_reasons(found, one.kind)
            targets += [[float(any(code in given for given in one.codes))] for code in CODES]
    return fit(seen, np.array(targets, np.float32), 1 / DENSE**2, many=True)


def fit_rows(examples: Sequence[Example]) -> OfRows:
    """What sentences do, which reasons they give and what dates are, by the rows of the encoder of letters."""
    roles, codes, times = (
        list[tuple[Any, str, float]](), list[tuple[Any, list[float], float]](), list[tuple[Any, str, float]](),
    )  # fmt: skip
    for one in examples:
        read = encoded.encode(one.text, one.sentences)
        own = 1.0 if one.author.startswith("l") else 0.5
        much = own * (0.4 if one.author == "printed" else 1.0)
        for row, role, given in zip(
            encoded.sentence_rows(read, one.sentences), one.roles, one.codes, strict=True
        ):
            if role:
                roles.append((row, role, own))
            if given or role in ("decision", "request"):
                codes.append((row, [float(code in given) for code in CODES], much if given else own / 2))
        times += [(read.mean(m.start, m.end), what, much) for m, what, _ in one.times if what]

    def model(listed: Sequence[tuple[Any, Any, float]], targets: Any, many: bool = False) -> Model:
        rows = np.array([row for row, _, _ in listed])
        return fit(known.seen_rows(rows), targets, many=many, weight=[much for *_, much in listed])

    return OfRows(
        role=model(roles, _hot([role for _, role, _ in roles], ROLES)),
        code=model(codes, np.array([given for _, given, _ in codes], np.float32), many=True),
        time=model(times, _hot([what for _, what, _ in times], TIMES)),
    )


def fit_mentions(examples: Sequence[Example], chances: dict[str, Any]) -> dict[str, Model]:
    """What dates, stretches, numbers and names are."""
    seen: dict[str, list[Seen]] = {name: [] for name in ("time", "runs_from", "number", "name")}
    labels: dict[str, list[str]] = {name: [] for name in seen}
    weight: dict[str, list[float]] = {name: [] for name in seen}
    for one in examples:
        roles = [ROLES[at] for at in chances[one.id].argmax(1)]
        for name, listed in (
            ("time", [(m, what) for m, what, _ in one.times if what]),
            (
                "runs_from",
                [(m, of) for m, what, of in one.times if m.kind == "span" and what.endswith("_by")],
            ),
            ("number", one.numbers),
            ("name", one.names),
        ):
            if not listed:
                continue
            seen[name] += seen_mentions(one.text, one.sentences, roles, [m for m, *_ in listed])
            labels[name] += [what for _, what in listed]
            weight[name] += [0.3 if one.author == "printed" else 1.0] * len(listed)
    classes = {"time": TIMES, "runs_from": FROM, "number": NUMBERS, "name": NAMES}
    return {
        name: fit(seen[name], _hot(labels[name], classes[name]), 2.0, weight=weight[name]) for name in seen
    }


def fit_drugs(examples: Sequence[Example], chances: dict[str, Any]) -> Model:
    """Which of the drugs that a letter names it decides on."""
    seen, labels, weight = [], [], []
    for one in examples:
        named = named_in(one.text, one.sentences)
        if named and one.drugs is not None:
            seen += seen_drugs(one.text, one.sentences, chances[one.id], named)
            labels += ["decided" if name in one.drugs else "mentioned" for name in named]
            weight += [0.3 if one.author == "printed" else 1.0] * len(named)
    return fit(seen, _hot(labels, DRUGS), 2.0, weight=weight)


def chain(model: Model, steps: Any, one: Example) -> Any:
    return known.along(model.scores(one.seen), steps)


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
        roles = fit_roles(seen)
        chances = {one.id: chain(*roles, one) for one in unseen}
        made.append(Fold(group, roles, fit_codes(seen), chances))
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
        drug=fit_drugs(examples, chances),
    )  # fmt: skip


def _groups(examples: Sequence[Example]) -> list[set[str]]:
    """All authors in three groups, so that each is left out once."""
    full = authors_of(one for one in examples if one.roles[0])
    authors = [*full, *authors_of(one for one in examples if not one.roles[0])]
    return [set(authors[at::FOLDS]) for at in range(FOLDS)]


# --- keeping and scoring ---------------------------------------------------------------------------------


def score(examples: Sequence[Example], folds: Sequence[Fold]) -> dict[str, Any]:
    """How the whole reader reads the letters of each author by models that have not seen that author."""
    from evals.first_sight import letters as first_sight
    from tools.denials.reader import read_letter

    found: dict[str, Any] = {}
    for fold in folds:
        models = fit_all([one for one in examples if one.author not in fold.authors], fold.roles, folds)
        strange = authors_of(one for one in examples if one.author in fold.authors and one.roles[0])
        for author in (name for name in strange if name != OWN):
            letters = [letter for _, letter in lines(f"letters/{author}.jsonl")]
            row = first_sight.score(
                letters,
                author,
                "",
                lambda text, models=models: read_letter(text, models=models),  # type: ignore[misc]
            )
            found[author] = {name: getattr(row, name) for name in _SCORES}
            print(author, json.dumps(found[author]), flush=True)
    rows = [found[author] for author in sorted(found)]
    for name in _SCORES:
        values = [row[name] for row in rows]
        found[name] = (
            [sum(part) for part in zip(*values, strict=True)] if isinstance(values[0], tuple) else sum(values)
        )
    return found


_SCORES = ("n", "right", "abstained", "false_denials", "reasons", "dates", "drugs", "orders")
