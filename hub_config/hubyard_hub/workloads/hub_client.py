"""The hub's client: servers by the platform's hand, keys and shares by the caller's.

The platform's token needs `start:servers`, `delete:servers` and `read:servers`, and no
more. A caller's token needs `tokens!user` for keys, and `shares!user` with
`read:users:name` and `read:groups:name` for shares.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from hubyard.contract.errors import Forbidden, NoRoom, Rejected, Unavailable
from hubyard_hub import loopback

if TYPE_CHECKING:
    from hubyard.contract.app import Share
    from hubyard.contract.workload import UserOptions

_TIMEOUT = httpx.Timeout(60, connect=5)
"""The hub answers a start when it is ready or after ten seconds."""
_CLIENT_ERROR, _NOT_FOUND, _BUSY, _SERVER_ERROR = 400, 404, 429, 500
_FORBIDDEN = 403


class Server(StrEnum):
    """Where the hub says that a server is."""

    ABSENT = "absent"
    """Not there, or there and stopped."""
    STARTING = "starting"
    READY = "ready"
    BUSY = "busy"
    """Stopping, or looked at by a hub that has just started: ask again."""


@dataclass(frozen=True)
class Access:
    """What the hub still has of somebody whose access it has ended."""

    gone: bool
    """There is no such user."""
    servers: int
    """How many servers still run that shall not."""


@dataclass(frozen=True)
class Refusal:
    """The hub's no to a start, in its own words."""

    message: str
    final: bool
    """Whether asking again the same way cannot help."""


class HubClient:
    """The hub's REST API. Safe to use from many threads."""

    def __init__(
        self, url: str, token: str, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._own = {"Authorization": f"token {token}"}
        self._http = loopback.client(url, timeout=_TIMEOUT, transport=transport)

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    # -- the platform's own hand -----------------------------------------------------

    def server(self, owner: str, name: str) -> Server:
        """Where a server is now.

        Raises:
            Unavailable: the hub does not say.
        """
        answer = self._ask("GET", _server(owner, name), self._own)
        if answer.status_code == _NOT_FOUND:
            return Server.ABSENT
        if answer.is_error:
            raise Unavailable(f"The hub does not say how {name} is.")
        model: dict[str, Any] = answer.json()
        if model["pending"] == "spawn":
            return Server.STARTING
        if model["pending"]:
            return Server.BUSY
        return Server.READY if model["ready"] else Server.ABSENT

    def start(self, owner: str, name: str, options: UserOptions) -> Refusal | None:
        """Ask for a server; None: issued. An answer says nothing of its state.

        Raises:
            Unavailable: the hub does not answer, or asks to wait.
        """
        body = {"user_options": options.model_dump(mode="json", exclude_none=True)}
        answer = self._ask("POST", _server(owner, name), self._own, body)
        if answer.status_code < _CLIENT_ERROR:
            return None
        if answer.status_code in {_BUSY, 502, 503, 504, NoRoom.status}:
            raise Unavailable(_message(answer))
        if answer.status_code == _NOT_FOUND:
            return Refusal(f"The hub knows no user {owner}.", final=True)
        return Refusal(_message(answer), final=answer.status_code < _SERVER_ERROR)

    def stop(self, owner: str, name: str, *, forget: bool) -> None:
        """Ask for a server's end, and with `forget` for its removal from the hub.

        Raises:
            Unavailable: the hub does not do it now.
        """
        answer = self._ask(
            "DELETE", _server(owner, name), self._own, {"remove": forget}
        )
        if answer.is_error and answer.status_code != _NOT_FOUND:
            raise Unavailable(_message(answer))

    def knows(self, name: str) -> bool:
        """Whether the hub has a user of this name.

        Raises:
            Unavailable: the hub does not say.
        """
        answer = self._ask("GET", f"/users/{quote(name, safe='')}", self._own)
        if answer.status_code == _NOT_FOUND:
            return False
        if answer.is_error:
            raise Unavailable(_message(answer))
        return True

    def end_access(self, name: str) -> Access:
        """Let the hub do its half of a departure; a step further with each call.

        Raises:
            Unavailable: the hub does not do it now.
        """
        answer = self._ask("POST", f"/hubyard/people/{quote(name, safe='')}", self._own)
        if answer.is_error:
            raise Unavailable(_message(answer))
        model: dict[str, Any] = answer.json()
        return Access(gone=model["gone"], servers=model["servers"])

    # -- the caller's hand -------------------------------------------------------------

    def make_key(
        self, token: str, owner: str, server: str, *, expires_in_s: int
    ) -> dict[str, Any]:
        """Make a token that can reach one server and nothing else; the hub's model.

        Raises:
            Rejected, Forbidden: the hub's no, in its words.
        """
        body = {
            "scopes": [f"access:servers!server={owner}/{server}"],
            "expires_in": expires_in_s,
            "note": f"Key of {server}",
        }
        answer = self._for(token, "POST", f"/users/{quote(owner)}/tokens", body)
        model: dict[str, Any] = answer.json()
        return model

    def share(self, token: str, owner: str, server: str, share: Share) -> None:
        """Let a user or group in.

        Raises:
            Rejected, Forbidden: the hub's no, in its words.
        """
        self._for(token, "POST", _shares(owner, server), _who(share))

    def unshare(self, token: str, owner: str, server: str, share: Share) -> None:
        """Let a user or group in no longer.

        Raises:
            Rejected, Forbidden: the hub's no, in its words.
        """
        self._for(token, "PATCH", _shares(owner, server), _who(share))

    def _for(
        self, token: str, method: str, path: str, body: dict[str, Any]
    ) -> httpx.Response:
        headers = {"Authorization": f"token {token}"}
        answer = self._ask(method, path, headers, body)
        if answer.is_server_error:
            raise Unavailable(_message(answer))
        if answer.status_code in {401, _FORBIDDEN}:
            raise Forbidden(
                "Your login may not do this: the hub says "
                f"{_message(answer)!r}. Do it from your workspace."
            )
        if answer.is_client_error:
            raise Rejected(_message(answer))
        return answer

    def _ask(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        body: dict[str, Any] | None = None,
    ) -> httpx.Response:
        try:
            return self._http.request(method, path, headers=headers, json=body)
        except httpx.HTTPError:
            raise Unavailable("The hub does not answer; try again.") from None


def _server(owner: str, name: str) -> str:
    return f"/users/{quote(owner, safe='')}/servers/{quote(name, safe='')}"


def _shares(owner: str, server: str) -> str:
    return f"/shares/{quote(owner, safe='')}/{quote(server, safe='')}"


def _who(share: Share) -> dict[str, Any]:
    return share.model_dump(exclude_none=True)


def _message(answer: httpx.Response) -> str:
    """The hub's words, else its status."""
    try:
        message = str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        message = ""
    return message or f"The hub answered {answer.status_code}."
