"""The shim: the parent of one workload, which records exactly how it ended.

Run as `python -I -S shim.py <folder> <spec>`; the standard library alone, because it
starts with every workload and outlives the hub. It

- puts the workload into its cage (cgroups, affinity) before the workload begins,
- as root, lets it find the platform's environment read-only,
- ends it when its deadline, a file that may be moved, has come,
- has the kernel kill the workload rather than the hub where memory runs out,
- writes down twice a second that it lives: should the shim itself be killed, that is
  when it ended,
- where no cgroup holds the memory, ends it above its limit,
- keeps the log to its newest few megabytes,
- ends whatever the workload leaves behind,
- writes `end.json` whole or not at all, timed by a clock that nobody can set, and has
  had the room for it since the beginning: a full disk loses no end.

`spec` is JSON: `cmd`, `cages` (cgroup.procs files), `cpus` (count of cores or null),
`memory` (bytes to watch, or null), `grace_s` (between SIGTERM and SIGKILL), `read_only`
(folders). The file
`clock.json` in the folder holds the moment of the ledger's entry by two clocks:
`began`, in seconds since the epoch, and `monotonic`.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys
import time

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_CLONE_NEWNS = 0x20000
_MS_RDONLY, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_SLAVE = 1, 32, 4096, 16384, 1 << 19
_TICK_S = 0.5
_MEMORY_EVERY = 2
"""Every so many ticks the memory is counted, for that takes a look at every process."""
_WATCHED = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
_OOM_SCORE = "500"
"""Added to the workload's score, in thousandths of the machine's memory (proc(5))."""
_LOG_BYTES = 5 * 2**20
"""Where a log has grown past so much, it begins anew; as much is kept beside it."""
_COPY_BYTES = 2**20
_RECORD_BYTES = 512
"""More than `end.json` needs; what is left over are spaces, which JSON allows."""
_PAGE = os.sysconf("SC_PAGE_SIZE")


def _prctl(option: int, value: int) -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _write(path: str, value: dict[str, object]) -> None:
    with open(path + ".new", "w") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)


def keep_short(path: str, limit_bytes: int = _LOG_BYTES) -> bool:
    """Begin a log anew once it is longer than that; its newest bytes go to `<path>.1`.

    Its writers have opened it by O_APPEND and go on at the new beginning. Returns
    whether it was begun anew.

    Raises:
        OSError: there is no such file, it is a link, or the disk is full.
    """
    log = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    try:
        size = os.fstat(log).st_size
        if size <= limit_bytes:
            return False
        os.lseek(log, size - limit_bytes, os.SEEK_SET)
        _copy(log, path + ".1", 2 * limit_bytes)
        os.ftruncate(log, 0)
    finally:
        os.close(log)
    return True


def _copy(log: int, path: str, most_bytes: int) -> None:
    """The rest of an open log, also what is written meanwhile, but not for ever."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with open(os.open(path, flags, 0o600), "wb", buffering=0) as older:
        while chunk := os.read(log, min(most_bytes, _COPY_BYTES)):
            older.write(chunk)
            most_bytes -= len(chunk)


def _stat(pid: int) -> list[str]:
    """`/proc/<pid>/stat` after the name, which may hold anything; empty: gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(") ")[2].split()
    except OSError:
        return []


def start_ticks(pid: int) -> str | None:
    """When a living process began, by a clock that nobody sets; None: it has ended."""
    stat = _stat(pid)
    return stat[19] if stat and stat[0] != "Z" else None


def machine() -> str:
    """This start of the machine, told apart from every other; a container's is its own.

    As long as it is the same, whatever is gone was ended by somebody.
    """
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            return f"{file.read().strip()}/{_stat(1)[19]}"
    except (OSError, IndexError):
        return ""


def _descendants() -> list[int]:
    """Every living process below this one, children before grandchildren."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (stat := _stat(int(name))):
            children.setdefault(int(stat[1]), []).append(int(name))
    found: list[int] = []
    queue = [os.getpid()]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


def _private_bytes(pids: list[int]) -> int:
    """Resident memory that these processes share with no file and nobody else."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError, ValueError, IndexError):
            with open(f"/proc/{pid}/statm") as file:
                pages = file.read().split()
            total += (int(pages[1]) - int(pages[2])) * _PAGE
    return total


def _cores(count: int) -> set[int]:
    """So many of this machine's cores, from another one on for each workload."""
    cores = sorted(os.sched_getaffinity(0))
    first = os.getpid() % len(cores)
    return set((cores[first:] + cores[:first])[:count])


