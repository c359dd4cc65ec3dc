"""`pa export --deidentified`: a panel in one file, which can be read back, and a record of who took it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.agent.conftest import Pa
from tools.store.store import Store


@pytest.mark.slow
def test_a_panel_is_exported_without_identities_comes_back_and_is_recorded(
    pa: Pa, store: Store, tmp_path: Path
) -> None:
    out = tmp_path / "study.ndjson"
    done = pa("export", "--deidentified", "--out", str(out))
    lines = out.read_text("utf-8").splitlines()
    assert done.code == 0 and f"{len(lines)} charts" in done.out and "notes" in done.out
    assert len(lines) == store.count_patients()
    everyone = [store.patient(f"P{number:03}") for number in range(1, 4)]
    assert not [one.family for one in everyone if one.family in out.read_text("utf-8")]

    back = pa("fhir", "import", str(out), "--dry-run", "--json")
    assert back.code == 0 and len(json.loads(back.out)["imported"]) == len(lines)
    assert "store.exported" in pa("audit", "list").out


def test_some_of_it_as_json_and_never_a_chart_as_it_is(pa: Pa, tmp_path: Path) -> None:
    out = tmp_path / "one.ndjson"
    assert pa("export", "--deidentified", "P001", "--out", str(out), "--json").json["charts"] == 1
    refused = pa("export", "P001", "--out", str(tmp_path / "no.ndjson"))
    assert refused.code == 2 and "--deidentified" in refused.err
    assert not (tmp_path / "no.ndjson").exists()
