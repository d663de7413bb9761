"""The workspace: JupyterLab for one person, with Hubyard in its kernels and its panels.

`jupyter/` holds what Jupyter finds before its own: the Python kernel that loads
`%load_ext hubyard` by itself.
"""

from __future__ import annotations

import os
from pathlib import Path

_DATA = Path(__file__).parent / "jupyter"


def prepend_kernels() -> None:
    """Let this process and its children find our Python kernel before the stock one."""
    paths = [str(_DATA), *filter(None, [os.environ.get("JUPYTER_PATH")])]
    os.environ["JUPYTER_PATH"] = os.pathsep.join(paths)
