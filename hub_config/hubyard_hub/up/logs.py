"""Logs: what the supervised processes print, one file each, kept short while they run.

A log that has grown past its limit begins anew; its newest part is kept in `<log>.1`.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from hubyard_spawner.local.shim import keep_short

if TYPE_CHECKING:
    from pathlib import Path
    from typing import NoReturn

_LIMIT_BYTES = 10 * 2**20
_EVERY_S = 2.0


async def keep_all_short(
    folder: Path, limit_bytes: int = _LIMIT_BYTES, every_s: float = _EVERY_S
) -> NoReturn:
    """Look at the logs of a folder again and again, until it is cancelled."""
    while True:
        await asyncio.to_thread(_shorten, folder, limit_bytes)
        await asyncio.sleep(every_s)


def _shorten(folder: Path, limit_bytes: int) -> None:
    for log in folder.glob("*.log"):
        with contextlib.suppress(OSError):  # the disk is full: tried again soon
            keep_short(str(log), limit_bytes)
