"""Signing in by an OpenID provider, as `oidc.json` in the home names it: authorization code with PKCE, state and nonce,
by Authlib. Role and practice follow from the groups that the provider tells, and from nothing that a caller sends.

A provider on another machine is asked only where `allowed` has its name, and then encrypted. What a sign-in has begun
with waits in a cookie of ten minutes, sealed with a key of this home.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
from cryptography.fernet import Fernet
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool

from agent.administration.roles import ROLES
from agent.api import session
from agent.api.context import own_context
from agent.api.doorkeeper import OURS
from agent.runtime.home import now
from agent.runtime.settings import Settings
from tools.common.errors import Invalid, PaladinError, Refused, Unavailable
from tools.common.printable import one_line
from tools.common.private import keep_private, secret_of
from tools.common.structs import read_json

if TYPE_CHECKING:
    from authlib.integrations.starlette_client import StarletteOAuth2App

KEY, BACK = "oidc.key", "/sign-in/oidc/back"
BEGUN, SECONDS = "paladin-oidc", 600  # the cookie of a sign-in that was begun, and how long it may take
LONGEST_NAME = 100
SIGNED_BY_A_KEY_PAIR = ("RS", "PS", "ES", "Ed")
DONE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=/">
<title>Signed in · Paladin</title><p>Signed in. <a href="/">Go on</a></p></html>"""
router = APIRouter(include_in_schema=False)


class Provider(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who signs people in, and what they may then: the first of `roles` and of `practices` of whose group they are.

    Who is of no group that has a role is let in nowhere; who is of none that has a practice, to this home's charts.
    """

    issuer: str
    client_id: str
    client_secret: str = ""
    allowed: tuple[str, ...] = ()  # names of machines beyond this one that may be asked
    name: str = "preferred_username"  # the claim by which people are called here
    groups: str = "groups"  # the claim that tells their groups
    roles: dict[str, str]
    practices: dict[str, str] = {}


def provider_of(settings: Settings) -> Provider:
    """The provider of this home; Refused if it has none, Invalid if the file is none, or its roles or practices."""
    file = settings.provider
    if not file.exists():
        raise Refused("this home has no provider: sign in by name and password")
    keep_private(file)  # the client's secret is in it
    found = read_json(file, Provider, "names no provider")
    for role in found.roles.values():
        if role not in ROLES:
            raise Invalid(f"{file}: {role!r} is no role; there are {', '.join(ROLES)}")
    for practice in found.practices.values():
        settings.of_practice(practice)
    require_allowed(found, found.issuer)
    return found


def require_allowed(provider: Provider, address: str) -> None:
    """Refused unless it is on this machine, or is named and encrypted."""
    url = httpx.URL(address)
    if url.host in OURS or (url.host in provider.allowed and url.scheme == "https"):
        return
    only = "it is asked by https alone, and where oidc.json names it among `allowed`"
    raise Refused(f"{url.host or address!r} is not this machine: {only}")


@router.get("/sign-in/oidc")
async def begin(request: Request) -> Response:
    """To the provider, with what it must bring back."""
    request.scope["session"] = waiting = dict[str, Any]()
    back = f"{request.url.scheme}://{request.headers['host']}{BACK}"
    try:
        provider = provider_of(own_context(request).settings)
        with _asking(provider):
            there: Response = await (await _client(provider)).authorize_redirect(request, back)
        require_allowed(provider, there.headers["location"])
    except PaladinError as error:
        return session.form(request, str(error))
    sealed, encrypted = _box(request).encrypt(json.dumps(waiting).encode()), request.url.scheme == "https"
    there.set_cookie(  # which comes back with a page of the provider's
        BEGUN, sealed.decode(), SECONDS, path="/sign-in", httponly=True, samesite="lax", secure=encrypted
    )
    return there


@router.get(BACK)
async def back(request: Request) -> Response:
    """From the provider: whom it tells of is signed in, if this browser went to it to be."""
    try:
        provider = provider_of(own_context(request).settings)
        with _asking(provider):
            begun = _box(request).decrypt(request.cookies.get(BEGUN, ""), ttl=SECONDS)
            request.scope["session"] = json.loads(begun)
            token = await (await _client(provider)).authorize_access_token(request)
            told = dict(token["userinfo"])
        user = await run_in_threadpool(_user, request, provider, told)
    except PaladinError as error:
        answer = session.form(request, str(error))
    else:
        # The cookie of a session comes with no page to which another site led, and a redirect would be one.
        answer = await run_in_threadpool(session.begin, request, user, HTMLResponse(DONE))
    answer.delete_cookie(BEGUN, path="/sign-in")
    return answer


@contextmanager
def _asking(provider: Provider) -> Iterator[None]:
    """Whatever is wrong with what a provider says or a browser brings: nobody is let in."""
    try:
        yield
    except PaladinError:
        raise
    except Exception as error:
        raise Refused(f"{provider.issuer} signed nobody in ({type(error).__name__})") from error


def _user(request: Request, provider: Provider, told: dict[str, Any]) -> str:
    """The name of the user of this identity, who is made, or brought to the role that the provider tells now."""
    name, subject = one_line(str(told.get(provider.name) or "")), str(told.get("sub") or "")
    if not (name and subject) or len(name) > LONGEST_NAME:
        raise Refused(f"{provider.issuer} tells not who that is: the claims sub and {provider.name}")
    groups = told.get(provider.groups) or ()
    groups = {groups} if isinstance(groups, str) else {one for one in groups if isinstance(one, str)}
    role, practice = (
        next((one for group, one in given.items() if group in groups), "")
        for given in (provider.roles, provider.practices)
    )
    if not role:
        raise Refused(f"{name} is of no group that has a role here")
    identity = sha256(json.dumps([provider.issuer, subject]).encode()).hexdigest()
    users = own_context(request).store
    return users.user_by_provider(identity, name, role, practice, when=now()).name


async def _client(provider: Provider) -> StarletteOAuth2App:
    """Authlib's client of this provider, which has told what it is; by the algorithms of key pairs alone."""
    try:
        from authlib.integrations.starlette_client import OAuth
    except ModuleNotFoundError as error:
        raise Unavailable(f"a provider needs {error.name}: pip install 'paladin-pa[oidc]'") from None

    async def watched(asked: httpx.Request) -> None:
        require_allowed(provider, str(asked.url))

    made = OAuth().register(
        "provider",
        client_id=provider.client_id,
        client_secret=provider.client_secret or None,
        server_metadata_url=f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid profile",
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": "client_secret_basic" if provider.client_secret else "none",
            "timeout": 10.0,
            "trust_env": False,
            "event_hooks": {"request": [watched]},
        },
    )
    metadata = await made.load_server_metadata()
    if metadata.get("issuer") != provider.issuer:
        raise Refused(f"it calls itself {metadata.get('issuer')!r}")
    algorithms = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
    by_key_pairs = [one for one in algorithms if one.startswith(SIGNED_BY_A_KEY_PAIR)]
    metadata["id_token_signing_alg_values_supported"] = by_key_pairs
    return made


def _box(request: Request) -> Fernet:
    return Fernet(urlsafe_b64encode(secret_of(own_context(request).settings.home / KEY)))
