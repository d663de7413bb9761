"""Members: MLflow's users and roles, kept as the hub has them.

A member is brought up to date by each request of theirs, with what the gate knows, and
in any case by the list of the hub's users, which is read every half a minute: so a
group that somebody has left is left here too. Where the list is older than a minute, it
is read before anything is answered on behalf of somebody. Whom the hub has no more is
forgotten, with every permission.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
import time
from typing import TYPE_CHECKING

from hubyard.contract.errors import HubyardError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow.server.auth.sqlalchemy_store import SqlAlchemyStore

    from hubyard.contract.identity import Identity
    from hubyard_hub.mlflow.users import HubUsers

_LOG = logging.getLogger(__name__)

FOLLOW_EVERY_S = 30.0
STALE_S = 60.0
# The hub forbids slashes in its users' names: no user can be mistaken for these.
BOOTSTRAP_ADMIN = "hubyard/admin"
SERVICE_PREFIX = "service/"
GROUP_PREFIX = "group/"
WORKSPACE = "default"
"""MLflow's name for the one workspace of a server without workspaces."""


class Members:
    """Keeps MLflow's users and roles as the hub has them."""

    def __init__(
        self,
        store: SqlAlchemyStore,
        users: HubUsers,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._users = users
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[bool, frozenset[str]]] = {}
        self._missing: set[str] = set()
        """Whom the last list did not name."""
        self._followed_at = float("-inf")

    @staticmethod
    def name(identity: Identity) -> str:
        """What this user or service is called in MLflow."""
        is_user = identity.kind == "user"
        return identity.name if is_user else f"{SERVICE_PREFIX}{identity.name}"

    @staticmethod
    def _state(identity: Identity) -> tuple[bool, frozenset[str]]:
        # Only a service to which the deployment gave this scope comes through the gate.
        is_admin = identity.admin or identity.kind == "service"
        return is_admin, frozenset(identity.groups)

    async def welcome(self, identity: Identity, on_behalf_of: str = "") -> None:
        """Bring MLflow up to date with one member, before it looks at their request.

        Raises:
            Unavailable: it is on behalf of somebody, and the hub does not say who
                they are now.
        """
        if on_behalf_of and self._clock() - self._followed_at > STALE_S:
            await asyncio.to_thread(self.follow)
        if self._known.get(self.name(identity)) != self._state(identity):
            await asyncio.to_thread(self._update, identity)

    def forget(self, name: str) -> None:
        """Delete a member, their permissions and roles."""
        with self._lock:
            self._known.pop(name, None)
            if self._store.has_user(name):
                self._store.delete_user(name)

    def follow_for_ever(self) -> None:
        """Follow the hub; to be called in a thread of its own."""
        pause = threading.Event()
        while not pause.wait(FOLLOW_EVERY_S):
            try:
                self.follow()
            except HubyardError as error:
                _LOG.info("MLflow's members wait: %s", error.message)
            except Exception:  # noqa: BLE001  the loop's edge: the next one may go well
                _LOG.exception("MLflow's members cannot be refreshed")

    def follow(self) -> None:
        """Bring all members to where the hub's users are, and forget who is gone.

        Whoever came while the list was read may lack in it: gone is who lacks twice. A
        hub without a single user has lost them: then nobody is forgotten.

        Raises:
            Unavailable: the hub does not list them.
        """
        began = self._clock()
        users = {user.name: user for user in self._users.list()}
        members = {member.username for member in self._store.list_users()}
        for name in members & users.keys():
            if self._known.get(name) != self._state(users[name]):
                self._update(users[name])
        missing = {name for name in members - users.keys() if "/" not in name}
        for name in missing & self._missing if users else ():
            self.forget(name)
        self._missing = missing
        self._followed_at = began

    def _update(self, identity: Identity) -> None:
        name, (is_admin, groups) = self.name(identity), self._state(identity)
        with self._lock:
            if not self._store.has_user(name):
                # Nobody ever learns this password; MLflow wants one.
                password = secrets.token_urlsafe(32)
                self._store.create_user(name, password, is_admin=is_admin)
            self._store.update_user(name, is_admin=is_admin)
            self._assign(self._store.get_user(name).id, groups)
            self._known[name] = (is_admin, groups)

    def _assign(self, user_id: int, groups: frozenset[str]) -> None:
        wanted = {f"{GROUP_PREFIX}{group}" for group in groups}
        held = {
            role.name: role.id
            for role in self._store.list_user_roles(user_id)
            if role.name.startswith(GROUP_PREFIX)
        }
        for role in wanted - held.keys():
            self._store.assign_role_to_user(user_id, self._role_id(role))
        for role in held.keys() - wanted:
            self._store.unassign_role_from_user(user_id, held[role])

    def _role_id(self, name: str) -> int:
        roles = {role.name: role.id for role in self._store.list_roles([WORKSPACE])}
        if name in roles:
            return roles[name]
        return self._store.create_role(name, WORKSPACE, "A group of the hub").id
