"""Hubyard: one hub, four workloads, from a notebook.

A workspace, a pipeline run, a model endpoint and an app are all servers of one
JupyterHub, each with a chosen compute profile, a price and a lifetime. This package
is what a notebook touches; nothing heavy is imported before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__version__ = "0.1.0"


def load_ipython_extension(shell: InteractiveShell) -> None:
    """`%load_ext hubyard`: add the magics and the tracking with no lines."""
    from hubyard import magics  # noqa: PLC0415  kept out of `import hubyard`

    magics.load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """`%unload_ext hubyard`: take back all that loading added."""
    from hubyard import magics  # noqa: PLC0415  kept out of `import hubyard`

    magics.unload(shell)
