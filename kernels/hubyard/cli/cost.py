"""`compute`, `workloads` and `cost`: what there is, what runs, what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubyard.cli.show import add_command, moment, show, table
from hubyard.client import Client
from hubyard.contract.duration import duration_text

if TYPE_CHECKING:
    import argparse

    from hubyard.cli.show import Subparsers

_GIB = 2**30


def add_commands(subparsers: Subparsers) -> None:
    """Add the commands of this noun."""
    add_command(subparsers, "compute", "List compute and its prices", _compute)
    add_command(subparsers, "workloads", "List what of yours runs now", _workloads)
    add_command(subparsers, "cost", "Show what you have spent this month", _cost)


def _compute(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        catalogue = client.compute()
    head = ("NAME", "PRICE/H", "CPU", "MEMORY", "LONGEST", "DESCRIPTION")
    rows = [
        (
            each.name,
            each.price.text,
            f"{each.cpu:g}",
            f"{each.memory_bytes / _GIB:g} GiB",
            duration_text(each.longest_lifetime_s),
            each.description if each.available else f"not available: {each.reason}",
        )
        for each in catalogue.compute
    ]
    return show(
        arguments, catalogue, lambda: table(head, rows, "No compute is offered to you.")
    )


def _workloads(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        found = client.workloads()
    head = ("WORKLOAD", "COMPUTE", "PRICE/H", "COST", "LEFT", "URL")
    rows = [
        (
            each.server_name or "workspace",
            each.compute,
            each.price.text,
            each.cost.text,
            duration_text(each.seconds_left),
            each.url,
        )
        for each in found
    ]
    return show(arguments, found, lambda: table(head, rows, "Nothing runs."))


def _cost(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        spend = client.spend()
    head = ("WORKLOAD", "COMPUTE", "STARTED", "ENDED", "COST")
    rows = [
        (
            each.server_name or "workspace",
            each.compute,
            moment(each.started_at),
            moment(each.ended_at),
            each.cost.text,
        )
        for each in spend.lines
    ]

    def text() -> list[str]:
        total = f"{spend.total.text} since {spend.since:%d %B}, {spend.per_hour.text}/h"
        return [total, *table(head, rows, "Nothing has run this month.")]

    return show(arguments, spend, text)
