from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from agent.runtime.settings import read_as_of, read_settings
from tools.common.errors import Invalid, Refused


def test_a_checkout_keeps_to_itself(tmp_path: Path) -> None:
    (tmp_path / "mock_data").mkdir()
    (tmp_path / "mock_data" / "dataset.json").write_text("{}")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    settings = read_settings({}, below)
    assert settings.home == tmp_path / ".paladin"
    assert settings.data == tmp_path / "mock_data"
    assert settings.database_url == f"sqlite:///{tmp_path}/.paladin/paladin.db"


def test_elsewhere_it_is_the_users_data_folder(tmp_path: Path) -> None:
    settings = read_settings({}, tmp_path)
    assert settings.home.name == "paladin" and tmp_path not in settings.home.parents
    assert settings.data == settings.home / "world"


def test_variables_win(tmp_path: Path) -> None:
    given = {
        "PALADIN_HOME": str(tmp_path / "h"),
        "PALADIN_DATA": str(tmp_path / "w"),
        "PALADIN_DATABASE_URL": "postgresql+psycopg:///pa?host=/run/postgresql",
        "PALADIN_CATALOG": "ours",
        "PALADIN_AS_OF": "2026-10-01",
    }
    settings = read_settings(given, tmp_path)
    assert (settings.home, settings.data) == (tmp_path / "h", tmp_path / "w")
    assert settings.database_url == "postgresql+psycopg:///pa?host=/run/postgresql"
    assert (settings.catalog, settings.day()) == (Path("ours"), date(2026, 10, 1))


HOME = {"PALADIN_HOME": "/nowhere"}


@pytest.mark.parametrize(
    ("setting", "url"),
    [
        ("PALADIN_DATABASE_URL", "postgresql+psycopg://p:w@db.example:5432/pa?sslmode=require"),
        (
            "PALADIN_DATABASE_URL",
            "postgresql://p@/pa?host=127.0.0.1:5432&host=db.example:5432&sslmode=verify-full",
        ),
        ("PALADIN_REDIS_URL", "rediss://:w@db.example:6379"),
        ("PALADIN_GRAPH_URL", "falkors://:w@db.example:6380"),
        ("PALADIN_CHROMA_URL", "https://db.example"),
    ],
)
def test_a_server_on_another_machine_is_allowed_by_name_and_encrypted(setting: str, url: str) -> None:
    with pytest.raises(Refused, match=rf"{setting} names db\.example.*PALADIN_ALLOW_HOSTS=db\.example"):
        read_settings({**HOME, setting: url})
    allowed = {**HOME, "PALADIN_ALLOW_HOSTS": "other.example, DB.example"}
    read_settings({**allowed, setting: url})
    plain = url.replace("rediss", "redis").replace("falkors", "falkor").replace("https", "http")
    with pytest.raises(Refused, match=rf"{setting} sends charts to db\.example unencrypted"):
        read_settings({**allowed, setting: plain.replace("sslmode", "mode")})


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://p@localhost/pa",
        "postgresql://p@[::1]:5432/pa",
        "postgresql:///pa",
        "sqlite:////var/pa.db",
        "what",
    ],
)
def test_a_server_on_this_machine_needs_no_leave(url: str) -> None:
    assert read_settings({**HOME, "PALADIN_DATABASE_URL": url}).database_url == url


def test_a_clinics_catalog_makes_a_world_of_its_own_and_leaves_ours(tmp_path: Path) -> None:
    (tmp_path / "mock_data").mkdir()
    (tmp_path / "mock_data" / "dataset.json").write_text("{}")
    settings = read_settings({"PALADIN_CATALOG": "ours"}, tmp_path)
    assert settings.data == tmp_path / ".paladin" / "world"


def test_today_is_read_from_the_clock() -> None:
    before = date.today()
    assert before <= (read_as_of("today") or date.min) <= date.today()
    assert read_as_of("") is None


def test_a_date_that_is_none_says_how_to_write_one() -> None:
    with pytest.raises(Invalid, match=r"'01\.09\.2026' is no date: write it as 2026-09-01"):
        read_as_of("01.09.2026")


def test_a_model_is_local_and_unnamed_unless_the_surroundings_say_otherwise(tmp_path: Path) -> None:
    settings = read_settings({}, tmp_path)
    assert (settings.model, settings.ollama_host, settings.allow_remote_model) == ("", "", False)
    assert settings.num_ctx == 4096
    given = {"PALADIN_MODEL": "m:1b", "OLLAMA_HOST": "127.0.0.1:9", "PALADIN_NUM_CTX": "8192"}
    settings = read_settings(given | {"PALADIN_ALLOW_REMOTE_MODEL": "1"}, tmp_path)
    assert (settings.model, settings.ollama_host, settings.num_ctx) == ("m:1b", "127.0.0.1:9", 8192)
    assert settings.allow_remote_model


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PALADIN_NUM_CTX", "many"),
        ("PALADIN_NUM_CTX", "0"),
        ("PALADIN_NUM_CTX", "nan"),
        ("PALADIN_MODEL_SECONDS", "-1"),
        ("PALADIN_ALLOW_REMOTE_MODEL", "perhaps"),
        ("PALADIN_CALLS_PER_SECOND", "0"),
        ("PALADIN_CONNECTIONS", "0.5"),
    ],
)
def test_a_setting_that_is_none_names_itself(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(Invalid, match=f"{name} is '{value}'"):
        read_settings({name: value}, tmp_path)


def test_conversations_lie_beside_the_store(tmp_path: Path) -> None:
    settings = read_settings({"PALADIN_HOME": str(tmp_path)}, tmp_path)
    assert settings.conversations == tmp_path / "conversations.db"
