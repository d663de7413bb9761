"""What must be true once the killing is over, and once Hubyard has stopped."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import psutil

from chaos.scene import PATIENCE_S, lives
from hubyard.contract.run import CellStatus
from hubyard.contract.workload import Status
from hubyard_hub.money.ledger import Ledger
from hubyard_hub.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chaos.half_way import HalfWay
    from chaos.scene import Scene
    from hubyard.client import Client
    from hubyard.contract.run import RunDetail

MOST_FAILED = 0.04
"""The share of requests that may fail."""


def finish_runs(scene: Scene) -> None:
    """The runs that were half-way all the time: every cell once, and all on record."""
    for _, half_way in scene.runs:
        half_way.go_on()
    for begun, half_way in scene.runs:
        run = scene.client.runs.wait(begun.id, timeout_s=PATIENCE_S)
        print(
            f"{run.name} {run.status} with {run.cells_done} of {run.cells_total} cells"
        )
        for fault in _faults(scene.client, run, half_way):
            scene.toll.lose(f"{run.name} {run.status}, and {fault}")


def _faults(client: Client, run: RunDetail, half_way: HalfWay) -> list[str]:
    cells = [cell.status for cell in run.cells]
    wanted = [CellStatus.SUCCEEDED] * len(half_way.cells)
    if run.status is not Status.SUCCEEDED or run.failure or cells != wanted:
        return [f"its record is {run.failure} {cells}"]
    return half_way.faults(client.runs.notebook(run.id), client.runs.report(run.id))


def check_tracking(scene: Scene) -> None:
    """MLflow has what it was given before it was killed, and takes more."""
    models = {model.name for model in scene.client.models.list()}
    experiments = {experiment.name for experiment in scene.client.experiments()}
    if not (models >= {"iris"} and experiments >= {"ana/iris", "ana/half-way"}):
        scene.toll.broken.append(f"MLflow knows of {models} and {experiments} only")


def stop_endpoint(scene: Scene) -> None:
    """As its owner does; then nothing is active, for the platform and for the hub."""
    deployments, id_ = scene.client.deployments, scene.deployment.id
    deployments.stop(id_)
    scene.wait(
        "the endpoint stops", lambda: deployments.get(id_).status is Status.STOPPED
    )
    scene.wait("nothing is active", lambda: not scene.client.workloads())
    scene.ana.sign_in()
    ready = [name for name, server in scene.ana.servers().items() if server["ready"]]
    if ready:
        scene.toll.broken.append(f"the hub believes that these run: {ready}")


def count_requests(scene: Scene) -> None:
    """Put the load's outcomes on the toll, and name those that had no right to fail."""
    toll, outcomes, failed = scene.toll, scene.load.outcomes, scene.load.failed
    toll.requests, toll.failed = len(outcomes), len(failed)
    toll.broken += [
        f"the request {outcome.began - outcomes[0].began:.2f} s after the first one "
        f"came to {outcome.said} after {outcome.ended - outcome.began:.2f} s"
        for outcome in failed
        if not any(away.excuses(outcome) for away in scene.aways)
    ]
    if toll.failed > MOST_FAILED * toll.requests:
        toll.broken.append(f"more than {MOST_FAILED:.0%} of all requests failed")


def check_ledger(scene: Scene) -> None:
    """Hubyard has stopped: each workload has one entry, with its true end."""
    store = Store(scene.hubyard.settings.database_url)
    ledger = Ledger(store)
    still_open = [entry.server_name for entry in ledger.open_entries()]
    scene.toll.ledger_open = len(still_open)
    scene.toll.broken += [f"the entry of {name} has no end" for name in still_open]
    for name, reason in scene.ends.items():
        line = ledger.newest("ana", name)
        if line is not None and line.end is not None and line.end.reason is not reason:
            scene.toll.broken.append(f"the ledger says of {name}: {line.end}")
    entries = len(list(scene.hubyard.settings.workloads.iterdir()))
    if entries != len(scene.ends):
        scene.toll.broken.append(f"{len(scene.ends)} workloads began {entries} times")
    store.close()


def check_processes(scene: Scene) -> None:
    """Hubyard has stopped: nothing of it may still run."""
    left = {p.pid: p for p in [*scene.seen.values(), *_of_state(scene)] if lives(p)}
    scene.toll.broken += [f"still running: {process}" for process in left.values()]


def _of_state(scene: Scene) -> Iterator[psutil.Process]:
    """Every process whose environment names this Hubyard's folder."""
    state = str(scene.hubyard.state)
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if any(state in value for value in process.environ().values()):
                yield process
