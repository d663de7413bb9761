"""Streamlit as a child: serves one file at the root of a Unix socket."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import uvicorn
from streamlit import config
from streamlit.starlette import App

from hubyard_runtime.gate import KEEP_ALIVE_S


def main(file: str, socket: str, _prefix: str) -> None:
    """Serve until SIGTERM; Streamlit's page finds its prefix by itself."""
    os.umask(0o077)
    # As `streamlit run` does: the modules beside the file can be imported.
    sys.path.insert(0, str(Path(file).parent))
    app = App(file)
    config.set_option("browser.gatherUsageStats", False)  # noqa: FBT003 - its interface
    config.set_option("server.fileWatcherType", "none")
    # People who look at an app are not those who make it.
    config.set_option("client.toolbarMode", "viewer")
    uvicorn.run(
        app,
        uds=socket,
        access_log=False,
        log_level="warning",
        timeout_keep_alive=KEEP_ALIVE_S,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
