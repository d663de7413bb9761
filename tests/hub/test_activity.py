"""Whether anything happens in a workspace: asked of real kernels and real terminals."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace

import pytest
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from jupyter_server_terminals.terminalmanager import TerminalManager

from hubyard_lab.activity import Activity
from support.answering import Raw, answering, served
from support.patience import PATIENCE_S

__all__ = ["answering", "served"]  # fixtures

pytestmark = pytest.mark.hub


class Workspace:
    """The managers that a Jupyter server has, without its web."""

    def __init__(self, folder):
        self.kernels = AsyncMappingKernelManager(
            root_dir=str(folder), connection_dir=str(folder)
        )
        self.terminals = TerminalManager(shell_command=["bash", "--norc"])
        settings = {"terminal_manager": self.terminals}
        server = SimpleNamespace(
            kernel_manager=self.kernels, web_app=SimpleNamespace(settings=settings)
        )
        self.activity = Activity(server)

    async def until(self, holds):
        end = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < end, self.activity.idle_s()
            await asyncio.sleep(0.1)

    async def idle(self):
        """Wait until nothing has happened for a second; busy things take longer."""
        await self.until(lambda: self.activity.idle_s() >= 1)

    async def close(self):
        await self.kernels.shutdown_all()
        await self.terminals.terminate_all()


def in_workspace(folder, work):
    async def run():
        workspace = Workspace(folder)
        try:
            await work(workspace)
        finally:
            await workspace.close()

    asyncio.run(run())


def test_a_kernel_that_computes_is_at_work_and_one_that_waits_is_not(tmp_path):
    async def work(workspace):
        id_ = await workspace.kernels.start_kernel()
        client = workspace.kernels.get_kernel(id_).client()
        client.start_channels()
        await client.wait_for_ready(timeout=PATIENCE_S)
        await workspace.idle()
        client.execute("import time; time.sleep(4)")
        await workspace.until(lambda: workspace.activity.idle_s() == 0)
        began = time.monotonic()
        await asyncio.sleep(2)
        assert workspace.activity.idle_s() == 0, "it computes, though it says nothing"
        await workspace.idle()
        assert time.monotonic() - began > 3
        client.stop_channels()

    in_workspace(tmp_path, work)


def test_a_kernel_that_nobody_has_asked_anything_is_not_at_work(tmp_path):
    """As when a page is left while its kernel starts: it stays "starting"."""

    async def work(workspace):
        await workspace.idle()
        id_ = await workspace.kernels.start_kernel()
        assert workspace.activity.idle_s() == 0, "somebody has just started it"
        await workspace.idle()
        assert workspace.kernels.get_kernel(id_).execution_state == "starting"

    in_workspace(tmp_path, work)


def test_a_terminal_is_at_work_while_it_runs_a_program(tmp_path):
    async def work(workspace):
        model = workspace.terminals.create()
        await workspace.idle()
        terminal = workspace.terminals.get_terminal(model["name"])
        terminal.ptyproc.write("sleep 3\n")
        await workspace.until(lambda: workspace.activity.idle_s() == 0)
        await asyncio.sleep(1.5)
        assert workspace.activity.idle_s() == 0
        await workspace.idle()

    in_workspace(tmp_path, work)


def test_a_person_is_at_work_and_the_platform_is_told(tmp_path, answering, monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "any")
    answering.answers["PUT workloads/self/activity"] = Raw(204)

    async def work(workspace):
        await workspace.idle()
        await workspace.activity.tell()
        workspace.activity.here()
        await workspace.activity.tell()
        told = answering.bodies("PUT workloads/self/activity")
        assert [report["idle_s"] > 0 for report in told] == [True, False]
        answering.answers["PUT workloads/self/activity"] = Raw(503, b"{}")
        await workspace.activity.tell()

    in_workspace(tmp_path, work)


def test_a_workspace_without_terminals_and_a_platform_that_is_away(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("HUBYARD_PLATFORM_URL", "http://127.0.0.1:9/services/hubyard")
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "any")

    async def work(workspace):
        server = SimpleNamespace(
            kernel_manager=workspace.kernels, web_app=SimpleNamespace(settings={})
        )
        activity = Activity(server)
        await activity.tell()
        assert activity.idle_s() == 0

    in_workspace(tmp_path, work)
