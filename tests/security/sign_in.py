"""Guessing ana's password: with forged addresses, and to keep her out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.strangers import TRIES, at, forged, guess

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.running import Person, Running


def guessed(hubyard: Running, ana: Person) -> Iterator[str]:
    """What strangers should not have been able to do."""
    direct = f"http://127.0.0.1:{hubyard.settings.hub_port}"
    for where, url in (("the proxy", hubyard.url), ("the hub's port", direct)):
        answers = [
            guess(at(url, "127.7.0.2"), ana.name or "", **forged(number))
            for number in range(2 * TRIES)
        ]
        tried = sum(answer.status_code != 429 for answer in answers)
        # While they guess, a few more may become due.
        if tried > TRIES + 2:
            yield f"{tried} guesses were taken at {where} from forged addresses"
    signed_in = at(hubyard.url, "127.7.0.3", ana.name or "").sign_in()
    if signed_in.status_code != 302:
        yield f"strangers keep ana out: {signed_in.status_code}"
