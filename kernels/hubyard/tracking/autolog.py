"""Autologging: MLflow's own, with the rows of an example chosen by us."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hubyard.tracking.hooks import hook_examples

if TYPE_CHECKING:
    from collections.abc import Callable


def switch_on() -> Callable[[], None]:
    """Track every fit from now on; returns the way to undo it."""
    from mlflow import sklearn  # noqa: PLC0415  # pyright: ignore[reportPrivateImportUsage]  two seconds that only who trains shall pay; loaded lazily

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    unhook = hook_examples()
    sklearn.autolog(
        log_input_examples=True, log_datasets=False, silent=True, exclusive=False
    )

    def undo() -> None:
        unhook()
        sklearn.autolog(disable=True, silent=True)

    return undo
