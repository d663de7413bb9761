"""Admitting: an administrator lets in who has signed up, or takes that back."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from jupyterhub.scopes import needs_scope
from nativeauthenticator.orm import UserInfo
from tornado.web import HTTPError

from hubyard.contract.base import now
from hubyard.contract.people import OffboardRequest
from hubyard_hub.people.access import end_access
from hubyard_hub.people.departures import Terms
from hubyard_hub.signing_in.pages import Handler

if TYPE_CHECKING:
    from hubyard_hub.people.departures import Departures


class _Handler(Handler):
    @property
    def asking(self) -> str:
        """Who has asked."""
        return str(cast("Any", self.current_user).name)

    @property
    def departures(self) -> Departures:
        """Those of this deployment."""
        return self.ours.departures()

    async def take_further(self, name: str) -> None:
        """Do at once what the hub can for a departure."""
        row = await asyncio.to_thread(self.departures.row, name)
        if row is not None:
            await end_access(self, Terms(row), now())


class AdmitHandler(_Handler):
    """Admits somebody who has signed up, or takes that back.

    Taken back, it ends sessions, tokens, servers and schedules as well.
    """

    @needs_scope("admin:users")
    async def post(self, name: str) -> None:
        """Bring it to what the form says, and show the people again.

        Two administrators may press the same button: the second changes nothing.
        """
        info = self.ours.get_user(name)
        if info is None:
            raise HTTPError(404)
        if self.get_body_argument("admitted", "yes") == "yes":
            await self._admit(name, info)
        else:
            await asyncio.to_thread(self.departures.bar, name, self.asking)
            await self.take_further(name)
        self.redirect(f"{self.hub.base_url}authorize")

    async def _admit(self, name: str, info: Any) -> None:  # noqa: ANN401  its columns are plain values
        if await asyncio.to_thread(self.departures.row, name) is not None:
            await asyncio.to_thread(self.departures.release, name)
        if not info.is_authorized:
            UserInfo.change_authorization(self.db, name)


class DiscardHandler(_Handler):
    """Forgets somebody who has signed up and is not admitted.

    Whoever has been a user of the hub leaves for good.
    """

    @needs_scope("admin:users")
    async def post(self, name: str) -> None:
        """Forget them, and show the people again."""
        info, user = self.ours.get_user(name), self.find_user(name)
        if info is None or info.is_authorized:
            raise HTTPError(404)
        self.ours.delete_user(SimpleNamespace(name=name))
        if user is not None:
            leave, request = self.departures.offboard, OffboardRequest()
            await asyncio.to_thread(leave, name, request, self.asking)
            await self.take_further(name)
        self.redirect(f"{self.hub.base_url}authorize")
