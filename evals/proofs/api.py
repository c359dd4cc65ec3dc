"""That the API gives nothing away and breaks at nothing: what another practice keeps, hostile bodies, and what
schemathesis makes up (`pip install schemathesis` first)."""

from __future__ import annotations

import json
import math
import re
import shutil
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import count as counted
from itertools import cycle, islice, product
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import hypothesis
import msgspec
from fastapi.testclient import TestClient
from hypothesis.stateful import run_state_machine_as_test

from agent.administration.roles import ROLES
from agent.api.doorkeeper import HEADERS
from agent.runtime.home import now
from agent.runtime.settings import Settings, read_settings
from evals.measuring import peak_mebibytes
from evals.pages import Figures
from evals.proofs.homes import Answers, a_home, client, drafted, key_of, routes
from tools.store.store import Store

if TYPE_CHECKING:
    from httpx2 import Response

SEED = 7
FLOWS, STEPS = 30, 10  # of a seed, and of a flow
SENT_OF = 1.2  # calls that are made up for one that a client can send
MARK = "Zyxwvutsdottir"  # a name that stands in the other practice alone


def probes(count: int = 1500) -> Figures:
    """So many calls, as every role of a practice, for what another one keeps: each is answered as by a server on which
    the other one keeps nothing."""
    draw, answers = Random(SEED), Answers()
    took: dict[str, list[float]] = {"there": [], "nowhere": []}
    with a_home() as (store, settings), ExitStack() as stack:
        there = settings.of_practice("north")
        shutil.copytree(settings.home, there.home)
        keys = {role: key_of(store, role) for role in ROLES}
        bare = Path(settings.home.parent / "bare" / "home")
        shutil.copytree(settings.home, bare)
        shutil.copytree(there.home, bare.with_name("home-north"))
        ids = _filled(there)
        apps = {
            "there": stack.enter_context(client(settings)),
            "nowhere": stack.enter_context(client(read_settings({"PALADIN_HOME": str(bare)}))),
        }
        asked_about = [(method, path) for method, path in routes() if "{" in path]
        calls = cycle((role, *route) for role in ["", *ROLES] for route in asked_about)
        for role, method, template in islice(calls, count):
            path, shown = template, {}
            for name, known in ids.items():
                path = path.replace(f"{{{name}}}", str(draw.choice(known)))
            path = path.replace("{", "").replace("}", "")
            sent: dict[str, Any] = {"json": {}} if path.startswith("/api") else {"data": {"by": "R. Lee"}}
            headers = {"origin": "http://localhost"}
            headers |= {"authorization": f"Bearer {keys[role]}"} if role else {}
            called = f"{method} {template} as {role or 'nobody'}"
            for where, asked in draw.sample(list(apps.items()), len(apps)):
                began = time.perf_counter()
                answer = asked.request(method, path, headers=headers, **(sent if method == "POST" else {}))
                took[where].append(time.perf_counter() - began)
                shown[where] = (answer.status_code, answer.content, sorted(answer.headers))
                answers.statuses[answer.status_code] += where == "there"
                answers.wrong.update(_gives_away(answer, called))
            if shown["there"] != shown["nowhere"]:
                answers.wrong[f"it shows at {called}"] += 1
    medians = {
        f"median ms where it is {where}": round(1000 * statistics.median(took[which]), 2)
        for which, where in (("there", "another's"), ("nowhere", "nowhere"))
    }
    return answers.figures("probes", {"routes": len(asked_about)}, medians)


def _gives_away(answer: Response, called: str) -> Iterator[str]:
    """What is wrong with an answer to a probe."""
    if MARK.encode() in answer.content or answer.status_code >= 500:
        yield f"{answer.status_code} {called}"
    if any(answer.headers.get(name) is None for name in HEADERS):
        yield f"headers lack at {called}"


def _filled(settings: Settings) -> dict[str, list[Any]]:
    """Give a practice a patient, drafts and a case of its own; their ids, by the names that routes have for them."""
    store = Store.open(settings.database_url)
    mine = msgspec.structs.replace(store.patient("P001"), id="", given="Ida", family=MARK, source="file")
    store.keep_import(mine, [("urn:mrn", "7")], taken_from="a.json", when=now())
    ids: dict[str, list[Any]] = {
        "patient_id": [one.id for one in store.find_patients(MARK)],
        "draft_id": drafted(store, settings, 9),
        "case_id": [1],
        "batch_id": [1],
        "conversation_id": ["c-1"],
        "name": ["form", "letter", "packet"],
    }
    store.close()
    return ids


# --- hostile bodies --------------------------------------------------------------------------------------

HOSTILE: tuple[tuple[str, bytes], ...] = (
    ("deep", b"[" * 50_000 + b"]" * 50_000),
    ("a deep object", b'{"a":' * 20_000 + b"1" + b"}" * 20_000),
    ("long list", b"[" + b"1," * 200_000 + b"1]"),
    ("long text", b'"' + b"x" * 900_000 + b'"'),
    ("a number that nobody counts to", b"1" + b"0" * 50_000),
    ("an exponent", b"1e999999"),
    ("no number", b"NaN"),
    ("no UTF-8", b'"\xff\xfe\xc0\x80"'),
    ("half a pair", b'"\\ud800"'),
    ("a zero", b'"P001\\u0000"'),
    ("orders to a terminal", b'"\\u001b]0;READY\\u0007\\u202eYDAER\\u200b"'),
    ("a path", b'"../../../../etc/passwd"'),
    ("SQL", b'"P001\'; DROP TABLE charts; --"'),
    ("a template", b'"{{7*7}}${7*7}<script>alert(1)</script>"'),
    ("nothing", b"null"),
    ("a list for a text", b'["P001"]'),
    ("the end of days", b'"9999-12-31"'),
    ("a date that is none", b'"2026-02-31"'),
    ("truth", b"true"),
    ("a negative number", b"-9223372036854775809"),
)


