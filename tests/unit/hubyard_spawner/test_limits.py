"""The ladder on this machine's own control groups, and on none."""

import subprocess
import sys

import pytest

from hubyard.contract.workload import Limits, new_id
from hubyard_spawner.limits import Ladder


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


@pytest.fixture
def ladder():
    ladder = Ladder()
    if not ladder.limits.enforced:
        pytest.skip("this machine lets us make no control groups")
    return ladder


def in_cage(cage, code):
    enter = "".join(f"open({path!r}, 'w').write('0')\n" for path in cage.entrances)
    return subprocess.run([sys.executable, "-c", enter + code], timeout=30, check=False)


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
    assert process.wait(10) == -9
    assert not any(group.exists() for group in cage.groups)
    process.stdout.close()
