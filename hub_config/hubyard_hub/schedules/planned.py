"""A planned schedule: one that somebody wishes for, and that can be.

A preview is refused where making the schedule would be, since both ask here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubyard_hub.runs.job import check_shares
from hubyard_hub.schedules.cron import Cron, zone_of
from hubyard_hub.schedules.watch import Found, first_look
from hubyard_hub.workloads.wishes import choose_compute

if TYPE_CHECKING:
    from hubyard.contract.identity import Identity
    from hubyard.contract.project import Project
    from hubyard.contract.schedule import PreviewRequest, ScheduleRequest
    from hubyard_hub.parts import Parts
    from hubyard_hub.sources.entry import Entry

    Request = PreviewRequest | ScheduleRequest


@dataclass(frozen=True)
class Planned:
    """What a request comes to."""

    cron: Cron | None
    """None: a trigger wakes it."""
    found: Found
    """What its trigger finds now."""
    entry: Entry | None
    """What its runs execute; None: a preview that names no file."""
    project: Project
    compute: str
    lifetime_s: int

    @classmethod
    def of(
        cls, parts: Parts, asking: Identity, token: str, request: Request
    ) -> Planned:
        """Check a request; nothing is written.

        Raises:
            NotFound: its source, notebook or model is not there.
            Invalid, Rejected: it cannot be like this; says why.
        """
        cron = _cron(request)
        found = first_look(parts, asking.name, token, request.on)
        entry = _entry(parts, asking, request)
        project = (
            entry.project
            if entry
            else parts.sources.project(asking.name, request.source)
        )
        compute, lifetime_s = choose_compute(
            parts, asking, request.compute or project.compute, request.lifetime_s
        )
        if entry is not None:
            check_shares(parts.catalogue, entry, compute, asking.groups)
        return cls(cron, found, entry, project, compute, lifetime_s)


def _cron(request: Request) -> Cron | None:
    if request.cron is None:
        zone_of(request.time_zone)
        return None
    return Cron.parse(request.cron, request.time_zone)


def _entry(parts: Parts, asking: Identity, request: Request) -> Entry | None:
    if request.source is None or request.notebook is None:
        return None
    return parts.sources.entry(
        asking.name,
        request.source,
        request.notebook,
        request.parameters,
        request.parameter_texts,
    )
