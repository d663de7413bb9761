"""`hubyard offboard` and `hubyard readmit`: end somebody's access, free their name.

With a token of an administrator (HUBYARD_PLATFORM_URL and HUBYARD_TOKEN, or within a
workspace) they ask the platform. On the machine itself they write to its store, whether
or not Hubyard runs: what is left to do is done while it runs.

What is slow to import (the database, HTTP) is imported by the command that needs it.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from hubyard.contract import environment
from hubyard.contract.base import LONGEST_S
from hubyard.contract.duration import duration_text, parse_duration
from hubyard.contract.errors import (
    Invalid,
    NotFound,
    Problem,
    Unavailable,
    from_status,
)
from hubyard.contract.people import Departure, Holdings, OffboardRequest
from hubyard_hub.settings import Settings

if TYPE_CHECKING:
    import argparse

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  argparse gives it no other name

_URL, _TOKENS = environment.PLATFORM_URL, (environment.TOKEN, environment.HUB_TOKEN)
_BY_OPERATOR = "the operator"
_PATIENCE_S = 30


class Place(Protocol):
    """Where a departure is asked for."""

    def holdings(self, name: str) -> Holdings:
        """What somebody has; NotFound: there is nobody of that name."""
        ...

    def offboard(self, name: str, request: OffboardRequest) -> Departure:
        """End their access for good."""
        ...

    def readmit(self, name: str) -> None:
        """Let the name be used again."""
        ...


def add_commands(subparsers: Subparsers) -> None:
    """Add them to the command `hubyard`."""
    offboard = subparsers.add_parser("offboard", help="end somebody's access for good")
    offboard.add_argument("name", help="of the user")
    offboard.add_argument(
        "--deputy", help="who takes over schedules, deployments and apps"
    )
    offboard.add_argument(
        "--grace",
        default="",
        metavar="TIME",
        help="for how long deployments and apps go on without a deputy: 12h, 2d",
    )
    offboard.add_argument(
        "--dry-run", action="store_true", help="show what would end, and do nothing"
    )
    offboard.add_argument("-y", "--yes", action="store_true", help="do not ask")
    readmit = subparsers.add_parser(
        "readmit", help="let the name of somebody who has left be used again"
    )
    readmit.add_argument("name", help="of the user")
    for parser, command in ((offboard, run_offboard), (readmit, run_readmit)):
        parser.add_argument("--json", action="store_true", help="for programs")
        parser.add_argument("--state", type=Path, help="folder of everything kept")
        parser.set_defaults(command=command)


def run_offboard(arguments: argparse.Namespace) -> int:
    """Show what will end, ask, and do it."""
    place, name = _place(arguments), arguments.name
    grace_s = parse_duration(arguments.grace) if arguments.grace else 0
    if grace_s > LONGEST_S:
        raise Invalid("The grace is at most a year.", field="grace")
    request = OffboardRequest(deputy=arguments.deputy, grace_s=grace_s)
    holdings = place.holdings(name)
    _check_deputy(place, name, request.deputy)
    lines = preview(holdings, request)
    if arguments.dry_run:
        _show(arguments, holdings.model_dump(mode="json"), lines)
        return 0
    if not arguments.json:
        _tell("\n".join(lines))
    if not _agreed(arguments, f"Offboard {name}? This cannot be undone."):
        return 1
    made = place.offboard(name, request)
    done = [f"{name} is being offboarded: all access ends within a minute."]
    _show(arguments, made.model_dump(mode="json"), done)
    return 0


def run_readmit(arguments: argparse.Namespace) -> int:
    """Free a name."""
    _place(arguments).readmit(arguments.name)
    words = [f"The name {arguments.name} can be used again; nothing comes with it."]
    _show(arguments, {"readmitted": arguments.name}, words)
    return 0


class OverHttp:
    """The platform, asked with an administrator's token."""

    def __init__(self, url: str, token: str) -> None:
        import httpx  # noqa: PLC0415  slow to import

        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/api",
            headers={"Authorization": f"Bearer {token}"},
            timeout=_PATIENCE_S,
            trust_env=False,
        )

    def holdings(self, name: str) -> Holdings:
        """What somebody has."""
        return Holdings.model_validate(self._ask("GET", _path(name)))

    def offboard(self, name: str, request: OffboardRequest) -> Departure:
        """End their access for good."""
        body = request.model_dump(mode="json", exclude_none=True)
        said = self._ask("POST", f"{_path(name)}/offboard", body)
        return Departure.model_validate(said)

    def readmit(self, name: str) -> None:
        """Let the name be used again."""
        self._ask("POST", f"{_path(name)}/readmit", {})

    def _ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401  JSON
        import httpx  # noqa: PLC0415  slow to import

        try:
            answer = self._http.request(method, path, json=body)
        except httpx.HTTPError:
            raise Unavailable(
                f"Hubyard does not answer at {self._http.base_url}: try again."
            ) from None
        if answer.is_success:
            return answer.json() if answer.content else None
        try:
            problem = Problem.model_validate_json(answer.content)
        except ValueError:
            problem = Problem(message=f"Hubyard answered {answer.status_code}.")
        raise from_status(answer.status_code, problem)


