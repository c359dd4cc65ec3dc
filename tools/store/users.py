"""Who may come in over HTTP: users with a role and a password, the keys of programs, and who is signed in; of
passwords, keys and sessions, hashes are kept: of 256 random bits fast ones, which nobody guesses either."""

from __future__ import annotations

import secrets
from contextlib import closing, suppress
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, and_, delete, insert, select, true, update
from sqlalchemy.exc import DBAPIError

from tools.common.errors import Invalid, NotFound, Refused, nearest
from tools.common.printable import one_line
from tools.domain.records import Record
from tools.store import database
from tools.store.audit import Audited, Key
from tools.store.provenance import digest
from tools.store.rows import decoded, moment, row_of
from tools.store.tables import API_KEYS, PRACTICE_MEMBERS, SESSIONS, USERS

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST = 12  # characters of a password
# Of a session, and of a link.
IDLE, LONGEST, LINK = timedelta(minutes=30), timedelta(hours=12), timedelta(minutes=10)
SEEN_EVERY = timedelta(minutes=1)
# By which clocks may differ; what lies further ahead is from before a clock went back.
AHEAD = timedelta(minutes=5)
_OF_PROVIDER = "provider "  # in the place of a hash: whose identity there follows
_USER = select(USERS, PRACTICE_MEMBERS.c.practice).outerjoin(
    PRACTICE_MEMBERS, PRACTICE_MEMBERS.c.user == USERS.c.name
)
_SESSION = _USER.add_columns(SESSIONS.c.began, SESSIONS.c.seen).join(
    SESSIONS, SESSIONS.c.user == USERS.c.name
)


