from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from pytest import MonkeyPatch

from tests.agent.conftest import Pa, run_pa
from tests.agent.models.ollama_stub import Line, Stub, serving


def pupil(line: Line) -> None:
    """Answers what the self-test asks, at once."""
    user = line.asked["messages"][-1]["content"]
    said = "Hello."
    if line.asked.get("format"):
        said = '{"answer": "yes", "words": ["a"]}'
    elif "secret word is " in user:
        said = user.partition("secret word is ")[2].partition(".")[0]
    line.answer(said, prompt=len(" ".join(m["content"] for m in line.asked["messages"]).split()) + 20, said=4)


def stubborn(line: Line) -> None:
    line.answer("I would rather talk.")


@pytest.fixture
def models(tmp_path: Path, monkeypatch: MonkeyPatch) -> Pa:
    """Runs `pa models` in this process, with a home of its own."""
    for name in ("PALADIN_MODEL", "PALADIN_ALLOW_REMOTE_MODEL", "PALADIN_NUM_CTX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PALADIN_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "120")
    return partial(run_pa, "models")


@pytest.fixture
def stub(monkeypatch: MonkeyPatch) -> Iterator[Stub]:
    with serving(pupil) as served:
        monkeypatch.setenv("OLLAMA_HOST", served.host)
        yield served


def test_the_models_of_the_host_are_listed_with_the_one_that_is_taken(models: Pa, stub: Stub) -> None:
    code, out, _ = models()
    assert code == 0
    line = next(line for line in out.splitlines() if line.startswith("small:0.5b"))
    for word in ("0.5 GB", "qwen2 630.17M Q4_K_M", "32,768", "aaaa1111", "loaded, not evaluated"):
        assert word in line
    assert "Default: small:1.5b: the largest of 2" in out


def test_json_holds_the_same(models: Pa, stub: Stub) -> None:
    said = models("--json").json
    assert (said["default"], said["host"]) == ("small:1.5b", f"http://{stub.host}")
    assert [one["name"] for one in said["models"]] == ["small:0.5b", "small:1.5b"]


def test_what_the_surroundings_name_is_the_default(models: Pa, stub: Stub, monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setenv("PALADIN_MODEL", "small:0.5b")
    assert "Default: small:0.5b: PALADIN_MODEL says so\n" in models()[1]
    monkeypatch.setenv("PALADIN_MODEL", "big:70b")
    assert "Default: big:70b: PALADIN_MODEL says so, and the host does not have it" in models()[1]


def test_what_passed_the_evals_is_shown_and_taken(models: Pa, stub: Stub, tmp_path: Path) -> None:
    lines = [{"name": "small:0.5b", "digest": "aaaa", "passed": True, "score": 0.98}]
    (tmp_path / "models.json").write_text(json.dumps({"models": lines}))
    out = models()[1]
    assert "default, loaded, passed the evals (0.98)" in out
    assert "Default: small:0.5b: the best of the one that passed the evals" in out


def test_a_model_that_is_good_passes_the_test(models: Pa, stub: Stub) -> None:
    code, out, err = models("check", "small:0.5b")
    assert code == 0, out + err
    for name in ("answers", "schema", "speed", "same seed", "context"):
        assert any(name in line for line in out.splitlines())
    assert "small:0.5b (aaaa1111) can be used" in out


def test_one_that_keeps_to_no_schema_exits_with_1(models: Pa, monkeypatch: MonkeyPatch) -> None:
    with serving(stubborn) as served:
        monkeypatch.setenv("OLLAMA_HOST", served.host)
        code, out, _ = models("check", "small:0.5b")
        assert code == 1 and "does not keep to the JSON schema" in " ".join(out.split())
        ran = models("check", "small:0.5b", "--json")
        assert (ran.code, ran.json["passed"], ran.json["digest"]) == (1, False, "aaaa1111")


def test_a_misspelt_model_exits_with_2_and_names_the_near_one(models: Pa, stub: Stub) -> None:
    assert models("check", "smal:0.5b") == (
        2,
        "",
        "pa: no model 'smal:0.5b'; did you mean small:0.5b or small:1.5b? (`ollama pull smal:0.5b` fetches it)\n",
    )


@pytest.mark.parametrize("args", [(), ("check", "small:0.5b")])
def test_without_a_server_it_exits_with_3_and_the_command(
    models: Pa, args: tuple[str, ...], monkeypatch: MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:1")
    code, out, err = models(*args)
    assert (code, out) == (3, "")
    assert err.count("\n") == 1 and "`ollama serve`" in err


def test_a_server_elsewhere_is_not_asked(models: Pa, monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "192.0.2.7")
    code, _, err = models()
    assert code == 3 and "192.0.2.7 is not on this machine" in err
