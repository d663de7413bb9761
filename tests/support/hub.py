"""A real JupyterHub with its real proxy on free ports, for tests of its neighbours."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from hubyard_spawner.local.ports import free_port
from support.patience import PATIENCE_S, SOON_S

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[2]
ADMIN_TOKEN = "admin-service-token-of-a-test"

_CONFIG = """
import json, os
c = get_config()
w = json.loads(os.environ["HUB_WISHES"])
c.JupyterHub.bind_url = w["url"]
c.JupyterHub.hub_bind_url = w["hub_url"]
c.JupyterHub.db_url = "sqlite:///hub.sqlite"
c.JupyterHub.cookie_secret_file = "cookie_secret"
c.JupyterHub.cleanup_servers = False
c.JupyterHub.allow_named_servers = True
c.JupyterHub.log_level = 30
c.ConfigurableHTTPProxy.api_url = w["proxy_url"]
c.ConfigurableHTTPProxy.auth_token = "proxy-token-of-a-test"
c.ConfigurableHTTPProxy.should_start = False
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.Authenticator.allow_all = True
c.Authenticator.admin_users = {"root"}
c.JupyterHub.load_groups = {n: {"users": users} for n, users in w["groups"].items()}
c.JupyterHub.services = [
    {"name": "admin", "api_token": w["admin_token"]}, *w["services"],
]
c.JupyterHub.load_roles = [
    {"name": "admin-service", "services": ["admin"], "scopes": [
        "admin:users", "admin:servers", "admin:groups", "tokens", "shares",
        "access:servers", "access:services", "read:hub"]},
    *w["roles"],
]
if "COVERAGE_PROCESS_CONFIG" in os.environ:
    load_subconfig(w["measured"])
for line in w["lines"]:
    exec(line)
