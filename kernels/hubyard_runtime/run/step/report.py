"""A report: the executed notebook as one HTML file."""

from __future__ import annotations

import logging
import time
from functools import cache
from typing import TYPE_CHECKING

from hubyard_runtime.run.system.files import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from nbconvert.exporters.html import HTMLExporter

_log = logging.getLogger(__name__)

_NO_SCRIPTS = "".join(
    f"{{%- block {part} -%}}{{%- endblock -%}}"
    for part in (
        "html_head_js",
        "jupyter_widgets",
        "html_head_js_mathjax",
        "html_head_js_mermaidjs",
    )
)
"""nbconvert's page without the scripts that it would fetch from elsewhere: a report is
shown in a sandbox, where none of them runs."""
_ANCHOR = (
    "{%- block codecell -%}"
    "{%- if (cell.metadata.papermill or {}).status == 'failed' -%}"
    '<a id="failed"></a>'
    "{%- endif -%}"
    "{{ super() }}"
    "{%- endblock -%}"
)
"""`#failed` is the cell that broke."""


def render(notebook: Path, report: Path) -> None:
    """Write the report of a notebook; the run stands without it."""
    begun = time.monotonic()
    try:
        html, _ = _exporter().from_filename(str(notebook))
        write_whole(report, html.encode(errors="replace"))
    except Exception as error:  # noqa: BLE001  a template meets whatever outputs hold
        reason = str(error).partition("\n")[0]
        _log.warning("The report could not be made: %s.", reason)
        return
    _log.info("The report was made in %.1f s.", time.monotonic() - begun)


@cache
def _exporter() -> HTMLExporter:
    """The exporter; to compile its templates takes longer than to use them."""
    from jinja2 import DictLoader  # noqa: PLC0415  wanted at the end only
    from nbconvert.exporters.html import HTMLExporter  # noqa: PLC0415  the same

    page = "report.html.j2"
    template = f"{{%- extends 'index.html.j2' -%}}{_NO_SCRIPTS}{_ANCHOR}"
    ours = DictLoader({page: template})
    return HTMLExporter(extra_loaders=[ours], template_file=page)
