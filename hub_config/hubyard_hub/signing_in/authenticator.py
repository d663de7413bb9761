"""Signing in: names and passwords, and a welcome for the administrator.

People sign up and an administrator admits them: NativeAuthenticator keeps who they are.
The first of all is made here, by the link that a fresh deployment prints.

NativeAuthenticator 1.3 admits and discards by a link, so that any page which can make
an administrator follow one could let somebody in. Here both are forms with a proof.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from nativeauthenticator import NativeAuthenticator
from nativeauthenticator.orm import UserInfo
from tornado.web import HTTPError
from traitlets import Any as Anything
from traitlets import Unicode

from hubyard.contract.errors import Conflict, Forbidden, Invalid, Rejected
from hubyard_hub.people.access import end_other_sessions
from hubyard_hub.signing_in import device
from hubyard_hub.signing_in.address import Clients
from hubyard_hub.signing_in.attempts import Attempts, TooManyAttempts
from hubyard_hub.signing_in.names import check_name, may_exist
from hubyard_hub.signing_in.passwords import Hasher, check_length
from hubyard_hub.signing_in.welcome import Welcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyterhub.handlers.base import BaseHandler
    from jupyterhub.user import User


class HubyardAuthenticator(NativeAuthenticator):
    """NativeAuthenticator, and the page on which its first administrator is made."""

    PASSWORD_LENGTH = 10

    welcome_file = Unicode(help="Where the one-time code is kept.").tag(config=True)
    sign_in_link_file = Unicode(
        help="Where the code of `hubyard sign-in-link` is kept."
    ).tag(config=True)
    pages = Anything((), help="Our own pages: their addresses and handlers.").tag(
        config=True
    )
    departures = Anything(
        help="A function that gives the `Departures` of this deployment."
    ).tag(config=True)
    clients = Anything(
        Clients, help="A function that makes what tells clients' addresses."
    ).tag(config=True)

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401  JupyterHub's
        super().__init__(*arguments, **named)
        self._clients: Clients = self.clients()
        self._attempts = Attempts()
        self._hasher = Hasher()

    @property
    def welcome(self) -> Welcome:
        """The first administrator's one-time code."""
        return Welcome(Path(self.welcome_file))

    @property
    def sign_in_link(self) -> Welcome:
        """The one-time code of an administrator whom the operator has named."""
        return Welcome(Path(self.sign_in_link_file))

    def get_handlers(self, app: object) -> list[Any]:
        """Our own pages; signing in is the hub's.

        Of NativeAuthenticator's pages only the list of people is used.
        """
        native = [h for h in super().get_handlers(app) if h[0] == "/authorize"]
        return [*native, *self.pages]

    async def refresh_user(self, user: User, handler: object = None) -> Any:  # noqa: ANN401  as JupyterHub's, which names True alone
        """Whether somebody is still admitted; where not, the hub ends the session."""
        del handler
        info = self.get_user(user.name)
        # Whom an administrator has made by hand has no password here.
        return info is None or bool(info.is_authorized)

    async def authenticate(
        self, handler: BaseHandler, data: Mapping[str, str]
    ) -> str | None:
        """Who this is, by name and password."""
        if not {"username", "password"} <= data.keys():
            raise HTTPError(400, "Send a name and a password.")
        name = self.normalize_username(data["username"])
        try:
            if not await self._is_right(handler, name, data["password"]):
                return None
        except Rejected as error:
            raise _answer(error) from None
        device.remember(handler, name)
        return name

    async def _is_right(self, handler: BaseHandler, name: str, password: str) -> bool:
        """Whether this is the password of somebody who is admitted.

        Raises:
            TooManyAttempts: too many were wrong, so this one is not tried.
            Invalid: it is too long to be anybody's.
        """
        check_length(password)
        if not may_exist(name):
            return False
        address = await self._clients.address(handler.request)
        known = device.known(handler, name)
        with self._attempts.one(address, name, known) as right:
            kept = self._kept(name)
            same = await self._hasher.matches(password, kept, address)
            # Meanwhile it may have been changed, or its owner be admitted no more.
            if not same or kept != self._kept(name):
                return False
            right()
            return True

    def _kept(self, name: str) -> bytes | None:
        """The hash of somebody's password, if they are admitted."""
        info = self.get_user(name)
        return info.password if info is not None and info.is_authorized else None

    async def sign_up(
        self, handler: BaseHandler, name: str, password: str, again: str
    ) -> None:
        """Keep that somebody asks to be admitted; nothing changes if the name is taken.

        Raises:
            Invalid: no such name or password can be taken.
            TooManyAttempts: too many have signed up from there.
        """
        name = self._checked_name(name)
        self._check_password(password, again)
        address = await self._clients.address(handler.request)
        self._attempts.count_sign_up(address)
        hashed = await self._hasher.hashed(password, address)
        if await asyncio.to_thread(self.departures().is_retired, name):
            return  # as where it is taken
        if not self.user_exists(name):  # nothing waits between this and keeping it
            self._keep(name, hashed, is_authorized=False)

    async def change_own_password(
        self, handler: BaseHandler, name: str, *, old: str, new: str, again: str
    ) -> None:
        """Change a password, by somebody who knows it.

        Raises:
            Forbidden: the old one is not right.
            Invalid: the new one cannot be taken.
            TooManyAttempts: too many old ones were wrong.
        """
        try:
            is_right = await self._is_right(handler, name, old)
        except Invalid:
            is_right = False
        if not is_right:
            raise Forbidden("Your current password is not right: try again.")
        await self.set_password(handler, name, new, again)

    async def set_password(
        self, handler: BaseHandler, name: str, password: str, again: str
    ) -> None:
        """Give somebody another password, and end their other sessions.

        Raises:
            Invalid: it cannot be taken.
        """
        self._check_password(password, again)
        address = await self._clients.address(handler.request)
        hashed = await self._hasher.hashed(password, address)
        if (info := self.get_user(name)) is not None:
            self._keep(name, hashed, is_authorized=info.is_authorized)
            end_other_sessions(handler, name)

    async def make_administrator(
        self, welcome: Welcome, code: str, name: str, password: str
    ) -> str:
        """Make an administrator; returns the name as it is written from now on.

        Raises:
            Forbidden: the code is not the one that was issued.
            Invalid: no such name or password can be taken.
            Conflict: somebody is called that.
        """
        named = welcome.check(code)
        name = self.normalize_username(named) if named else self._checked_name(name)
        self._check_password(password, password)
        hashed = await self._hasher.hashed(password, "")
        welcome.check(code)  # meanwhile somebody else may have used it
        if not named and self.user_exists(name):
            raise Conflict(f"{name} is taken: choose another name.", field="name")
        self._keep(name, hashed, is_authorized=True)
        welcome.use_up()
        return name

    def _checked_name(self, name: str) -> str:
        name = self.normalize_username(name.strip(" "))
        check_name(name)
        if not self.validate_username(name):
            raise Invalid("This name cannot be used: choose another.", field="name")
        return name

    def _check_password(self, password: str, again: str) -> None:
        if password != again:
            raise Invalid("The two passwords are not the same: try again.")
        check_length(password)
        if not self.is_password_strong(password):
            raise Invalid(
                f"Choose a password of at least {self.PASSWORD_LENGTH} characters that "
                "is not a common one.",
                field="password",
            )

    def _keep(self, name: str, hashed: bytes, *, is_authorized: bool) -> None:
        info = self.get_user(name)
        if info is None:
            info = UserInfo(username=name, password=hashed)
            self.db.add(info)
        row: Any = info  # its columns take plain values
        row.password, row.is_authorized = hashed, is_authorized
        self.db.commit()


def _answer(error: Rejected) -> HTTPError:
    """The same as an answer of the hub's own page of signing in."""
    answer = HTTPError(error.status, error.message.replace("%", "%%"))
    if isinstance(error, TooManyAttempts):
        # JupyterHub sends an error's `headers`.
        cast("Any", answer).headers = {"Retry-After": str(error.wait_s)}
    return answer
