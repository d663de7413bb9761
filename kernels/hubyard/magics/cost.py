"""`%compute` and `%cost`: what there is, and what it costs."""

from __future__ import annotations

from IPython.core.magic import Magics, line_magic, magics_class
from IPython.core.magic_arguments import magic_arguments

from hubyard.cli.show import moment
from hubyard.contract.duration import duration_text
from hubyard.magics.show import Table, asking, read

_GIB = 2**30


@magics_class
class CostMagics(Magics):
    """The magics of compute and cost."""

    @magic_arguments()
    @line_magic
    def compute(self, line: str) -> Table:
        """Show the compute that you may use, and its prices."""
        read(self.compute, line)
        with asking() as client:
            catalogue = client.compute()
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
        head = ("Name", "Price/h", "CPU", "Memory", "Longest", "Description")
        return Table(head, rows, "No compute is offered to you.")

    @magic_arguments()
    @line_magic
    def cost(self, line: str) -> Table:
        """Show what you have spent since the first of the month."""
        read(self.cost, line)
        with asking() as client:
            spend = client.spend()
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
        head = ("Workload", "Compute", "Started", "Ended", "Cost")
        above = f"{spend.total.text} since {spend.since:%d %B}, {spend.per_hour.text}/h"
        return Table(head, rows, "Nothing has run this month.", above)
