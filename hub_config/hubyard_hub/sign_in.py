"""Signing in: names and passwords, and a welcome for the administrator.

People sign up and an administrator admits them: NativeAuthenticator does that. The
first of all is made here, by the link that a fresh deployment prints.

NativeAuthenticator 1.3 admits and discards by a link, so that any page which can make
an administrator follow one could let somebody in. Here both are forms with a proof.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.scopes import needs_scope
from nativeauthenticator import NativeAuthenticator
from nativeauthenticator.orm import UserInfo
from tornado.web import HTTPError
from traitlets import Unicode

from hubyard.contract.errors import Conflict, Invalid, Rejected
from hubyard_hub.welcome import Welcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class HubyardAuthenticator(NativeAuthenticator):
    """NativeAuthenticator, and the page on which its first administrator is made."""

    PASSWORD_LENGTH = 10

    welcome_file = Unicode(help="Where the one-time code is kept.").tag(config=True)

    @property
    def welcome(self) -> Welcome:
        """The administrator's one-time code."""
        return Welcome(Path(self.welcome_file))

    def get_handlers(self, app: object) -> list[Any]:
        """The pages of signing up, and the welcome; signing in is the hub's own page.

        NativeAuthenticator 1.3's page for it does not work with JupyterHub 6, and its
        confirmation by mail is not used here.
        """
        unused = ("/login", "/confirm", "/authorize/", "/discard/")
        native = [h for h in super().get_handlers(app) if not h[0].startswith(unused)]
        return [
            *native,
            (r"/authorize/([^/]+)", AdmitHandler),
            (r"/discard/([^/]+)", DiscardHandler),
            (r"/welcome", WelcomeHandler),
        ]

    async def authenticate(self, handler: object, data: Mapping[str, str]) -> object:
        """Who this is, by name and password."""
        if not {"username", "password"} <= data.keys():
            raise HTTPError(400, "Send a name and a password.")
        return await super().authenticate(handler, data)

    def make_administrator(self, code: str, name: str, password: str) -> str:
        """Make the first administrator; returns the name as it is written from now on.

        Raises:
            Forbidden: the code is not the one that was issued.
            Invalid: no such name or password can be taken.
            Conflict: somebody is called that.
        """
        self.welcome.check(code)
        name = self.normalize_username(name.strip())
        if not name or not self.validate_username(name):
            raise Invalid("Choose a name of letters, digits, - and _.", field="name")
        if not self.is_password_strong(password):
            raise Invalid(
                f"Choose a password of at least {self.PASSWORD_LENGTH} characters that "
                "is not a common one.",
                field="password",
            )
        if self.user_exists(name):
            raise Conflict(f"{name} is taken: choose another name.", field="name")
        info = self.create_user(name, password, is_authorized=True)
        if info is None:
            raise Invalid("This name and password cannot be used.", field="name")
        self.welcome.use_up()
        return name


class _Handler(BaseHandler):
    @property
    def ours(self) -> HubyardAuthenticator:
        return cast("HubyardAuthenticator", self.authenticator)


class AdmitHandler(_Handler):
    """Admits somebody who has signed up, or takes that back."""

    @needs_scope("admin:users")
    async def post(self, name: str) -> None:
        """Bring it to what the form says, and show the people again.

        Two administrators may press the same button: the second changes nothing.
        """
        info = self.ours.get_user(name)
        if info is None:
            raise HTTPError(404)
        if info.is_authorized != (self.get_body_argument("admitted", "yes") == "yes"):
            UserInfo.change_authorization(self.db, name)
        self.redirect(f"{self.hub.base_url}authorize")


class DiscardHandler(_Handler):
    """Forgets somebody who has signed up and is not admitted."""

    @needs_scope("admin:users")
    async def post(self, name: str) -> None:
        """Forget them, and show the people again."""
        info, user = self.ours.get_user(name), self.find_user(name)
        if info is None or info.is_authorized:
            raise HTTPError(404)
        if user is not None and user.active:
            raise HTTPError(409, f"Stop what runs for {name} first.")
        self.ours.delete_user(SimpleNamespace(name=name))
        if user is not None:
            self.users.delete(user)
        self.redirect(f"{self.hub.base_url}authorize")


class WelcomeHandler(_Handler):
    """Where the one-time link leads: choose a name and a password."""

    async def get(self) -> None:
        """The form. The code is in the fragment: only the page's script sees it."""
        await self._form("", "")

    async def post(self) -> None:
        """Make the administrator, sign them in and show them home."""
        field: Callable[..., str] = self.get_body_argument
        name = field("username", "")
        try:
            made = self.ours.make_administrator(
                field("code", ""), name, field("password", "", strip=False)
            )
        except Rejected as error:
            self.set_status(error.status)
            await self._form(name, error.message)
            return
        user = await self.auth_to_user({"name": made, "admin": True, "groups": None})
        self.set_login_cookie(user)
        self.redirect(f"{self.hub.base_url}spawn")

    async def _form(self, name: str, message: str) -> None:
        used = self.ours.welcome.is_used
        page = await self.render_template(
            "welcome.html", username=name, message=message, used=used
        )
        self.finish(page)
