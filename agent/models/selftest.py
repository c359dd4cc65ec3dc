"""Two minutes with a model: does it answer, keep to a schema, read all that it is given, and how fast is it?"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from agent.models.model import ModelTrouble, Reply
from agent.models.text import fitting
from tools.records import Record

if TYPE_CHECKING:
    from agent.models.model import Model

BUDGET = 120.0  # seconds for all of it
RESERVE = 15.0  # seconds of them that the long prompt leaves for its answer and what comes after it
SCHEMA_LEAVES = 0.7  # of them, or one question is enough
LEAST_CONTEXT = 500  # tokens; a shorter prompt says nothing about context
FILLED, ANSWER = 30, 24  # sentences of the prompt whose reading is timed; tokens of a short answer
NEEDED = ("answers", "schema", "context")
Status = Literal["ok", "fails", "note", "left out"]

COLOURS, THINGS = (
    ("red", "blue", "green", "white", "black"),
    ("cup", "box", "hat", "key", "map", "pen", "bag"),
)
PLACES = ("hall", "room", "shed", "car", "park", "shop", "yard")
SENTINELS = ("KESTREL", "LANTERN", "MARIGOLD", "HARBOR", "COMPASS", "VELVET")
QUESTIONS = (
    ("Is a dog an animal?", "yes"),
    ("Is the moon made of wool?", "no"),
    ("Can a stone read a book?", "no"),
)
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
    budget: float = BUDGET,
    seed: int | None = None,
    clock: Callable[[], float] = time.monotonic,
    told: Callable[[Check], None] = lambda check: None,
) -> Examined:
    """Run the checks, most needed first; what the budget (seconds) leaves no time for is left out and says so.

    `seed` makes the prompts; unset, they are new each time, so that no server has them in its cache. `told`
    hears of each check as it ends.
    """
    return _Run(model, budget, random.Random(seed), clock, told).all(digest, server)


class _Run:
    def __init__(
        self,
        model: Model,
        budget: float,
        dice: random.Random,
        clock: Callable[[], float],
        told: Callable[[Check], None],
    ) -> None:
        self.model, self.dice, self.clock, self.told = model, dice, clock, told
        self.started = clock()
        self.budget, self.until = budget, self.started + budget
        self.checks: list[Check] = []
        self.speed_in: float | None = None
        self.speed_out: float | None = None
        self.tokens_a_sentence = 9.0

    def all(self, digest: str, server: str) -> Examined:
        if self.check("answers", self.answers):
            self.check("schema", self.schema)
            self.check("speed", self.speed)
            self.check("context", self.context)
            self.check("same seed", self.same_seed)
        return Examined(
            model=self.model.name,
            num_ctx=self.model.num_ctx,
            checks=tuple(self.checks),
            seconds=round(self.clock() - self.started, 1),
            tokens_per_second_in=self.speed_in,
            tokens_per_second_out=self.speed_out,
            digest=digest,
            server=server,
        )

    def check(self, name: str, run: Callable[[], tuple[Status, str]]) -> bool:
        """Run one and keep what it found; False if it fails."""
        began = self.clock()
        try:
            status, said = run() if began < self.until else ("left out", "no time left for it")
        except _OutOfTime:
            status, said = "left out", "it was not done when the time was up"
        except ModelTrouble as trouble:
            status, said = "fails", str(trouble)
        done = Check(name=name, status=status, said=said, seconds=round(self.clock() - began, 1))
        self.checks.append(done)
        self.told(done)
        return status in ("ok", "note")

    def ask(self, system: str, user: str, max_tokens: int = ANSWER, **more: Any) -> Reply:
        reply = self.model.complete(
            system, user, max_tokens=max_tokens, cancelled=lambda: self.clock() > self.until, **more
        )
        if reply.stopped == "cancelled":
            raise _OutOfTime
        return reply

    # --- the checks, in their order --------------------------------------------------------------------------

    def answers(self) -> tuple[Status, str]:
        reply = self.ask("You answer in a few words.", "Say hello.")
        return "ok", f"{_short(reply.text)} in {reply.seconds:.1f} s, loading included"

    def schema(self) -> tuple[Status, str]:
        right = asked = 0
        for question, answer in QUESTIONS:
            asked += 1
            reply = self.ask("You answer in JSON.", question, 64, schema=SCHEMA)
            found = fitting(reply.text, SCHEMA)
            if found is None:
                return "fails", f"does not fit the schema: {_short(reply.text)}"
            right += f'"answer": "{answer}"' in found
            if self.until - self.clock() < self.budget * SCHEMA_LEAVES:
                break
        return "ok", f"{asked} of {asked} fit it; {right} of {asked} are right"

    def speed(self) -> tuple[Status, str]:
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

    def context(self) -> tuple[Status, str]:
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
        size = f"{reply.prompt_tokens} of {self.model.num_ctx} tokens"
        full = tokens >= room
        if not full:
            size += " (as many as two minutes allow)"
        if word.casefold() in reply.text.casefold():
            return "ok" if full else "note", f"recalls the first word of {size}"
        expected = count * self.tokens_a_sentence
        if reply.prompt_tokens >= 0.9 * expected:
            return (
                "ok" if full else "note",
                f"all of {size} were read; it did not recall the first word: {_short(reply.text)}",
            )
        return (
            "fails",
            f"read {reply.prompt_tokens} tokens of about {expected:.0f}, and forgot the first word",
        )

    def same_seed(self) -> tuple[Status, str]:
        system, user = "You write freely.", "Invent a name for a boat, and say why."
        one, two = (self.ask(system, user, 16, temperature=0.8, seed=7).text for _ in range(2))
        other = self.ask(system, user, 16, temperature=0.8, seed=8).text
        if one != two:
            at = next(
                (i for i, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two))
            )
            return (
                "note",
                f"with the same seed two answers differ from character {at + 1} on: {_short(one[at:])}",
            )
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
    line = " ".join(text.split())
    return repr(line if len(line) <= 40 else f"{line[:40]}…")
