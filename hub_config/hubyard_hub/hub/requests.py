"""Requests to the hub, before any of its handlers sees them.

own site  the host that the browser asked, or the one that people type
program   what calls with a token in its `Authorization` header: no page of another site
          can send that without the hub's consent, so its origin does not matter

A request of another site's page is refused although its proof (`_xsrf`) is right: under
one host name with other ports, or with subdomains, pages may share our cookies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.app import JupyterHub
from jupyterhub.handlers.base import BaseHandler
from tornado.web import Application, HTTPError
from traitlets import Any as Anything
from traitlets import List, Unicode

from hubyard_hub.pages.ended import EndedCall, asked_of
from hubyard_hub.signing_in.address import Clients
from hubyard_runtime.url_tokens import has_token

if TYPE_CHECKING:
    from tornado.httputil import HTTPServerRequest

_READING = {"GET", "HEAD", "OPTIONS"}
_FOREIGN = "This request comes from a page of another site."
_TOKEN_IN_URL = "Send the token in the Authorization header, not in a URL."  # noqa: S105


def why_refused(request: HTTPServerRequest, public_host: str = "") -> str:
    """Why the hub does not take a request; "": it does."""
    if has_token(request.query):
        return _TOKEN_IN_URL
    headers = request.headers
    if "Authorization" in headers:
        return ""
    reads = request.method in _READING
    navigates = headers.get("Sec-Fetch-Mode") == "navigate"
    if headers.get("Sec-Fetch-Site") == "cross-site" and not (reads and navigates):
        return _FOREIGN
    origin = headers.get("Origin")
    own = {request.host.lower(), public_host.lower()} - {""}
    if origin is not None and not reads and _host(origin) not in own:
        return _FOREIGN
    return ""


def _host(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:  # anybody may send anything under this name
        return ""


class _PageRefusal(BaseHandler):
    """The answer to a browser."""

    def initialize(self, why: str) -> None:
        """Answer with this reason."""
        self._why = why

    def check_xsrf_cookie(self) -> None:
        """Ask for no proof: nothing is done."""

    async def prepare(self) -> None:
        """Know who asks, whose cookies shall stay as they are; then refuse."""
        await super().prepare()
        raise HTTPError(403, self._why)


class _CallRefusal(_PageRefusal, APIHandler):
    """The answer to a program."""


class _Application(Application):
    """The hub's routes, behind what each request must fulfil."""

    def __init__(self, hub: HubyardHub) -> None:
        settings: dict[str, Any] = dict(hub.tornado_settings)
        super().__init__(hub.handlers, **settings)
        self._clients: Clients = hub.clients()
        self._public_host = urlsplit(hub.public_url).netloc
        self._api = f"{hub.hub_prefix}api/"
        self._open = set(hub.open_to_other_sites)

    def find_handler(self, request: HTTPServerRequest, **more: Any) -> Any:  # noqa: ANN401  Tornado's
        """Who answers."""
        # Tornado's server believes the header X-Real-Ip of anybody.
        request.remote_ip = self._clients.shown(request)
        why = why_refused(request, self._public_host)
        if why and not (why == _FOREIGN and request.path in self._open):
            is_call = request.path.startswith(self._api)
            handler = _CallRefusal if is_call else _PageRefusal
            return self.get_handler_delegate(request, handler, {"why": why})
        if (name := asked_of(request)) is not None:
            return self.get_handler_delegate(request, EndedCall, {"name": name})
        return super().find_handler(request, **more)


class HubyardHub(JupyterHub):
    """JupyterHub, and what Hubyard asks of each request."""

    name = "jupyterhub"
    clients = Anything(
        Clients, help="A function that makes what tells clients' addresses."
    ).tag(config=True)

    open_to_other_sites: List[str] = List(
        Unicode(),
        help="Paths to which pages of other sites may post, where an authenticator "
        "needs it (LTI, SAML).",
    ).tag(config=True)

    def init_tornado_application(self) -> None:
        """Make the application that the hub's server calls."""
        self.tornado_application = _Application(self)
