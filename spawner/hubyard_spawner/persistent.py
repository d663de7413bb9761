"""Persistence: what the hub has begun to do about an end, it does until it is done.

JupyterHub 6.1 stops polling before it stops a server, and marks the stop as under way.
Where its database fails it before all is done, both stay so until it is restarted: it
takes the server for running, or refuses each start and stop of it; or it forgets a
server that lives on. Where that happens during a start, the server runs and is neither
polled nor reached.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from jupyterhub.utils import maybe_future

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyterhub.spawner import Spawner
    from traitlets import Unicode
else:
    Spawner = object  # JupyterHub takes no half of a spawner for one

_LOOK_AFTER_POLLS = 4


class Persistent(Spawner):
    """Half of a spawner: looks, a while later, whether all that must follow is done."""

    entry_id: Unicode[str, str | bytes]
    """Which workload this is; empty: none."""
    _after_end: partial[object] | None = None
    _stop_accepted_of = ""
    """The workload that shall end: JupyterHub answers 2xx to a stop, come what may."""
    _looking: asyncio.TimerHandle | None = None
    _stopping: asyncio.Future[None] | None = None
    _is_following = False
    """Whether the hub does just now what follows on an end that a poll has found."""

    @property
    def is_spawning(self) -> bool:
        """Whether the hub has a start in hand, be it that it undoes one."""
        start: Any = self._spawn_future
        return start is not None and not start.done()

    def tell_where(self) -> None:
        """Write down again where it listens, should that have failed."""
        raise NotImplementedError

    def add_poll_callback(
        self, callback: Callable[..., object], *args: object, **named: object
    ) -> None:
        """Remember what follows on an end; JupyterHub forgets it once it has begun."""
        self._after_end = partial(callback, *args, **named)
        super().add_poll_callback(self._after_end)

    async def poll_and_notify(self) -> int | None:
        """Poll; where it has ended, let the hub do what follows on that."""
        self._is_following = True
        try:
            status: int | None = await super().poll_and_notify()
        finally:
            self._is_following = False
        return status

    def stop_polling(self) -> None:
        """Poll no more, which is how each stop begins; look later what came of it."""
        super().stop_polling()
        if self.pending == "stop":
            self._stop_accepted_of = self.entry_id
        self.look_later()

    async def run_post_stop_hook(self) -> None:
        """Before the hub forgets a workload: end it, should its stop have failed."""
        if self.entry_id and await self.poll() is None:
            self.log.warning("The stop of %s has failed; again", self.entry_id)
            await self.stop()
        await maybe_future(super().run_post_stop_hook())

    def look_later(self) -> None:
        """Look, in a while, whether what the hub believes is so. Called by a start."""
        if self._looking is not None:
            self._looking.cancel()
        pause_s = _LOOK_AFTER_POLLS * self.poll_interval
        self._looking = asyncio.get_running_loop().call_later(pause_s, self._look)

    def _look(self) -> None:
        try:
            self._go_on()
        except Exception:  # noqa: BLE001  the loop's edge: of the hub's database nothing is known here but that it fails
            self.user.db.rollback()
            self.look_later()

    def _go_on(self) -> None:
        """Poll again what runs, and stop what the hub has forgotten."""
        if self._poll_callback is not None or self._is_replaced():
            return
        if self._stop_pending and not self._is_stopping():
            self._stop_pending = False
        if self.pending:
            self.look_later()
        elif self.entry_id and (self._shall_end() or not self.ready):
            self.log.warning("The stop of %s was broken off; again", self.entry_id)
            self._stopping = asyncio.ensure_future(self._stop_again())
        elif self.ready:
            self.tell_where()
            if not self._callbacks:
                follows = self._after_end or partial(self.user.stop, self.name)
                self._callbacks.append(follows)
            self.start_polling()

    def _is_replaced(self) -> bool:
        """Whether the hub has put another spawner into this one's place, or none.

        Both share one row of the hub's database: what that says of a server that has
        been started since must not be taken for this one's.
        """
        session = self.user.db
        if not session.is_active:
            session.rollback()  # what is unsaved tells of an end that was not kept
        return self.user.spawners.get(self.name) is not self

    def _shall_end(self) -> bool:
        return self._stop_accepted_of == self.entry_id

    async def _stop_again(self) -> None:
        try:
            await self.user.stop(self.name)
        except Exception:  # noqa: BLE001  as above
            self.user.db.rollback()
            self.look_later()

    def _is_stopping(self) -> bool:
        """Whether somebody has a stop in hand."""
        asked = getattr(self, "_stop_future", None) is not None
        again = self._stopping is not None and not self._stopping.done()
        return asked or again or self._is_following or self.is_spawning
