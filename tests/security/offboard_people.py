"""The people of `attack-offboard`: what each of them has, and what of it still works.

Host     stays. Her app is shared with everybody, and her model may be read by all
Leaver   one of the others, with one of each thing and a way into each place
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import psutil
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from hubyard.contract.app import AppRequest, Share
from hubyard.contract.budget import BudgetRequest, Scope
from hubyard.contract.deployment import DeploymentRequest
from hubyard.contract.run import RunRequest
from hubyard.contract.schedule import ScheduleRequest
from hubyard.contract.tracking import RegisterRequest
from hubyard_spawner.local.spawner import home_of
from support.furnish import train, upload_notebook
from support.hub import REPOSITORY
from support.patience import until
from support.running import Person

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from hubyard.client import Client
    from support.running import Running

MODEL = "churn"
MLFLOW = "/services/mlflow/api/2.0/mlflow"
APP = REPOSITORY / "examples" / "flights" / "app.py"
PATIENCE_S = 60
_TRIES, _PAUSE_S = 60, 5
_OK = 200
ALL = {
    *("token at the hub", "token at the platform", "token at MLflow"),
    *("share of an app", "key of an endpoint", "own app"),
    *("hub session", "platform session", "MLflow session", "session at an app"),
    *("WebSocket", "stream", "processes", "password"),
}
"""Ways in and things that run, as `Leaver.alive` names them."""
_PAGES = {
    "hub session": "/hub/home",
    "platform session": "/services/hubyard/api/me",
    "MLflow session": f"{MLFLOW}/users/current",
}


@dataclass
class Host:
    """Who stays, as an administrator, and takes over from some of those who leave."""

    hubyard: Running
    person: Person

    def __post_init__(self) -> None:
        self.client: Client = self.hubyard.client(self.person)
        self.token = self.person.token()
        run_id = train(self.hubyard, self.person, MODEL)
        self.experiment = self.client.last_tracked_run().experiment_id
        self.client.models.register(RegisterRequest(run_id=run_id, name=MODEL))
        source = self.client.sources.upload(APP)
        self.app = self.client.apps.wait(
            self.client.apps.publish(
                AppRequest(source=source.digest, path="app.py", name="board")
            ).id
        )

    def welcome(self, name: str) -> Person:
        """Admit somebody, who may read the model, open the app and spend something."""
        person = self.hubyard.person(name, admits=self.person)
        self.client.budgets.set(Scope.USER, name, BudgetRequest(amount="1000"))
        person.http.get("/services/mlflow/")  # so that MLflow knows them
        self.client.apps.share(self.app.id, Share(user=name))
        for kind, id_ in (("registered_model", MODEL), ("experiment", self.experiment)):
            grant = {"resource_type": kind, "resource_id": id_, "permission": "READ"}
            path = "/services/mlflow/api/3.0/mlflow/users/permissions/grant"
            said = self.ask("POST", path, json={**grant, "username": name})
            said.raise_for_status()
        return person

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask anything with her token."""
        return ask(f"{self.hubyard.url}{path}", self.token, method=method, **more)


