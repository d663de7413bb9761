"""The shim with real processes: how each ended is on record, and nothing is left."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from hubyard.contract.base import now
from hubyard.contract.entry import Deadline, EndReason
from hubyard.contract.workload import new_id
from hubyard_spawner.local import shim
from hubyard_spawner.local.folder import Folder, folders, settlement_of, spec_text
from support.disks import small_disk
from support.lines import START, entry, made
from support.patience import PATIENCE_S, SOON_S, until

# Started by name, so that it can be measured; the spawner's way is that of test_local.
SHIM = [sys.executable, "-m", shim.__name__]


class Launched:
    def __init__(self, path, code, *, lifetime_s=60, began=None, **wishes):
        self.folder = Folder(path)
        made(self.folder, lifetime_s, began)
        spec = {
            "cmd": [sys.executable, "-c", code],
            "cages": [],
            "cpus": 1,
            "memory": None,
            "grace_s": 1.0,
            **wishes,
        }
        with self.folder.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*SHIM, str(path), spec_text(spec)],
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "HUBYARD_ENTRY": path.name},
            )

    def says(self, text):
        until(lambda: text in self.folder.tail(), self.folder.tail)

    def wait(self):
        self.process.wait(PATIENCE_S)
        return self.folder.end()


@pytest.fixture
def launch(tmp_path):
    started = []

    def start(code, **kwargs):
        started.append(Launched(tmp_path / new_id(), code, **kwargs))
        return started[-1]

    yield start
    for each in started:
        each.folder.kill()
        each.process.wait(PATIENCE_S)
        until(
            lambda each=each: not any(map(each.folder._is_ours, psutil.process_iter()))
        )


def test_an_exit_is_recorded_with_its_code(launch):
    workload = launch("import sys; print('bye'); sys.exit(3)")
    end = workload.wait()
    assert (end.code, end.reason) == (3, None)
    assert workload.process.returncode == 3
    assert abs(end.ended - time.time()) < SOON_S
    assert end.cpu_seconds > 0
    assert workload.folder.tail() == "bye"


def test_a_foreign_signal_is_a_kill(launch):
    workload = launch("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert workload.wait().code == -signal.SIGKILL
    assert workload.process.returncode == 128 + signal.SIGKILL


def test_a_stop_is_forwarded_and_named(launch):
    workload = launch("import time; print('up', flush=True); time.sleep(60)")
    workload.says("up")
    assert workload.folder.ask_to_end()
    assert workload.wait().reason is EndReason.STOPPED


def test_what_ignores_a_stop_is_made_to_end_with_its_children(launch):
    workload = launch(
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "if os.fork() == 0: os.setsid()\n"
        "print('up', flush=True); time.sleep(60)",
        grace_s=0.5,
    )
    workload.says("up\nup")
    workload.folder.ask_to_end()
    end = workload.wait()
    assert (end.code, end.reason) == (-signal.SIGKILL, EndReason.STOPPED)


def test_a_lifetime_ends_it_without_any_hub(launch):
    workload = launch("import time; time.sleep(60)", lifetime_s=1)
    end = workload.wait()
    assert end.reason is EndReason.LIFETIME
    deadline = float((workload.folder.path / "deadline").read_text().split()[0])
    assert 0 <= end.ended - deadline < SOON_S


def test_a_deadline_can_be_moved_while_it_runs(launch):
    workload = launch("import time; print('up', flush=True); time.sleep(60)")
    workload.says("up")
    workload.folder.set_deadline(Deadline(at=now(), reason=EndReason.IDLE))
    assert workload.wait().reason is EndReason.IDLE


def test_memory_is_watched_where_no_cgroup_does(launch):
    workload = launch(
        "x = bytearray(200_000_000); import time; time.sleep(60)", memory=100 * 2**20
    )
    end = workload.wait()
    assert end.reason is EndReason.OUT_OF_MEMORY
    assert end.peak_memory_bytes > 100 * 2**20


def test_what_stays_within_its_memory_is_left_alone_and_its_peak_is_known(launch):
    workload = launch("import time; time.sleep(1.5)", memory=2**30)
    end = workload.wait()
    assert (end.code, end.reason) == (0, None)
    assert 2**20 < end.peak_memory_bytes < 2**30


def test_a_deadline_that_cannot_be_read_ends_nothing(launch):
    workload = launch("import time; time.sleep(1.5)")
    (workload.folder.path / "deadline").write_text("soon")
    end = workload.wait()
    assert (end.code, end.reason) == (0, None)


def test_a_workload_begins_inside_its_cage_and_on_its_cores(launch, tmp_path):
    cages = [str(tmp_path / "memory.procs"), str(tmp_path / "cpu.procs")]
    looks = "import os; print(*map(len, map(os.sched_getaffinity, [0]))); "
    looks += f"print(*[open(cage).read() for cage in {cages!r}])"
    workload = launch(looks, cages=cages, cpus=1)
    workload.wait()
    assert workload.folder.tail() == "1\n0 0"


def test_a_workload_that_is_held_to_no_cores_has_them_all(launch):
    workload = launch("import os; print(os.sched_getaffinity(0))", cpus=None)
    workload.wait()
    assert workload.folder.tail() == str(os.sched_getaffinity(0))


def test_no_workload_runs_outside_of_its_cage(launch, tmp_path):
    workload = launch("print('it ran')", cages=[str(tmp_path / "gone" / "procs")])
    assert workload.wait().code == 127
    assert workload.folder.tail().startswith("cannot start: [Errno 2]")
    assert "it ran" not in workload.folder.tail()


def test_daemons_left_behind_are_ended(launch):
    workload = launch(
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0: time.sleep(60)\n"
        "    os._exit(0)\n"
        "time.sleep(0.2)"
    )
    assert workload.wait().code == 0


def test_a_command_that_is_not_there_says_so(tmp_path):
    folder = Folder(tmp_path / "entry")
    made(folder)
    spec = {"cmd": ["/no/such"], "cages": [], "cpus": None, "memory": None}
    done = subprocess.run(
        [
            *(*SHIM, str(folder.path)),
            json.dumps({**spec, "grace_s": 1}),
        ],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert folder.end().code == 127
    assert "cannot start" in done.stderr


def test_a_killed_shim_takes_its_workload_along_and_leaves_no_record(launch):
    workload = launch("import time; print('up', flush=True); time.sleep(60)")
    workload.says("up")
    os.kill(workload.folder.shim(), signal.SIGKILL)
    workload.process.wait(PATIENCE_S)
    assert workload.folder.end() is None
    assert workload.folder.shim() is None


def test_a_pid_that_was_given_anew_is_not_the_shim(tmp_path):
    folder = Folder(tmp_path / "entry")
    made(folder)
    stale = {"pid": os.getpid(), "start_ticks": "1"}
    (folder.path / "shim.json").write_text(json.dumps(stale))
    assert folder.shim() is None
    assert not folder.ask_to_end()
    assert folders(tmp_path) == [folder]
    assert folders(tmp_path / "nowhere") == []


def test_a_shim_that_was_killed_is_told_from_one_whose_machine_went_down(launch):
    workload = launch("print('up', flush=True); import time; time.sleep(60)")
    workload.says("up")
    assert not workload.folder.was_killed()
    workload.process.kill()
    workload.wait()
    assert workload.folder.was_killed()
    kept = workload.folder.path / "shim.json"
    earlier = {**json.loads(kept.read_text()), "machine": "another-boot/1"}
    kept.write_text(json.dumps(earlier))
    assert not workload.folder.was_killed()
    kept.unlink()
    assert not workload.folder.was_killed()


def test_a_machine_that_hides_its_first_process_is_like_no_other(monkeypatch):
    assert shim.machine() != ""
    (hidden := subprocess.Popen(["true"])).wait()
    look = shim._stat
    monkeypatch.setattr(shim, "_stat", lambda _: look(hidden.pid))
    assert shim.machine() == ""


def test_a_shim_that_has_left_its_record_was_not_killed(launch):
    workload = launch("pass")
    workload.wait()
    assert not workload.folder.was_killed()


def test_an_end_without_a_record_is_settled_in_the_owners_favour_with_a_bound(tmp_path):
    seen = START + timedelta(hours=1)
    folder = Folder(tmp_path / "entry")
    never_made = settlement_of(entry(), folder, last_seen=seen)
    assert (never_made.exact, never_made.reason) == (False, EndReason.LOST)
    assert never_made.ended_at == seen < never_made.latest_at
    never_seen = settlement_of(entry(), folder, last_seen=None)
    assert never_seen.ended_at == START < never_seen.latest_at


def test_a_killed_shim_had_said_until_when_it_lived_whatever_the_clock_says(launch):
    """The entry is of another day, as after a clock was set: its seconds are true."""
    workload = launch(
        "import time; print('up', flush=True); time.sleep(60)", began=START
    )
    workload.says("up")
    time.sleep(4)
    os.kill(workload.folder.shim(), signal.SIGKILL)
    killed_at = workload.folder.now()
    workload.process.wait(PATIENCE_S)
    settlement = settlement_of(entry(), workload.folder, last_seen=None)
    assert (settlement.exact, settlement.reason) == (False, EndReason.KILLED)
    assert timedelta() <= killed_at - settlement.ended_at < timedelta(seconds=3)
    assert settlement.latest_at >= killed_at > START


def test_an_end_is_exact_whatever_the_clock_says(launch):
    workload = launch("import time; time.sleep(1)", began=START)
    workload.wait()
    settlement = settlement_of(entry(), workload.folder, last_seen=None)
    assert settlement.exact
    lived = settlement.ended_at - START
    assert timedelta(seconds=1) <= lived < timedelta(seconds=SOON_S)


def test_a_folder_of_another_start_of_the_machine_goes_by_the_time_of_day(tmp_path):
    folder = Folder(tmp_path / "entry")
    made(folder, began=START)
    assert folder.now() < START + timedelta(minutes=1)
    kept = folder.path / "clock.json"
    kept.write_text(json.dumps({**json.loads(kept.read_text()), "machine": "x"}))
    assert abs(folder.now() - now()) < timedelta(minutes=1)


def test_a_deadline_is_moved_only_where_it_is_another(tmp_path):
    folder = Folder(tmp_path / "entry")
    made(folder)
    deadline = Deadline(at=START, reason=EndReason.BUDGET)
    assert folder.move_deadline(deadline)
    assert not folder.move_deadline(deadline)


def test_memory_that_ran_out_is_named(launch):
    workload = launch("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    workload.wait()
    named = settlement_of(entry(), workload.folder, last_seen=None, out_of_memory=True)
    assert named.reason is EndReason.OUT_OF_MEMORY
    killed = settlement_of(entry(), workload.folder, last_seen=None)
    assert killed.reason is EndReason.KILLED


def test_the_kernel_kills_a_workload_before_its_shim(launch):
    launched = launch("print('mine', open('/proc/self/oom_score_adj').read())")
    launched.wait()
    own = Path("/proc/self/oom_score_adj").read_text()
    assert launched.folder.tail().split() == ["mine", "500"]
    assert int(own) < 500


def test_a_log_is_kept_short_while_its_workload_runs(launch):
    lines = 600_000  # of 40 bytes: several times what is kept
    launched = launch(
        "import sys, time\n"
        f"for n in range({lines}): print(f'{{n:039}}')\n"
        "sys.stdout.flush(); time.sleep(1.5)\n"
        "print('last', flush=True); time.sleep(600)"
    )
    launched.says("last")
    kept = [path.stat().st_size for path in launched.folder.path.glob("log*")]
    assert sum(kept) <= 2 * shim._LOG_BYTES + 2**20
    numbers = launched.folder.end_of_log(2**20).split()
    assert numbers[-2:] == [b"%039d" % (lines - 1), b"last"]


def test_a_log_of_what_ends_at_once_is_short_too(launch):
    launched = launch("print('x' * (3 * 5 * 2**20)); print('last')")
    launched.wait()
    kept = [path.stat().st_size for path in launched.folder.path.glob("log*")]
    assert sum(kept) <= 2 * shim._LOG_BYTES + 2**20
    assert launched.folder.tail(1) == "last"


def test_no_line_is_lost_where_a_log_begins_anew(tmp_path):
    log = tmp_path / "log"
    with log.open("ab", buffering=0) as writer:
        for number in range(1000):
            writer.write(b"%07d\n" % number)
            shim.keep_short(str(log), 4000)
    assert (tmp_path / "log.1").stat().st_size <= 4000
    found = [int(n) for n in Folder(tmp_path).end_of_log(4000).split()]
    assert found == list(range(500, 1000))


def test_a_log_that_is_a_link_is_left_alone(tmp_path):
    other = tmp_path / "other"
    other.write_bytes(b"x" * 100)
    (tmp_path / "log").symlink_to(other)
    with pytest.raises(OSError, match="symbolic"):
        shim.keep_short(str(tmp_path / "log"), 10)
    assert other.stat().st_size == 100


@pytest.mark.parametrize("asked", [False, True])
def test_a_full_disk_loses_no_end(tmp_path, asked):
    with small_disk(tmp_path / "disk") as disk:
        if disk is None:
            pytest.skip("this machine lets nobody mount a disk")
        launched = Launched(disk / new_id(), "import time; time.sleep(3)")
        until(launched.folder.shim)
        with contextlib.suppress(OSError), (disk / "filler").open("wb") as filler:
            while True:
                filler.write(b"x" * 2**16)
        if asked:
            launched.folder.ask_to_end()
        end = launched.wait()
    assert (end.code, end.reason) == (
        (-signal.SIGTERM, EndReason.STOPPED) if asked else (0, None)
    )
