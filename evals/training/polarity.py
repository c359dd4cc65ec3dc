"""Trains what `agent.dialogue.classifiers.POLARITY` tells."""

from agent.dialogue.classifiers import POLARITY
from evals.training import classifiers


def train(write: bool) -> None:
    """Score with authors held out; with `write` keep score and weights."""
    classifiers.train(POLARITY, classifiers.Weighing(0.1, 2.0), write)
