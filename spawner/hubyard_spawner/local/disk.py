"""The disk: while it is nearly full nothing new starts; what runs goes on."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubyard.contract.errors import NoRoom

if TYPE_CHECKING:
    from pathlib import Path

_MIB = 2**20
_USUAL_BYTES = 1024 * _MIB
_USUAL_SHARE = 0.02


@dataclass(frozen=True)
class Disk:
    """The disk of a folder, and what must be free on it."""

    folder: Path
    least_mib: int | None = None
    """None: 1 GiB, or 2 % of a small disk. 0: anything starts."""

    def lack(self) -> str | None:
        """Why nothing new may start, in words; None: there is room."""
        usage = shutil.disk_usage(self.folder)
        if usage.free >= self._least_bytes(usage.total):
            return None
        return (
            f"The disk is nearly full, {usage.free // _MIB} MiB are free: nothing new "
            "starts until there is more room. What runs goes on."
        )

    def check(self) -> None:
        """Whether something new may start.

        Raises:
            NoRoom: it may not; says why.
        """
        lack = self.lack()
        if lack is not None:
            raise NoRoom(lack)

    def _least_bytes(self, total_bytes: int) -> float:
        if self.least_mib is None:
            return min(_USUAL_BYTES, _USUAL_SHARE * total_bytes)
        return self.least_mib * _MIB
