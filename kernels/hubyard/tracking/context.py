"""What Hubyard knows of a tracked run when it begins, as MLflow tags.

MLflow asks its run context providers (entry point group `mlflow.run_context_provider`)
each time that a run begins, whoever begins it: autologging, `%%track` or the user.
"""

from __future__ import annotations

import os
from pathlib import Path

from mlflow.tracking.context.abstract_context import RunContextProvider

from hubyard.contract import environment
from hubyard.contract.tracking import (
    TAG_CELL,
    TAG_COMPUTE,
    TAG_ENTRY,
    TAG_LOCK,
    TAG_NOTEBOOK,
    TAG_RUN,
    TAG_STEP,
)
from hubyard.tracking.cell import current_cell
from hubyard.tracking.lock import lock_hash
from hubyard.tracking.notebook import git_commit, notebook_path


class HubyardContext(RunContextProvider):
    """Tags of each tracked run that begins in a workload of Hubyard."""

    def in_context(self) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]  the base has no annotations
        """Whether this process belongs to a workload."""
        return bool(os.environ.get(environment.ENTRY))

    def tags(self) -> dict[str, str]:  # pyright: ignore[reportIncompatibleMethodOverride]  as above
        """Compute, ledger entry, lock, notebook, cell, pipeline run, git revision."""
        current_cell.has_tracked = True
        if mark := os.environ.get(environment.TRACKED):
            Path(mark).touch()
        path = notebook_path()
        known = {
            TAG_COMPUTE: os.environ.get(environment.COMPUTE),
            TAG_ENTRY: os.environ.get(environment.ENTRY),
            TAG_RUN: os.environ.get(environment.RUN),
            TAG_STEP: os.environ.get(environment.STEP),
            TAG_LOCK: lock_hash(),
            TAG_CELL: current_cell.key,
            TAG_NOTEBOOK: _shown(path),
            "mlflow.source.name": _shown(path),
            "mlflow.source.type": "NOTEBOOK" if path else None,
            "mlflow.source.git.commit": git_commit(path),
        }
        return {name: value for name, value in known.items() if value}


def _shown(path: Path | None) -> str | None:
    """The notebook's path as its owner knows it: below their folder."""
    if path is None:
        return None
    home = Path.home()
    return str(path.relative_to(home)) if path.is_relative_to(home) else path.name
