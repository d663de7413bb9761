"""The sampler: measures what runs, and keeps it for charts and for what is idle."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hubyard.contract.base import now
from hubyard.contract.workload import Kind
from hubyard_hub.money.usage import forget_old, keep_measured
from hubyard_spawner.local.folder import Folder
from hubyard_spawner.local.spawner import home_of
from hubyard_spawner.local.usage import Sampler as Measuring
from hubyard_spawner.local.usage import folder_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from hubyard_hub.money.lines import Line
    from hubyard_hub.parts import Books

_DISK_EVERY_S = 300.0


class Sampler:
    """Takes one sample of everything that runs, whenever it is asked."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._measuring = Measuring()
        self._disk_at: dict[str, float] = {}

    def sample(self) -> int:
        """Take a sample; returns of how many workloads."""
        lines = {line.entry.id: line for line in self._books.ledger.open_lines()}
        workloads = self._books.settings.workloads
        folders = {id_: Folder.of(workloads, id_) for id_ in lines}
        shims = {id_: folder.shim() for id_, folder in folders.items()}
        living = {id_: pid for id_, pid in shims.items() if pid is not None}
        disks = {
            id_: size
            for id_ in living
            if (size := self._disk(lines[id_], folders[id_])) is not None
        }
        measured = self._measuring.measure(living, disks)

        def work(connection: Connection) -> None:
            for id_, each in measured.items():
                keep_measured(connection, id_, folders[id_].now(), each)
            forget_old(connection, now())

        self._books.store.atomically(work)
        return len(measured)

    def _disk(self, line: Line, folder: Folder) -> int | None:
        """The bytes of the folder that it works in, counted every few minutes."""
        id_, moment = line.entry.id, time.monotonic()
        if moment - self._disk_at.get(id_, float("-inf")) < _DISK_EVERY_S:
            return None
        self._disk_at[id_] = moment
        return folder_bytes(self._place(line, folder))

    def _place(self, line: Line, folder: Folder) -> Path:
        if line.entry.kind is Kind.WORKSPACE:
            return home_of(self._books.settings.homes, line.entry.owner)
        return folder.scratch
