"""`%schedule`: a notebook that runs by itself."""

from __future__ import annotations

from pathlib import Path

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments

from hubyard.contract.schedule import PreviewRequest, ScheduleRequest
from hubyard.magics.arguments import COMPUTE, DRY_RUN, LIFETIME, options, parameters
from hubyard.magics.show import Lines, asking, confirmed, read, say, this_notebook
from hubyard.options import POLICY, TRIGGER, policy_of
from hubyard.reading import trigger_of
from hubyard.showing import due, preview_lines, rate

_FIELDS = 5
_NO_WEBHOOK = (
    "Its secret would be kept in this notebook: use `hubyard schedule` in a terminal, "
    "or Schedule in the toolbar."
)


@magics_class
class ScheduleMagics(Magics):
    """The magic of schedules."""

    @magic_arguments()
    @argument("what", nargs="*", help='[NOTEBOOK] and a cron such as "30 2 * * 1-5"')
    @options(TRIGGER)
    @argument("--on-webhook", action="store_true", help="(by `hubyard schedule` alone)")
    @parameters(of="a parameter of the notebook")
    @COMPUTE
    @LIFETIME
    @argument("--name", help="what to call it")
    @options(POLICY)
    @DRY_RUN
    @line_magic
    def schedule(self, line: str) -> Lines | None:
        """Schedule a notebook: this one, if none is named. Its saved file is taken."""
        given = read(self.schedule, line)
        if given.on_webhook:
            raise UsageError(_NO_WEBHOOK)
        has_trigger = given.on_file is not None or given.on_model is not None
        named, cron = _split(given.what, fields=0 if has_trigger else _FIELDS)
        with asking() as client:
            notebook = named or this_notebook()
            source = client.sources.upload_notebook(notebook)
            wish = ScheduleRequest(
                source=source.digest,
                notebook=source.notebook,
                name=given.name,
                cron=cron,
                on=trigger_of(given),
                parameter_texts=given.parameter,
                compute=given.compute or source.compute,
                lifetime_s=given.ttl,
                **policy_of(given),
            )
            preview = client.schedules.preview(PreviewRequest.of(wish))
            for text in preview_lines(preview):
                say(text)
            question = f"Schedule {wish.notebook} for about {rate(preview)}?"
            if given.dry_run or not confirmed(question):
                return None
            made = client.schedules.create(wish)
        if made.cron is None:
            return Lines(f"{made.name} is scheduled: {made.text}, {rate(made)}")
        return Lines(
            f"{made.name} is scheduled: {made.text} ({made.time_zone})",
            f"next: {due(made.next_fire, made.time_zone)}, {rate(made)}",
        )


def _split(words: list[str], fields: int) -> tuple[Path | None, str | None]:
    """Notebook, and a cron of so many fields, which may stand without its quotes."""
    fields = fields if len(words) >= fields else 1
    notebook, cron = words[: len(words) - fields], words[len(words) - fields :]
    if len(notebook) > 1 or len(cron) < fields:
        raise UsageError('Write %schedule [NOTEBOOK] "30 2 * * 1-5".')
    return Path(notebook[0]) if notebook else None, " ".join(cron) or None
