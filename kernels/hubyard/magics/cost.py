"""`%compute` and `%cost`: what there is, and what it costs."""

from __future__ import annotations

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments

from hubyard.contract.duration import duration_text
from hubyard.magics.show import Table, asking, confirmed, read, say
from hubyard.reading import duration
from hubyard.showing import (
    Shown,
    compute_table,
    moment,
    price_line,
    spend_lines,
    spend_table,
)


@magics_class
class CostMagics(Magics):
    """The magics of compute and cost."""

    @magic_arguments()
    @argument("profile", nargs="?", help="show the price of this compute alone")
    @argument("--extend", type=duration, help="let this workspace run longer: 2h")
    @argument("--dry-run", action="store_true", help="show the price, extend nothing")
    @line_magic
    def compute(self, line: str) -> Table | None:
        """Show the compute that you may use and its prices, or extend this one."""
        wish = read(self.compute, line)
        if wish.extend is not None:
            self._extend(wish.extend, dry_run=wish.dry_run)
            return None
        with asking() as client:
            if wish.profile is not None:
                say(price_line(client.estimate(wish.profile)))
                return None
            catalogue = client.compute()
        return _table(compute_table(catalogue))

    def _extend(self, seconds: int, *, dry_run: bool) -> None:
        with asking() as client:
            own = client.workload()
            if own.extension and own.extension.refusal:
                raise UsageError(own.extension.refusal)
            say(
                f"{own.compute} costs {own.price.text} an hour; this ends "
                f"{moment(own.deadline)}, and would get {duration_text(seconds)} more"
            )
            if not dry_run and confirmed("Extend it?"):
                say(f"it ends {moment(client.extend(own.entry_id, seconds).deadline)}")

    @magic_arguments()
    @argument("--everybody", action="store_true", help="of all, for administrators")
    @line_magic
    def cost(self, line: str) -> Table:
        """Show what this month has cost, and what is left of the budget."""
        wish = read(self.cost, line)
        with asking() as client:
            spend = client.everybodys_spend() if wish.everybody else client.spend()
        return _table(spend_table(spend), "\n".join(spend_lines(spend)))


def _table(shown: Shown, above: str = "") -> Table:
    head = tuple(name.capitalize() for name in shown.head)
    return Table(head, shown.rows, shown.empty, above)
