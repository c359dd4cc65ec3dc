"""`python -m evals.chat.paraphrase`: has the local models say the seeds in other words, for model.yaml.

What they say is raw: half of it changes the meaning. It was read and corrected by hand, and what still means what
its seed means went into model.yaml; paraphrases.jsonl keeps the raw lines, so that anybody can see what was kept.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evals.chat.questions import HERE, read

HOST = "http://127.0.0.1:11434"
MODELS = ("qwen2.5-coder:0.5b", "qwen2.5-coder:1.5b")
RAW = HERE / "paraphrases.jsonl"
TEMPERATURE = 0.9
VOICES = ("in a hurry", "politely, in a full sentence", "as a text message", "as one would say it aloud")
PROMPT = """Say the question in other words. Keep its meaning and every name and number. Three ways.

Question: Is his passport ready?
In a hurry: {{"ways":["passport ready yet?","his passport, done or not","is the passport there"]}}

Question: What does her visa cost and how long is it valid?
Politely, in a full sentence: {{"ways":["Could you tell me the price of her visa and how long it is good for?",\
"I would like to know what her visa costs, and until when she can use it."]}}

Question: {question}
{voice}: """


def main() -> None:
    """Ask each model for paraphrases of each seed's last question, kind after kind; append what is new."""
    done = {(line["seed"], line["model"]) for line in _lines(RAW)}
    seeds = read(HERE / "seeds.yaml")
    with RAW.open("a", encoding="utf-8") as out:
        for model in MODELS:
            for number, seed in sorted(enumerate(seeds), key=lambda pair: (pair[1].id[-2:], pair[0])):
                if (seed.id, model) in done:
                    continue
                voice = VOICES[(number + MODELS.index(model)) % len(VOICES)]
                texts = paraphrases(model, seed.turns[-1].ask, voice, seed=number)
                line = {"seed": seed.id, "model": model, "voice": voice, "texts": texts}
                out.write(json.dumps(line, ensure_ascii=False) + "\n")
                out.flush()
                print(seed.id, texts, file=sys.stderr)


def paraphrases(model: str, question: str, voice: str, *, seed: int) -> list[str]:
    """Three ways to ask this, as the model writes them; none if it can't."""
    body = {
        "model": model,
        "stream": False,
        "prompt": PROMPT.format(question=question, voice=voice.capitalize()),
        "format": {
            "type": "object",
            "properties": {
                "ways": {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 3}
            },
            "required": ["ways"],
        },
        "options": {"temperature": TEMPERATURE, "seed": seed, "num_predict": 110, "num_ctx": 4096},
    }
    request = urllib.request.Request(
        f"{HOST}/api/generate", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=900) as reply:
        text = json.load(reply)["response"]
    try:
        ways = json.loads(text)["ways"]
    except (ValueError, KeyError, TypeError):
        return []
    return [str(way) for way in ways]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


if __name__ == "__main__":
    main()
