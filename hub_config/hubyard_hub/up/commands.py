"""The commands of the machine, as a person types them.

Every `hubyard` command imports this module, so what is slow to import (JupyterHub, the
database) is imported by the command that needs it.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import fcntl
import os
import signal
import sys
import time
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from hubyard.contract.errors import Conflict, Invalid
from hubyard_hub.retention.commands import add_prune
from hubyard_hub.settings import Settings, make_private_folder, shipped
from hubyard_hub.signing_in.welcome import Welcome
from hubyard_hub.up.door import check
from hubyard_hub.up.report import Report
from hubyard_hub.up.sign_in_link import add_sign_in_link
from hubyard_hub.up.takeover import check_port, take_over

if TYPE_CHECKING:
    import argparse
    from collections.abc import Generator, Mapping

    from hubyard_hub.up.report import ProcessReport

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  argparse gives it no other name

_OPTIONS = (
    *("host", "port", "url", "catalogue", "database", "skeleton"),
    *("late_minutes", "keep_days", "least_free_mib", "reach", "trusted_proxies"),
)
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_PATIENCE_S = 60
_KEEP_WORKLOADS = signal.SIGUSR1
_ENDING = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, _KEEP_WORKLOADS}
_TRUST = (
    "Everybody who may sign in here is trusted with everybody's files and tokens: all "
    "workloads run as one Unix user."
)

_UNNAMED = (
    "If a web server of yours is in front, name its address with --trusted-proxy: "
    "until then wrong passwords of all who come through it are counted together."
)


def add_commands(subparsers: Subparsers) -> None:
    """Add `up`, `status`, `down` and what goes with them to the command `hubyard`."""
    up = subparsers.add_parser("up", help="start everything on this machine")
    _add_state(up)
    up.add_argument("--host", help="where to listen (default 127.0.0.1)")
    up.add_argument("--port", type=int, help="where to listen (default 8000)")
    up.add_argument("--url", help="what people type, if a proxy of yours is in front")
    up.add_argument("--catalogue", type=Path, help="the compute to offer (TOML)")
    up.add_argument("--database", help="URL of a PostgreSQL database")
    up.add_argument("--skeleton", type=Path, help="files for each new owner's folder")
    up.add_argument(
        "--late",
        dest="late_minutes",
        type=int,
        metavar="MINUTES",
        help="how long after its due time a run is late (default 15)",
    )
    up.add_argument(
        "--keep-days",
        type=int,
        metavar="DAYS",
        help="how long files that nothing needs are kept (default 30; 0: for ever)",
    )
    up.add_argument(
        "--least-free",
        dest="least_free_mib",
        type=int,
        metavar="MIB",
        help="of disk, below which nothing new starts (default 1024, or 2 %% of it)",
    )
    up.add_argument(
        "--reach",
        nargs="*",
        metavar="HOST:PORT",
        help="what notices may be sent to inside the network, such as a mail server",
    )
    up.add_argument(
        "--trusted-proxy",
        dest="trusted_proxies",
        nargs="*",
        metavar="ADDRESS",
        help="a proxy of yours in front, whose X-Forwarded-For says who asks",
    )
    up.add_argument("--open", action="store_true", help="open a browser when ready")
    up.set_defaults(command=run_up)
    status = subparsers.add_parser("status", help="what runs, and how it is")
    _add_state(status)
    status.add_argument("--json", action="store_true", help="for programs")
    status.set_defaults(command=run_status)
    add_sign_in_link(subparsers)
    add_prune(subparsers)
    down = subparsers.add_parser("down", help="stop what `hubyard up` has started")
    _add_state(down)
    down.add_argument(
        "--keep-workloads", action="store_true", help="leave workloads running"
    )
    down.set_defaults(command=run_down)


def _add_state(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--state", type=Path, help="folder of everything kept")


def run_up(arguments: argparse.Namespace) -> int:
    """Start everything, and stay until Ctrl-C, SIGTERM or `hubyard down`."""
    os.umask(0o077)
    settings = _asked(arguments)
    make_private_folder(settings.state)
    with _alone(settings.state):
        settings, kept = take_over(settings, _tell)
        settings.save()
        return _run_up(settings, kept, open_browser=bool(arguments.open))


def _asked(arguments: argparse.Namespace) -> Settings:
    """What was kept of an earlier start, and what is asked for now; nothing is written.

    Raises:
        Conflict: it runs already, or its port is taken.
        Invalid: it cannot be started like this.
    """
    state: Path = (arguments.state or Settings.default_state()).expanduser().resolve()
    if (running := Report.load(state)) is not None:
        raise Conflict(f"Hubyard runs already, at {running.url}: see `hubyard status`.")
    try:
        settings = Settings.load(state)
    except Invalid:
        if (state / "config.json").exists():
            raise
        settings = Settings(state=state, catalogue=shipped("compute.toml"))
    settings = dataclasses.replace(settings, **_given(arguments))
    check(settings)
    if not Report.left(state):
        check_port(settings)
    return settings


def _given(arguments: argparse.Namespace) -> dict[str, Any]:
    """The settings that are asked for now."""
    asked = {n: v for n in _OPTIONS if (v := getattr(arguments, n)) is not None}
    for name in {"catalogue", "skeleton"} & asked.keys():
        asked[name] = asked[name].resolve()
    if "url" in asked:
        asked["url"] = asked["url"].rstrip("/")
    for name in {"reach", "trusted_proxies"} & asked.keys():
        asked[name] = tuple(asked[name])
    return asked


@contextlib.contextmanager
def _alone(state: Path) -> Generator[None]:
    """Be the only supervisor of a state, however many are started at once."""
    with (state / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Conflict("Hubyard runs already: see `hubyard status`.") from None
        yield


def _run_up(
    settings: Settings, kept: Mapping[str, ProcessReport], *, open_browser: bool
) -> int:
    _tell(f"Hubyard starts; its state is in {settings.state}")
    _tell(_TRUST)
    if settings.host not in _LOOPBACK:
        _tell(f"It listens on {settings.host}, open to the network and without TLS.")
    if settings.url and not settings.trusted_proxies:
        _tell(_UNNAMED)
    keep = asyncio.run(_supervise(settings, kept, open_browser=open_browser))
    # A second Ctrl-C, or the terminal's end, must not leave workloads behind.
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)
    if not keep:
        _stop_workloads(settings)
    _tell("Hubyard has stopped.")
    return 0


async def _supervise(
    settings: Settings, kept: Mapping[str, ProcessReport], *, open_browser: bool
) -> bool:
    """Run until a signal; whether workloads shall go on without us.

    Signals that end us are blocked from then on: once the loop is closed they would
    do what they do by default, until somebody handles them.
    """
    from hubyard_hub.up.supervisor import Supervisor  # noqa: PLC0415  see the top

    ending, keep = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _ENDING:
        loop.add_signal_handler(number, ending.set)
    loop.add_signal_handler(_KEEP_WORKLOADS, lambda: (keep.set(), ending.set()))

    def ready() -> None:
        link = _sign_in_link(settings)
        _tell(f"Hubyard is ready at {settings.public_url}  (Ctrl-C stops it)")
        if link != settings.public_url:
            _tell(f"Sign in as its administrator, once, with {link}")
        if open_browser:
            webbrowser.open(link)

    supervisor = Supervisor(settings, _tell, kept)
    await supervisor.run(ending, ready)
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    return keep.is_set()


def _sign_in_link(settings: Settings) -> str:
    welcome = Welcome(settings.welcome_file)
    if welcome.is_used:
        return settings.public_url
    return f"{settings.public_url}/hub/welcome#code={welcome.issue()}"


def _stop_workloads(settings: Settings) -> None:
    from hubyard_hub.money.ledger import Ledger  # noqa: PLC0415  see the top
    from hubyard_hub.store import Store  # noqa: PLC0415
    from hubyard_spawner.local.limits import Ladder  # noqa: PLC0415
    from hubyard_spawner.local.spawner import stop_all, sweep  # noqa: PLC0415

    count = stop_all(settings.workloads)
    store = Store(settings.database_url)
    store.migrate()
    sweep(Ledger(store), Ladder(), settings.workloads, older_than_s=0)
    store.close()
    if count:
        _tell(f"{count} workload{'s' if count > 1 else ''} stopped")


def run_status(arguments: argparse.Namespace) -> int:
    """Print what runs; 0 when all is well, 3 when something is not."""
    state: Path = arguments.state or Settings.default_state()
    report = Report.load(state)
    if report is None:
        _tell(_what_is_left(state), sys.stderr)
        return 3
    if arguments.json:
        _tell(report.model_dump_json(indent=2))
    else:
        _tell(f"Hubyard runs at {report.url} since {report.started_at:%d %B %H:%M} UTC")
        for process in report.processes:
            health = "well" if process.healthy else "not well"
            pid = process.running.pid if process.running else "-"
            why = f", last: {process.last_end}" if process.last_end else ""
            _tell(
                f"  {process.name:<9} {health:<9} process {pid}, "
                f"restarted {process.restarts} times{why}"
            )
    return 0 if all(process.healthy for process in report.processes) else 3


def _what_is_left(state: Path) -> str:
    if not (left := Report.left(state)):
        return "Hubyard does not run: start it with `hubyard up`."
    names = ", ".join(each.name for each in left)
    return (
        "Nobody looks after Hubyard, for `hubyard up` was killed. These go on: "
        f"{names}. `hubyard up` adopts them, `hubyard down` ends them."
    )


def run_down(arguments: argparse.Namespace) -> int:
    """Stop the supervisor of this state, and wait until it has gone."""
    state: Path = arguments.state or Settings.default_state()
    report = Report.load(state)
    if report is None:
        return _end_left(state, keep_workloads=bool(arguments.keep_workloads))
    number = _KEEP_WORKLOADS if arguments.keep_workloads else signal.SIGTERM
    os.kill(report.supervisor.pid, number)
    end = time.monotonic() + _PATIENCE_S
    while report.supervisor.is_alive:
        if time.monotonic() > end:
            raise Conflict(f"Process {report.supervisor.pid} does not end: see logs.")
        time.sleep(0.1)
    _tell("Hubyard has stopped.")
    return 0


def _end_left(state: Path, *, keep_workloads: bool) -> int:
    """End what goes on without a supervisor."""
    if not Report.left(state):
        _tell("Hubyard does not run: there is nothing to stop.")
        return 0
    with _alone(state):
        settings = Settings.load(state)
        Report.end_leftovers(state)
        if not keep_workloads:
            _stop_workloads(settings)
    _tell("Hubyard has stopped.")
    return 0


def _tell(line: str, stream: TextIO | None = None) -> None:
    with contextlib.suppress(OSError):  # nobody may read us any more; we go on
        print(line, file=stream, flush=True)
