"""The local engine: workloads as processes of this machine.

All of them run as the Unix user of the hub: one trust domain. Each has a shim for its
parent, a cage for its compute, a folder for its traces and an entry in the ledger that
was written before any of these.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import quote, urlsplit

from jupyterhub.spawner import Spawner, SpawnException
from traitlets import Callable, Instance, Integer, Unicode

from hubyard.contract import environment
from hubyard.contract.base import now
from hubyard.contract.entry import Deadline, EndReason, Entry, Settlement
from hubyard.contract.errors import (
    Forbidden,
    HubyardError,
    NoRoom,
    Rejected,
    Unavailable,
)
from hubyard.contract.workload import ServerName, UserOptions, new_id
from hubyard_spawner import options
from hubyard_spawner.catalogue import why_unavailable
from hubyard_spawner.local import shim
from hubyard_spawner.local.disk import Disk
from hubyard_spawner.local.folder import (
    Clock,
    Folder,
    folders,
    settlement_of,
    spec_text,
)
from hubyard_spawner.local.guard import read_only_folders
from hubyard_spawner.local.limits import Cage, Ladder
from hubyard_spawner.local.ports import free_port
from hubyard_spawner.meter import asked, noted
from hubyard_spawner.persistent import Persistent
from hubyard_spawner.workloads import KINDS, PLATFORM_SERVICE, WorkloadKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from concurrent.futures import Future
    from datetime import datetime

    from hubyard_spawner.catalogue import Catalogue, Profile
    from hubyard_spawner.meter import Meter

_EXACT = {
    EndReason.LIFETIME,
    EndReason.IDLE,
    EndReason.BUDGET,
    EndReason.OUT_OF_MEMORY,
}
_GRACE_S = 8.0
_LISTEN_POLL_S = 0.02
_SETTLE_AGAIN_S = 2.0
_HOME_LIMIT, _HOME_CUT = 200, 120
"""Bytes of a name that may have 255, while its home is being made some 30 more."""
_LATER: set[asyncio.Future[None]] = set()
"""Ends that are to be written later; asyncio itself would not keep them."""
_KEPT = ("LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")


class Refused(SpawnException):
    """A start that may not be; its words reach pages, panels and the API alike."""

    def __init__(self, error: HubyardError) -> None:
        super().__init__(
            error.message, reason=error.field or "refused", status_code=error.status
        )
        self.jupyterhub_message = error.message


class LocalSpawner(Persistent, Spawner):
    """Starts one of the four workloads as a process of this machine."""

    # traitlets copies what is configured, so the two that must not be copied are
    # given as functions without arguments.
    meter = Callable(help="Gives the Meter that keeps the ledger.").tag(config=True)
    catalogue = Callable(help="Gives the Catalogue of compute.").tag(config=True)
    ladder = Instance(Ladder, args=(), help="What holds a workload to its compute.")
    workloads_dir = Unicode(help="Folder of the workloads' folders.").tag(config=True)
    homes_dir = Unicode(help="Folder of the owners' folders.").tag(config=True)
    skeleton_dir = Unicode(help="Copied into each new owner's folder.").tag(config=True)
    least_free_mib = Integer(
        None, allow_none=True, help="Of disk, below which nothing starts."
    ).tag(config=True)
    public_url = Unicode(help="What a person types into a browser.").tag(config=True)
    platform_url = Unicode(help="The platform, seen from a workload.").tag(config=True)
    mlflow_url = Unicode(help="MLflow, seen from a workload.").tag(config=True)

    entry_id = Unicode("")
    _has_started = True
    """Unless it is not known yet whether a start succeeds."""
    _entry: Entry | None = None
    _shim: subprocess.Popen[bytes] | None = None
    _noting: Future[object] | None = None
    _taking_back: asyncio.Future[None] | None = None

    @property
    def _meter(self) -> Meter:
        return cast("Meter", self.meter())

    @property
    def _catalogue(self) -> Catalogue:
        return cast("Catalogue", self.catalogue())

    # -- the door --------------------------------------------------------------

    def options_from_form(self, form_data: Mapping[str, Sequence[str]]) -> object:
        """Read the spawn page's form."""
        try:
            return options.from_form(form_data)
        except Rejected as error:
            raise Refused(error) from None

    def options_from_query(self, query_data: Mapping[str, Sequence[str]]) -> object:
        """Refuse to start by a link alone, which the stock hub would do.

        A page of anybody's could hold one, and so could a reload of our own.
        """
        del query_data
        raise Refused(Rejected("A link starts nothing: choose here, and press Start."))

    async def run_pre_spawn_hook(self) -> None:
        """Decide whether this may start; a refusal here is one line in the log."""
        try:
            self._plan()
            Disk(Path(self.workloads_dir).parent, self.least_free_mib).check()
        except (Rejected, NoRoom) as error:
            raise Refused(error) from None
        hook = super().run_pre_spawn_hook()
        if hook is not None:
            await hook

    def _plan(self) -> tuple[WorkloadKind, Profile, int]:
        """The kind, profile and lifetime that the stored options ask for."""
        wish, workload = self._wish()
        if not workload.by_person and not self._asked_by_platform():
            raise Forbidden(
                f"This {workload.kind} is not started by hand: deploy, schedule or "
                "publish it, and Hubyard starts it."
            )
        profile, lifetime_s = self._catalogue.plan(
            wish.compute, self._groups(), wish.lifetime_s
        )
        reason = why_unavailable(profile)
        if reason is not None:
            raise Rejected(f"{profile.name} {reason}: choose other compute.")
        return workload, profile, lifetime_s

    def _groups(self) -> tuple[str, ...]:
        return tuple(sorted(group.name for group in self.user.groups))

    def _wish(self) -> tuple[UserOptions, WorkloadKind]:
        name = ServerName.parse(self.name)
        wish = options.parse(self.user_options, name)
        return wish, KINDS[wish.kind]

    def _asked_by_platform(self) -> bool:
        asking = getattr(self.handler, "current_user", None)
        kind = getattr(asking, "kind", "")
        return kind == "service" and getattr(asking, "name", "") == PLATFORM_SERVICE

    # -- start -------------------------------------------------------------------

    async def start(self) -> tuple[str, int]:
        """Start the workload; returns once it listens.

        Raises:
            Refused: no budget covers it, the ledger does not answer, or it ended before
                it listened; then it says how, with its last lines.
        """
        workload, profile, lifetime_s = self._plan()
        self.port = free_port()
        try:
            await self._end_predecessors()
            entry, clock = await self._open_entry(profile, lifetime_s)
        except HubyardError as error:
            raise Refused(error) from None
        started_at = entry.started_at
        folder = self._folder()
        over = started_at + timedelta(seconds=lifetime_s)
        try:
            folder.make(Deadline(at=over, reason=EndReason.LIFETIME), clock)
            cage = self.ladder.build(entry.id, profile.cpu, profile.memory)
            self._launch(workload, profile, cage, folder)
            await self._listening(folder)
        except asyncio.CancelledError:
            # Whoever takes a start back stops it next. A hub that is told to end does
            # not: it finds the workload again when it is back.
            raise
        except BaseException as error:
            await self._abandon(error)
            raise
        self._has_started = True
        self.look_later()
        return self.ip, self.port

    async def _open_entry(
        self, profile: Profile, lifetime_s: int
    ) -> tuple[Entry, Clock]:
        """Write the entry; its start by both clocks."""
        started_at = now()
        clock = Clock.at(started_at)
        entry = self._new_entry(profile, lifetime_s, started_at)
        writing = asyncio.ensure_future(asked(self._meter.open, entry))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            # Nobody will know of it: what its thread may write yet is settled after.
            writing.add_done_callback(lambda done: self._take_back(entry, done))
            raise
        self._entry, self.entry_id = entry, entry.id
        self._has_started = False
        self._remember()
        return entry, clock

    def _take_back(self, entry: Entry, writing: asyncio.Future[None]) -> None:
        if not writing.cancelled() and writing.exception() is None:
            settling = self._settle(entry, EndReason.START_FAILED)
            self._taking_back = asyncio.ensure_future(settling)

    def _new_entry(
        self, profile: Profile, lifetime_s: int, started_at: datetime
    ) -> Entry:
        return Entry(
            id=new_id(),
            owner=self.user.name,
            server_name=self.name,
            kind=ServerName.parse(self.name).kind,
            compute=profile.name,
            price_micros=profile.price,
            currency=self._catalogue.currency,
            lifetime_s=lifetime_s,
            limits=self.ladder.limits,
            started_at=started_at,
            cpu=profile.cpu,
            memory_bytes=profile.memory,
            groups=self._groups(),
        )

    def _remember(self) -> None:
        """Let the hub find this workload again, should it die before we return."""
        orm_spawner = self.orm_spawner
        if orm_spawner is not None:
            orm_spawner.state = self.get_state()
            self.user.db.commit()

    async def _end_predecessors(self) -> None:
        """End what an earlier hub started under this name and then forgot."""
        for entry in await asked(self._meter.open_entries, self.user.name, self.name):
            folder = Folder.of(Path(self.workloads_dir), entry.id)
            await asyncio.to_thread(_make_end, folder)
            await self._settle(entry, must=True)

    def _launch(
        self, workload: WorkloadKind, profile: Profile, cage: Cage, folder: Folder
    ) -> None:
        home = self._home()
        spec: dict[str, object] = {
            "cmd": workload.cmd,
            "cages": cage.entrances,
            "cpus": max(round(profile.cpu), 1),
            "memory": None if cage.limits.enforced else profile.memory,
            "grace_s": _GRACE_S,
            "read_only": read_only_folders(home, folder.path),
        }
        command = [sys.executable, "-I", "-S", shim.__file__, str(folder.path)]
        with folder.log.open("ab") as log:
            self._shim = subprocess.Popen(
                [*command, spec_text(spec)],
                cwd=home if workload.at_home else folder.scratch,
                env=self._environment(workload, profile, folder, home),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _home(self) -> Path:
        home = home_of(Path(self.homes_dir), self.user.name)
        if not home.exists():
            make_home(home, Path(self.skeleton_dir) if self.skeleton_dir else None)
        return home

    def _environment(
        self, workload: WorkloadKind, profile: Profile, folder: Folder, home: Path
    ) -> dict[str, str]:
        self.mem_limit, self.cpu_limit = profile.memory, profile.cpu
        threads = str(max(round(profile.cpu), 1))
        env: dict[str, str] = {
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            **self.get_env(),
            **dict.fromkeys(environment.THREAD_COUNTS, threads),
            # Threads that spin while they wait take the time of those they wait for:
            # on a busy machine a fit of 1.4 s took 36 s.
            "OMP_WAIT_POLICY": "PASSIVE",
            "PATH": _path(),
            "HOME": str(home),
            "USER": self.user.name,
            "SHELL": "/bin/bash",
            environment.KIND: str(workload.kind),
            environment.ENTRY: self.entry_id,
            environment.COMPUTE: profile.name,
            environment.PLATFORM_URL: self.platform_url,
            environment.PUBLIC_URL: self.public_url,
            environment.SCRATCH: str(folder.scratch),
        }
        if workload.tracks:
            env["MLFLOW_TRACKING_URI"] = self.mlflow_url
            env["MLFLOW_TRACKING_TOKEN"] = self.api_token
        return env

    async def _listening(self, folder: Folder) -> None:
        """Wait until the workload takes connections, or has died."""
        while not await _takes_connections(self.ip, self.port):
            if folder.end() is not None or self._shim_gone():
                workload = ServerName.parse(self.name).kind
                raise Refused(
                    Rejected(
                        f"The {workload} ended before it could be reached. "
                        f"Its last words: {folder.tail(3) or 'none'}",
                        field="start-failed",
                    )
                )
            await asyncio.sleep(_LISTEN_POLL_S)

    def _shim_gone(self) -> bool:
        return self._shim is not None and self._shim.poll() is not None

    async def _abandon(self, error: BaseException) -> None:
        """Undo a start that came to nothing; what it did cost stays on record."""
        del error
        await asyncio.to_thread(_make_end, self._folder())
        entry = self._entry
        if entry is not None:
            await self._settle(entry, EndReason.START_FAILED)

    def tell_where(self) -> None:
        """Write down again where the workload listens, should that have failed."""
        server, here = self.server, (self.ip, self.port)
        if server is not None and (server.ip, server.port) != here:
            server.ip, server.port = here
            self.user.db.commit()

    # -- life and end --------------------------------------------------------------

    async def poll(self) -> int | None:
        """None while the workload lives; else its exit code, its end on record."""
        if not self.entry_id:
            return 0
        if self._shim is not None:
            self._shim.poll()
        folder = self._folder()
        end = folder.end()
        # Whether it lives stands in its folder, whatever may ail the ledger.
        if end is None and folder.shim() is not None:
            await self._note(folder.now())
            return None
        if end is None:
            await asyncio.to_thread(folder.kill)
        entry = await self._found()
        if entry is not None:
            await self._settle(entry)
        return end.code if end is not None else 1

    async def stop(self, now: bool = False) -> None:  # noqa: FBT001, FBT002  JupyterHub's signature
        """End the workload and whatever it has started."""
        if not self.entry_id:
            return
        grace = 0.0 if now else _GRACE_S + 2
        await asyncio.to_thread(_make_end, self._folder(), grace)
        if self._shim is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(self._shim.wait, 5)
        # It has ended, whatever may ail the ledger.
        entry = await self._found()
        if entry is not None:
            stopped, failed = EndReason.STOPPED, EndReason.START_FAILED
            has_started = self._has_started and not self.is_spawning
            await self._settle(entry, stopped if has_started else failed)

    async def _note(self, at: datetime) -> None:
        """Note that it lives, unless the ledger has the last note to do yet."""
        if self._noting is None or self._noting.done():
            self._noting = await noted(self._meter.saw, self.entry_id, at)

    async def _found(self) -> Entry | None:
        """The entry of the workload that this spawner stands for.

        None: there is none, or the ledger does not say.
        """
        if self._entry is None and self.entry_id:
            try:
                self._entry = await asked(self._meter.entry, self.entry_id)
            except Unavailable as error:
                self.log.warning("%s is settled later: %s", self.entry_id, error)
        return self._entry

    def _folder(self) -> Folder:
        return Folder.of(Path(self.workloads_dir), self.entry_id)

    async def _settle(
        self, entry: Entry, reason: EndReason | None = None, *, must: bool = False
    ) -> None:
        """Write an end, now or, where the ledger does not answer, as soon as it does.

        Should the hub end before, the sweep writes it, by what the shim has seen.

        Raises:
            Unavailable: it does not answer, and it `must` be written now.
        """
        workloads = Path(self.workloads_dir)
        try:
            await asked(settle, self._meter, self.ladder, workloads, entry, reason)
        except Unavailable as error:
            if must:
                raise
            self.log.warning("%s is settled later: %s", entry.id, error)
            later = asyncio.ensure_future(self._settle_later(entry, reason))
            _LATER.add(later)
            later.add_done_callback(_LATER.discard)

    async def _settle_later(self, entry: Entry, reason: EndReason | None) -> None:
        await asyncio.sleep(_SETTLE_AGAIN_S)
        await self._settle(entry, reason)

    async def run_post_stop_hook(self) -> None:
        """After an end of any kind: take back the token that the hub leaves behind."""
        await super().run_post_stop_hook()
        note = f"Server at {self.user.server_url(self.name)}"
        for token in list(self.user.orm_user.api_tokens):
            if token.note == note and token.client_id == "jupyterhub":
                self.user.db.delete(token)
        self.user.db.commit()

    # -- memory across restarts of the hub -------------------------------------------

    async def get_url(self) -> str:
        """Where the workload listens, asked of us by a hub that has restarted.

        It had written that down only once the start was over; had it died before, it
        would look elsewhere, find nobody and end a workload that lives.
        """
        url: str = await super().get_url()
        if not self.port:
            return url
        return urlsplit(url)._replace(netloc=f"{self.ip}:{self.port}").geturl()

    def get_state(self) -> dict[str, object]:
        """What the hub keeps of this workload."""
        state: dict[str, object] = super().get_state()
        if self.entry_id:
            state |= {"entry_id": self.entry_id, "port": self.port}
        return state

    def load_state(self, state: dict[str, object]) -> None:
        """Find a workload again that an earlier hub started."""
        super().load_state(state)
        self.entry_id = str(state.get("entry_id", ""))
        self.port = int(str(state.get("port", 0)))

    def clear_state(self) -> None:
        """Forget the workload, which has ended."""
        super().clear_state()
        self.entry_id, self._entry, self._shim = "", None, None


# -- without a hub: what the platform's sweep and `hubyard down` need ------------------


def settle(
    meter: Meter,
    ladder: Ladder,
    workloads: Path,
    entry: Entry,
    reason: EndReason | None = None,
) -> Settlement:
    """Put the end of a dead workload on record and take its cage down.

    A `reason` of ours stands over what the shim saw, unless that was more exact:
    a deadline that had come, or memory that ran out.
    """
    folder, cage = Folder.of(workloads, entry.id), ladder.cage(entry.id)
    settlement = settlement_of(
        entry,
        folder,
        last_seen=meter.last_seen(entry.id),
        out_of_memory=cage.ran_out_of_memory(),
        peak_memory_bytes=cage.peak_memory_bytes(),
    )
    if reason is not None and settlement.reason not in _EXACT:
        settlement = settlement.model_copy(update={"reason": reason})
    cage.destroy()
    meter.settle(settlement)
    return settlement


def sweep(meter: Meter, ladder: Ladder, workloads: Path, *, older_than_s: float) -> int:
    """Settle workloads that have died unnoticed; returns how many there were.

    Entries younger than `older_than_s` are left to the hub that starts them.
    """
    count = 0
    for entry in meter.open_entries():
        folder = Folder.of(workloads, entry.id)
        young = (folder.now() - entry.started_at).total_seconds() < older_than_s
        if young or (folder.end() is None and folder.shim() is not None):
            continue
        folder.kill()
        settle(meter, ladder, workloads, entry)
        count += 1
    return count


def stop_all(workloads: Path, grace_s: float = _GRACE_S + 2) -> int:
    """End every workload of this state; returns how many were alive."""
    living = [folder for folder in folders(workloads) if folder.ask_to_end()]
    _await_ends(living, grace_s)
    for folder in living:
        if folder.shim() is not None:
            folder.kill()
    return len(living)


def home_of(homes: Path, owner: str) -> Path:
    """The folder of an owner, whether or not it exists.

    Names of any length and letters have one: a longer one than a folder may have is cut
    and marked by its digest. No shorter name is written with `%~`.
    """
    name = quote(owner, safe="@").replace(".", "%2E")
    if len(name) > _HOME_LIMIT:
        digest = hashlib.sha256(owner.encode()).hexdigest()[:32]
        name = f"{name[:_HOME_CUT]}%~{digest}"
    return homes / name


def make_home(home: Path, skeleton: Path | None) -> None:
    """Make an owner's folder, whole or not at all, with the skeleton's files in it."""
    fresh = home.with_name(f".{home.name}.{new_id()}")
    fresh.mkdir(mode=0o700, parents=True)
    if skeleton is not None:
        ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
        shutil.copytree(skeleton, fresh, dirs_exist_ok=True, ignore=ignored)
        fresh.chmod(0o700)
    try:
        fresh.rename(home)
    except OSError:  # another start was quicker
        shutil.rmtree(fresh)


def _make_end(folder: Folder, grace_s: float = _GRACE_S + 2) -> None:
    if folder.ask_to_end():
        _await_ends([folder], grace_s)
    if folder.shim() is not None or folder.end() is None:
        folder.kill()


def _await_ends(living: Iterable[Folder], grace_s: float) -> None:
    deadline = time.monotonic() + grace_s
    for folder in living:
        while folder.shim() is not None and time.monotonic() < deadline:
            time.sleep(0.02)


def _path() -> str:
    """Where a terminal finds commands: our environment's, then the machine's."""
    own = str(Path(sys.executable).parent)
    return os.pathsep.join([own, *filter(None, [os.environ.get("PATH")])])


async def _takes_connections(host: str, port: int) -> bool:
    with contextlib.suppress(OSError):
        _, writer = await asyncio.open_connection(host, port)
        writer.close()
        await writer.wait_closed()
        return True
    return False
