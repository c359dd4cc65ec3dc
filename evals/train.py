"""`python -m evals.train`: makes the weights that ship, from `evals/examples`."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.console import Console
from rich.markup import escape

from agent.answers import arrangement
from agent.answers.policy import ranking
from agent.answers.relevance import WEIGHTS as RELEVANCE
from agent.dialogue import hypotheses, linking
from agent.dialogue.classifiers import ADDRESSEE, POLARITY
from evals.training.examples import authors_of
from evals.training.reports import stamp
from tools.denials import encoded, learned
from tools.language import encoder as reader
from tools.language import likelihood, ngrams
from tools.notes import encoded as note_reader

ROOT = Path(__file__).parents[1]
LIBRARIES = ("torch", "transformers", "onnx", "sklearn", "scipy")
INSTALL = ".boot/bin/uv pip install --python .venv/bin/python --group train"

EPILOG = f"""[bold]Examples[/]
  python -m evals.train                          which weights there are, and which are stale
  python -m evals.train relevance                score with each author held out
  python -m evals.train relevance --write        … and write weights and evals/results/relevance.json
  python -m evals.train encoder --held q03,q11   train without these authors, and score on them
  python -m evals.train all --write              all in their order

It needs torch, transformers, onnx and scikit-learn: {INSTALL}"""

app = typer.Typer(
    epilog=EPILOG, invoke_without_command=True, add_completion=False, pretty_exceptions_enable=False
)
Write = Annotated[bool, typer.Option("--write", help="Write the weights and their score.")]


class Weights(NamedTuple):
    """A file of weights, what it says, and the weights on whose rows it is trained ("" if on none)."""

    file: Path
    says: str
    follows: str = ""


WEIGHTS = {
    "encoder": Weights(reader.MODEL, "what a turn of the chat asks"),
    "ngrams": Weights(ngrams.WEIGHTS, "what a span of a turn asks, by its words and letters"),
    "polarity": Weights(POLARITY.path, "what a yes to a question would say of the request", "encoder"),
    "addressee": Weights(ADDRESSEE.path, "to whom a turn wants a text written", "encoder"),
    "roles": Weights(hypotheses.ROLES, "in which role a thing of a supposition stands", "encoder"),
    "linking": Weights(linking.WEIGHTS, "which drugs a turn is about", "encoder"),
    "relevance": Weights(RELEVANCE, "which records and clauses a turn asks for", "encoder"),
    "arrangement": Weights(arrangement.WEIGHTS, "which sentences of an answer a turn asks for", "encoder"),
    "policy": Weights(ranking.WEIGHTS, "which clauses answer a question about a policy", "encoder"),
    "letter-kinds": Weights(encoded.MODEL, "of what kind a payer's letter is"),
    "letters": Weights(learned.WEIGHTS, "what the parts of a payer's letter are", "letter-kinds"),
    "likelihood": Weights(likelihood.WEIGHTS, "how a mention in a note is meant"),
    "notes": Weights(note_reader.MODEL, "what a note says of what it names, and what its sentences state"),
}  # in the order in which they are made


@app.callback()
def plan(context: typer.Context) -> None:
    """Make the weights that ship from evals/examples, and score them on authors that they have not seen."""
    if context.invoked_subcommand is None:
        for name, weights in WEIGHTS.items():
            follows = f"; after {weights.follows}, {_state(weights)}" if weights.follows else ""
            print(f"{name:13} {weights.says}: {weights.file.relative_to(ROOT)}{follows}")
    elif missing := [name for name in LIBRARIES if find_spec(name) is None]:
        print(f"training needs {', '.join(missing)}: {INSTALL}", file=sys.stderr)
        raise typer.Exit(3)


def _state(weights: Weights) -> str:
    of = encoded if weights.follows == "letter-kinds" else reader
    fresh = stamp(weights.file) == of.fingerprint()
    return "trained on the one that is here" if fresh else "trained on another: train them again"


@app.command()
def encoder(
    held: Annotated[str, typer.Option(help="Authors to leave out and score on: q03,q11.")] = "",
    epochs: Annotated[int, typer.Option(min=1)] = 3,
    misses: Annotated[int, typer.Option(help="Show so many pairs of queries that were mixed up.")] = 0,
    turns: Annotated[
        bool, typer.Option("--turns", help="Train nothing; score what is written on whole turns.")
    ] = False,
    write: Write = False,
) -> None:
    """What a turn of the chat asks."""
    from evals.training import encoder as training

    authors = {name for name in held.split(",") if name}
    if unknown := authors - set(authors_of(training.read())):
        print(f"no author {', '.join(sorted(unknown))} in evals/examples/questions", file=sys.stderr)
        raise typer.Exit(2)
    if turns:
        training.score_turns(authors)
    else:
        training.train(authors, epochs, misses, write)


def _command(name: str) -> None:
    def command(write: Write = False) -> None:
        import_module(f"evals.training.{name.replace('-', '_')}").train(write)

    app.command(name, help=f"{WEIGHTS[name].says[:1].upper()}{WEIGHTS[name].says[1:]}.")(command)


for _name in [*WEIGHTS][1:]:
    _command(_name)


@app.command("all")
def every(write: Write = False) -> None:
    """All of them in their order, each in a process of its own: what was read of the weights before is in no memory."""
    console = Console(stderr=True)
    for number, name in enumerate(WEIGHTS, start=1):
        console.print(escape(f"{number} of {len(WEIGHTS)}: {name}, {WEIGHTS[name].says}"))
        done = subprocess.run([sys.executable, "-m", "evals.train", name, *(["--write"] if write else [])])
        if done.returncode:
            raise typer.Exit(done.returncode)


if __name__ == "__main__":
    app()
