"""How things travel: bodies as bytes from msgspec, errors as problem+json, schemas for OpenAPI."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import date
from functools import wraps
from inspect import iscoroutinefunction
from pathlib import PurePath
from typing import Annotated, Any, TypeVar, get_type_hints

import msgspec
from fastapi import APIRouter, Depends, FastAPI, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException

from agent.runtime.dump import plain
from agent.runtime.settings import BIGGEST, judgeable
from tools.common.errors import Correctable, Invalid, NotFound, Outdated, PaladinError, Refused, Unavailable
from tools.common.printable import escaped
from tools.common.structs import DAMAGED, STORED_UNREADABLE
from tools.domain.records import Determination, Finding
from tools.lifecycle.renewals import Need, Renewal

T = TypeVar("T")
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
Responses = dict[int | str, dict[str, Any]]
DEEPEST, LONGEST_LIST, LONGEST_TEXT = 32, 10_000, 100_000  # of a JSON body: levels, entries, characters
LONGEST_DETAIL = 2_000  # characters; a value that is refused is named, not sent back whole
Number = Annotated[int, Path(ge=1, le=BIGGEST)]  # of a draft, a case, a batch, a chart's version or entry
AsOf = Annotated[
    date | None, Query(description="Default: today; the day of its world for a chart that was made")
]
JSON, PROBLEM, PDF = "application/json", "application/problem+json", "application/pdf"
BYTES, STREAM = "application/octet-stream", "text/event-stream"
MEDIA = {  # of files, by their suffix
    ".pdf": PDF,
    ".json": JSON,
    ".csv": "text/csv; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
    ".md": "text/markdown; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}
FILE = {"type": "string", "format": "binary"}  # the schema of a file
RETRY_AFTER = {
    "description": "Seconds until it may be tried again",
    "schema": {"type": "integer", "minimum": 1},
}
PROBLEMS = {  # by name: the status, and the title
    "not-found": (404, "There is no such thing"),
    "refused": (409, "Understood, and not done"),
    "outdated": (412, "Somebody was first"),
    "invalid": (422, "The input cannot be read as what it should be"),
    "unavailable": (503, "Something that is needed is not available"),
    "full": (429, "Too much at once"),
    "forbidden": (403, "Only this machine is let in"),
    "unknown": (401, "Nobody is let in unknown"),
    "not-yours": (403, "Not of this role"),
    "not-allowed": (405, "It is not asked in this way"),
    "too-slow": (408, "The request did not arrive in time"),
    "too-long": (413, "The body is too long"),
    "long-url": (414, "The address is too long"),
    "media": (415, "The body is of a type that is not read here"),
    "fault": (500, "A fault of Paladin itself"),
}
KINDS: dict[type[Exception], str] = {
    NotFound: "not-found",
    Outdated: "outdated",
    Refused: "refused",
    Correctable: "invalid",
    Unavailable: "unavailable",
    RequestValidationError: "invalid",
    **dict.fromkeys(STORED_UNREADABLE, "unavailable"),
}
OF_AN_ENDPOINT = ("not-found", "refused", "invalid", "unavailable")
WRITES_ONLY = ("too-slow", "too-long", "media")
BEFORE_ANY_ENDPOINT = (
    "unknown",
    "forbidden",
    "not-yours",
    "full",
    "too-slow",
    "too-long",
    "long-url",
    "media",
)


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """An error after RFC 9457. `near` are existing values that look like the one given, or what is possible instead."""

    type: str
    title: str
    status: int
    detail: str
    near: tuple[str, ...] = ()


def answer(value: Any, status: int = 200) -> Response:
    """A record, with all its fields, or plain data as a JSON response."""
    return Response(encoded(plain(value)), status, media_type=JSON)


def encoded(value: Any) -> bytes:
    """As JSON, in which what would order a terminal is an escape: some read an answer there."""
    made = msgspec.json.encode(value)
    return made if made.isascii() and b"\x7f" not in made else escaped(made.decode()).encode()


def file(content: bytes, name: str, **headers: str) -> Response:
    """A file that a browser may show in its place."""
    media = MEDIA.get(PurePath(name).suffix, BYTES)
    return Response(
        content, media_type=media, headers={"content-disposition": f'inline; filename="{name}"', **headers}
    )


def wants_stream(request: Request) -> bool:
    return STREAM in request.headers.get("accept", "")


def stream(events: AsyncIterator[bytes]) -> Response:
    """Server-sent events, as they come."""
    return StreamingResponse(events, media_type=STREAM, headers={"cache-control": "no-store"})


def sent(kind: type[T]) -> Any:
    """Stands behind a parameter of an endpoint that is read from the request's body."""

    async def read(request: Request) -> Any:
        return await body(request, kind)

    return Depends(read)


