"""Run the notebook that the platform names, and show how far it is behind the gate."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from hubyard.client import Client
from hubyard.contract import environment
from hubyard_runtime import gate
from hubyard_runtime.quickstart import skip_slow_imports
from hubyard_runtime.run.page import Page
from hubyard_runtime.run.runner import Runner
from hubyard_runtime.workspace import prepend_kernels

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from types import FrameType

    from starlette.applications import Starlette

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def main() -> int:
    """Serve the live page until the run has ended; its exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    skip_slow_imports()
    prepend_kernels()
    runner = Runner(Client.from_environment(), Path(os.environ[environment.SCRATCH]))
    page = Page(runner)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        ending = asyncio.create_task(_see_to_the_end(runner, page))
        yield
        if not ending.done():
            await asyncio.to_thread(runner.stop)
        await ending

    # The server repeats the signal that ended it once it has closed.
    for number in _SIGNALS:
        signal.signal(number, _ignore)
    gate.serve(page.application(lifespan))
    _finish_log()
    return runner.exit_code


def _finish_log() -> None:
    """Write what is left, if there is room; Python would exit with 120 where not."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


async def _see_to_the_end(runner: Runner, page: Page) -> None:
    """Run; a signal stops the run, and only the run's end stops the server."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        Thread(target=runner.stop, name="stop").start()

    end_server = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        await asyncio.to_thread(runner.run)
        await page.show_the_end()
    finally:
        for number, handler in end_server.items():
            signal.signal(number, handler)
        signal.raise_signal(signal.SIGTERM)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Not SIG_IGN: the kernel would inherit that."""


if __name__ == "__main__":
    sys.exit(main())
