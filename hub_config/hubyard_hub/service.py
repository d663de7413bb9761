"""The platform: the HTTP service and the reconciler, in one process.

python -m hubyard_hub.service            serve, behind the gate
python -m hubyard_hub.service openapi    print the interface as OpenAPI JSON
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI

from hubyard.contract.errors import HubyardError
from hubyard_hub.api import (
    apps,
    compute,
    deployments,
    job,
    models,
    money,
    notices,
    people,
    runs,
    schedules,
    sources,
    workloads,
)
from hubyard_hub.api.access import HOOKS, PUBLIC, check_rules
from hubyard_hub.api.answers import add_handlers
from hubyard_hub.api.body import BoundedBody
from hubyard_hub.api.nouns import Nouns
from hubyard_hub.api.sealed import Sealed
from hubyard_hub.parts import Parts
from hubyard_hub.reconcile.loop import Reconciler
from hubyard_hub.sandbox import LANES, READ
from hubyard_hub.settings import Settings
from hubyard_runtime import gate

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

_PREFIX = "/services/hubyard"


def create_app(settings: Settings) -> FastAPI:
    """The platform's application for one deployment.

    Raises:
        Invalid: the catalogue cannot be used.
        RuntimeError: a route has no rule that says who may call it.
    """
    return assemble(Parts.build(settings))


def assemble(parts: Parts | None = None) -> FastAPI:
    """The application around its parts; without them it can only describe itself.

    Raises:
        RuntimeError: a route has no rule that says who may call it.
    """
    app = FastAPI(
        title="Hubyard",
        version="1",
        openapi_url=None,
        servers=[{"url": _PREFIX}],
        lifespan=_lifespan,
    )
    nouns = (
        *(compute, workloads, money, sources, runs),
        *(schedules, models, deployments, apps, notices, people, job),
    )
    apart = (compute.health, compute.home, schedules.hook)
    for router in (*apart, *(noun.router for noun in nouns)):
        app.router.routes.extend(router.routes)
    check_rules(app)
    add_handlers(app)
    app.add_middleware(BoundedBody)
    app.add_middleware(Sealed)
    if parts is not None:
        app.state.nouns = Nouns.of(parts)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    READ.start()  # before the first upload waits for it
    reconciler = Reconciler(app.state.nouns.parts)
    reconciler.start()
    yield
    reconciler.stop()
    for lane in LANES:
        lane.close()


def openapi() -> str:
    """The interface as OpenAPI JSON: the same text from the same code."""
    return json.dumps(assemble().openapi(), indent=2, sort_keys=True) + "\n"


def serve() -> None:
    """Serve behind the gate until SIGTERM.

    Raises:
        Invalid: no hub, or no Hubyard, started this process.
    """
    public = {path.lstrip("/") for path in PUBLIC}
    hooks = {HOOKS.lstrip("/")}
    gate.serve(create_app(Settings.load()), public=public, hooks=hooks)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m hubyard_hub.service")
    parser.add_argument("act", nargs="?", choices=("serve", "openapi"), default="serve")
    parser.add_argument("--openapi", type=Path, help="write the interface to a file")
    chosen = parser.parse_args(arguments)
    if chosen.openapi:
        chosen.openapi.write_text(openapi(), encoding="utf-8")
        return 0
    if chosen.act == "openapi":
        sys.stdout.write(openapi())
        return 0
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        serve()
    except HubyardError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
