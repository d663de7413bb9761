"""Health: what a process answers when it is asked whether it is well.

well    it answers
ill     it answers with an error of its own
silent  it answers nothing: it is starting, or it hangs
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

import httpx

from hubyard_hub import loopback

if TYPE_CHECKING:
    from hubyard_hub.up.processes import Process

ANSWERS_WITHIN_S = 5.0
_FAILED = 500


class Health(Enum):
    """One answer."""

    WELL = "well"
    ILL = "ill"
    SILENT = "silent"


def client() -> httpx.AsyncClient:
    """By which processes are asked."""
    return loopback.async_client(timeout=ANSWERS_WITHIN_S)


async def ask(http: httpx.AsyncClient, process: Process) -> Health:
    """Ask a process once."""
    headers = {}
    if process.health_token:
        headers["Authorization"] = f"token {process.health_token}"
    try:
        answer = await http.get(process.health_url, headers=headers)
    except httpx.HTTPError:
        return Health.SILENT
    return Health.WELL if answer.status_code < _FAILED else Health.ILL
