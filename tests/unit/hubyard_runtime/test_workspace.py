"""A workspace's kernel: found before the stock one, and with Hubyard in it."""

import os
import sys
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook

import hubyard_runtime.workspace
from hubyard import packages
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
    for name, value in (("PATH", os.environ["PATH"]), ("VIRTUAL_ENV", "")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
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


def test_our_kernel_wins_over_the_stock_one_and_is_the_owners_python(workspace):
    specs = KernelSpecManager(ensure_native_kernel=False)
    found = Path(specs.find_kernel_specs()["python3"])
    assert {each.name for each in found.iterdir()} == {p.name for p in OURS.iterdir()}
    python, *arguments = specs.get_kernel_spec("python3").argv
    assert python == str(packages.folder() / "bin" / "python")
    assert "--ext=hubyard" in arguments


def test_what_was_on_the_path_stays_after_ours(workspace, monkeypatch):
    monkeypatch.setenv("JUPYTER_PATH", "/other")
    prepend_kernels()
    first, second, third = os.environ["JUPYTER_PATH"].split(os.pathsep)
    assert Path(first) == packages.folder() / "share/hubyard"
    assert (second, third) == ("/other", f"{sys.prefix}/share/jupyter")


def test_a_folder_that_cannot_be_written_keeps_no_kernel_from_starting(
    workspace, monkeypatch
):
    home = workspace / "file"
    home.write_text("no folder")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("JUPYTER_PATH", "")
    prepend_kernels()
    specs = KernelSpecManager(ensure_native_kernel=False)
    assert Path(specs.find_kernel_specs()["python3"]).samefile(OURS)


def test_a_kernel_finds_the_platforms_templates_and_packages(workspace):
    (said,) = _executed(
        workspace,
        "import nbconvert, nbformat, numpy, subprocess, sys\n"
        "book = nbformat.v4.new_notebook()\n"
        "print(len(nbconvert.HTMLExporter().from_notebook_node(book)[0]) > 1000)",
    )
    assert said == "True\n"


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
