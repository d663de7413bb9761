"""Real runs: a real process and kernel each, before the real platform."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

import pytest

from hubyard.contract.base import now
from hubyard.contract.entry import EndReason
from hubyard.contract.run import CellStatus, FailureReason, StepStatus
from hubyard.contract.workload import Kind, Status
from hubyard_hub.reconcile.acts import bring_further
from hubyard_spawner.local.folder import Folder
from support.hub import running_hub
from support.lines import ended, made, opened
from support.patience import SOON_S, until
from support.platform import app, code_cell, hub, notebook, parts
from support.runs import (
    RunProcess,
    execute,
    gone,
    notebook_of,
    platform,
    start,
    statuses,
    text_of,
)

__all__ = ["app", "hub", "parts", "platform", "start"]

WAIT = "import time; time.sleep(600)"
S, F, N = CellStatus.SUCCEEDED, CellStatus.FAILED, CellStatus.NOT_RUN


def papermill_statuses(run):
    return [cell["metadata"]["papermill"]["status"] for cell in run.output()["cells"]]


def running_cell(run, number=0):
    """Wait until the run works on a cell."""

    def holds():
        cells = run.platform.seen.records and run.platform.seen.records[-1][1].cells
        return cells and cells[number].status is CellStatus.RUNNING

    until(holds, run.log)


def test_a_run_succeeds_and_says_so_cell_by_cell(start, platform):
    looks = (
        "import helper, os\nprint(lr, helper.N)",
        "[os.environ[n] for n in ('HUBYARD_RUN', 'HUBYARD_NOTEBOOK', 'MLFLOW_X')]",
        "import atexit, time; time.sleep(2)\natexit.register(open, 'bye', 'w')",
        "open(f'/proc/{os.getpid()}/cmdline').read()",
    )
    run = start(
        notebook_of("lr = 0.1  # parameters", "  ", *looks),
        env={"MLFLOW_X": "passed on"},
        parameters={"lr": 0.5},
        files={"helper.py": b"N = 7"},
    )
    assert run.wait() == 0, run.log()

    assert (run.folder / "scratch" / "source" / "bye").exists()

    cells = run.output()["cells"]
    assert "lr = 0.5" in "".join(cells[1]["source"])
    assert text_of(cells[3]) == "0.5 7\n"
    told = "".join(cells[4]["outputs"][0]["data"]["text/plain"])
    assert run.id in told
    assert "train.ipynb" in told
    assert "passed on" in told
    assert "--ext=hubyard" in str(cells[6]["outputs"])
    assert set(papermill_statuses(run)) == {"completed"}

    moments, records = zip(*platform.seen.records, strict=True)
    revisions = [record.revision for record in records]
    assert revisions == sorted(set(revisions))
    assert records[-1] == run.record()
    assert records[-1].status is Status.SUCCEEDED
    # The blank cell, at index 2, does not run and does not count.
    assert [c.index for c in records[-1].cells] == [0, 1, 3, 4, 5, 6]
    slow = records[-1].cells[4]
    arrived = next(
        moment
        for moment, record in zip(moments, records, strict=True)
        if record.cells and record.cells[4].status is CellStatus.RUNNING
    )
    assert arrived < slow.ended_at.timestamp(), "told when it was over"

    detail = platform.detail(run.id)
    assert detail.status is Status.SUCCEEDED
    assert (detail.has_notebook, detail.has_report) == (True, True)
    assert platform.seen.calls[-3:] == [
        "PUT /api/job/steps/train/notebook",
        "PUT /api/job/steps/train/report",
        "PUT /api/job/record",
    ]


TYPED = """
import datetime, pathlib  # parameters
when: datetime.date = datetime.date(2024, 1, 31)
meta: dict = {1: 2}
opt: int | None = 3
flag: bool = False
text: str = "a"
values: list[float] = [1.0]
raw: bytes = b"x"
sizes: set[int] = set()
folder: pathlib.Path = pathlib.Path("data")
"""


def test_each_parameter_arrives_as_it_is_declared(start):
    shows = "print([when, meta, opt, flag, text, values, raw, sizes, folder])"
    typed = {
        "when": "2024-02-29",
        "meta": "{3: 'x'}",
        "opt": "None",
        "flag": "true",
        "text": "123",
        "values": "[nan, 1]",
        "raw": "b'\\x00'",
        "folder": "data/in",
    }
    given = {"sizes": [2, 1]}
    run = start(
        notebook_of(TYPED, shows),
        parameters=given,
        parameter_texts=typed,
    )
    assert run.wait() == 0, run.log()
    assert text_of(run.output()["cells"][2]) == (
        "[datetime.date(2024, 2, 29), {3: 'x'}, None, True, '123', [nan, 1.0], "
        "b'\\x00', {1, 2}, PosixPath('data/in')]\n"
    )


def test_a_cell_that_raises_fails_the_run(start, platform):
    run = execute(
        start, "print('before')", "def f():\n    1 / 0\nf()", "print('later')"
    )
    assert run.code == 1
    record = run.record()
    assert record.status is Status.FAILED
    assert statuses(record) == [S, F, N]
    assert record.failure.reason is FailureReason.CELL_ERROR
    assert record.failure.cell == 1
    assert record.failure.message.startswith("Cell 2 of 3 failed: ZeroDivisionError")
    assert "1 / 0" in record.failure.traceback
    assert "\x1b" not in record.failure.traceback
    assert papermill_statuses(run) == ["completed", "failed", "pending"]
    assert len(run.output()["cells"]) == 3
    assert platform.detail(run.id).failure == record.failure
    assert "1 / 0" in run.log()


def test_a_cell_may_be_meant_to_raise(start):
    cells = [code_cell("1 / 0", "raises-exception"), code_cell("print('on')")]
    run = start(notebook(*cells))
    assert run.wait() == 0, run.log()
    assert statuses(run.record()) == [S, S]


SCRIPT = b'''import argparse
import sys
from pathlib import Path

TEXT = """
# %% this is text, no cell
"""
argparse.ArgumentParser().parse_args()
# %% tags=["parameters"]
rows = 2
# %%
print(Path(__file__).name, len(TEXT), rows)
sys.exit(0)
'''


def test_a_script_behaves_as_a_script(start):
    script = {"files": {"step.py": SCRIPT}, "notebook": "step.py"}
    run = start(notebook_of("1"), parameters={"rows": 3}, **script)
    assert run.wait() == 0, run.log()
    (*_, last) = run.output("step")["cells"]
    assert text_of(last) == "step.py 28 3\n"
    assert len(last["outputs"]) == 1
    assert statuses(run.record()) == [S, S, S, S]


@pytest.mark.parametrize(
    ("ends", "reason"),
    [
        ("import sys; sys.exit(0)", FailureReason.CELL_EXIT),
        ("exit()", FailureReason.CELL_EXIT),
        ("import os; os._exit(0)", FailureReason.KERNEL_DIED),
        ("import os; os.kill(os.getpid(), 9)", FailureReason.KERNEL_DIED),
        ("import os; os.write(os.open('/dev/full', 1), b'x')", FailureReason.NO_SPACE),
    ],
)
def test_no_way_of_leaving_a_cell_is_a_success(start, ends, reason):
    # What a kernel sends just before it dies may never leave it: give it a moment.
    before = "print('before', flush=True); import time; time.sleep(0.2)"
    run = execute(start, "1", f"{before}\n{ends}", "3")
    assert run.code == 1
    record = run.record()
    assert record.failure.reason is reason, record.failure
    assert record.failure.cell == 1
    assert statuses(record) == [S, F, N]
    assert papermill_statuses(run) == ["completed", "failed", "pending"]
    assert "Cell 2 of 3" in record.failure.message.replace("cell", "Cell")
    assert text_of(run.output()["cells"][1]).startswith("before\n")
    if ends.endswith("9)"):
        assert "SIGKILL" in record.failure.message


def test_a_cell_that_takes_too_long_is_ended(start):
    run = execute(start, "while True: pass", "2", cell_timeout_s=1)
    assert run.code == 1
    failure = run.record().failure
    assert failure.reason is FailureReason.CELL_TIMEOUT
    assert failure.cell == 0
    assert "longer than 1 s" in failure.message
    assert "KeyboardInterrupt" in failure.traceback
    assert statuses(run.record()) == [F, N]


def test_a_source_that_has_changed_is_not_begun(platform, tmp_path):
    id_ = platform.create(notebook_of("a = 1  # parameters"), parameters={"a": 2})
    platform.replace_source(id_, {"train.ipynb": b'{"cells": ['})
    run = RunProcess(id_, tmp_path / "run", platform)
    run.start()
    assert run.wait() == 1
    failure = platform.detail(id_).failure
    assert failure.reason is FailureReason.START_FAILED
    assert failure.message == "train.ipynb is not JSON (line 1)."
    assert "Traceback" not in run.log()


def test_a_kernel_that_does_not_start_is_named(start, tmp_path):
    (tmp_path / "ipykernel_launcher.py").write_text("raise SystemExit(3)")
    run = execute(start, "1", env={"PYTHONPATH": str(tmp_path)})
    assert run.code == 1
    assert run.record().failure.reason is FailureReason.NO_KERNEL
    assert statuses(run.record()) == [N]


FAILS_TWICE = """
import os, pathlib, runpy, sys
starts = pathlib.Path.home() / "starts"
with starts.open("a") as file:
    file.write("x")
