"""`deploy`, `deployments` and `key`: models that answer requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubyard.cli.show import add_command, add_compute, say, show, table
from hubyard.client import Client
from hubyard.contract.deployment import DeploymentRequest, parse_model
from hubyard.contract.duration import duration_text
from hubyard.contract.workload import Status

if TYPE_CHECKING:
    import argparse

    from hubyard.cli.show import Subparsers


def add_commands(subparsers: Subparsers) -> None:
    """Add the commands of this noun."""
    deploy = add_command(subparsers, "deploy", "Serve a model version", _deploy)
    deploy.add_argument("model", help="MODEL@alias or MODEL/VERSION")
    deploy.add_argument("--name", help="of the deployment")
    deploy.add_argument("--dry-run", action="store_true", help="only show the price")
    add_compute(deploy)
    many = add_command(
        subparsers, "deployments", "List or change deployments", _deployments
    )
    what = many.add_mutually_exclusive_group()
    for name in ("start", "stop", "delete"):
        what.add_argument(f"--{name}", metavar="ID", help=f"{name} a deployment")
    key = add_command(subparsers, "key", "Make a token for one endpoint", _key)
    key.add_argument("deployment", metavar="DEPLOYMENT")


def _deploy(arguments: argparse.Namespace) -> int:
    model, version = parse_model(arguments.model)
    with Client.from_environment() as client:
        compute = arguments.compute or client.compute().compute[0].name
        estimate = client.estimate(compute, arguments.ttl)
        lifetime = duration_text(estimate.lifetime_s)
        say(
            f"{compute} costs {estimate.price.text} an hour, at most "
            f"{estimate.total.text} for {lifetime}"
        )
        if arguments.dry_run:
            return show(arguments, estimate, list)
        made = client.deployments.create(
            DeploymentRequest(
                model=model,
                version=version,
                name=arguments.name,
                compute=compute,
                lifetime_s=arguments.ttl,
            )
        )
        say(f"{made.name} starts")
        ready = client.deployments.wait(made.id)
    if ready.status is Status.FAILED:
        say(f"{ready.name} failed: {ready.reason}")
    show(arguments, ready, lambda: [ready.id, ready.url])
    return 0 if ready.status is Status.READY else 1


def _deployments(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        if arguments.delete:
            client.deployments.delete(arguments.delete)
            say("The deployment is gone.")
            return 0
        if arguments.start or arguments.stop:
            start = arguments.start is not None
            act = client.deployments.start if start else client.deployments.stop
            changed = act(arguments.start or arguments.stop)
            return show(
                arguments, changed, lambda: [f"{changed.name}: {changed.status}"]
            )
        found = client.deployments.list()
    head = ("DEPLOYMENT", "MODEL", "STATUS", "PRICE/H", "COST", "URL")
    rows = [
        (
            each.id,
            f"{each.revision.model}/{each.revision.version}",
            str(each.status),
            each.price.text,
            each.cost.text if each.cost else "-",
            each.url,
        )
        for each in found
    ]
    return show(arguments, found, lambda: table(head, rows, "Nothing is deployed."))


def _key(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        key = client.deployments.key(arguments.deployment)
    return show(arguments, key, lambda: [key.curl])
