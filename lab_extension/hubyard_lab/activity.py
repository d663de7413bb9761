"""Activity: whether anything happens in this workspace, told to the platform.

It is at work while a kernel computes or a terminal runs a program, whoever looks, and
while a person moves the mouse or types. An open page alone is no work.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import psutil
from tornado.ioloop import PeriodicCallback

from hubyard.contract.errors import HubyardError
from hubyard.contract.usage import ActivityReport
from hubyard_lab.platform import Platform

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from jupyter_server.serverapp import ServerApp

_LOG = logging.getLogger(__name__)
_EVERY_S = 20
_COMPUTES = "busy"
"""A kernel says "starting" until it is first asked something, which may be never."""


class Activity:
    """Since when nothing has happened, by a clock that nobody sets."""

    def __init__(self, server: ServerApp) -> None:
        self._server = server
        self._traces: frozenset[Hashable] = frozenset()
        self._last = time.monotonic()
        self._timer = PeriodicCallback(self.tell, _EVERY_S * 1000)

    def start(self) -> None:
        """Look now and then, and tell the platform."""
        self._timer.start()

    def here(self) -> None:
        """Note that a person is at work."""
        self._last = time.monotonic()

    def idle_s(self) -> int:
        """For how many whole seconds nothing has happened; 0: something does."""
        traces = frozenset(self._look())
        if traces != self._traces or self._is_at_work():
            self.here()
        self._traces = traces
        return int(time.monotonic() - self._last)

    async def tell(self) -> None:
        """Tell the platform, which decides what follows; it may be away."""
        report = ActivityReport(idle_s=self.idle_s())
        try:
            answer = await Platform.of_environment().call(
                "PUT",
                "workloads/self/activity",
                body=report.model_dump_json(exclude_none=True).encode(),
                content_type="application/json",
            )
        except HubyardError as error:
            _LOG.debug("The platform was not told: %s", error.message)
            return
        if answer.status >= HubyardError.status:
            _LOG.debug("The platform was not told: it answered %s", answer.status)

    def _look(self) -> Iterator[Hashable]:
        """What differs between two looks where something has happened between them."""
        for id_, kernel in self._kernels().items():
            yield id_, getattr(kernel, "last_activity", None)
        for name, terminal in self._terminals().items():
            yield name, getattr(terminal, "last_activity", None)

    def _is_at_work(self) -> bool:
        computes = any(
            getattr(kernel, "execution_state", None) == _COMPUTES
            for kernel in self._kernels().values()
        )
        return computes or any(map(_runs_a_program, self._terminals().values()))

    def _kernels(self) -> dict[str, Any]:
        manager: Any = self._server.kernel_manager
        return {id_: manager.get_kernel(id_) for id_ in manager.list_kernel_ids()}

    def _terminals(self) -> dict[str, Any]:
        manager = self._server.web_app.settings.get("terminal_manager")
        return dict(manager.terminals) if manager is not None else {}


def _runs_a_program(terminal: Any) -> bool:  # noqa: ANN401  terminado's, which has no types
    """Whether the shell of a terminal has started anything that still runs."""
    try:
        return bool(psutil.Process(terminal.ptyproc.pid).children())
    except psutil.Error:
        return False