if len(starts.read_text()) < 3:
    raise SystemExit("Address already in use")
sys.path.remove(os.environ["PYTHONPATH"])
sys.argv[0] = "ipykernel_launcher"
runpy.run_module("ipykernel_launcher", run_name="__main__")
"""


def test_a_kernel_that_does_not_start_at_first_is_started_again(start, tmp_path):
    (tmp_path / "ipykernel_launcher.py").write_text(FAILS_TWICE)
    run = execute(start, "print('ran')", "2", env={"PYTHONPATH": str(tmp_path)})
    assert run.code == 0, run.log()
    assert (run.folder / "starts").read_text() == "xxx"
    assert run.log().count("It is started again.") == 2
    assert text_of(run.output()["cells"][0]) == "ran\n"
    assert statuses(run.record()) == [S, S]


def test_a_kernel_whose_start_is_not_finished_can_be_stopped(start, tmp_path):
    (tmp_path / "ipykernel_launcher.py").write_text("import time; time.sleep(600)")
    run = start(notebook_of("1"), env={"PYTHONPATH": str(tmp_path)})
    until(lambda: len(run.below()) == 2, run.log)
    begun = time.monotonic()
    run.stop()
    assert run.wait() == 1
    assert time.monotonic() - begun < SOON_S
    assert run.record().status is Status.STOPPED


STUBBORN = """
import os, signal, subprocess, sys, time
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
daemon = "import os, time\\nif os.fork(): os._exit(0)\\nos.setsid()\\ntime.sleep(600)"
for _ in range(2):
    subprocess.Popen([sys.executable, "-c", daemon]).wait()
