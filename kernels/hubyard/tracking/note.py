"""A note: the one line that a cell shows for what it has tracked."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow.entities import Run


class TrackedNote:
    """The note of one cell: its last tracked run, and how many more there are."""

    def __init__(self, run: Run, count: int, warnings: Sequence[str] = ()) -> None:
        self._name = run.info.run_name or run.info.run_id
        self._metrics = run.data.metrics
        self._failed = run.info.status in {"FAILED", "KILLED"}
        self._more = count - 1
        self._id = run.info.run_id
        self._warnings = warnings

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:  # noqa: ANN401  IPython's
        return {
            "text/plain": self.text(),
            "text/html": f'<small data-tracked-run="{html.escape(self._id)}">'
            f"{html.escape(self.text()).replace(chr(10), '<br>')}</small>",
        }

    def text(self) -> str:
        """Name, first score, how many more runs there are, and what MLflow warns of."""
        scores = [name for name in self._metrics if name.endswith("score")]
        score = min(scores, key=len, default=None)  # the plainest: training_score
        shown = f", {score} {self._metrics[score]:.3f}" if score else ""
        more = f" and {self._more} more" if self._more else ""
        ended = ", failed" if self._failed else ""
        line = f"Tracked as {self._name}{more}{ended}{shown}"
        return "\n".join([line, *(f"MLflow warns: {said}" for said in self._warnings)])
