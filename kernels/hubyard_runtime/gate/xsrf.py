"""The proof: what a browser's request must show besides its cookie.

A browser sends our cookie whoever wrote the page that asks, so the cookie alone proves
only who is asked for. Therefore a cookie is enough for a navigation, or an image,
script, style or font of a page of our origin. Everything else must carry the header
`X-XSRFToken`, whose value is in a cookie that pages below our prefix can read.

Without subdomains, pages of other people's servers share our origin. They can open what
a navigation opens; an answer that they must not read there says so by its own policy.

Apps are the exception (`Settings.same_origin_suffices`): Voila and Streamlit do not
send our header, so there a request of our own origin is enough.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hubyard.contract.errors import Forbidden

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from hubyard_runtime.gate.settings import Settings
    from hubyard_runtime.gate.signature import Signer

HEADER = "x-xsrftoken"
_READING = {"GET", "HEAD", "OPTIONS"}
_UNREADABLE = {"font", "image", "script", "style"}
"""`Sec-Fetch-Dest` of requests whose answer a page can use but not read."""


def is_navigation(connection: HTTPConnection) -> bool:
    """Whether a person opens a page: only they can be sent to a login."""
    if connection.scope.get("method") not in _READING:
        return False
    mode = connection.headers.get("sec-fetch-mode")
    if mode is not None:
        return mode == "navigate"
    return "text/html" in connection.headers.get("accept", "")


class Xsrf:
    """Knows the proof of each session and decides which requests need it."""

    def __init__(self, settings: Settings, signer: Signer) -> None:
        self._same_origin_suffices = settings.same_origin_suffices
        self._public_host = urlsplit(settings.public_url).netloc
        self._signer = signer

    def value(self, token: str) -> str:
        """The proof that belongs to the session of this token."""
        return self._signer.mac("xsrf", token)

    def check(self, connection: HTTPConnection, token: str) -> None:
        """Let a cookie speak for this request.

        Raises:
            Forbidden: another page than ours may have sent it.
        """
        if not self._is_ours(connection):
            raise Forbidden("This request comes from another site.")
        shown = connection.headers.get(HEADER, "").encode()
        if hmac.compare_digest(shown, self.value(token).encode()):
            return
        if not self._cookie_is_enough(connection):
            raise Forbidden(
                "The header X-XSRFToken is missing or wrong: reload the page."
            )

    def _is_ours(self, connection: HTTPConnection) -> bool:
        """Whether the origin, where the browser names one, is our own."""
        origin = connection.headers.get("origin")
        if origin is None:
            return connection.scope["type"] != "websocket"
        own = {connection.headers.get("host", ""), self._public_host} - {""}
        return _netloc(origin) in own

    def _cookie_is_enough(self, connection: HTTPConnection) -> bool:
        if connection.scope["type"] == "websocket":
            return True
        site = connection.headers.get("sec-fetch-site")
        reads = connection.scope["method"] in _READING
        if self._same_origin_suffices and site == "same-origin":
            return True
        if site is None:
            # Browsers send no Sec-Fetch headers over plain HTTP outside loopback;
            # `SameSite=Lax` cookies and the origin above still keep other sites out.
            return reads or (
                self._same_origin_suffices and "origin" in connection.headers
            )
        return reads and _is_unreadable(connection, site)


def _netloc(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # anybody may send anything under this name
        return None


def _is_unreadable(connection: HTTPConnection, site: str) -> bool:
    mode = connection.headers.get("sec-fetch-mode")
    if mode == "navigate":
        return True
    # Not every request without CORS: what a page of our own origin fetches, it reads.
    destination = connection.headers.get("sec-fetch-dest")
    return site == "same-origin" and destination in _UNREADABLE
