"""Strangers: browsers at other addresses, which guess passwords and forge headers.

Addresses of the loopback network stand for machines elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from support.hub import NAVIGATION
from support.patience import PATIENCE_S
from support.running import Person

if TYPE_CHECKING:
    from collections.abc import Callable

TRIES = 10
"""Wrong passwords for one name that are taken from one address."""


def at(url: str, address: str, name: str = "") -> Person:
    """A browser at the machine of that address."""
    who = Person(url, name)
    who.http = httpx.Client(
        base_url=url,
        transport=httpx.HTTPTransport(local_address=address),
        headers=NAVIGATION,
        timeout=PATIENCE_S,
    )
    return who


def guess(browser: Person, name: str, **headers: str) -> httpx.Response:
    """Try a wrong password; the proof is asked for with the same headers."""
    browser.http.headers.update(headers)
    form = {"_xsrf": browser.xsrf, "username": name, "password": "wrong password"}
    answer = browser.http.post("/hub/login", data=form)
    assert (answer.status_code, "Invalid username" in answer.text) in {
        (403, True),
        (429, False),
    }
    return answer


def use_up(
    browser: Person,
    name: str,
    headers: Callable[[int], dict[str, str]] = lambda _: {},
) -> httpx.Response:
    """Guess until no more guesses are taken; the answer then."""
    for number in range(TRIES):
        assert guess(browser, name, **headers(number)).status_code == 403
    return guess(browser, name, **headers(TRIES))


def forged(number: int) -> dict[str, str]:
    """Headers that name another machine with each guess."""
    address = f"203.0.113.{number}"
    return {
        "X-Real-Ip": address,
        "X-Forwarded-For": f"{address}, 127.0.0.1",
        "X-Forwarded": f"for={address}",
        "Forwarded": f"for={address}",
        "X-Client-IP": address,
        "True-Client-IP": address,
        "CF-Connecting-IP": address,
    }
