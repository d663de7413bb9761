"""Every route of everything that answers HTTP, asked as nobody and as somebody else.

Starts a whole Hubyard in which ana has one of each workload, reads the routes from the
routers themselves, and asks each by six methods and as a WebSocket without
credentials, as bo with a session in a browser, and as bo with a token.

answered  a request that was let through
leaked    an answer that names what is ana's

The last line: `attack routes=<n> requests=<n> answered=<n> leaked=<n>`. Any of the last
two above zero, or a route without a rule, is an exit code of 1.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).parents[1]))

import httpx
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import connect

from support.furnish import deploy, publish_app, start_run
from support.running import Person, Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hubyard.client import Client

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
CANARY = "zyzzyva"
"""Part of each name that ana gives: in no answer to anybody else."""

ENDLESS = ["import time; time.sleep(900)"]
"""The cells of a run that goes on for as long as we look."""

ROUTES = Path(__file__).with_name("routes.py")

SHUT = {301, 302, 303, 307, 308, 401, 403, 404, 405, 410, 415, 421, 422, 503}
"""Statuses that let nobody through. Redirects are looked at: only to a login."""

PUBLIC = {
    "/services/hubyard/api/health",
    "/services/mlflow/health",
    # Pages of the hub for people who are not signed in, and nothing behind them.
    "/hub/login",
    "/hub/signup",
    "/hub/welcome",
    "/hub/health",
    "/hub/logout",
}
ENOUGH_BYTES = 1_000_000

ADMIN_PAGES = ("/hub/authorize", "/hub/discard", "/hub/change-password/")

OWN_ANSWERS = ("/api", "/api/")
"""jupyter_server tells its version to anybody: the hub's own sign of life."""


@dataclass
class Tally:
    """What was asked and what came back."""

    routes: set[str] = field(default_factory=set)
    requests: int = 0
    answered: list[str] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    """Requests that got no answer at all within the time-out."""

    def line(self) -> str:
        """The last line."""
        return (
            f"attack routes={len(self.routes)} requests={self.requests} "
            f"answered={len(self.answered)} leaked={len(self.leaked)}"
        )


@dataclass(frozen=True)
class Somebody:
    """Who asks, and with what."""

    name: str
    headers: dict[str, str]
    cookies: str = ""
    is_person: bool = False

    def all_headers(self) -> dict[str, str]:
        """As they are sent."""
        cookie = {"Cookie": self.cookies} if self.cookies else {}
        return {**self.headers, **cookie}


def main() -> int:
    """Attack, and print the last line."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as hubyard:
        ana = hubyard.administrator("ana")
        bo = hubyard.person("bo", admits=ana)
        places = furnish(hubyard, ana)
        tally = Tally()
        for somebody in attackers(bo):
            began = time.monotonic()
            attack(hubyard.url, somebody, places, tally)
            print(f"{somebody.name}: {time.monotonic() - began:.0f} s", flush=True)
    for found in [*tally.answered, *tally.leaked]:
        print(found)
    for silent in tally.silent:
        print(f"no answer: {silent}")
    print(tally.line())
    return 1 if tally.answered or tally.leaked else 0


def furnish(hubyard: Running, ana: Person) -> dict[str, list[str]]:
    """Give ana one of each workload; returns full paths of every route, by place."""
    ana.start_workspace()
    client = hubyard.client(ana)
    kinds = {
        "run": f"run-{start_run(client, CANARY, ENDLESS).id}",
        "endpoint": f"endpoint-{deploy(hubyard, ana, CANARY).id}",
        "app": f"app-{publish_app(client, CANARY).id}",
    }
    places = {
        "platform": _below("/services/hubyard", enumerate_routes("platform")),
        "mlflow": _below("/services/mlflow", enumerate_routes("mlflow")),
        "workspace": _below("/user/ana", enumerate_routes("workspace")),
        "hub": enumerate_routes("hub"),
    }
    for kind in ("run", "endpoint", "app"):
        home = f"/user/ana/{kinds[kind]}"
        places[kind] = _below(home, enumerate_routes(kind))
    places["objects"] = _objects(client)
    return places


def _below(prefix: str, paths: list[str]) -> list[str]:
    return [f"{prefix}{path}" for path in paths]


def enumerate_routes(place: str) -> list[str]:
    """Routes of one router, read in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(ROUTES), place],
        capture_output=True,
        text=True,
        check=False,
        cwd=tempfile.gettempdir(),
    )
    if done.returncode:
        raise SystemExit(f"the routes of {place} cannot be read: {done.stderr[-500:]}")
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    if not found:
        raise SystemExit(f"{place} has no route: its router was not read")
    return found


