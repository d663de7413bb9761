"""What a real run does at its limits: of outputs, of the disk, of memory."""

from __future__ import annotations

import json
import os
from pathlib import Path

from hubyard.contract.run import FailureReason
from support import needs
from support.disks import small_disk
from support.platform import app, hub, parts
from support.runs import execute, platform, start, text_of

__all__ = ["app", "hub", "parts", "platform", "start"]


def test_outputs_are_bounded(start):
    many = (
        "from IPython.display import display\n"
        "for i in range(4_000): display(i)\n"
        "for i in range(2_000): print(i, flush=True)"
    )
    large = "for _ in range(50): print('x' * 1_000_000)"
    run = execute(start, many, large, "print('later')")
    assert run.code == 0
    first, second, third = run.output()["cells"]
    assert len(first["outputs"]) <= 1002
    assert "truncated" in json.dumps(first["outputs"])
    assert first["outputs"][-1]["text"][-1] == "1999\n"
    assert 10_000_000 < len(json.dumps(second["outputs"])) < 11_000_000
    assert "truncated" in second["outputs"][-1]["text"][-1]
    assert text_of(third) == "later\n"


def test_a_progress_bar_that_is_a_widget_shows_its_end(start):
    bar = (
        "from ipywidgets import IntProgress\n"
        "bar = IntProgress(description='x' * 1000)\n"
        "for step in range(1_201):\n"
        "    bar.value = step % 100\n"
        "    bar.description = f'{step:10000}'"
    )
    run = execute(start, bar, "print('later')")
    assert run.code == 0
    widgets = run.output()["metadata"]["widgets"]
    states = widgets["application/vnd.jupyter.widget-state+json"]["state"].values()
    shown = [each["state"].get("description") for each in states]
    assert f"{1200:10000}" in shown
    assert text_of(run.output()["cells"][1]) == "later\n"


def test_a_full_disk_leaves_the_last_good_notebook(start, tmp_path):
    fill = (
        "import time; time.sleep(2.5)\n"
        "with open('/dev/zero', 'rb') as zero, open('big', 'wb', 0) as big:\n"
        "    try:\n"
        "        while True: big.write(zero.read(4096))\n"
        "    except OSError: print('full')\n"
    )
    with small_disk(tmp_path / "disk") as disk:
        if disk is None:
            needs.lacking(needs.DISK)
        run = execute(start, "print('kept')", fill, "print('z' * 100_000)", folder=disk)
        assert run.code == 1, run.log()
        last_good = run.output()
        assert text_of(last_good["cells"][0]) == "kept\n"
    sent = run.platform.detail(run.id)
    assert sent.failure.reason is FailureReason.NO_SPACE
    assert sent.has_notebook


SPOILS_ITS_FILES = """
import os
from pathlib import Path
step = Path(os.environ["HUBYARD_OUTPUTS"]).parent
for name in (".notebook.ipynb.new", ".report.html.new"):
    (step / name).mkdir()
(step / "report.html").symlink_to("/proc/self/mem")
"""
"""No file can be written any more, and one of them cannot be read."""


def test_files_that_cannot_be_written_are_no_full_disk_and_the_end_is_told(start):
    run = execute(start, SPOILS_ITS_FILES)
    assert run.code == 1, run.log()
    failure = run.platform.detail(run.id).failure
    assert failure.reason is FailureReason.LOST
    assert "Is a directory" in failure.message
    assert "The report of train was not handed in: Input/output error" in run.log()


def test_memory_that_runs_out_is_named(start, tmp_path):
    group = Path("/sys/fs/cgroup/memory") / f"hubyard-run-{os.getpid()}"
    try:
        group.mkdir()
    except OSError:
        needs.lacking(needs.GROUPS)
    try:
        (group / "memory.limit_in_bytes").write_text(str(200 * 2**20))
        cell = (
            f"import os\nopen('{group}/cgroup.procs', 'w').write(str(os.getppid()))\n"
            f"open('{group}/cgroup.procs', 'w').write('0')"
        )
        hog = "kept = [bytearray(b'x' * 10**7) for _ in range(100)]"
        env = {"MEM_LIMIT": str(200 * 2**20)}
        run = execute(start, cell, hog, "3", env=env)
        failure = run.record().failure
        assert failure.reason is FailureReason.OUT_OF_MEMORY, run.log()
        assert failure.cell == 1
        assert "0.195 GiB" in failure.message
    finally:
        group.rmdir()
