"""What a cell changes outside of the notebook's names, where no step could see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hubyard_hub.sources.tagged.blocks import Blocks, Cell
    from hubyard_hub.sources.tagged.names import Names


def check_outside(blocks: Blocks, names: Names) -> None:
    """Accept a notebook whose steps share nothing but its names.

    Raises:
        Invalid: naming the cell, the line, and what to write.
    """
    last = {cell.step: cell.index for cell in blocks.cells if cell.step}
    for above, cell in zip([None, *blocks.cells], blocks.cells, strict=False):
        if cell.step is None:
            continue
        for line, says in cell.effects.unclear.items():
            raise blocks.mistakes.at(cell.index, says, line)
        _check_underscore(blocks, names, cell, above)
        if any(s != cell.step and at > cell.index for s, at in last.items()):
            _check_modules(blocks, names, cell)


def _check_underscore(
    blocks: Blocks, names: Names, cell: Cell, above: Cell | None
) -> None:
    """`_` is what the last cell has shown, if that one is of the same step."""
    line = cell.effects.exposed.get("_")
    of_same_step = above is not None and above.step == cell.step
    if line and not of_same_step and "_" not in names.bound:
        raise blocks.mistakes.at(
            cell.index,
            "_ is what the cell above has shown, in another step: keep it in a "
            "variable",
            line,
        )


def _check_modules(blocks: Blocks, names: Names, cell: Cell) -> None:
    """What is set in a module is not set in the process of the next step."""
    effects = cell.effects
    stores = {n: at for n, at in effects.stores.items() if n in names.modules}
    settings = {n: at for n, at in effects.settings.items() if n in names.imported}
    for name, line in {**stores, **settings}.items():
        raise blocks.mistakes.at(
            cell.index,
            f"it changes {name}, which the other steps import anew: move this line to "
            "a cell tagged imports",
            line,
        )
