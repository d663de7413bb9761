"""Autologging: MLflow's own, with what a model requires taken from the lock."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from hubyard.tracking.lock import requirements

if TYPE_CHECKING:
    from collections.abc import Callable


def switch_on() -> Callable[[], None]:
    """Track every fit from now on; returns the way to undo it."""
    import mlflow.models  # noqa: PLC0415  two seconds that only who trains shall pay
    from mlflow import sklearn  # noqa: PLC0415  # pyright: ignore[reportPrivateImportUsage]  loaded lazily

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    # MLflow's flavours look this function up here at each call; what it would find in
    # ten seconds, in a second process, stands in the lock.
    inferred = mlflow.models.infer_pip_requirements
    mlflow.models.infer_pip_requirements = _requirements
    sklearn.autolog(
        log_input_examples=True, log_datasets=False, silent=True, exclusive=False
    )

    def undo() -> None:
        mlflow.models.infer_pip_requirements = inferred
        sklearn.autolog(disable=True, silent=True)

    return undo


def _requirements(
    model_uri: str,
    flavor: str,
    fallback: list[str] | None = None,
    **_: Any,  # noqa: ANN401  MLflow's further options concern the way it would take
) -> list[str]:
    del model_uri, flavor
    return requirements(fallback)
