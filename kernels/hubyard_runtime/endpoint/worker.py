"""The worker: serves the model that the platform names, until its keeper ends it.

`python -m hubyard_runtime.endpoint.worker`; see `keeper` for its options.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import faulthandler
import logging
import os
import shutil
import sys
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING

from hubyard import packages
from hubyard.client import Client
from hubyard.contract import environment
from hubyard.contract.deployment import DeploymentJob
from hubyard.contract.errors import HubyardError, Rejected
from hubyard_runtime import gate
from hubyard_runtime.insist import insist, within
from hubyard_runtime.telling import Telling

# The gate has loaded what it needs from the platform: a package of the owner's that is
# called alike comes too late. What serves the model sees the owner's, as training did.
packages.see()

from hubyard_runtime.endpoint import batcher  # noqa: E402  after the above
from hubyard_runtime.endpoint import model as models  # noqa: E402  after the above
from hubyard_runtime.endpoint.service import Endpoint  # noqa: E402  after the above

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import Receive, Scope, Send

PATIENCE_S = 60
"""For a platform or a hub that restarts; the hub gives a start ninety seconds."""
log = logging.getLogger("hubyard.endpoint")

_FAREWELL_S = 1.0
_PULSE_S = 1.0


class Pulsing:
    """ASGI middleware: tells the keeper each second that the event loop runs."""

    def __init__(self, endpoint: Endpoint, pulse: int) -> None:
        """Take whose requests are counted, and the file descriptor to write to."""
        self._endpoint = endpoint
        self._pulse = pulse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve; the pulse begins with the server and ends with it."""
        if scope["type"] != "lifespan":
            await self._endpoint(scope, receive, send)
            return
        pulsing = asyncio.create_task(self._pulse_for_ever())
        await self._endpoint(scope, receive, send)
        pulsing.cancel()

    async def _pulse_for_ever(self) -> None:
        # A keeper that has ended takes this process with it a moment later.
        with contextlib.suppress(BrokenPipeError):
            while True:
                os.write(self._pulse, b"%d\n" % self._endpoint.requests)
                await asyncio.sleep(_PULSE_S)


def prepare(scratch: Path, *, replaced: int = 0, requests: int = 0) -> Endpoint:
    """Fetch, load and check the model.

    Args:
        scratch: the workload's own folder.
        replaced: how many workers there were before this one.
        requests: how many requests they have answered.

    Raises:
        HubyardError: there is no endpoint to be had; says why in one line.
    """
    client, may_wait = Client.from_environment(), within(PATIENCE_S)
    job = insist("The job", lambda: client.job(DeploymentJob), may_wait)
    folder = scratch / "model"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    insist("The model", lambda: client.job_source(into=folder), may_wait)
    check_pins(folder)
    model = models.load(folder)
    model.check()
    log.info(
        "Serving version %s of %s, revision %s.",
        job.revision.version,
        job.revision.model,
        job.revision.number,
    )
    public_url = os.environ.get(environment.PUBLIC_URL, "")
    return Endpoint(
        model,
        job,
        public_url,
        on_stuck=_end_soon,
        replaced=replaced,
        requests=requests,
    )


def check_pins(folder: Path) -> None:
    """Check the owner's packages against the versions that the model was trained with.

    Raises:
        Rejected: one has another version now.
    """
    file = folder / "requirements.txt"
    pins = file.read_text().splitlines() if file.is_file() else []
    for name, pinned, found in packages.differing(pins):
        raise Rejected(
            f"The model was trained with {name} {pinned}, and your own packages hold "
            f"{name} {found}: run %pip install {name}=={pinned} in a workspace, or "
            "train it anew."
        )


def _end_soon() -> None:
    """End this process, once those who waited for a model that hangs are told."""
    Timer(_FAREWELL_S, _end).start()


def _end() -> None:
    print(  # noqa: T201  shown to the owner
        f"The model has worked on one call for more than {batcher.LONGEST_CALL_S:g} s: "
        "find the input that it hangs on, or deploy a model that answers sooner.",
        file=sys.stderr,
        flush=True,
    )
    # A thread that hangs would keep this process from ending in any other way.
    os._exit(1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop. The last line of the output says why it could not."""
    parser = argparse.ArgumentParser(prog="python -m hubyard_runtime.endpoint.worker")
    for option in ("--pulse", "--replaced", "--requests"):
        parser.add_argument(option, type=int, required=True)
    options = parser.parse_args(arguments)
    # The keeper ends by SIGABRT what hangs: the log then says where.
    faulthandler.enable()
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    try:
        endpoint = prepare(
            Path(os.environ.get(environment.SCRATCH, ".")),
            replaced=options.replaced,
            requests=options.requests,
        )
    except HubyardError as error:
        print(error.message, file=sys.stderr)  # noqa: T201  shown to the owner
        return 1
    Telling(lambda: endpoint.requests).start()
    gate.serve(Pulsing(endpoint, options.pulse))
    return 0


if __name__ == "__main__":
    sys.exit(main())
