"""A report: the executed notebook as one HTML file."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from hubyard_runtime.run.files import write_whole

if TYPE_CHECKING:
    from pathlib import Path

_log = logging.getLogger(__name__)


def render(notebook: Path, report: Path) -> None:
    """Write the report of a notebook; the run stands without it."""
    from nbconvert.exporters.html import HTMLExporter  # noqa: PLC0415  wanted at the end only

    begun = time.monotonic()
    try:
        html, _ = HTMLExporter().from_filename(str(notebook))
        write_whole(report, html.encode(errors="replace"))
    except Exception as error:  # noqa: BLE001  a template meets whatever outputs hold
        reason = str(error).partition("\n")[0]
        _log.warning("The report could not be made: %s.", reason)
        return
    _log.info("The report was made in %.1f s.", time.monotonic() - begun)
