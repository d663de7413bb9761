"""Twenty people are offboarded at once, in the middle of all that they do.

Each has a workspace, a run, an endpoint with a key, an app, a schedule that fires each
minute, tokens, sessions in a browser at every place, a WebSocket and a stream open at
another's app; and each goes on trying to make what might outlive them. They leave in
four ways: by the platform's call with a deputy, by the hub's page, by the hub's own
call that deletes a user, and by the command on the machine. Then the names are
released, and others sign up with them.

alive_after_60s   ways in that still work, and things that still run, 60 seconds after
                  an administrator has asked
fired_later       runs that began for them after that
inherited         what others got with a name

Each has a line, and any is an exit code of 1. The last line:

    offboard people=<n> alive_after_60s=<n> fired_later=<n> inherited=<n>
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from sqlalchemy import or_, select

from hubyard.contract.base import now
from hubyard_hub.store import Store
from hubyard_hub.store.tables import entries, runs
from security.offboard_people import ALL, Host, Leaver, owners_of_processes
from support.cheap import cheap, profile
from support.patience import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from support.running import Running

PEOPLE = 20
AT_ONCE = 3
"""So many are furnished at once: the machine has little more to give."""
PROMISED_S = 60
FIRES_S = 150
"""Two due times and a half of each schedule."""
_PROGRAM = Path(__file__).with_name("offboard_program.py")


def offboard(folder: Path, people: int) -> tuple[list[str], list[str], list[str]]:
    """Do it all; what was alive, what fired, what was inherited."""
    profiles = [profile("small", memory="256 MiB"), profile("brief", memory="128 MiB")]
    with cheap(folder, profiles, str(_PROGRAM)) as hubyard:
        host = Host(hubyard, hubyard.administrator("ana"))
        names = [f"person-{number}" for number in range(people)]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            leavers = list(pool.map(lambda name: Leaver(host, name), names))
        _say(f"{people} people have one of each thing")
        for leaver in leavers:
            leaver.schedule()
        _until_all_fire(hubyard, leavers)
        _all_work(hubyard, leavers)
        ending = threading.Event()
        for leaver in leavers:
            threading.Thread(
                target=leaver.keep_trying, args=(ending,), daemon=True
            ).start()
        asked_at = _leave(host, leavers)
        time.sleep(max(PROMISED_S - (now() - asked_at).total_seconds(), 0))
        _say(f"looking {(now() - asked_at).total_seconds():.0f} s after the last one")
        alive = _alive(hubyard, leavers)
        time.sleep(FIRES_S)
        ending.set()
        fired = _fired(hubyard, leavers, asked_at)
        until(lambda: _all_closed(host, people), lambda: _departures(host))
        for leaver in leavers:
            _command(hubyard, "readmit", leaver.name)
        inherited = [each for leaver in leavers for each in leaver.inherited()]
    return alive, fired, inherited


def _until_all_fire(hubyard: Running, leavers: list[Leaver]) -> None:
    """A schedule that never fired would prove nothing."""
    wanted = {id_ for leaver in leavers for id_ in leaver.schedules}

    def fired() -> bool:
        with _store(hubyard).read() as connection:
            found = connection.scalars(select(runs.c.schedule_id).distinct())
            return wanted.issubset(found)

    until(fired)
    _say("every schedule has fired")


def _all_work(hubyard: Running, leavers: list[Leaver]) -> None:
    """What did not work before would prove nothing by not working after."""
    running = owners_of_processes(hubyard)
    for leaver in leavers:
        lacking = ALL - set(leaver.alive(running)) | leaver.blind_spots()
        if lacking:
            raise SystemExit(f"the attack is blind: {leaver.name} has no {lacking}")
    _say(f"each of them has {len(ALL)} ways in")


def _leave(host: Host, leavers: list[Leaver]) -> datetime:
    """Offboard all of them at once, in four ways; when the last was asked for."""
    ways = (_by_platform, _by_page, _by_hub, _by_command)
    with ThreadPoolExecutor(len(ways)) as pool:
        asked = [
            pool.submit(_apart, ways[number % len(ways)], host, leaver.name)
            for number, leaver in enumerate(leavers)
        ]
        for each in asked:
            each.result()
    return now()


def _apart(way: Callable[[Host, str], None], host: Host, name: str) -> None:
    began = time.monotonic()
    way(host, name)
    _say(f"{name} by {way.__name__}: {time.monotonic() - began:.1f} s")


def _by_platform(host: Host, name: str) -> None:
    path = f"/services/hubyard/api/people/{name}/offboard"
    host.ask("POST", path, json={"deputy": "ana"}).raise_for_status()


def _by_page(host: Host, name: str) -> None:
    host.person.form(f"/hub/offboard/{name}").raise_for_status()


def _by_hub(host: Host, name: str) -> None:
    host.ask("DELETE", f"/hub/api/users/{name}").raise_for_status()


def _by_command(host: Host, name: str) -> None:
    _command(host.hubyard, "offboard", name, "--yes")


def _command(hubyard: Running, *words: str) -> None:
    command = [sys.executable, "-m", "hubyard.cli", *words]
    state = ("--state", str(hubyard.state))
    done = subprocess.run(
        [*command, *state], capture_output=True, text=True, check=False, env=os.environ
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: {done.stderr}")


def _alive(hubyard: Running, leavers: list[Leaver]) -> list[str]:
    running = owners_of_processes(hubyard)
    with ThreadPoolExecutor(len(leavers)) as pool:
        found = list(pool.map(lambda leaver: leaver.alive(running), leavers))
    return [
        f"{leaver.name} still has {way}"
        for leaver, ways in zip(leavers, found, strict=True)
        for way in ways
    ]


def _fired(hubyard: Running, leavers: list[Leaver], asked_at: datetime) -> list[str]:
    """Runs and starts of theirs after they were asked to leave."""
    names = [leaver.name for leaver in leavers]
    schedules = [id_ for leaver in leavers for id_ in leaver.schedules]
    of_theirs = or_(
        runs.c.schedule_id.in_(schedules),
        runs.c.owner.in_(names),
        *(runs.c.owner.startswith(f"{name}/") for name in names),
    )
    made = select(runs.c.id, runs.c.owner).where(
        of_theirs, runs.c.created_at > asked_at
    )
    begun = select(entries.c.server_name, entries.c.owner).where(
        entries.c.owner.in_(names), entries.c.started_at > asked_at
    )
    with _store(hubyard).read() as connection:
        found = [*connection.execute(made), *connection.execute(begun)]
    return [f"{owner}: {what} began later" for what, owner in found]


def _departures(host: Host) -> list[dict[str, str]]:
    answer = host.ask("GET", "/services/hubyard/api/people/departures")
    return answer.raise_for_status().json()


def _all_closed(host: Host, people: int) -> bool:
    closed = [d["closed_at"] is not None for d in _departures(host)]
    return len(closed) >= people and all(closed)


def _store(hubyard: Running) -> Store:
    return Store(hubyard.settings.database_url)


def _say(words: str) -> None:
    print(words, flush=True)


def main(arguments: list[str]) -> int:
    """Offboard everybody, and print the last line."""
    people = int(arguments[0]) if arguments else PEOPLE
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        alive, fired, inherited = offboard(Path(folder), people)
    for line in (*alive, *fired, *inherited):
        print(line)
    print(
        f"offboard people={people} alive_after_60s={len(alive)} "
        f"fired_later={len(fired)} inherited={len(inherited)}"
    )
    return 1 if alive or fired or inherited else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
