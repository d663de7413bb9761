"""A tagged notebook: one notebook whose cells say, by their tags, which step is theirs.

`step:<name>` begins a step, `prev:<name>` is a step that it comes after. Cells tagged
`imports` or `functions`, and those above the first tag, stand in front of each step, as
does `parameters` (or `pipeline-parameters`), which holds the parameters; `skip` belongs
to none. A code cell without such a tag belongs to what the one above it belongs to.

blocks     which cell belongs to which step
code       a cell's text, parsed as IPython would
reading    what a cell does with names (effects): what it uses, binds and changes
names      what the names of the whole notebook have to do with one another
order      which steps come after which, so that all is as from top to bottom
needs      which variables each step takes and leaves
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hubyard.contract.parameters import parameters_of
from hubyard.contract.pipeline import StepPlan
from hubyard_hub.sources.tagged.blocks import CODE_LIMIT_BYTES, Blocks, is_tagged
from hubyard_hub.sources.tagged.code import MAGIC_LIMIT_BYTES
from hubyard_hub.sources.tagged.names import Names
from hubyard_hub.sources.tagged.needs import Needs
from hubyard_hub.sources.tagged.order import Order, ancestors
from hubyard_hub.sources.tagged.outside import check_outside

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hubyard.contract.source import Parameter

__all__ = ["CODE_LIMIT_BYTES", "MAGIC_LIMIT_BYTES", "is_tagged", "read_tagged"]


def read_tagged(
    document: Mapping[str, Any], path: str
) -> tuple[tuple[Parameter, ...], tuple[StepPlan, ...]]:
    """The parameters and the steps of a tagged notebook.

    Raises:
        Invalid: naming the cell, the line, and what to write.
    """
    blocks = Blocks(document, path)
    names = Names(blocks.cells)
    whole = [names.whole(cell.effects) for cell in blocks.cells]
    check_outside(blocks, names)
    after = Order(blocks, names, whole).steps(blocks)
    needs = Needs(blocks, names, whole, ancestors(after, after))
    steps = tuple(
        StepPlan(
            name=name,
            file=path,
            cells=tuple(c.index for c in blocks.cells if c.step in {None, name}),
            after=before,
            variables=needs.variables(name),
        )
        for name, before in after.items()
    )
    return parameters_of(document), steps
