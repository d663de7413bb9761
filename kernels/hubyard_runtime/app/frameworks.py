"""A framework: what turns a notebook or file into a web app.

Each is a child of ours, `python -m hubyard_runtime.app.<framework> <file> <socket>
<prefix>`, that serves the app at the root of a Unix socket. No port, so that nobody on
this machine gets past the gate; and a few lines of ours, since neither framework's own
command takes a socket.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from hubyard import packages
from hubyard.contract.app import Framework
from hubyard.contract.environment import TOKEN

if TYPE_CHECKING:
    from pathlib import Path

_SECRET = (
    *("JUPYTERHUB_", "JPY_API_TOKEN", "MLFLOW_TRACKING_TOKEN"),
    *("HUBYARD_COOKIE_", TOKEN),
)

READY_PATH = {Framework.STREAMLIT: "/_stcore/health", Framework.VOILA: "/voila/static/"}
"""What answers once the framework listens, without running the owner's code."""


def command(framework: Framework, file: Path, socket: Path, prefix: str) -> list[str]:
    """How the child is started.

    A Streamlit file runs within Streamlit, so that is in the owner's Python; of Voila
    only the kernels are.
    """
    own = framework is Framework.STREAMLIT
    python = packages.interpreter() if own else sys.executable
    module = f"{__package__}.{framework.value}"
    # -P: a file of the app that is called like a library must not be taken for it.
    return [python, "-P", "-s", "-m", module, str(file), str(socket), prefix]


def environment() -> dict[str, str]:
    """This process's environment without anything that opens a door."""
    return {k: v for k, v in os.environ.items() if not k.startswith(_SECRET)}
