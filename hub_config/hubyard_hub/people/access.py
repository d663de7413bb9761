"""Access: the hub's half of a departure, done inside the hub.

The platform asks for it again and again until nothing is left; each time the hub ends
what it can at once, begins to stop what runs, and says what it still has. Only what
stands in a departure is ended, whoever asks.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from jupyterhub import orm
from jupyterhub.utils import maybe_future, new_token
from nativeauthenticator import NativeAuthenticator

from hubyard.contract.errors import HubyardError
from hubyard.contract.workload import Kind, ServerName
from hubyard_hub.workloads.hub_client import Access

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from hubyard_hub.people.departures import Terms

Handler = User = Spawner = Session = Any
"""JupyterHub's own: what they are given at run time, their classes do not say."""

_LOG = logging.getLogger(__name__)
_SERVING = {Kind.ENDPOINT, Kind.APP}
_stops: set[asyncio.Future[Any]] = set()
"""Stops under way: a task that nobody holds may be thrown away."""


async def end_access(handler: Handler, terms: Terms, moment: datetime) -> Access:
    """End sessions, tokens and shares, begin to stop servers, delete who has left."""
    name: str = terms.row["name"]
    _end_sign_in(handler, name, is_final=terms.is_final)
    user = handler.find_user(name)
    if user is None:
        return Access(gone=True, servers=0)
    ends_serving = terms.ends_serving(moment)
    running = [s for s in user.spawners.values() if s.active]
    ending = [s for s in running if ends_serving or not _serves(s)]
    revoke(handler.db, user, [s for s in running if s not in ending])
    for spawner in ending:
        _begin_stop(handler, user, spawner)
    if running or not terms.is_final:
        return Access(gone=False, servers=len(ending))
    await delete_user(handler, user)
    return Access(gone=True, servers=0)


async def delete_user(handler: Handler, user: User) -> None:
    """Delete a user of whom nothing runs, as the hub's own API does it."""
    await maybe_future(handler.authenticator.delete_user(user))
    await user.delete_spawners()
    handler.users.delete(user)


def revoke(db: Session, user: User, kept: list[Spawner]) -> None:
    """End every session and token of somebody, but those of some servers.

    Also what others have shared with them, and logins that are under way.
    """
    for token in _rows(db, orm.APIToken, user):
        if not any(_is_of(token, spawner) for spawner in kept):
            db.delete(token)
    for table in (orm.OAuthCode, orm.Share):
        for row in _rows(db, table, user):
            db.delete(row)
    end_sessions(user)
    db.commit()


def end_sessions(user: User) -> None:
    """Make the cookies of every browser worthless; the caller commits."""
    user.orm_user.cookie_id = new_token()


def end_other_sessions(handler: Handler, name: str) -> None:
    """End every session of somebody but the one that asks; tokens made by hand stay."""
    user = handler.find_user(name)
    if user is None:
        return
    for token in _rows(handler.db, orm.APIToken, user):
        if token.session_id:
            handler.db.delete(token)
    for code in _rows(handler.db, orm.OAuthCode, user):
        handler.db.delete(code)
    end_sessions(user)
    handler.db.commit()
    asking = handler.current_user
    if asking is not None and asking.kind == "user" and asking.name == name:
        handler.set_login_cookie(user)


def _rows(db: Session, table: Any, user: User) -> Iterator[Any]:  # noqa: ANN401  any table of the hub
    return iter(db.query(table).filter_by(user_id=user.id).all())


def _end_sign_in(handler: Handler, name: str, *, is_final: bool) -> None:
    """Take from our own authenticator what a password opens; others are asked later."""
    authenticator = handler.authenticator
    if not isinstance(authenticator, NativeAuthenticator):
        return
    info = authenticator.get_user(name)
    if info is None:
        return
    if is_final:
        handler.db.delete(info)
    elif info.is_authorized:
        info.is_authorized = False
    handler.db.commit()


def _is_of(token: Any, spawner: Spawner) -> bool:  # noqa: ANN401  a row of the hub
    """Whether this is a server's own token, which reaches that server and its job.

    The hub keeps no link from one to the other. A person may write the same note, so
    the scopes must be those by which a gate takes a token for its server, and no more.
    """
    user = spawner.user.name
    own = {
        f"access:servers!server={user}/{spawner.name}",
        f"users:activity!user={user}",
    }
    others = {scope.partition("!")[0] for scope in set(token.scopes) - own}
    is_own = own.issubset(token.scopes) and others <= {"access:services"}
    return is_own and token.note == f"Server at {spawner.server.base_url}"


def _serves(spawner: Spawner) -> bool:
    try:
        return ServerName.parse(spawner.name).kind in _SERVING
    except HubyardError:
        return False


def _begin_stop(handler: Handler, user: User, spawner: Spawner) -> None:
    """Stop a server without waiting; one that starts is interrupted first."""
    if spawner.pending == "spawn" and spawner._spawn_future:  # noqa: SLF001  as the hub's own API
        spawner._spawn_future.cancel()  # noqa: SLF001
    if spawner.pending:
        return  # the next time that this is asked
    stop = asyncio.ensure_future(handler.stop_single_user(user, spawner.name))
    _stops.add(stop)
    stop.add_done_callback(_stopped)


def _stopped(stop: asyncio.Future[Any]) -> None:
    _stops.discard(stop)
    if not stop.cancelled() and (error := stop.exception()) is not None:
        _LOG.warning("A server of somebody who has left does not stop: %s", error)
