"""`python -m hubyard_runtime.endpoint`: serve the model that the platform names."""

from __future__ import annotations

import logging
import os
import shutil
import sys
from pathlib import Path
from threading import Timer

from hubyard.client import Client
from hubyard.contract.deployment import DeploymentJob
from hubyard.contract.errors import HubyardError
from hubyard_runtime import gate
from hubyard_runtime.endpoint import batcher
from hubyard_runtime.endpoint import model as models
from hubyard_runtime.endpoint.service import Endpoint
from hubyard_runtime.insist import insist, within
from hubyard_runtime.telling import Telling

PATIENCE_S = 60
"""For a platform or a hub that restarts; the hub gives a start ninety seconds."""
log = logging.getLogger("hubyard.endpoint")

_FAREWELL_S = 1.0


def prepare(scratch: Path) -> Endpoint:
    """Fetch, load and check the model.

    Raises:
        HubyardError: there is no endpoint to be had; says why in one line.
    """
    client, may_wait = Client.from_environment(), within(PATIENCE_S)
    job = insist("The job", lambda: client.job(DeploymentJob), may_wait)
    folder = scratch / "model"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    insist("The model", lambda: client.job_source(into=folder), may_wait)
    model = models.load(folder)
    model.check()
    log.info(
        "Serving version %s of %s, revision %s.",
        job.revision.version,
        job.revision.model,
        job.revision.number,
    )
    public_url = os.environ.get("HUBYARD_PUBLIC_URL", "")
    return Endpoint(model, job, public_url, on_stuck=_end_soon)


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


def main() -> int:
    """Serve until told to stop. The last line of the output says why it could not."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    try:
        endpoint = prepare(Path(os.environ.get("HUBYARD_SCRATCH", ".")))
    except HubyardError as error:
        print(error.message, file=sys.stderr)  # noqa: T201  shown to the owner
        return 1
    Telling(lambda: endpoint.requests).start()
    gate.serve(endpoint)
    return 0


if __name__ == "__main__":
    sys.exit(main())
