"""Adoption: what a killed supervisor has left is taken over where nothing has changed.

made of  a digest of all that makes a process what it is: its command, the variables
         that it reads, the settings and the code. Only what would be started just as it
         runs is adopted; the rest is ended and started anew
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

import hubyard_hub
import hubyard_spawner
from hubyard import contract
from hubyard_hub.settings import EXTRA_VARIABLE, shipped
from hubyard_hub.up.health import Health, ask, client
from hubyard_hub.up.report import Report
from hubyard_runtime import gate

if TYPE_CHECKING:
    from collections.abc import Iterable

    import httpx

    from hubyard_hub.settings import Settings
    from hubyard_hub.up.processes import Process
    from hubyard_hub.up.report import ProcessReport

_ROOMS = (
    *(Path(room.__path__[0]) for room in (hubyard_hub, hubyard_spawner)),
    *(Path(inner.__path__[0]).parent for inner in (contract, gate)),
)
_CODE = {".py", ".mjs", ".html"}
_READ = ("HUBYARD_", "JUPYTERHUB_", "MLFLOW_", "CONFIGPROXY_", "PYTHON", "NODE_")
"""What variables that change a process begin with: others differ by terminal."""
_PATIENCE_S = 15.0
_POLL_S = 0.2


def made_of(process: Process, settings: Settings) -> str:
    """The digest of what a process would be made of, were it started now."""
    read = {k: v for k, v in process.environment.items() if k.startswith(_READ)}
    extra = [path] if (path := read.get(EXTRA_VARIABLE)) else []
    parts = (process.command, sorted(read.items()), settings, _code(), _seen(extra))
    return hashlib.sha256(repr(parts).encode()).hexdigest()


@functools.cache
def _code() -> list[tuple[str, int, int]]:
    found = (path for folder in _ROOMS for path in folder.rglob("*"))
    beside = (shipped("jupyterhub_config.py"), *shipped("proxy").glob("*"))
    return _seen(path for path in (*found, *beside) if path.suffix in _CODE)


def _seen(files: Iterable[Path | str]) -> list[tuple[str, int, int]]:
    """What tells whether files have changed since."""
    found = ((str(file), Path(file).stat()) for file in files if Path(file).is_file())
    return sorted((name, about.st_mtime_ns, about.st_size) for name, about in found)


def adoptable(
    settings: Settings, wanted: tuple[Process, ...]
) -> dict[str, ProcessReport]:
    """What runs and is well, just as it would be started, by name."""
    return asyncio.run(_adoptable(settings, wanted)) if _can_watch() else {}


def _can_watch() -> bool:
    """Whether this kernel (Linux 5.3) tells who is no parent that a process ends."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return False
    return True


async def _adoptable(
    settings: Settings, wanted: tuple[Process, ...]
) -> dict[str, ProcessReport]:
    left = {each.name: each for each in Report.left(settings.state)}
    alike = [
        process
        for process in wanted
        if (found := left.get(process.name))
        and found.made_of == made_of(process, settings)
        and not _is_stopped(found)
    ]
    async with client() as http:
        well = await asyncio.gather(*(_is_well(http, process) for process in alike))
    return {
        p.name: left[p.name] for p, is_well in zip(alike, well, strict=True) if is_well
    }


def _is_stopped(found: ProcessReport) -> bool:
    try:
        status = psutil.Process(found.running.pid if found.running else 0).status()
    except psutil.Error:
        return True
    return status == psutil.STATUS_STOPPED


async def _is_well(http: httpx.AsyncClient, process: Process) -> bool:
    """Whether it answers in time: it may be busy, or still be starting."""
    end = time.monotonic() + _PATIENCE_S
    while await ask(http, process) is not Health.WELL:
        if time.monotonic() > end:
            return False
        await asyncio.sleep(_POLL_S)
    return True
