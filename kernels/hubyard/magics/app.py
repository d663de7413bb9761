"""`%app`: a web app made from a notebook or a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments

from hubyard.contract.app import AppRequest, Framework, parse_share
from hubyard.contract.workload import Status
from hubyard.magics.arguments import COMPUTE, DRY_RUN, LIFETIME
from hubyard.magics.show import (
    Lines,
    asking,
    confirmed,
    read,
    say,
    this_notebook,
)
from hubyard.showing import price_line

if TYPE_CHECKING:
    from hubyard.contract.app import App


@magics_class
class AppMagics(Magics):
    """The magic of apps."""

    @magic_arguments()
    @argument("file", nargs="?", type=Path, help="a notebook or .py; else this one")
    @argument("--name", help="what to call it")
    @argument(
        "--framework",
        choices=[each.value for each in Framework],
        help="if not by its name",
    )
    @argument("--share", metavar="user:NAME|group:NAME", help="who may open it")
    @COMPUTE
    @LIFETIME
    @DRY_RUN
    @line_magic
    def app(self, line: str) -> Lines | None:
        """Publish a notebook or file as an app. Its saved file is taken."""
        given = read(self.app, line)
        with asking() as client:
            share = parse_share(given.share) if given.share is not None else None
            file = given.file or this_notebook()
            source = client.sources.upload(file)
            wish = AppRequest(
                source=source.digest,
                path=file.name,
                name=given.name,
                framework=given.framework,
                compute=given.compute or source.compute,
                lifetime_s=given.ttl,
            )
            price = client.estimate(wish.compute, wish.lifetime_s, wish.source)
            say(price_line(price))
            question = f"Publish {wish.path} for at most {price.total.text}?"
            if given.dry_run or not confirmed(question):
                return None
            made = client.apps.publish(wish)
            say(f"{made.name} starts")
            ready = client.apps.wait(made.id)
            if share is not None and ready.status is Status.READY:
                client.apps.share(made.id, share)  # the hub knows only what has started
        return _ready(ready)


def _ready(app: App) -> Lines:
    if app.status is not Status.READY:
        raise UsageError(f"{app.name} {app.status}: {app.reason or 'see its log'}")
    line = f"{app.name} is open on {app.compute} for {app.price.text} an hour"
    return Lines(line, link=app.url)
