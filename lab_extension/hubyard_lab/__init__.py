"""The server half of the JupyterLab extension: authenticates, forwards, holds no rule.

It gives the panels a way to the platform that needs no token in the browser: the
workspace's own token never leaves this process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

# Jupyter looks these up by name.
__all__ = [
    "_jupyter_labextension_paths",
    "_jupyter_server_extension_points",
    "_load_jupyter_server_extension",
]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "../labextension", "dest": "@hubyard/lab"}]


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "hubyard_lab"}]


def _load_jupyter_server_extension(server_app: ServerApp) -> None:
    from hubyard_lab.activity import Activity  # noqa: PLC0415  tools import us too
    from hubyard_lab.handlers import add_handlers  # noqa: PLC0415  as above

    activity = Activity(server_app)
    add_handlers(server_app.web_app, activity)
    activity.start()
