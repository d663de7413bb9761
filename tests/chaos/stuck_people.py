"""Five people who sign in, start, stop and ask, whatever is the matter.

Each waits for an answer, as people do. What was answered 2xx is a promise.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from chaos.stuck_promises import Promise, What
from hubyard.client import Client
from hubyard.client.wire import Wire
from hubyard.contract.errors import HubyardError, Unavailable
from hubyard.contract.run import RunRequest
from support.furnish import upload_notebook
from support.patience import until
from support.running import Person

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from support.running import Running

PLAIN, REAL = "plain", "real"
"""Compute: of workloads that only listen, and of runs that execute their notebook."""
_TIMEOUT_S = 60.0
_PAUSE_S = 3.0
_CREATED, _ACCEPTED, _NO_CONTENT = 201, 202, 204


@dataclass(frozen=True)
class Outcome:
    """Something that somebody asked for."""

    what: str
    seconds: float
    said: str
    """`ok`, a status, or the name of an error."""


@dataclass
class Someone:
    """One of the five."""

    hubyard: Running
    person: Person
    promises: list[Promise] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    _endless: list[str] = field(default_factory=list)
    """Servers that run until somebody stops them."""
    _count: int = 0

    def __post_init__(self) -> None:
        self.name = self.person.name or ""
        self.token = self.person.token()
        settings = self.hubyard.settings
        self.client = Client(Wire(settings.platform_url, self.token))
        self.hub = httpx.Client(
            base_url=f"{self.hubyard.url}/hub/api/users",
            headers={"Authorization": f"token {self.token}"},
            timeout=_TIMEOUT_S,
            trust_env=False,
        )
        self.source = upload_notebook(self.client, "brief", ["1 + 1"])

    # -- before, during and after ------------------------------------------------------

    def prepare(self) -> None:
        """Have a run and a workspace that can be stopped."""
        self.promises.clear()
        self.outcomes.clear()
        self.start_some()

    def start_some(self) -> None:
        """Start a run and a workspace, and wait for both; also when all is well again.

        Raises:
            HubyardError, HTTPError: it is not.
        """
        self._start_run(PLAIN)
        self._start_workspace()
        servers = list(self._endless)
        until(lambda: all(self.active().get(name) for name in servers), self.active)

    def stop_some(self) -> None:
        """Stop what runs, down to one; the promises are judged with the others."""
        while len(self._endless) > 1:
            self._stop_one()

    def browse(self, over: threading.Event) -> None:
        """Sign in and ask, one after the other, until it is over."""
        while not over.wait(_PAUSE_S):
            self._try("sign in", self._sign_in)
            self._try("ask", self.client.workloads)

    def work(self, over: threading.Event, after_s: float) -> None:
        """Start and stop, one after the other, until it is over; in a while a run."""
        begins = time.monotonic() + after_s
        runs = 0
        while not over.wait(_PAUSE_S):
            if not runs and time.monotonic() > begins:
                runs += 1
                self._try("start a run", lambda: self._start_run(REAL))
            self._try("stop", self._stop_one)
            self._try("start", self._start_workspace)

    def clear_up(self) -> None:
        """Stop whatever may still run."""
        for name, active in self.active().items():
            if active:
                self.hub.delete(f"/{self.name}/servers/{name}")

    def active(self) -> dict[str, bool]:
        """The servers that the hub knows, and whether it believes that they run."""
        servers = self.hub.get(f"/{self.name}").raise_for_status().json()["servers"]
        return {n: bool(s["ready"] or s["pending"]) for n, s in servers.items()}

    def refusal(self, server: str) -> str:
        """Why a server was not started, as its page tells it; empty: it does not."""
        answer = self.hub.get(f"/{self.name}/servers/{server}/progress")
        failed = '"failed": true' in answer.text
        return answer.text if failed else ""

    # -- what they do ------------------------------------------------------------------

    def _try(self, what: str, do: Callable[[], object]) -> None:
        began = time.monotonic()
        try:
            do()
            said = "ok"
        except HubyardError as error:
            said = str(error.status)
        except httpx.HTTPStatusError as error:
            said = str(error.response.status_code)
        except httpx.HTTPError as error:
            said = type(error).__name__
        self.outcomes.append(Outcome(what, time.monotonic() - began, said))

    def _sign_in(self) -> None:
        """With a browser that has no cookie."""
        browser = Person(self.person.url, self.name)
        browser.http.timeout = httpx.Timeout(_TIMEOUT_S)
        try:
            answer = browser.sign_in().raise_for_status()
        finally:
            browser.http.close()
        if "/hub/login" in str(answer.url):
            raise Unavailable("The sign-in page came again.")

    def _start_run(self, compute: str) -> None:
        request = RunRequest(
            source=self.source.digest, notebook=self.source.notebook, compute=compute
        )
        server = f"run-{self.client.runs.start(request).id}"
        self._promise(What.START, server, brief=compute == REAL)
        if compute == PLAIN:
            self._endless.append(server)

    def _start_workspace(self) -> None:
        self._count += 1
        server = f"workspace-{self._count}"
        options: dict[str, Any] = {"kind": "workspace", "compute": PLAIN}
        answer = self.hub.post(
            f"/{self.name}/servers/{server}", json={"user_options": options}
        )
        answer.raise_for_status()
        if answer.status_code in {_CREATED, _ACCEPTED}:
            self._promise(What.START, server)
            self._endless.append(server)

    def _stop_one(self) -> None:
        """What was started first; where that is refused, another one the next time."""
        if not self._endless:
            return
        server = self._endless.pop(0)
        if server.startswith("run-"):
            self.client.runs.stop(server.removeprefix("run-"))
        else:
            answer = self.hub.delete(
                f"/{self.name}/servers/{server}"
            ).raise_for_status()
            if answer.status_code not in {_ACCEPTED, _NO_CONTENT}:
                return
        self._promise(What.STOP, server)

    def _promise(self, what: What, server: str, *, brief: bool = False) -> None:
        self.promises.append(Promise(what, self.name, server, brief=brief))
