"""A throw-away PostgreSQL: its own cluster, in a temporary folder, on a free port."""

from __future__ import annotations

import contextlib
import os
import pwd
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from hubyard_spawner.local.ports import free_port
from support import needs

if TYPE_CHECKING:
    from collections.abc import Iterator


class Cluster:
    """One running server; `url(name)` makes an empty database in it."""

    host = "127.0.0.1"

    def __init__(self, folder: Path, bin_folder: Path) -> None:
        self.folder, self.bin = folder, bin_folder
        self.port = free_port()
        # The server refuses to run as root: Debian's `nobody` serves as well as any.
        self.user = "nobody" if os.geteuid() == 0 else None
        if self.user:
            account = pwd.getpwnam(self.user)
            os.chown(folder, account.pw_uid, account.pw_gid)
        self._call("initdb", "-D", self.data, "-U", "hubyard", "-A", "trust", "-N")

    @property
    def data(self) -> str:
        return str(self.folder / "data")

    def _call(self, program: str, *args: str) -> None:
        subprocess.run(
            [str(self.bin / program), *args],
            user=self.user,
            cwd=self.folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses={self.host} -c fsync=off -k ''"
        log = str(self.folder / "log")
        self._call("pg_ctl", "-D", self.data, "-w", "-l", log, "-o", options, "start")

    def stop(self, how: str = "immediate") -> None:
        self._call("pg_ctl", "-D", self.data, "-w", "-m", how, "stop")

    def url(self, name: str) -> str:
        address = ["-h", self.host, "-p", str(self.port), "-U", "hubyard"]
        self._call("createdb", *address, name)
        return f"postgresql://hubyard@{self.host}:{self.port}/{name}"


@contextlib.contextmanager
def cluster() -> Iterator[Cluster]:
    """A running cluster for the length of the block; skips where there is no server."""
    bin_folder = needs.postgres() or needs.lacking(needs.POSTGRES)
    with TemporaryDirectory(prefix="hy-pg-") as folder:
        server = Cluster(Path(folder), bin_folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
