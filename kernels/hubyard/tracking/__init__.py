"""Tracking with no line of code: the user's own training cell is a tracked run.

Nothing is imported until the user imports a library that can be tracked. Then MLflow's
own autologging is switched on for it, with model requirements from the lock. Whoever
begins a tracked run, autologging or the user: it goes to an experiment named after
owner and notebook (see `provider`), and when the cell has ended, a copy of the notebook
is kept with it.

Outside a workload (no `MLFLOW_TRACKING_URI`) nothing happens.
"""

from __future__ import annotations

import logging
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hubyard.contract.errors import Conflict
from hubyard.contract.tracking import NOTEBOOK_ARTIFACT, TAG_CELL, TAG_WARNINGS
from hubyard.tracking.autolog import switch_on
from hubyard.tracking.cell import current_cell
from hubyard.tracking.experiment import default_experiment, experiment_id, owned
from hubyard.tracking.hooks import hook_models
from hubyard.tracking.imports import AfterImport
from hubyard.tracking.lock import lock_text
from hubyard.tracking.note import TrackedNote
from hubyard.tracking.notebook import notebook_path
from hubyard.tracking.reach import answers
from hubyard.tracking.warned import Warned

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from IPython.core.interactiveshell import (
        ExecutionInfo,
        ExecutionResult,
        InteractiveShell,
    )

_LIBRARIES = frozenset({"sklearn"})
"""Libraries that are tracked; each has a flavour of that name in MLflow."""

