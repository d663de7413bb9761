"""Packages: what a person installs for themselves, beside the platform's own.

folder       `~/.hubyard/python3.11`: a virtual environment in the owner's folder
interpreter  its Python, which sees the owner's packages first and then the platform's.
             Kernels and apps run in it; pip installs into it, and leaves what lies
             outside of it as it is
own          a distribution that lies in it

What stands before a workload and decides who comes in never runs in it: a package of
the owner's that is called like one of ours must not break it or take its place.

The standard library alone: each workload and each kernel loads this.
"""

from __future__ import annotations

import contextlib
import os
import re
import site
import sys
import sysconfig
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping

_VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
_PIP = """#!/bin/sh
exec "$(dirname "$0")/python" -m pip "$@"
"""
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;]+)")
_NAME = re.compile(r"[-_.]+")


def folder() -> Path:
    """The owner's environment, whether or not it is there."""
    return Path.home() / ".hubyard" / _VERSION


def own_site() -> Path:
    """Where the owner's packages lie."""
    return folder() / "lib" / _VERSION / "site-packages"


def prepare() -> Path:
    """Make the owner's environment, or mend it; returns its interpreter.

    Milliseconds: nothing is installed and no process started.

    Raises:
        OSError: the owner's folder cannot be written.
    """
    home, binaries = folder(), folder() / "bin"
    own_site().mkdir(parents=True, exist_ok=True)
    binaries.mkdir(exist_ok=True)
    base = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    # https://docs.python.org/3/library/venv.html#how-venvs-work
    _write(
        home / "pyvenv.cfg",
        f"home = {base.parent}\ninclude-system-site-packages = false\n",
    )
    _link(home / "lib64", "lib")
    _link(binaries / "python", str(base))
    for name in ("python3", _VERSION):
        _link(binaries / name, "python")
    for name in ("pip", "pip3"):
        _write(binaries / name, _PIP, mode=0o755)
    # Last in the order of names, so that the owner's own such files come first.
    _write(own_site() / "zz-hubyard-platform.pth", _platform())
    return binaries / "python"


def interpreter() -> str:
    """What runs an owner's app: their own Python, where they have packages in it."""
    with contextlib.suppress(OSError):
        if any(own()):
            return str(prepare())
    return sys.executable


def activate(environ: MutableMapping[str, str]) -> None:
    """Let what is started from here find the owner's commands before all others."""
    environ["VIRTUAL_ENV"] = str(folder())
    binaries = str(folder() / "bin")
    paths = [p for p in environ.get("PATH", "").split(os.pathsep) if p != binaries]
    environ["PATH"] = os.pathsep.join([binaries, *filter(None, paths)])


def see() -> None:
    """Let this process import the owner's packages, before those not yet imported."""
    if not own_site().is_dir():
        return
    before = [*sys.path]
    site.addsitedir(str(own_site()))
    added = [path for path in sys.path if path not in before]
    sys.path[:] = [*added, *before]


def own() -> Iterable[Distribution]:
    """The owner's distributions."""
    return distributions(path=[str(own_site())])


def all_seen() -> Iterable[Distribution]:
    """What the owner's kernels can import, the first of each name being the one."""
    seen = [path for path in sys.path if path != str(own_site())]
    return distributions(path=[str(own_site()), *seen])


def changed() -> int:
    """Another number whenever the owner has installed or removed something."""
    try:
        return own_site().stat().st_mtime_ns
    except OSError:
        return 0


def loaded() -> list[str]:
    """The names of the owner's distributions of which this process has a module."""
    place = str(own_site()) + os.sep
    files = {
        name.partition(".")[0]
        for name, module in list(sys.modules.items())
        if (getattr(module, "__file__", None) or "").startswith(place)
    }
    return sorted({each.name for each in own() if files & _modules(each)})


def differing(pins: Iterable[str]) -> list[tuple[str, str, str]]:
    """Name, pinned and own version of pins that the owner's packages do not keep."""
    found = {normalised(each.name): each.version for each in own()}
    pinned = (match.groups() for pin in pins if (match := _PIN.match(pin)))
    return [
        (name, version, found[normalised(name)])
        for name, version in pinned
        if found.get(normalised(name), version) != version
    ]


def normalised(name: str) -> str:
    """A distribution's name as https://peps.python.org/pep-0503/ compares it."""
    return _NAME.sub("-", name).lower()


def _modules(distribution: Distribution) -> set[str]:
    return {file.parts[0].partition(".")[0] for file in distribution.files or ()}


def _platform() -> str:
    """The line that adds the platform's packages, and what their own such files add."""
    paths = sysconfig.get_paths()
    wanted = dict.fromkeys([paths["purelib"], paths["platlib"]])
    added = "; ".join(f"site.addsitedir({path!r})" for path in wanted)
    return f"import site; {added}\n"


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    with contextlib.suppress(OSError, ValueError):
        if path.read_text() == text:
            return
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(text)
    fresh.chmod(mode)
    fresh.replace(path)


def _link(path: Path, target: str) -> None:
    with contextlib.suppress(OSError):
        if str(path.readlink()) == target:
            return
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.symlink_to(target)
    fresh.replace(path)
