"""A store that breaks as it is told: before it commits, or right after it has."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from hubyard_hub.store import Store

if TYPE_CHECKING:
    from collections.abc import Generator

    from sqlalchemy import Connection


class BreakingStore(Store):
    """`breaks` says of each transaction to come, the last one first, when it does."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.breaks: list[str] = []
        event.listen(self._engine, "connect", _without_waiting_for_the_disk)

    @contextmanager
    def write(self) -> Generator[Connection]:
        when = self.breaks.pop() if self.breaks else "never"
        with super().write() as connection:
            yield connection
            if when == "before":
                raise _broken()
        if when == "after":
            raise _broken()


def _without_waiting_for_the_disk(connection: Any, _: object) -> None:
    connection.cursor().execute("PRAGMA synchronous=OFF")


def _broken() -> OperationalError:
    error = OperationalError("COMMIT", {}, Exception("the connection broke"))
    error.connection_invalidated = True
    return error