class User(Record, frozen=True, kw_only=True):
    """Who may sign in, and to whose charts: `practice` is "" for those of the server's own home."""

    name: str
    role: str
    disabled: bool = False
    created: datetime
    practice: str = ""


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
        # Asked with every request: by the driver, in half the time.
        with closing(self.engine.raw_connection()) as borrowed, closing(borrowed.cursor()) as cursor:
            cursor.execute("SELECT 1 FROM users LIMIT 1")
            return cursor.fetchone() is not None

    def add_user(self, name: str, role: str, password: str, *, when: datetime, practice: str = "") -> User:
        """Make a user.

        Raises:
            Invalid: no name, or a password that is too short.
            Refused: the name is taken, or the first of all is no admin of this home.
        """
        name = name.strip()
        if not name or name != one_line(name):
            raise Invalid("a user needs a name of one line, without control characters")
        return self._add(User(name=name, role=role, created=when, practice=practice), hashed(password))

    def _add(self, user: User, password: str) -> User:
        with database.writing(self.engine) as connection:
            there = list(connection.scalars(select(USERS.c.name)))
            if user.name in there:
                raise Refused(f"there is a user {user.name!r} already")
            if not there and (user.role != "admin" or user.practice):
                admin = "the first user is an admin: from then on everybody has to sign in (--role admin)"
                raise Refused(admin)
            connection.execute(insert(USERS), row_of(user, "practice", password=password))
            rows: list[Key] = [(USERS, (user.name,))]
            rows += _put_into(connection, user.name, user.practice) if user.practice else ()
            self.record(
                connection, "user.added", of=f"{user.name}: {_told(user.role, user.practice)}", rows=rows
            )
        return self.user(user.name)

    def change_user(
        self, name: str, *, role: str = "", password: str = "", disabled: bool | None = None
    ) -> User:
        """Give a user another role or password, or shut them out; their sessions end."""
        self.user(name)
        values = {
            "role": role or None,
            "password": hashed(password) if password else None,
            "disabled": disabled,
        }
        changed = {what: value for what, value in values.items() if value is not None}
        return self._change(name, changed, f"{name}: {', '.join(sorted(changed))}")

    def user_by_provider(self, identity: str, name: str, role: str, practice: str, *, when: datetime) -> User:
        """The user of this identity at a provider: made by this name, or brought to this role and practice, which ends
        their sessions.

        Raises:
            Refused: the name is somebody else's, the user is shut out, or the first of all is no admin of this home.
        """
        kept = _OF_PROVIDER + identity
        row = self._row(_USER.where(USERS.c.password == kept))
        if row is None:
            return self._add(User(name=name, role=role, created=when, practice=practice), kept)
        user = _user(row)
        if user.disabled:
            raise Refused(f"{user.name} is shut out")
        if (user.role, user.practice) == (role, practice):
            return user
        of = f"{user.name}: {_told(role, practice)}, as the provider says"
        return self._change(user.name, {"role": role}, of, practice=practice)

    def _change(self, name: str, values: dict[str, Any], of: str, *, practice: str | None = None) -> User:
        rows: list[Key] = [(USERS, (name,))]
        with database.writing(self.engine) as connection:
            connection.execute(update(USERS).where(USERS.c.name == name).values(**values))
            if practice is not None:
                rows += _put_into(connection, name, practice)
            rows += _end(connection, SESSIONS.c.user == name)
            self.record(connection, "user.changed", of=of, rows=rows)
        return self.user(name)

    def user(self, name: str) -> User:
        """By name; NotFound names those that are near."""
        if row := self._row(_USER.where(USERS.c.name == name)):
            return _user(row)
        raise NotFound("user", name, nearest(name, [one.name for one in self.users()]))

    def users(self) -> list[User]:
        """Everybody, by name."""
        return [_user(row) for row in self._rows(_USER.order_by(USERS.c.name))]

    def sign_in(self, name: str, password: str) -> User | None:
        """The user, if the password is theirs and they may come in. Nobody takes as long as somebody."""
        from argon2.exceptions import InvalidHashError, VerificationError

        row = self._row(_USER.where(USERS.c.name == name))
        try:
            _hasher().verify(row.password if row else _of_nobody(), password)
        except (VerificationError, InvalidHashError):
            return None
        return _user(row) if row and not row.disabled else None

    # --- sessions

    def begin_session(self, user: str, when: datetime, *, link: bool = False) -> str:
        """What the cookie of a new session says, or the link that begins one; what is over is cleared away."""
        token = secrets.token_urlsafe(32)
        with database.writing(self.engine) as connection:
            over = delete(SESSIONS).where(SESSIONS.c.began <= moment(when - LONGEST))
            gone = connection.scalars(over.returning(SESSIONS.c.digest)).all()
            began = {"digest": digest(token.encode()), "began": moment(when), "seen": moment(when)}
            connection.execute(insert(SESSIONS), began | {"user": user, "link": link, "ended": False})
            what = "link.made" if link else "session.begun"
            rows: list[Key] = [(SESSIONS, (one,)) for one in (*gone, digest(token.encode()))]
            self.record(connection, what, of=user, rows=rows)
        return token

    def session(self, token: str, now: datetime) -> User | None:
        """Who is signed in by this cookie; that they were seen keeps it from ending."""
        this = SESSIONS.c.digest == digest(token.encode())
        row = self._row(_SESSION.where(_is_open(now), this, _within(SESSIONS.c.seen, now, IDLE)))
        if row is None:
            return None
        if row.seen <= moment(now - SEEN_EVERY):
            # A full disk ends it, in time.
            with suppress(DBAPIError), database.writing(self.engine) as connection:
                connection.execute(update(SESSIONS).where(this).values(seen=moment(now)))
        return _user(row)

    def take_link(self, token: str, now: datetime) -> User | None:
        """Whom a link signs in, the first time that it is followed."""
        chosen = SESSIONS.c.digest == digest(token.encode())
        row = self._row(_SESSION.where(_is_open(now, link=True), chosen))
        if row is None:
            return None
        with database.writing(self.engine) as connection:
            ended = _end(connection, chosen)
            if ended:  # and nobody was faster
                self.record(connection, "link.taken", of=row.name, rows=ended)
        return _user(row) if ended else None

    def end_session(self, token: str) -> None:
        """It signs nobody in any more, whoever holds its cookie."""
        with database.writing(self.engine) as connection:
            ended = _end(connection, SESSIONS.c.digest == digest(token.encode()))
            if ended:
                self.record(connection, "session.ended", rows=ended)

    def end_sessions(self, user: str = "") -> None:
        """All of a user, or of everybody."""
        with database.writing(self.engine) as connection:
            ended = _end(connection, SESSIONS.c.user == user if user else true())
            self.record(connection, "session.ended", of=user or "all", rows=ended)

    # --- keys of programs

    def add_key(self, user: str, scopes: tuple[str, ...], expires: datetime) -> tuple[ApiKey, str]:
        """A new key of this user, and what it is: it is told now and never again."""
        self.user(user)
        id, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
        key, said = ApiKey(id=id, user=user, scopes=scopes, expires=expires), " ".join(scopes)
        with database.writing(self.engine) as connection:
            connection.execute(insert(API_KEYS), row_of(key, scopes=said, digest=digest(secret.encode())))
            of = f"{id} of {user}: {said}, until {moment(expires)}"
            self.record(connection, "key.added", of=of, rows=[(API_KEYS, (id,))])
        return self.key(id), f"pa_{id}_{secret}"

    def revoke_key(self, id: str) -> ApiKey:
        """It opens nothing any more."""
        self.key(id)
        with database.writing(self.engine) as connection:
            connection.execute(update(API_KEYS).where(API_KEYS.c.id == id).values(revoked=True))
            self.record(connection, "key.revoked", of=id, rows=[(API_KEYS, (id,))])
        return self.key(id)

    def key(self, id: str) -> ApiKey:
        """By its id."""
        keys = {key.id: key for key in self.keys()}
        if found := keys.get(id):
            return found
        raise NotFound("key", id, nearest(id, list(keys)))

    def keys(self) -> list[ApiKey]:
        """All of them, expired and revoked ones too."""
        return [_key(row) for row in self._rows(select(API_KEYS).order_by(API_KEYS.c.id))]

    def bearer(self, given: str, now: datetime) -> tuple[User, tuple[str, ...]] | None:
        """Whose key this is and what for, if it opens anything now."""
        _, _, rest = given.partition("pa_")
        id, _, secret = rest.partition("_")
        row = self._row(select(API_KEYS).where(API_KEYS.c.id == id))
        if row is None or not secrets.compare_digest(row.digest, digest(secret.encode())):
            return None
        key, user = _key(row), self.user(row.user)
        if key.revoked or key.expires <= now or user.disabled:
            return None
        return user, key.scopes


