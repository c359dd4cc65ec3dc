"""Whatever a server does, a call ends in an answer or in one line, within its time, and leaves nothing behind."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent.models.model import ModelTrouble, Timeouts
from agent.models.ollama_model import OllamaModel
from tests.agent.models.ollama_stub import Line, drip, serving
from tests.servers import nobody

# Only the patience that a fault tries is short: else a busy machine's pauses would be the fault that is found.
PATIENT = Timeouts(connect=60, first_token=60, between=60, whole=90)
SHORT = {
    "silent": msgspec.structs.replace(PATIENT, first_token=0.4),
    "stalled": msgspec.structs.replace(PATIENT, between=0.3),
    "slow": msgspec.structs.replace(PATIENT, whole=1.2),
}
LONG_PROMPT = "Every word of this sentence is read. " * 20
SCHEMA = {
    "type": "object",
    "properties": {"intents": {"type": "array", "items": {"enum": ["why", "plan"]}, "minItems": 1}},
    "required": ["intents"],
}


def model_at(host: str, **more: Any) -> OllamaModel:
    return OllamaModel("small:0.5b", host, **more)


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    """No thread and no socket of ours outlives a test."""
    threads, sockets = set(threading.enumerate()), open_sockets()
    yield
    if open_sockets() > sockets:
        gc.collect()  # what is still referred to stays open
    left = [thread for thread in threading.enumerate() if thread not in threads and thread.is_alive()]
    assert not left
    assert open_sockets() <= sockets


def open_sockets() -> int:
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        return 0
    links = []
    for entry in folder.iterdir():
        try:
            links.append(str(entry.readlink()))
        except OSError:
            continue  # it was the folder's own
    return sum(link.startswith("socket:") for link in links)


# --- faults -----------------------------------------------------------------------------------------------


def hang_mid(line: Line) -> None:
    line.head()
    line.say("Hello")
    line.hang()


def broken_line(line: Line) -> None:
    line.head()
    line.say("Hello")
    line.chunk(b'{"message": {"content": "the\n')
    line.hang()


def close_mid(line: Line) -> None:
    line.head()
    line.say("Hello")


def end_without_done(line: Line) -> None:
    line.head()
    line.say("Hello")
    line.raw(b"0\r\n\r\n")


def endless_loop(line: Line) -> None:
    line.head()
    while True:
        line.say("She meets the criterion. ")


def counting_loop(line: Line) -> None:
    line.head()
    for n in range(10_000):
        line.say(f"{n}. The patient meets criterion {n} of it.\n")


def thinking_loop(line: Line) -> None:
    line.head()
    while True:
        line.say("", message={"role": "assistant", "content": "", "thinking": "But wait, what of it? "})


def never_stops(line: Line) -> None:
    line.head()
    n = 1
    while True:
        n = n * 1103515245 + 12345 & 0x7FFFFFFF
        line.say(f" w{n:x}")


def one_huge_line(line: Line) -> None:
    line.head()
    while True:
        line.chunk(b"x" * 65536)


def slow_drip(line: Line) -> None:
    line.head()
    drip(line, b"%x\r\n" % 400 + json.dumps({"message": {"content": "Hello"}}).encode(), 0.03)
    line.hang()


def slow_whole(line: Line) -> None:
    line.head()
    for n in range(100):
        line.say(f"word{n} ")
        time.sleep(0.1)


def error_line(line: Line) -> None:
    line.head()
    line.say("Hello")
    line.chunk(b'{"error": "llama runner process has terminated: signal: killed"}\n')
    line.raw(b"0\r\n\r\n")


FAULTS: dict[str, tuple[Callable[[Line], None], str, str]] = {
    "hangs before headers": (lambda line: line.hang(), "silent", "said nothing within 0.4 s"),
    "hangs after headers": (lambda line: (line.head(), line.hang()), "silent", "said nothing within 0.4 s"),
    "hangs in the middle": (hang_mid, "stalled", "no further word for 0.3 s"),
    "closes before headers": (lambda line: None, "closed", "hung up"),
    "closes in the middle": (close_mid, "closed", "hung up"),
    "ends without the end": (end_without_done, "closed", "hung up"),
    "has no such model": (
        lambda line: line.page("404 Not Found", '{"error":"model \\"small:0.5b\\" not found, try pulling it first"}'),
        "missing",
        "`ollama pull small:0.5b` fetches it",
    ),
    "is something else": (
        lambda line: line.page("404 Not Found", "<h1>Not Found</h1>", "text/html"),
        "stranger",
        "is no Ollama",
    ),
    "fails": (
        lambda line: line.page("500 Internal Server Error", '{"error":"unexpected EOF"}'),
        "failed",
        "(HTTP 500): 'unexpected EOF'",
    ),
    "fails in the middle": (error_line, "failed", "llama runner process has terminated"),
    "is busy": (
        lambda line: line.page("503 Service Unavailable", '{"error":"server busy"}'),
        "busy",
        "too much to do",
    ),
    "wants a key": (lambda line: line.page("401 Unauthorized", "{}"), "refused", "refuses the call (HTTP 401)"),
    "sends us elsewhere": (
        lambda line: line.raw(
            b"HTTP/1.1 307 Moved\r\nLocation: http://example.com/api/chat\r\nContent-Length: 0\r\n\r\n"
        ),
        "stranger",
        "HTTP 307",
    ),
    "sends a web page": (
        lambda line: line.page("200 OK", "<html><body>Welcome</body></html>", "text/html"),
        "broken",
        "is it Ollama?",
    ),
    "sends plain text": (lambda line: line.page("200 OK", "hello", "text/plain"), "broken", "is it Ollama?"),
    "sends JSON of another kind": (lambda line: line.page("200 OK", '{"choices": []}'), "broken", "is it Ollama?"),
    "sends a list": (lambda line: line.page("200 OK", "[1, 2]"), "broken", "is it Ollama?"),
    "speaks no HTTP": (lambda line: line.raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), "stranger", "no HTTP"),
    "breaks a line": (broken_line, "broken", "no line of an answer"),
    "says nothing": (lambda line: line.answer(), "empty", "answered nothing"),
    "says blanks": (lambda line: line.answer(" ", "\n"), "empty", "answered nothing"),
    "says no text": (lambda line: line.answer("\x00\x01\x02", "\ufffd\ufffd a"), "garbage", "what is no text"),
    "goes round in circles": (endless_loop, "loop", "She meets the criterion."),
    "goes round and counts": (counting_loop, "loop", "went round in circles"),
    "thinks in circles": (thinking_loop, "loop", "But wait"),
    "never stops": (never_stops, "endless", "its limit of 64 tokens"),
    "sends one huge line": (one_huge_line, "endless", "more than any answer needs"),
    "drips": (slow_drip, "silent", "said nothing within 0.4 s"),
    "takes too long": (slow_whole, "slow", "did not finish within 1.2 s"),
    "cuts the prompt": (lambda line: line.answer("Hi", prompt=60), "cut", "it cut the prompt"),
    "forgets the beginning": (
        lambda line: line.answer("Hi", prompt=4090, said=40),
        "cut",
        "ran over its 4096 tokens",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_ends_in_its_one_line_in_time(fault: str) -> None:
    chat, what, line = FAULTS[fault]
    with serving(chat) as stub:
        started = time.monotonic()
        with pytest.raises(ModelTrouble) as caught:
            model_at(stub.host, timeouts=SHORT.get(what, PATIENT)).complete("", LONG_PROMPT, max_tokens=64)
        assert time.monotonic() - started < 60
    assert caught.value.what == what
    assert line in str(caught.value)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_a_server_that_is_down_is_named_with_the_command_that_starts_it() -> None:
    with (
        nobody() as host,
        pytest.raises(ModelTrouble, match=f"nothing answers at {host}: start it with") as caught,
    ):
        model_at(host).complete("", "Hi", max_tokens=8)
    assert caught.value.what == "down" and "`ollama serve`" in str(caught.value)


def test_a_missing_model_names_those_that_are_near() -> None:
    with serving(FAULTS["has no such model"][0]) as stub, pytest.raises(ModelTrouble) as caught:
        OllamaModel("smal:0.5b", stub.host, timeouts=PATIENT).complete("", "Hi", max_tokens=8)
    assert "near: small:0.5b, small:1.5b" in str(caught.value)


IGNORED = (
    "I think she wants to know why.", '{"intents": ["weather"]}', '{"intents": []}', '{"drugs": ["Ozempic"]}',
    '["why"]',
)  # fmt: skip


@pytest.mark.parametrize("said", IGNORED)
def test_a_schema_that_is_ignored_is_found(said: str) -> None:
    with serving(lambda line: line.answer(said)) as stub, pytest.raises(ModelTrouble) as caught:
        model_at(stub.host).complete("", "Hi", schema=SCHEMA, max_tokens=64)
    assert caught.value.what == "schema"


def test_json_in_a_block_of_code_is_json() -> None:
    with serving(lambda line: line.answer('Sure:\n```json\n{"intents": ["why"]}\n```')) as stub:
        reply = model_at(stub.host).complete("", "Hi", schema=SCHEMA, max_tokens=64)
    assert json.loads(reply.text) == {"intents": ["why"]}


def test_json_that_was_cut_at_the_limit_is_a_trouble_and_text_is_not() -> None:
    cut = {"reason": "length", "said": 8}
    with serving(lambda line: line.answer('{"intents": ["w', **cut)) as stub:
        with pytest.raises(ModelTrouble, match="did not finish within 8 tokens") as caught:
            model_at(stub.host).complete("", "Hi", schema=SCHEMA, max_tokens=8)
        assert caught.value.what == "unfinished"
        assert model_at(stub.host).complete("", "Hi", max_tokens=8).stopped == "length"
        stream = model_at(stub.host).stream("", "Hi", schema=SCHEMA, max_tokens=8)
        assert "".join(stream) == '{"intents": ["w'
        assert stream.last is not None and stream.last.stopped == "length"


# --- what is right ----------------------------------------------------------------------------------------


def test_a_good_answer_comes_piece_by_piece_and_says_what_it_cost() -> None:
    with serving(lambda line: line.answer("Two ", "words", prompt=31, said=2)) as stub:
        stream = model_at(stub.host).stream("Be short.", "Hi", max_tokens=8, temperature=0.5, seed=7)
        assert list(stream) == ["Two ", "words"]
    reply = stream.last
    assert reply is not None
    assert (reply.text, reply.prompt_tokens, reply.output_tokens, reply.stopped) == (
        "Two words",
        31,
        2,
        "end",
    )
    assert reply.first_token_seconds is not None and reply.first_token_seconds <= reply.seconds
    asked = stub.asked[0]
    assert asked["options"] == {"num_ctx": 4096, "num_predict": 8, "temperature": 0.5, "seed": 7}
    assert [message["role"] for message in asked["messages"]] == ["system", "user"]
    assert "keep_alive" in asked and "format" not in asked


def test_what_a_model_thinks_aloud_is_not_said() -> None:
    with serving(lambda line: line.answer("<thi", "nk>She has", " two.</think>\n\n", "Two.")) as stub:
        assert model_at(stub.host).complete("", "Hi", max_tokens=64).text == "Two."


def test_an_answer_in_angle_brackets_is_said() -> None:
    with serving(lambda line: line.answer("<", "b>Two</b>")) as stub:
        assert model_at(stub.host).complete("", "Hi", max_tokens=64).text == "<b>Two</b>"


def test_a_listener_that_takes_its_time_is_no_stall() -> None:
    def two(line: Line) -> None:
        line.head()
        line.say("One. ")
        time.sleep(0.6)
        line.say("Two.")
        line.done()

    with serving(two) as stub:
        stream = model_at(stub.host, timeouts=Timeouts(first_token=5, between=1.5, whole=20)).stream(
            "", "Hi", max_tokens=8
        )
        assert next(stream) == "One. "
        time.sleep(2.0)
        assert next(stream) == "Two."
        stream.close()


def test_a_prompt_that_does_not_fit_is_not_sent() -> None:
    with serving(lambda line: line.answer("Hi")) as stub:
        model = model_at(stub.host, num_ctx=512)
        assert model.fits("", LONG_PROMPT, 64) and not model.fits("", LONG_PROMPT * 4, 64)
        with pytest.raises(ModelTrouble, match="do not fit the 512") as caught:
            model.complete("", LONG_PROMPT * 4, max_tokens=64)
        assert (caught.value.what, stub.chats) == ("too_long", 0)


def test_the_estimate_learns_from_a_server_that_counts_more() -> None:
    with serving(lambda line: line.answer("Hi", prompt=500)) as stub:
        model = model_at(stub.host, num_ctx=1024)
        assert model.fits("", LONG_PROMPT * 3, 64)
        model.complete("", LONG_PROMPT, max_tokens=64)
        assert not model.fits("", LONG_PROMPT * 3, 64)


def test_the_estimate_learns_nothing_from_a_prompt_that_is_mostly_template() -> None:
    with serving(lambda line: line.answer("Hi", prompt=200)) as stub:
        model = model_at(stub.host, num_ctx=1024)
        model.complete("", "Hi", max_tokens=64)
        assert model.fits("", LONG_PROMPT * 3, 64)


async def test_it_can_be_asked_where_an_event_loop_is_running() -> None:
    with serving(lambda line: line.answer("Hi")) as stub:
        assert model_at(stub.host).complete("", "Hi", max_tokens=8).text == "Hi"


# --- cancelling -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chat", [FAULTS["hangs before headers"][0], hang_mid])
def test_cancelling_hangs_up_at_once_and_is_no_failure(chat: Callable[[Line], None]) -> None:
    with serving(chat) as stub:
        reply = model_at(stub.host).complete("", "Hi", max_tokens=8, cancelled=lambda: stub.chats > 0)
        assert reply.stopped == "cancelled"
        assert stub.gone.wait(9), "before the stub itself has had enough"


def test_a_call_that_is_cancelled_beforehand_is_not_made() -> None:
    with serving(lambda line: line.answer("Hi")) as stub:
        assert model_at(stub.host).complete("", "Hi", max_tokens=8, cancelled=lambda: True).text == ""
        assert stub.chats == 0


@pytest.mark.parametrize("how", ["closed", "let go"])
def test_a_stream_that_is_left_hangs_up(how: str) -> None:
    with serving(hang_mid) as stub:
        stream = model_at(stub.host).stream("", "Hi", max_tokens=8)
        assert next(stream) == "Hello"
        if how == "closed":
            stream.close()
        del stream
        assert stub.gone.wait(9)


def test_ctrl_c_hangs_up() -> None:
    with serving(FAULTS["hangs before headers"][0]) as stub:

        def interrupt() -> bool:
            if stub.chats:
                raise KeyboardInterrupt
            return False

        with pytest.raises(KeyboardInterrupt):
            model_at(stub.host).complete("", "Hi", max_tokens=8, cancelled=interrupt)
        assert stub.gone.wait(9)


# --- the breaker ------------------------------------------------------------------------------------------


def test_after_two_failures_a_server_is_left_alone_and_then_tried_again() -> None:
    now = [1000.0]
    healthy = [False]

    def chat(line: Line) -> None:
        line.answer("Hi") if healthy[0] else line.page("500 Oops", '{"error":"no"}')

    with serving(chat) as stub:
        model = model_at(stub.host, clock=lambda: now[0])
        assert [what_of(model) for _ in range(4)] == ["failed", "failed", "resting", "resting"]
        assert stub.chats == 2
        now[0] += 31
        assert [what_of(model) for _ in range(2)] == ["failed", "resting"]
        now[0] += 31
        healthy[0] = True
        assert [what_of(model) for _ in range(3)] == ["", "", ""]
        healthy[0] = False
        assert [what_of(model) for _ in range(3)] == ["failed", "failed", "resting"]


def what_of(model: OllamaModel) -> str:
    try:
        model.complete("", "Hi", max_tokens=8)
    except ModelTrouble as trouble:
        return trouble.what
    return ""


def test_what_is_the_questions_fault_does_not_stop_the_next() -> None:
    with serving(lambda line: line.answer()) as stub:
        model = model_at(stub.host)
        assert [what_of(model) for _ in range(4)] == ["empty"] * 4


def test_failures_far_apart_are_no_pattern() -> None:
    now = [0.0]
    with serving(lambda line: line.page("500 Oops", '{"error":"no"}')) as stub:
        model = model_at(stub.host, clock=lambda: now[0])
        for _ in range(5):
            assert what_of(model) == "failed"
            now[0] += 61


# --- this machine only ------------------------------------------------------------------------------------


REBOUND = """
import errno, socket
from agent.models.address import address, guard
from agent.models.model import ModelTrouble, Timeouts
from agent.models.ollama_model import OllamaModel

