"""The sink: where each new record goes, to a file at once and to the platform soon.

The file is written before the run goes on. The platform is told by a thread of its own,
only ever the newest record, and again while it is down; a run never waits for it.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from hubyard.contract.errors import HubyardError, Rejected
from hubyard.contract.run_record import shortened
from hubyard_runtime.insist import pauses
from hubyard_runtime.run.system.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hubyard.contract.run import RunRecord

_log = logging.getLogger(__name__)


class Sink:
    """Keeps and sends the records of one run."""

    def __init__(
        self, file: Path, send: Callable[[RunRecord], None], record: RunRecord
    ) -> None:
        """Start the thread that sends.

        Args:
            file: where the newest record lies.
            send: hands a record to the platform; raises HubyardError.
            record: the first one.
        """
        self._file = file
        self._send = send
        self._newest = self._outgoing = record
        self._settled = 0
        """Revision of the newest record that was taken, or refused for good."""
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="sink", daemon=True)
        self._thread.start()
        self.put(record)

    @property
    def newest(self) -> RunRecord:
        """The record as it stands."""
        return self._newest

    def keep(self, record: RunRecord) -> None:
        """Write a record to the file alone. A full disk does not fail the run here."""
        self._newest = record
        try:
            write_whole(self._file, shortened(record).model_dump_json().encode())
        except OSError as error:
            _log.warning("The record could not be written: %s.", error.strerror)

    def put(self, record: RunRecord) -> None:
        """Keep a record and have it sent; returns at once."""
        self.keep(record)
        with self._changed:
            self._outgoing = record
            self._changed.notify_all()

    def is_settled(self, within_s: float) -> bool:
        """Wait until the platform has taken, or refused, what was put last."""
        with self._changed:
            return self._changed.wait_for(self._idle, within_s)

    def close(self) -> None:
        """End the thread, whether or not everything was sent."""
        with self._changed:
            self._closed.set()
            self._changed.notify_all()

    def _idle(self) -> bool:
        return self._settled >= self._outgoing.revision

    def _serve(self) -> None:
        waits = pauses()
        while (record := self._next()) is not None:
            waits = self._after(record, waits)

    def _next(self) -> RunRecord | None:
        """The newest record that is not sent yet, once there is one."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed.is_set() or not self._idle())
            return None if self._closed.is_set() else self._outgoing

    def _after(self, record: RunRecord, waits: Iterator[float]) -> Iterator[float]:
        """Send a record; the pauses that hold from now on."""
        try:
            self._send(shortened(record))
        except Rejected as error:
            _log.warning("The platform refuses the record: %s", error.message)
        except HubyardError:
            self._closed.wait(next(waits))
            return waits
        with self._changed:
            self._settled = record.revision
            self._changed.notify_all()
        return pauses()