def ask(
    url: str,
    token: str,
    *,
    method: str = "GET",
    patience_s: float = PATIENCE_S,
    **more: Any,
) -> httpx.Response:
    """One request with a token."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.request(
        method, url, headers=headers, timeout=patience_s, trust_env=False, **more
    )


@dataclass
class Leaver:
    """Somebody who will leave."""

    host: Host
    name: str
    person: Person = field(init=False)
    found: set[str] = field(default_factory=set)
    """What still worked when it was looked at."""

    def __post_init__(self) -> None:
        self.hubyard = self.host.hubyard
        self.url = self.hubyard.url
        self.person = self.host.welcome(self.name)
        self.token = self.person.token()
        self.client: Client = self.hubyard.client(self.person)
        _start_workspace(self.person)
        (home_of(self.hubyard.settings.homes, self.name) / "secret.txt").write_text("x")
        notebook = upload_notebook(self.client, self.name, ["x = 1"])
        self.source, self.notebook = notebook.digest, notebook.notebook
        self._start()
        self._track()
        for page in _PAGES.values():
            self.person.http.get(page)
        self._agree()
        self._open()

    @property
    def board(self) -> str:
        """The host's app, which is shared with everybody."""
        return httpx.URL(self.host.app.url).path

    def _start(self) -> None:
        """A run that never ends, an endpoint with a key, and an app."""
        self.client.runs.start(RunRequest(source=self.source, notebook=self.notebook))
        made = self.client.deployments.create(
            DeploymentRequest(model=MODEL, version="1")
        )
        source = self.client.sources.upload(APP)
        wish = AppRequest(source=source.digest, path="app.py", name=self.name)
        app = self.client.apps.publish(wish)
        self.endpoint = self.client.deployments.wait(made.id, timeout_s=600)
        self.app = self.client.apps.wait(app.id, timeout_s=600)
        self.key = self.client.deployments.key(made.id).token

    def _track(self) -> None:
        """An experiment and a model of their own in MLflow."""
        for call in ("experiments/create", "registered-models/create"):
            self.mlflow("POST", call, json={"name": self.tracked}).raise_for_status()

    @property
    def tracked(self) -> str:
        """What their experiment and their model are called."""
        return f"{self.name}-tracked"

    def mlflow(self, method: str, call: str, **more: Any) -> httpx.Response:
        """Ask MLflow with their token."""
        return ask(f"{self.url}{MLFLOW}/{call}", self.token, method=method, **more)

    def schedule(self) -> None:
        """Last of all, for it fires each minute."""
        self.schedules = [
            self.client.schedules.create(
                ScheduleRequest(
                    source=self.source,
                    notebook=self.notebook,
                    cron="* * * * *",
                    compute="brief",
                )
            ).id
        ]

    def _agree(self) -> None:
        """Open the host's app in the browser: the hub asks whether that is wished."""
        asked = self.person.http.get(self.board)
        scopes = re.findall(r'name="scopes"\s+value="([^"]+)"', asked.text)
        proof = {"_xsrf": self.person.xsrf, "scopes": scopes}
        self.person.http.post(str(asked.url), data=proof).raise_for_status()

    def _open(self) -> None:
        """A WebSocket and a stream that go on for as long as they may."""
        self._going_on = {"WebSocket", "stream"}
        for read in (self._read_socket, self._read_stream):
            threading.Thread(target=read, daemon=True).start()

    def _read_socket(self) -> None:
        address = f"{self.url}{self.board}ws".replace("http", "ws", 1)
        headers = {"Authorization": f"Bearer {self.token}"}
        # However it ends, it has ended.
        with (
            contextlib.suppress(WebSocketException),
            connect(address, additional_headers=headers, proxy=None) as socket,
        ):
            for _ in socket:
                pass
        self._going_on.discard("WebSocket")

    def _read_stream(self) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        opened = httpx.stream(
            "GET", f"{self.url}{self.board}stream", headers=headers, timeout=None
        )
        with contextlib.suppress(httpx.HTTPError), opened as said:
            for _ in said.iter_raw():
                pass
        self._going_on.discard("stream")

    def keep_trying(self, ending: threading.Event) -> None:
        """Make what might outlive them, again and again, until told to end."""
        while not ending.wait(2):
            with contextlib.suppress(
                Exception
            ):  # most of it is refused, as it should be
                self.schedules.append(
                    self.client.schedules.create(
                        ScheduleRequest(
                            source=self.source, notebook=self.notebook, cron="* * * * *"
                        )
                    ).id
                )
            with contextlib.suppress(Exception):
                self.client.deployments.key(self.endpoint.id)
            with contextlib.suppress(Exception):
                self.client.apps.start(self.app.id)

    # -- what still works --------------------------------------------------------------

    def alive(self, running: Collection[str]) -> list[str]:
        """Each way in that still works, and each thing that still runs.

        Args:
            running: the owners of all processes that run.
        """
        self.found = set()
        for name, token, url in self._tokens():
            self._note(name, lambda t=token, u=url: ask(u, t).status_code == _OK)
        for name, page in {**_PAGES, "session at an app": self.board}.items():
            self._note(name, lambda p=page: self._opens(p))
        for name in ("WebSocket", "stream"):
            self._note(name, lambda n=name: n in self._going_on)
        self._note("processes", lambda: self.name in running)
        self._note("password", self._signs_in)
        return sorted(self.found)

    def _tokens(self) -> Iterator[tuple[str, str, str]]:
        yield "token at the hub", self.token, f"{self.url}/hub/api/user"
        yield (
            "token at the platform",
            self.token,
            f"{self.url}{_PAGES['platform session']}",
        )
        yield "token at MLflow", self.token, f"{self.url}{_PAGES['MLflow session']}"
        yield "share of an app", self.token, f"{self.url}{self.board}"
        yield "key of an endpoint", self.key, self.endpoint.url
        yield "own app", self.token, self.app.url

    def _note(self, name: str, works: Any) -> None:
        with contextlib.suppress(httpx.HTTPError):
            if works():
                self.found.add(name)

    def _opens(self, page: str) -> bool:
        said = self.person.http.get(page, follow_redirects=False)
        return said.status_code == _OK

    def _signs_in(self) -> bool:
        return Person(self.url, self.name).sign_in().status_code == _OK

    # -- what the next one of the name gets ------------------------------------------

    def blind_spots(self) -> set[str]:
        """What is not theirs, so that nobody can be seen to inherit it."""
        return {name for name, it in self._holdings(self.person).items() if not it}

    def inherited(self) -> list[str]:
        """What somebody else gets who signs up with the name."""
        before = self.token
        other = self.hubyard.person(self.name, admits=self.host.person)
        self.token = other.token()
        _start_workspace(other)
        got = {
            **self._holdings(other),
            "the old token": _opened(f"{self.url}/hub/api/user", before),
            "the old key": _opened(f"{self.url}/hub/api/user", self.key),
            "a session": self._opens("/hub/home"),
        }
        return [f"{self.name} got {what}: {it}" for what, it in got.items() if it]

    def _holdings(self, person: Person) -> dict[str, Any]:
        """What somebody of this name has."""
        client, home = self.hubyard.client(person), self.hubyard.settings.homes
        return {
            "runs": client.runs.list(),
            "schedules": client.schedules.list(),
            "deployments": client.deployments.list(),
            "apps": client.apps.list(),
            "budgets": client.budgets.list(),
            "spend": _spent(client),
            "servers": [name for name in person.servers() if name],
            "files": list(home_of(home, self.name).glob("secret*")),
            "a share": _opened(f"{self.url}{self.board}", self.token),
            "a model": self._sees_model(self.tracked),
            "a permission": self._sees_model(MODEL),
            "an experiment": self._experiments(),
        }

    def _sees_model(self, name: str) -> bool:
        said = self.mlflow("GET", f"registered-models/get?name={name}")
        return said.status_code == _OK

    def _experiments(self) -> list[Any]:
        asked = {"max_results": 100}
        said = self.mlflow("POST", "experiments/search", json=asked)
        found: list[Any] = said.raise_for_status().json().get("experiments", [])
        return found


def owners_of_processes(hubyard: Running) -> set[str]:
    """Whoever has a workload of this Hubyard that runs."""
    found: set[str] = set()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            environ = process.environ()
            scratch = environ.get("HUBYARD_SCRATCH", "")
            if scratch.startswith(str(hubyard.state)):
                found.add(environ.get("JUPYTERHUB_USER", ""))
    return found


def _spent(client: Client) -> list[str]:
    """The kinds that have cost anything, but for the workspace of this moment."""
    costs = client.spend().by_kind
    return [kind for kind, cost in costs.items() if cost.micros and kind != "workspace"]


def _start_workspace(person: Person) -> None:
    """Start it as soon as the hub has time: it starts a few at once."""
    for _ in range(_TRIES):
        form = {"compute": "small", "hours": "1"}
        if person.form("/hub/spawn", **form).status_code == _OK:
            until(lambda: person.servers().get("", {}).get("ready"), person.servers)
            return
        time.sleep(_PAUSE_S)
    raise SystemExit(f"the hub starts nothing for {person.name}")


def _opened(url: str, token: str) -> bool:
    return ask(url, token).status_code == _OK
