"""Members: MLflow's users and roles, kept as the hub has them."""

from __future__ import annotations

import asyncio
import secrets
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.server.auth.sqlalchemy_store import SqlAlchemyStore

    from hubyard.contract.identity import Identity

# The hub forbids slashes in its users' names: no user can be mistaken for these.
BOOTSTRAP_ADMIN = "hubyard/admin"
SERVICE_PREFIX = "service/"
GROUP_PREFIX = "group/"
WORKSPACE = "default"
"""MLflow's name for the one workspace of a server without workspaces."""


class Members:
    """Keeps MLflow's users and roles as the hub has them."""

    def __init__(self, store: SqlAlchemyStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._known: dict[str, tuple[bool, frozenset[str]]] = {}

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

    async def welcome(self, identity: Identity) -> None:
        """Bring MLflow up to date with one member, before it looks at their request."""
        if self._known.get(self.name(identity)) != self._state(identity):
            await asyncio.to_thread(self._update, identity)

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
