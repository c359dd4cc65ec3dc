"""Trains `agent.answers.policy.ranking`, which clauses of a policy answer a question, from labelled questions.

The questions are those of evals/retrieval, some of which no clause answers, and the turns of evals/examples/facts that
are about clauses or criteria. Each is also asked of its policy without what answers it, where silence is right.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from math import log
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from agent.answers.policy.contents import WHOLES, Compared, Contents, contents_of, without_drug
from agent.answers.policy.finding import SILENT
from agent.answers.policy.ranking import GROUPS, WEIGHTS, Features, features, nearness
from agent.answers.policy.ranking import read as read_question
from evals.retrieval.gold import Query, answers, read_queries
from evals.stores import fresh_store
from evals.training.examples import held_out, lines
from evals.training.reports import report, save_stamped
from tools.language.stems import stems
from tools.queries import policies
from tools.queries.bound import Bound
from tools.store import Store

FOLDS = (  # held out together
    ("first", "f01", "f02"), ("second", "f03", "f04"), ("third", "f05", "f06"), ("fourth", "f07", "f08"),
    ("dev", "f09"),
)  # fmt: skip
WITHOUT = 0.1  # what a question counts that is asked of its policy without what answers it
PRIOR = {  # how strongly weights are drawn to 0
    "own": 0.3, "none": 0.3, "asked": 0.3, "bias": 0.3, "kind own": 3.0,
}  # fmt: skip
ROUNDS = 120
SEEN = 2  # questions that have a word, from which it is kept


class Example(NamedTuple):
    """A question of a policy: what the model sees, and which clauses answer."""

    author: str  # or set
    given: Features
    compared: tuple[Compared, ...]
    right: tuple[bool, ...]
    asks: bool  # for a clause, not how a criterion stands
    whole: bool  # of the policy as it is
    query: bool  # of evals/retrieval


class Labelled(NamedTuple):
    """A question of a policy: the keys of the clauses, or of the section as a whole, that answer it."""

    author: str
    plan_id: str
    drug: str
    text: str
    right: frozenset[str]
    asks: bool
    query: bool


def train(write: bool) -> None:
    """Score with sets and authors held out; with `write` keep score and weights."""
    with fresh_store(index=True) as store:
        examples = [example for item in labelled(store) for example in read(item, store)]
    report("policy", score(examples), write)
    if write:
        save(fitted(examples))


@cache
def rarity() -> dict[str, float]:
    """How rare words are in the questions of evals/examples, from 0 to 1."""
    turns = [turn["text"] for _, talk in lines("questions/q*.jsonl") for turn in talk["turns"]]
    count = Counter(word for text in turns for word in stems(text))
    most = log(2 * len(turns) + 2)
    return {
        word: log((len(turns) + 1) / (seen + 0.5)) / most
        for word, seen in sorted(count.items())
        if seen >= SEEN
    }


def labelled(store: Store) -> Iterator[Labelled]:
    """Every question of every set and author that its policy can be asked."""
    for one in read_queries():
        plan, drug = store.plan(one.plan_id), store.drug(one.drug)
        policy = store.policy(plan.id, drug.name)
        if policy is not None:
            right = [answers(gold, plan.benefits[drug.name], policy, drug) for gold in one.gold]
            own = _section_of(one) or frozenset[str]().union(*right)
            yield Labelled(one.set, plan.id, drug.name, one.ask, own, True, True)
    yield from _wholes(store)
    for author, talk in lines("facts/f*.jsonl"):
        plan_id = Bound(store, talk["patient"]).plan.id
        for turn in talk["turns"]:
            for kind, drug_name, clauses in _clauses(turn["facts"]):
                policy = store.policy(plan_id, drug_name)
                here = frozenset(clause.id for clause in policy.clauses) if policy else frozenset[str]()
                if right_here := clauses & here:
                    yield Labelled(author, plan_id, drug_name, turn["text"], right_here, kind == "P", False)


def _section_of(query: Query) -> frozenset[str]:
    """The section that is asked for as a whole: several kinds of its clauses answer, or its documents, whichever."""
    kinds = {(gold.section, gold.kind) for gold in query.gold if not (gold.has or gold.says)}
    sections = {section for section, kind in kinds if len(kinds) > 1 or kind == "document"}
    return frozenset(sections & {*WHOLES})


def _wholes(store: Store) -> Iterator[Labelled]:
    """The questions of evals/examples for all that a policy asks for."""
    whole = frozenset(("criteria",))
    for author, talk in lines("questions/q*.jsonl"):
        asks = [ask for turn in talk["turns"] for ask in turn["asks"] if ask["query"] == "policy_all"]
        plan = Bound(store, talk["patient"]).plan if asks and talk.get("patient") else None
        for ask in asks:
            for drug in ask["drugs"]:
                if plan and drug in plan.benefits and store.policy(plan.id, drug):
                    yield Labelled(author, plan.id, drug, ask["span"], whole, False, False)


def _clauses(facts: Sequence[str]) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Of each drug the clauses that are asked for ("P"), or else those by which it is asked how it stands ("F")."""
    found = defaultdict[str, dict[str, set[str]]](lambda: defaultdict(set))
    for fact in facts:
        if fact[:2] in ("P:", "F:"):
            kind, drug, clause = fact.split(":", 2)
            found[drug][kind].add(clause)
    for drug, kinds in found.items():
        kind = "P" if "P" in kinds else "F"
        yield kind, drug, frozenset(kinds[kind])


