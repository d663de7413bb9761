"""`python -m hubyard_runtime.endpoint`: keep a worker that serves the model."""

import sys

from hubyard_runtime.endpoint.keeper import Keeper

WORKER = [sys.executable, "-P", "-s", "-m", "hubyard_runtime.endpoint.worker"]

if __name__ == "__main__":
    sys.exit(Keeper(WORKER).run())