answers = ["127.0.0.1", "192.0.2.7", "192.0.2.7"]

def look_up(host, *more, real=socket.getaddrinfo, **named):
    if host not in ("models.clinic", b"models.clinic"):
        return real(host, *more, **named)
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers.pop(0), 11434))]

socket.getaddrinfo = look_up
guard(address("models.clinic"), False)
try:
    OllamaModel("small", "models.clinic", timeouts=Timeouts(connect=20)).complete("", "Hi", max_tokens=8)
except ModelTrouble as trouble:
    print(trouble.what, len(answers), trouble.__cause__)
"""


def test_a_name_that_leads_elsewhere_once_it_was_looked_at_is_not_reached() -> None:
    """A process of its own, for this one refuses to try: its connections cannot leave loopback."""
    started = time.monotonic()
    ran = subprocess.run([sys.executable, "-c", REBOUND], capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("remote 0 "), ran.stdout + ran.stderr
    assert time.monotonic() - started < 60  # it was refused here, and not waited for


def test_no_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with serving(lambda line: line.answer("Hi")) as stub:
        assert model_at(stub.host).complete("", "Hi", max_tokens=8).text == "Hi"


# --- the real one -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_real_server_answers_in_the_schema() -> None:
    model = OllamaModel(
        os.environ.get("PALADIN_TEST_MODEL", "qwen2.5-coder:0.5b"), timeouts=Timeouts(whole=90)
    )
    try:
        reply = model.complete("You name intents.", "Why was it denied?", schema=SCHEMA, max_tokens=32)
    except ModelTrouble as trouble:
        if trouble.what in ("down", "missing", "silent", "slow", "busy"):
            pytest.skip(f"no real model: {trouble}")
        raise
    assert json.loads(reply.text)["intents"]
    assert reply.prompt_tokens > 10
