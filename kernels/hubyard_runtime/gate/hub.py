"""The hub, as the gate asks it: whose is this token?

An answer is kept for 30 seconds, so that most requests ask nobody. While the hub is
silent, whom it knew in the last five minutes stays known: an endpoint must lose no
request because the hub restarts. A refusal is kept for 3 seconds only, since a token
may be made a moment after it was tried.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import httpx
from pydantic import ValidationError

from hubyard.contract.base import Read
from hubyard.contract.errors import Forbidden, Unavailable
from hubyard.contract.identity import Identity

if TYPE_CHECKING:
    from collections.abc import Callable

    from hubyard_runtime.gate.settings import Settings

KNOWN_S = 30.0
REFUSED_S = 3.0
STALE_S = 300.0
"""How long an identity outlives the hub's silence, counted from its last check."""

_PAUSE_S = 1.0
"""After a failure the hub is left alone: a hanging hub must not hold every request."""
_TIMEOUT_S = 5.0
_KNOWN_LIMIT = 1024
_REFUSED_LIMIT = 256
_TOKEN = re.compile(r"[\x21-\x7e]{1,1024}")
_SILENT = "The hub does not answer; try again in a moment."


class _UserModel(Read):
    """What `GET /hub/api/user` answers, as far as the gate needs it."""

    name: str
    kind: str = "user"
    admin: bool = False
    groups: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    session_id: str | None = None

    def identity(self) -> Identity:
        return Identity(
            name=self.name,
            kind=self.kind,
            admin=self.admin,
            groups=self.groups,
            scopes=self.scopes,
            server=self._own_server(),
        )

    def _own_server(self) -> str | None:
        """The hub server whose own token this is.

        The hub does not say it. It does give each server's token, and always, two
        scopes (jupyterhub/user.py, `User.spawn`): access to that one server, and
        `users:activity` of the owner, with which the server reports that it lives. An
        endpoint's key has the first without the second; the token of a browser's login
        belongs to a session; a person's own token can open all of their servers. Only
        the owner could put both into a token by hand, who can as well read the one
        that their server holds.
        """
        if self.kind != "user" or self.session_id:
            return None
        if f"users:activity!user={self.name}" not in self.scopes:
            return None
        own = f"access:servers!server={self.name}/"
        names = [s.removeprefix(own) for s in self.scopes if s.startswith(own)]
        return names[0] if len(names) == 1 else None


@dataclass(frozen=True)
class _Checked:
    identity: Identity | None
    at: float


class _Memory:
    """What the hub last said, by the digest of the token; the oldest is forgotten."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: dict[str, _Checked] = {}

    def get(self, key: str) -> _Checked | None:
        return self._kept.get(key)

    def put(self, key: str, checked: _Checked) -> None:
        self.drop(key)
        self._kept[key] = checked
        if len(self._kept) > self._limit:
            self.drop(next(iter(self._kept)))

    def drop(self, key: str) -> None:
        self._kept.pop(key, None)


class Hub:
    """Asks one hub, by the same connections for as long as the process lives."""

    def __init__(
        self, settings: Settings, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._clock = clock
        # To read all authorities takes 50 ms; without TLS there is none to trust.
        has_tls = settings.hub_api_url.startswith("https:")
        self._http = httpx.AsyncClient(
            timeout=_TIMEOUT_S,
            # A proxy set for the internet must never see a token on its way there.
            trust_env=False,
            verify=has_tls or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        )
        self._known = _Memory(_KNOWN_LIMIT)
        self._refused = _Memory(_REFUSED_LIMIT)
        self._asking: dict[str, asyncio.Task[Identity | None]] = {}
        self._silent_until = 0.0

    async def identify(self, token: str, session_id: str = "") -> Identity | None:
        """Whose token this is; None: nobody's.

        A browser's session id belongs to the question, so that a new login is never
        answered by what is remembered of the one before.

        Raises:
            Unavailable: the hub does not answer, and did not know the token lately.
        """
        if not _TOKEN.fullmatch(token):
            return None
        key = sha256(f"{session_id}:{token}".encode()).hexdigest()
        known = self._known.get(key)
        if known and self._age(known) < KNOWN_S:
            return known.identity
        refused = self._refused.get(key)
        if refused and self._age(refused) < REFUSED_S:
            return None
        try:
            return await self._ask_once(key, token)
        except Unavailable:
            if known and self._age(known) < STALE_S:
                return known.identity
            raise

    async def exchange(self, code: str, verifier: str) -> str:
        """The token that an OAuth code stands for.

        Raises:
            Forbidden: the hub does not take the code.
            Unavailable: the hub does not answer.
        """
        form = {
            "client_id": self._settings.client_id,
            "client_secret": self._settings.api_token,
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": self._settings.redirect_uri,
        }
        url = f"{self._settings.hub_api_url}/oauth2/token"
        try:
            response = await self._http.post(url, data=form)
        except httpx.HTTPError:
            raise Unavailable(_SILENT) from None
        if response.is_server_error:
            raise Unavailable(_SILENT)
        if not response.is_success:
            raise Forbidden("This login is not valid any more: open the page again.")
        return response.json()["access_token"]

    def _age(self, checked: _Checked) -> float:
        return self._clock() - checked.at

    async def _ask_once(self, key: str, token: str) -> Identity | None:
        """Ask for all who wait for the same answer; one that leaves stops no other."""
        task = self._asking.get(key)
        if task is None:
            task = asyncio.create_task(self._ask(key, token))
            self._asking[key] = task
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        return await asyncio.shield(task)

    async def _ask(self, key: str, token: str) -> Identity | None:
        if self._clock() < self._silent_until:
            raise Unavailable(_SILENT)
        try:
            identity = await self._fetch(token)
        except Unavailable:
            self._silent_until = self._clock() + _PAUSE_S
            raise
        checked = _Checked(identity, self._clock())
        if identity is None:
            self._known.drop(key)
            self._refused.put(key, checked)
        else:
            self._known.put(key, checked)
        return identity

    async def _fetch(self, token: str) -> Identity | None:
        try:
            response = await self._http.get(
                f"{self._settings.hub_api_url}/user",
                headers={"Authorization": f"Bearer {token}"},
            )
            if response.status_code in {
                httpx.codes.UNAUTHORIZED,
                httpx.codes.FORBIDDEN,
            }:
                return None
            response.raise_for_status()
            return _UserModel.model_validate_json(response.content).identity()
        except (httpx.HTTPError, ValidationError):
            raise Unavailable(_SILENT) from None
