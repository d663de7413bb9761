"""The project's layout: a step in a subfolder finds modules of the project's folder.

An IPython extension, which the engine loads into the kernel of such a step. They come
after those beside the notebook, and only once the kernel has started: a `random.py` of
a project is none of the kernel's own modules.
"""

from __future__ import annotations

import os
import sys

from hubyard.contract import environment

"""The variable that names the project's folder within the run."""
_AFTER_ITS_OWN = 1


def load_ipython_extension(shell: object) -> None:
    """Called by IPython when the kernel starts."""
    del shell
    root = os.environ[environment.SOURCE]
    if root not in sys.path:
        sys.path.insert(_AFTER_ITS_OWN, root)
