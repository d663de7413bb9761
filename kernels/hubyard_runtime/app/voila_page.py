"""A page of Voila's: one execution of the notebook, for one visitor.

Voila tells visitors to start it with other options where a cell fails. Here they read
a sentence; the traceback goes into the app's log, for its owner.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import unquote

from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbconvert.filters import strip_ansi
from nbconvert.preprocessors.clearoutput import ClearOutputPreprocessor
from nbformat.v4 import new_output
from voila.execute import strip_code_cell_warnings
from voila.notebook_renderer import NotebookRenderer

from hubyard_runtime.app import first

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from hubyard_runtime.app.first import FirstVisit

_MAY_RAISE = "raises-exception"


class Page(NotebookRenderer):
    """Executes cell after cell until one fails, as the templates ask for them."""

    visit: ClassVar[FirstVisit]

    async def _jinja_notebook_execute(self, nb: Any, kernel_id: str) -> None:  # noqa: ANN401  Voila's notebooks
        """For templates that show nothing before all has run."""
        nb.cells = [cell async for cell in self._jinja_cell_generator(nb, kernel_id)]

    async def _jinja_cell_generator(
        self,
        nb: Any,  # noqa: ANN401  Voila's notebooks
        kernel_id: str,
    ) -> AsyncGenerator[Any]:
        del kernel_id
        resources = {"metadata": {"path": self.cwd}}
        book, _ = ClearOutputPreprocessor().preprocess(nb, resources)
        total = len(book.cells)
        for number, cell in enumerate(book.cells, 1):
            why = await self._execute(cell, number)
            if why is not None:
                self._tell(f"Cell {number} of {total} failed: {why}", cell)
            yield _for_visitors(cell)
            if why is not None:
                break
        await self._cleanup_resources()

    async def _execute(self, cell: Any, number: int) -> str | None:  # noqa: ANN401  Voila's notebooks
        """Run a cell; returns why it has failed.

        Not its reply decides: `%run` and other magics show an error and go on.
        """
        asked: list[str] = []
        self.executor.on_cell_executed = lambda **said: asked.extend(_payloads(said))
        try:
            await self.executor.async_execute_cell(
                cell, number - 1, store_history=False
            )
        except CellExecutionError as error:
            # The reply says no; the error itself may not have been shown.
            if not _errors(cell):
                _add_error(cell, error.ename, error.evalue)
        except DeadKernelError:
            _add_error(cell, "DeadKernel", "the kernel has ended")
        if "ask_exit" in asked:
            _add_error(cell, "SystemExit", "it ends the kernel of its page")
        if _MAY_RAISE in cell.metadata.get("tags", []):
            return None
        said = [f"{each.ename}: {each.evalue}" for each in _errors(cell)]
        return strip_ansi(said[-1]) if said else None

    def _tell(self, failure: str, cell: Any) -> None:  # noqa: ANN401  Voila's notebooks
        """Write the traceback into the log, and fail the first visit by it."""
        handler: Any = self.request_handler
        headers = handler.request.headers
        visitor = unquote(headers.get("X-Hubyard-User", "")) or "nobody"
        lines = [line for each in _errors(cell) for line in each.traceback]
        traceback = strip_ansi("\n".join(lines))
        sys.stderr.write(f"{traceback}\n{failure} (the visitor was {visitor})\n")
        sys.stderr.flush()
        if first.is_first(headers):
            self.visit.fail(failure)


def _payloads(said: dict[str, Any]) -> list[str]:
    content = said["execute_reply"]["content"]
    return [each.get("source", "") for each in content.get("payload", [])]


def _errors(cell: Any) -> list[Any]:  # noqa: ANN401  Voila's notebooks
    return [o for o in cell.get("outputs", []) if o.output_type == "error"]


def _add_error(cell: Any, name: str, value: str) -> None:  # noqa: ANN401  Voila's notebooks
    said = f"{name}: {value}"
    cell.outputs.append(new_output("error", ename=name, evalue=value, traceback=[said]))


def _for_visitors(cell: Any) -> Any:  # noqa: ANN401  Voila's notebooks
    """The cell without what was written to stderr, each error being a sentence."""
    strip_code_cell_warnings(cell)
    for error in _errors(cell):
        error.ename, error.evalue = "Error", first.SENTENCE
        error.traceback = [first.SENTENCE]
    return cell
