"""The MCP door: one connection, one patient, and nothing for a client that wants more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent.enquiries import LONGEST
from agent.toolbox.mcp_server import MOST_TRIES, Connection, serve
from tests import worlds
from tools.common.errors import NotFound
from tools.domain.records import Patient
from tools.store import Store

mcp = pytest.importorskip("mcp")

MARIA = {"name": "Maria Gomez", "birth_date": "1970-05-04"}
JOHN = {"name": "John Smith", "birth_date": "1965-11-30"}


@pytest.fixture
def home(tiny: Store, tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def store(tiny: Store) -> Store:
    return tiny


async def say(client: Any, tool: str, **given: Any) -> tuple[str, bool]:
    result = await client.call_tool(tool, given)
    return result.content[0].text, result.is_error


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_a_connection_opens_one_patient_and_keeps_it(store: Store, mode: str) -> None:
    async with mcp.Client(serve(store), mode=mode) as client:
        assert await say(client, "determine_eligibility", drug="Ozempic") == (
            "Not done: no patient is open; call open_patient with name and birth_date first.",
            True,
        )
        assert await say(client, "open_patient", **MARIA) == (
            "Open: Maria Gomez, born 1970-05-04. Ask about drugs now.",
            False,
        )
        said, error = await say(client, "open_patient", **JOHN)
        assert error and "a patient is open already" in said
        said, error = await say(client, "determine_eligibility", drug="Ozempic")
        assert said.startswith("OUTCOME: Ozempic ready.") and not error


async def test_connections_of_one_server_know_nothing_of_each_other(store: Store) -> None:
    server = serve(store)
    async with mcp.Client(server) as one:
        await say(one, "open_patient", **MARIA)
        async with mcp.Client(server) as other:
            said, error = await say(other, "patient_chart")
            assert error and "no patient is open" in said
            await say(other, "open_patient", **JOHN)
            assert "John Smith" in (await say(other, "patient_chart"))[0]
        assert "Maria Gomez" in (await say(one, "patient_chart"))[0]


async def test_no_schema_has_a_patients_id_and_the_same_table_is_served(store: Store) -> None:
    from agent.toolbox.tools import table

    async with mcp.Client(serve(store, patient_id="P001")) as client:
        listed = (await client.list_tools()).tools
    assert [tool.name for tool in listed] == [tool.name for tool in table()]
    assert "P00" not in json.dumps([tool.input_schema for tool in listed])
    assert not any(
        "patient" in key or key == "id" for tool in listed for key in tool.input_schema["properties"]
    )


async def test_a_patient_bound_at_the_start_cannot_be_changed(store: Store) -> None:
    async with mcp.Client(serve(store, patient_id="P001")) as client:
        with pytest.raises(mcp.MCPError, match="no tool 'open_patient'"):
            await client.call_tool("open_patient", JOHN)
        assert "Maria Gomez" in (await say(client, "patient_chart"))[0]


def test_a_server_is_not_begun_for_nobody(store: Store) -> None:
    with pytest.raises(NotFound):
        serve(store, patient_id="P999")
    with pytest.raises(NotFound):
        serve(store, plan_id="NO-PLAN")


@pytest.mark.parametrize(
    "given",
    [
        {"name": "Maria Gomez", "birth_date": "1970-05-05"},
        {"name": "John Smith", "birth_date": "1970-05-04"},
        {"name": "Maria", "birth_date": "1970-05-04"},
        {"name": "M", "birth_date": "1970-05-04"},
        {"name": "%", "birth_date": "1970-05-04"},
        {"name": "P001", "birth_date": "1970-05-04"},
        {"name": "Maria Gomez' OR '1'='1", "birth_date": "1970-05-04"},
        {"name": "Maria Gomez"},
        {"name": "", "birth_date": ""},
        {"name": ["Maria Gomez"], "birth_date": "1970-05-04"},
        {"name": "x" * 100_000, "birth_date": "1970-05-04"},
        {"name": "Maria Gomez", "birth_date": "1970-05-04", "patient_id": "P002"},
        {"patient_id": "P001"},
    ],
)
async def test_name_and_birth_date_must_fit_together(store: Store, given: dict[str, Any]) -> None:
    async with mcp.Client(serve(store)) as client:
        said, error = await say(client, "open_patient", **given)
        assert error and len(said) <= LONGEST
        assert "P00" not in said.replace(str(given.get("name"))[:60], "")
        assert (await say(client, "patient_chart"))[1]


async def test_two_patients_of_one_name_and_birth_date_are_nobody(store: Store) -> None:
    born = worlds.p001().birth_date
    twin = worlds.imported(
        store, Patient(id="", given="Maria", family="Gomez", birth_date=born, source="test:twin")
    )
    async with mcp.Client(serve(store)) as client:
        said, error = await say(client, "open_patient", **MARIA)
    assert error and "more than one patient" in said and twin.id not in said


async def test_guessing_names_ends(store: Store) -> None:
    held = Connection(store)
    async with mcp.Client(serve(store)) as client:
        for _ in range(MOST_TRIES):
            assert (await say(client, "open_patient", name="Jane Roe", birth_date="1970-01-01"))[1]
        said, error = await say(client, "open_patient", **MARIA)
    assert error and "begin another connection" in said and not held.patient_id


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("patient_chart", {"part": "John Smith"}),
        ("patient_chart", {"patient_id": "P002"}),
        ("determine_eligibility", {"drug": "Ozempic for John Smith (P002)"}),
        ("determine_eligibility", {"drug": "x" * 2_000_000}),
        ("determine_eligibility", {"drug": {"$ne": ""}}),
        ("policy_search", {"drug": "Ozempic", "question": "chart of P002 " * 1000}),
        ("policy_search", {"drug": "../../P002", "question": "chart of John Smith"}),
        ("compare_drugs", {"drugs": ["Ozempic"] * 100_000}),
        ("what_if", {"drug": "Ozempic", "plan": "P002"}),
        ("what_if", {"drug": "Ozempic", "tried": "Ozempic", "tried_days": 10**18}),
    ],
)
async def test_a_hostile_client_gets_one_line_and_nobodys_chart(
    store: Store, name: str, given: dict[str, Any]
) -> None:
    async with mcp.Client(serve(store, patient_id="P001")) as client:
        said, error = await say(client, name, **given)
    assert error and len(said) <= LONGEST
    assert "M-1002" not in said and "1965-11-30" not in said and "Traceback" not in said


async def test_an_unknown_tool_is_an_error_of_the_protocol(store: Store) -> None:
    async with mcp.Client(serve(store, patient_id="P001")) as client:
        with pytest.raises(mcp.MCPError, match="no tool 'read_file'"):
            await client.call_tool("read_file", {"path": "/etc/passwd"})
        assert (await say(client, "coverage_check", drug="Ozempic"))[1] is False


# --- as a client starts it --------------------------------------------------------------------------------


def command(home: Path, *more: str) -> Any:
    return mcp.StdioServerParameters(
        command=sys.executable, args=["-m", "agent.cli", "mcp", *more], env=environment(home)
    )


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "PALADIN_HOME": str(home)}


async def test_a_real_process_answers_over_stdio(home: Path) -> None:
    async with mcp.Client(mcp.stdio_client(command(home))) as client:
        assert "open it first" in (client.instructions or "")
        assert (await say(client, "open_patient", **MARIA))[1] is False
        assert (await say(client, "whats_missing", drug="ozempic"))[0].startswith("OUTCOME: Ozempic ready.")
        assert "draft_request" in {tool.name for tool in (await client.list_tools()).tools}


@pytest.mark.slow
def test_standard_output_carries_the_protocol_only(home: Path) -> None:
    """Also what is no JSON, and a call that fails, is answered on the protocol; logs go to the other stream."""
    opening = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "0"},
    }
    search = {"name": "policy_search", "arguments": {"drug": "Ozempic", "question": "metformin"}}
    sent = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": opening},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        "no json at all",
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": search},
    ]
    lines = [line if isinstance(line, str) else json.dumps(line) for line in sent]
    with subprocess.Popen(
        [sys.executable, "-m", "agent.cli", "mcp", "--patient", "P001", "--as-of", "2026-09-01"],
        env=environment(home), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write("\n".join(lines) + "\n")
        process.stdin.flush()
        seen: list[dict[str, Any]] = []
        while not any(message.get("id") == 2 for message in seen):
            seen.append(json.loads(process.stdout.readline()))
        process.stdin.close()
        rest = process.stdout.read()
        process.wait(10)
    assert all(message["jsonrpc"] == "2.0" for message in seen) and rest == ""
    found = next(message for message in seen if message.get("id") == 2)
    assert worlds.CLAUSES[3].text in found["result"]["content"][0]["text"]


def test_a_wrong_patient_is_one_line_and_an_exit_code(
    home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from agent.cli import app

    monkeypatch.setenv("PALADIN_HOME", str(home))
    with pytest.raises(SystemExit) as left:
        app(["mcp", "--patient", "P999"])
    said = capfd.readouterr()
    assert left.value.code == 2 and said.out == "" and "no patient 'P999'" in said.err
