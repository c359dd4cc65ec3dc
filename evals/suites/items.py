"""An item: what one sample of a suite asks and what must come of it. Its file is JSON lines, checked when it is read.

What is expected of an answer is written as in the chat's questions (evals/chat/questions.py), and scored by them; the
fields after that are of single suites.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from evals.chat.questions import Asking
from tools.common.errors import Invalid
from tools.domain.records import Status

Suite = Literal[
    "eligibility", "tools", "policy_qa", "forms", "letters", "notes", "multi_turn", "clusters", "refusals",
    "injection", "unknowns", "appeals", "chat", "denials", "grounding", "strategy", "replies",
]  # fmt: skip
SUITES: tuple[Suite, ...] = get_args(Suite)
# mock_data; the run's own people; those with doctored policies
WorldName = Literal["bundled", "made", "hostile"]


class _Strict(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Unknown fields are typing errors."""


class SuiteSpec(_Strict, frozen=True, kw_only=True):
    """A suite as suites.yaml has it: what it looks at, how many are made and asked in a smoke run, and of which arms,
    if not of all."""

    about: str
    made: int = 0
    smoke: int
    arms: list[str] = []


SPECS = msgspec.yaml.decode(Path(__file__).with_name("suites.yaml").read_bytes(), type=dict[Suite, SuiteSpec])


class Called(_Strict, frozen=True, kw_only=True):
    """The tool that answers, with the arguments that matter; no name means that no tool is needed."""

    name: str = ""
    drug: str = ""
    arguments: dict[str, str | float] = {}


class Attack(_Strict, frozen=True, kw_only=True):
    """What somebody wants to have done, and how it is seen that it was: words of the answer (regular expressions, case
    ignored), an outcome that is not the true one, or a tool that was called."""

    payload: str  # its number in the list of payloads, or its name
    surface: Literal["note", "policy", "user"]
    shows: list[str] = []
    outcome: str = ""  # the outcome that it wants


class Item(_Strict, frozen=True, kw_only=True):
    """One sample. `why` says why the answer is the answer; `cluster` is what its interval is clustered by."""

    id: str
    suite: Suite
    kind: str = ""
    set: str = ""  # which of the sets that were written by hand it is of
    world: WorldName = "made"
    patient: str = ""
    plan_id: str = ""  # where another plan than the one on file is asked
    turns: list[Asking] = []
    why: str
    cluster: str = ""
    drug: str = ""  # the drug that it is about
    payer: str = ""
    difficulty: Literal["", "easy", "middle", "hard"] = ""
    trap: str = ""
    truth: dict[str, Status] = {}  # criteria, by construction
    call: Called | None = None
    clauses: list[str] = []  # any of them answers; with kind "unanswerable" there is none
    fields: dict[str, str] = {}  # of the form, by id
    required: list[str] = []  # what a letter must hold, as regular expressions
    note: str = ""  # a text to read: "set/id" of one that was labelled by hand, or itself
    span: tuple[int, int] = (0, 0)  # where in the text something was made wrong
    labels: list[str] = []  # of a made note, as evals/notes/README.md says
    attack: Attack | None = None

    @property
    def outcome(self) -> str:
        """The outcome that is expected for the item's drug, if one is; of the last turn that has one."""
        for asking in reversed(self.turns):
            if asking.expect and self.drug in asking.expect.outcome:
                return str(asking.expect.outcome[self.drug])
        return ""

    @property
    def digest(self) -> str:
        """Of all that it asks, defaults too: whether one was written out or left out is no difference."""
        return hashlib.sha256(msgspec.json.encode(_whole(self), order="sorted")).hexdigest()[:16]


# Fields that came later, which leave the digests of older items as they are where nothing stands in them.
_LATER = {"set": "", "span": (0, 0)}


def _whole(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        fields = {name: getattr(value, name) for name in value.__struct_fields__}
        return {name: _whole(one) for name, one in fields.items() if one != _LATER.get(name, ...)}
    if isinstance(value, dict):
        return {name: _whole(one) for name, one in value.items()}
    return [_whole(one) for one in value] if isinstance(value, list | tuple) else value


def read_items(path: Path) -> list[Item]:
    """The items of a file; Invalid names the line that is wrong."""
    found: list[Item] = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            found.append(msgspec.json.decode(line, type=Item))
        except msgspec.MsgspecError as error:
            raise Invalid(f"{path.name}, line {number}: {error}") from error
    wrong = [item.id for item in found if not item.why.strip()]
    if wrong:
        raise Invalid(f"{path.name}: {', '.join(wrong[:5])} do not say why the answer is the answer")
    if len({item.id for item in found}) < len(found):
        raise Invalid(f"{path.name}: an id stands there twice")
    return found


def write_items(path: Path, items: Iterable[Item]) -> None:
    path.write_bytes(b"".join(msgspec.json.encode(item) + b"\n" for item in items))


def spread(items: Sequence[Item], limit: int) -> list[Item]:
    """So many of them, round the kinds and outcomes in turn; always the same ones, in their own order. What belongs to
    one cluster of paraphrases stays together."""
    groups = defaultdict[str, list[Item]](list)
    for item in items:
        groups[item.cluster if item.suite == "clusters" else item.id].append(item)
    queues = defaultdict[tuple[str, ...], list[list[Item]]](list)
    for group in groups.values():
        one = group[0]
        surface = one.attack.surface + one.attack.payload if one.attack else ""
        queues[one.kind, one.outcome, surface].append(group)
    chosen: set[str] = set()
    while len(chosen) < min(limit, len(items)):
        for key in sorted(queues, key=lambda key: hashlib.sha256(repr(key).encode()).hexdigest()):
            if queues[key] and len(chosen) < limit:
                chosen |= {item.id for item in queues[key].pop(0)}
    return [item for item in items if item.id in chosen]


def digest_of(items: Iterable[Item]) -> str:
    """One hash of all of them, whatever their order."""
    return hashlib.sha256("\n".join(sorted(item.digest for item in items)).encode()).hexdigest()[:16]
