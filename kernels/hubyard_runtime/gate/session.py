"""A session: a browser's login, kept as a hub token in a signed cookie.

The login is OAuth's authorization code with PKCE (RFC 6749, 7636), the hub being the
authorization server. What must be remembered between its two halves travels in a
signed cookie of its own, so that nothing is lost when this process restarts and
strangers cannot fill its memory.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlencode, urlsplit

from starlette.responses import RedirectResponse, Response

from hubyard.contract.errors import Forbidden

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from hubyard_runtime.gate.hub import Hub
    from hubyard_runtime.gate.settings import Settings
    from hubyard_runtime.gate.signature import Signer

_SESSION_S = 14 * 24 * 3600
_LOGIN_S = 600
_TOO_LATE = "This login took too long or began elsewhere: open the page again."


class Session:
    """Logs browsers in and out."""

    def __init__(self, settings: Settings, hub: Hub, signer: Signer) -> None:
        self._settings = settings
        self._hub = hub
        self._signer = signer
        self.callback = unquote(urlsplit(settings.redirect_uri).path)

    def token(self, connection: HTTPConnection) -> str | None:
        """The hub token in this browser's cookie, if there is one."""
        name = self._settings.client_id
        text = connection.cookies.get(name, "")
        return self._signer.read(name, text, max_age_s=_SESSION_S)

    def login(self, connection: HTTPConnection) -> Response:
        """Send a browser to the hub, to come back to where it wanted to go."""
        state, verifier = secrets.token_urlsafe(16), secrets.token_urlsafe(48)
        challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
        question = {
            "client_id": self._settings.client_id,
            "redirect_uri": self._settings.redirect_uri,
            "response_type": "code",
            "state": state,
            "code_challenge": challenge.decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        page = f"{self._settings.hub_url}api/oauth2/authorize?{urlencode(question)}"
        response = RedirectResponse(page, status_code=302)
        name = self._login_cookie(state)
        kept = json.dumps(
            {"state": state, "verifier": verifier, "next": self._target(connection)}
        )
        self._set(response, name, self._signer.sign(name, kept), max_age_s=_LOGIN_S)
        return response

    async def finish(self, connection: HTTPConnection) -> Response:
        """Take the hub's answer and open the session.

        Raises:
            Forbidden: the login was refused, or is not one that we began.
            Unavailable: the hub does not answer.
        """
        state = connection.query_params.get("state", "")
        name = self._login_cookie(state)
        text = self._signer.read(
            name, connection.cookies.get(name, ""), max_age_s=_LOGIN_S
        )
        login: dict[str, str] = json.loads(text) if text else {}
        if not secrets.compare_digest(login.get("state", "").encode(), state.encode()):
            raise Forbidden(_TOO_LATE)
        code = connection.query_params.get("code")
        if not text or not code:
            raise Forbidden("The hub did not let you in.")
        token = await self._hub.exchange(code, login["verifier"])
        response = RedirectResponse(login["next"], status_code=302)
        session = self._settings.client_id
        self._set(
            response, session, self._signer.sign(session, token), max_age_s=_SESSION_S
        )
        self._set(response, name, "", max_age_s=0)
        return response

    def logout(self) -> Response:
        """Forget this browser here, and send it on to the hub's own logout."""
        response = RedirectResponse(f"{self._settings.hub_url}logout", status_code=302)
        self._set(response, self._settings.client_id, "", max_age_s=0)
        return response

    def show(self, response: Response, name: str, value: str) -> None:
        """Set a cookie that pages below our prefix may read."""
        self._set(response, name, value, max_age_s=_SESSION_S, http_only=False)

    def _target(self, connection: HTTPConnection) -> str:
        """Path and query as the browser sent them, in the spelling of our cookies.

        Always below our prefix, so that a login never leads elsewhere.
        """
        own = self._settings.own_path(connection.scope)
        raw = own or self._settings.prefix.encode()
        query: bytes = connection.scope["query_string"]
        return (raw + b"?" + query if query else raw).decode("latin-1")

    def _login_cookie(self, state: str) -> str:
        """Several tabs may be logging in: each has a cookie of its own."""
        tab = hashlib.sha256(state.encode()).hexdigest()[:8]
        return f"{self._settings.client_id}-login-{tab}"

    def _set(
        self,
        response: Response,
        name: str,
        value: str,
        *,
        max_age_s: int,
        http_only: bool = True,
    ) -> None:
        response.set_cookie(
            name,
            value,
            max_age=max_age_s,
            path=self._settings.prefix,
            secure=self._settings.is_secure,
            httponly=http_only,
            samesite="lax",
        )
