"""`python -m evals.chat.transcripts`: has the conversations in conversations/ and writes down what was said."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

from rich.progress import track

from agent.conversation import ChatDesk, Conversation, Turn, conversations
from agent.desk import drafter
from agent.models.factory import open_model
from agent.settings import Settings
from evals.chat.driving import world_store
from tools.store.store import Store

SCRIPTS = Path(__file__).parent / "conversations"
PATIENT = "# patient: "
RESULTS = Path(__file__).parents[1] / "results" / "transcripts"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m evals.chat.transcripts", description=__doc__)
    parser.add_argument("--model", default="offline", help="offline, or a model of the Ollama host")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder; one page for each model")
    given = parser.parse_args()
    with world_store() as (store, settings):
        page = "\n".join(_page(given.model, store, settings))
    path = given.out / f"{given.model.replace(':', '-').replace('/', '-')}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page + "\n", encoding="utf-8")
    print(f"written to {path}")


def _page(name: str, store: Store, settings: Settings) -> Iterator[str]:
    """Every conversation, with what each answer took."""
    model, line = open_model(name, settings)
    if model is None and name != "offline":
        raise SystemExit(line)
    yield f"# Ten conversations, {name}\n"
    yield "Had by `python -m evals.chat.transcripts`; a line in italics says how the answer above it was made.\n"
    with conversations(settings) as graph:
        for script in track(sorted(SCRIPTS.glob("*.txt")), "conversations"):
            desk = ChatDesk(store=store, model=model, draft=drafter(store, settings), clock=time.perf_counter)
            about, patient, questions = _read(script)
            talk = Conversation(graph, desk, patient_id=patient)
            yield f"## {script.stem[3:].replace('-', ' ').capitalize()}\n\n{about}\n"
            for question in questions:
                yield from _turn(talk.ask(question))


def _read(script: Path) -> tuple[str, str, list[str]]:
    """What it is about, the patient ("" if nobody is bound), and the questions; `pa chat` reads the same file."""
    lines = script.read_text(encoding="utf-8").splitlines()
    about = lines[0].removeprefix("# ")
    patient = next((line.removeprefix(PATIENT) for line in lines if line.startswith(PATIENT)), "")
    return about, patient, [line for line in lines if line and not line.startswith("#")]


def _turn(turn: Turn) -> Iterator[str]:
    yield f"**{turn.question}**\n"
    yield turn.answer.replace("\n- ", "\n\n- ", 1) + "\n"
    how = [turn.path, f"understood by {turn.understood_by}"]
    if turn.model_calls:
        how.append(f"{turn.model_calls} calls, {turn.prompt_tokens} + {turn.output_tokens} tokens")
        how.append(f"{turn.seconds:.1f} s")
    cited = "; ".join(dict.fromkeys(source.source for source in turn.citations[:6]))
    if cited:
        how.append(cited)
    if turn.notice:
        how.append(turn.notice)
    yield f"*{' · '.join(how)}*\n"


if __name__ == "__main__":
    main()
