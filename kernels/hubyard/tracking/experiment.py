"""An experiment: where tracked runs go. Its full name is `<owner>/<name>`."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path

from hubyard.contract import environment
from hubyard.tracking.notebook import notebook_path, notebook_stem


def owned(name: str) -> str:
    """The full name: names are unique in the whole of MLflow."""
    owner = os.environ.get("JUPYTERHUB_USER", "")
    return f"{owner}/{name}" if owner else name


def default_experiment() -> str:
    """Full name of the experiment of this pipeline, notebook or script."""
    pipeline = os.environ.get(environment.EXPERIMENT)
    return owned(pipeline or _script_stem() or notebook_stem())


def _script_stem() -> str | None:
    """The name of the script that this process runs; None: it belongs to a notebook."""
    script = Path(sys.argv[0] if sys.argv else "")
    if notebook_path() or "ipykernel" in sys.modules or script.suffix != ".py":
        return None
    return script.stem


def experiment_id(name: str) -> str:
    """The id of an experiment, by its full name; it is made where there is none.

    Raises:
        MlflowException: MLflow does not answer, or does not take it.
    """
    import mlflow  # noqa: PLC0415  two seconds that only who trains shall pay

    return _experiment_id(mlflow.get_tracking_uri(), name)


@cache
def _experiment_id(_uri: str, name: str) -> str:
    import mlflow  # noqa: PLC0415  as above
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    if found := mlflow.get_experiment_by_name(name):
        return found.experiment_id
    try:
        return mlflow.create_experiment(name)
    except MlflowException:
        # Another process of the same notebook may have made it in the meantime.
        if found := mlflow.get_experiment_by_name(name):
            return found.experiment_id
        raise
