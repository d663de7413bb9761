"""A whole Hubyard whose workloads are cheap processes; all else is the real thing."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from support import coverage_environment, plain_workload_path
from support.running import Running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_PROFILE = """
[[compute]]
name = "{name}"
cpu = 1
memory = "{memory}"
price = "{price}"
groups = {groups}
default_lifetime = "1h"
longest_lifetime = "2h"
"""
_HUB = """
from hubyard_spawner import workloads
c.JupyterHub.spawn_throttle_retry_range = (1, 3)
c.Spawner.environment = {environment!r}
workloads.WorkloadKind.cmd = property(
    lambda self: [{python!r}, {program!r}, str(self.kind)]
)
"""


@dataclass
class Cheap(Running):
    """One `hubyard up` with an environment of its own."""

    environment: dict[str, str] = field(default_factory=dict)
    """What it is started with, each time."""

    def start(self) -> float:
        """Start; returns the seconds until it was ready."""
        before = dict(os.environ)
        os.environ.update(self.environment)
        try:
            return super().start()
        finally:
            os.environ.clear()
            os.environ.update(before)


def profile(
    name: str,
    price: str = "3.60",
    memory: str = "128 MiB",
    groups: tuple[str, ...] = (),
) -> str:
    """A profile of a catalogue, for an hour and at most two."""
    return _PROFILE.format(name=name, price=price, memory=memory, groups=[*groups])


@contextlib.contextmanager
def cheap(
    folder: Path,
    profiles: list[str],
    program: str = plain_workload_path(),
    environment: Mapping[str, str] | None = None,
    arguments: Sequence[str] = (),
) -> Iterator[Cheap]:
    """A started one that is gone at the end.

    Args:
        folder: where it is kept.
        profiles: its catalogue.
        program: what is run in the place of each kind; its argument is the kind.
        environment: for every process of it, workloads too.
        arguments: more of `hubyard up`.
    """
    catalogue, config = folder / "compute.toml", folder / "hub.py"
    catalogue.write_text('currency = "USD"\n' + "".join(profiles))
    given = dict(environment or {})
    config.write_text(
        _HUB.format(
            environment={**given, **coverage_environment()},
            python=sys.executable,
            program=program,
        )
    )
    hubyard = Cheap(
        folder / "state",
        arguments=("--catalogue", str(catalogue), *arguments),
        environment={**given, "HUBYARD_HUB_CONFIG": str(config)},
    )
    try:
        hubyard.start()
        yield hubyard
    finally:
        hubyard.stop()
