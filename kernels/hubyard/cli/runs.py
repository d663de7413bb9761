"""`run`, `runs`, `logs` and `stop`: notebooks on compute of their own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hubyard.cli.show import (
    add_command,
    add_compute,
    add_parameters,
    moment,
    say,
    show,
    table,
)
from hubyard.client import Client
from hubyard.contract.run import RunRequest
from hubyard.contract.workload import Status

if TYPE_CHECKING:
    import argparse

    from hubyard.cli.show import Subparsers
    from hubyard.contract.run import Run, RunDetail


def add_commands(subparsers: Subparsers) -> None:
    """Add the commands of this noun."""
    run = add_command(subparsers, "run", "Run a notebook once, now", _run)
    run.add_argument("notebook", type=Path)
    run.add_argument("--name", help="what to call it")
    run.add_argument("--follow", action="store_true", help="stay until it has ended")
    add_parameters(run)
    add_compute(run)
    runs = add_command(subparsers, "runs", "List your newest runs", _runs)
    runs.add_argument("--schedule", metavar="ID", help="only those of one schedule")
    logs = add_command(subparsers, "logs", "Print what a run has printed", _logs)
    logs.add_argument("run", metavar="RUN")
    stop = add_command(subparsers, "stop", "Stop a run", _stop)
    stop.add_argument("run", metavar="RUN")


def _run(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        source = client.sources.upload_notebook(arguments.notebook)
        run = client.runs.start(
            RunRequest(
                source=source.digest,
                notebook=source.notebook,
                name=arguments.name,
                parameters=dict(arguments.parameter),
                compute=arguments.compute,
                lifetime_s=arguments.ttl,
            )
        )
        say(f"{run.name} runs on {run.compute} for {run.price.text} an hour")
        if not arguments.follow:
            return show(arguments, run, lambda: [run.id])
        ended = client.runs.wait(run.id, _Progress())
        if ended.failure:
            say(ended.failure.message)
        show(arguments, ended, lambda: [f"{ended.id} {ended.status}"])
        return 0 if ended.status is Status.SUCCEEDED else 1


class _Progress:
    """Says "cell k of n" whenever that changes."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, run: RunDetail) -> None:
        line = f"{run.status}: cell {run.cells_done} of {run.cells_total}"
        if line != self._last:
            say(line)
        self._last = line


def _runs(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        found = client.runs.list(arguments.schedule)
    head = ("RUN", "NAME", "STATUS", "CELLS", "STARTED", "COST")
    return show(
        arguments,
        found,
        lambda: table(head, [_row(run) for run in found], "There are no runs yet."),
    )


def _row(run: Run) -> tuple[str, ...]:
    cells = f"{run.cells_done}/{run.cells_total}"
    cost = run.cost.text if run.cost else "-"
    return run.id, run.name, str(run.status), cells, moment(run.started_at), cost


def _logs(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        sys.stdout.write(client.runs.log(arguments.run))
    return 0


def _stop(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        run = client.runs.stop(arguments.run)
    return show(arguments, run, lambda: [f"{run.name} is being stopped"])
