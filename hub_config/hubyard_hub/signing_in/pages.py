"""The pages of names and passwords: signing up, and changing a password.

NativeAuthenticator's own hash in the hub's loop, answer 500 for a long password, and
tell whether a name is taken. Its templates are used as they are.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.scopes import needs_scope
from tornado.web import HTTPError, authenticated

from hubyard.contract.errors import Rejected
from hubyard_hub.signing_in.attempts import TooManyAttempts

if TYPE_CHECKING:
    from hubyard_hub.signing_in.authenticator import HubyardAuthenticator

_SIGNED_UP = (
    "If this name is free, an administrator now sees it and can admit you. If you "
    "cannot sign in after that, the name was taken: sign up with another one."
)
_CHANGED = "The password has been changed."


class Handler(BaseHandler):
    """A page of ours in the hub."""

    @property
    def ours(self) -> HubyardAuthenticator:
        """Who knows names and passwords."""
        return cast("HubyardAuthenticator", self.authenticator)

    def refuse(self, error: Rejected) -> None:
        """Let the answer say what the error says."""
        self.set_status(error.status)
        if isinstance(error, TooManyAttempts):
            self.set_header("Retry-After", str(error.wait_s))

    def field(self, name: str) -> str:
        """What a form holds under a name, as it was typed."""
        return self.get_body_argument(name, "", strip=False)

    async def show(self, template: str, message: str = "", **more: Any) -> None:  # noqa: ANN401  whatever a template takes
        """The page of that template."""
        failed = self.get_status() >= HTTPStatus.BAD_REQUEST
        if message:
            alert = "alert-danger" if failed else "alert-success"
            more |= {"alert": alert, "result_message": message}
        self.finish(await self.render_template(template, **more))


class SignUpHandler(Handler):
    """Where somebody asks to be admitted."""

    async def prepare(self) -> None:
        """There is no such page where nobody may sign up."""
        await super().prepare()
        if not self.ours.enable_signup:
            raise HTTPError(404)

    async def get(self) -> None:
        """The form."""
        await self.show("signup.html")

    async def post(self) -> None:
        """Take the form; the answer is the same whether the name is taken or not."""
        message = _SIGNED_UP
        try:
            await self.ours.sign_up(
                self,
                self.field("username"),
                self.field("signup_password"),
                self.field("signup_password_confirmation"),
            )
        except Rejected as error:
            self.refuse(error)
            message = error.message
        await self.show("signup.html", message)


class ChangePasswordHandler(Handler):
    """Where one changes one's own password."""

    _TEMPLATE = "change-password.html"

    @authenticated
    async def get(self) -> None:
        """The form."""
        await self.show(self._TEMPLATE, user_name=self._name)

    @authenticated
    async def post(self) -> None:
        """Take the form."""
        message = _CHANGED
        try:
            await self.ours.change_own_password(
                self,
                self._name,
                old=self.field("old_password"),
                new=self.field("new_password"),
                again=self.field("new_password_confirmation"),
            )
        except Rejected as error:
            self.refuse(error)
            message = error.message
        await self.show(self._TEMPLATE, message, user_name=self._name)

    @property
    def _name(self) -> str:
        return cast("Any", self.current_user).name


class ChangePasswordAdminHandler(Handler):
    """Where an administrator changes somebody's password."""

    _TEMPLATE = "change-password-admin.html"

    @needs_scope("admin:users")
    async def get(self, name: str) -> None:
        """The form."""
        self._check(name)
        await self.show(self._TEMPLATE, user_name=name)

    @needs_scope("admin:users")
    async def post(self, name: str) -> None:
        """Take the form."""
        self._check(name)
        message = _CHANGED
        try:
            await self.ours.set_password(
                self,
                name,
                self.field("new_password"),
                self.field("new_password_confirmation"),
            )
        except Rejected as error:
            self.refuse(error)
            message = error.message
        await self.show(self._TEMPLATE, message, user_name=name)

    def _check(self, name: str) -> None:
        if not self.ours.user_exists(name):
            raise HTTPError(404)
