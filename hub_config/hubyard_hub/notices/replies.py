"""Replies: what the services behind apprise have answered to one message.

apprise says whether it was content, and some of its services are content although they
have sent nothing. So the replies themselves are looked at:

sent         a service has answered that it has the message
handed over  somebody in between has taken it, and nothing will tell whether it arrives:
             a mail server, or a service that answers 202 and works on it later
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator

    import requests

SENT, HANDED_OVER = "sent", "handed-over"
ACCEPTED = 202
_CHANGING = {"POST", "PUT", "PATCH"}
_NO = {"ok": False, "success": False, "result": "error"}
"""What services write into a reply of status 200 that means no. Anything else under
these names may be a yes: Telegram's `result` is the message itself."""


class Replies:
    """The replies to requests that carry something."""

    def __init__(self) -> None:
        self._statuses: list[int] = []
        self._refused = False

    def add(self, reply: requests.Response) -> None:
        """Take one into account."""
        if reply.request.method in _CHANGING:
            self._statuses.append(reply.status_code)
            self._refused = not reply.ok or _says_no(reply)

    @property
    def outcome(self) -> str | None:
        """`SENT` or `HANDED_OVER`; None: nothing was taken."""
        if not self._statuses or self._refused:
            return None
        return HANDED_OVER if ACCEPTED in self._statuses else SENT


def _says_no(reply: requests.Response) -> bool:
    try:
        said: Any = json.loads(reply.content)
    except ValueError:
        return False
    if not isinstance(said, dict):
        return False
    return any(name in said and said[name] == no for name, no in _NO.items())


@contextmanager
def overheard() -> Generator[Replies]:
    """What is answered to this process in the block, whichever library asks."""
    from requests import adapters  # noqa: PLC0415 - slow to import, and not for mail

    replies = Replies()
    stock = adapters.HTTPAdapter.send

    def send(self: Any, request: Any, *more: Any, **named: Any) -> Any:  # noqa: ANN401 - as requests has it
        reply = stock(self, request, *more, **named)
        replies.add(reply)
        return reply

    adapters.HTTPAdapter.send = send
    try:
        yield replies
    finally:
        adapters.HTTPAdapter.send = stock