def _objects(client: Client) -> list[str]:
    """Routes with the ids of what is really there: a guess that is right."""
    base = "/services/hubyard/api"
    (run,) = client.runs.list()
    (deployment,) = client.deployments.list()
    (app,) = client.apps.list()
    run_views = ("", "/notebook", "/report", "/log", "/stop")
    found = [f"{base}/runs/{run.id}{view}" for view in run_views]
    for noun, each in (("deployments", deployment), ("apps", app)):
        acts = ("", "/log", "/start", "/stop", "/keys", "/shares")
        found += [f"{base}/{noun}/{each.id}{act}" for act in acts]
    tracked = client.last_tracked_run()
    return [*found, f"{base}/tracked-runs/{tracked.id}/notebook"]


def attackers(bo: Person) -> Iterator[Somebody]:
    """Nobody; bo in a browser; bo with a token."""
    yield Somebody("nobody", {"Accept": "application/json"})
    for page in ("/services/hubyard/api/me", "/services/mlflow/", "/hub/home"):
        bo.http.get(page)
    jar = [f"{c.name}={c.value}" for c in bo.http.cookies.jar]
    yield Somebody(
        "bo in a browser", {"Accept": "text/html"}, "; ".join(jar), is_person=True
    )
    bearer = {"Authorization": f"Bearer {bo.token()}", "Accept": "application/json"}
    yield Somebody("bo with a token", bearer, is_person=True)


def attack(
    url: str, somebody: Somebody, places: dict[str, list[str]], tally: Tally
) -> None:
    """Ask everything as one of them."""
    jobs = [
        (place, path)
        for place, paths in places.items()
        for path in paths
        # Whoever is signed in would be signed out by this, and ask no more.
        if not (somebody.is_person and path.rstrip("/").endswith("/logout"))
    ]
    tally.routes.update(path for _, path in jobs)
    limits = httpx.Limits(max_connections=4)
    with (
        httpx.Client(base_url=url, timeout=10, limits=limits) as http,
        ThreadPoolExecutor(4) as pool,
    ):
        for _ in pool.map(lambda job: _ask(http, url, somebody, *job, tally), jobs):
            pass


def _ask(
    http: httpx.Client,
    url: str,
    somebody: Somebody,
    place: str,
    path: str,
    tally: Tally,
) -> None:
    for method in METHODS:
        what = f"{somebody.name}: {method} {path}"
        headers = {"Content-Type": "application/json", **somebody.all_headers()}
        content = None if method == "GET" else "{}"
        target = quote(path, safe="/%?=&")
        tally.requests += 1
        try:
            with http.stream(method, target, headers=headers, content=content) as said:
                text = _beginning(said)
                _judge(what, somebody, place, path, said, text, tally)
        except httpx.TimeoutException:
            tally.silent.append(what)
    tally.requests += 1
    if _websocket_opens(url, somebody, path):
        tally.answered.append(f"{somebody.name}: WebSocket {path}")


def _beginning(said: httpx.Response) -> str:
    """The answer's text, or as much of one that does not end as came at once."""
    read = b""
    with contextlib.suppress(httpx.TimeoutException):
        for chunk in said.iter_bytes():
            read += chunk
            if len(read) > ENOUGH_BYTES:
                break
    return read.decode(errors="replace")


def _judge(
    what: str,
    somebody: Somebody,
    place: str,
    path: str,
    answer: httpx.Response,
    text: str,
    tally: Tally,
) -> None:
    if CANARY in text:
        tally.leaked.append(f"{what} -> {answer.status_code} names {CANARY}")
    if path.rstrip("/") in PUBLIC or _may(somebody, place, path):
        return
    if place == "workspace" and path.removeprefix("/user/ana") in OWN_ANSWERS:
        return
    if answer.status_code not in SHUT or not _is_login(answer):
        tally.answered.append(f"{what} -> {answer.status_code}")


def _may(somebody: Somebody, place: str, path: str) -> bool:
    """A person may use the platform, MLflow and the hub: with what is theirs alone."""
    if not somebody.is_person or path.startswith(ADMIN_PAGES):
        return False
    return place in {"platform", "mlflow", "hub"}


def _is_login(answer: httpx.Response) -> bool:
    """Whether a redirect goes nowhere but to the hub, or to what is asked there."""
    if not answer.is_redirect:
        return True
    target = answer.headers["location"].partition("?")[0]
    return target.startswith(("/hub/", "/user/ana/", "/services/", "http://127.0.0.1"))


def _websocket_opens(url: str, somebody: Somebody, path: str) -> bool:
    address = "ws" + url.removeprefix("http") + quote(path, safe="/%?=&")
    try:
        with connect(
            address, additional_headers=somebody.all_headers(), open_timeout=15
        ):
            return True
    except InvalidStatus:
        return False
    except (WebSocketException, OSError, TimeoutError):
        return False


if __name__ == "__main__":
    sys.exit(main())
