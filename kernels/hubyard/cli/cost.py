"""`compute`, `workloads`, `extend`, `cost` and `budget`: what there is and costs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from hubyard.cli.ask import add_dry_run, add_yes, agreed
from hubyard.cli.show import add_command, say, show
from hubyard.client import Client
from hubyard.contract.budget import BudgetRequest, Scope, Stop, WhenSpent
from hubyard.contract.duration import duration_text
from hubyard.contract.errors import Invalid
from hubyard.reading import duration, named
from hubyard.showing import (
    budget_line,
    compute_table,
    moment,
    spend_lines,
    spend_table,
    table,
)

if TYPE_CHECKING:
    import argparse

    from hubyard.cli.show import Subparsers

_HOUR_S = 3600


def add_commands(subparsers: Subparsers) -> None:
    """Add the commands of this noun."""
    add_command(subparsers, "compute", "List compute and its prices", _compute)
    add_command(subparsers, "workloads", "List what of yours runs now", _workloads)
    extend = add_command(
        subparsers, "extend", "Let a running workload run longer", _extend
    )
    extend.add_argument(
        "workload", type=named, help="as `hubyard workloads` names it, or its entry"
    )
    extend.add_argument(
        "--for",
        dest="seconds",
        type=duration,
        default=_HOUR_S,
        metavar="TIME",
        help="how much longer: 30m, 1h, 2d (default 1h)",
    )
    add_dry_run(extend)
    cost = add_command(subparsers, "cost", "Show what this month has cost", _cost)
    cost.add_argument(
        "--everybody", action="store_true", help="of all users: for administrators"
    )
    cost.add_argument("--csv", action="store_true", help="print your ledger as CSV")
    budget = add_command(
        subparsers, "budget", "Show budgets, or set one (administrators)", _budget
    )
    budget.add_argument("scope", nargs="?", choices=[*Scope], help="whose budget")
    budget.add_argument("name", nargs="?", type=named, help="of whom or what")
    budget.add_argument("amount", nargs="?", help="for each month, such as 50")
    budget.add_argument(
        "--group", help="of a project: the hub group whose members may spend it"
    )
    budget.add_argument("--soft", action="store_true", help="warn, and refuse nothing")
    budget.add_argument(
        "--stop-endpoints",
        action="store_true",
        help="once it is spent, stop endpoints and apps as well",
    )
    budget.add_argument("--remove", action="store_true", help="let it be without one")
    add_yes(budget)


def _compute(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        catalogue = client.compute()
    return show(arguments, catalogue, compute_table(catalogue).lines)


def _workloads(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        found = client.workloads()
    head = ("WORKLOAD", "NAME", "COMPUTE", "PRICE/H", "COST", "LEFT", "URL")
    rows = [
        (
            each.server_name or "workspace",
            each.name,
            each.compute,
            each.price.text,
            each.cost.text,
            f"{duration_text(each.seconds_left)} ({each.ends})",
            each.url,
        )
        for each in found
    ]
    return show(arguments, found, lambda: table(head, rows, "Nothing runs."))


def _extend(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        found = client.find_workload(arguments.workload)
        seconds: int = arguments.seconds
        say(
            f"{found.name} costs {found.price.text} an hour and "
            f"ends {moment(found.deadline)} ({found.ends}); it would get "
            f"{duration_text(seconds)} more"
        )
        if arguments.dry_run:
            return show(arguments, found, list)
        if not agreed(arguments, "Extend it?"):
            return 1
        longer = client.extend(found.entry_id, seconds)
    return show(arguments, longer, lambda: [f"It ends {moment(longer.deadline)}."])


def _cost(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        if arguments.csv:
            sys.stdout.write(client.ledger_csv().decode())
            return 0
        spend = client.everybodys_spend() if arguments.everybody else client.spend()

    def text() -> list[str]:
        return [*spend_lines(spend), *spend_table(spend).lines()]

    return show(arguments, spend, text)


def _budget(arguments: argparse.Namespace) -> int:
    with Client.from_environment() as client:
        if arguments.scope is None:
            found = client.budgets.list()
            none = ["There is no budget: nothing is refused."]
            return show(arguments, found, lambda: [*map(budget_line, found)] or none)
        if arguments.name is None:
            raise Invalid("Say whose: hubyard budget user ana 50.")
        scope = Scope(arguments.scope)
        if arguments.remove:
            if not agreed(arguments, f"Remove the budget of {arguments.name}?"):
                return 1
            client.budgets.remove(scope, arguments.name)
            return show(arguments, {"removed": arguments.name}, lambda: ["It is gone."])
        if arguments.amount is None:
            raise Invalid("Say how much: hubyard budget user ana 50.")
        request = BudgetRequest(
            amount=arguments.amount,
            group=arguments.group,
            stop=Stop.SOFT if arguments.soft else Stop.HARD,
            endpoints=WhenSpent.STOP if arguments.stop_endpoints else WhenSpent.KEEP,
        )
        made = client.budgets.set(scope, arguments.name, request)
    return show(arguments, made, lambda: [budget_line(made)])
