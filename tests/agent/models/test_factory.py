from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from agent.models.address import address, is_here, is_loopback
from agent.models.factory import default, is_of_langchain, open_model
from agent.models.host import Evaluated, Held, best, held, read_evaluated
from agent.models.model import ModelTrouble
from agent.runtime.settings import Settings, read_settings
from tests.agent.models.ollama_stub import MODELS, Line, serving
from tests.servers import nobody
from tools.common.errors import Invalid


def settings(tmp_path: Path, **environ: str) -> Settings:
    return read_settings(
        {"PALADIN_HOME": str(tmp_path), "PALADIN_CONNECT_SECONDS": "0.5"} | environ, tmp_path
    )


def quiet(line: Line) -> None:
    line.answer("Hi")


# --- which model ------------------------------------------------------------------------------------------


NO_MODEL: dict[str, tuple[str, Any, tuple[str, ...]]] = {  # what is asked for, what the host lists, the line
    "offline, whatever there is": ("offline", {"models": MODELS}, ("as asked",)),
    "not there": ("smal:1.5b", {"models": MODELS}, ("near: small:1.5b", "`ollama pull smal:1.5b`")),
    "none": ("", {"models": None}, ("no model to chat with", "ollama pull")),
    "a list": ("", [], ("is no Ollama",)),
    "models that are none": ("", {"models": 3}, ("is no Ollama",)),
    "a model without a name": ("", {"models": [{"size": 1}]}, ("is no Ollama",)),
    "another form": ("", {"data": []}, ("is no Ollama",)),
}


@pytest.mark.parametrize("case", NO_MODEL)
def test_no_model_is_no_error_and_the_line_says_why(tmp_path: Path, case: str) -> None:
    name, listed, said = NO_MODEL[case]
    preferred = {"PALADIN_MODEL": "small:0.5b"} if name == "offline" else {}
    with serving(quiet, listed) as stub:
        model, why = open_model(name, settings(tmp_path, OLLAMA_HOST=stub.host, **preferred))
    assert model is None and all(words in why for words in said), why


def test_without_a_name_the_largest_that_a_laptop_runs_is_taken(tmp_path: Path) -> None:
    with serving(quiet) as stub:
        model, why = open_model("", settings(tmp_path, OLLAMA_HOST=stub.host, PALADIN_NUM_CTX="2048"))
        assert model is not None and (model.name, model.num_ctx) == ("small:1.5b", 2048)
        assert model.complete("", "Hi", max_tokens=8).text == "Hi"
    assert why.startswith(f"small:1.5b at {stub.host}: the largest of 2")


def test_a_name_wins_over_the_surroundings_and_they_over_what_is_best(tmp_path: Path) -> None:
    with serving(quiet) as stub:
        said = settings(tmp_path, OLLAMA_HOST=stub.host, PALADIN_MODEL="small:0.5b")
        names = [
            getattr(open_model(name, said)[0], "name", "") for name in ("", "small:1.5b", "ollama:small:1.5b")
        ]
    assert names == ["small:0.5b", "small:1.5b", "small:1.5b"]


def test_where_nothing_answers_it_is_offline_at_once_with_the_command(tmp_path: Path) -> None:
    started = time.monotonic()
    with nobody() as host:
        model, why = open_model("", settings(tmp_path, OLLAMA_HOST=host, PALADIN_CONNECT_SECONDS="60"))
    assert model is None and time.monotonic() - started < 30
    assert "no Ollama answers at 127.0.0.1" in why and "`ollama serve` and `ollama pull" in why


