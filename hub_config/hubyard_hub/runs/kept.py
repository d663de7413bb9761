"""What is kept of a run: the files that its step runs have handed in.

One folder for each step run, by its key. What a run could not hand in is gathered from
its own folder, which belongs to its owner: no link there is followed.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from hubyard.contract.errors import HubyardError, NotFound
from hubyard.contract.layout import (
    NOTEBOOK,
    PACKED_OUTPUTS,
    RECORD,
    REPORT,
    STEPS,
    TRACKED,
)
from hubyard.contract.run import OUTPUT_LIMIT_BYTES, RunRecord
from hubyard_hub.sources.blobs import note_use, receive
from hubyard_hub.sources.json_text import JsonBound, check_json

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Generator, Mapping
    from pathlib import Path

    from hubyard_hub.sources.blobs import Upload

RECORD_BOUND = JsonBound(size_bytes=8 * 2**20, values=400_000, depth=32)
"""Of a run: as many step runs and cells as it may tell of."""
_KEY = re.compile(r"[a-z][a-z0-9-]{0,39}(\.[0-9]{1,4})?")
_HAS_TRACKED = ".tracked"
"""Stands for that once the run's own folder has been pruned."""


@dataclass(frozen=True)
class Kept:
    """The folder of one run."""

    folder: Path

    @classmethod
    def of(cls, state: Path, run_id: str) -> Kept:
        """What is kept of a run of that id."""
        return cls(state / "runs" / run_id)

    def path(self, key: str, name: str) -> Path | None:
        """A file of a step run; None: it has not handed it in."""
        path = self.folder / key / name
        return path if _KEY.fullmatch(key) and path.is_file() else None

    def has(self, key: str, name: str) -> bool:
        """Whether a step run has handed in a file."""
        return self.path(key, name) is not None

    def keys(self) -> list[str]:
        """The step runs that have handed in something."""
        return sorted(
            path.name for path in self.folder.glob("*") if _KEY.fullmatch(path.name)
        )

    def has_any(self, name: str) -> bool:
        """Whether some step run has handed in such a file."""
        return any(self.folder.glob(f"*/{name}"))

    def receive(self, key: str) -> contextlib.AbstractContextManager[Upload]:
        """Open an upload of a file of a step run.

        Raises:
            NotFound: no step run can have that key.
        """
        return receive(self._place(key), OUTPUT_LIMIT_BYTES)

    def _place(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise NotFound("There is no such step.")
        return self.folder / key

    def take_over(self, other: Kept, keys: Mapping[str, str]) -> None:
        """Keep what step runs of another run have handed in here too.

        Args:
            other: what is kept of that run.
            keys: of its step runs, and of those here.
        """
        for key, own in keys.items():
            place = self._place(own)
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in (NOTEBOOK, REPORT, PACKED_OUTPUTS):
                found = other.path(key, name)
                if found is not None:
                    note_use(found)
                    _link(found, place / name)

    def note_tracked(self) -> None:
        """Write down that it has tracked something, which its own folder tells."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / _HAS_TRACKED).touch(mode=0o600)

    def is_tracked(self) -> bool:
        """Whether that is written down."""
        return (self.folder / _HAS_TRACKED).exists()

    def gather(self, scratch: Path) -> None:
        """Keep what a run has made and could not hand in, so far as it is there."""
        for key in _listed(scratch):
            for name in (NOTEBOOK, REPORT, PACKED_OUTPUTS):
                if self.has(key, name):
                    continue
                with (
                    plain_file(scratch, STEPS, key, name) as file,
                    self.receive(key) as upload,
                ):
                    if file is not None:
                        shutil.copyfileobj(file, upload)
                        upload.keep_as(name)


class BadRecord(Exception):
    """A run has left a record that says nothing, or more than is taken."""


def left_record(scratch: Path) -> RunRecord | None:
    """The newest record that a run has left in its folder; None: it left none.

    Raises:
        BadRecord: it cannot be used.
    """
    with plain_file(scratch, RECORD) as file:
        content = file.read(RECORD_BOUND.size_bytes + 1) if file else b""
    if not content:
        return None
    try:
        check_json(content, RECORD_BOUND)
        return RunRecord.model_validate_json(content)
    except (ValueError, HubyardError):
        raise BadRecord from None


def has_tracked(scratch: Path) -> bool:
    """Whether some step run has begun a tracked run, as it says itself."""
    return any((scratch / STEPS / key / TRACKED).is_file() for key in _listed(scratch))


@contextmanager
def plain_file(folder: Path, *parts: str) -> Generator[BinaryIO | None]:
    """A plain file that somebody else has written, open to be read.

    None where it is missing, empty, a link, or too large.
    """
    *folders, name = parts
    with ExitStack() as closing:
        file = None
        with suppress(OSError):
            place = closing.enter_context(_opened(folder, folders))
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
            descriptor = os.open(name, flags, dir_fd=place)
            file = closing.enter_context(os.fdopen(descriptor, "rb"))
            about = os.fstat(descriptor)
            fits = 0 < about.st_size <= OUTPUT_LIMIT_BYTES
            file = file if stat.S_ISREG(about.st_mode) and fits else None
        yield file


def _listed(scratch: Path) -> list[str]:
    with suppress(OSError), _opened(scratch, [STEPS]) as place:
        return sorted(filter(_KEY.fullmatch, os.listdir(place)))  # noqa: PTH208  a descriptor has no Path
    return []


@contextmanager
def _opened(folder: Path, below: list[str]) -> Generator[int]:
    """A folder below another, opened without following a link."""
    with ExitStack() as closing:
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        closing.callback(os.close, place)
        for name in below:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
            place = os.open(name, flags, dir_fd=place)
            closing.callback(os.close, place)
        yield place


def _link(found: Path, place: Path) -> None:
    place.unlink(missing_ok=True)
    try:
        os.link(found, place)
    except OSError:  # another file system, or one without links
        shutil.copyfile(found, place)
