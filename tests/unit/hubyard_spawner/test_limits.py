"""The ladder on this machine's own control groups, on a copy of them, and on none."""

import subprocess
import sys
from pathlib import Path

import pytest

from hubyard.contract.workload import Limits, new_id
from hubyard_spawner.local.limits import Ladder
from support import needs
from support.patience import PATIENCE_S


def test_without_control_groups_limits_are_soft(tmp_path):
    ladder = Ladder(tmp_path / "no-cgroups")
    cage = ladder.build("e1", 1, 2**30)
    assert ladder.limits is Limits.SOFT
    assert not ladder.limits.enforced
    assert (cage.entrances, cage.ran_out_of_memory()) == ([], False)
    assert cage.peak_memory_bytes() is None
    cage.destroy()


def test_memory_and_cpu_are_written_as_cgroup_v1_wants_them(tmp_path):
    for controller in ("memory", "cpu"):
        (tmp_path / controller).mkdir()
    ladder = Ladder(tmp_path)
    cage = ladder.build("e1", 1.5, 2**30)
    assert ladder.limits is Limits.CGROUP_V1
    memory, cpu = cage.groups
    assert (memory / "memory.limit_in_bytes").read_text() == str(2**30)
    assert (cpu / "cpu.cfs_quota_us").read_text() == "150000"


def v2_tree(root, handed_on):
    """A tree like that of the kernel's version 2, with our own group in it."""
    own = Path("/proc/self/cgroup").read_text().splitlines()[-1].removeprefix("0::")
    group = root / own.lstrip("/")
    group.mkdir(parents=True, exist_ok=True)
    (group / "cgroup.subtree_control").write_text(f"{handed_on}\n")
    return Ladder(root)


def test_memory_and_cpu_are_written_as_cgroup_v2_wants_them(tmp_path):
    ladder = v2_tree(tmp_path, "cpuset cpu io memory pids")
    assert ladder.limits is Limits.CGROUP_V2
    cage = ladder.build("e1", 0.5, 2**30)
    (group,) = cage.groups
    assert cage.entrances == [f"{group}/cgroup.procs"]
    assert (group / "memory.max").read_text() == str(2**30)
    assert (group / "memory.oom.group").read_text() == "1"
    assert (group / "cpu.max").read_text() == "50000 100000"
    assert ladder.cage("e1") == cage


@pytest.mark.parametrize("handed_on", ["", "memory pids", "cpu io"])
def test_a_v2_group_that_does_not_hand_on_both_holds_nothing(tmp_path, handed_on):
    assert v2_tree(tmp_path, handed_on).limits is Limits.SOFT


def test_limits_are_soft_where_groups_can_be_seen_but_not_made(tmp_path):
    for controller in ("memory", "cpu"):
        (tmp_path / controller).touch()  # nothing can be made in here, even by root
    assert Ladder(tmp_path).limits is Limits.SOFT


def test_what_cgroup_v2_tells_of_memory_is_read(tmp_path):
    cage = v2_tree(tmp_path, "cpu memory").build("e1", 1, 2**30)
    (group,) = cage.groups
    assert (cage.ran_out_of_memory(), cage.peak_memory_bytes()) == (False, None)
    events = "low 0\nhigh 0\nmax 31\noom 1\noom_kill {}\noom_group_kill 1\n"
    (group / "memory.events").write_text(events.format(0))
    assert not cage.ran_out_of_memory()
    (group / "memory.events").write_text(events.format(2))
    (group / "memory.peak").write_text("1073741824\n")
    assert (cage.ran_out_of_memory(), cage.peak_memory_bytes()) == (True, 2**30)
    (group / "memory.events").write_text("oom_kill many\n")
    assert not cage.ran_out_of_memory()


def test_a_group_that_the_kernel_still_holds_is_not_waited_for_for_ever(tmp_path):
    cage = v2_tree(tmp_path, "cpu memory").build("e1", 1, 2**30)
    (group,) = cage.groups
    inside = subprocess.Popen(["sleep", "60"])
    gone = subprocess.Popen(["true"])
    gone.wait()
    (group / "cgroup.procs").write_text(f"{gone.pid}\n{inside.pid}\n")
    cage.destroy()
    assert inside.wait(PATIENCE_S) == -9
    assert group.exists()
    for file in group.iterdir():
        file.unlink()
    cage.destroy()
    assert not group.exists()
    cage.destroy()


@pytest.fixture
def ladder():
    ladder = Ladder()
    if not ladder.limits.enforced:
        needs.lacking(needs.GROUPS)
    return ladder


def in_cage(cage, code):
    enter = "".join(f"open({path!r}, 'w').write('0')\n" for path in cage.entrances)
    return subprocess.run(
        [sys.executable, "-c", enter + code], timeout=PATIENCE_S, check=False
    )


def test_the_kernel_ends_what_takes_too_much_memory(ladder):
    cage = ladder.build(new_id(), 1, 128 * 2**20)
    try:
        assert in_cage(cage, "x = bytearray(600_000_000)").returncode == -9
        assert cage.ran_out_of_memory()
        assert cage.peak_memory_bytes() > 100 * 2**20
    finally:
        cage.destroy()
    assert not any(group.exists() for group in cage.groups)


def test_a_cage_is_destroyed_with_all_that_is_in_it(ladder):
    cage = ladder.build(new_id(), 1, 512 * 2**20)
    enter = "".join(f"open({path!r}, 'w').write('0')\n" for path in cage.entrances)
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            enter + "print(1, flush=True)\nimport time\ntime.sleep(60)",
        ],
        stdout=subprocess.PIPE,
    )
    process.stdout.readline()
    cage.destroy()
    assert process.wait(PATIENCE_S) == -9
    assert not any(group.exists() for group in cage.groups)
    process.stdout.close()
