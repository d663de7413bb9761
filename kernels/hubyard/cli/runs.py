"""`run`, `resume`, `runs`, `logs` and `stop`: pipelines on compute of their own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hubyard.cli.ask import add_dry_run, add_yes, agreed, delete
from hubyard.cli.show import (
    add_command,
    add_compute,
    add_parameters,
    say,
    show,
    show_text,
)
from hubyard.client import Client
from hubyard.client.nouns import Runs
from hubyard.contract.run import ResumeRequest, RunRequest
from hubyard.contract.workload import Status
from hubyard.showing import (
    Progress,
    moment,
    price_line,
    progress_text,
    run_status,
    table,
)

if TYPE_CHECKING:
    import argparse

    from hubyard.cli.show import Subparsers
    from hubyard.contract.run import Run, RunDetail, StepRecord


_NAMED = 3
"""So many runs are named that wait for the same."""
_KEPT = {"notebook": Runs.notebook, "report": Runs.report}


def add_commands(subparsers: Subparsers) -> None:
    """Add the commands of this noun."""
    _add_run(subparsers)
    _add_resume(subparsers)
    _add_runs(subparsers)
    logs = add_command(subparsers, "logs", "Print what a run has printed", _logs)
    logs.add_argument("run", metavar="RUN")
    stop = add_command(subparsers, "stop", "Stop a run", _stop)
    stop.add_argument("run", metavar="RUN")


def _add_run(subparsers: Subparsers) -> None:
    run = add_command(
        subparsers, "run", "Run a notebook, a script or a pipeline once, now", _run
    )
    run.add_argument("notebook", type=Path, help="a .ipynb, .py, or pipeline .yml")
    run.add_argument("--name", help="what to call it")
    run.add_argument(
        "--fresh", action="store_true", help="execute each step, whatever is cached"
    )
    _add_follow(run)
    add_dry_run(run)
    add_parameters(run)
    add_compute(run)


def _add_resume(subparsers: Subparsers) -> None:
    again = add_command(
        subparsers, "resume", "Run again what failed, and what follows it", _resume
    )
    again.add_argument("run", metavar="RUN")
    again.add_argument("--step", help="run from this step on")
    again.add_argument("--only", action="store_true", help="run that one step alone")
    again.add_argument(
        "--source", type=Path, metavar="FILE", help="take this file as it is now"
    )
    _add_follow(again)
    add_yes(again)


def _add_runs(subparsers: Subparsers) -> None:
    runs = add_command(subparsers, "runs", "List your newest runs", _runs)
    one = runs.add_mutually_exclusive_group()
    one.add_argument("--schedule", metavar="ID", help="only those of one schedule")
    one.add_argument("--steps", metavar="ID", help="list its steps")
    one.add_argument("--notebook", metavar="ID", help="print its executed notebook")
    one.add_argument("--report", metavar="ID", help="print its notebook as HTML")
    one.add_argument("--delete", metavar="ID", help="forget a run that has ended")
    runs.add_argument("--step", help="with --notebook and --report: of this step")
    add_yes(runs)


def _run(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        source = client.sources.upload_notebook(arguments.notebook)
        wish = RunRequest(
            source=source.digest,
            notebook=source.notebook,
            name=arguments.name,
            parameter_texts=arguments.parameter,
            compute=arguments.compute or source.compute,
            lifetime_s=arguments.ttl,
            fresh=arguments.fresh,
        )
        price = client.runs.preview(wish)
        say(price_line(price))
        if arguments.dry_run:
            return show(arguments, price, list)
        question = f"Run {wish.notebook} for at most {price.total.text}?"
        if not agreed(arguments, question):
            return 1
        return _follow(arguments, client, client.runs.start(wish))


def _add_follow(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--follow", action="store_true", help="stay until it has ended")


def _resume(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        before = client.runs.get(arguments.run)
        source = None
        if arguments.source is not None:
            file, name = arguments.source, before.notebook
            source = client.sources.upload_notebook(file, name).digest
        wish = ResumeRequest(step=arguments.step, only=arguments.only, source=source)
        say(f"{before.compute}: {before.price.text} an hour")
        if not agreed(arguments, f"Resume {before.name}?"):
            return 1
        return _follow(arguments, client, client.runs.resume(before.id, wish))


def _follow(arguments: argparse.Namespace, client: Client, run: Run) -> int:
    """Show the run, or stay until it has ended: 0 where it has succeeded."""
    if not arguments.follow:
        return show(arguments, run, lambda: [run.id])
    ended = client.runs.wait(run.id, Progress(progress_text, say))
    if ended.failure:
        say(ended.failure.message)
    show(arguments, ended, lambda: [f"{ended.id} {ended.status}"])
    return 0 if ended.status is Status.SUCCEEDED else 1


def _runs(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        if arguments.delete is not None:
            return delete(arguments, client.runs.delete)
        if arguments.steps is not None:
            return _steps(arguments, client.runs.get(arguments.steps))
        for name, kept in _KEPT.items():
            if (id_ := getattr(arguments, name)) is not None:
                text = kept(client.runs, id_, arguments.step).decode(errors="replace")
                return show_text(arguments, name, text)
        found = client.runs.list(arguments.schedule)
    head = ("RUN", "NAME", "STATUS", "CELLS", "STARTED", "COST")
    return show(
        arguments,
        found,
        lambda: [
            *table(head, [_row(run) for run in found], "There are no runs yet."),
            *_waiting(found),
        ],
    )


def _steps(arguments: argparse.Namespace, run: RunDetail) -> int:
    head = ("STEP", "STATUS", "TRY", "CELLS", "STARTED", "TOOK", "MEMORY")
    rows = [_step_row(step) for step in run.steps]
    return show(
        arguments, run.steps, lambda: table(head, rows, "Its steps are not known yet.")
    )


def _step_row(step: StepRecord) -> tuple[str, ...]:
    done = sum(cell.ended_at is not None for cell in step.cells)
    took = "-"
    if step.started_at and step.ended_at:
        took = f"{(step.ended_at - step.started_at).total_seconds():.1f} s"
    memory = f"{step.peak_bytes / 2**20:.0f} MiB" if step.peak_bytes else "-"
    status = f"{step.status}, reused" if step.reused else str(step.status)
    cells = f"{done}/{len(step.cells)}"
    tries = str(step.attempt) if step.attempt else "-"
    return step.key, status, tries, cells, moment(step.started_at), took, memory


def _row(run: Run) -> tuple[str, ...]:
    cells = f"{run.cells_done}/{run.cells_total}"
    cost = run.cost.text if run.cost else "-"
    status = run_status(run.status)
    return run.id, run.name, status, cells, moment(run.started_at), cost


def _waiting(found: list[Run]) -> list[str]:
    """What queued runs wait for, a line for each reason."""
    reasons: dict[str, list[str]] = {}
    for run in found:
        if run.waits_for:
            reasons.setdefault(run.waits_for, []).append(run.id)
    return [f"{said} {_some(ids)}" for said, ids in reasons.items()]


def _some(ids: list[str]) -> str:
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return f"({', '.join(ids[:_NAMED])}{more})"


def _logs(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        log = client.runs.log(arguments.run)
    return show_text(arguments, "log", log)


def _stop(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        run = client.runs.stop(arguments.run)
    return show(arguments, run, lambda: [f"{run.name} is being stopped"])
