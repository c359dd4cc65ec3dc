"""Who may call what over HTTP, once a user was made."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from agent.administration.roles import ALL, ANYONE, APPROVE, READ, ROLES, WRITE, needs
from agent.api import session
from agent.api.app import create_app
from agent.api.doorkeeper import HEADERS
from agent.runtime.home import now
from agent.runtime.settings import read_settings
from tests.agent.conftest import Cases, Pa
from tests.agent.staff import PASSWORD, Clients, key_of, signed_in
from tools.audit.verification import verify
from tools.common.errors import Invalid, Refused
from tools.store import Store

PROCESS = "/api/orchestrator/process"


def test_until_a_user_is_made_the_door_is_the_local_owners(home: Path) -> None:
    with TestClient(create_app(read_settings()), "http://localhost") as open_:
        assert open_.get("/api/patients").status_code == 200


def test_the_first_user_is_an_admin_and_passwords_are_long(store: Store) -> None:
    with pytest.raises(Refused, match="first user is an admin"):
        store.add_user("rlee", "viewer", PASSWORD, when=now())
    with pytest.raises(Invalid, match="12 characters"):
        store.add_user("rlee", "admin", "short", when=now())


@pytest.mark.slow
def test_every_route_is_closed_to_nobody_and_open_to_those_whose_role_it_names(
    client: Clients, staffed: Store
) -> None:
    """Each is called with a body that none reads, so 401 and 403 come of who calls alone."""
    nobody = client()
    keys = {role: key_of(staffed, role, *ALL) for role in ROLES}
    paths = nobody.app.openapi()["paths"] | {"/": ["get"], "/docs": ["get"], "/openapi.json": ["get"]}  # type: ignore[attr-defined]
    assert len(paths) > 40
    for template, methods in paths.items():
        path = template.replace("{draft_id}", "1").replace("{", "").replace("}", "")
        for method in map(str.upper, methods):
            wanted = needs(method, path)
            if wanted == ANYONE:
                assert path.startswith(("/sign-in", "/sign-out"))
                continue
            assert nobody.request(method, path, json={"no": "such"}).status_code == 401, (method, path)
            assert method == "GET" or path == "/api/denials/read" or wanted not in ROLES["viewer"]
            for role, may in ROLES.items():
                if wanted not in may:
                    answered = nobody.request(method, path, json={"no": "such"}, headers=keys[role])
                    assert answered.status_code == 403, (role, method, path, answered.text)


def test_what_nobody_may_see_is_answered_as_what_is_not_there(client: Clients, cases: Cases) -> None:
    there, nowhere = (client().get(f"/api/patients/{id}") for id in (cases["ready"].patient_id, "P999999"))
    assert (there.status_code, there.content, sorted(there.headers)) == (
        nowhere.status_code, nowhere.content, sorted(nowhere.headers),
    )  # fmt: skip
    assert client().get("/api/no/such/route").status_code == 401
    assert {name: there.headers[name] for name in HEADERS} == HEADERS


def test_roles_may_what_their_row_says(client: Clients, cases: Cases, staffed: Store) -> None:
    case, by = cases["ready"], {"by": "R. Lee, CPhT"}
    asked = {"patient_id": case.patient_id, "drug": case.drug}
    viewer, specialist = signed_in(client(), "viewer"), signed_in(client(), "specialist")
    assert viewer.get(f"/api/patients/{case.patient_id}").status_code == 200
    assert viewer.post(PROCESS, json=asked).status_code == 403
    assert specialist.post(PROCESS, json=asked).status_code == 200
    assert specialist.post("/api/drafts/1/approve", json=by).status_code == 403
    assert signed_in(client(), "prescriber").post("/api/drafts/1/approve", json=by).status_code == 200
    events = {event.what: event for _, event in staffed.audit_events(case.patient_id)}
    assert (events["draft.approved"].actor.who, events["draft.approved"].actor.role) == (
        "prescriber",
        "prescriber",
    )
    assert events["draft.approved"].by == "R. Lee, CPhT"


@pytest.mark.parametrize("end", ["sign out", "signed out by an admin", "password", "role", "disabled"])
def test_a_copied_cookie_ends_with_the_session(client: Clients, staffed: Store, pa: Pa, end: str) -> None:
    kept, copied = signed_in(client(), "viewer"), client()
    copied.cookies.set(session.COOKIE, kept.cookies[session.COOKIE])
    assert copied.get("/api/plans").status_code == 200
    if end == "sign out":
        kept.post("/sign-out", data={})
    elif end == "signed out by an admin":
        assert pa("users", "sign-out", "viewer").code == 0
    else:
        change = {"password": {"password": "another horse battery"}, "role": {"role": "service"}}
        staffed.change_user("viewer", **change.get(end, {"disabled": True}))  # type: ignore[arg-type]
    assert [one.get("/api/plans").status_code for one in (kept, copied)] == [401, 401]
    assert verify(staffed).problems == ()


def test_a_session_that_is_taken_up_again_past_the_log_is_found(client: Clients, staffed: Store) -> None:
    signed_in(client(), "viewer").post("/sign-out", data={})
    with staffed.engine.connect() as connection:
        connection.exec_driver_sql("UPDATE sessions SET ended = 0").close()
    assert "sessions/" in verify(staffed).problems[0]


def test_a_cookie_is_for_this_server_alone_and_ends_after_half_an_hour_of_nothing_and_after_twelve_hours(
    client: Clients, staffed: Store
) -> None:
    made = client()
    sent = made.post("/sign-in", data={"name": "viewer", "password": PASSWORD}).headers["set-cookie"]
    assert {"samesite=strict", "httponly"} <= set(map(str.casefold, sent.split("; ")))
    began, token = now(), made.cookies[session.COOKIE]
    for minutes in range(20, 12 * 60 - 1, 20):
        assert staffed.session(token, began + timedelta(minutes=minutes)), minutes
    assert staffed.session(token, began + timedelta(hours=12, minutes=1)) is None
    assert staffed.session(staffed.begin_session("viewer", began), began + timedelta(minutes=31)) is None
    assert verify(staffed).problems == ()
    forged = client()
    forged.cookies.set(session.COOKIE, "eyJ1c2VyIjogImFkbWluIn0=.aaaa.bbbb")
    assert forged.get("/api/plans").status_code == 401


def test_a_key_opens_what_its_scopes_and_its_user_may_until_it_is_over(
    client: Clients, staffed: Store
) -> None:
    made = client()
    read = key_of(staffed, "specialist", READ)
    assert made.get("/api/plans", headers=read).status_code == 200
    assert made.post(PROCESS, json={}, headers=read).status_code == 403
    more = key_of(staffed, "viewer", READ, WRITE, APPROVE)
    assert made.post(PROCESS, json={}, headers=more).status_code == 403, "no more than its user"
    assert made.get("/api/plans", headers=key_of(staffed, "viewer", READ, days=-1)).status_code == 401
    staffed.revoke_key(read["authorization"].split("_")[1])
    answered = [made.get("/api/plans", headers=key).status_code for key in (read, more)]
    assert answered == [401, 200]


def test_a_wrong_password_is_told_as_a_wrong_name_and_the_sixth_try_waits(client: Clients) -> None:
    made = client()
    wrong = [made.post("/sign-in", data={"name": name, "password": "x"}) for name in ("viewer", "nobody")]
    assert wrong[0].status_code == 401 and wrong[0].content == wrong[1].content
    for _ in range(4):
        made.post("/sign-in", data={"name": "viewer", "password": "x"})
    assert made.post("/sign-in", data={"name": "viewer", "password": PASSWORD}).status_code == 429


def test_the_printed_link_signs_the_owner_in_once_and_within_ten_minutes(
    client: Clients, staffed: Store
) -> None:
    made, there = client(), session.link(staffed, "", "admin")
    assert client().get(f"{there}x").status_code == 401
    assert made.get(there).status_code == 303 and made.get("/api/plans").status_code == 200
    assert client().get(there).status_code == 401
    later = staffed.begin_session("admin", now() - timedelta(minutes=10), link=True)
    assert client().get(f"/sign-in?token={later}").status_code == 401
    no_cookie = client()
    no_cookie.cookies.set(session.COOKIE, staffed.begin_session("admin", now(), link=True))
    assert no_cookie.get("/api/plans").status_code == 401


def test_neither_password_nor_key_nor_cookie_lies_in_the_store(staffed: Store, home: Path) -> None:
    cookie = staffed.begin_session("viewer", now())
    told = key_of(staffed, "viewer", READ)["authorization"].split("_", 2)[2]  # it may hold "_" itself
    content = b"".join(path.read_bytes() for path in home.glob("paladin.db*") if path.is_file())
    assert not [one for one in (PASSWORD, told, cookie) if one.encode() in content]


def test_a_browser_can_send_the_sign_in_form_and_does_not_keep_whose_name_signs(client: Clients) -> None:
    made = client()
    assert made.get("/sign-in").headers["referrer-policy"] == "same-origin"  # else its origin is "null"
    answered = made.post("/sign-in", data={"name": "reviewer", "password": PASSWORD})
    assert any(one.startswith('who="";') for one in answered.headers.get_list("set-cookie"))