print("begun", flush=True)
while True:
    try: time.sleep(600)
    except BaseException: pass
"""


def test_a_stopped_run_ends_at_once_with_all_that_it_started(start, platform):
    run = start(notebook_of("print('kept')", STUBBORN, "3"))
    until(lambda: "begun" in run.log(), run.log)
    until(lambda: len(run.below()) == 4)  # a worker, its kernel and two daemons
    below = run.below()
    begun = time.monotonic()
    run.stop()
    assert run.wait() == 1
    assert time.monotonic() - begun < SOON_S
    assert all(map(gone, below))
    record = run.record()
    assert record.status is Status.STOPPED
    assert statuses(record) == [S, F, N]
    detail = platform.detail(run.id)
    assert detail.status is Status.STOPPED
    assert detail.has_notebook
    assert text_of(run.output()["cells"][0]) == "kept\n"


def test_a_cell_that_is_stopped_may_clean_up(start):
    cell = (
        f"try:\n    print('begun', flush=True)\n    {WAIT}\nfinally:\n    print('tidy')"
    )
    run = start(notebook_of(cell, "2"))
    until(lambda: "begun" in run.log(), run.log)
    (run.folder / "deadline").write_text(str(time.time()))
    run.stop()
    run.wait()
    assert text_of(run.output()["cells"][0]) == "begun\ntidy\n"
    record = run.record()
    (step,) = record.steps
    assert (record.status, step.status) == (Status.FAILED, StepStatus.FAILED)
    assert record.failure == step.failure
    assert (record.failure.reason, record.failure.cell) == (FailureReason.LIFETIME, 0)
    assert statuses(record) == [F, N]


def test_a_platform_that_is_down_holds_up_nothing_but_the_end(start, platform):
    steps = ("import time; time.sleep(3)", "2", "print('done', flush=True)")
    run = start(notebook_of(*steps))
    running_cell(run)
    platform.stop()
    until(lambda: run.record().status is Status.SUCCEEDED)
    until(lambda: "Waiting for the platform" in run.log())
    assert run.lives
    assert not run.below()
    platform.start()
    assert run.wait() == 0
    assert platform.detail(run.id).status is Status.SUCCEEDED
    assert platform.detail(run.id).has_report
    assert platform.seen.records[-1][1] == run.record()
    assert "answers again" in run.log()


def test_a_run_waits_for_a_platform_that_is_not_up_yet(platform, tmp_path):
    run = RunProcess(platform.create(notebook_of("1")), tmp_path / "run", platform)
    platform.stop()
    try:
        run.start()
        until(lambda: "Waiting for the platform" in run.log(), run.log)
        platform.start()
        assert run.wait() == 0
    finally:
        run.end()


def test_a_stopped_run_does_not_wait_for_a_platform_that_is_down(start, platform):
    run = start(notebook_of(WAIT))
    running_cell(run)
    platform.stop()
    begun = time.monotonic()
    run.stop()
    assert run.wait() == 1
    assert time.monotonic() - begun < SOON_S
    assert run.record().status is Status.STOPPED


def test_a_run_that_is_killed_leaves_a_good_notebook_and_no_kernel(start):
    run = start(notebook_of("print('kept')", "import time; time.sleep(2.5)", WAIT))
    running_cell(run, 2)
    below = run.below()
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    until(lambda: all(map(gone, below)))
    assert text_of(run.output()["cells"][0]) == "kept\n"
    assert run.record().status is Status.RUNNING


def test_a_run_that_is_killed_while_the_platform_is_away_names_its_cell(
    platform, parts, hub
):
    """The platform has heard of the first cell alone; the run came to the third."""
    until_told = (
        "import pathlib, time\n"
        "while not (pathlib.Path.home() / 'go').exists(): time.sleep(0.05)"
    )
    id_ = platform.create(notebook_of(until_told, "1", WAIT))
    server = f"run-{id_}"
    entry = opened(parts.ledger, owner="ada", kind=Kind.RUN, server_name=server)
    folder = Folder.of(parts.settings.workloads, entry.id)
    made(folder)
    hub.servers["ada", server] = "ready"
    run = RunProcess(id_, folder.path, platform)
    try:
        run.start()
        running_cell(run)
        platform.stop()
        (run.folder / "go").touch()
        until(lambda: run.record().cells[2].status is CellStatus.RUNNING, run.log)
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
    finally:
        run.end()
    ended(parts.ledger, entry, now(), EndReason.KILLED, exit_code=-9)
    hub.servers["ada", server] = "stopped"
    platform.start()
    while bring_further(parts, Kind.RUN, id_):
        pass
    detail = platform.detail(id_)
    assert (detail.status, detail.failure.reason) == (
        Status.FAILED,
        FailureReason.KILLED,
    )
    assert detail.failure.cell == 2
    assert statuses(detail) == [S, S, F]


def test_its_page_is_seen_through_hub_and_gate_until_it_ends(platform, tmp_path):
    go = tmp_path / "go"
    wait = f"import os, time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.02)"
    id_ = platform.create(notebook_of("1", wait, "1 / 0"), name="Nightly training")
    run = RunProcess(id_, tmp_path / "run", platform)
    (run.folder / "scratch").mkdir(parents=True)
    told = {
        "HUBYARD_SCRATCH": str(run.folder / "scratch"),
        "HUBYARD_PLATFORM_URL": platform.url,
        "HUBYARD_TOKEN": f"ada/run-{id_}",
    }
    lines = [
        f"c.Spawner.cmd = [{sys.executable!r}, '-m', 'hubyard_runtime.run']",
        f"c.Spawner.environment.update({told!r})",
        "c.Spawner.poll_interval = 1",
    ]
    page = f"/user/ada/run-{id_}/"
    with contextlib.ExitStack() as undo:
        real_hub = undo.enter_context(running_hub(tmp_path / "hub", lines=lines))
        real_hub.add_user("ada")
        answer = real_hub.api("POST", f"/users/ada/servers/run-{id_}")
        undo.callback(real_hub.api, "DELETE", f"/users/ada/servers/run-{id_}")
        assert answer.status_code in {201, 202}, answer.text
        running_cell(run, 1)
        with contextlib.closing(real_hub.browser()) as nobody:
            assert nobody.get(page).status_code == 302
            assert nobody.get(f"{page}status").status_code == 302
        with contextlib.closing(real_hub.browser("ada")) as ada:
            ada.follow_redirects = True
            shown = ada.get(page)
            assert "This page needs JavaScript" in shown.text
            assert "default-src 'none'" in shown.headers["content-security-policy"]
            now = ada.get(f"{page}status").json()
            assert (now["name"], now["notebook"]) == ("Nightly training", "train.ipynb")
            assert [c["status"] for c in now["steps"][0]["cells"]] == [
                S,
                "running",
                "waiting",
            ]
            go.touch()
            # Who is watching sees the end before the page closes.
            until(lambda: ada.get(f"{page}status").json()["status"] == "failed")
        until(lambda: platform.detail(id_).status is Status.FAILED)
        until(lambda: real_hub.api("GET", "/users/ada").json()["servers"] == {})
