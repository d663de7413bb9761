"""`run`, `runs`, `logs` and `stop`: notebooks on compute of their own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hubyard.cli.ask import add_dry_run, add_yes, agreed, delete
from hubyard.cli.show import (
    Progress,
    add_command,
    add_compute,
    add_parameters,
    say,
    show,
    show_text,
)
from hubyard.client import Client
from hubyard.client.nouns import Runs
from hubyard.contract.run import RunRequest
from hubyard.contract.workload import Status
from hubyard.showing import moment, price_line, table

if TYPE_CHECKING:
    import argparse

    from hubyard.cli.show import Subparsers
    from hubyard.contract.run import Run, RunDetail


_KEPT = {"notebook": Runs.notebook, "report": Runs.report}


def add_commands(subparsers: Subparsers) -> None:
    """Add the commands of this noun."""
    run = add_command(subparsers, "run", "Run a notebook once, now", _run)
    run.add_argument("notebook", type=Path)
    run.add_argument("--name", help="what to call it")
    run.add_argument("--follow", action="store_true", help="stay until it has ended")
    add_dry_run(run)
    add_parameters(run)
    add_compute(run)
    runs = add_command(subparsers, "runs", "List your newest runs", _runs)
    one = runs.add_mutually_exclusive_group()
    one.add_argument("--schedule", metavar="ID", help="only those of one schedule")
    one.add_argument("--notebook", metavar="ID", help="print its executed notebook")
    one.add_argument("--report", metavar="ID", help="print its notebook as HTML")
    one.add_argument("--delete", metavar="ID", help="forget a run that has ended")
    add_yes(runs)
    logs = add_command(subparsers, "logs", "Print what a run has printed", _logs)
    logs.add_argument("run", metavar="RUN")
    stop = add_command(subparsers, "stop", "Stop a run", _stop)
    stop.add_argument("run", metavar="RUN")


def _run(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        source = client.sources.upload_notebook(arguments.notebook)
        wish = RunRequest(
            source=source.digest,
            notebook=source.notebook,
            name=arguments.name,
            parameters=arguments.parameter,
            compute=arguments.compute or source.compute,
            lifetime_s=arguments.ttl,
        )
        price = client.estimate(wish.compute, wish.lifetime_s, wish.source)
        say(price_line(price))
        if arguments.dry_run:
            return show(arguments, price, list)
        question = f"Run {wish.notebook} for at most {price.total.text}?"
        if not agreed(arguments, question):
            return 1
        run = client.runs.start(wish)
        if not arguments.follow:
            return show(arguments, run, lambda: [run.id])
        ended = client.runs.wait(run.id, Progress(_cells))
    if ended.failure:
        say(ended.failure.message)
    show(arguments, ended, lambda: [f"{ended.id} {ended.status}"])
    return 0 if ended.status is Status.SUCCEEDED else 1


def _cells(run: RunDetail) -> str:
    return f"{run.status}: cell {run.cells_done} of {run.cells_total}"


def _runs(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        if arguments.delete is not None:
            return delete(arguments, client.runs.delete)
        for name, kept in _KEPT.items():
            if (id_ := getattr(arguments, name)) is not None:
                text = kept(client.runs, id_).decode(errors="replace")
                return show_text(arguments, name, text)
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
        log = client.runs.log(arguments.run)
    return show_text(arguments, "log", log)


def _stop(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        run = client.runs.stop(arguments.run)
    return show(arguments, run, lambda: [f"{run.name} is being stopped"])
