"""What a process has once: its folder, environment, import path and random numbers.

From top to bottom all cells share one process. The steps of a tagged notebook have one
each: what a step changes of this is set again in those that come after it.
"""

from __future__ import annotations

import os
import random
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import ModuleType

_OURS = "HUBYARD_"


@dataclass(frozen=True)
class Changes:
    """What steps have changed, after they began as each process does."""

    environment: Mapping[str, str | None] = field(
        default_factory=dict[str, "str | None"]
    )
    """None: the variable is gone."""
    folder: str = "."
    """From that of the notebook."""
    path: tuple[str, ...] = ()
    """What they have added."""
    random: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Process:
    """How a process was when its step began."""

    home: Path
    environment: Mapping[str, str]
    path: tuple[str, ...]
    before: Changes


def begin(earlier: Iterable[Changes], *, seeded: bool) -> Process:
    """Set what earlier steps have changed, the last one last."""
    home, path = Path.cwd(), tuple(sys.path)
    before = Changes()
    for each in earlier:
        before = _both(before, each)
    _set_environment(before.environment)
    os.chdir(home / before.folder)
    sys.path += [each for each in before.path if each not in sys.path]
    if seeded and before.random:
        _set_random(before.random)
    return Process(home, dict(os.environ), path, before)


def end(begun: Process, *, seeded: bool) -> Changes:
    """What has changed, in this step or before."""
    names = {*os.environ, *begun.environment}
    changed = {
        name: os.environ.get(name)
        for name in names
        if os.environ.get(name) != begun.environment.get(name)
        and not name.startswith(_OURS)
    }
    return Changes(
        environment={**begun.before.environment, **changed},
        folder=os.path.relpath(Path.cwd(), begun.home),
        path=tuple(each for each in sys.path if each not in begun.path),
        random=_random() if seeded else {},
    )


def _both(one: Changes, other: Changes) -> Changes:
    return Changes(
        environment={**one.environment, **other.environment},
        folder=one.folder if other.folder == "." else other.folder,
        path=(*one.path, *other.path),
        random=other.random or one.random,
    )


def _set_environment(changed: Mapping[str, str | None]) -> None:
    for name, value in changed.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _random() -> dict[str, Any]:
    numpy: ModuleType | None = sys.modules.get("numpy")
    state = numpy.random.get_state() if numpy is not None else None
    return {"python": random.getstate(), "numpy": state}


def _set_random(states: Mapping[str, Any]) -> None:
    random.setstate(states["python"])
    if states["numpy"] is not None:
        import numpy as np  # noqa: PLC0415  the notebook has it

        np.random.set_state(states["numpy"])  # noqa: NPY002  the notebook's own
