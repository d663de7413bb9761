"""A workspace's kernel: found before the stock one, and with Hubyard in it."""

import os
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook

import hubyard_runtime.workspace
from hubyard_runtime.workspace import prepend_kernels
from support.patience import PATIENCE_S

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::PendingDeprecationWarning"
)
OURS = Path(hubyard_runtime.workspace.__file__).parent / "jupyter/kernels/python3"


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """The environment in which a workspace's server starts its kernels."""
    monkeypatch.setenv("JUPYTER_PATH", os.environ.get("JUPYTER_PATH", ""))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    for name in ("HUBYARD_PLATFORM_URL", "HUBYARD_TOKEN", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    prepend_kernels()
    return tmp_path


def _executed(folder, *cells):
    """Run cells by the kernel that is found, as papermill does."""
    notebook = new_notebook(cells=[new_code_cell(text) for text in cells])
    specs = KernelSpecManager(ensure_native_kernel=False)
    manager = KernelManager(kernel_name="python3", kernel_spec_manager=specs)
    client = NotebookClient(
        notebook,
        km=manager,
        timeout=PATIENCE_S,
        resources={"metadata": {"path": folder}},
    )
    try:
        client.execute()
    finally:
        manager.shutdown_kernel(now=True)
    return ["".join(out.get("text", "") for out in c.outputs) for c in notebook.cells]


def test_our_kernel_wins_over_the_stock_one(workspace):
    specs = KernelSpecManager(ensure_native_kernel=False)
    assert Path(specs.find_kernel_specs()["python3"]).samefile(OURS)
    assert "--ext=hubyard" in specs.get_kernel_spec("python3").argv


def test_what_was_on_the_path_stays_after_ours(monkeypatch):
    monkeypatch.setenv("JUPYTER_PATH", "/other")
    prepend_kernels()
    first, second = os.environ["JUPYTER_PATH"].split(os.pathsep)
    assert Path(first).samefile(OURS.parents[1])
    assert second == "/other"


def test_a_kernel_has_the_magics_by_itself(workspace):
    found, again = _executed(
        workspace,
        "print(get_ipython().find_line_magic('deploy').__doc__.split()[1])",
        "%load_ext hubyard",
    )
    assert found == "%deploy\n"
    assert "already loaded" in again


def test_a_refused_magic_fails_the_run(workspace):
    with pytest.raises(CellExecutionError, match="workspace of the hub"):
        _executed(workspace, "%cost")


def test_a_failing_track_cell_fails_the_run(workspace, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{workspace / 'mlflow.db'}")
    monkeypatch.setenv("HUBYARD_ENTRY", "entry-1")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        _executed(workspace, "%%track broken\n1 / 0")
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{workspace / 'mlflow.db'}")
    experiments = [e.experiment_id for e in client.search_experiments()]
    (run,) = client.search_runs(experiments)
    assert run.info.run_name == "broken"
    assert run.info.status == "FAILED"
