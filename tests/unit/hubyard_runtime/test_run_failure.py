from __future__ import annotations

import errno

import pytest

from hubyard.contract.errors import Invalid
from hubyard.contract.run import FailureReason
from hubyard_runtime.run.step import failure
from hubyard_runtime.run.system import memory
from hubyard_runtime.run.system.files import write_whole

PLACE = "Cell 2 of 3"


def error(name, value, *lines):
    return failure.cell_error(PLACE, 4, name, value, lines).failure


def test_an_error_is_told_in_one_line_without_colours():
    told = error(
        "ValueError", "\x1b[1mno\x1b[0m\nmore", "\x1b[0;31mline\x1b[0m", "\udc80"
    )
    assert (told.reason, told.cell) == (FailureReason.CELL_ERROR, 4)
    assert told.message == "Cell 2 of 3 failed: ValueError: no"
    assert told.traceback == "line\n?"
    assert told.model_dump_json()


def test_an_error_that_says_nothing_or_much():
    assert error("KeyError", "").message == "Cell 2 of 3 failed: KeyError"
    assert len(error("E", "x" * 10_000).message) < 350
    assert len(error("E", "x", "y" * 10**6).traceback) == 32_000


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("SystemExit", "0", FailureReason.CELL_EXIT),
        ("SystemExit", "", FailureReason.CELL_EXIT),
        ("OSError", "[Errno 28] No space left on device", FailureReason.NO_SPACE),
        ("OSError", "[Errno 2] No such file", FailureReason.CELL_ERROR),
        ("MemoryError", "", FailureReason.CELL_ERROR),
    ],
)
def test_some_errors_have_a_reason_of_their_own(name, value, reason):
    assert error(name, value).reason is reason


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (-9, "it was ended by SIGKILL"),
        (-64, "it was ended by"),
        (-1000, "it was ended by signal 1000"),
        (3, "it exited with code 3"),
        (None, "nothing says how"),
    ],
)
def test_how_a_kernel_died(code, words):
    message = failure.kernel_died(PLACE, 4, code).failure.message
    assert message.startswith("The kernel died in cell 2 of 3: ")
    assert words in message


def test_a_full_disk_is_found_behind_other_errors():
    hidden = Invalid("cannot be unpacked")
    hidden.__context__ = OSError(errno.ENOSPC, "full")
    hidden.__suppress_context__ = True
    assert failure.is_disk_full(hidden)
    assert not failure.is_disk_full(OSError(errno.ENOENT, "missing"))
    assert not failure.is_disk_full(None)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "file"
    write_whole(path, b"one")
    write_whole(path, b"two")
    assert path.read_bytes() == b"two"
    with pytest.raises(OSError, match="No such file"):
        write_whole(tmp_path / "missing" / "file", b"three")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("own", "file"),
    [
        ("0::/a/b\n", "a/b/memory.events"),
        ("4:memory:/a/b\n0::/\n", "memory/a/b/memory.oom_control"),
    ],
)
def test_the_kernels_count_of_memory_kills_is_read(tmp_path, own, file):
    groups, said = tmp_path / "groups", tmp_path / "cgroup"
    said.write_text(own)
    assert memory.oom_kills(said, groups) == 0
    (groups / file).parent.mkdir(parents=True)
    (groups / file).write_text("low 0\noom 3\noom_kill 2\n")
    assert memory.oom_kills(said, groups) == 2


def test_the_memory_of_the_compute(monkeypatch):
    monkeypatch.setenv("MEM_LIMIT", "1073741824")
    assert memory.limit_bytes() == 2**30
    monkeypatch.setenv("MEM_LIMIT", "much")
    assert memory.limit_bytes() is None
    told = failure.out_of_memory(PLACE, 4, 2**30).failure
    assert "(1 GiB)" in told.message
