"""What `chaos-stuck` does to a Hubyard: each fault lasts for a while, then is over.

postgres      the network drops all packets that its PostgreSQL sends
sqlite        another process holds the write lock of the platform's SQLite file
mlflow        SIGSTOP
platform      SIGSTOP
disk          the disk of the state folder has no room
hub-database  another process holds the write lock of the hub's own SQLite file
"""

from __future__ import annotations

import contextlib
import os
import pwd
import sqlite3
import subprocess
from contextlib import closing, contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Self

import psutil

from support import needs
from support.postgres import Cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.running import Running

_NETS = ip_network("198.18.0.0/15")
"""For tests of networks (RFC 2544): each run takes four addresses by its process id."""
_NET_SIZE = 4
DISK_BYTES = 4 * 2**30


@dataclass(frozen=True)
class Fault:
    """One of them."""

    name: str
    seconds: float
    hold: Callable[[Running], contextlib.AbstractContextManager[None]]
    spares_the_hub: bool = True
    """Whether the hub must stay quick: it asks its own database in its loop."""
    spares_runs: bool = True
    """Whether runs that are under way must succeed."""


def faults(net: Net) -> tuple[list[Fault], list[Fault]]:
    """Those of a Hubyard on PostgreSQL, and those of one on SQLite."""
    on_postgres = [Fault("postgres", 30, lambda _: net.silence())]
    on_sqlite = [
        Fault("sqlite", 30, lambda h: locked(h.state / "hubyard.sqlite")),
        Fault("mlflow", 20, lambda h: stopped(h, "mlflow")),
        Fault("platform", 20, lambda h: stopped(h, "platform")),
        Fault("disk", 20, lambda h: full(h.state), spares_runs=False),
        Fault(
            "hub-database",
            20,
            lambda h: locked(h.state / "hub.sqlite"),
            spares_the_hub=False,
        ),
    ]
    return on_postgres, on_sqlite


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """A SQLite file into which somebody else writes all the time."""
    opened = sqlite3.connect(file, timeout=30, isolation_level=None)
    with closing(opened) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def stopped(hubyard: Running, name: str) -> Iterator[None]:
    """One of the four, which hangs; should it be restarted, the new one does not."""
    process = psutil.Process(hubyard.pids()[name])
    family = [process, *process.children(recursive=True)]
    for each in family:
        each.suspend()
    try:
        yield
    finally:
        for each in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.resume()


@contextmanager
def disk_in(folder: Path) -> Iterator[None]:
    """A disk of its own for a folder, in memory."""
    folder.mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", str(folder))
    try:
        yield
    finally:
        _run("umount", "-l", str(folder))


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """A disk that has become as small as what is on it."""
    about = os.statvfs(folder)
    used = (about.f_blocks - about.f_bfree) * about.f_frsize
    _run("mount", "-o", f"remount,size={used}", str(folder))
    try:
        yield
    finally:
        _run("mount", "-o", f"remount,size={DISK_BYTES}", str(folder))


class Net:
    """A network namespace with one cable to this machine's."""

    def __init__(self) -> None:
        self.name = f"hubyard-{os.getpid()}"
        self._end = f"hy{os.getpid() % 10**7}"
        self.ours, self.theirs = _ends(os.getpid())

    def __enter__(self) -> Self:
        _ip("netns", "add", self.name)
        far = ("peer", "name", "far", "netns", self.name)
        _ip("link", "add", self._end, "type", "veth", *far)
        _ip("addr", "add", f"{self.ours}/30", "dev", self._end)
        _ip("link", "set", self._end, "up")
        self._inside("addr", "add", f"{self.theirs}/30", "dev", "far")
        for device in ("lo", "far"):
            self._inside("link", "set", device, "up")
        return self

    def __exit__(self, *_: object) -> None:
        _ip("netns", "del", self.name)

    @contextmanager
    def silence(self) -> Iterator[None]:
        """Drop whatever is sent from inside."""
        route = ("blackhole", f"{self.ours}/32")
        self._inside("route", "add", *route)
        try:
            yield
        finally:
            self._inside("route", "del", *route)

    def _inside(self, *words: str) -> None:
        _ip("-n", self.name, *words)


def _ends(number: int) -> tuple[str, str]:
    """The two ends of a cable, so that two runs at once do not share one."""
    first = number * _NET_SIZE % _NETS.num_addresses
    return str(_NETS[first + 1]), str(_NETS[first + 2])


class FarCluster(Cluster):
    """A PostgreSQL that lives in a namespace."""

    def __init__(self, folder: Path, bin_folder: Path, net: Net) -> None:
        super().__init__(folder, bin_folder)
        self._net, self.host = net, net.theirs
        with (Path(self.data) / "pg_hba.conf").open("a") as file:
            file.write(f"host all all {net.ours}/30 trust\n")

    def _call(self, program: str, *args: str) -> None:
        """As its user, who may enter no namespace, so that comes first."""
        if program != "pg_ctl":
            super()._call(program, *args)
            return
        enter = ("ip", "netns", "exec", self._net.name)
        group = pwd.getpwnam(self.user or "root").pw_gid
        become = ("setpriv", f"--reuid={self.user}", f"--regid={group}")
        command = (*enter, *become, "--clear-groups", str(self.bin / program), *args)
        subprocess.run(command, cwd=self.folder, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def far_cluster(net: Net) -> Iterator[FarCluster]:
    """A running one; gone at the end."""
    bin_folder = needs.postgres()
    if bin_folder is None:
        raise SystemExit("There is no PostgreSQL server: `make test` installs it.")
    with TemporaryDirectory(prefix="hy-pg-") as folder:
        server = FarCluster(Path(folder), bin_folder, net)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _ip(*words: str) -> None:
    _run("ip", *words)


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr.strip()}: be root.")
