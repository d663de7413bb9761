"""`deploy`, `deployments` and `key`: models that answer requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubyard.cli.ask import add_dry_run, agreed
from hubyard.cli.show import add_command, add_compute, add_lifetime, say, show
from hubyard.cli.wish import add_changes, change, progress, report
from hubyard.client import Client
from hubyard.contract.deployment import DeploymentRequest, KeyRequest, parse_model
from hubyard.showing import price_line, table

if TYPE_CHECKING:
    import argparse

    from hubyard.cli.show import Subparsers


def add_commands(subparsers: Subparsers) -> None:
    """Add the commands of this noun."""
    deploy = add_command(subparsers, "deploy", "Serve a model version", _deploy)
    deploy.add_argument("model", help="MODEL@alias or MODEL/VERSION")
    deploy.add_argument("--name", help="of the deployment")
    add_dry_run(deploy)
    add_compute(deploy)
    many = add_command(
        subparsers, "deployments", "List or change deployments", _deployments
    )
    add_changes(many, "a deployment")
    key = add_command(subparsers, "key", "Make a token for one endpoint", _key)
    key.add_argument("deployment", metavar="DEPLOYMENT")
    add_lifetime(key)


def _deploy(arguments: argparse.Namespace) -> int:
    model, version = parse_model(arguments.model)
    wish = DeploymentRequest(
        model=model,
        version=version,
        name=arguments.name,
        compute=arguments.compute,
        lifetime_s=arguments.ttl,
    )
    with Client.from_environment() as client:
        price = client.estimate(wish.compute, wish.lifetime_s)
        say(price_line(price))
        if arguments.dry_run:
            return show(arguments, price, list)
        question = f"Deploy {arguments.model} for at most {price.total.text}?"
        if not agreed(arguments, question):
            return 1
        made = client.deployments.create(wish)
        ready = client.deployments.wait(made.id, progress())
    return report(arguments, ready, lambda endpoint: [endpoint.id, endpoint.url])


def _deployments(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        done = change(arguments, client, client.deployments)
        if done is not None:
            return done
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
        wish = KeyRequest(expires_in_s=arguments.ttl) if arguments.ttl else None
        key = client.deployments.key(arguments.deployment, wish)
    return show(arguments, key, lambda: [key.curl])
