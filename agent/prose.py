"""Putting an answer into words: a model rewords what code has said, and code decides sentence by sentence what is kept.

The model is given the sentences as they read and writes its own. Code finds the facts in what it wrote and puts
their slots back, so that no value, date, code or name stands there that the ledger did not give; the rendered
sentence is then verified independently (verification). What fails is asked for again, at most twice; what is
then still unsaid is said in the sentence that code made. An answer's first sentence, its quotations, refusals
and lists are code's word for word.
"""

from __future__ import annotations

import json
import pathlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from agent.answers.answer import Said
from agent.ledger import SLOT, Fact, Ledger
from agent.models.model import Model, ModelTrouble, Reply
from agent.models.text import estimate
from agent.prompts import prompt
from tools.terminology.dates import month_names

Path = Literal["llm", "repaired", "template"]
Task = Literal["write", "letter"]
Verify = Callable[[str], Sequence[str]]  # what is wrong with a rendered sentence, one line each

MOST_REPAIRS = 2
MOST_TOKENS = 700
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"sentences": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 6}},
    "required": ["sentences"],
}
LITERAL = re.compile(rf"\d|%|\b(?:{month_names()})\b\.?(?=\s+\{{|\s+\d)", re.IGNORECASE)
NAMED = re.compile(
    r"\b(?=[\w-]*[A-Za-z])(?=[\w-]*\d)\w[\w-]*"
)  # HbA1c, SGLT2, GLP-1: names with a digit in them
WORD = re.compile(r"[A-Za-z][A-Za-z'’-]+")
NEGATION = re.compile(
    r"\b(?:no|not|never|none|neither|nor|without|cannot|nothing|lacks?|lacking|missing|absent|fails?|failed|unmet"
    r"|denied|den(?:y|ies)|excluded|stopped|refused|open|unless|only|yet)\b|n['’]t\b",
    re.IGNORECASE,
)
# What may be said around facts without saying anything of the case.
PLAIN = frozenset(pathlib.Path(__file__).with_name("plain_words.txt").read_text(encoding="utf-8").split())


class Worded(NamedTuple):
    """The sentences as they are shown, what became of the model's, and what the calls cost. `places` are the places
    of the given sentences that they say. `trouble` is what went wrong with the model, if anything did: what it had said
    until then stands as far as it holds."""

    sentences: tuple[str, ...]
    path: Path
    facts: tuple[Fact, ...]
    replies: tuple[Reply, ...] = ()
    rejected: tuple[str, ...] = ()  # sentence and why, for traces and reports
    places: tuple[int, ...] = ()
    trouble: str = ""


def in_code(said: Sequence[Said], ledger: Ledger) -> Worded:
    """The answer in the words of code."""
    facts = ledger.used(" ".join(one.text for one in said))
    return Worded(tuple(_shown(one, ledger) for one in said), "template", facts)


def worth_wording(said: Sequence[Said]) -> bool:
    """Is there anything that a model may word at all?"""
    return any(not (one.verbatim or one.bullet) for one in said[1:])


