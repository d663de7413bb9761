"""The hub's pages and calls about people: offboarding, and what it mends of the hub.

Whatever makes or deletes a user passes here: a user that the hub deletes leaves by a
departure, one that it makes has nothing of another's, and none is renamed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from jupyterhub import apihandlers, orm
from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.apihandlers.users import UserAPIHandler
from jupyterhub.handlers import default_handlers
from jupyterhub.handlers.base import BaseHandler
from jupyterhub.scopes import needs_scope
from pydantic import ValidationError
from sqlalchemy import event
from sqlalchemy.orm.base import NO_VALUE
from tornado.web import HTTPError

from hubyard.contract.base import now
from hubyard.contract.errors import Conflict, Rejected, refused
from hubyard.contract.people import Leaving, OffboardRequest
from hubyard_hub.people.access import end_access
from hubyard_hub.people.departures import Departures, Terms
from hubyard_spawner.workloads import PLATFORM_SERVICE

if TYPE_CHECKING:
    from hubyard_hub.store import Store
    from hubyard_hub.workloads.hub_client import Access

_PAUSE_S = 0.5
_PATIENCE_S = 20.0
"""How long the hub's own call waits for servers; the platform goes on after it."""
_HOUR_S = 3600


def add_people(store: Store) -> None:
    """Let these pages and calls join the hub's own, and look at whom it makes."""
    departures = Departures(store)
    pages, calls = handlers(departures)
    for ours, theirs in (
        (pages, default_handlers),
        (calls, apihandlers.default_handlers),
    ):
        new = {handler[1] for handler in ours}
        theirs[:] = [*ours, *(each for each in theirs if each[1] not in new)]
    _watch_names(departures)


def handlers(departures: Departures) -> tuple[list[Any], list[Any]]:
    """Our pages and our calls, by their addresses below the hub's."""
    given = {"departures": departures}
    pages = [(r"/offboard/([^/]+)", OffboardHandler, given)]
    calls = [
        (r"/api/hubyard/people/([^/]+)", AccessHandler, given),
        (r"/api/users/([^/]+)", UserHandler, given),
    ]
    return pages, calls


def _watch_names(departures: Departures) -> None:
    """Look at each name that the hub gives to a user."""

    def named(user: orm.User, name: str, before: object, _: object) -> None:
        del user
        if before is not NO_VALUE and before is not None and before != name:
            raise HTTPError(400, "A user of Hubyard keeps their name.")
        if before != name:
            try:
                departures.arrive(name)
            except Conflict as error:
                raise HTTPError(409, error.message) from None

    watch_no_names()
    event.listen(orm.User.name, "set", named)
    _WATCHES.append(named)


def watch_no_names() -> None:
    """Look at no name any longer: a process that configures another hub looks once."""
    while _WATCHES:
        event.remove(orm.User.name, "set", _WATCHES.pop())


_WATCHES: list[Any] = []


class _Handler(BaseHandler):
    def initialize(self, departures: Departures) -> None:
        """Take what the page shows; called by tornado before each request."""
        self.departures = departures

    @property
    def asking(self) -> str:
        """Who has asked."""
        return str(cast("Any", self.current_user).name)

    async def offboarded(self, name: str, request: OffboardRequest) -> Access:
        """Make a departure, and begin with the hub's half of it."""
        await asyncio.to_thread(self.departures.offboard, name, request, self.asking)
        return await self.take_further(name)

    async def take_further(self, name: str) -> Access:
        """Do the hub's half of the departure of a name.

        Raises:
            HTTPError: 404, nobody has ended their access.
        """
        row = await asyncio.to_thread(self.departures.row, name)
        if row is None:
            raise HTTPError(404)
        return await end_access(self, Terms(row), now())


class OffboardHandler(_Handler):
    """What becomes of somebody's things when they leave, and the button for it."""

    @needs_scope("admin:users")
    async def get(self, name: str) -> None:
        """Show it."""
        await self._show(name)

    @needs_scope("admin:users")
    async def post(self, name: str) -> None:
        """Offboard them, and show how far that has come."""
        if self.find_user(name) is None and not await self._is_known(name):
            raise HTTPError(404)
        try:
            self._check(name)
            await self.offboarded(name, self._request())
        except Rejected as error:
            self.set_status(error.status)
            await self._show(name, error.message)
            return
        self.redirect(f"{self.hub.base_url}offboard/{quote(name, safe='@~')}")

    def _check(self, name: str) -> None:
        deputy = self._deputy()
        if name == self.asking:
            raise Conflict("Another administrator must offboard you.")
        if deputy and self.find_user(deputy) is None:
            raise Conflict(f"The hub knows no user {deputy}: name another deputy.")

    def _deputy(self) -> str:
        return str(self.get_body_argument("deputy", ""))

    def _request(self) -> OffboardRequest:
        hours = str(self.get_body_argument("grace_hours", "") or "0")
        try:
            return OffboardRequest(
                deputy=self._deputy() or None,
                grace_s=int(hours) * _HOUR_S if hours.isdigit() else -1,
            )
        except ValidationError as error:
            raise refused(error) from None

    async def _is_known(self, name: str) -> bool:
        return await asyncio.to_thread(self.departures.is_known, name)

    async def _show(self, name: str, message: str = "") -> None:
        if self.find_user(name) is None and not await self._is_known(name):
            raise HTTPError(404)
        row = await asyncio.to_thread(self.departures.row, name)
        retired = row is not None and row["how"] is Leaving.RETIRED
        page = await self.render_template(
            "offboard.html",
            person=name,
            holdings=await asyncio.to_thread(self.departures.holdings, name),
            departure=row if retired else None,
            is_self=name == self.asking,
            message=message,
        )
        self.finish(page)


class AccessHandler(_Handler, APIHandler):
    """Where the platform asks for the hub's half of a departure."""

    async def post(self, name: str) -> None:
        """Take it further; it says what the hub still has of them."""
        service = isinstance(self.current_user, orm.Service)
        if not service or self.asking != PLATFORM_SERVICE:
            raise HTTPError(403)
        access = await self.take_further(name)
        self.finish({"gone": access.gone, "servers": access.servers})


class UserHandler(_Handler, UserAPIHandler):
    """JupyterHub's call for one user, which deletes nobody whose servers run."""

    @needs_scope("delete:users")
    async def delete(self, user_name: str) -> None:
        """Offboard them; 204 when the user is gone, 202 while something still ends."""
        if self.find_user(user_name) is None:
            raise HTTPError(404)
        if user_name == self.asking and not isinstance(self.current_user, orm.Service):
            raise HTTPError(400, "Cannot delete yourself!")
        access = await self.offboarded(user_name, OffboardRequest())
        until = asyncio.get_running_loop().time() + _PATIENCE_S
        while not access.gone and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(_PAUSE_S)
            access = await self.take_further(user_name)
        self.set_status(204 if access.gone else 202)
