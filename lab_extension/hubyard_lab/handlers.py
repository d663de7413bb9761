"""The doors that the panels use, below the Jupyter server's base URL.

ForwardHandler   `hubyard/api/<path>`: the same call to the platform
SourcesHandler   `hubyard/sources`: packs a file of this workspace and hands it in
PipelinesHandler `hubyard/pipelines`: the pipelines that this workspace holds
HelpHandler      `hubyard/help/<page>`: a page of the guides
PresenceHandler  `hubyard/presence`: somebody is at work here
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from pydantic import Field, ValidationError
from tornado import web

from hubyard.client.source import (
    name_of,
    pack,
    root_by_name,
    root_of,
    root_of_run,
)
from hubyard.contract.base import Written
from hubyard.contract.errors import HubyardError, Invalid
from hubyard.contract.pipeline import is_pipeline
from hubyard_lab.files import find_file
from hubyard_lab.guides import read_guide
from hubyard_lab.pipelines import find_pipelines
from hubyard_lab.platform import POLICY, Answer, Platform, problem

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from hubyard_lab.activity import Activity


class SourceWish(Written):
    """The file to pack, as the file browser names it."""

    path: str = Field(min_length=1, max_length=4096)
    runs: bool = Field(default=False, description="a run shall execute it")
    name: str | None = Field(
        default=None,
        min_length=1,
        max_length=512,
        description="that it has within an earlier source, if it is to keep it",
    )


class _PlatformHandler(APIHandler):
    """Answers with the platform's words, or with a `Problem` of its own."""

    # A panel that refreshes is no sign of a person: idle stop must still come.
    _track_activity = False

    @property
    def content_security_policy(self) -> str:
        """What a page from the platform may do here: nothing.

        It is sandboxed even when the platform forgets to say so, for it shares the
        origin of the workspace, and a notebook's HTML can hold any script.
        """
        return "frame-ancestors 'self'; sandbox"

    async def _answer(self, asked: Awaitable[Answer]) -> None:
        try:
            answer = await asked
        except HubyardError as error:
            answer = problem(error)
        self.set_status(answer.status)
        for name, value in answer.headers.items():
            # A second policy only ever narrows the first.
            add = self.add_header if name == POLICY else self.set_header
            add(name, value)
        if answer.body:  # tornado refuses even an empty write after a 204
            self.write(answer.body)
        await web.RequestHandler.finish(self)  # APIHandler's would claim JSON


class ForwardHandler(_PlatformHandler):
    """The same call to the platform, with the workspace's token."""

    @web.authenticated
    async def get(self, path: str) -> None:
        await self._answer(self._forward(path))

    @web.authenticated
    async def post(self, path: str) -> None:
        await self._answer(self._forward(path))

    @web.authenticated
    async def put(self, path: str) -> None:
        await self._answer(self._forward(path))

    @web.authenticated
    async def patch(self, path: str) -> None:
        await self._answer(self._forward(path))

    @web.authenticated
    async def delete(self, path: str) -> None:
        await self._answer(self._forward(path))

    async def _forward(self, path: str) -> Answer:
        request = self.request
        return await Platform.of_environment().call(
            request.method or "GET",
            path,
            query=request.query,
            body=request.body,
            content_type=request.headers.get("Content-Type"),
        )


class SourcesHandler(_PlatformHandler):
    """Packs a notebook or file of this workspace and hands it to the platform."""

    @web.authenticated
    async def post(self) -> None:
        await self._answer(self._hand_in())

    async def _hand_in(self) -> Answer:
        platform = Platform.of_environment()
        wish = self._wish()
        file = find_file(Path(self.settings["server_root_dir"]), wish.path)
        root = _root_of(file, wish)
        packed = await asyncio.to_thread(pack, file, root)
        reads = wish.runs or file.suffix == ".ipynb" or is_pipeline(file.name)
        asked = {"notebook": name_of(file, root)} if reads else {}
        return await platform.call(
            "POST",
            "sources",
            query=urlencode(asked),
            body=packed,
            content_type="application/gzip",
        )

    def _wish(self) -> SourceWish:
        try:
            return SourceWish.model_validate_json(self.request.body)
        except ValidationError:
            raise Invalid(
                'Say which file: {"path": "folder/notebook.ipynb"}.', field="path"
            ) from None


def _root_of(file: Path, wish: SourceWish) -> Path:
    if not wish.runs:
        return root_of(file)
    return root_by_name(file, wish.name) if wish.name else root_of_run(file)


class PipelinesHandler(_PlatformHandler):
    """The pipelines that this workspace holds; the platform is not asked."""

    @web.authenticated
    async def get(self) -> None:
        await self._answer(self._find())

    async def _find(self) -> Answer:
        root = Path(self.settings["server_root_dir"])
        found = await asyncio.to_thread(find_pipelines, root)
        return Answer(
            status=200,
            headers={"Content-Type": "application/json"},
            body=json.dumps([each.model_dump() for each in found]).encode(),
        )


class HelpHandler(_PlatformHandler):
    """A page of the guides, as Markdown; the platform is not asked."""

    @web.authenticated
    async def get(self, page: str) -> None:
        await self._answer(self._read(page))

    async def _read(self, page: str) -> Answer:
        return Answer(
            status=200,
            headers={"Content-Type": "text/markdown; charset=utf-8"},
            body=read_guide(page).encode(),
        )


class PresenceHandler(_PlatformHandler):
    """A person is at work in a page of this workspace."""

    def initialize(self, activity: Activity) -> None:
        """Take what keeps it; called by tornado before each request."""
        self._activity = activity

    @web.authenticated
    async def post(self) -> None:
        self._activity.here()
        self.set_status(204)
        await web.RequestHandler.finish(self)


def add_handlers(web_app: web.Application, activity: Activity) -> None:
    """Add the doors to a Jupyter server."""
    base = url_path_join(web_app.settings["base_url"], "hubyard")
    web_app.add_handlers(
        ".*$",
        [
            (url_path_join(base, "api", "(.*)"), ForwardHandler),
            (url_path_join(base, "sources"), SourcesHandler),
            (url_path_join(base, "pipelines"), PipelinesHandler),
            (url_path_join(base, "help", "(.*)"), HelpHandler),
            (url_path_join(base, "presence"), PresenceHandler, {"activity": activity}),
        ],
    )