MANNERS = {
    # The defaults hold a cell for four minutes when the server is down.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    # One line of ours says what was tracked.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
"""How MLflow shall behave in a notebook, unless its owner has said otherwise."""

_LOOK_AGAIN_S = 30.0
"""How old an answer of MLflow may be when a cell begins."""

_AWAY = "Not tracked: MLflow does not answer. Your cells run on."


class Tracking:
    """Zero-line tracking of one shell."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._watch = AfterImport(_LIBRARIES, self._activate)
        self._watch_mlflow = AfterImport(frozenset({"mlflow.models"}), self._hook)
        self._unhook: Callable[[], None] | None = None
        self._warned = Warned()
        self._wanted = False
        self._paused = False
        self._undo: Callable[[], None] | None = None
        self._looked_at = -_LOOK_AGAIN_S
        self._said: str | None = None
        """Why nothing is tracked at present, as the owner was told."""
        self._experiment: str | None = None
        self._seen: str | None = None
        self._cell: ExecutionInfo | None = None
        self._tracked_cell: ExecutionInfo | None = None

    def start(self) -> Callable[[], None]:
        """Begin; returns the way to undo it."""
        if not self.possible:
            return lambda: None
        for name, value in MANNERS.items():
            os.environ.setdefault(name, value)
        self._shell.events.register("pre_run_cell", self._before_cell)
        self._shell.events.register("post_run_cell", self._after_cell)
        self._watch_mlflow.watch()
        self._watch.watch()
        return self._stop

    def _hook(self) -> None:
        """MLflow is there: complete the models that it logs, and hear its warnings."""
        try:
            undo = hook_models()
        except Exception as error:  # noqa: BLE001  as in `_activate`
            _say(f"Models are kept as MLflow alone keeps them: {first_line(error)}.")
            return
        log = logging.getLogger("mlflow")
        log.addHandler(self._warned)

        def unhook() -> None:
            log.removeHandler(self._warned)
            undo()

        self._unhook = unhook

    def _stop(self) -> None:
        self.pause()
        self._watch_mlflow.stop()
        if self._unhook is not None:
            self._unhook()
        self._shell.events.unregister("pre_run_cell", self._before_cell)
        self._shell.events.unregister("post_run_cell", self._after_cell)

    @property
    def possible(self) -> bool:
        """Whether there is an MLflow to track into."""
        return bool(os.environ.get("MLFLOW_TRACKING_URI"))

    @property
    def experiment(self) -> str:
        """Name of the experiment that tracked runs go to: `<owner>/<name>`."""
        return self._experiment or default_experiment()

    def set_experiment(self, name: str) -> str:
        """Send tracked runs to another experiment; returns its full name."""
        self._experiment = owned(name)
        if self._active:
            self._choose_experiment()
        else:
            self.activate()
        return self._experiment

    def activate(self) -> None:
        """Switch tracking on, if it is not."""
        self._paused = False
        self._watch.stop()
        self._activate()

    def pause(self) -> None:
        """Track nothing more, until it is switched on again."""
        self._watch.stop()
        self._paused, self._wanted = True, False
        self._end_tracked_cell("KILLED")
        self._let_go()

    def status(self) -> str:
        """One line: whether there is tracking, and into what."""
        if not self.possible:
            return "Nothing is tracked here: this is no workspace of the hub."
        if self._active:
            return f"Tracking into {self.experiment}."
        if self._wanted:
            return "Nothing is tracked until MLflow answers again."
        if self._watch.is_watching:
            return f"Tracking into {self.experiment}, once a model library is imported."
        return "Nothing is tracked: %experiment or %%track begins again."

    def begin(
        self,
        name: str | None,
        experiment: str | None,
        parameters: Mapping[str, object],
        tags: Mapping[str, object],
    ) -> None:
        """Begin a tracked run that ends with the present cell.

        MLflow's being away costs the record, not the cell.

        Raises:
            Conflict: the user has a tracked run open.
        """
        self._said = None  # who asks for it by name is told each time
        self.activate()
        if not self._active:
            return
        import mlflow  # noqa: PLC0415  as below
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        if mlflow.active_run() is not None:
            raise Conflict("A tracked run is open: end it with mlflow.end_run().")
        try:
            chosen = owned(experiment) if experiment else None
            mlflow.start_run(
                experiment_id=experiment_id(chosen) if chosen else None,
                run_name=name,
                tags={key: str(value) for key, value in tags.items()},
            )
            self._tracked_cell = self._cell
            mlflow.log_params(dict(parameters))
        except MlflowException as error:
            _say(f"MLflow does not record it: {first_line(error)}.")

    @property
    def _active(self) -> bool:
        return self._undo is not None

    def _activate(self) -> None:
        """Switch autologging on; whatever keeps it off costs the user one line."""
        try:
            self._try_to_activate()
        except Exception as error:  # noqa: BLE001  would come out of the user's import
            self._wanted = False
            self._let_go()
            _say(f"Not tracked: {first_line(error)}.")

    def _try_to_activate(self) -> None:
        """Switch it on, if MLflow lets us."""
        self._wanted = True
        if self._active:
            return
        if self._answers():
            self._undo = switch_on()
            self._choose_experiment()
        else:
            self._hold_off(_AWAY)

    def _hold_off(self, why: str) -> None:
        """Track nothing until we look again; say why, once."""
        self._let_go()
        if why != self._said:
            _say(why)
        self._said = why

    def _let_go(self) -> None:
        """Switch autologging off."""
        if self._undo is not None:
            self._undo()
            self._undo = None

    def _answers(self) -> bool:
        self._looked_at = time.monotonic()
        return answers(os.environ["MLFLOW_TRACKING_URI"])

    def _look_again(self) -> None:
        """Before a cell: MLflow may have gone, or come back."""
        if not self._wanted or time.monotonic() - self._looked_at < _LOOK_AGAIN_S:
            return
        if not self._active:
            self._activate()
        elif not self._answers():
            self._hold_off(_AWAY)

    def _choose_experiment(self) -> None:
        """Make sure that MLflow takes the experiment; name it to MLflow if a user did.

        The default one is not named: the user may have called `mlflow.set_experiment`.
        """
        import mlflow  # noqa: PLC0415  as above
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        try:
            if self._experiment:
                mlflow.set_experiment(self._experiment)
            else:
                experiment_id(self.experiment)
        except MlflowException as error:
            why = first_line(error)
            self._hold_off(f"Not tracked: MLflow does not take it ({why}).")
        else:
            self._said = None

    # -- around each cell --------------------------------------------------------------

    def _before_cell(self, info: ExecutionInfo) -> None:
        if self._tracked_cell is None:  # a cell may run cells
            self._cell = info
            current_cell.begin()
            self._warned.begin()
            self._look_again()

    def _after_cell(self, result: ExecutionResult | None) -> None:
        if self._paused:
            return
        if self._tracked_cell is not None:
            if result is not None and result.info is not self._tracked_cell:
                return
            self._end_tracked_cell(_status(result))
        if not current_cell.has_tracked:
            return
        from mlflow.exceptions import MlflowException  # noqa: PLC0415  as above

        try:
            self._finish()
        except (MlflowException, OSError) as error:
            _say(f"The notebook's copy was not kept: {first_line(error)}.")

    def _end_tracked_cell(self, status: str) -> None:
        if self._tracked_cell is None:
            return
        self._tracked_cell = None
        import mlflow  # noqa: PLC0415  as above
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        try:
            while mlflow.active_run() is not None:  # the cell may have left more open
                mlflow.end_run(status)
        except MlflowException as error:
            _say(f"The end was not recorded: {first_line(error)}.")

    def _finish(self) -> None:
        """Keep the notebook with each tracked run of this cell, and say so."""
        import mlflow  # noqa: PLC0415  as above

        last = mlflow.last_active_run()
        if last is None or last.info.run_id == self._seen:
            return
        self._seen = last.info.run_id
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
        warnings = self._warned.lines
        if warnings:
            client.set_tag(last.info.run_id, TAG_WARNINGS, "\n".join(warnings))
        from IPython.display import display  # noqa: PLC0415  there is a shell

        run = client.get_run(last.info.run_id)
        display(TrackedNote(run, len(runs), warnings))

    def _copy_notebook(self, folder: Path) -> None:
        path = notebook_path()
        if path is not None and path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
        history: list[str] = self._shell.user_ns.get("In", [])
        cells = "\n\n# ---\n".join(cell for cell in history[1:] if cell.strip())
        (folder / "executed.py").write_text(cells + "\n")
        (folder / "requirements.lock").write_text(lock_text())


def _status(result: ExecutionResult | None) -> str:
    """How a cell's tracked run ended, in MLflow's words."""
    if result is None or isinstance(result.error_in_exec, KeyboardInterrupt):
        return "KILLED"
    return "FINISHED" if result.success else "FAILED"


def _say(line: str) -> None:
    print(line)  # noqa: T201  below the cell, where its owner looks


def first_line(error: Exception) -> str:
    """What an error of a library says, in one line."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
