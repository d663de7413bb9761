"""Wanted: the row of a run that shall begin, and what it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hubyard.contract.workload import Kind, new_id
from hubyard_hub.runs.steps import counts
from hubyard_hub.workloads.wishes import new_wish

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from hubyard.contract.run import StepRecord


@dataclass(frozen=True)
class Wanted:
    """What a run row holds beside the columns of every wish."""

    notebook: str
    source: str
    parameters: dict[str, Any]
    cell_timeout_s: int | None
    schedule_id: str | None = None
    fire_at: datetime | None = None
    resumes: str | None = None
    only_step: str | None = None
    fresh: bool = False
    steps: Sequence[StepRecord] = ()
    """Those that it takes over from the run which it resumes."""

    def columns(self) -> dict[str, Any]:
        """The columns of a run that has not begun."""
        own = {name: value for name, value in vars(self).items() if name != "steps"}
        return {**own, "revision": 0, **counts(self.steps)}


def new_run(
    owner: str, name: str, compute: str, lifetime_s: int, wanted: Wanted
) -> dict[str, Any]:
    """The row of a run that shall start at once."""
    wish = new_wish(Kind.RUN, new_id(), owner, name, compute, lifetime_s)
    return {**wish, **wanted.columns()}