def _is_open(now: datetime, *, link: bool = False) -> Any:
    """Of a session, or of a link: it began not long ago, nobody ended it, and its user may come in."""
    began = _within(SESSIONS.c.began, now, LINK if link else LONGEST)
    return and_(began, SESSIONS.c.link.is_(link), SESSIONS.c.ended.is_(False), USERS.c.disabled.is_(False))


def _within(column: Any, now: datetime, span: timedelta) -> Any:
    """Not longer ago than this, and not of a day that a clock knew before it went back: nothing is open for longer
    because of that."""
    return and_(column > moment(now - span), column <= moment(now + AHEAD))


def _end(connection: Connection, which: Any) -> list[Key]:
    """End the sessions and links of which this holds: their rows."""
    ended = update(SESSIONS).where(which, SESSIONS.c.ended.is_(False)).values(ended=True)
    return [(SESSIONS, (one,)) for one in connection.scalars(ended.returning(SESSIONS.c.digest))]


def _put_into(connection: Connection, user: str, practice: str) -> list[Key]:
    """The charts that a user sees from now on; "" is those of this home, which no row says."""
    connection.execute(delete(PRACTICE_MEMBERS).where(PRACTICE_MEMBERS.c.user == user))
    if practice:
        connection.execute(insert(PRACTICE_MEMBERS), {"user": user, "practice": practice})
    return [(PRACTICE_MEMBERS, (user,))]


def _told(role: str, practice: str) -> str:
    return f"{role}{f' of {practice}' if practice else ''}"


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


def _user(row: Row[Any]) -> User:
    return decoded(User, row, practice=row.practice or "")


def _key(row: Row[Any]) -> ApiKey:
    return decoded(ApiKey, row, scopes=row.scopes.split())
