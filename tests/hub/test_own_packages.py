"""A package that a person installs in a cell, and where it is found: the real parts."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution

import httpx
import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from hubyard import packages
from hubyard.contract.app import Framework
from hubyard_runtime.app.child import Child
from hubyard_runtime.app.frameworks import READY_PATH
from hubyard_runtime.workspace import prepend_kernels
from hubyard_spawner.local.ports import free_port
from support.endpoints import KEY, PREFIX, environment, neighbours, start_endpoint
from support.hub import end_process, wait_until_answers
from support.patience import PATIENCE_S
from support.wheels import wheel

pytestmark = [
    pytest.mark.hub,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
]
CODE = """
import mlflow.pyfunc
class Answer(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input):
        return [ANSWER] * len(model_input)
"""
SAVE = """
import sys, warnings; warnings.simplefilter("ignore")
import mlflow, pandas, hy_own
from mlflow.models import infer_signature
from hubyard.tracking.lock import requirements
rows = pandas.DataFrame({"x": [1.0]})
mlflow.pyfunc.save_model(sys.argv[1], python_model=hy_own.Answer(),
    signature=infer_signature(rows, [1]), input_example=rows,
    pip_requirements=requirements(["mlflow"]))
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Ann's folder, in which a cell of her workspace has installed hy-own 1.0."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder))
        patch.setenv("PATH", os.environ["PATH"])
        patch.setenv("JUPYTER_PATH", "")
        patch.setenv("IPYTHONDIR", str(folder / ".ipython"))
        patch.setenv("VIRTUAL_ENV", "")
        prepend_kernels()
        package = wheel(folder, "hy-own", "1.0", f"{CODE}\nANSWER = 42")
        said = executed(
            f"%pip install --no-index --quiet {package}",
            "import hy_own, hubyard; print(hy_own.__file__, hy_own.ANSWER)",
            "!python3 -c 'import sys; print(sys.prefix)'",
        )
        assert said[1].split() == [str(packages.own_site() / "hy_own.py"), "42"]
        assert said[2].strip() == str(packages.folder())
        yield folder


def executed(*cells):
    """Run cells in the kernel that a workspace and a run find; what each printed."""
    notebook = new_notebook(cells=[new_code_cell(text) for text in cells])
    specs = KernelSpecManager(ensure_native_kernel=False)
    manager = KernelManager(kernel_name="python3", kernel_spec_manager=specs)
    try:
        NotebookClient(notebook, km=manager, timeout=PATIENCE_S).execute()
    finally:
        manager.shutdown_kernel(now=True)
    printed = [
        [o for o in c.outputs if o.get("name") == "stdout"] for c in notebook.cells
    ]
    return ["".join(o.text for o in outputs) for outputs in printed]


def test_nobody_else_has_what_a_cell_installs(home):
    with pytest.raises(PackageNotFoundError):
        distribution("hy-own")
    here = subprocess.run([sys.executable, "-P", "-c", "import hy_own"], check=False)
    assert here.returncode != 0


@pytest.mark.parametrize("name", ["app.ipynb", "app.py"])
def test_an_app_finds_it(home, name):
    code = "import hy_own\nassert hy_own.ANSWER == 42"
    cells = new_notebook(cells=[new_code_cell(code)])
    (home / name).write_text(nbformat.writes(cells) if name.endswith("nb") else code)
    framework = Framework.of(name)
    child = Child.start(framework, home / name, "/user/ann/app-x/")
    try:
        child.wait_until_ready(READY_PATH[framework])
        child.wait_until_shown()
    finally:
        child.stop()


@pytest.fixture(scope="module")
def model(home):
    """A model whose class is of the package."""
    folder = home / "model"
    python = str(packages.prepare())
    subprocess.run([python, "-P", "-c", SAVE, str(folder)], check=True)
    assert "hy-own==1.0" in (folder / "requirements.txt").read_text().splitlines()
    return folder


def test_an_endpoint_finds_it_at_the_version_of_its_training(home, model):
    port, scratch = free_port(), home / "scratch"
    scratch.mkdir()
    url = f"http://127.0.0.1:{port}{PREFIX}"
    with neighbours(model) as hub:
        environ = environment(hub, port, scratch)
        process = start_endpoint(environ, scratch / "log")
        try:
            wait_until_answers(f"{url}health", process)
            answer = httpx.post(
                f"{url}invocations",
                json={"dataframe_records": [{"x": 1.0}]},
                headers={"Authorization": f"Bearer {KEY}"},
                timeout=PATIENCE_S,
            )
            assert answer.raise_for_status().json()["predictions"] == [42]
        finally:
            end_process(process, 15)
        newer = wheel(home, "hy-own", "2.0", f"{CODE}\nANSWER = 43")
        pip = [str(packages.folder() / "bin" / "pip"), "install", "--no-index"]
        subprocess.run([*pip, "--quiet", str(newer)], check=True)
        process = start_endpoint(environ, scratch / "log")
        assert process.wait(PATIENCE_S) == 1
    last = (scratch / "log").read_text().splitlines()[-1]
    assert last.startswith("The model was trained with hy-own 1.0, and your own packag")
    assert "%pip install hy-own==1.0" in last
