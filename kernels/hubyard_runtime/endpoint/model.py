"""A model: an MLflow model folder, loaded, that answers tables.

Its predict is someone else's code: what it raises is told in one line, and a value
that it cannot use (`ValueError`) is the asker's to put right, not a failure.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import logging
import math
import os
import re
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hubyard.contract.errors import HubyardError, Invalid, Rejected
from hubyard_runtime.endpoint.protocol import answer, body, signature
from hubyard_runtime.endpoint.speed import Speed

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from pathlib import Path

    from mlflow.models import Model as Metadata
    from mlflow.pyfunc import PyFuncModel

    from hubyard_runtime.endpoint.protocol.signature import Signature
    from hubyard_runtime.endpoint.protocol.table import Table
    from hubyard_runtime.endpoint.protocol.values import Json

log = logging.getLogger("hubyard.endpoint")

_BY_ROW = frozenset(
    f"mlflow.{library}" for library in ("sklearn", "xgboost", "lightgbm", "catboost")
)
"""Loaders of estimators that mostly answer each row by itself, and take what we have
checked without MLflow checking it again, which would cost more than their predict."""
_MEASURED_ROWS = (4, 16, 64, 256)
_LONG_S = 1.0
"""A model that takes longer for some rows is not asked about more to be measured."""
_MOST_TRIED = 20
"""Rows of an example that are worth asking one by one."""
_SAME = {"rel_tol": 1e-5, "abs_tol": 1e-9}
"""A sum differs in its last bits with the number of rows that are summed at once."""
_SCHEMA_ERROR = re.compile(
    r"Failed to enforce schema of data .* with schema .*\. Error: (.*)", re.DOTALL
)
"""MLflow's: the whole table and the whole schema stand before what is wrong."""
_WORDS = 500
"""How much of what a model raised is told."""


class ModelFailed(HubyardError):
    """The model failed on this request."""


@dataclass
class Model:
    """Answers tables; `by_row`: one call may answer those of several requests."""

    predict: Callable[[Any, dict[str, Any]], Any]
    signature: Signature
    recorded: dict[str, Any]
    """The signature as MLflow writes it, for `/info`."""
    example: bytes | None
    """A request's body that the model came with."""
    by_row: bool
    speed: Speed = field(default_factory=Speed)
    known: Table | None = None
    """One row of the example, which the model has answered."""

    def layout(self, table: Table) -> Hashable:
        """Equal for tables that one call may answer; None: this one goes alone."""
        return table.layout if self.by_row else None

    def answers(self, tables: Sequence[Table]) -> list[bytes]:
        """The bodies of the answers to tables of one layout.

        Raises:
            Exception: whatever the model raises.
        """
        first, *others = tables
        began = time.perf_counter()
        answered = self.predict(first.joined(others), first.params)
        rows = sum(table.rows for table in tables)
        self.speed.saw(rows, time.perf_counter() - began)
        try:
            parts = answer.by_rows(answered, [table.rows for table in tables])
        except answer.NotByRow:
            self.by_row = False
            raise
        return [answer.encoded(part) for part in parts]

    def check(self) -> None:
        """Ask the model about its own example, before anybody else asks it.

        Whether it answers the example's rows alone as it does together shows, better
        than its flavour, whether it may be asked for several requests at once.

        Raises:
            Invalid: it fails; says how.
        """
        if self.example is None:
            return
        try:
            said = body.read(self.example, apart=self.signature.is_apart)
            table = self.signature.table(said)
        except HubyardError as error:
            log.warning("The model's own example does not fit it: %s", error.message)
            self.example = None
            return
        try:
            together = self.answers([table])
            shown = self._answers_by_row(table, json.loads(together[0])["predictions"])
        except (Exception, SystemExit) as error:
            log.exception("The model fails on its own example.")
            raise Invalid(
                f"The model fails on its own example: {told(error)}"
            ) from None
        if shown is not None:
            self.by_row = shown
        self.known = table.row(0) if table.layout is not None else table
        self._measure(table.row(0) if table.rows > 1 else table)

    def _measure(self, row: Table) -> None:
        """See what a row takes among many: one alone costs mostly the call."""
        if row.layout is None:
            return
        with contextlib.suppress(Exception, SystemExit):  # it may want rows that differ
            for rows in _MEASURED_ROWS:
                began = time.perf_counter()
                self.answers([row] * rows)
                if time.perf_counter() - began > _LONG_S:
                    return

    def _answers_by_row(self, table: Table, together: Json) -> bool | None:
        """Whether the example's rows have the same answers alone; None: cannot tell."""
        if table.layout is None or table.rows == 1:
            return None
        if not isinstance(together, list) or len(together) != table.rows:
            return False
        try:
            return all(
                _alike(self._alone(table.row(index)), [answered])
                for index, answered in enumerate(together[:_MOST_TRIED])
            )
        except (Exception, SystemExit):
            log.warning("The model fails on a row of its example alone.", exc_info=True)
            return False

    def _alone(self, row: Table) -> Json:
        return json.loads(self.answers([row])[0])["predictions"]


