"""Leftovers: the files of the state folder that nobody needs any more."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from hubyard.contract.layout import PACKED_OUTPUTS
from hubyard_hub.retention.needed import read_needed, read_run_entries
from hubyard_hub.runs.kept import Kept, has_tracked
from hubyard_spawner.local.folder import folders
from hubyard_spawner.local.usage import folder_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hubyard_hub.retention.needed import Needed
    from hubyard_hub.settings import Settings
    from hubyard_hub.store import Store
    from hubyard_spawner.local.folder import Folder

_UPLOAD_KEPT = timedelta(days=1)


class What(StrEnum):
    """What a leftover is."""

    SOURCE = "source or model copy"
    RUN = "files of a run"
    WORKLOAD = "log and working folder of a workload"
    UPLOAD = "unfinished upload"


@dataclass(frozen=True)
class Leftover:
    """A file or folder that may go."""

    path: Path
    what: What
    size_bytes: int


class Leftovers:
    """Looks at the files of one deployment, at one moment."""

    def __init__(self, settings: Settings, store: Store, moment: datetime) -> None:
        self._settings = settings
        self._store = store
        self._moment = moment
        self._limit = moment - timedelta(days=settings.keep_days)

    def find(self) -> list[Leftover]:
        """All that may go; nothing but uploads where the settings keep everything.

        Files are listed before the rows are read: what is made meanwhile is not seen.
        """
        found = list(self._uploads())
        if not self._settings.keep_days:
            return found
        blobs = _listed(self._settings.state / "blobs")
        kept = [Kept(path) for path in _listed(self._settings.state / "runs")]
        workloads = folders(self._settings.workloads)
        tracked = {each.folder.name for each in kept if each.is_tracked()}
        tracked |= self.tracked_runs()
        needed = read_needed(self._store, self._limit, tracked)
        if not needed.has_entries:
            return found
        found += self._workloads(workloads, needed)
        found += self._runs(kept, tracked, needed)
        return found + self._blobs(blobs, needed)

    def tracked_runs(self) -> set[str]:
        """The runs that have tracked something, as their workloads' folders tell."""
        run_of = read_run_entries(self._store)
        return {
            run_of[folder.entry_id]
            for folder in folders(self._settings.workloads)
            if folder.entry_id in run_of and has_tracked(folder.scratch)
        }

    def _uploads(self) -> Iterator[Leftover]:
        limit = self._moment - _UPLOAD_KEPT
        for pattern in ("blobs/.*", "runs/*/*/.*", "homes/.*"):
            for path in sorted(self._settings.state.glob(pattern)):
                if _used_at(path) < limit:
                    yield _leftover(path, What.UPLOAD)

    def _blobs(self, blobs: list[Path], needed: Needed) -> list[Leftover]:
        return [
            _leftover(path, What.SOURCE)
            for path in blobs
            if path.name not in needed.digests and _used_at(path) < self._limit
        ]

    def _workloads(self, found: list[Folder], needed: Needed) -> list[Leftover]:
        return [
            _leftover(folder.path, What.WORKLOAD)
            for folder in found
            if folder.entry_id not in needed.entries
            and folder.shim() is None
            and (folder.entry_id in needed.known_entries or self._is_old(folder.path))
        ]

    def _is_old(self, folder: Path) -> bool:
        return _used_at(folder) < self._limit

    def _runs(
        self, found: list[Kept], tracked: set[str], needed: Needed
    ) -> list[Leftover]:
        return [
            _leftover(path, What.RUN)
            for kept in found
            if (run := kept.folder.name) not in needed.runs
            and (run in needed.known_runs or self._is_old(kept.folder))
            for path in self._of_run(kept, keep=run in tracked & needed.known_runs)
        ]

    def _of_run(self, kept: Kept, *, keep: bool) -> list[Path]:
        """What of a run's files goes; a tracked run keeps all but what steps passed on.

        A later run may have taken something over from it lately.
        """
        files = sorted(kept.folder.glob("*/*"))
        if any(_used_at(path) >= self._limit for path in files):
            return []
        if keep:
            return [path for path in files if path.name == PACKED_OUTPUTS]
        return [kept.folder]


def _listed(folder: Path) -> list[Path]:
    """What is in a folder and has a name of its own, in a steady order."""
    with suppress(FileNotFoundError):
        return sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    return []


def _used_at(path: Path) -> datetime:
    """When a file was written or last used; now where it is gone."""
    try:
        return datetime.fromtimestamp(path.lstat().st_mtime, UTC)
    except OSError:
        return datetime.now(UTC)


def _leftover(path: Path, what: What) -> Leftover:
    with suppress(OSError):
        is_folder = path.is_dir() and not path.is_symlink()
        size = folder_bytes(path) if is_folder else path.lstat().st_size
        return Leftover(path, what, size or 0)
    return Leftover(path, what, 0)
