"""The hub's own database: JupyterHub asks it in the hub's loop, by one session for all.

While it waits, the hub answers nobody; where it fails, the next one is to be answered.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

from jupyterhub.handlers.base import BaseHandler
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from traitlets.config import Config

BUSY_S = 1
"""How long the hub waits where something else has locked its database."""
_DONE = "_hubyard_knows_who_asks"
_QUIET_S = 10.0
"""For so long after a failure nobody's activity is noted: each note would wait."""


def configure(c: Config, file: Path) -> None:
    """Let the hub keep its database in a file, and bear that it is locked or full."""
    c.JupyterHub.db_url = f"sqlite:///{file}"
    c.JupyterHub.db_kwargs = {
        "connect_args": {"timeout": BUSY_S, "check_same_thread": False}
    }
    _read_beside_writers(file)
    event.listen(Session, "after_soft_rollback", _begin_anew)
    _know_who_asks_without_a_note()


def _read_beside_writers(file: Path) -> None:
    """Let SQLite's write-ahead log serve readers while the file is locked.

    The file remembers it. Where it is locked just now, the next start does it.
    """
    opened = sqlite3.connect(file, timeout=BUSY_S, isolation_level=None)
    with closing(opened) as connection, suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode = WAL")


def _begin_anew(session: Session, _transaction: object) -> None:
    """Let go of what has failed, once whoever it failed for has been told.

    JupyterHub 6.1 does so at the next request, which is then taken for a stranger's.
    """

    def let_go() -> None:
        if not session.is_active:
            session.rollback()

    with suppress(RuntimeError):  # no loop: nobody else waits for this session
        asyncio.get_running_loop().call_soon(let_go)


def _know_who_asks_without_a_note() -> None:
    """Let nobody be a stranger because it could not be noted that they were here.

    JupyterHub 6.1 notes that in its database while it looks who asks, and takes whoever
    it cannot note it of for nobody: a run's token would be refused for good.
    """
    patched: Any = BaseHandler
    if hasattr(patched, _DONE):
        return
    look, note = patched.get_current_user, patched._record_activity  # noqa: SLF001  it has no public name
    quiet = _Quiet()

    async def get_current_user(handler: BaseHandler) -> object:
        try:
            return await look(handler)
        except SQLAlchemyError:
            quiet.begin()
            handler.db.rollback()
            vars(handler).pop("_jupyterhub_user", None)
            return await look(handler)

    def record_activity(
        handler: BaseHandler, seen: object, timestamp: datetime | None = None
    ) -> bool:
        return not quiet.is_on and bool(note(handler, seen, timestamp))

    setattr(patched, _DONE, True)
    patched.get_current_user = get_current_user
    patched._record_activity = record_activity  # noqa: SLF001  as above


class _Quiet:
    """A while in which something is left out."""

    def __init__(self) -> None:
        self._until = float("-inf")

    def begin(self) -> None:
        self._until = time.monotonic() + _QUIET_S

    @property
    def is_on(self) -> bool:
        return time.monotonic() < self._until