async def body(request: Request, kind: type[T]) -> T:
    """The request's body as a struct; Invalid names the field that is wrong and why."""
    raw = await request.body()
    try:
        check_bounds(msgspec.json.decode(raw or b"{}"))
        read = msgspec.json.decode(raw or b"{}", type=kind)
        check_bounds(plain(read))
        return read
    except RecursionError:
        raise Invalid(f"the body is nested deeper than {DEEPEST} levels") from None
    except msgspec.ValidationError as error:
        raise Invalid(f"the body is not a {kind.__name__}: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"the body is not JSON: {error}") from None


def check_bounds(given: Any) -> None:
    """Invalid for what is deeper, longer or wordier than anything that is asked for here, or of a day that no calendar
    goes on from."""
    level, depth = [given], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise Invalid(f"the body is nested deeper than {DEEPEST} levels")
        below = list[Any]()
        for value in level:
            if isinstance(value, str) and len(value) > LONGEST_TEXT:
                raise Invalid(f"a text has {len(value)} characters; at most {LONGEST_TEXT} are read")
            if isinstance(value, list | dict) and len(value) > LONGEST_LIST:
                raise Invalid(f"a list has {len(value)} entries; at most {LONGEST_LIST} are read")
            if isinstance(value, date):
                judgeable(value)
            if isinstance(value, dict):
                below += value
                below += value.values()
            elif isinstance(value, list):
                below += value
        level = below


def kind_of(error: BaseException) -> str:
    """The name of the problem that this error is."""
    if isinstance(error, HTTPException):
        return {403: "forbidden", 404: "not-found", 405: "not-allowed"}.get(error.status_code, "invalid")
    return next((name for kind, name in KINDS.items() if isinstance(error, kind)), "fault")


def near(error: BaseException) -> tuple[str, ...]:
    """What looks like the value that was given, or what is possible instead."""
    return error.near if isinstance(error, NotFound | Refused) else ()


def problem(error: BaseException) -> Response:
    """The error as problem+json."""
    name = kind_of(error)
    if name == "fault":
        return refuse(name, f"{type(error).__name__}; the server's log has the details")
    return refuse(name, DAMAGED if isinstance(error, STORED_UNREADABLE) else str(error), near(error))


def full(detail: str, seconds: int) -> Response:
    """429: too much is asked or waits; the caller may try again after so many seconds."""
    return refuse("full", detail, headers={"retry-after": str(seconds)})


def install(app: FastAPI) -> None:
    """Errors of every kind leave as problem+json."""

    async def known(_: Request, error: Exception) -> Response:
        return problem(error)

    async def unreadable(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        said = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        return refuse("invalid", said)

    async def refused_by_router(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        said = f"{request.method} {request.url.path}: {error.detail}; /docs lists what there is"
        kind = kind_of(error)  # a form that cannot be read is as invalid as JSON that cannot
        status = 0 if kind == "invalid" else error.status_code
        return refuse(kind, said, status=status, headers=error.headers)

    for kind in (PaladinError, *STORED_UNREADABLE):
        app.add_exception_handler(kind, known)
    app.add_exception_handler(RequestValidationError, unreadable)
    app.add_exception_handler(HTTPException, refused_by_router)
    app.add_exception_handler(Exception, known)


def refuse(
    name: str,
    detail: str,
    near: tuple[str, ...] = (),
    *,
    status: int = 0,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """What is answered instead of what was asked for, by the problem's name."""
    usual, title = PROBLEMS[name]
    said = detail if len(detail) <= LONGEST_DETAIL else f"{detail[:LONGEST_DETAIL]} …"
    told = Problem(type=f"urn:paladin:{name}", title=title, status=status or usual, detail=said, near=near)
    return Response(encoded(told), told.status, headers, media_type=PROBLEM)


# --- OpenAPI ---------------------------------------------------------------------------------------------

_REF = "#/components/schemas/{name}"
_schemas: dict[str, type] = {}


def schema(kind: Any) -> dict[str, Any]:
    """A reference to this struct's schema, which `document` then adds to the components."""
    if isinstance(kind, type):
        _schemas[kind.__name__] = kind
        return {"$ref": _REF.format(name=kind.__name__)}
    return dict(kind)


def many(kind: type) -> dict[str, Any]:
    """The schema of an array of these."""
    return {"type": "array", "items": schema(kind)}


class Router(APIRouter):
    """Routes whose functions return records or plain data, which leave as JSON; a Response leaves as it is."""

    def read(
        self, path: str, summary: str, kind: Any, description: str, *, media: str = JSON, **more: Any
    ) -> Callable[[Endpoint], Endpoint]:
        """A GET route.

        Args:
            kind: what it gives, as a struct or a JSON schema; `description` says it in words.
            more: as FastAPI's routers take it.
        """
        return self._route("GET", path, summary, gives(kind, description, media=media), **more)

    def write(
        self, path: str, summary: str, kind: Any, description: str,
        takes: type | None = None, example: Mapping[str, Any] | None = None, *, media: str = JSON, **more: Any,
    ) -> Callable[[Endpoint], Endpoint]:  # fmt: skip
        """A POST route, whose body is a struct of the kind `takes`, e.g. `example`, where it has one."""
        responses = gives(kind, description, media=media) | more.pop("responses", {})
        if takes:
            content = {JSON: {"schema": schema(takes), "example": dict(example or {})}}
            more["openapi_extra"] = {
                "requestBody": {"required": True, "content": content},
                **more.get("openapi_extra", {}),
            }
        return self._route("POST", path, summary, responses, **more)

    def _route(
        self, method: str, path: str, summary: str, responses: Responses, **more: Any
    ) -> Callable[[Endpoint], Endpoint]:
        add = self.api_route(
            path, methods=[method], summary=summary, responses=responses, response_model=None, **more
        )

        def register(endpoint: Endpoint) -> Endpoint:
            add(_answering(endpoint))
            return endpoint

        return register


def _answering(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """The endpoint, with what it returns as a response."""

    def response(found: Any) -> Response:
        return found if isinstance(found, Response) else answer(found)

    @wraps(endpoint)
    async def awaited(**given: Any) -> Response:
        return response(await endpoint(**given))

    @wraps(endpoint)
    def called(**given: Any) -> Response:
        return response(endpoint(**given))

    return awaited if iscoroutinefunction(endpoint) else called


def gives(kind: Any, description: str, *, media: str = JSON) -> Responses:
    """`responses` of an endpoint: what it gives, and the problems that it may have."""
    content = {media: {"schema": schema(kind)}}
    return {200: {"description": description, "content": content}, **problems(OF_AN_ENDPOINT)}


def problems(names: Iterable[str]) -> Responses:
    """`responses` of these problems, for an endpoint that may have them."""
    return {PROBLEMS[name][0]: _described(name) for name in names}


def _described(name: str) -> dict[str, Any]:
    described = {"description": PROBLEMS[name][1], "content": {PROBLEM: {"schema": schema(Problem)}}}
    return described | ({"headers": {"Retry-After": RETRY_AFTER}} if name == "full" else {})


def document(app: FastAPI) -> None:
    """Serve an OpenAPI document that holds the schemas of our structs."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = made()
            _, components = msgspec.json.schema_components(list(_schemas.values()), ref_template=_REF)
            describe_as_sent(components)
            for path in found["paths"].values():
                for method, call in path.items():
                    for name in BEFORE_ANY_ENDPOINT:
                        if method != "get" or name not in WRITES_ONLY:
                            call["responses"].setdefault(str(PROBLEMS[name][0]), _described(name))
            found.setdefault("components", {}).setdefault("schemas", {}).update(components)
            app.openapi_schema = found
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def describe_as_sent(components: dict[str, Any]) -> None:
    """Records that leave with their messages in words are described as they leave."""
    for kind in (Determination, Finding, Need, Renewal):
        described = components.get(kind.__name__)
        if described is not None:
            fields = described["properties"]
            described["properties"] = {name: fields.get(name) or _in_words(kind, name) for name in kind.WIRE}
            described["required"] = [name for name in described["required"] if name in kind.WIRE]
    for name in ("Message", "Action"):
        components.pop(name, None)


def _in_words(kind: type, name: str) -> dict[str, Any]:
    words = getattr(kind, name)
    return msgspec.json.schema(get_type_hints(words.fget)["return"])
