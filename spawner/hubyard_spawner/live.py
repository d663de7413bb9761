"""The live catalogue: its file may be edited while it is in use.

A good edit counts from the next question on. A bad one changes nothing: the last good
catalogue stays, and `fault` says what is wrong and where.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from hubyard_spawner.catalogue import Catalogue, CatalogueError

if TYPE_CHECKING:
    from pathlib import Path

_LOG = logging.getLogger(__name__)


class LiveCatalogue:
    """Call it for the catalogue of this moment. Safe to use from many threads."""

    def __init__(self, path: Path) -> None:
        """Read the file for the first time.

        Raises:
            CatalogueError: naming the file, the line and what to write.
        """
        self._path = path
        self._lock = threading.Lock()
        self._stamp = self._look()
        self._good = Catalogue.load(path)
        self.fault: str | None = None
        """Why the file as it is now is not in use, in one line; None: it is."""

    def __call__(self) -> Catalogue:
        """The newest catalogue that can be used."""
        with self._lock:
            stamp = self._look()
            if stamp != self._stamp:
                self._stamp = stamp
                self._read()
            return self._good

    def _read(self) -> None:
        try:
            self._good, self.fault = Catalogue.load(self._path), None
        except CatalogueError as error:
            self.fault = error.message
            _LOG.error("The last good catalogue stays: %s", error.message)
            return
        _LOG.warning("The catalogue was read again: %s", self._path)

    def _look(self) -> tuple[int, int, int] | None:
        """What tells one state of the file from another; None: it is not there."""
        try:
            about = self._path.stat()
        except OSError:
            return None
        return about.st_mtime_ns, about.st_size, about.st_ino
