"""Channels: the ways out of Hubyard, defined by administrators.

A channel's URL holds its secret, so it lies in a file of the state folder that only
this user may read; the row beside it names that file and says what may be told.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from hubyard.contract.base import now
from hubyard.contract.errors import Invalid, NotFound
from hubyard.contract.notice import (
    NOBODY,
    USUAL,
    Channel,
    Delivery,
    DeliveryStatus,
    Trial,
)
from hubyard.contract.workload import new_id
from hubyard_hub.settings import Settings, make_private_folder, write_private
from hubyard_hub.store import insert_once
from hubyard_hub.store.tables import channels, deliveries, notices
from hubyard_hub.workloads.wishes import all_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hubyard.contract.identity import Identity
    from hubyard.contract.notice import ChannelRequest
    from hubyard_hub.parts import Parts
    from hubyard_hub.workloads.wishes import Row

LONGEST_S = 60.0
"""Twice and more what the sender gives itself: a busy machine starts it late."""
_SHOWN = 100
_ENVIRONMENT = ("PATH", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
_NO_ANSWER = {"status": "unsure", "said": "It took too long."}


class Channels:
    """The channels of a deployment."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def list(self, asking: Identity) -> list[Channel]:
        """All channels; where they lead is for administrators."""
        with self._parts.store.read() as connection:
            rows = all_rows(connection, select(channels).order_by(channels.c.name))
        return [_shown(row, masked=not asking.admin) for row in rows]

    def put(self, asking: Identity, name: str, wish: ChannelRequest) -> Channel:
        """Define a channel, or define it anew.

        Raises:
            Invalid: nothing can be sent to its URL, or its name stands for no channel.
        """
        if name in {USUAL, NOBODY}:
            raise Invalid(
                f"No channel can be called {USUAL} or {NOBODY}: where channels are "
                "named, these say that there is none.",
                field="name",
            )
        found = order(self._parts.settings, "look", wish.url)
        if found.get("place") is None:
            said = found.get("refused") or "It cannot be looked at now: try again."
            raise Invalid(f"The url cannot be used. {said}", field="url")
        secret = new_id()
        make_private_folder(self._secrets)
        write_private(self._secrets / secret, wish.url)
        row = {
            "name": name,
            "kind": found["kind"],
            "place": found["place"],
            "purpose": wish.purpose,
            "is_default": wish.is_default,
            "secret": secret,
            "made_by": asking.name,
            "made_at": now(),
        }
        self._replace(name, row)
        return _shown(row, masked=False)

    def remove(self, name: str) -> None:
        """Take a channel away; what waits for it is never sent.

        Raises:
            NotFound: there is none of that name.
        """
        if not self._replace(name, None):
            raise NotFound(f"There is no channel {name}: see hubyard channels.")

    def try_out(self, asking: Identity, name: str) -> Trial:
        """Send a message that only tries a channel, now.

        Raises:
            NotFound: there is none of that name.
        """
        message = {
            "id": new_id(),
            "why": "trial",
            "title": "Hubyard can be heard here",
            "message": f"{asking.name} has tried the channel {name}.",
            "link": self._parts.settings.public_url,
        }
        said = self.send(name, message)
        if said is None:
            raise NotFound(f"There is no channel {name}: see hubyard channels.")
        status = said["status"]
        known = DeliveryStatus.REFUSED if status == "inside" else DeliveryStatus(status)
        return Trial(status=known, said=said.get("said"))

    def send(self, name: str, message: dict[str, Any]) -> dict[str, Any] | None:
        """Send a message through a channel: the sender's answer; None: it is gone."""
        wanted = select(channels.c.secret).where(channels.c.name == name)
        with self._parts.store.read() as connection:
            secret = connection.scalar(wanted)
        if secret is None:
            return None
        try:
            url = (self._secrets / secret).read_text()
        except FileNotFoundError:  # it was taken away in this moment
            return None
        return order(self._parts.settings, "send", url, message)

    def deliveries(self) -> list[Delivery]:
        """The newest hundred deliveries, with what became of them."""
        newest = (
            select(deliveries, notices)
            .join(notices, notices.c.id == deliveries.c.notice_id)
            .order_by(deliveries.c.changed_at.desc())
            .limit(_SHOWN)
        )
        with self._parts.store.read() as connection:
            return [Delivery(**row) for row in all_rows(connection, newest)]

    def check(self, names: Sequence[str] | None) -> None:
        """Whether each of these channels is there.

        Raises:
            Invalid: naming one that is not, and those that are.
        """
        with self._parts.store.read() as connection:
            known = set(connection.scalars(select(channels.c.name)))
        for name in names or ():
            if name not in known:
                there = ", ".join(sorted(known)) or "none yet: ask an administrator"
                raise Invalid(
                    f"notify names no channel: {name}; there are: {there}.",
                    field="notify",
                )

    @property
    def _secrets(self) -> Path:
        return self._parts.settings.state / "secrets" / "channels"

    def _replace(self, name: str, row: dict[str, Any] | None) -> bool:
        """Put a row in another's place; whether there was one. Its secret is gone."""
        mine = channels.c.name == name
        with self._parts.store.write() as connection:
            before = connection.scalar(select(channels.c.secret).where(mine))
            connection.execute(delete(channels).where(mine))
            if row is not None:
                insert_once(connection, channels, row)
        if before is not None:
            (self._secrets / before).unlink(missing_ok=True)
        return before is not None


def order(
    settings: Settings, act: str, url: str, message: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Let a process of its own look at a URL, or send to it; what it answers."""
    said = {"act": act, "url": url, "message": message, "reach": settings.reach}
    environment = {n: os.environ[n] for n in _ENVIRONMENT if n in os.environ}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "hubyard_hub.notices.sender"],
            input=json.dumps(said),
            env={**environment, "HOME": "/"},
            cwd="/",
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
            check=False,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        return dict(_NO_ANSWER)
    return answer


def _shown(row: Row, *, masked: bool) -> Channel:
    return Channel.model_validate({**row, "place": None} if masked else row)
