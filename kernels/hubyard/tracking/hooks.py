"""Hooks: what is added to MLflow's own calls in a shell that tracks.

Each model that is logged, by autologging or by the user, gets its requirements from the
lock, what its training data was, and the modules of the user's own that it needs.
MLflow offers no such hooks, so its functions are replaced by ones that call them.
"""

from __future__ import annotations

import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any

from hubyard.tracking import example
from hubyard.tracking.lock import requirements
from hubyard.tracking.own import libraries, own_code

if TYPE_CHECKING:
    from collections.abc import Callable

    Undo = Callable[[], None]

_fitted = threading.local()
"""`data`: what this thread fits a model to."""


def hook_models() -> Undo:
    """Complete each model that is logged from now on; returns the way to undo it."""
    # While MLflow is being imported, it has no attribute of this name yet.
    models = import_module("mlflow.models")
    model = models.Model
    log: Any = model.__dict__["log"]

    def completed(cls: type, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  MLflow's
        with own_code(kwargs) as options:
            return log.__func__(cls, *args, **_completed(options))

    return _both(
        _replace(model, "log", classmethod(completed)),
        # MLflow's flavours look this function up here at each call; what it would find
        # in ten seconds, in a second process, stands in the lock.
        _replace(models, "infer_pip_requirements", _requirements),
    )


def hook_examples() -> Undo:
    """Let MLflow's autologging choose the rows of an example as `example` does.

    Before it is switched on: it looks up its own functions then.
    """
    # MLflow has no public way to the training data. Its attribute `sklearn` may be a
    # stand-in that loads the module when it is first used.
    sklearn = import_module("mlflow.sklearn")
    utils = import_module("mlflow.sklearn.utils")
    data = utils._get_X_y_and_sample_weight  # noqa: SLF001
    resolve = sklearn.resolve_input_example_and_signature

    def remembering(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  MLflow's
        found = data(*args, **kwargs)
        _fitted.data = found[0]
        return found

    def resolved(get: Callable[[], Any], *args: Any) -> Any:  # noqa: ANN401  MLflow's
        return resolve(lambda: _example(get), *args)

    return _both(
        _replace(utils, "_get_X_y_and_sample_weight", remembering),
        _replace(sklearn, "resolve_input_example_and_signature", resolved),
    )


def _example(get: Callable[[], Any]) -> Any:  # noqa: ANN401  rows
    """The rows that we choose, if MLflow's are of the same data."""
    first, data = get(), _fitted.__dict__.pop("data", None)
    return example.chosen(data if example.is_start(first, data) else first)


def _completed(kwargs: dict[str, Any]) -> dict[str, Any]:
    """The options of `Model.log`, with what its example tells."""
    given = kwargs.get("input_example")
    if given is None:
        return kwargs
    flavor = getattr(kwargs.get("flavor"), "__name__", "")
    told = example.described(given, takes_frames=flavor == "mlflow.pyfunc")
    completed = {
        **kwargs,
        "input_example": example.request(given),
        "metadata": {**told, **(kwargs.get("metadata") or {})},
    }
    if kwargs.get("signature", True) is None and example.has_categories(given):
        # MLflow would infer it from an answer to the example, and asks the model only
        # after a check of its own that takes no category.
        completed["signature"] = import_module("mlflow.models").infer_signature(given)
    return completed


def _requirements(
    model_uri: str,
    flavor: str,
    fallback: list[str] | None = None,
    **_: Any,  # noqa: ANN401  MLflow's further options concern the way it would take
) -> list[str]:
    del model_uri, flavor
    known = requirements(fallback)
    return list(dict.fromkeys([*known, *libraries.__dict__.get("found", ())]))


def _replace(owner: Any, name: str, new: Any) -> Undo:  # noqa: ANN401  any module or class
    before = owner.__dict__[name]
    setattr(owner, name, new)
    return lambda: setattr(owner, name, before)


def _both(one: Undo, other: Undo) -> Undo:
    def undo() -> None:
        one()
        other()

    return undo
