"""Back-pressure: a kernel waits until its outputs are taken; none is lost.

An IPython extension, which the engine loads into its kernel. A ZMQ socket that
publishes drops what its reader, a thousand messages behind, has no room for: on a busy
machine the last lines of a cell, or the end of a progress bar. XPUB_NODROP lets the
kernel's sending thread wait instead.
"""

from __future__ import annotations

from typing import Any

import zmq


def load_ipython_extension(shell: Any) -> None:  # noqa: ANN401  a shell in a kernel
    """Called by IPython when the kernel starts."""
    thread = shell.kernel.iopub_thread
    thread.schedule(lambda: thread.socket.setsockopt(zmq.XPUB_NODROP, 1))
