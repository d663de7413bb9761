"""Tracking with no line of code: the user's own training cell is a tracked run.

Nothing is imported until the user imports a library that can be tracked. Then MLflow's
own autologging is switched on for it, with three things added: an experiment named
after owner and notebook, model requirements from the lock, and, when the cell has
ended, a copy of the notebook with each tracked run that began in it.

Outside a workload (no `MLFLOW_TRACKING_URI`) nothing happens.
"""

from __future__ import annotations

import html
import logging
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubyard.contract.tracking import NOTEBOOK_ARTIFACT, TAG_CELL
from hubyard.tracking.cell import current_cell
from hubyard.tracking.imports import AfterImport
from hubyard.tracking.lock import lock_text, requirements
from hubyard.tracking.notebook import notebook_path, notebook_stem

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
    from mlflow.entities import Run

_LIBRARIES = frozenset({"sklearn"})
"""Libraries that are tracked; each has a flavour of that name in MLflow."""

_MANNERS = {
    # The defaults hold a cell for four minutes when the server is down.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    # One line of ours says what was tracked.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
"""How MLflow shall behave in a notebook, unless its owner has said otherwise."""


class Tracking:
    """Zero-line tracking of one shell."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._watch = AfterImport(_LIBRARIES, self._activate)
        self._active = False
        self._experiment: str | None = None
        self._seen: str | None = None

    def start(self) -> Callable[[], None]:
        """Begin; returns the way to undo it."""
        if not os.environ.get("MLFLOW_TRACKING_URI"):
            return lambda: None
        for name, value in _MANNERS.items():
            os.environ.setdefault(name, value)
        self._shell.events.register("pre_run_cell", self._before_cell)
        self._shell.events.register("post_run_cell", self._after_cell)
        self._watch.watch()
        return self._stop

    def _stop(self) -> None:
        self._watch.stop()
        self._shell.events.unregister("pre_run_cell", self._before_cell)
        self._shell.events.unregister("post_run_cell", self._after_cell)
        if self._active:
            from mlflow import sklearn  # noqa: PLC0415  imported when it is used  # pyright: ignore[reportPrivateImportUsage]  loaded lazily

            sklearn.autolog(disable=True, silent=True)

    @property
    def experiment(self) -> str:
        """Name of the experiment that tracked runs go to: `<owner>/<name>`."""
        return self._experiment or _owned(notebook_stem())

    def set_experiment(self, name: str) -> str:
        """Send tracked runs to another experiment; returns its full name."""
        self._experiment = _owned(name)
        self.activate()
        self._choose_experiment()
        return self._experiment

    def activate(self) -> None:
        """Switch tracking on, if it is not."""
        self._watch.stop()
        self._activate()

    def _activate(self) -> None:
        """MLflow's autologging, with requirements from the lock."""
        if self._active:
            return
        self._active = True
        import mlflow  # noqa: PLC0415  two seconds that only who trains shall pay
        import mlflow.models  # noqa: PLC0415
        from mlflow import sklearn  # noqa: PLC0415  # pyright: ignore[reportPrivateImportUsage]  loaded lazily

        logging.getLogger("mlflow").setLevel(logging.WARNING)
        # MLflow's flavours look this function up here at each call; what it would
        # find in ten seconds, in a second process, stands in the lock.
        mlflow.models.infer_pip_requirements = _requirements
        sklearn.autolog(
            log_input_examples=True, log_datasets=False, silent=True, exclusive=False
        )
        self._choose_experiment()

    def _choose_experiment(self) -> None:
        import mlflow  # noqa: PLC0415  as above
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        try:
            mlflow.set_experiment(self.experiment)
        except MlflowException as error:
            _say(f"Not tracked: MLflow does not take it ({_first_line(error)}).")

    # -- around each cell --------------------------------------------------------------

    def _before_cell(self, info: object) -> None:
        del info
        current_cell.begin()

    def _after_cell(self, result: ExecutionResult) -> None:
        if not self._active:
            return
        import mlflow  # noqa: PLC0415  as above
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        last = mlflow.last_active_run()
        if last is None or last.info.run_id == self._seen:
            return
        self._seen = last.info.run_id
        try:
            self._finish(last, result)
        except (MlflowException, OSError) as error:
            _say(f"The notebook's copy was not kept: {_first_line(error)}.")

    def _finish(self, last: Run, result: ExecutionResult) -> None:
        """Keep the notebook with each tracked run of this cell, and say so."""
        del result
        import mlflow  # noqa: PLC0415  as above

        key = last.data.tags.get(TAG_CELL)
        runs = [last]
        if key:
            runs = mlflow.search_runs(
                [last.info.experiment_id],
                filter_string=f"tags.`{TAG_CELL}` = '{key}'",
                output_format="list",
            ) or [last]
        client = mlflow.MlflowClient()
        with tempfile.TemporaryDirectory() as folder:
            self._copy_notebook(Path(folder))
            for run in runs:
                client.log_artifacts(run.info.run_id, folder, NOTEBOOK_ARTIFACT)
        from IPython.display import display  # noqa: PLC0415  there is a shell

        display(TrackedNote(client.get_run(last.info.run_id), len(runs)))

    def _copy_notebook(self, folder: Path) -> None:
        path = notebook_path()
        if path is not None and path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
        history: list[str] = self._shell.user_ns.get("In", [])
        cells = "\n\n# ---\n".join(cell for cell in history[1:] if cell.strip())
        (folder / "executed.py").write_text(cells + "\n")
        (folder / "requirements.lock").write_text(lock_text())


class TrackedNote:
    """The one line that a cell shows for what it has tracked."""

    def __init__(self, run: Run, count: int) -> None:
        self._name = run.info.run_name or run.info.run_id
        self._metrics = run.data.metrics
        self._more = count - 1
        self._id = run.info.run_id

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:  # noqa: ANN401  IPython's
        return {
            "text/plain": self.text(),
            "text/html": f'<small data-tracked-run="{html.escape(self._id)}">'
            f"{html.escape(self.text())}</small>",
        }

    def text(self) -> str:
        """Name, first score and how many more runs there are."""
        score = next((m for m in self._metrics if m.endswith("score")), None)
        shown = f", {score} {self._metrics[score]:.3f}" if score else ""
        more = f" and {self._more} more" if self._more else ""
        return f"Tracked as {self._name}{more}{shown}"


def _owned(name: str) -> str:
    owner = os.environ.get("JUPYTERHUB_USER", "")
    return f"{owner}/{name}" if owner else name


def _requirements(
    model_uri: str,
    flavor: str,
    fallback: list[str] | None = None,
    **_: Any,  # noqa: ANN401  MLflow's further options concern the way it would take
) -> list[str]:
    del model_uri, flavor
    return requirements(fallback)


def _say(line: str) -> None:
    print(line)  # noqa: T201  below the cell, where its owner looks


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
