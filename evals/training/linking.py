"""Trains `agent.dialogue.linking`, which drugs a turn is about, from labelled turns.

What a conversation was about before a turn is taken from its labels. Weights are the same for the same examples, store
and PyTorch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from agent.dialogue.known import Known, fold
from agent.dialogue.linking import WEIGHTS, Weights, features_of, numbers_of, told_of
from agent.dialogue.query import Mention, Talk
from agent.dialogue.reader import mentions_of
from agent.dialogue.turns import Question, Turn, turn_of
from evals.stores import fresh_store
from evals.training.examples import authors_of, held_out, lines
from evals.training.learner import BATCH, Learner
from evals.training.reports import held_by_the_encoder, report, save_stamped
from tools.queries.bound import Bound
from tools.store import Store

WAYS = 32  # in which what a turn means moves the weights
EPOCHS = 10
LIKELY = 0.0  # score from which a drug counts as likely: one half


class Example(NamedTuple):
    """A turn with the drugs that it is about, the main one first, and what is known of each drug of the plan."""

    author: str
    turn: Turn
    bound: Bound
    mentions: tuple[Mention, ...]
    talk: Talk
    drugs: tuple[str, ...]

    @property
    def named(self) -> bool:
        """Whether the turn names one of them."""
        return any({*one.names} & {*self.drugs} for one in self.mentions)


def train(write: bool) -> None:
    """Score with authors held out; with `write` keep score and weights."""
    with fresh_store() as store:
        examples = list(read(store))
        report("linking", score(examples), write)
        if write:
            save_stamped(WEIGHTS, DrugLearner(examples).kept())


def read(store: Store) -> Iterator[Example]:
    """Every turn that is about a drug of the patient's plan."""
    known = Known.of(store)
    for author, conversation in (*lines("facts/f*.jsonl"), *lines("questions/[tw]*.jsonl")):
        bound = Bound(store, conversation["patient"])
        talk = Talk(patient_id=bound.patient.id)
        for said in conversation["turns"]:
            drugs = _drugs(said, bound, known)
            if drugs:
                turn = turn_of(Question(said["text"], talk.question))
                yield Example(author, turn, bound, mentions_of(said["text"], talk, known), talk, drugs)
            before = tuple(dict.fromkeys((*talk.drugs, *talk.earlier)))
            talk = Talk(
                patient_id=bound.patient.id,
                drugs=drugs or talk.drugs,
                earlier=tuple(one for one in before if one not in (drugs or talk.drugs)),
                question=said["text"],
            )


def _drugs(said: dict[str, Any], bound: Bound, known: Known) -> tuple[str, ...]:
    """The drug that the turn is labelled with, and those of the lines that answer it and of what it asks."""
    named = [said.get("drug", ""), *(part for key in said.get("facts", ()) for part in key.split(":")[1:])]
    for ask in said.get("asks", ()):
        for name in ask.get("drugs", ()):
            key = fold(str(name))
            of_it = (known.brands[key],) if key in known.brands else known.ingredients.get(key, ())
            named += of_it if len(of_it) == 1 else ()  # an ingredient of several brands does not say which
    return tuple(dict.fromkeys(one for one in named if one in bound.benefits))


class DrugLearner(Learner):
    """The weights by which a turn is about a drug, fitted to the examples."""

    def __init__(self, examples: Sequence[Example]) -> None:
        super().__init__(len(examples), EPOCHS)
        torch = self.torch
        told = (drug for one in examples for drug in told_of(one.mentions, one.talk, one.bound))
        self.features = tuple(sorted({name for drug in told for name, _ in drug}))
        self.bias = torch.zeros(len(self.features), requires_grad=True)
        self.meaning = (torch.randn(WAYS, len(numbers_of(examples[0].turn))) * 0.02).requires_grad_()
        self.by_meaning = (torch.randn(len(self.features), WAYS) * 0.02).requires_grad_()
        self.offset = torch.full((1,), -2.0, requires_grad=True)
        self.given = self.tensors(examples)
        self.fit(drawn=[self.meaning, self.by_meaning], free=[self.bias, self.offset])

    def losses(self) -> Iterator[Any]:
        for batch in self.torch.randperm(len(self.given[0])).split(BATCH):
            yield self._loss(*(one[batch] for one in self.given))

    def tensors(self, examples: Sequence[Example]) -> tuple[Any, Any, Any, Any]:
        """The numbers of each turn; of each of its plan's drugs the features, and whether it is meant, NaN where the
        plan has fewer; the main one's place."""
        torch, most = self.torch, max(len(one.bound.benefits) for one in examples)
        features = np.zeros((len(examples), most, len(self.features)), np.float32)
        wanted = np.full((len(examples), most), np.nan, np.float32)
        mains = []
        for at, one in enumerate(examples):
            names = list(one.bound.benefits)
            features[at, : len(names)] = features_of(one.mentions, one.talk, one.bound, self.features)
            wanted[at, : len(names)] = [name in one.drugs for name in names]
            mains.append(names.index(one.drugs[0]))
        numbers = torch.tensor(np.stack([numbers_of(one.turn) for one in examples]))
        return numbers, torch.tensor(features), torch.tensor(wanted), torch.tensor(mains)

    def scores(self, numbers: Any, features: Any, dropout: float = 0.0) -> Any:
        """As `linking.likelihoods` has them, before they are likelihoods: turns x drugs."""
        meant = numbers @ self.torch.nn.functional.dropout(self.meaning, dropout).T
        weighed = self.bias + meant.tanh() @ self.by_meaning.T
        return (features @ weighed[..., None])[..., 0] + self.offset

    def _loss(self, numbers: Any, features: Any, wanted: Any, main: Any) -> Any:
        """Each drug by itself, and which of them is the main one."""
        functions, none = self.torch.nn.functional, self.torch.isnan(wanted)
        scores = self.scores(numbers, features, 0.3)
        alone = functions.binary_cross_entropy_with_logits(scores[~none], wanted[~none], reduction="sum")
        first = functions.cross_entropy(scores.masked_fill(none, -1e9), main, reduction="sum")
        return (alone + first) / len(main)

    def kept(self) -> dict[str, Any]:
        """The weights as they are kept."""
        return {"features": np.array("\n".join(self.features)), **self.arrays(Weights._fields[1:])}


def score(examples: Sequence[Example]) -> dict[str, Any]:
    """How often the likeliest drug is the main one, of authors that neither has seen."""
    ((seen, unseen),) = held_out(examples, [held_by_the_encoder()])
    learner = DrugLearner(seen)
    numbers, features, meant, mains = learner.tensors(unseen)
    scores = learner.scores(numbers, features).detach().numpy()
    scores[np.isnan(meant)] = -np.inf
    hits, likely, meant = scores.argmax(1) == mains.numpy(), scores >= LIKELY, meant.numpy() == 1
    bare = np.array([not one.named for one in unseen])
    return {
        "authors": len(authors_of(examples)),
        "turns about a drug": len(examples),
        "turns scored": len(unseen),
        "likeliest is the main one": round(float(hits.mean()), 3),
        "turns that name none of theirs": int(bare.sum()),
        "of them right": round(float(hits[bare].mean()), 3),
        "likely drugs that are meant": round(float(meant[likely].mean()), 3),
        "meant drugs that are likely": round(float(likely[meant].mean()), 3),
    }
