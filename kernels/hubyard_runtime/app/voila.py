"""Voila as a child: serves one notebook at the root of a Unix socket."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import ClassVar

import httpx
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.netutil import bind_unix_socket
from traitlets.config import Config

from hubyard_runtime.quickstart import skip_slow_imports

skip_slow_imports()

import voila.handler  # noqa: E402  after the above
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager  # noqa: E402  after the above
from voila.app import Voila  # noqa: E402  after the above

from hubyard import packages  # noqa: E402  after the above
from hubyard_runtime.app.first import FirstVisit  # noqa: E402  after the above
from hubyard_runtime.app.voila_page import Page  # noqa: E402  after the above

VISITOR_HEADERS = ["X-Hubyard-User", "X-Hubyard-Groups"]
"""Each visitor's kernel finds them in its environment, as $HTTP_X_HUBYARD_USER, ..."""

NOT_FOR_APPS = ["@hubyard/lab", "@jupyterhub/jupyter-server-proxy"]
"""Parts of JupyterLab that have no place in an app and fail there."""

CULL_IDLE_S = 600


class OwnPython(KernelSpecManager):
    """Knows the kernel of the owner's Python and none that the owner has installed."""

    def _kernel_dirs_default(self) -> list[str]:
        return []

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        spec: KernelSpec = super().get_kernel_spec(kernel_name)
        spec.argv[0] = packages.interpreter()
        return spec


class OnSocket(Voila):
    """Voila that listens on a Unix socket instead of a port."""

    visit: ClassVar[FirstVisit]

    def listen(self) -> None:
        HTTPServer(self.app).add_socket(bind_unix_socket(str(self.visit.socket)))
        self.ioloop = IOLoop.current()
        loop = self.ioloop
        self.visit.begin(
            lambda: _look(self.visit), lambda: loop.add_callback(loop.stop)
        )
        try:
            self.ioloop.start()
        finally:
            self.stop()


def _look(visit: FirstVisit) -> None:
    """Open the page and read all of it: its cells run as it comes."""
    transport = httpx.HTTPTransport(uds=str(visit.socket))
    with httpx.Client(
        transport=transport, base_url="http://app", timeout=visit.left_s
    ) as browser:
        page = ""
        try:
            with browser.stream("GET", "/", headers=visit.headers) as answer:
                if answer.is_error:
                    visit.fail(f"Voila answers with status {answer.status_code}.")
                # While a cell runs, Voila sends a beat now and then.
                for text in answer.iter_text():
                    page += text
                    if not visit.left_s:
                        break
        except httpx.TimeoutException:
            return  # it computes for long, and that is no failure
        except httpx.TransportError as error:
            visit.fail(f"Voila does not answer: {error}.")
        if kernel := re.search(r'"kernelId": ?"([\w-]+)"', page):
            browser.post(f"/voila/api/shutdown/{kernel[1]}")


def main(file: str, socket: str, prefix: str) -> None:
    """Serve until SIGTERM."""
    os.umask(0o077)
    settings = Config()
    settings.Voila.open_browser = False
    settings.Voila.log_level = "WARN"
    settings.Voila.base_url = prefix
    settings.Voila.server_url = "/"
    settings.VoilaConfiguration.kernel_spec_manager_class = OwnPython
    settings.VoilaConfiguration.http_header_envs = VISITOR_HEADERS
    settings.VoilaConfiguration.extension_denylist = NOT_FOR_APPS
    # The gate has looked at the origin; Voila's page does not know Voila's own proof.
    settings.Voila.tornado_settings = {"disable_check_xsrf": True}
    # A kernel whose page is gone without a word ends by itself.
    settings.MappingKernelManager.cull_idle_timeout = CULL_IDLE_S
    settings.MappingKernelManager.cull_interval = CULL_IDLE_S // 5
    # Sockets that only this Unix user can open, as everywhere else here.
    settings.ConnectionFileMixin.transport = "ipc"
    visit = OnSocket.visit = Page.visit = FirstVisit.from_environment(Path(socket))
    voila.handler.NotebookRenderer = Page
    OnSocket.launch_instance([file], config=settings)
    sys.exit(1 if visit.failure else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