def test_a_host_that_takes_connections_and_says_nothing_costs_a_third_of_a_second(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        started = time.monotonic()
        model, why = open_model("", settings(tmp_path, OLLAMA_HOST=f"127.0.0.1:{deaf.getsockname()[1]}"))
        assert model is None and "said nothing within 0.3 s" in why
        assert time.monotonic() - started < 30


def test_a_model_that_the_host_hands_on_to_a_cloud_is_not_opened(tmp_path: Path) -> None:
    cloud = [
        {"name": "gpt-oss:120b-cloud", "size": 384, "remote_host": "https://ollama.com:443", "digest": "c"},
        {"name": "plain:cloud", "size": 384, "digest": "d"},
    ]
    with serving(quiet, {"models": [*MODELS, *cloud]}) as stub:
        here = settings(tmp_path, OLLAMA_HOST=stub.host)
        for name in ("gpt-oss:120b-cloud", "plain:cloud"):
            model, why = open_model(name, here)
            assert model is None and "to another machine" in why
        taken, _ = open_model("", here)
        assert taken is not None and taken.name == "small:1.5b"
        allowed = settings(tmp_path, OLLAMA_HOST=stub.host, PALADIN_ALLOW_REMOTE_MODEL="1")
        assert open_model("plain:cloud", allowed)[0] is not None


@pytest.mark.parametrize(
    "host", ["192.0.2.7", "http://192.0.2.7:11434", "8.8.8.8:11434", "http://127.0.0.1@192.0.2.7"]
)
def test_a_host_elsewhere_is_refused_before_it_is_asked(
    tmp_path: Path, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("it was asked"))
    model, why = open_model("", settings(tmp_path, OLLAMA_HOST=host))
    assert model is None and "is not on this machine" in why and "PALADIN_ALLOW_REMOTE_MODEL=1" in why


@pytest.mark.parametrize("name", ["openai:gpt-5", "anthropic:claude-sonnet-4-5"])
def test_a_cloud_model_is_none(tmp_path: Path, name: str) -> None:
    model, why = open_model(name, settings(tmp_path))
    assert model is None and why.startswith("offline: ") and name in why


def test_a_provider_is_told_from_a_tag() -> None:
    assert is_of_langchain("openai:gpt-5") and not is_of_langchain("qwen2.5-coder:0.5b")
    assert not is_of_langchain("openai") and not is_of_langchain("ollama:qwen2.5-coder")


def test_offline_imports_no_client() -> None:
    script = (
        "import sys; from agent.models.factory import open_model; from agent.runtime.settings import read_settings\n"
        "open_model('offline', read_settings()); open_model('', read_settings({'OLLAMA_HOST': '127.0.0.1:1'}))\n"
        "print({'ollama', 'httpx', 'langchain', 'langchain_core', 'pydantic'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


# --- the best of them -------------------------------------------------------------------------------------


def model(name: str, parameters: str, passed: bool | None = None, score: float = 0.9, **more: Any) -> Held:
    evaluated = None if passed is None else Evaluated(name=name, passed=passed, score=score)
    return Held(name=name, parameters=parameters, evaluated=evaluated, **more)


@pytest.mark.parametrize(
    ("there", "taken", "because"),
    [
        ([model("a", "0.5B", True), model("b", "7B"), model("c", "1.5B", True, 0.95)], "c", "2 that passed"),
        ([model("a", "7B", True), model("b", "1.5B", True)], "b", ""),
        ([model("a", "1.5B", False)], "", ""),
        ([model("a", "1.5B", False), model("b", "0.5B")], "b", ""),
        ([model("a", "70B"), model("b", "630.17M")], "b", ""),
        ([model("a", "70B"), model("b", "32B")], "b", "smallest"),
    ],
    ids=["passed before larger", "of equals the faster", "no failed one unasked", "before a failed one", "in time",
         "for want of another"],
)  # fmt: skip
def test_the_best_is_what_passed_and_what_a_laptop_runs_in_time(
    there: list[Held], taken: str, because: str
) -> None:
    found, why = best(there)
    assert getattr(found, "name", "") == taken and because in why


def test_a_model_of_embeddings_is_not_talked_to() -> None:
    assert best([model("nomic-embed-text:latest", "137M", chats=False)]) == (
        None,
        "it has no model to chat with",
    )
    with serving(
        quiet, {"models": [{"name": "nomic-embed-text:latest", "details": {"family": "nomic-bert"}}]}
    ) as stub:
        assert [one.chats for one in held(address(stub.host))] == [False]


def test_what_the_evals_found_is_read_and_belongs_to_one_digest(tmp_path: Path) -> None:
    lines = [
        {"name": "small:0.5b", "digest": "aaaa", "passed": True, "score": 0.98, "date": "2026-09-01"},
        {"name": "small:1.5b", "digest": "0000", "passed": True, "score": 0.99},
    ]
    (tmp_path / "models.json").write_text(json.dumps({"models": lines}))
    here = settings(tmp_path)
    with serving(quiet) as stub:
        found = held(address(stub.host), evaluated=read_evaluated(here.evaluated))
        assert [one.evaluated is not None for one in found] == [True, False]
        assert default(found, here)[0] == "small:0.5b"


def test_a_file_of_results_that_is_none_says_what_to_do(tmp_path: Path) -> None:
    assert read_evaluated(tmp_path / "models.json") == []
    (tmp_path / "models.json").write_text('{"models": [{"name": 3}]}')
    with pytest.raises(Invalid, match="remove it, or run the evals again"):
        read_evaluated(tmp_path / "models.json")


def test_details_are_asked_for_where_they_are_shown() -> None:
    with serving(quiet) as stub:
        found = held(address(stub.host), details=True)
    assert [(one.context, one.loaded) for one in found] == [(32768, True), (32768, False)]


# --- where it is ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("localhost", "http://localhost:11434"),
        ("127.0.0.1:9", "http://127.0.0.1:9"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("[::]:8080", "http://[::1]:8080"),
        ("http://localhost", "http://localhost:80"),
        ("https://localhost/ollama/", "https://localhost:443/ollama"),
        ("[::1]:9", "http://[::1]:9"),
    ],
)
def test_an_address_is_read_as_ollama_reads_it(text: str, url: str) -> None:
    assert address(text).url == url


@pytest.mark.parametrize("text", ["localhost:port", "ftp://localhost", "localhost:99999", "[::1"])
def test_what_is_no_address_says_how_to_write_one(text: str) -> None:
    with pytest.raises(Invalid, match="write it as"):
        address(text)


def test_an_ip_is_of_this_machine_only_if_it_is_loopback() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1")))
    elsewhere = ("10.0.0.1", "0.0.0.0", "::", "::ffff:10.0.0.1", "fe80::1%eth0", "localhost", "")
    assert not any(map(is_loopback, elsewhere))


def test_a_name_is_what_it_resolves_to(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolved(*ips: str) -> bool:
        entries = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 0)) for ip in ips]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: entries)
        return is_here("models.clinic")

    assert resolved("127.0.0.1")
    assert not resolved("127.0.0.1", "10.0.0.4")
    assert not resolved()


def test_trouble_is_one_line() -> None:
    assert str(ModelTrouble("failed", "two\n  lines")) == "two lines"
