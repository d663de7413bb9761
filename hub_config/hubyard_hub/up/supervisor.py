"""The supervisor: keeps four processes running until it is told to end.

Where it is killed itself, they go on serving, and the next supervisor adopts them.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import httpx

from hubyard.contract.base import now
from hubyard_hub.settings import ROUTES_SERVICE, make_private_folder
from hubyard_hub.up.adoption import made_of
from hubyard_hub.up.health import client
from hubyard_hub.up.keeper import Keeper
from hubyard_hub.up.logs import keep_all_short
from hubyard_hub.up.processes import processes
from hubyard_hub.up.report import ProcessReport, Report, Running

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hubyard_hub.settings import Settings

_ROUTES_AGAIN_S = 0.2


class Supervisor:
    """Keeps the four, writes the report, restores routes."""

    def __init__(
        self,
        settings: Settings,
        tell: Callable[[str], None],
        adopts: Mapping[str, ProcessReport] | None = None,
    ) -> None:
        """Know what to keep.

        Args:
            settings: of the deployment.
            tell: shows a line to whoever has started us.
            adopts: what an earlier supervisor has left to be taken over, by name.
        """
        self._settings = settings
        self._tell = tell
        self._started_at = now()
        self._http = client()
        logs = self._logs = settings.state / "logs"
        make_private_folder(logs)
        four, left = processes(settings), adopts or {}
        self._made_of = {each.name: made_of(each, settings) for each in four}
        self.keepers = {
            each.name: Keeper(each, logs, self._http, tell, adopts=left.get(each.name))
            for each in four
        }
        self._routes_wanted = asyncio.Event()

    async def run(self, until: asyncio.Event, on_ready: Callable[[], None]) -> None:
        """Keep the four until `until` is set; then end them."""
        tasks = [
            asyncio.create_task(keeper.keep(self._changed(name)))
            for name, keeper in self.keepers.items()
        ]
        tasks.append(asyncio.create_task(self._keep_routes()))
        tasks.append(asyncio.create_task(keep_all_short(self._logs)))
        tasks.append(asyncio.create_task(self._announce(on_ready)))
        try:
            await until.wait()
        finally:
            await asyncio.gather(*(keeper.stop() for keeper in self.keepers.values()))
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._http.aclose()

    async def _announce(self, on_ready: Callable[[], None]) -> None:
        for keeper in self.keepers.values():
            await keeper.healthy.wait()
        on_ready()

    def _changed(self, name: str) -> Callable[[], None]:
        def changed() -> None:
            if name == "proxy" and self.keepers[name].healthy.is_set():
                self._routes_wanted.set()
            try:
                self.report().save(self._settings.state)
            except OSError as error:  # a full disk must not end the keeping
                self._tell(f"The report cannot be written: {error.strerror}")

        return changed

    def report(self) -> Report:
        """How everything is now."""
        return Report(
            supervisor=Running.of(os.getpid()),
            url=self._settings.public_url,
            started_at=self._started_at,
            processes=tuple(
                ProcessReport(
                    name=name,
                    running=keeper.running,
                    healthy=keeper.healthy.is_set(),
                    restarts=keeper.restarts,
                    made_of=self._made_of[name],
                    last_end=keeper.last_end,
                )
                for name, keeper in self.keepers.items()
            ),
        )

    async def _keep_routes(self) -> None:
        """After each start of the proxy, have the hub give it its routes at once."""
        token = self._settings.secret(f"service_{ROUTES_SERVICE}")
        headers = {"Authorization": f"token {token}"}
        url = f"{self._settings.hub_api_url}/proxy"
        while True:
            await self._routes_wanted.wait()
            self._routes_wanted.clear()
            await self.keepers["hub"].healthy.wait()
            try:
                answer = await self._http.post(url, headers=headers)
                answer.raise_for_status()
            except httpx.HTTPError:
                self._routes_wanted.set()
                await asyncio.sleep(_ROUTES_AGAIN_S)
