"""Metrics: money and usage in Prometheus' words, gathered when they are asked for.

Format: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from hubyard.contract.money import MICROS
from hubyard.contract.workload import Kind
from hubyard_hub.money.lines import IS_OPEN, LINES, read_lines
from hubyard_hub.money.usage import latest_samples
from hubyard_spawner.local.folder import Folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prometheus_client.core import Metric

    from hubyard.contract.budget import Budget
    from hubyard.contract.spend import Spend
    from hubyard_hub.parts import Books

CONTENT_TYPE = CONTENT_TYPE_LATEST


def exposition(books: Books) -> bytes:
    """Every metric of this moment, in the text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(books))
    return generate_latest(registry)


class _Collector:
    def __init__(self, books: Books) -> None:
        self._books = books

    def collect(self) -> Iterator[Metric]:
        books = self._books
        currency = books.catalogue.currency
        spend = books.spending.everybody(currency)
        yield from _spend(spend, currency)
        yield from _budgets(spend.budgets)
        yield from self._workloads(currency)

    def _workloads(self, currency: str) -> Iterator[Metric]:
        with self._books.store.read() as connection:
            lines = read_lines(connection, LINES.where(IS_OPEN))
            used = latest_samples(connection, [line.entry.id for line in lines])
        labels = ["owner", "kind", "server", "compute"]
        price = _gauge("workload_price", f"{currency} per hour", labels)
        left = _gauge("workload_seconds_left", "Until it ends by itself", labels)
        cores = _gauge("workload_cores", "Cores in use", labels)
        memory = _gauge("workload_memory_bytes", "Memory in use", labels)
        workloads = self._books.settings.workloads
        for line in lines:
            entry = line.entry
            server = [entry.owner, entry.kind, entry.server_name, entry.compute]
            price.add_metric(server, entry.price_micros / MICROS)
            own = Folder.of(workloads, entry.id).now()
            remains = (line.deadline.at - own).total_seconds()
            left.add_metric(server, max(remains, 0))
            if (sample := used.get(entry.id)) is not None:
                cores.add_metric(server, sample.cores)
                memory.add_metric(server, sample.memory_bytes)
        yield from (price, left, cores, memory)


def _budgets(budgets: Iterable[Budget]) -> Iterator[Metric]:
    labels = ["scope", "name"]
    amount = _gauge("budget_amount", "What an account may spend a month", labels)
    spent = _gauge("budget_spent", "What it has spent this month", labels)
    reserved = _gauge("budget_reserved", "What running workloads reserve", labels)
    for each in budgets:
        account = [each.scope, each.name]
        amount.add_metric(account, each.amount.micros / MICROS)
        spent.add_metric(account, each.spent.micros / MICROS)
        reserved.add_metric(account, each.reserved.micros / MICROS)
    yield from (amount, spent, reserved)


def _spend(spend: Spend, currency: str) -> Iterator[Metric]:
    month = _gauge("spend_month", f"Spent this month, {currency}", ["kind"])
    for kind in Kind:
        month.add_metric([kind], spend.by_kind[kind].micros / MICROS)
    owners = _gauge("spend_month_by_owner", "The same by owner", ["owner"])
    for part in spend.by_owner:
        owners.add_metric([part.name], part.cost.micros / MICROS)
    projects = _gauge("spend_month_by_project", "The same by project", ["project"])
    for part in spend.by_project:
        projects.add_metric([part.name], part.cost.micros / MICROS)
    yield from (month, owners, projects)
    for name, says, amount in (
        ("spend_forecast", "What the month may come to", spend.forecast),
        ("spend_per_hour", "What is being spent now", spend.per_hour),
        ("spend_unused", "Paid for while nothing was computed", spend.unused),
    ):
        gauge = _gauge(name, says, [])
        gauge.add_metric([], amount.micros / MICROS)
        yield gauge


def _gauge(name: str, says: str, labels: list[str]) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"hubyard_{name}", says, labels=labels)
