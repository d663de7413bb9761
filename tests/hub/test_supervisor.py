"""The supervisor over real processes: started again at once, or after a pause."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise

import httpx
import psutil
import pytest

from hubyard_hub.up import supervisor
from hubyard_hub.up.processes import Process
from hubyard_hub.up.supervisor import Keeper, Supervisor
from hubyard_spawner.ports import free_port
from support.patience import PATIENCE_S
from support.platform import settings_in

pytestmark = pytest.mark.hub


class Kept:
    """A keeper at work on one process."""

    def __init__(self, folder, http, *command, port=1):
        url = f"http://127.0.0.1:{port}/"
        process = Process("any", command, dict(os.environ), url)
        self.keeper = Keeper(process, folder, http, lambda _: None)
        self.changed = asyncio.Event()

    async def until(self, true):
        while not true(self.keeper):
            self.changed.clear()
            await asyncio.wait_for(self.changed.wait(), PATIENCE_S)


def keep(watch, folder, *command, **more):
    """Keep one process for as long as `watch` looks at it; what it has seen."""

    async def work():
        async with httpx.AsyncClient(trust_env=False) as http:
            kept = Kept(folder, http, *command, **more)
            keeping = asyncio.create_task(kept.keeper.keep(kept.changed.set))
            try:
                return await watch(kept)
            finally:
                await kept.keeper.stop()
                keeping.cancel()

    return asyncio.run(work())


def test_what_was_well_for_a_while_is_started_again_at_once_every_time(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(supervisor, "_FORGIVEN_S", 0.2)

    async def watch(kept):
        pauses = []
        for _ in range(4):
            await kept.until(lambda keeper: keeper.healthy.is_set())
            await asyncio.sleep(0.3)
            killed = kept.keeper.running
            os.kill(killed.pid, signal.SIGKILL)
            ended = time.time()
            await kept.until(lambda k, killed=killed: k.running not in {killed, None})
            began = psutil.Process(kept.keeper.running.pid).create_time()
            pauses.append(began - ended)
        return pauses

    port = free_port()
    serve = (sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port))
    pauses = keep(watch, tmp_path, *serve, port=port)
    assert max(pauses) < 4, pauses  # with pauses that double, the last is four seconds


def test_what_ends_at_once_is_started_again_after_longer_and_longer_pauses(tmp_path):
    async def watch(kept):
        moments = []
        for number in range(1, 5):
            await kept.until(lambda keeper, n=number: keeper.restarts >= n)
            moments.append(time.monotonic())
        return [later - earlier for earlier, later in pairwise(moments)]

    _, second, third = keep(watch, tmp_path, "false")
    assert second > 0.9
    assert third > 1.9


def test_a_report_that_cannot_be_written_is_told_and_ends_nothing(tmp_path):
    tmp_path.chmod(0o700)
    (tmp_path / "up.json").mkdir()
    told = []
    Supervisor(settings_in(tmp_path), told.append)._changed("hub")()
    assert told == ["The report cannot be written: Is a directory"]


def test_where_memory_runs_out_the_kernel_kills_others_first(tmp_path):
    show = "import pathlib as p; print(p.Path('/proc/self/oom_score_adj').read_text())"

    async def watch(kept):
        await kept.until(lambda keeper: keeper.restarts)

    keep(watch, tmp_path, sys.executable, "-c", show)
    scores = set((tmp_path / "any.log").read_text().split())
    assert scores == {lowest_score()}


def lowest_score():
    """What a process gets that asks for -500: not every machine gives it."""
    lower = "import pathlib; p = pathlib.Path('/proc/self/oom_score_adj')\n"
    lower += "try: p.write_text('-500')\nexcept OSError: pass\nprint(p.read_text())"
    asked = subprocess.run([sys.executable, "-c", lower], stdout=-1, check=True)
    return asked.stdout.decode().strip()
