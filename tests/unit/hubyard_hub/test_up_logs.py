"""Logs of the supervised processes stay short while their writers run."""

import asyncio
import contextlib
import logging
import subprocess
import sys

from hubyard_hub.hub.lines import FewRefusals
from hubyard_hub.up.logs import keep_all_short
from support.patience import until

LIMIT = 100_000
WRITES = """
import os
for n in range(100_000):
    os.write(1, b"%019d\\n" % n)
"""


def write(log):
    with log.open("ab") as file:
        subprocess.run([sys.executable, "-c", WRITES], stdout=file, check=True)


def test_a_log_is_kept_short_while_its_process_writes(tmp_path):
    log = tmp_path / "hub.log"

    async def watch():
        keeping = asyncio.create_task(keep_all_short(tmp_path, LIMIT, every_s=0.001))
        await asyncio.to_thread(write, log)
        await asyncio.to_thread(until, lambda: log.stat().st_size <= LIMIT)
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping

    asyncio.run(watch())
    older = tmp_path / "hub.log.1"
    assert older.stat().st_size <= 2 * LIMIT
    kept = older.read_bytes() + log.read_bytes()
    assert kept.endswith(b"%019d\n" % 99_999)


def line(level=logging.WARNING):
    return logging.LogRecord("x", level, "", 0, "404 GET /nothing", (), None)


def test_refused_requests_write_few_lines_and_then_their_number():
    moment = 0.0
    few = FewRefusals(most=3, clock=lambda: moment)
    assert [few.filter(line()) for _ in range(10)] == [True] * 3 + [False] * 7
    assert few.filter(line(logging.ERROR))
    moment = 61.0
    first = line()
    assert few.filter(first)
    assert first.getMessage() == "7 more requests were refused. 404 GET /nothing"
    second = line()
    assert few.filter(second)
    assert second.getMessage() == "404 GET /nothing"
