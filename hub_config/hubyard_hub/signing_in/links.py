"""The links: pages by which an administrator comes in once, with a one-time code.

`/welcome` is for the first administrator, `/sign-in-link` for one whom the machine's
operator has named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubyard.contract.errors import Rejected
from hubyard_hub.people.access import end_other_sessions
from hubyard_hub.signing_in import device
from hubyard_hub.signing_in.pages import Handler

if TYPE_CHECKING:
    from hubyard_hub.signing_in.welcome import Welcome


class WelcomeHandler(Handler):
    """Where the first start's link leads: choose a name and a password."""

    is_for_somebody = False

    @property
    def welcome(self) -> Welcome:
        """The code that is asked for."""
        return self.ours.welcome

    async def get(self) -> None:
        """The form. The code is in the fragment: only the page's script sees it."""
        await self._form("", "")

    async def post(self) -> None:
        """Make the administrator, sign them in and show them home."""
        name = self.field("username").strip()
        try:
            made = await self.ours.make_administrator(
                self.welcome, self.field("code"), name, self.field("password")
            )
        except Rejected as error:
            self.refuse(error)
            await self._form(name, error.message)
            return
        user = await self.auth_to_user({"name": made, "admin": True, "groups": None})
        end_other_sessions(self, made)
        self.set_login_cookie(user)
        device.remember(self, made)
        self.redirect(f"{self.hub.base_url}spawn")

    async def _form(self, name: str, message: str) -> None:
        page = await self.render_template(
            "welcome.html",
            username=name,
            message=message,
            used=self.welcome.is_used and not self.is_for_somebody,
            is_for_somebody=self.is_for_somebody,
        )
        self.finish(page)


class SignInLinkHandler(WelcomeHandler):
    """Where the link of `hubyard sign-in-link` leads: choose a new password."""

    is_for_somebody = True

    @property
    def welcome(self) -> Welcome:
        """The code that is asked for."""
        return self.ours.sign_in_link
