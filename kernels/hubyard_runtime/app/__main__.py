"""`python -m hubyard_runtime.app`: show the app that the platform names."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.routing import Router

from hubyard.client import Client
from hubyard.contract import environment
from hubyard.contract.app import AppJob
from hubyard.contract.errors import HubyardError, Invalid
from hubyard.contract.identity import Identity
from hubyard_runtime import gate
from hubyard_runtime.app.child import Child
from hubyard_runtime.app.frameworks import READY_PATH
from hubyard_runtime.app.proxy import Proxy
from hubyard_runtime.insist import insist, within
from hubyard_runtime.telling import Counted, Telling

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

PATIENCE_S = 60
"""For a platform or a hub that restarts; the hub gives a start ninety seconds."""


def main() -> None:
    """Fetch the app, start it, and serve it until one of us ends."""
    try:
        settings = dataclasses.replace(
            gate.Settings.from_environment(), same_origin_suffices=True
        )
        job, file = fetch(Path(os.environ[environment.SCRATCH]))
        visitor = asyncio.run(owner(settings))
        child = Child.start(job.framework, file, settings.prefix, visitor)
        try:
            child.wait_until_ready(READY_PATH[job.framework])
            child.wait_until_shown()
            gate.serve(behind(child, settings.prefix), settings=settings)
        finally:
            child.stop()
    except HubyardError as error:
        sys.exit(error.message)


def fetch(scratch: Path) -> tuple[AppJob, Path]:
    """What to show, and its file, unpacked with the modules beside it.

    Raises:
        HubyardError: the platform has no app for us, or its source lacks the file.
    """
    may_wait = within(PATIENCE_S)
    with Client.from_environment() as client:
        job = insist("The job", lambda: client.job(AppJob), may_wait)
        insist("The source", lambda: client.job_source(scratch), may_wait)
    file = (scratch / job.path).resolve()
    if not (file.is_relative_to(scratch.resolve()) and file.is_file()):
        raise Invalid(f"The app's source holds no file {job.path!r}.")
    return job, file


async def owner(settings: gate.Settings) -> dict[str, str]:
    """The headers by which the app knows its owner, who is the first to see it."""
    try:
        found = await gate.Hub(settings).identify(settings.api_token)
    except HubyardError:
        found = None
    name = os.environ.get("JUPYTERHUB_USER", "")
    return gate.named(found or Identity(name=name, kind="user"))


def behind(child: Child, prefix: str) -> Router:
    """The application behind the gate: it lives no longer than the child."""

    @asynccontextmanager
    async def lifespan(_app: Router) -> AsyncGenerator[None]:
        watcher = asyncio.create_task(_end_with(child))
        try:
            yield
        finally:
            watcher.cancel()
            await asyncio.to_thread(child.stop)

    counted = Counted(Proxy(child.socket, prefix=prefix))
    Telling(lambda: counted.count).start()
    return Router(default=counted, lifespan=lifespan)


async def _end_with(child: Child) -> None:
    code = await asyncio.to_thread(child.wait)
    sys.stderr.write(child.last_words())
    sys.stderr.flush()
    child.stop()
    # Nothing is left to serve: unwinding the server would only bury the last words.
    os._exit(code)


if __name__ == "__main__":
    main()
