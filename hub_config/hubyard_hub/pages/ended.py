"""Ended: what is answered for a run, an endpoint or an app that does not run.

Our proxy asks the hub whatever is asked of a workload that has no route. A browser gets
JupyterHub's page, in our words. A program gets JSON, whatever it shows of itself: an
endpoint's key means nothing to the hub, and nothing is looked up.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from jupyterhub.handlers import default_handlers
from jupyterhub.handlers.base import UserUrlHandler
from jupyterhub.utils import url_path_join
from tornado.httputil import url_concat
from tornado.web import RequestHandler

from hubyard.contract.errors import Invalid, Problem
from hubyard.contract.workload import ServerName

if TYPE_CHECKING:
    from tornado.httputil import HTTPServerRequest

_FAILED_DEPENDENCY = 424
"""JupyterHub's own status for a server that does not run."""
_ADDRESS = re.compile(r"/user/[^/]+/([^/]+)")
_HUB = "/hub"
_READING = {"GET", "HEAD"}


def add_ended() -> None:
    """Show our page in place of JupyterHub's own, at the same addresses."""
    default_handlers[:] = [
        (each[0], EndedPage, *each[2:]) if each[1] is UserUrlHandler else each
        for each in default_handlers
    ]


def asked_of(request: HTTPServerRequest) -> ServerName | None:
    """The named workload that a program asks something of; None: it is no such request.

    A browser that opens a page shows no `Authorization`. Programs do not ask below the
    hub's own prefix, which is for those who have signed in.
    """
    if request.method in _READING and "Authorization" not in request.headers:
        return None
    return _named_in(request.path)


def _named_in(path: str) -> ServerName | None:
    found = _ADDRESS.match(path)
    try:
        return ServerName.parse(found[1]) if found else None
    except Invalid:
        return None


class EndedCall(RequestHandler):
    """The answer to a program, for each method."""

    def initialize(self, name: ServerName) -> None:
        """Take which workload it is about; called by tornado."""
        self._name = name

    def check_xsrf_cookie(self) -> None:
        """Ask for no proof: nothing is done."""

    def prepare(self) -> None:
        """Answer."""
        said = f"This {self._name.kind} is not running: its owner can start it."
        self.set_status(_FAILED_DEPENDENCY)
        self.finish(Problem(message=said).model_dump(exclude_none=True))


class EndedPage(UserUrlHandler):
    """The answer to a browser.

    JupyterHub forgets a named server that has ended, takes its address for one of the
    owner's workspace, and sends the browser there.
    """

    async def _redirect_to_user_server(self, user: Any, spawner: Any) -> None:  # noqa: ANN401  JupyterHub's
        if spawner.name or _named_in(self.request.path.removeprefix(_HUB)) is None:
            await super()._redirect_to_user_server(user, spawner)
            return
        start = url_path_join(self.hub.base_url, "spawn", user.escaped_name)
        page = await self.render_template(
            "not_running.html",
            user=user,
            server_name="",
            spawn_url=url_concat(start, {"next": self.request.uri}),
        )
        self.set_status(_FAILED_DEPENDENCY)
        self.finish(page)
