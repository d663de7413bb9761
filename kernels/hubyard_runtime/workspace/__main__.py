"""Start the single-user JupyterLab that the hub has asked for."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

from hubyard.contract import environment
from hubyard_runtime.quickstart import skip_slow_imports
from hubyard_runtime.spelling import own_spelling
from hubyard_runtime.url_tokens import keep_tokens_out_of_logs
from hubyard_runtime.workspace import prepend_kernels

_SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
    },
    "@jupyterlab/apputils-extension:themes": {"adaptive-theme": True},
}


def main() -> None:
    """Become the workspace's server."""
    skip_slow_imports()
    keep_tokens_out_of_logs()
    prepend_kernels()
    # Of handlers that look for a login themselves, and are shut all the same.
    warnings.filterwarnings("ignore", "Extension endpoints without")
    sys.argv = ["jupyterhub-singleuser", *_arguments()]
    from jupyterhub.singleuser import main as serve  # noqa: PLC0415  after the above

    _tell_no_token()
    _lead_to_our_spelling(os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "/"))
    serve()


def _tell_no_token() -> None:
    """Let the server describe itself in files without its token.

    Jupyter Server writes `jpserver-<pid>.json` into the owner's home for other programs
    of theirs, and a page that opens a browser on this machine. Apps of the same owner
    could read both. Kernels, which may have the token, find it in their environment, as
    do the libraries that look into that file.
    """
    from jupyter_server.serverapp import ServerApp  # noqa: PLC0415  slow to import

    told = ServerApp.server_info

    def told_without(self: ServerApp) -> dict[str, Any]:
        return {**told(self), "token": ""}

    ServerApp.server_info = told_without
    ServerApp.write_browser_open_files = lambda self: None  # noqa: ARG005  as it is called


def _lead_to_our_spelling(prefix: str) -> None:
    """Send a browser that escapes the owner's name in another way to our own address.

    The cookie of its login would never reach us, and the login go round for ever.
    """
    from jupyter_server.serverapp import ServerWebApplication  # noqa: PLC0415  slow
    from tornado.web import RedirectHandler  # noqa: PLC0415  slow to import

    find = ServerWebApplication.find_handler

    def found(self: Any, request: Any, **options: Any) -> Any:  # noqa: ANN401  tornado's own
        sent = request.path.encode()
        own = own_spelling(sent, prefix)
        if request.method != "GET" or own is None or sent.startswith(prefix.encode()):
            return find(self, request, **options)
        # It fills in braces, and adds the query by itself.
        url = own.decode().replace("{", "{{").replace("}", "}}")
        where = {"url": url, "permanent": False}
        return self.get_handler_delegate(request, RedirectHandler, where)

    ServerWebApplication.find_handler = found


def _arguments() -> list[str]:
    arguments = [
        f"--ServerApp.root_dir={Path.cwd()}",
        "--ServerApp.jpserver_extensions=hubyard_lab=True",
        # Apps are workloads of their own: no second way to show one, outside the gate.
        "--ServerApp.jpserver_extensions=voila.server_extension=False",
        # Who may come in is decided before any handler, not by each for itself.
        "--ServerApp.allow_unauthenticated_access=False",
        # As the gate; JupyterHub's own is remembered for five minutes.
        "--HubOAuth.cache_max_age=30",
        "--KernelSpecManager.ensure_native_kernel=False",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        # It would install into the platform's environment, for everybody.
        "--LabApp.extension_manager=readonly",
        "--LabApp.expose_app_in_browser=True",
        f"--LabServerApp.app_settings_dir={_settings_folder()}",
        "--TerminalManager.cull_inactive_timeout=0",
    ]
    if os.geteuid() == 0:
        arguments.append("--allow-root")
    return arguments


def _settings_folder() -> Path:
    """Defaults of the Lab's settings: a folder with `overrides.json`."""
    scratch = os.environ.get(environment.SCRATCH) or tempfile.mkdtemp()
    folder = Path(scratch) / "lab-settings"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "overrides.json").write_text(json.dumps(_SETTINGS))
    return folder


if __name__ == "__main__":
    main()
