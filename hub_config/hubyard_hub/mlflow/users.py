"""Users: the hub's users with their groups, as MLflow's own token may read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from hubyard.contract.errors import Unavailable
from hubyard.contract.identity import Identity
from hubyard_hub import loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

_TIMEOUT = httpx.Timeout(20, connect=5)
_PAGE = 200
_PAGES = {"Accept": "application/jupyterhub-pagination+json"}


class HubUsers:
    """All users of one hub. The token needs `list:users` and `read:users`' groups."""

    def __init__(self, url: str, token: str) -> None:
        self._headers = {"Authorization": f"token {token}", **_PAGES}
        self._http = loopback.client(url, timeout=_TIMEOUT)

    def list(self) -> list[Identity]:
        """Everybody, page by page.

        Raises:
            Unavailable: the hub does not answer.
        """
        return [
            Identity(
                name=user["name"], admin=user["admin"], groups=tuple(user["groups"])
            )
            for user in self._users()
        ]

    def _users(self) -> Iterator[dict[str, Any]]:
        offset: int | None = 0
        while offset is not None:
            page = self._page(offset)
            yield from page["items"]
            following = page["_pagination"]["next"]
            offset = following["offset"] if following else None

    def _page(self, offset: int) -> dict[str, Any]:
        query = {"offset": offset, "limit": _PAGE}
        try:
            answer = self._http.get("/users", headers=self._headers, params=query)
            answer.raise_for_status()
            page: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError):
            raise Unavailable("The hub does not list its users.") from None
        return page
