"""A task: all that the worker of one step run is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import JsonValue

    from hubyard.contract.pipeline import StepPlan
    from hubyard.contract.run import StepRecord
    from hubyard_runtime.run.step.clock import Clock


@dataclass(frozen=True)
class Task:
    """All that a worker is told."""

    record: StepRecord
    plan: StepPlan
    parameters: dict[str, JsonValue]
    source: Path
    folder: Path
    """Where it leaves its notebook and its outputs."""
    environment: dict[str, str]
    clock: Clock
