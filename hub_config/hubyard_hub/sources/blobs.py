"""Blobs: bytes kept under the SHA-256 of themselves, written whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from hubyard.contract.errors import NotFound, TooLarge

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


_USE_NOTED_AFTER_S = 3600
NO_LONGER_KEPT = "That source is no longer kept: choose the notebook again."


class Upload:
    """Bytes on their way to become a file; counts them and refuses too many."""

    def __init__(self, path: Path, file: BinaryIO, limit_bytes: int) -> None:
        self.path = path
        self.size = 0
        self._file = file
        self._limit = limit_bytes
        self._hash = hashlib.sha256()

    def write(self, chunk: bytes) -> int:
        """Take the next bytes.

        Raises:
            TooLarge: there are more than are taken.
        """
        self.size += len(chunk)
        if self.size > self._limit:
            raise TooLarge(f"At most {self._limit // 2**20} MiB are taken.")
        self._hash.update(chunk)
        return self._file.write(chunk)

    def flush(self) -> None:
        """Hand what was written to the system, so that `path` can be read."""
        self._file.flush()

    @property
    def digest(self) -> str:
        """The SHA-256 of what was written so far."""
        return self._hash.hexdigest()

    def keep_as(self, name: str) -> None:
        """Put the bytes, whole and safe from a power cut, at a name in their folder."""
        self.flush()
        _sync(self.path)
        self.path.replace(self.path.with_name(name))
        _sync(self.path.parent)


@contextlib.contextmanager
def receive(folder: Path, limit_bytes: int) -> Generator[Upload]:
    """Open an upload into a folder; it leaves nothing behind unless it is kept."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f".{secrets.token_hex(8)}"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield Upload(path, file, limit_bytes)
    finally:
        path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Blobs:
    """A folder of blobs. Many may write at once: equal bytes have one name."""

    folder: Path

    def receive(self, limit_bytes: int) -> contextlib.AbstractContextManager[Upload]:
        """Open an upload that may become a blob."""
        return receive(self.folder, limit_bytes)

    def keep(self, upload: Upload) -> str:
        """Make an open upload a blob; returns its digest."""
        upload.keep_as(upload.digest)
        return upload.digest

    def path(self, digest: str) -> Path:
        """The file of a blob, which is used again from this moment on.

        Raises:
            NotFound: there is none of that digest.
        """
        path = self.folder / digest
        try:
            note_use(path)
        except FileNotFoundError:
            raise NotFound(NO_LONGER_KEPT) from None
        return path


def note_use(path: Path) -> None:
    """Let a file's time say when it was last used: what was used lately is not pruned.

    To the hour, for what is remembered of a file is known by its time.

    Raises:
        FileNotFoundError: it is not there.
    """
    if time.time() - path.stat().st_mtime > _USE_NOTED_AFTER_S:
        os.utime(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
