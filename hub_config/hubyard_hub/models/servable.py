"""Servable: whether an endpoint could serve a model, as far as its text says.

Asked when a model is registered, listed and deployed, before anything starts. A model
is never loaded here: `MLmodel` and `requirements.txt` are read by the sandbox.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from hubyard.contract.errors import HubyardError, Invalid, NotFound, TooLarge
from hubyard_hub.models.model_copy import folder_of
from hubyard_hub.models.model_text import MLMODEL, REQUIREMENTS, UNREADABLE, stated
from hubyard_hub.sandbox import READ

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from hubyard_hub.models.mlflow_client import MlflowClient

PYFUNC = "python_function"
_TEXT_LIMIT_BYTES = 2**20
_MOST_KNOWN = 20_000
_NAMED = 5
_MOST_NEW = 10
"""Versions that one list reads: what is left is read by the next."""
_NO_PREDICT = (
    "This model has no predict, so it cannot be served: a transformer alone has none. "
    "Put it into a pipeline with an estimator, or log it as mlflow.pyfunc."
)
_NO_FILES = "This model has no MLmodel file: logging it was not finished. Log it again."


@dataclass(frozen=True)
class _Stated:
    """What a version's texts say; they never change."""

    refusal: str | None
    packages: tuple[str, ...] = ()

    def why_not(self, installed: Callable[[str], bool]) -> str | None:
        """Why it cannot be served; None: it can."""
        lacking = [name for name in self.packages if not installed(name)]
        if self.refusal or not lacking:
            return self.refusal
        return (
            f"The model needs {', '.join(lacking[:_NAMED])}, which endpoints here do "
            "not have: a library in your own folder does not reach them. Have it "
            "installed for everybody, or log the model with pip_requirements that do "
            "not name it."
        )


class Servable:
    """Which versions could be served. Safe to use from many threads."""

    def __init__(self, mlflow: MlflowClient) -> None:
        self._mlflow = mlflow
        self._known: dict[str, _Stated] = {}
        """By a version's source."""

    def check(self, token: str, version: Mapping[str, Any], field: str) -> None:
        """Make sure that a version, as MLflow describes it, could be served.

        Raises:
            Invalid: it could not; says why, and what to do.
            Rejected: MLflow's no, in its words.
            Unavailable: it does not answer.
        """
        refusal = self._stated(token, version).why_not(_is_installed)
        if refusal:
            raise Invalid(refusal, field=field)

    def marks(
        self, token: str, versions: Iterable[Mapping[str, Any]]
    ) -> dict[str, str]:
        """Why some of the versions cannot be served, by source, as far as is known."""
        found: dict[str, str] = {}
        installed, left = cache(_is_installed), _MOST_NEW
        for each in versions:
            source = str(each["source"])
            left -= source not in self._known
            if left < 0:
                continue
            with suppress(HubyardError):  # a list shall not fail for one of its rows
                if refusal := self._stated(token, each).why_not(installed):
                    found[source] = refusal
        return found

    def _stated(self, token: str, version: Mapping[str, Any]) -> _Stated:
        source = str(version["source"])
        known = self._known.get(source)
        if known is None:
            texts = self._texts(token, version)
            if MLMODEL not in texts:  # it may yet come
                return _Stated(_NO_FILES)
            known = _read(token, texts)
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[source] = known
        return known

    def _texts(self, token: str, version: Mapping[str, Any]) -> dict[str, bytes]:
        folder, root = folder_of(self._mlflow, token, version)
        texts: dict[str, bytes] = {}
        for name in (MLMODEL, REQUIREMENTS):
            with (
                suppress(NotFound),
                folder.open(f"{root}/{name}" if root else name) as answer,
            ):
                texts[name] = _start(answer.iter_bytes(_TEXT_LIMIT_BYTES))
        return texts


def _start(chunks: Iterable[bytes]) -> bytes:
    """As much of a file as is read."""
    content = b""
    for chunk in chunks:
        content += chunk
        if len(content) > _TEXT_LIMIT_BYTES:
            break
    return content


def _read(token: str, texts: dict[str, bytes]) -> _Stated:
    try:
        flavors, packages = READ.call(token, stated, texts)
    except TooLarge:  # it had no end, or its worker crashed
        return _Stated(UNREADABLE)
    except Invalid as error:
        return _Stated(error.message)
    return _Stated(None if PYFUNC in flavors else _NO_PREDICT, tuple(packages))


def _is_installed(name: str) -> bool:
    """Whether endpoints have a package: they run in the platform's environment."""
    try:
        version(name)
    except (PackageNotFoundError, ValueError):
        return False
    return True
