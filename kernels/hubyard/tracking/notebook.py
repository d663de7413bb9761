"""The notebook that this kernel runs: where it lies, and which revision it has."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from hubyard.contract import environment

_GIT_TIMEOUT_S = 2


def notebook_path() -> Path | None:
    """The notebook's file; None: this kernel runs none, or not of a file.

    A run says so in `HUBYARD_NOTEBOOK`; Jupyter's server in `JPY_SESSION_NAME`, since
    jupyter_server 2.
    """
    for name in (environment.NOTEBOOK, "JPY_SESSION_NAME"):
        if told := os.environ.get(name):
            path = Path(told)
            return path if path.is_absolute() else Path.cwd() / path
    return None


def notebook_stem() -> str:
    """What an experiment is called when nobody names it."""
    path = notebook_path()
    return path.stem if path else "notebook"


@cache
def git_commit(path: Path | None) -> str | None:
    """The revision of the folder that holds the notebook; None: there is none."""
    git = shutil.which("git")
    if path is None or git is None:
        return None
    try:
        done = subprocess.run(
            [git, "-C", str(path.parent), "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            check=True,
            timeout=_GIT_TIMEOUT_S,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