"""


@dataclass
class HubUnderTest:
    """A hub, its proxy and the way to talk to both."""

    folder: Path
    services: list[dict[str, Any]] = field(default_factory=list)
    roles: list[dict[str, Any]] = field(default_factory=list)
    groups: dict[str, list[str]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    """Further lines of configuration."""
    _processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.url = f"http://127.0.0.1:{free_port()}"
        self._hub_url = f"http://127.0.0.1:{free_port()}"
        self._proxy_url = f"http://127.0.0.1:{free_port()}"
        self.api_url = f"{self._hub_url}/hub/api"

    def start(self) -> None:
        self.start_proxy()
        self.start_hub()

    def start_proxy(self) -> None:
        public, api = httpx.URL(self.url), httpx.URL(self._proxy_url)
        command = [
            *proxy_command(),
            *("--ip", "127.0.0.1", "--port", str(public.port)),
            *("--api-ip", "127.0.0.1", "--api-port", str(api.port)),
        ]
        environ = {**os.environ, "CONFIGPROXY_AUTH_TOKEN": "proxy-token-of-a-test"}
        self._start("proxy", command, environ)
        wait_until_answers(self._proxy_url, self._processes["proxy"])

    def start_hub(self) -> None:
        (self.folder / "config.py").write_text(_CONFIG)
        wishes = {
            "url": self.url,
            "hub_url": self._hub_url,
            "proxy_url": self._proxy_url,
            "admin_token": ADMIN_TOKEN,
            "services": self.services,
            "roles": self.roles,
            "groups": self.groups,
            "lines": self.lines,
            "measured": str(Path(__file__).with_name("measured.py")),
        }
        command = [sys.executable, "-m", "hubyard_hub.hub", "-f", "config.py"]
        self._start("hub", command, {**os.environ, "HUB_WISHES": json.dumps(wishes)})
        wait_until_answers(f"{self.api_url}/", self._processes["hub"])

    def kill_hub(self) -> None:
        """As a crash does it: no word to the proxy, no server stopped."""
        self.end_hub(signal.SIGKILL)

    def end_hub(self, how: signal.Signals) -> None:
        self._end("hub", how)

    def stop(self) -> None:
        for name in list(self._processes):
            self._end(name, signal.SIGTERM)

    def log(self) -> str:
        return (self.folder / "hub.log").read_text()

    def api(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Call the hub as an administrator."""
        headers = {"Authorization": f"token {ADMIN_TOKEN}"}
        return httpx.request(
            method,
            f"{self.api_url}{path}",
            headers=headers,
            timeout=PATIENCE_S,
            **arguments,
        )

    def add_user(self, name: str) -> None:
        answer = self.api("POST", f"/users/{quote(name)}")
        # Naming a user in a group or role has made them already.
        assert answer.status_code in {201, 409}, answer.text

    def token(self, user: str, *scopes: str) -> str:
        """A token that a person has made; without scopes, the default ones."""
        body: dict[str, Any] = {"note": "made by a test"}
        if scopes:
            body["scopes"] = scopes
        answer = self.api("POST", f"/users/{quote(user)}/tokens", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["token"]

    def service_environment(self, name: str, port: int, token: str) -> dict[str, str]:
        """What an external service is told, as the hub itself would tell it."""
        prefix = f"/services/{name}/"
        return {
            **os.environ,
            "JUPYTERHUB_SERVICE_NAME": name,
            "JUPYTERHUB_SERVICE_PREFIX": prefix,
            "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{port}",
            "JUPYTERHUB_API_URL": self.api_url,
            "JUPYTERHUB_API_TOKEN": token,
            "JUPYTERHUB_CLIENT_ID": f"service-{name}",
            "JUPYTERHUB_BASE_URL": "/",
            "JUPYTERHUB_OAUTH_CALLBACK_URL": f"{prefix}oauth_callback",
            "JUPYTERHUB_PUBLIC_URL": f"{self.url}{prefix}",
        }

    def browser(self, user: str | None = None) -> httpx.Client:
        """A browser at the proxy, logged in to the hub where a user is named."""
        browser = httpx.Client(
            base_url=self.url, timeout=PATIENCE_S, headers=NAVIGATION
        )
        if user:
            form = browser.get("/hub/login").raise_for_status()
            answer = browser.post(
                "/hub/login",
                data={
                    "username": user,
                    "password": "any",
                    "_xsrf": form.cookies.get("_xsrf") or browser.cookies["_xsrf"],
                },
            )
            assert answer.status_code == 302, answer.text
        return browser

    def _start(self, name: str, command: list[str], environ: dict[str, str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                command, cwd=self.folder, env=environ, stdout=log, stderr=log
            )

    def _end(self, name: str, how: signal.Signals) -> None:
        end_process(self._processes.pop(name), how)


NAVIGATION = {
    "Accept": "text/html",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "none",
    "Sec-Fetch-Dest": "document",
}
"""What a browser says when a person opens a page."""


def proxy_command() -> list[str]:
    """The proxy of this repository, or one on the path."""
    module = "node_modules/configurable-http-proxy/bin/configurable-http-proxy"
    own = REPOSITORY / "hub_config" / "proxy" / module
    if own.exists() and (node := shutil.which("node")):
        return [node, str(own)]
    found = shutil.which("configurable-http-proxy")
    assert found, "install configurable-http-proxy first (npm ci in hub_config/proxy)"
    return [found]


def end_process(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    """End it as asked, and by force after ten seconds."""
    process.send_signal(how)
    try:
        process.wait(SOON_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait for any HTTP answer, or for the process's death."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        assert process.poll() is None, f"{process.args} ended with {process.returncode}"
        with contextlib.suppress(httpx.HTTPError):
            httpx.get(url, timeout=5)
            return
        time.sleep(0.05)
    raise AssertionError(f"{url} did not answer within {PATIENCE_S} s")


@contextlib.contextmanager
def running_hub(folder: Path, **wishes: Any) -> Iterator[HubUnderTest]:
    """A started hub that is gone, with its proxy, at the end."""
    hub = HubUnderTest(folder, **wishes)
    try:
        hub.start()
        yield hub
    finally:
        hub.stop()
