"""The oracle: plain papermill, which says what must happen to a notebook."""

from __future__ import annotations

import json
import tempfile
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import papermill
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError

from peers.case import NOTEBOOK, Answer
from peers.shown import first_error, of_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from peers.case import Case

_MARK = "papermill-error-cell-tag"
_AT_ONCE = 2


def answers(cases: Sequence[Case]) -> dict[str, Answer]:
    """What papermill makes of these cases; it changes its process' own folder."""
    with ProcessPoolExecutor(_AT_ONCE) as pool:
        return dict(zip([c.name for c in cases], pool.map(answer, cases), strict=True))


def answer(case: Case) -> Answer:
    """Execute a case with papermill, beside its files."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(case, folder)
        made = folder / "made.ipynb"
        has_failed = False
        try:
            papermill.execute_notebook(
                str(folder / NOTEBOOK),
                str(made),
                parameters=case.parameters,
                kernel_name="python3",
                cwd=name,
                progress_bar=False,
            )
        except (PapermillExecutionError, DeadKernelError):
            has_failed = True
        return _read(made, has_failed=has_failed)


def write(case: Case, folder: Path) -> None:
    """Lay a case and what lies beside it into a folder."""
    (folder / NOTEBOOK).write_bytes(case.content)
    for name, content in case.files.items():
        file = folder / name
        with suppress(FileExistsError):
            file.parent.mkdir(parents=True)
        file.write_text(content)


def _read(made: Path, *, has_failed: bool) -> Answer:
    found = json.loads(made.read_text())["cells"]
    cells = [c for c in found if _MARK not in c["metadata"].get("tags", [])]
    index, error = (first_error(cells) if has_failed else None) or (None, None)
    assert has_failed is (error is not None), f"papermill says nothing of {made}"
    return Answer(error, index, of_cells(cells, index))
