"""Trains what `agent.dialogue.classifiers.ADDRESSEE` tells."""

from agent.dialogue.classifiers import ADDRESSEE
from evals.training import classifiers


def train(write: bool) -> None:
    """Score with authors held out; with `write` keep score and weights."""
    classifiers.train(ADDRESSEE, classifiers.Weighing(0.3, 5.0), write)
