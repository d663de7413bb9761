"""Take-over: what a start finds of an earlier one, and the inner ports it has then."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING

from hubyard.contract.errors import Conflict
from hubyard_hub.up.report import Report
from hubyard_spawner.local.ports import free_port, is_free

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from hubyard_hub.settings import Settings
    from hubyard_hub.up.report import ProcessReport

_INNER = {
    "hub_port": "hub",
    "proxy_api_port": "proxy",
    "platform_port": "platform",
    "mlflow_port": "mlflow",
}
"""Which process listens at each inner port."""
_PORT_PATIENCE_S = 5
"""Connections of a process that was killed may hold its port for a moment."""


def check_port(settings: Settings) -> None:
    """See that the proxy may listen.

    Raises:
        Conflict: it may not.
    """
    if not is_free(settings.host, settings.port):
        raise Conflict(f"Port {settings.port} is taken: choose another with --port.")


def take_over(
    settings: Settings, tell: Callable[[str], None]
) -> tuple[Settings, dict[str, ProcessReport]]:
    """Adopt what a killed supervisor has left, or end it; then choose inner ports.

    Returns:
        The settings with all ports, and what was adopted, by name.

    Raises:
        Conflict: the port is taken.
    """
    from hubyard_hub.up.adoption import adoptable  # noqa: PLC0415  slow to import
    from hubyard_hub.up.processes import processes, routes_file  # noqa: PLC0415

    left = Report.left(settings.state)
    kept = adoptable(settings, processes(settings)) if left else {}
    ended = _end_others(settings.state, kept)
    complete = _with_inner_ports(settings, kept)
    if kept and complete != settings:  # those that go on know a port that is lost
        ended, kept = _end_others(settings.state, {}), {}
    if kept:
        tell(f"An earlier Hubyard was killed; adopted: {', '.join(kept)}.")
    if ended:
        tell("An earlier Hubyard was killed; what it has left was ended.")
    if "proxy" not in kept:
        check_port(settings)
    if not kept:  # no workload need be where it was
        routes_file(settings.state).unlink(missing_ok=True)
    return complete, kept


def _end_others(state: Path, kept: Mapping[str, ProcessReport]) -> bool:
    pids = {each.running.pid for each in kept.values() if each.running}
    return Report.end_leftovers(state, besides=pids)


def _with_inner_ports(
    settings: Settings, kept: Mapping[str, ProcessReport]
) -> Settings:
    chosen: dict[str, int] = {}
    for name, process in _INNER.items():
        port: int = getattr(settings, name)
        stays = process in kept or (port and _becomes_free(port))
        chosen[name] = port if stays else free_port(chosen.values())
    return dataclasses.replace(settings, **chosen)


def _becomes_free(port: int) -> bool:
    """Whether an inner port can be had again: living workloads know it."""
    deadline = time.monotonic() + _PORT_PATIENCE_S
    while not is_free("127.0.0.1", port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
