"""The experiment that MLflow tracks into before anybody has chosen one.

MLflow asks its providers (entry point group `mlflow.default_experiment_provider`) in
each process of a workload: a kernel, what a cell starts, a terminal. Without one it
would track into the experiment that everybody shares.
"""

from __future__ import annotations

import logging
import os

from mlflow.exceptions import MlflowException
from mlflow.tracking.default_experiment.abstract_context import (
    DefaultExperimentProvider,
)

from hubyard.contract import environment
from hubyard.tracking.experiment import default_experiment, experiment_id

_log = logging.getLogger(__name__)

NOWHERE = "-1"
"""No experiment has this id, so MLflow refuses it. Where a provider raises an error, it
tracks into the experiment that everybody shares."""


class HubyardExperiment(DefaultExperimentProvider):
    """Chooses `<owner>/<notebook>` in each workload of Hubyard."""

    def in_context(self) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]  the base has no annotations
        """Whether this process belongs to a workload."""
        return bool(os.environ.get(environment.ENTRY))

    def get_experiment_id(self) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]  as above
        """The experiment's id; the experiment is made where there is none."""
        name = default_experiment()
        try:
            return experiment_id(name)
        except MlflowException as error:
            _log.warning("MLflow does not take the experiment %s: %s", name, error)
            return NOWHERE
