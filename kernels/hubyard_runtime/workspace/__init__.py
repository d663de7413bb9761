"""The workspace: JupyterLab for one person, with Hubyard in its kernels and its panels.

`jupyter/` holds what Jupyter finds before its own: the Python kernel that loads
`%load_ext hubyard` by itself.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
from pathlib import Path

from hubyard import packages

_DATA = Path(__file__).parent / "jupyter"
_KERNEL = "kernels/python3"
_log = logging.getLogger(__name__)


def prepend_kernels() -> None:
    """Let this process and its children find our Python kernel before the stock one.

    It runs in the owner's own environment, where `%pip install` installs, and so do
    the commands of a terminal.
    """
    data = _DATA
    try:
        data = _own_kernel(packages.prepare())
        packages.activate(os.environ)
    except OSError as error:  # a full disk must not keep a workload from starting
        _log.warning("Kernels see no packages of your own: %s", error)
    # A Python of another prefix does not find the platform's templates by itself.
    platform = str(Path(sys.prefix) / "share" / "jupyter")
    paths = [str(data), *filter(None, [os.environ.get("JUPYTER_PATH")]), platform]
    os.environ["JUPYTER_PATH"] = os.pathsep.join(paths)


def _own_kernel(python: Path) -> Path:
    """Our kernel in the owner's Python: a folder for Jupyter to look into."""
    data = packages.folder() / "share" / "hubyard"
    fresh = data.with_name(f"hubyard.{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(_DATA, fresh)
    file = fresh / _KERNEL / "kernel.json"
    spec = json.loads(file.read_text())
    spec["argv"][0] = str(python)
    file.write_text(json.dumps(spec))
    (data / _KERNEL).mkdir(parents=True, exist_ok=True)
    for each in (fresh / _KERNEL).iterdir():
        each.replace(data / _KERNEL / each.name)
    shutil.rmtree(fresh)
    return data