def bodies(count: int = 400) -> Figures:
    """So many bodies of which one field, or all, is hostile; what is answered with a fault, late, or raw."""
    draw, answers = Random(SEED), Answers()
    with a_home() as (store, settings), client(settings) as opened:
        headers = {"authorization": f"Bearer {key_of(store, 'admin')}", "content-type": "application/json"}
        calls = []
        for path, methods in opened.app.openapi()["paths"].items():  # type: ignore[attr-defined]
            taken = methods.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json")
            if taken:
                known = re.sub(r"{(draft|case|batch)_id}", "1", path.replace("{patient_id}", "P001"))
                calls.append((known, dict(taken.get("example") or {})))
        held = peak_mebibytes()
        hostile = cycle((call, hostile) for hostile in HOSTILE for call in calls)
        for (path, body), (label, value) in islice(hostile, count):
            field = draw.choice(sorted(body) or ["patient_id"])
            rest = b"".join(b', "%s": %s' % (name.encode(), json.dumps(given).encode())
                            for name, given in body.items() if name != field)  # fmt: skip
            sent = value if draw.random() < 0.2 else b'{"%s": %s%s}' % (field.encode(), value, rest)
            began = time.process_time()
            answer = opened.post(path, content=sent, headers=headers)
            answers.take(answer, f"at {path} with {label} as {field}", time.process_time() - began)
        grown = int(peak_mebibytes() - held)
    after = {"slowest, seconds of processor": round(answers.slowest, 2), "memory grown by, MB": grown}
    return answers.figures("bodies", {"routes": len(calls)}, after)


# --- schemathesis ----------------------------------------------------------------------------------------


class Fuzzed:
    """What schemathesis makes up is sent as every role in turn; answers that are faults, that the schema does not know,
    or that are otherwise than it says, are counted."""

    def __init__(self, client: TestClient, store: Store, settings: Settings) -> None:
        import schemathesis
        from schemathesis.checks import not_a_server_error
        from schemathesis.specs.openapi import checks

        self.keys = cycle([key_of(store, role) for role in ROLES])
        drafted(store, settings, 3)
        self.client = client
        self.described = schemathesis.openapi.from_dict(client.app.openapi())  # type: ignore[attr-defined]
        conform = (
            checks.status_code_conformance,
            checks.content_type_conformance,
            checks.response_schema_conformance,
        )
        self.checks = [not_a_server_error, *conform]
        self.answers, self.operations = Answers(), set[str]()

    def answer(self, case: Any) -> Any:
        """What is answered; None to what no client can send."""
        from schemathesis.core.failures import FailureGroup

        asked = case.as_transport_kwargs(base_url="http://localhost")
        asked.pop("timeout", None)
        headers = dict(asked.pop("headers", None) or {}) | {"authorization": f"Bearer {next(self.keys)}"}
        try:
            asking = self.client.build_request(**asked, headers=headers)
            asking.read()
        except (ValueError, TypeError, AttributeError):
            return None
        answer, where = self.client.send(asking), f"{case.method} {case.path}"
        self.answers.statuses[answer.status_code] += 1
        self.operations.add(where)
        answer.request._content = b""  # schemathesis asks for it, and it was a stream
        try:
            case.validate_response(answer, checks=self.checks)
        except FailureGroup as group:
            said = (str(failure).splitlines()[0] for failure in group.exceptions)
            self.answers.wrong.update(f"{where}, {answer.status_code}: {line}"[:200] for line in said)
        return answer

    def figures(self) -> Figures:
        return self.answers.figures("calls", {"operations": len(self.operations)})


def _made_up(examples: int, **more: Any) -> hypothesis.settings:
    return hypothesis.settings(
        max_examples=examples, database=None, deadline=None, suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate], verbosity=hypothesis.Verbosity.quiet, **more,
    )  # fmt: skip


def fuzz(count: int = 10_000) -> Figures:
    """So many calls that follow the schema, and as many that do not, over three seeds."""
    from schemathesis import GenerationMode

    with a_home() as (store, settings), client(settings) as opened:
        fuzzed = Fuzzed(opened, store, settings)
        operations = [one.ok() for one in fuzzed.described.get_all_operations()]
        each = math.ceil(count * SENT_OF / (6 * len(operations)))
        for seed, operation, mode in product(
            range(SEED, SEED + 3), operations, (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        ):

            @hypothesis.seed(seed)
            @_made_up(each)
            @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
            def call(case: Any) -> None:
                fuzzed.answer(case)

            with suppress(hypothesis.errors.Unsatisfiable):
                call()
        return fuzzed.figures()


def flows(count: int = 10_000) -> Figures:
    """So many calls at least, by flows that go on with what was answered, over as many seeds as that takes."""
    from schemathesis.core import transport

    with a_home() as (store, settings), client(settings) as opened:
        fuzzed = Fuzzed(opened, store, settings)

        class Flow(fuzzed.described.as_state_machine()):  # type: ignore[misc]
            def call(self, case: Any, **_: Any) -> Any:
                answer = fuzzed.answer(case)
                return hypothesis.reject() if answer is None else transport.Response.from_any(answer)

            def validate_response(self, *_: Any, **__: Any) -> None:
                """It was."""

        for seed in counted(SEED):
            if fuzzed.answers.statuses.total() >= count:
                break
            # A flow is told as another one where it comes upon what an earlier one did; the next seed begins anew.
            with suppress(hypothesis.errors.FlakyStrategyDefinition):
                run_state_machine_as_test(
                    hypothesis.seed(seed)(Flow), settings=_made_up(FLOWS, stateful_step_count=STEPS)
                )
        return fuzzed.figures()
