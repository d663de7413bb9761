"""A whole Hubyard, as `hubyard up` starts it, and people who use it over HTTP."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from hubyard.client import Client
from hubyard.client.wire import Wire
from hubyard_hub.settings import Settings
from hubyard_hub.up.report import Report
from hubyard_spawner.local.ports import free_port
from support.hub import NAVIGATION, REPOSITORY
from support.patience import PATIENCE_S, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PASSWORD = "correct horse battery"
_CODE = re.compile(r"/hub/welcome#code=(\S+)")


@dataclass
class Person:
    """Somebody with a browser, signed in or not."""

    url: str
    name: str | None = None
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(
            base_url=self.url,
            timeout=PATIENCE_S,
            follow_redirects=True,
            headers=NAVIGATION,
        )

    @property
    def xsrf(self) -> str:
        """What the hub's own pages send back."""
        if not any(
            c.name == "_xsrf" and c.path == "/hub/" for c in self.http.cookies.jar
        ):
            self.http.get("/hub/login")
        return next(
            c.value or ""
            for c in reversed(list(self.http.cookies.jar))
            if c.name == "_xsrf" and c.path == "/hub/"
        )

    def form(self, path: str, **fields: str) -> httpx.Response:
        """Post a form of the hub's pages."""
        return self.http.post(path, data={"_xsrf": self.xsrf, **fields})

    def sign_in(self) -> httpx.Response:
        """By name and password."""
        return self.form("/hub/login", username=self.name or "", password=PASSWORD)

    def hub(self, method: str, path: str, **body: Any) -> httpx.Response:
        """Call the hub's API as its pages do."""
        headers = {
            "X-XSRFToken": self.xsrf,
            "Accept": "application/json",
            "Content-Type": "application/json",
            "Sec-Fetch-Mode": "cors",
        }
        content = json.dumps(body)
        return self.http.request(
            method, f"/hub/api{path}", headers=headers, content=content
        )

    def token(self) -> str:
        """A token for a terminal."""
        return self.hub("POST", f"/users/{self.name}/tokens", note="test").json()[
            "token"
        ]

    def start_workspace(self, compute: str = "small", hours: str = "1") -> None:
        """Start the personal workspace, and wait until it is ready."""
        answer = self.form("/hub/spawn", compute=compute, hours=hours)
        assert answer.status_code == 200, answer.text
        until(lambda: self.servers().get("", {}).get("ready"), self.servers)

    def servers(self) -> dict[str, Any]:
        """This person's servers, as the hub sees them."""
        return self.hub("GET", f"/users/{self.name}").json()["servers"]


@dataclass
class Running:
    """One `hubyard up`."""

    state: Path
    port: int = field(default_factory=free_port)
    arguments: tuple[str, ...] = ()
    command: tuple[str, ...] = (sys.executable, "-m", "hubyard.cli")
    folder: Path = REPOSITORY
    patience_s: float = PATIENCE_S
    _process: subprocess.Popen[str] | None = None
    output: Path = field(init=False)

    def __post_init__(self) -> None:
        self.output = self.state.with_suffix(".out")
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> float:
        """Start; returns the seconds until it was ready."""
        began = time.monotonic()
        command = [
            *(*self.command, "up", "--state", str(self.state)),
            *("--port", str(self.port), *self.arguments),
        ]
        environ = {
            k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"
        }
        with self.output.open("w") as out:
            self._process = subprocess.Popen(
                command, stdout=out, stderr=out, cwd=self.folder, env=environ
            )
        while "Hubyard is ready at" not in self.text():
            assert self._process.poll() is None, self.text()
            assert time.monotonic() - began < self.patience_s, self.text() + self.logs()
            time.sleep(0.1)
        return time.monotonic() - began

    def text(self) -> str:
        """What it has printed."""
        return self.output.read_text() if self.output.exists() else ""

    def logs(self) -> str:
        """The last lines of every log."""
        folder = self.state / "logs"
        return "\n".join(
            f"--- {log.name}\n" + "\n".join(log.read_text().splitlines()[-15:])
            for log in sorted(folder.glob("*.log"))
        )

    @property
    def settings(self) -> Settings:
        """What it has written down."""
        return Settings.load(self.state)

    def code(self) -> str:
        """The administrator's one-time code."""
        found = _CODE.search(self.text())
        assert found, self.text()
        return found[1]

    def administrator(self, name: str = "ana") -> Person:
        """The first person, come in by the welcome link."""
        person = Person(self.url, name)
        answer = person.form(
            "/hub/welcome", code=self.code(), username=name, password=PASSWORD
        )
        assert answer.status_code == 200, answer.text
        return person

    def person(self, name: str, admits: Person) -> Person:
        """Somebody who has signed up and was admitted."""
        person = Person(self.url, name)
        person.http.get("/hub/signup")
        signed_up = person.form(
            "/hub/signup",
            username=name,
            signup_password=PASSWORD,
            signup_password_confirmation=PASSWORD,
        )
        assert signed_up.status_code == 200, signed_up.text
        admits.form(f"/hub/authorize/{name}")
        answer = person.sign_in()
        assert "/hub/home" in str(answer.url), answer.text
        return person

    def client(self, person: Person) -> Client:
        """The one client, with a token of this person's."""
        return Client(Wire(self.settings.platform_url, person.token()))

    def report(self) -> list[dict[str, Any]]:
        """What the supervisor says of each process."""
        return json.loads((self.state / "up.json").read_text())["processes"]

    def pids(self) -> dict[str, int]:
        """Process ids of the processes that run."""
        found = self.report()
        return {p["name"]: p["running"]["pid"] for p in found if p["running"]}

    def kill(self, name: str) -> None:
        """kill -9 one of the four."""
        os.kill(self.pids()[name], signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        """Send the supervisor a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self, timeout_s: float = 60) -> int:
        """Wait for its end; returns its exit code."""
        assert self._process is not None
        return self._process.wait(timeout_s)

    def stop(self) -> int:
        """SIGTERM, and wait; what a killed one has left is ended."""
        if self._process is None or self._process.poll() is not None:
            Report.end_leftovers(self.state)
            return 0
        self.signal(signal.SIGTERM)
        return self.wait()


@contextlib.contextmanager
def running(folder: Path, *arguments: str) -> Iterator[Running]:
    """A started Hubyard that is gone at the end."""
    hubyard = Running(folder / "state", arguments=arguments)
    try:
        hubyard.start()
        yield hubyard
    finally:
        hubyard.stop()
