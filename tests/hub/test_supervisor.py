"""The supervisor over real processes: started again at once, or after a pause."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise

import httpx
import psutil
import pytest

from hubyard_hub.up import keeper
from hubyard_hub.up.keeper import Keeper, Patience
from hubyard_hub.up.processes import Process
from hubyard_hub.up.report import ProcessReport, Running
from hubyard_hub.up.supervisor import Supervisor
from hubyard_spawner.local.ports import free_port
from support.patience import PATIENCE_S
from support.platform import settings_in
from support.proxy import Proxy

pytestmark = pytest.mark.hub


ANSWERS_S = 1.0
SERVES = """
import http.server, sys
class Serves(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(sys.argv[2]))
        self.end_headers()
def serve_for_ever():
    http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Serves).serve_forever()
serve_for_ever()
"""


class Kept:
    """A keeper at work on one process."""

    def __init__(self, folder, http, *command, port=1, like=None, **more):
        url = f"http://127.0.0.1:{port}/"
        told = {**os.environ, "PYTHONFAULTHANDLER": "1"}
        process = like or Process("any", command, told, url)
        self.keeper = Keeper(process, folder, http, lambda _: None, **more)
        self.http = http
        self.changed = asyncio.Event()

    async def until(self, true):
        while not true(self.keeper):
            self.changed.clear()
            await asyncio.wait_for(self.changed.wait(), PATIENCE_S)


def keep(watch, folder, *command, **more):
    """Keep one process for as long as `watch` looks at it; what it has seen."""

    async def work():
        async with httpx.AsyncClient(trust_env=False, timeout=ANSWERS_S) as http:
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
    monkeypatch.setattr(keeper, "_FORGIVEN_S", 0.2)

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


def serving(port, status=200):
    return (sys.executable, "-c", SERVES, str(port), str(status))


def test_what_hangs_leaves_its_stack_in_the_log_and_is_started_again(tmp_path):
    async def watch(kept):
        await kept.until(lambda keeper: keeper.healthy.is_set())
        hangs = kept.keeper.running
        os.kill(hangs.pid, signal.SIGSTOP)
        await kept.until(
            lambda k: k.running not in {hangs, None} and k.healthy.is_set()
        )
        return kept.keeper.restarts, kept.keeper.last_end

    port = free_port()
    patience = Patience(silent_s=2 * ANSWERS_S, starting_s=PATIENCE_S)
    found = keep(watch, tmp_path, *serving(port), port=port, patience=patience)
    assert found[0] == 1
    assert "had not answered for " in found[1]
    log = (tmp_path / "any.log").read_text()
    assert "Aborted" in log
    assert "serve_for_ever" in log


def test_what_never_answers_is_started_again_after_a_longer_while(tmp_path):
    async def watch(kept):
        await kept.until(lambda keeper: keeper.restarts)
        return kept.keeper.last_end

    patience = Patience(silent_s=0, starting_s=2 * ANSWERS_S)
    assert "had not answered for " in keep(
        watch, tmp_path, "sleep", "600", patience=patience
    )


@pytest.mark.parametrize("status", [404, 503])
def test_what_answers_is_left_alone_whatever_it_says(tmp_path, status):
    async def watch(kept):
        await kept.until(lambda keeper: keeper.running)
        await asyncio.sleep(6 * ANSWERS_S)
        return kept.keeper.restarts

    port = free_port()
    patience = Patience(silent_s=2 * ANSWERS_S, starting_s=3 * ANSWERS_S)
    serves = serving(port, status)
    assert not keep(watch, tmp_path, *serves, port=port, patience=patience)


def test_what_is_left_is_adopted_and_watched_until_it_ends(tmp_path):
    port = free_port()
    left = subprocess.Popen(serving(port), start_new_session=True)
    running = Running.of(left.pid)
    adopts = ProcessReport(name="any", running=running, healthy=True, restarts=3)

    async def watch(kept):
        await kept.until(lambda keeper: keeper.healthy.is_set())
        assert kept.keeper.running == running
        left.kill()
        await kept.until(lambda k: k.running not in {running, None})
        await kept.until(lambda keeper: keeper.healthy.is_set())
        return kept.keeper.restarts

    try:
        assert keep(watch, tmp_path, *serving(port), port=port, adopts=adopts) == 4
    finally:
        left.kill()
        left.wait()


def test_what_is_adopted_is_ended_with_all_else(tmp_path):
    left = subprocess.Popen(["sleep", "600"], start_new_session=True)
    running = Running.of(left.pid)
    adopts = ProcessReport(name="any", running=running, healthy=True, restarts=0)

    async def watch(kept):
        await kept.until(lambda keeper: keeper.running)

    try:
        keep(watch, tmp_path, "sleep", "600", adopts=adopts)
        assert left.wait(PATIENCE_S) == -signal.SIGTERM
    finally:
        left.kill()
        left.wait()


def test_a_later_process_of_the_same_id_is_not_adopted(tmp_path):
    other = subprocess.Popen(["sleep", "600"], start_new_session=True)
    running = Running(pid=other.pid, start_ticks="1")
    adopts = ProcessReport(name="any", running=running, healthy=True, restarts=0)

    async def watch(kept):
        await kept.until(lambda keeper: keeper.running)
        return kept.keeper.running.pid

    try:
        assert keep(watch, tmp_path, "sleep", "600", adopts=adopts) != other.pid
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_killed_proxy_is_away_for_at_most_twice_its_bare_start(tmp_path, monkeypatch):
    """Each kill is measured beside a bare start: what else is at work slows both."""
    monkeypatch.setattr(keeper, "_FORGIVEN_S", 0)
    places = [tmp_path / "kept", tmp_path / "bare"]
    for place in places:
        place.mkdir()
    proxy, other = map(Proxy, places)
    ratios = []

    async def watch(kept):
        for _ in range(6):
            began = time.monotonic()
            other.start()
            bare_s = time.monotonic() - began
            other.kill()
            await kept.until(lambda keeper: keeper.healthy.is_set())
            assert await answers(kept, proxy)
            os.kill(kept.keeper.running.pid, signal.SIGKILL)
            began = time.monotonic()
            while not await answers(kept, proxy):
                pass
            ratios.append((time.monotonic() - began) / bare_s)
            await kept.until(lambda keeper: keeper.healthy.is_set())

    with http_server() as upstream:
        proxy.start()
        proxy.add("/user/ana/endpoint-a", upstream)
        proxy.kill()
        keep(watch, tmp_path, *proxy.process.command, like=proxy.process)
    print("away, in bare starts:", *(f"{ratio:.2f}" for ratio in ratios))
    assert min(ratios) <= 2, ratios


async def answers(kept, proxy):
    with contextlib.suppress(httpx.TransportError):
        asked = await kept.http.get(f"{proxy.url}/user/ana/endpoint-a/")
        return asked.status_code == 200
    return False


@contextlib.contextmanager
def http_server():
    port = free_port()
    process = subprocess.Popen(serving(port))
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


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
