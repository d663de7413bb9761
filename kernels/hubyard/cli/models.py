"""`experiments`, `models` and `register`: what MLflow keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubyard.cli.show import add_command, show, show_text
from hubyard.client import Client
from hubyard.contract.tracking import RegisterRequest
from hubyard.showing import moment, table

if TYPE_CHECKING:
    import argparse

    from hubyard.cli.show import Subparsers


def add_commands(subparsers: Subparsers) -> None:
    """Add the commands of this noun."""
    experiments = add_command(
        subparsers, "experiments", "List your newest tracked runs", _experiments
    )
    one = experiments.add_mutually_exclusive_group()
    one.add_argument("--filter", help="for instance: metrics.auc > 0.8")
    one.add_argument("--notebook", metavar="RUN", help="print what a run was made with")
    add_command(subparsers, "models", "List registered models", _models)
    register = add_command(
        subparsers, "register", "Register the model of a tracked run", _register
    )
    register.add_argument("run", metavar="RUN", help="id of a tracked run, or last")
    register.add_argument("name", metavar="NAME", help="of the model")
    register.add_argument("--alias", help="for the new version, such as champion")


def _experiments(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        if arguments.notebook is not None:
            notebook = client.tracked_notebook(arguments.notebook)
            return show_text(arguments, "notebook", notebook.decode(errors="replace"))
        page = client.tracked_runs(filter=arguments.filter)
    head = ("RUN", "NAME", "EXPERIMENT", "STATUS", "STARTED", "METRICS")
    rows = [
        (
            run.id,
            run.name,
            run.experiment,
            run.status,
            moment(run.started_at),
            ", ".join(f"{k}={v:.4g}" for k, v in sorted(run.metrics.items())[:3]),
        )
        for run in page.runs
    ]
    return show(arguments, page, lambda: table(head, rows, "Nothing was tracked yet."))


def _models(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        found = client.models.list()
    head = ("MODEL", "VERSION", "ALIASES", "CREATED", "TRACKED RUN", "")
    rows = [
        (
            model.name,
            version.version,
            ", ".join(version.aliases) or "-",
            moment(version.created_at),
            version.run_id or "-",
            f"cannot be served: {version.unservable}" if version.unservable else "",
        )
        for model in found
        for version in model.versions
    ]
    return show(arguments, found, lambda: table(head, rows, "No model is registered."))


def _register(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        run_id = arguments.run
        if run_id == "last":
            run_id = client.last_tracked_run().id
        request = RegisterRequest(
            run_id=run_id, name=arguments.name, alias=arguments.alias
        )
        version = client.models.register(request)
    return show(arguments, version, lambda: [f"{version.model}/{version.version}"])
