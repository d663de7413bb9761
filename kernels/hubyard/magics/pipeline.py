"""`%pipeline`: a notebook, script or pipeline that runs once, on compute of its own."""

from __future__ import annotations

from pathlib import Path

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments

from hubyard.contract.run import RunRequest
from hubyard.contract.workload import Status
from hubyard.magics.arguments import COMPUTE, DRY_RUN, LIFETIME, parameters
from hubyard.magics.show import Lines, asking, confirmed, read, say, this_notebook
from hubyard.showing import Progress, price_line, progress_text


@magics_class
class PipelineMagics(Magics):
    """The magic of runs. IPython's own `%run` runs a file within this kernel."""

    @magic_arguments()
    @argument("file", nargs="?", type=Path, help="a .ipynb, .py, or pipeline .yml")
    @parameters(of="a parameter of it")
    @COMPUTE
    @LIFETIME
    @argument("--name", help="what to call it")
    @argument("--fresh", action="store_true", help="execute also what is cached")
    @argument("--follow", action="store_true", help="stay until it has ended")
    @DRY_RUN
    @line_magic
    def pipeline(self, line: str) -> Lines | None:
        """Run a pipeline once, now: this notebook, if no file is named."""
        given = read(self.pipeline, line)
        with asking() as client:
            source = client.sources.upload_notebook(given.file or this_notebook())
            wish = RunRequest(
                source=source.digest,
                notebook=source.notebook,
                name=given.name,
                parameter_texts=given.parameter,
                compute=given.compute or source.compute,
                lifetime_s=given.ttl,
                fresh=given.fresh,
            )
            price = client.runs.preview(wish)
            say(price_line(price))
            question = f"Run {wish.notebook} for at most {price.total.text}?"
            if given.dry_run or not confirmed(question):
                return None
            run = client.runs.start(wish)
            if not given.follow:
                return Lines(f"{run.name} starts: hubyard logs {run.id} follows it")
            ended = client.runs.wait(run.id, Progress(progress_text, say))
        if ended.status is not Status.SUCCEEDED:
            why = ended.failure.message if ended.failure else f"hubyard logs {run.id}"
            raise UsageError(f"{ended.name} {ended.status}: {why}")
        return Lines(f"{ended.name} {ended.status}: {ended.id}")
