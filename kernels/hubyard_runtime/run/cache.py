"""The cache key: a digest of all that goes into a step run.

Code is the step's own file and every other file of the pinned source, as it was before
any step ran, but for other notebooks and pipelines. A parameter that is the path of a
file which an earlier step has handed over counts by that file's content. The packages
count by the lock, and Python by its version.
"""

from __future__ import annotations

import hashlib
import json
import platform
from pathlib import Path
from typing import TYPE_CHECKING

from hubyard.tracking.lock import lock_hash

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

    from hubyard.contract.pipeline import StepPlan

_OF_OTHER_STEPS = {".ipynb", ".yml", ".yaml"}


class CacheKeys:
    """The cache keys of the step runs of one run."""

    def __init__(self, source: Path, steps: Path) -> None:
        """Read the source; nothing has run in it yet.

        Args:
            source: the unpacked source.
            steps: where the step runs leave what they hand over.

        Raises:
            OSError: the source cannot be read.
        """
        files = (path for path in sorted(source.rglob("*")) if path.is_file())
        self._code = {str(path.relative_to(source)): _digest(path) for path in files}
        self._steps = steps

    def of(self, plan: StepPlan, parameters: Mapping[str, JsonValue]) -> str:
        """The key of a step run, a SHA-256 in hexadecimal.

        Raises:
            OSError: a file that it takes cannot be read.
        """
        taken = {name: self._content(value) for name, value in parameters.items()}
        parts = {
            "file": plan.file,
            "code": self._code_of(plan),
            "parameters": taken,
            "outputs": plan.outputs,
            "lock": lock_hash(),
            "python": platform.python_version(),
            **({"environment": plan.environment} if plan.environment else {}),
            **({"files": plan.files} if plan.files else {}),
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def _code_of(self, plan: StepPlan) -> dict[str, str]:
        return {
            path: digest
            for path, digest in self._code.items()
            if path == plan.file or Path(path).suffix not in _OF_OTHER_STEPS
        }

    def _content(self, value: JsonValue) -> JsonValue:
        """A value, with the content of a file that was handed over for its path."""
        match value:
            case str() if self._is_handed_over(value):
                return {"name": Path(value).name, "content": _digest(Path(value))}
            case list():
                return [self._content(each) for each in value]
            case dict():
                return {name: self._content(each) for name, each in value.items()}
            case _:
                return value

    def _is_handed_over(self, value: str) -> bool:
        path = Path(value)
        return path.is_relative_to(self._steps) and path.is_file()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
