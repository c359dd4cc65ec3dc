"""Signing in by a provider, against a small one on loopback."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from fastapi.testclient import TestClient

from agent.api import oidc
from agent.runtime.home import now
from agent.runtime.settings import read_settings
from tests.agent.staff import Clients, signed_in
from tools.audit.verification import verify
from tools.common.errors import Invalid, Refused
from tools.store import Store

pytest.importorskip("authlib")
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

RLEE = {"sub": "7", "preferred_username": "rlee", "groups": ["staff", "pa-reviewers"]}


class AProvider:
    """Signs in whom it is told to, and keeps to PKCE: a code is worth something to whoever has its verifier, once."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, parameters={"kid": "1"})
        self.claims: dict[str, Any] = {}  # in the place of what is right, e.g. another nonce
        self.metadata: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.sign = lambda claims: jwt.encode({"alg": "RS256", "kid": "1"}, claims, self.key)
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer(provider.told() if "well-known" in self.path else provider.keys())

            def do_POST(self) -> None:
                form = dict(parse_qsl(self.rfile.read(int(self.headers["content-length"])).decode()))
                self.answer(provider.token(form))

            def answer(self, body: dict[str, Any] | None) -> None:
                content = json.dumps(body or {"error": "invalid_grant"}).encode()
                self.send_response(200 if body else 400)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"

    def told(self) -> dict[str, Any]:
        ways = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        return {
            "issuer": self.issuer,
            **{name: f"{self.issuer}/{way}" for name, way in ways.items()},
            **self.metadata,
        }

    def keys(self) -> dict[str, Any]:
        return {"keys": [self.key.as_dict(private=False)]}

    def authorize(self, address: str, who: dict[str, Any]) -> str:
        """Somebody signs in there: the address to which they are sent back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked | {"who": json.dumps(who)}
        back = urlsplit(asked["redirect_uri"])
        return f"{back.path}?code={code}&state={asked['state']}"

    def token(self, form: dict[str, str]) -> dict[str, Any] | None:
        begun = self.codes.pop(form.get("code", ""), None)
        proof = (
            urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).decode().rstrip("=")
        )
        if begun is None or proof != begun["code_challenge"]:
            return None
        moment = int(time.time())
        right = {"iss": self.issuer, "aud": begun["client_id"], "iat": moment, "exp": moment + 60}
        claims = right | {"nonce": begun["nonce"]} | json.loads(begun["who"]) | self.claims
        return {"access_token": "a", "token_type": "Bearer", "id_token": self.sign(claims)}


@pytest.fixture
def provider(home: Path) -> Iterator[AProvider]:
    """A provider that this home names, whose reviewers review here and whose northerners are of another practice."""
    made = AProvider()
    Thread(target=made.server.serve_forever, daemon=True).start()
    configure(home, issuer=made.issuer)
    yield made
    made.server.shutdown()
    made.server.server_close()


def configure(home: Path, **other: Any) -> None:
    roles = {"pa-admins": "admin", "pa-reviewers": "reviewer", "staff": "viewer"}
    said = {
        "issuer": "http://127.0.0.1:1",
        "client_id": "paladin",
        "roles": roles,
        "practices": {"north": "north"},
    }
    (home / "oidc.json").write_text(json.dumps(said | other))


def come_back(browser: TestClient, provider: AProvider, who: dict[str, Any]) -> tuple[int, str]:
    """Go to the provider, sign in there and come back: status and text."""
    there = browser.get("/sign-in/oidc")
    assert there.status_code == 302, there.text
    answered = browser.get(provider.authorize(there.headers["location"], who))
    return answered.status_code, answered.text


def test_a_provider_signs_in_with_the_role_of_the_first_group_that_has_one(
    client: Clients, staffed: Store, provider: AProvider
) -> None:
    browser = client()
    assert "/sign-in/oidc" in browser.get("/sign-in").text
    assert come_back(browser, provider, RLEE)[0] == 200
    assert browser.get("/api/plans").status_code == 200
    assert (staffed.user("rlee").role, staffed.user("rlee").practice) == ("reviewer", "")
    events = [event for _, event in staffed.audit_events()]
    assert [event.what for event in events if event.of.startswith("rlee")] == ["user.added", "session.begun"]
    assert verify(staffed).problems == ()


def test_role_and_practice_follow_the_provider_and_the_old_session_ends(
    client: Clients, staffed: Store, provider: AProvider
) -> None:
    first, second = client(), client()
    come_back(first, provider, RLEE)
    come_back(second, provider, RLEE | {"preferred_username": "renamed", "groups": ["pa-admins", "north"]})
    user = staffed.user("rlee")
    assert (user.role, user.practice) == ("admin", "north")
    assert [one.get("/api/plans").status_code for one in (first, second)] == [
        401,
        503,
    ]  # north has no store yet
    assert verify(staffed).problems == ()


@pytest.mark.parametrize(
    "who",
    [
        {"groups": ["strangers"]},
        {"groups": []},
        {"groups": None},
        {"preferred_username": ""},
        {"preferred_username": "admin"},  # is somebody here already
        {"preferred_username": "x" * 101},
    ],
)
def test_whom_the_provider_knows_and_nobody_here_wants_is_not_signed_in(
    client: Clients, staffed: Store, provider: AProvider, who: dict[str, Any]
) -> None:
    browser, before = client(), staffed.users()
    assert come_back(browser, provider, RLEE | who)[0] == 401
    assert browser.get("/api/plans").status_code == 401 and staffed.users() == before


def test_who_is_shut_out_here_stays_out_and_no_password_opens_a_providers_user(
    client: Clients, staffed: Store, provider: AProvider
) -> None:
    come_back(client(), provider, RLEE)
    kept = staffed.sign_in(
        "rlee", "provider " + sha256(json.dumps([provider.issuer, "7"]).encode()).hexdigest()
    )
    assert kept is None
    staffed.change_user("rlee", disabled=True)
    status, said = come_back(client(), provider, RLEE)
    assert status == 401 and "rlee is shut out" in said


@pytest.mark.parametrize(
    "claims",
    [{"nonce": "other"}, {"aud": "other"}, {"iss": "http://127.0.0.1:1"}, {"exp": 1}, {"sub": None}],
    ids=lambda claims: next(iter(claims)),
)
def test_a_token_that_is_not_for_this_sign_in_is_none(
    client: Clients, provider: AProvider, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    assert come_back(client(), provider, RLEE)[0] == 401


def test_a_token_that_the_provider_did_not_sign_is_none(client: Clients, provider: AProvider) -> None:
    public = OctKey.import_key(json.dumps(provider.keys()))
    stranger = RSAKey.generate_key(2048, parameters={"kid": "1"})
    provider.metadata = {"id_token_signing_alg_values_supported": ["none", "HS256", "RS256"]}
    header = urlsafe_b64encode(b'{"alg":"none","kid":"1"}').decode().rstrip("=")
    for sign in (
        lambda claims: jwt.encode({"alg": "RS256", "kid": "1"}, claims, stranger),
        lambda claims: jwt.encode({"alg": "HS256", "kid": "1"}, claims, public),
        lambda claims: f"{header}.{urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.",
    ):
        provider.sign = sign
        assert come_back(client(), provider, RLEE)[0] == 401


def test_a_sign_in_that_this_browser_did_not_begin_is_not_finished_and_none_is_twice(
    client: Clients, provider: AProvider
) -> None:
    begun, other = client(), client()
    back = provider.authorize(begun.get("/sign-in/oidc").headers["location"], RLEE)
    assert other.get(back).status_code == 401
    other.get("/sign-in/oidc")
    assert other.get(back).status_code == 401, "of another state"
    cookie = begun.cookies[oidc.BEGUN]
    assert begun.get(back).status_code == 200 and oidc.BEGUN not in begun.cookies
    again = client()
    again.cookies.set(oidc.BEGUN, cookie)
    assert again.get(back).status_code == 401, "the code is used"
    forged = client().get("/sign-in/oidc/back?error=x&error_description=<script>")
    assert forged.status_code == 401 and "<script" not in forged.text


def test_without_a_verifier_a_code_is_worth_nothing(client: Clients, provider: AProvider) -> None:
    there = client().get("/sign-in/oidc").headers["location"]
    code = parse_qs(urlsplit(provider.authorize(there, RLEE)).query)["code"][0]
    assert provider.token({"code": code, "code_verifier": "guessed"}) is None


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "http://127.0.0.1:2"},
        {"authorization_endpoint": "https://elsewhere.example/authorize"},
        {"authorization_endpoint": "http://login.clinic.example/authorize"},
    ],
)
def test_a_provider_that_leads_elsewhere_is_not_followed(
    client: Clients, provider: AProvider, home: Path, metadata: dict[str, Any]
) -> None:
    configure(home, issuer=provider.issuer, allowed=["login.clinic.example"])
    provider.metadata = metadata
    assert client().get("/sign-in/oidc").status_code == 401


@pytest.mark.parametrize("name", ["token_endpoint", "jwks_uri"])
def test_neither_code_nor_keys_go_past_the_machines_that_are_named(
    client: Clients, provider: AProvider, name: str
) -> None:
    provider.metadata = {name: "https://elsewhere.example/x"}
    assert come_back(client(), provider, RLEE)[0] == 401


def test_a_provider_on_another_machine_is_named_and_encrypted_or_refused(home: Path) -> None:
    there, settings = "login.clinic.example", read_settings()
    with pytest.raises(Refused, match="no provider"):
        oidc.provider_of(settings)
    for issuer, allowed in ((f"https://{there}", []), (f"http://{there}", [there]), ("nowhere", [])):
        configure(home, issuer=issuer, allowed=allowed)
        with pytest.raises(Refused, match="https alone"):
            oidc.provider_of(settings)
    configure(home, issuer=f"https://{there}", allowed=[there])
    assert oidc.provider_of(settings).roles
    assert (home / "oidc.json").stat().st_mode & 0o077 == 0
    for wrong in ({"roles": {"a": "king"}}, {"practices": {"a": "../x"}}, {"issuers": "x"}):
        configure(home, **wrong)
        with pytest.raises(Invalid):
            oidc.provider_of(settings)


def test_a_home_without_a_provider_has_only_names_and_passwords(client: Clients) -> None:
    browser = client()
    assert "oidc" not in browser.get("/sign-in").text
    assert browser.get("/sign-in/oidc").status_code == 401
    assert signed_in(browser, "viewer").get("/api/plans").status_code == 200


def test_the_first_of_all_users_is_an_admin_whoever_tells_of_them(store: Store) -> None:
    with pytest.raises(Refused, match="first user is an admin"):
        store.user_by_provider("x", "rlee", "viewer", "", when=now())