def read(item: Labelled, store: Store) -> Iterator[Example]:
    """The question as the model sees it, and the same of the policy without what answers it."""
    benefit, drug = store.plan(item.plan_id).benefits[item.drug], store.drug(item.drug)
    policy = store.policy(item.plan_id, item.drug)
    assert policy is not None
    held = contents_of(policy, benefit, drug)
    text = without_drug(item.text, held)
    hits = policies.search(store, item.plan_id, item.drug, text, len(policy.clauses))
    assert all(hit.by == "meaning" for hit in hits)
    near = nearness(text, held, {hit.clause_id: hit.score for hit in hits})
    right = np.array([one in item.right for one in held.keys])
    question, rare = read_question(text, held), rarity()
    given = features(question, held.compared, near, rare)
    made = Example(item.author, given, held.compared, tuple(right), item.asks, True, item.query)
    yield made
    if item.right and item.asks:
        kept = ~_alike(held, right)
        rest = tuple(one for one, keep in zip(held.compared, kept, strict=True) if keep)
        yield made._replace(
            given=features(question, rest, near[kept], rare),
            compared=rest,
            right=(False,) * len(rest),
            whole=False,
        )


def _alike(held: Contents, right: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The clauses that answer, and those that are about the same."""
    own = [one for one, is_right in zip(held.compared, right, strict=True) if is_right]
    same = [
        any(one.topic == other.topic or one.concepts & other.concepts for other in own)
        and one.kind not in ("own", "lead", "whole")
        for one in held.compared
    ]
    made: NDArray[np.bool_] = right | np.array(same)
    return made


# --- the model --------------------------------------------------------------------------------------------


class Packed(NamedTuple):
    """Examples as tensors, padded to the longest policy."""

    own: Any
    none: Any
    asked: Any
    groups: dict[str, Any]
    keys: dict[str, list[str]]
    there: Any
    right: Any  # the last column: that none does
    weight: Any


def packed(examples: Sequence[Example], keys: dict[str, list[str]] | None = None) -> Packed:
    import torch

    keys = keys or {
        group: sorted({getattr(one, group) for example in examples for one in example.compared})
        for group in GROUPS
    }
    most = max(len(one.compared) for one in examples)
    own = np.zeros((len(examples), most, examples[0].given.own.shape[1]), np.float32)
    groups = {group: np.full((len(examples), most), len(keys[group])) for group in GROUPS}
    there, right = np.zeros((len(examples), most), bool), np.zeros((len(examples), most + 1), bool)
    places = {group: {key: at for at, key in enumerate(keys[group])} for group in GROUPS}
    for row, example in enumerate(examples):
        count = len(example.compared)
        own[row, :count], there[row, :count] = example.given.own, True
        right[row, :count], right[row, -1] = example.right, not any(example.right)
        for group in GROUPS:
            groups[group][row, :count] = [
                places[group].get(getattr(one, group), len(keys[group])) for one in example.compared
            ]
    return Packed(
        torch.tensor(own), torch.tensor(np.array([one.given.none for one in examples])),
        torch.tensor(np.array([one.given.asked for one in examples])),
        {group: torch.tensor(at) for group, at in groups.items()}, keys, torch.tensor(there), torch.tensor(right),
        torch.tensor([1.0 if one.whole else WITHOUT for one in examples]),
    )  # fmt: skip


def fitted(examples: Sequence[Example]) -> dict[str, Any]:
    """The weights under which what is right is likeliest, by name; rows of groups have one more, of zeros."""
    import torch

    data = packed(examples)
    wide, asked = data.own.shape[2], data.asked.shape[1]
    shapes: dict[str, tuple[int, ...]] = {"own": (wide,), "none": (data.none.shape[1],), "asked": (asked,)}
    for group in GROUPS:
        shapes |= {f"{group} bias": (len(data.keys[group]) + 1,)}
        shapes |= {f"{group} asked": (len(data.keys[group]) + 1, asked)}
    shapes["kind own"] = (len(data.keys["kind"]) + 1, wide)
    weights = {name: torch.zeros(shape, requires_grad=True) for name, shape in shapes.items()}
    solver = torch.optim.LBFGS(
        list(weights.values()), max_iter=ROUNDS, history_size=10, line_search_fn="strong_wolfe"
    )

    def loss() -> Any:
        solver.zero_grad()
        made = scores(data, weights)
        likely = torch.logsumexp(made.masked_fill(~data.right, -1e9), 1) - torch.logsumexp(made, 1)
        drawn = sum(
            PRIOR.get(name, PRIOR[name.split()[-1]]) * (row**2).sum() for name, row in weights.items()
        )
        total = drawn - (likely * data.weight).sum()
        total.backward()
        return total

    solver.step(loss)
    made: dict[str, Any] = {name: row.detach() for name, row in weights.items()}
    return made | {f"{group} keys": data.keys[group] for group in GROUPS}


def scores(data: Packed, weights: dict[str, Any]) -> Any:
    """The same as ranking's, of many questions at once."""
    import torch

    made = data.own @ weights["own"] + (data.own * weights["kind own"][data.groups["kind"]]).sum(-1)
    for group, at in data.groups.items():
        asked = torch.gather(data.asked @ weights[f"{group} asked"].T, 1, at)
        made = made + weights[f"{group} bias"][at] + asked
    none = data.none @ weights["none"] + data.asked @ weights["asked"]
    return torch.cat([made.masked_fill(~data.there, -1e9), none[:, None]], 1)


def score(examples: Sequence[Example]) -> dict[str, Any]:
    """How often each set and author, left out of the training, is answered by a right clause first, or by none."""
    import torch

    count = defaultdict[str, Counter[str]](Counter)
    for seen, unseen in held_out(examples, FOLDS):
        weights = fitted(seen)
        rest = [one for one in unseen if one.whole and one.asks]
        keys = {group: weights[f"{group} keys"] for group in GROUPS}
        with torch.no_grad():
            likely = torch.softmax(scores(packed(rest, keys), weights), 1).numpy()
        for one, row in zip(rest, likely, strict=True):
            for name in (one.author, "retrieval" if one.query else "facts"):
                _count(count[name], one.right, row)
    return {name: _told(count[name]) for name in sorted(count)}


def _count(count: Counter[str], right: Sequence[bool], likely: NDArray[np.float32]) -> None:
    silent = bool(likely[-1] >= SILENT)
    order = (-likely[: len(right)]).argsort()
    if any(right):
        so = (
            not silent and right[order[0]], not silent, right[order[0]],
            any(right[at] for at in order[: 2 if silent else 1]),
        )  # fmt: skip
        count.update(
            {"answerable": 1, **{name: int(one) for name, one in zip(OF_ANSWERABLE, so, strict=True)}}
        )
    else:
        count.update({"unanswerable": 1, SILENT_TOO: int(silent)})


OF_ANSWERABLE = (
    "answered, right clause first", "answered at all", "the likeliest clause is right",
    "a right clause is answered or shown as near",
)  # fmt: skip
SILENT_TOO = "silent where the policy is"


def _told(count: Counter[str]) -> dict[str, float]:
    told: dict[str, float] = {"answerable": count["answerable"]}
    for of, names in (("answerable", OF_ANSWERABLE), ("unanswerable", (SILENT_TOO,))):
        if count[of]:
            told |= {of: count[of], **{name: round(count[name] / count[of], 3) for name in names}}
    return told


def save(weights: dict[str, Any]) -> None:
    """The weights by name, the keys of their rows, and how rare words are."""
    rows: dict[str, Any] = {
        name: np.array(row) if name.endswith("keys") else row.numpy().astype(np.float16)
        for name, row in weights.items()
    }
    rare = rarity()
    words = {"words": np.array(list(rare)), "rare": np.array(list(rare.values()), np.float16)}
    save_stamped(WEIGHTS, rows | words)
