"""The device: a browser in which a person has signed in before.

It holds a signed cookie with the person's name. Its attempts are counted apart, so that
strangers behind the same router, or behind a proxy that no setting names, do not keep
the person out. A copied cookie gains nothing but ten attempts of its own.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyterhub.handlers.base import BaseHandler

_COOKIE = "hubyard-device"
_KEPT_DAYS = 90


def known(handler: BaseHandler, name: str) -> str:
    """The id of the browser that asks; "": this person has not signed in with it."""
    kept = handler.get_signed_cookie(_COOKIE, max_age_days=_KEPT_DAYS) or b""
    identifier, _, whose = kept.decode().partition(":")
    return identifier if whose == name else ""


def remember(handler: BaseHandler, name: str) -> None:
    """From now on, know this browser as this person's."""
    identifier = known(handler, name) or secrets.token_hex(16)
    set_cookie: Any = handler._set_cookie  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  the hub's one way to set a cookie
    set_cookie(
        _COOKIE,
        f"{identifier}:{name}",
        path=handler.hub.base_url,
        expires_days=_KEPT_DAYS,
        samesite="Lax",
    )
