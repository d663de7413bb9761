"""The lock: every distribution at its version, as the owner's kernels see them.

Read again when the owner has installed something. From it come the hash that names an
environment and the requirements of a logged model, which MLflow would otherwise find by
loading the model in a second process: ten seconds for each model.
"""

from __future__ import annotations

import hashlib
import re
import sys
from functools import cache

from hubyard import packages

_STEM = re.compile(r"^[A-Za-z0-9._-]+")
_ALONGSIDE = ("numpy", "pandas", "scipy", "polars", "pyarrow", "cloudpickle")
"""Modules that a model may need without its flavour's naming them; each has the name of
its distribution."""


def lock() -> dict[str, str]:
    """Version by normalised name, sorted."""
    return _lock(packages.changed())


@cache
def _lock(_changed: int) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in packages.all_seen():
        if each.metadata["Name"]:
            found.setdefault(packages.normalised(each.metadata["Name"]), each.version)
    return dict(sorted(found.items()))


def lock_text() -> str:
    """The lock in the format of a requirements file."""
    return "".join(f"{name}=={version}\n" for name, version in lock().items())


def lock_hash() -> str:
    """The SHA-256 of the lock's text."""
    return hashlib.sha256(lock_text().encode()).hexdigest()


def requirements(named: list[str] | None) -> list[str]:
    """What a model needs: what its flavour names, and what is loaded beside it.

    Of what the owner has installed, all that is loaded.
    """
    stems = [m[0] for each in named or () if (m := _STEM.match(each))]
    stems += [module for module in _ALONGSIDE if module in sys.modules]
    wanted = [packages.normalised(stem) for stem in [*stems, *packages.loaded()]]
    names = dict.fromkeys(wanted)
    return [f"{name}=={lock()[name]}" for name in names if name in lock()]
