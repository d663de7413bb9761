"""Engines alone, each with a real kernel, without the run around them."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import nbformat

from hubyard_runtime.run.step.engine import Engine
from hubyard_runtime.run.step.failure import Broken
from hubyard_runtime.run.step.kernel import Kernel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

    from hubyard.contract.run import RunFailure

NOBODY: Any = SimpleNamespace(
    cell_started=lambda _index: None, cell_succeeded=lambda _index, _bytes: None
)


@contextlib.asynccontextmanager
async def engine_of(
    folder: Path,
    sources: Iterable[str | tuple[str, str]],
    kind: type[Engine] = Engine,
    **kernel_options: Any,
) -> AsyncIterator[Engine]:
    """An engine for these cells, some with a tag, in a kernel that has been started."""
    notebook: Any = notebook_of(sources)
    environment = kernel_options.pop("environment", {})
    kernel = Kernel(folder, folder, environment, **kernel_options)
    await kernel.start()
    engine = kind(notebook, kernel, NOBODY, None)
    try:
        yield engine
    finally:
        await kernel.close(engine.kc)


def notebook_of(sources: Iterable[str | tuple[str, str]]) -> SimpleNamespace:
    """What an engine needs to know of a notebook."""
    pairs = [(each, None) if isinstance(each, str) else each for each in sources]
    cells = [
        nbformat.v4.new_code_cell(source, metadata={"tags": [tag] if tag else []})
        for source, tag in pairs
    ]
    return SimpleNamespace(
        node=nbformat.v4.new_notebook(cells=cells),
        cells_to_run=list(range(len(cells))),
        pause_s=60,
    )


async def outcome(engine: Engine, index: int) -> RunFailure | None:
    """Why a cell has failed; None: it has not."""
    try:
        await engine._run_cell(index, f"Cell {index + 1}")
    except Broken as broken:
        return broken.failure
    return None


def text_shown(engine: Engine, index: int) -> str:
    """What a cell has printed."""
    outputs = engine.nb.cells[index].outputs
    return "".join(each.get("text", "") for each in outputs)
