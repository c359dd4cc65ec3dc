"""Two minutes with a model: does it answer, keep to a schema, read all that it is given, and how fast is it?"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from agent.models.model import ModelTrouble, Reply
from agent.models.text import excerpt, fitting
from tools.domain.records import Record

if TYPE_CHECKING:
    from agent.models.model import Model

BUDGET = 120.0  # seconds for all of it
RESERVE = 15.0  # seconds of them that the long prompt leaves for its answer and what comes after it
SCHEMA_LEAVES = 0.7  # of them, or one question is enough
LEAST_CONTEXT = 500  # tokens; a shorter prompt says nothing about context
FILLED, ANSWER = 30, 24  # sentences of the prompt whose reading is timed; tokens of a short answer
NEEDED = ("answers", "schema", "context")
Status = Literal["ok", "fails", "note", "left out"]
Found = tuple[Status, str]  # and what is said of it

COLOURS, THINGS, PLACES, SENTINELS = (
    words.split()
    for words in (
        "red blue green white black",
        "cup box hat key map pen bag",
        "hall room shed car park shop yard",
        "KESTREL LANTERN MARIGOLD HARBOR COMPASS VELVET",
    )
)
QUESTIONS = {
    "Is a dog an animal?": "yes",
    "Is the moon made of wool?": "no",
    "Can a stone read a book?": "no",
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "answer": {"enum": ["yes", "no", "unknown"]},
        "words": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2},
    },
    "required": ["answer", "words"],
}


class Check(Record, frozen=True, kw_only=True):
    """One check; a `note` is worth knowing and no failure."""

    name: str
    status: Status
    said: str
    seconds: float = 0.0


class Examined(Record, frozen=True, kw_only=True):
    """What two minutes with a model showed. Speeds are of this machine as busy as it was; None if not measured."""

    model: str
    num_ctx: int
    checks: tuple[Check, ...]
    seconds: float
    tokens_per_second_in: float | None = None
    tokens_per_second_out: float | None = None
    digest: str = ""
    server: str = ""

    @property
    def finished(self) -> bool:
        """What a model must do was tried, whatever came of it."""
        return not any(c.status == "left out" and c.name in NEEDED for c in self.checks)

    @property
    def passed(self) -> bool:
        """Nothing fails, and what a model must do was seen."""
        seen = {check.name: check.status for check in self.checks}
        return "fails" not in seen.values() and all(seen.get(name) in ("ok", "note") for name in NEEDED)


def selftest(
    model: Model,
    *,
    digest: str = "",
    server: str = "",
    seed: int | None = None,
    clock: Callable[[], float] = time.monotonic,
    told: Callable[[Check], None] = lambda check: None,
) -> Examined:
    """Run the checks, most needed first; what BUDGET leaves no time for is left out and says so.

    `seed` makes the prompts; unset, they are new each time, so that no server has them in its cache. `told`
    hears of each check as it ends.
    """
    run, began = _Run(model, random.Random(seed), clock), clock()
    checks: list[Check] = []
    every = {
        "answers": run.answers,
        "schema": run.schema,
        "speed": run.speed,
        "context": run.context,
        "same seed": run.same_seed,
    }
    for name, check in every.items():
        checks.append(run.done(name, check))
        told(checks[-1])
        if name == "answers" and checks[-1].status != "ok":
            break
    return Examined(
        model=model.name,
        num_ctx=model.num_ctx,
        checks=tuple(checks),
        seconds=round(clock() - began, 1),
        tokens_per_second_in=run.speed_in,
        tokens_per_second_out=run.speed_out,
        digest=digest,
        server=server,
    )


class _Run:
    """The checks, each of which says how it went; what one measures the next ones use."""

    def __init__(self, model: Model, dice: random.Random, clock: Callable[[], float]) -> None:
        self.model, self.dice, self.clock = model, dice, clock
        self.until = clock() + BUDGET
        self.speed_in: float | None = None
        self.speed_out: float | None = None
        self.tokens_a_sentence = 9.0

    def done(self, name: str, check: Callable[[], Found]) -> Check:
        """What a check found, within the time that is left."""
        began = self.clock()
        try:
            status, said = check() if began < self.until else ("left out", "no time left for it")
        except _OutOfTime:
            status, said = "left out", "it was not done when the time was up"
        except ModelTrouble as trouble:
            status, said = "fails", str(trouble)
        return Check(name=name, status=status, said=said, seconds=round(self.clock() - began, 1))

    def ask(self, system: str, user: str, max_tokens: int = ANSWER, **more: Any) -> Reply:
        reply = self.model.complete(
            system, user, max_tokens=max_tokens, cancelled=lambda: self.clock() > self.until, **more
        )
        if reply.stopped == "cancelled":
            raise _OutOfTime
        return reply

    # --- the checks, in their order --------------------------------------------------------------------------

    def answers(self) -> Found:
        reply = self.ask("You answer in a few words.", "Say hello.")
        return "ok", f"{_short(reply.text)} in {reply.seconds:.1f} s, loading included"

    def schema(self) -> Found:
        right = asked = 0
        for question, answer in QUESTIONS.items():
            asked += 1
            reply = self.ask("You answer in JSON.", question, 64, schema=SCHEMA)
            found = fitting(reply.text, SCHEMA)
            if found is None:
                return "fails", f"does not fit the schema: {_short(reply.text)}"
            right += f'"answer": "{answer}"' in found
            if self.until - self.clock() < BUDGET * SCHEMA_LEAVES:
                break
        return "ok", f"{asked} of {asked} fit it; {right} of {asked} are right"

    def speed(self) -> Found:
        """Tokens a second in and out, and what the server's cache of a prompt's beginning saves."""
        system = f"You answer in a few words. {self.filler(FILLED)}"
        first = self.ask(system, "What is in the hall?", 4)
        again = self.ask(system, "Name all the things, and where each of them is.", 48)
        self.tokens_a_sentence = max(1.0, (first.prompt_tokens - 24) / FILLED)
        cold, warm = first.first_token_seconds or first.seconds, again.first_token_seconds or again.seconds
        self.speed_in = round(first.prompt_tokens / max(cold, 1e-3), 1)
        if again.output_tokens > 1 and again.seconds > warm:
            self.speed_out = round((again.output_tokens - 1) / (again.seconds - warm), 1)
        out = "not measured" if self.speed_out is None else f"{self.speed_out:g}"
        cache = f"first token {cold:.1f} s, {warm:.1f} s with the beginning in the cache"
        if again.prompt_tokens < first.prompt_tokens * 0.9:
            cache += "; the server does not count cached tokens"
        effect: Status = "ok" if warm < 0.7 * cold else "note"
        return effect, f"{self.speed_in:g} tokens/s in, {out} out; {cache}"

    def context(self) -> Found:
        """A word at the head of a prompt as long as num_ctx allows, or as the time left allows."""
        room = self.model.num_ctx - ANSWER - 64
        left = (self.until - self.clock() - RESERVE) * 0.8
        tokens = room if self.speed_in is None else min(room, int(left * self.speed_in))
        if tokens < min(LEAST_CONTEXT, room):
            return "left out", f"{self.speed_in or 0:g} tokens/s leave no time for a long prompt"
        word = self.dice.choice(SENTINELS)
        count = int(tokens / self.tokens_a_sentence)
        while count > 1 and not self.model.fits("", (user := self.prompt(word, count)), ANSWER):
            count = int(count * 0.97)
        reply = self.ask("", user, ANSWER)
        size, full = f"{reply.prompt_tokens} of {self.model.num_ctx} tokens", tokens >= room
        good: Status = "ok" if full else "note"
        size += "" if full else " (as many as two minutes allow)"
        expected = count * self.tokens_a_sentence
        if word.casefold() in reply.text.casefold():
            return good, f"recalls the first word of {size}"
        if reply.prompt_tokens >= 0.9 * expected:
            return good, f"all of {size} were read; it did not recall the first word: {_short(reply.text)}"
        read = reply.prompt_tokens
        return "fails", f"read {read} tokens of about {expected:.0f}, and forgot the first word"

    def same_seed(self) -> Found:
        def said(seed: int) -> str:
            asked = "You write freely.", "Invent a name for a boat, and say why."
            return self.ask(*asked, 16, temperature=0.8, seed=seed).text

        one, two, other = said(7), said(7), said(8)
        if one != two:
            at = next((at for at in range(len(one)) if one[: at + 1] != two[: at + 1]), len(one))
            differs = f"differ from character {at + 1} on: {_short(one[at:])}"
            return "note", f"with the same seed two answers {differs}"
        differs = "another seed another one" if other != one else "another seed the same"
        return "ok", f"the same seed gives the same answer, {differs}"

    def prompt(self, word: str, sentences: int) -> str:
        return (
            f"The secret word is {word}.\n{self.filler(sentences)}\n"
            "What is the secret word that was given at the very beginning? Answer with that word only."
        )

    def filler(self, sentences: int) -> str:
        """Short plain words, each of them one token to any tokenizer: an estimate of it is near the count."""
        pick = self.dice.choice
        return " ".join(
            f"The {pick(COLOURS)} {pick(THINGS)} is in the {pick(PLACES)}." for _ in range(sentences)
        )


class _OutOfTime(Exception):
    """The budget is used up."""


def _short(text: str) -> str:
    return excerpt(text, 40)