class OnMachine:
    """The store of this machine's Hubyard, opened by its operator."""

    def __init__(self, settings: Settings) -> None:
        from hubyard_hub.people.departures import Departures  # noqa: PLC0415  slow
        from hubyard_hub.store import Store  # noqa: PLC0415  slow to import

        self._settings = settings
        store = Store(settings.database_url)
        store.migrate()
        self._departures = Departures(store)

    def holdings(self, name: str) -> Holdings:
        """What somebody has."""
        if not self._departures.is_known(name) and not self._hub_knows(name):
            raise NotFound(f"There is no user {name}.")
        return self._departures.holdings(name)

    def offboard(self, name: str, request: OffboardRequest) -> Departure:
        """End their access for good."""
        if request.deputy and not self._hub_knows(request.deputy):
            raise Invalid(f"There is no user {request.deputy}.", field="deputy")
        return self._departures.offboard(name, request, _BY_OPERATOR)

    def readmit(self, name: str) -> None:
        """Let the name be used again."""
        self._departures.release(name)

    def _hub_knows(self, name: str) -> bool:
        """Whether the hub has such a user; while it does not run, it is believed."""
        from hubyard_hub.workloads.hub_client import HubClient  # noqa: PLC0415  slow to import
        from hubyard_spawner.workloads import PLATFORM_SERVICE  # noqa: PLC0415  slow

        settings = self._settings
        token = settings.secret(f"service_{PLATFORM_SERVICE}")
        try:
            return HubClient(settings.hub_api_url, token).knows(name)
        except Unavailable:
            return True


def _place(arguments: argparse.Namespace) -> Place:
    url = os.environ.get(_URL)
    token = next((os.environ[n] for n in _TOKENS if os.environ.get(n)), None)
    if url and token and arguments.state is None:
        return OverHttp(url, token)
    state: Path | None = arguments.state
    return OnMachine(Settings.load(state.expanduser().resolve() if state else None))


def _path(name: str) -> str:
    return f"/people/{quote(name, safe='')}"


def _check_deputy(place: Place, name: str, deputy: str | None) -> None:
    """Refuse before anybody has agreed to anything."""
    if deputy == name:
        raise Invalid("Name somebody else as the deputy.", field="deputy")
    if deputy is None:
        return
    if place.holdings(deputy).leaving is not None:
        raise Invalid(f"{deputy} has left as well: name another.", field="deputy")


def preview(holdings: Holdings, request: OffboardRequest) -> list[str]:
    """What offboarding somebody ends and moves, in lines."""

    def line(what: str, names: tuple[str, ...], becomes: str = "") -> str:
        return f"  {what:<22}{', '.join(names) + becomes if names else 'none'}"

    taken = f": {request.deputy} gets them" if request.deputy else ""
    return [
        f"Offboarding {holdings.name} ends:",
        line("schedules suspended", holdings.schedules, taken),
        line("workloads stopped", holdings.workloads),
        line("deployments", holdings.deployments, _served(request)),
        line("apps", holdings.apps, _served(request)),
        f"  {'runs stopped':<22}{holdings.runs}",
        f"  {'shares with them':<22}{holdings.shares}",
        "  all of their sessions, tokens and keys; the name is retired",
    ]


def _served(request: OffboardRequest) -> str:
    """What becomes of deployments and apps."""
    if request.deputy:
        return f": they start again as {request.deputy}'s, at new addresses"
    if request.grace_s:
        return f": they go on for {duration_text(request.grace_s)}, then they end"
    return ": they end now"


def _agreed(arguments: argparse.Namespace, question: str) -> bool:
    person = all(stream and stream.isatty() for stream in (sys.stdin, sys.stderr))
    if arguments.yes or arguments.json or not person:
        return True
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() in {"y", "yes"}:
        return True
    _tell("Nothing was done.")
    return False


def _show(arguments: argparse.Namespace, value: Any, lines: list[str]) -> None:  # noqa: ANN401  JSON
    _tell(json.dumps(value, indent=2) if arguments.json else "\n".join(lines))


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
