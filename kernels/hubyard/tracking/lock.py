"""The lock: every installed distribution at its version, as this process sees them.

Read once. From it come the hash that names an environment and the requirements of a
logged model, which MLflow would otherwise find by loading the model in a second
process: ten seconds for each model.
"""

from __future__ import annotations

import hashlib
import re
import sys
from functools import cache
from importlib.metadata import distributions

_NAME = re.compile(r"[-_.]+")
_STEM = re.compile(r"^[A-Za-z0-9._-]+")
_ALONGSIDE = ("numpy", "pandas", "scipy", "polars", "pyarrow", "cloudpickle")
"""Modules that a model may need without its flavour's naming them; each has the name of
its distribution."""


@cache
def lock() -> dict[str, str]:
    """Version by normalised name (https://peps.python.org/pep-0503/), sorted."""
    found = {
        _normalised(each.metadata["Name"]): each.version
        for each in distributions()
        if each.metadata["Name"]
    }
    return dict(sorted(found.items()))


@cache
def lock_text() -> str:
    """The lock in the format of a requirements file."""
    return "".join(f"{name}=={version}\n" for name, version in lock().items())


@cache
def lock_hash() -> str:
    """The SHA-256 of the lock's text."""
    return hashlib.sha256(lock_text().encode()).hexdigest()


def requirements(named: list[str] | None) -> list[str]:
    """What a model needs: what its flavour names, and what is loaded beside it."""
    wanted = [_normalised(m[0]) for each in named or () if (m := _STEM.match(each))]
    wanted += [module for module in _ALONGSIDE if module in sys.modules]
    names = dict.fromkeys(wanted)
    return [f"{name}=={lock()[name]}" for name in names if name in lock()]


def _normalised(name: str) -> str:
    return _NAME.sub("-", name).lower()