def reword(
    question: str,
    said: Sequence[Said],
    ledger: Ledger,
    model: Model,
    verify: Verify,
    *,
    calls: int,
    emit: Callable[[str], None] = lambda sentence: None,
    cancelled: Callable[[], bool] | None = None,
    temperature: float = 0.0,
    seed: int = 1,
    task: Task = "write",
) -> Worded:
    """The answer in the model's words as far as they hold, with at most so many calls. `emit` gets each sentence
    once it has been checked; a model's trouble is its last word, and code goes on."""
    editor = Editor(said, ledger, verify, emit)
    replies: list[Reply] = []
    trouble = wrong = ""
    try:
        for attempt in range(min(calls, MOST_REPAIRS + 1)):
            before = len(editor.accepted), set(editor.rejected)
            asked = _asked(task, question, editor.unsaid() if attempt else editor.given, ledger) + wrong
            stream = model.stream(
                prompt("chat"),
                asked,
                schema=SCHEMA,
                max_tokens=min(MOST_TOKENS, 60 + 3 * estimate(asked) // 2),  # to say it again, and some room
                temperature=temperature,
                seed=seed + attempt,
                cancelled=cancelled,
            )
            for sentence in _sentences(stream):
                editor.offer(sentence)
            if stream.last is not None:
                replies.append(stream.last)
            nothing_new = attempt > 0 and before == (len(editor.accepted), set(editor.rejected))
            if (cancelled and cancelled()) or not editor.unsaid() or not editor.rejected or nothing_new:
                break
            why = editor.rejected[-1].rsplit(" [", 1)[-1].rstrip("]")[:160]
            wrong = f"\nYour last answer was not used: {why}"
            editor.repairs += 1
    except ModelTrouble as error:
        trouble = str(error)
    editor.finish()
    return Worded(
        tuple(editor.shown),
        editor.path,
        ledger.used(" ".join(editor.texts)),
        tuple(replies),
        tuple(editor.rejected),
        tuple(editor.places),
        trouble,
    )


class Editor:
    """Keeps what holds of a model's sentences, and says in code's words what they left out."""

    def __init__(
        self, said: Sequence[Said], ledger: Ledger, verify: Verify, emit: Callable[[str], None]
    ) -> None:
        self.said, self.ledger, self.verify, self.emit = list(said), ledger, verify, emit
        free = [place for place, one in enumerate(self.said) if place and not (one.verbatim or one.bullet)]
        self.given = [self.said[place] for place in free]
        self._at = {place: at for at, place in enumerate(free)}
        self.shown: list[str] = []
        self.texts: list[str] = []  # the same with slots
        self.places: list[int] = []  # of the first given sentence that each says
        self.accepted: list[str] = []
        self.rejected: list[str] = []
        self.covered: set[int] = set()
        self._kept: dict[int, str] = {}  # sentences by the first given one that each is the first to say
        self._next = 0  # the first place that has not been shown
        self._unsaid: list[Said] | None = None  # what code has to say, once the model has ended
        self.repairs = 0
        self._as_given = {ledger.render(one.text): at for at, one in enumerate(self.given)}
        self._by_shown = _shown_facts(self.given, ledger)
        self._vocabulary = _vocabulary(one.text for one in self.said)
        self._names = {name for one in self.said for name in NAMED.findall(SLOT.sub(" ", one.text))}
        self._show_in_order()  # up to the first sentence that may be worded, which is code's

    def offer(self, sentence: str) -> None:
        """Keep the sentence if it holds."""
        text = " ".join(sentence.split())
        if not text or text.endswith("?") or text in self.accepted:  # a question back says nothing
            return
        slotted, covers = self._slotted(text), {self._as_given.get(text, -1)} - {-1}
        if covers:
            slotted = self.given[min(covers)].text
        elif wrong := self._wrong(slotted):
            self.rejected.append(f"{text} [{wrong}]")
            return
        self.accepted.append(text)
        new = (covers or self._covers(slotted)) - self.covered
        if new:  # else it says nothing that was not said
            self.covered |= new
            self._kept[min(new)] = slotted
            self._show_in_order()

    def unsaid(self) -> list[Said]:
        """What must be said and has not been; everything, where the model has said nothing."""
        given = enumerate(self.given)
        return [one for at, one in given if at not in self.covered and (one.must or not self.covered)]

    def finish(self) -> None:
        """Say the rest in order: what was kept, and in code's words what was not said."""
        self._unsaid = self.unsaid()
        self._show_in_order()

    @property
    def path(self) -> Path:
        if not self.covered:
            return "template"
        return "repaired" if self.rejected or self.repairs or self.unsaid() else "llm"

    def _show_in_order(self) -> None:
        """Show what there is, up to the first sentence that the model may still say."""
        while self._next < len(self.said):
            one, at = self.said[self._next], self._at.get(self._next)
            if at is None:
                self._say(one)
            elif at in self.covered:
                if slotted := self._kept.get(at):
                    self._show(slotted, self.ledger.render(slotted), self._next)
            elif self._unsaid is None:
                return
            elif one in self._unsaid:
                self._say(one)
            self._next += 1

    def _say(self, one: Said) -> None:
        """In code's words."""
        self._show(one.text, _shown(one, self.ledger), self._next)

    def _show(self, slotted: str, shown: str, place: int) -> None:
        self.texts.append(slotted)
        self.places.append(place)
        self.shown.append(shown)
        self.emit(shown)

    def _slotted(self, text: str) -> str:
        """The sentence with the facts that it names as slots again."""
        for shown, slot in self._by_shown:
            text = re.sub(rf"(?<![\w.]){re.escape(shown)}(?!\w|\.\d)", slot, text)
        return text

    def _wrong(self, slotted: str) -> str:
        """Why the sentence can't be kept; "" if it can."""
        bare = NAMED.sub(lambda m: " " if m[0] in self._names else m[0], SLOT.sub(" ", slotted))
        if LITERAL.search(bare) or "{" in bare:
            return f"a value that was not given: {bare.strip()}"
        words = (word for word in WORD.findall(bare) if word.casefold() not in PLAIN)
        strange = [word for word in words if _stem(word) not in self._vocabulary]
        if strange:
            return f"words that were not given: {', '.join(strange)}"
        if not self._covers(slotted):
            return "says nothing that was given"
        if not self._keeps_polarity(slotted):
            return "says it with another yes or no"
        return "; ".join(self.verify(self.ledger.render(slotted)))

    def _covers(self, slotted: str) -> set[int]:
        """The given sentences that this one says in full: all their facts, and most of their words. One whose facts
        another that it says has too must be there word for word, or it would be lost with nobody noticing."""
        slots, words = self._facts(slotted), _vocabulary([slotted])
        shares: dict[int, float] = {}
        for at, one in enumerate(self.given):
            facts, said = self._facts(one.text), _vocabulary([one.text])
            share = len(said & words) / len(said) if said else 1.0
            if facts <= slots and share >= (0.5 if facts else 0.7):
                shares[at] = share
        return {at for at, share in shares.items() if share == 1.0 or not self._within_another(at, shares)}

    def _within_another(self, at: int, shares: dict[int, float]) -> bool:
        """Are all its facts in another that is said at least as well?"""
        facts = set(SLOT.findall(self.given[at].text))
        others = [
            set(SLOT.findall(self.given[other].text))
            for other, share in shares.items()
            if other != at and share >= shares[at]
        ]
        return bool(facts) and any(facts <= its for its in others)

    def _facts(self, slotted: str) -> set[str]:
        """The facts of a sentence by how they are shown: the same day is the same, whatever it is a day of."""
        return {self.ledger.facts[slot].shown for slot in SLOT.findall(slotted) if slot in self.ledger.facts}

    def _keeps_polarity(self, slotted: str) -> bool:
        """As many negations as the sentences that it stands for."""
        meant = " ".join(self.given[at].text for at in self._covers(slotted))
        return _negations(meant) == _negations(slotted)


def _negations(text: str) -> list[str]:
    found = (word.casefold() for word in NEGATION.findall(text))
    return sorted("not" if word in ("n't", "n’t") else word for word in found)


def _shown(one: Said, ledger: Ledger) -> str:
    return ("- " if one.bullet else "") + ledger.render(one.text)


def _shown_facts(given: Iterable[Said], ledger: Ledger) -> list[tuple[str, str]]:
    """How each fact of these sentences is shown and its slot, longest first."""
    facts = {fact.id: fact for one in given for fact in ledger.used(one.text)}
    pairs = [
        (words, f"{{{one.id}}}") for one in facts.values() for words in (one.shown, *one.aliases) if words
    ]
    return sorted(pairs, key=lambda pair: -len(pair[0]))


def _vocabulary(texts: Iterable[str]) -> set[str]:
    words = (word for text in texts for word in WORD.findall(SLOT.sub(" ", text)))
    return {_stem(word) for word in words if word.casefold() not in PLAIN}


def _stem(word: str) -> str:
    folded = word.casefold().rstrip("'’")
    for ending in ("ments", "ment", "ings", "ing", "ions", "ion", "ies", "ed", "es", "s", "e", "y"):
        if folded.endswith(ending) and len(folded) - len(ending) >= 3:
            return folded[: -len(ending)]
    return folded


# --- asking the model ------------------------------------------------------------------------------------


def _asked(task: Task, question: str, given: Iterable[Said], ledger: Ledger) -> str:
    lines = "\n".join(f"- {ledger.render(one.text)}" for one in given)
    asked = f"\nQuestion: {' '.join(question.split())[:300]}" if task == "write" else ""
    return f"TASK {task}{asked}\nSentences:\n{lines}"


def _sentences(stream: Iterable[str]) -> Iterator[str]:
    """The sentences of one reply, each as soon as it is complete."""
    text, at = "", -1
    for piece in stream:
        text += piece
        if at < 0:
            at = text.find("[") + 1 or -1
        while at > 0 and (found := _next_string(text, at)):
            sentence, at = found
            yield sentence


def _next_string(text: str, at: int) -> tuple[str, int] | None:
    """The next complete JSON string from here and where it ends."""
    start = text.find('"', at)
    if start < 0 or text.find("]", at, start) >= 0:
        return None
    try:
        sentence, end = json.JSONDecoder(strict=False).raw_decode(text, start)
    except ValueError:
        return None
    return (str(sentence), end) if isinstance(sentence, str) else None
