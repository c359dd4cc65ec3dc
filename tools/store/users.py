"""Who may come in over HTTP: users with a role and a password, and the keys of programs; of both, hashes are kept."""

from __future__ import annotations

import secrets
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from tools.common.errors import Invalid, NotFound, Refused, nearest
from tools.common.printable import one_line
from tools.domain.records import Record
from tools.store import database
from tools.store.audit import Audited
from tools.store.rows import decoded, moment
from tools.store.tables import API_KEYS, USERS

if TYPE_CHECKING:
    from argon2 import PasswordHasher
    from sqlalchemy import Row

SHORTEST = 12  # characters of a password


class User(Record, frozen=True, kw_only=True):
    """Who may sign in. `stamp` changes with the password, and ends the sessions that began before."""

    name: str
    role: str
    disabled: bool = False
    created: datetime
    stamp: str = ""


class ApiKey(Record, frozen=True, kw_only=True):
    """A program's key, without the key: of whom, for what, and until when."""

    id: str
    user: str
    scopes: tuple[str, ...]
    expires: datetime
    revoked: bool = False


class Users(Audited):
    """The part of Store that keeps them."""

    def has_users(self) -> bool:
        """Whether anybody was made; until then the door is the local owner's."""
        borrowed = self.engine.raw_connection()  # asked with every request: by the driver, in half the time
        try:
            cursor = borrowed.cursor()
            cursor.execute("SELECT 1 FROM users LIMIT 1")
            return cursor.fetchone() is not None
        finally:
            borrowed.close()

    def add_user(self, name: str, role: str, password: str, *, by: str, when: datetime) -> User:
        """Make a user.

        Raises:
            Invalid: no name, or a password that is too short.
            Refused: the name is taken, or the first of all is no admin.
        """
        name = name.strip()
        if not name or name != one_line(name):
            raise Invalid("a user needs a name of one line, without control characters")
        row = {"name": name, "role": role, "password": hashed(password), "disabled": False}
        with database.writing(self.engine) as connection:
            there = list(connection.scalars(select(USERS.c.name)))
            if name in there:
                raise Refused(f"there is a user {name!r} already")
            if not there and role != "admin":
                raise Refused(
                    "the first user is an admin: from then on everybody has to sign in (--role admin)"
                )
            connection.execute(insert(USERS), row | {"created": moment(when)})
            self.record(connection, "user.added", of=f"{name}: {role}", by=by, rows=[(USERS, (name,))])
        return self.user(name)

    def change_user(
        self, name: str, *, by: str, role: str = "", password: str = "", disabled: bool | None = None
    ) -> User:
        """Give a user another role or password, or shut them out; sessions end with the next request."""
        self.user(name)
        values: dict[str, Any] = {"role": role} if role else {}
        values |= {"password": hashed(password)} if password else {}
        values |= {} if disabled is None else {"disabled": disabled}
        with database.writing(self.engine) as connection:
            connection.execute(update(USERS).where(USERS.c.name == name).values(**values))
            of = f"{name}: {', '.join(sorted(values))}"
            self.record(connection, "user.changed", of=of, by=by, rows=[(USERS, (name,))])
        return self.user(name)

    def user(self, name: str) -> User:
        """By name; NotFound names those that are near."""
        row = self._row(select(USERS).where(USERS.c.name == name))
        if row is None:
            raise NotFound("user", name, nearest(name, [one.name for one in self.users()]))
        return _user(row)

    def users(self) -> list[User]:
        """Everybody, by name."""
        return [_user(row) for row in self._rows(select(USERS).order_by(USERS.c.name))]

    def sign_in(self, name: str, password: str) -> User | None:
        """The user, if the password is theirs and they may come in. Nobody takes as long as somebody."""
        from argon2.exceptions import InvalidHashError, VerificationError

        row = self._row(select(USERS).where(USERS.c.name == name))
        try:
            _hasher().verify(row.password if row else _of_nobody(), password)
        except (VerificationError, InvalidHashError):
            return None
        return _user(row) if row and not row.disabled else None

    # --- keys of programs

    def add_key(
        self, user: str, scopes: tuple[str, ...], expires: datetime, *, by: str
    ) -> tuple[ApiKey, str]:
        """A new key of this user, and what it is: it is told now and never again."""
        self.user(user)
        id, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
        row = {"id": id, "user": user, "digest": _digest(secret), "revoked": False}
        row |= {"scopes": " ".join(scopes), "expires": moment(expires)}
        with database.writing(self.engine) as connection:
            connection.execute(insert(API_KEYS), row)
            of = f"{id} of {user}: {row['scopes']}, until {row['expires']}"
            self.record(connection, "key.added", of=of, by=by, rows=[(API_KEYS, (id,))])
        return self.key(id), f"pa_{id}_{secret}"

    def revoke_key(self, id: str, *, by: str) -> ApiKey:
        """It opens nothing any more."""
        self.key(id)
        with database.writing(self.engine) as connection:
            connection.execute(update(API_KEYS).where(API_KEYS.c.id == id).values(revoked=True))
            self.record(connection, "key.revoked", of=id, by=by, rows=[(API_KEYS, (id,))])
        return self.key(id)

    def key(self, id: str) -> ApiKey:
        """By its id."""
        keys = {key.id: key for key in self.keys()}
        if id not in keys:
            raise NotFound("key", id, nearest(id, list(keys)))
        return keys[id]

    def keys(self) -> list[ApiKey]:
        """All of them, expired and revoked ones too."""
        return [_key(row) for row in self._rows(select(API_KEYS).order_by(API_KEYS.c.id))]

    def bearer(self, given: str, now: datetime) -> tuple[User, tuple[str, ...]] | None:
        """Whose key this is and what for, if it opens anything now."""
        _, _, rest = given.partition("pa_")
        id, _, secret = rest.partition("_")
        row = self._row(select(API_KEYS).where(API_KEYS.c.id == id))
        if row is None or not secrets.compare_digest(row.digest, _digest(secret)):
            return None
        key, user = _key(row), self.user(row.user)
        if key.revoked or key.expires <= now or user.disabled:
            return None
        return user, key.scopes


def hashed(password: str) -> str:
    """Argon2id; Invalid for a password that is too short to be one."""
    if len(password) < SHORTEST:
        raise Invalid(f"a password has at least {SHORTEST} characters")
    return _hasher().hash(password)


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher()


@cache
def _of_nobody() -> str:
    return _hasher().hash(secrets.token_hex(16))


def _digest(secret: str) -> str:
    """Of 256 random bits, which nobody guesses however fast the hash is."""
    return sha256(secret.encode()).hexdigest()


def _user(row: Row[Any]) -> User:
    return decoded(User, row, stamp=_digest(row.password)[:16])


def _key(row: Row[Any]) -> ApiKey:
    return decoded(ApiKey, row, scopes=row.scopes.split())