def _guard(folders: list[str]) -> None:
    """In the child: bind folders read-only, for it and all that it starts.

    Raises:
        OSError: this container may not mount.
    """
    libc = ctypes.CDLL(None, use_errno=True)

    def mount(source: bytes | None, target: bytes, flags: int) -> None:
        if libc.mount(source, target, None, ctypes.c_ulong(flags), None):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    if libc.unshare(_CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    # What the machine mounts later is seen; what is mounted here is seen here alone.
    mount(None, b"/", _MS_REC | _MS_SLAVE)
    for folder in map(os.fsencode, folders):
        mount(folder, folder, _MS_BIND | _MS_REC)
        mount(None, folder, _MS_BIND | _MS_REMOUNT | _MS_RDONLY)


def _guard_if_possible(folders: list[str]) -> None:
    try:
        _guard(folders)
    except (OSError, AttributeError) as error:
        said = f"the platform's environment is not read-only: {error}"
        print(said, file=sys.stderr, flush=True)  # noqa: T201  the log


def _become(spec: dict[str, object]) -> None:
    """In the child: enter the cage and turn into the workload. Never returns."""
    try:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        for cage in spec["cages"]:  # type: ignore[attr-defined]
            with open(cage, "w") as file:
                file.write("0")
        if spec["cpus"]:
            os.sched_setaffinity(0, _cores(int(spec["cpus"])))  # type: ignore[call-overload]
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write(_OOM_SCORE)
        if spec.get("read_only"):
            _guard_if_possible(spec["read_only"])  # type: ignore[arg-type]
        cmd: list[str] = spec["cmd"]  # type: ignore[assignment]
        os.execvp(cmd[0], cmd)  # noqa: S606  no shell is the point
    except OSError as error:
        print(f"cannot start: {error}", file=sys.stderr)  # noqa: T201  the log
        os._exit(127)


def _clock(folder: str) -> tuple[float, float]:
    """When the ledger's entry was written, by the time of day and by our own clock."""
    with open(os.path.join(folder, "clock.json")) as file:
        clock = json.load(file)
    return float(clock["began"]), float(clock["monotonic"])


class Shim:
    """Waits for one workload, and for the reasons to end it."""

    def __init__(self, folder: str, spec: dict[str, object]) -> None:
        self._folder = folder
        self._memory = spec["memory"]
        self._grace = float(spec["grace_s"])  # type: ignore[arg-type]
        self._began, self._clock = _clock(folder)
        self._ticks = 0
        self._seen = open(os.path.join(folder, "seen"), "wb", buffering=0)  # noqa: SIM115  open for life
        self._record_path = os.path.join(folder, "end.json")
        self._room = open(self._record_path + ".new", "wb", buffering=0)  # noqa: SIM115  the same
        self._room.write(b" " * _RECORD_BYTES)
        os.fsync(self._room.fileno())
        self._reason: str | None = None
        self._kill_at: float | None = None
        self._code: int | None = None
        self._usage = None
        self._peak = 0
        self._pid = os.fork()
        if self._pid == 0:
            _become(spec)

    def watch(self) -> int:
        """Stay until the workload has ended; returns its exit code."""
        while self._code is None:
            caught = signal.sigtimedwait(_WATCHED, _TICK_S)
            if caught is not None and caught.si_signo != signal.SIGCHLD:
                self._end("stopped")
            self._reap()
            if self._code is None:
                self._check()
        self._clear()
        self._shorten_log()
        self._record()
        return self._code if self._code >= 0 else 128 - self._code

    def _now(self) -> float:
        """The time of day by a clock that nobody can set."""
        return self._began + time.monotonic() - self._clock

    def _check(self) -> None:
        self._ticks += 1
        with contextlib.suppress(OSError):  # a full disk must not end a workload
            os.pwrite(self._seen.fileno(), b"%.3f" % self._now(), 0)
        self._shorten_log()
        at, reason = self._deadline()
        if self._kill_at is not None:
            if time.monotonic() >= self._kill_at:
                self._signal_all(signal.SIGKILL)
        elif self._now() >= at:
            self._end(reason)
        elif self._memory and self._ticks % _MEMORY_EVERY == 0:
            used = _private_bytes(_descendants())
            self._peak = max(self._peak, used)
            if used > int(self._memory):  # type: ignore[call-overload]
                self._end("out-of-memory")
                self._kill_at = 0.0

    def _shorten_log(self) -> None:
        with contextlib.suppress(OSError):  # there is none, or the disk is full
            keep_short(os.path.join(self._folder, "log"))

    def _deadline(self) -> tuple[float, str]:
        """When to end it, and why."""
        try:
            with open(os.path.join(self._folder, "deadline")) as file:
                at, _, reason = file.read().partition(" ")
            return float(at), reason or "lifetime"
        except (OSError, ValueError):
            return float("inf"), ""

    def _end(self, reason: str) -> None:
        """Ask the workload to end; once the grace is over it is made to."""
        self._reason = self._reason or reason
        if self._kill_at is None:
            self._kill_at = time.monotonic() + self._grace
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGTERM)

    def _reap(self) -> None:
        """Collect every child that has ended, the workload's own orphans too."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self._pid:
                    self._code = os.waitstatus_to_exitcode(status)
                    self._usage = usage

    def _signal_all(self, number: int) -> None:
        for pid in _descendants():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _clear(self) -> None:
        """End what the workload left behind, so that nothing runs unpaid."""
        patience = time.monotonic() + self._grace
        while time.monotonic() < patience and _descendants():
            self._signal_all(signal.SIGKILL)
            self._reap()
            time.sleep(0.01)

    def _record(self) -> None:
        usage = self._usage
        largest = usage.ru_maxrss * 1024 if usage else 0
        record = {
            "code": self._code,
            "ended": self._now(),
            "reason": self._reason,
            "peak_memory_bytes": max(self._peak, largest),
            "cpu_seconds": usage.ru_utime + usage.ru_stime if usage else None,
        }
        os.pwrite(self._room.fileno(), json.dumps(record).encode(), 0)
        os.fsync(self._room.fileno())
        os.replace(self._room.name, self._record_path)


def main() -> int:
    """Start the workload that the arguments name and see it to its end."""
    folder, spec = sys.argv[1], json.loads(sys.argv[2])
    signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    me = {"pid": os.getpid(), "start_ticks": start_ticks(os.getpid())}
    _write(os.path.join(folder, "shim.json"), {**me, "machine": machine()})
    return Shim(folder, spec).watch()


if __name__ == "__main__":
    sys.exit(main())