def _alike(one: Json, other: Json) -> bool:
    """Whether two answers are the same but for the last bits of their numbers."""
    match one, other:
        case list(), list():
            return len(one) == len(other) and all(map(_alike, one, other))
        case dict(), dict():
            return one.keys() == other.keys() and all(
                _alike(one[name], other[name]) for name in one
            )
        case float(), float() | int():
            return math.isclose(one, other, **_SAME)
        case _:
            return one == other


def told(error: BaseException) -> str:
    """What a model raised, in one line."""
    said = str(error)
    if found := _SCHEMA_ERROR.search(said):
        said = found[1]
    text = " ".join(said.split())
    text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return text if len(text) <= _WORDS else f"{text[:_WORDS]}..."


def failed(error: BaseException) -> ModelFailed:
    """What the asker is told when the model failed, through no fault of theirs."""
    log.error("The model failed.", exc_info=error)
    return ModelFailed(f"The model failed on this request: {told(error)}")


def refused(error: BaseException, table: Table, row: int | None) -> Invalid:
    """What the asker is told when the model cannot use what they have sent.

    Args:
        error: what the model has raised.
        table: what it was asked.
        row: the first row that it cannot use; None: not known.
    """
    log.warning("The model refused a request.", exc_info=error)
    said = told(error).removeprefix("ValueError: ")
    place = None if row is None else table.place(row)
    what = f"row {row} of this input" if row is not None else "this input"
    return Invalid(
        f"The model refuses {what}: {said.rstrip('.')}. Write it as the example on the "
        "endpoint's page docs does.",
        field=table.missing() or place,
    )


def is_refusal(error: BaseException) -> bool:
    """Whether it says that a value cannot be used, by Python's meaning or MLflow's."""
    status = getattr(error, "get_http_status_code", None)
    return isinstance(error, ValueError) or (
        callable(status) and status() == Rejected.status
    )


def load(folder: Path) -> Model:
    """Load an MLflow model folder.

    Raises:
        Invalid: it cannot be loaded or served; says why in one line.
    """
    if not (folder / "MLmodel").is_file():
        raise Invalid("The model's folder has no MLmodel file: log the model again.")
    # MLflow would report each load to its makers.
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    from mlflow.pyfunc import load_model  # noqa: PLC0415  a second to import

    try:
        loaded: PyFuncModel = load_model(str(folder))
    except ModuleNotFoundError as error:
        raise Invalid(_lacks(error.name)) from None
    except (Exception, SystemExit) as error:
        log.exception("The model cannot be loaded.")
        raise Invalid(f"The model cannot be loaded: {told(error)}") from None
    return _model(loaded, folder)


def _lacks(module: str | None) -> str:
    return (
        f"The model needs the module {module!r}, which is neither installed here nor "
        "kept with the model. If it is a file of your own, train the model again in a "
        "notebook that lies beside it, or log it with code_paths=[...]. If it is a "
        "package, have it installed for everybody."
    )


def _model(loaded: PyFuncModel, folder: Path) -> Model:
    metadata = loaded.metadata
    recorded = metadata.signature.to_dict() if metadata.signature else {}
    by_hint = bool(metadata.to_dict().get("is_signature_from_type_hint"))
    try:
        read = signature.parse(recorded, typed_by_hint=by_hint, kept=_kept(loaded))
    except (ValueError, KeyError, TypeError) as error:
        raise Invalid(f"The model's signature cannot be served: {error}.") from None
    by_row = loaded.loader_module in _BY_ROW
    return Model(
        predict=_direct(loaded) if by_row or not read.is_as_mlflow else loaded.predict,
        signature=read,
        recorded={name: json.loads(said or "null") for name, said in recorded.items()},
        example=_example(metadata, folder),
        by_row=by_row,
    )


def _kept(loaded: PyFuncModel) -> signature.Kept:
    """What tracking has kept of the training data.

    Where it has kept nothing: an estimator that takes one column of no name was trained
    on a series, since a frame's columns have names.
    """
    kept = signature.Kept.parse(loaded.metadata.metadata)
    inputs = loaded.metadata.get_input_schema()
    if kept.shape or inputs is None or loaded.loader_module not in _BY_ROW:
        return kept
    is_bare = not inputs.is_tensor_spec() and inputs.input_names() in ([None], [0])
    return replace(kept, shape="series") if is_bare else kept


def _direct(loaded: PyFuncModel) -> Callable[[Any, dict[str, Any]], Any]:
    """The estimator's own predict, as its flavour wraps it."""
    # MLflow has no public way to it that leaves out its own check of the input.
    predict = loaded._predict_fn  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    if "params" in inspect.signature(predict).parameters:
        return predict
    return lambda data, _params: predict(data)


def _example(metadata: Metadata, folder: Path) -> bytes | None:
    info = metadata.saved_input_example_info or {}
    file = folder / str(info.get("serving_input_path"))
    return file.read_bytes() if file.is_file() else None
