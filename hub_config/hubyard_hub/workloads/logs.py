"""The log: what a workload has printed, as its owner may read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi.responses import PlainTextResponse

from hubyard_spawner.local.folder import Folder

if TYPE_CHECKING:
    from hubyard_hub.parts import Parts
    from hubyard_hub.workloads.wishes import Row

_SHOWN_BYTES = 2**20


def log_answer(parts: Parts, row: Row) -> PlainTextResponse:
    """The end of the output of a wish's newest workload; empty before its first."""
    line = parts.ledger.newest(row["owner"], row["server_name"])
    text = ""
    if line is not None:
        folder = Folder.of(parts.settings.workloads, line.entry.id)
        text = folder.end_of_log(_SHOWN_BYTES).decode(errors="replace")
    return PlainTextResponse(text)
