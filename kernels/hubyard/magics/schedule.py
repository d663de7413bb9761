"""`%schedule`: a notebook that runs whenever its cron comes due."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments

from hubyard.contract.schedule import PreviewRequest, ScheduleRequest
from hubyard.magics.show import Lines, asking, confirmed, read, say, this_notebook
from hubyard.reading import Pairs, duration, named, pair
from hubyard.showing import moment

if TYPE_CHECKING:
    from hubyard.contract.schedule import Preview

_FIELDS = 5


@magics_class
class ScheduleMagics(Magics):
    """The magic of schedules."""

    @magic_arguments()
    @argument("what", nargs="+", help='[NOTEBOOK] and a cron such as "30 2 * * 1-5"')
    @argument("--tz", default="UTC", help="time zone, such as Europe/Berlin")
    @argument(
        *("-p", "--parameter"),
        action=Pairs,
        default={},
        type=pair,
        metavar="NAME=VALUE",
        help="a parameter of the notebook; may be given again",
    )
    @argument("-c", "--compute", type=named, help="a profile (%%compute lists them)")
    @argument("--ttl", type=duration, metavar="TIME", help="lifetime of a run: 30m, 8h")
    @argument("--name", help="what to call it")
    @argument("--dry-run", action="store_true", help="only show what it does and costs")
    @line_magic
    def schedule(self, line: str) -> Lines | None:
        """Schedule a notebook: this one, if none is named. Its saved file is taken."""
        given = read(self.schedule, line)
        named, cron = _split(given.what)
        with asking() as client:
            notebook = named or this_notebook()
            source = client.sources.upload_notebook(notebook)
            wish = ScheduleRequest(
                source=source.digest,
                notebook=source.notebook,
                name=given.name,
                cron=cron,
                time_zone=given.tz,
                parameters=given.parameter,
                compute=given.compute or source.compute,
                lifetime_s=given.ttl,
            )
            preview = client.schedules.preview(PreviewRequest.of(wish))
            _show(preview)
            cost = preview.per_month.text
            question = f"Schedule {wish.notebook} for about {cost} a month?"
            if given.dry_run or not confirmed(question):
                return None
            made = client.schedules.create(wish)
        return Lines(
            f"{made.name} is scheduled: {made.text} ({made.time_zone})",
            f"next: {moment(made.next_fire)}, {made.per_month.text} a month",
        )


def _split(words: list[str]) -> tuple[Path | None, str]:
    """Notebook and cron, which may stand without its quotes."""
    fields = _FIELDS if len(words) >= _FIELDS else 1
    notebook, cron = words[:-fields], " ".join(words[-fields:])
    if len(notebook) > 1:
        raise UsageError('Write %schedule [NOTEBOOK] "30 2 * * 1-5".')
    return Path(notebook[0]) if notebook else None, cron


def _show(preview: Preview) -> None:
    say(preview.text)
    say(f"next: {', '.join(moment(fire) for fire in preview.next_fires)}")
    price = f"{preview.per_run.text} a run, {preview.per_month.text} a month"
    say(f"{price} ({preview.basis})")
