"""What each role may do, and what each call over HTTP needs: two tables."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import NamedTuple

READ, WRITE, REVIEW, APPROVE = "read", "write", "review", "approve"
IMPORT, AUDIT, ANYONE = "import", "audit", ""
EMERGENCY = "emergency"  # reading, with a reason, what is another practice's
ALL = (READ, WRITE, REVIEW, APPROVE, IMPORT, AUDIT, EMERGENCY)

ROLES: dict[str, tuple[str, ...]] = {
    "viewer": (READ,),
    "specialist": (READ, WRITE),
    "reviewer": (READ, WRITE, REVIEW, APPROVE),
    "prescriber": (READ, REVIEW, APPROVE, EMERGENCY),
    "admin": ALL,
    "service": (READ, WRITE, IMPORT),
}


class AccessRule(NamedTuple):
    """What a call needs whose method and path match; `*` is any text, `/` too."""

    method: str
    path: str
    needs: str


# The first that matches holds. What no line names is read with GET and written otherwise, also on pages to come.
RULES = (
    AccessRule("*", "/sign-in", ANYONE),
    AccessRule("GET", "/sign-in/oidc*", ANYONE),
    AccessRule("*", "/sign-out", ANYONE),
    AccessRule("GET", "/metrics", AUDIT),
    AccessRule("POST", "/api/fhir/import", IMPORT),
    AccessRule("POST", "/import*", IMPORT),
    AccessRule("POST", "*/drafts/*/approve", APPROVE),
    AccessRule("POST", "*/drafts/*/reject", REVIEW),
    AccessRule("POST", "*/drafts/*/edit", REVIEW),
    AccessRule("POST", "/api/denials/read", READ),
    AccessRule("GET", "*", READ),
    AccessRule("HEAD", "*", READ),
    AccessRule("OPTIONS", "*", READ),
    AccessRule("*", "*", WRITE),
)


def needs(method: str, path: str) -> str:
    """The permission that this call needs; ANYONE for none."""
    return next(
        rule.needs for rule in RULES if fnmatchcase(method, rule.method) and fnmatchcase(path, rule.path)
    )
