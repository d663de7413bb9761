"""Zero-line tracking in a real shell, into a real MLflow server."""

import json
import os
import subprocess
import sys
import textwrap
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

import hubyard
from hubyard.contract.errors import Invalid
from hubyard.contract.tracking import (
    NOTEBOOK_ARTIFACT,
    TAG_COMPUTE,
    TAG_ENTRY,
    TAG_LOCK,
    TAG_NOTEBOOK,
    TAG_WARNINGS,
)
from hubyard_runtime.endpoint.protocol import body
from hubyard_spawner.local.ports import free_port
from support.mlflow_server import mlflow_server

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning",
    "ignore::FutureWarning",
    "ignore:.*:UserWarning:mlflow.*",
)

DATA = """
import pandas as pd
from sklearn.linear_model import LogisticRegression
X = pd.DataFrame({"hours": [1.0, 2.0, 3.0, 4.0], "late": [0, 1, 0, 1]})
y = [0, 0, 1, 1]
"""
DOWN_S = 30


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with mlflow_server(tmp_path_factory.mktemp("mlflow")) as url:
        yield url


@pytest.fixture
def workload(server, tmp_path, monkeypatch):
    """The environment of a workspace whose notebook lies in a folder of its own."""
    notebook = tmp_path / "train.ipynb"
    notebook.write_text('{"cells": []}')
    told = {
        "MLFLOW_TRACKING_URI": server,
        "HUBYARD_ENTRY": "entry-1",
        "HUBYARD_COMPUTE": "small",
        "HUBYARD_NOTEBOOK": str(notebook),
        "JUPYTERHUB_USER": tmp_path.name,
        "HOME": str(tmp_path),
    }
    before = set(os.environ)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    yield tmp_path
    for name in set(os.environ) - before - set(told):
        del os.environ[name]  # monkeypatch would bring it back
    if "mlflow" in sys.modules:  # what a test has chosen is of its kernel alone
        import mlflow.tracking.fluent

        mlflow.tracking.fluent._active_experiment_id = None


def _shell():
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    hubyard.load_ipython_extension(shell)
    return shell


@pytest.fixture
def shell(workload):
    shell = _shell()
    yield shell
    hubyard.unload_ipython_extension(shell)
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()


def cell(shell, text):
    """Run a cell: its outcome and what it showed."""
    began = time.monotonic()
    with capture_output() as said:
        done = shell.run_cell(textwrap.dedent(text), store_history=True)
    shown = [each.data["text/plain"] for each in said.outputs]
    return SimpleNamespace(
        ok=done.success,
        value=done.result,
        out=said.stdout + "".join(shown),
        err=said.stderr,
        seconds=time.monotonic() - began,
    )


def tracked(workload, name="train"):
    """What MLflow kept in an experiment of this workload's owner, newest first."""
    import mlflow

    found = mlflow.get_experiment_by_name(f"{workload.name}/{name}")
    if found is None:
        return []
    return mlflow.search_runs([found.experiment_id], output_format="list")


# -- a cell with no line added ---------------------------------------------------------


def test_a_plain_cell_is_one_finished_tracked_run(shell, workload):
    import mlflow

    done = cell(shell, DATA + "model = LogisticRegression().fit(X, y)")
    assert done.ok, done.err
    (run,) = tracked(workload)
    assert run.info.status == "FINISHED"
    tags = run.data.tags
    assert tags[TAG_COMPUTE] == "small"
    assert tags[TAG_ENTRY] == "entry-1"
    assert len(tags[TAG_LOCK]) == 64
    assert tags[TAG_NOTEBOOK] == "train.ipynb"
    assert run.data.params["C"] == "1.0"
    assert "training_score" in run.data.metrics
    assert f"Tracked as {run.info.run_name}, training_score 1.000" in done.out

    client = mlflow.MlflowClient()
    kept = {f.path for f in client.list_artifacts(run.info.run_id, NOTEBOOK_ARTIFACT)}
    assert kept == {
        f"{NOTEBOOK_ARTIFACT}/{name}"
        for name in ("train.ipynb", "executed.py", "requirements.lock")
    }
    executed = mlflow.artifacts.load_text(
        f"runs:/{run.info.run_id}/{NOTEBOOK_ARTIFACT}/executed.py"
    )
    assert "LogisticRegression().fit(X, y)" in executed
    assert done.err == "", "one line of ours says it all"


def test_its_model_has_a_signature_and_pinned_requirements(shell, workload):
    import mlflow
    import sklearn

    cell(shell, DATA + "model = LogisticRegression().fit(X, y)")
    (run,) = tracked(workload)
    (model,) = mlflow.search_logged_models(
        [run.info.experiment_id], output_format="list"
    )
    info = mlflow.models.get_model_info(model.model_uri)
    assert info.signature.inputs.input_names() == ["hours", "late"]
    assert info.signature.outputs is not None
    needs = mlflow.pyfunc.get_model_dependencies(model.model_uri)
    pinned = Path(needs).read_text().split()
    assert f"scikit-learn=={sklearn.__version__}" in pinned
    assert all("==" in line for line in pinned)
    assert list(mlflow.sklearn.load_model(model.model_uri).classes_) == [0, 1]


def test_a_forest_is_kept_too(shell, workload):
    import mlflow

    done = cell(
        shell,
        DATA + "from sklearn.ensemble import RandomForestClassifier\n"
        "RandomForestClassifier(n_estimators=3).fit(X, y)",
    )
    assert done.ok, done.err
    (run,) = tracked(workload)
    assert run.info.status == "FINISHED"
    models = mlflow.search_logged_models([run.info.experiment_id], output_format="list")
    assert [str(model.status) for model in models] == ["READY"]


def test_each_fit_of_a_cell_is_a_run_with_the_notebook(shell, workload):
    import mlflow

    fits = "\n".join(f"LogisticRegression(C={c}).fit(X, y)" for c in (1, 2))
    done = cell(shell, DATA + fits)
    runs = tracked(workload)
    assert {run.data.params["C"] for run in runs} == {"1", "2"}
    assert "and 1 more" in done.out
    client = mlflow.MlflowClient()
    assert all(client.list_artifacts(run.info.run_id, "notebook") for run in runs)


def test_a_cell_that_trains_nothing_shows_nothing(shell, workload):
    cell(shell, DATA + "LogisticRegression().fit(X, y)")
    assert "Tracked" not in cell(shell, "1 + 1").out
    assert len(tracked(workload)) == 1


# -- what is kept of the data, the user's own modules and MLflow's warnings ------------

TEXTS = """
import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
texts, y = ["good film", "bad film", "good plot", "bad plot"] * 5, [1, 0, 1, 0] * 5
"""


def _served(run):
    """The model of a tracked run as an endpoint has it."""
    import mlflow

    from hubyard_runtime.endpoint.model import load

    (model,) = mlflow.search_logged_models(
        [run.info.experiment_id], output_format="list"
    )
    served = load(Path(mlflow.artifacts.download_artifacts(model.model_uri)))
    served.check()
    assert served.example is not None, "its own example fits it"
    return served


def _answer(served, **said):
    table = served.signature.table(body.read(json.dumps(said).encode()))
    return json.loads(served.answers([table])[0])["predictions"]


@pytest.mark.parametrize(
    "data",
    [
        "pd.Series(texts)",
        "pd.Series(texts, name='film')",
        "texts",
        "np.array(texts)",
        "np.array(texts, dtype=object)",
        "pd.DataFrame({'film': texts})['film']",
    ],
)
def test_a_model_of_texts_is_tracked_and_answers_texts(shell, workload, data):
    fit = f"make_pipeline(TfidfVectorizer(), LogisticRegression()).fit({data}, y)"
    done = cell(shell, TEXTS + fit)
    assert done.ok, done.err
    assert "warns" not in done.out
    (run,) = tracked(workload)
    assert run.info.status == "FINISHED"
    assert "training_score" in run.data.metrics
    served = _served(run)
    assert _answer(served, inputs=["bad plot"]) == [0]
    assert _answer(served, inputs=["good film", "bad film"]) == [1, 0]


def test_an_example_is_chosen_whichever_module_was_imported_first(workload):
    fit = "make_pipeline(TfidfVectorizer(), LogisticRegression())"
    cells = [f"import mlflow\n{TEXTS}{fit}.fit(np.array(texts, dtype=object), y)"]
    done = _python("-c", BARE.format(cells=cells).replace("assert", "#"))
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = tracked(workload)
    served = _served(run)
    with pytest.raises(Invalid, match="text in quotes"):
        _answer(served, inputs=[5])


def test_categories_are_kept_for_a_model_that_is_logged_by_hand(shell, workload):
    done = cell(
        shell,
        """\
        import mlflow
        import pandas as pd
        from sklearn.ensemble import HistGradientBoostingClassifier
        X = pd.DataFrame({"kind": pd.Categorical(["a", "b"] * 20)})
        model = HistGradientBoostingClassifier(categorical_features="from_dtype")
        mlflow.sklearn.autolog(disable=True)
        model.fit(X, [0, 1] * 20)
        with mlflow.start_run():
            mlflow.sklearn.log_model(
                model, name="m", input_example=X.head(2),
                serialization_format="cloudpickle",
            )
        """,
    )
    assert done.ok, done.err
    assert "warns" not in done.out
    served = _served(tracked(workload)[0])
    with pytest.raises(Invalid, match='one of "a", "b"'):
        _answer(served, dataframe_records=[{"kind": "c"}])
    assert _answer(served, dataframe_records=[{"kind": "b"}, {"kind": None}])


def test_columns_stay_what_they_were(shell, workload):
    cell(
        shell,
        """\
        import pandas as pd
        from sklearn.ensemble import HistGradientBoostingClassifier
        flags = [True] * 20 + [None, False] * 10
        X = pd.DataFrame({
            "flag": pd.array(flags, dtype="boolean"),
            "count": pd.array([3] * 39 + [None], dtype="Int64"),
            "kind": pd.Categorical(["a", "b"] * 20),
            "size": [1.0, 2.0] * 20,
        })
        y = [int(flag is True) for flag in flags]
        HistGradientBoostingClassifier(categorical_features="from_dtype").fit(X, y)
        """,
    )
    (run,) = tracked(workload)
    served = _served(run)
    row = {"flag": True, "count": 3, "kind": "b", "size": 2.0}
    assert _answer(served, dataframe_records=[row]) == [1]
    assert _answer(served, dataframe_records=[{**row, "flag": None}]) == [0]
    del row["flag"], row["count"]
    assert _answer(served, dataframe_records=[row]) == [0]
    frame = served.signature.table(
        body.read(json.dumps({"dataframe_records": [row]}).encode())
    ).joined([])
    assert [str(t) for t in frame.dtypes] == ["boolean", "Int64", "category", "float64"]


OWN = """
from sklearn.base import BaseEstimator, TransformerMixin
from {package} import factor

class Doubled(BaseEstimator, TransformerMixin):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X * factor()
"""


def test_a_models_own_modules_are_kept_with_it(shell, workload, monkeypatch):
    package = workload / "factors"
    package.mkdir()
    (package / "__init__.py").write_text("from factors.two import factor\n")
    (package / "two.py").write_text("def factor():\n    return 2\n")
    (package / "data.bin").write_bytes(b"0" * 2**21)
    (workload / "mysteps.py").write_text(OWN.format(package="factors"))
    (workload / "unused.py").write_text("")
    monkeypatch.chdir(workload)
    monkeypatch.syspath_prepend(str(workload))
    done = cell(
        shell,
        DATA + "import unused\nfrom mysteps import Doubled\n"
        "from sklearn.pipeline import make_pipeline\n"
        "make_pipeline(Doubled(), LogisticRegression()).fit(X, y)",
    )
    assert done.ok, done.err
    (run,) = tracked(workload)
    assert run.info.status == "FINISHED"
    import mlflow

    (model,) = mlflow.search_logged_models(
        [run.info.experiment_id], output_format="list"
    )
    folder = Path(mlflow.artifacts.download_artifacts(model.model_uri))
    code = {str(p.relative_to(folder)) for p in (folder / "code").rglob("*.*")}
    assert code == {
        *("code/mysteps.py", "code/factors/__init__.py", "code/factors/two.py"),
    }
    answers = (
        "import json, sys; from pathlib import Path\n"
        "from hubyard_runtime.endpoint.model import load\n"
        "model = load(Path(sys.argv[1])); model.check(); print(model.known.rows)"
    )
    elsewhere = {"HOME": "/", "PYTHONPATH": ""}
    done = _python("-P", "-c", answers, str(folder), cwd="/", **elsewhere)
    assert done.stdout.strip() == "1", done.stderr


def test_a_library_in_the_users_folder_is_a_requirement(shell, workload, monkeypatch):
    import mlflow

    folder = workload / "lib"
    info = folder / "of_nobody-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Name: of-nobody\nVersion: 1.2\n")
    (info / "RECORD").write_text("nobodys.py,,\nof_nobody-1.2.dist-info/METADATA,,\n")
    own = OWN.replace("from {package} import factor", "factor = lambda: 2")
    (folder / "nobodys.py").write_text(own)
    monkeypatch.syspath_prepend(str(folder))
    done = cell(
        shell,
        DATA + "from nobodys import Doubled\n"
        "from sklearn.pipeline import make_pipeline\n"
        "make_pipeline(Doubled(), LogisticRegression()).fit(X, y)",
    )
    assert done.ok, done.err
    (run,) = tracked(workload)
    (model,) = mlflow.search_logged_models(
        [run.info.experiment_id], output_format="list"
    )
    folder = Path(mlflow.artifacts.download_artifacts(model.model_uri))
    assert "of-nobody==1.2" in (folder / "requirements.txt").read_text().split()
    assert not (folder / "code").exists()


def test_what_mlflow_warns_of_is_shown_with_the_tracked_run(shell, workload):
    done = cell(
        shell,
        DATA + "from sklearn.linear_model import LinearRegression\n"
        "class Odd(LinearRegression):\n"
        "    def predict(self, X):\n"
        "        raise RuntimeError('no\\nanswer')\n"
        "Odd().fit(X, y)\n",
    )
    assert done.ok, done.err
    (run,) = tracked(workload)
    said = "Failed to infer model signature: no answer"
    assert f"MLflow warns: {said}" in done.out
    assert said in run.data.tags[TAG_WARNINGS].splitlines()
    assert "warns" not in cell(shell, "LogisticRegression().fit(X, y)").out


# -- the magics of tracking ------------------------------------------------------------


def test_a_track_cell_is_one_run_of_that_name(shell, workload):
    done = cell(
        shell,
        "%%track first -p depth=3 --tag team=blue\n"
        + DATA
        + "LogisticRegression().fit(X, y)\n'last'",
    )
    assert done.ok, done.err
    assert done.value == "last"
    (run,) = tracked(workload)
    assert run.info.run_name == "first"
    assert run.info.status == "FINISHED"
    assert run.data.params["depth"] == "3"
    assert run.data.params["C"] == "1.0", "the fit goes into the same run"
    assert run.data.tags["team"] == "blue"
    assert "Tracked as first" in done.out


def test_a_track_cell_may_name_its_experiment(shell, workload):
    assert cell(shell, "%%track -e other\n1").ok
    assert len(tracked(workload, "other")) == 1
    assert tracked(workload) == []


def test_a_failing_track_cell_is_a_failed_run_and_a_failed_cell(shell, workload):
    done = cell(shell, "%%track broken\n1 / 0")
    assert not done.ok
    assert "ZeroDivisionError" in done.out + done.err
    (run,) = tracked(workload)
    assert run.info.status == "FAILED"
    assert "Tracked as broken, failed" in done.out


def test_a_track_cell_that_is_interrupted_is_killed(shell, workload):
    assert not cell(shell, "%%track\nraise KeyboardInterrupt").ok
    (run,) = tracked(workload)
    assert run.info.status == "KILLED"


def test_a_track_cell_may_await_and_run_cells(shell, workload):
    text = """\
        %%track outer
        import asyncio
        await asyncio.sleep(0)
        get_ipython().run_cell("inner = 1")
        import mlflow
        mlflow.log_metric("after", inner)
        """
    done = cell(shell, text)
    assert done.ok, done.err
    (run,) = tracked(workload)
    assert run.data.metrics == {"after": 1.0}
    assert run.info.status == "FINISHED"


def test_a_track_cell_inside_a_run_of_ones_own_says_so(shell, workload):
    assert cell(shell, "import mlflow\nrun = mlflow.start_run(run_name='mine')").ok
    done = cell(shell, "%%track\n1")
    cell(shell, "mlflow.end_run()")
    assert not done.ok
    assert "mlflow.end_run()" in done.err
    assert done.err.count("\n") == 1


def test_a_track_cell_ends_the_runs_it_leaves_open(shell, workload):
    text = "%%track outer\nimport mlflow\nmlflow.start_run(nested=True)\n1 / 0"
    assert not cell(shell, text).ok
    assert {run.info.status for run in tracked(workload)} == {"FAILED"}
    assert len(tracked(workload)) == 2


def test_experiment_status_and_stop(shell, workload):
    assert "once a model library is imported" in _plain(shell, "%track status") or (
        "sklearn" in sys.modules
    )
    owner = workload.name
    assert _plain(shell, "%experiment churn") == f"Tracking into {owner}/churn"
    assert _plain(shell, "%track status") == f"Tracking into {owner}/churn."
    cell(shell, DATA + "LogisticRegression().fit(X, y)")
    assert len(tracked(workload, "churn")) == 1
    cell(shell, "%track stop")
    assert _plain(shell, "%track status").startswith("Nothing is tracked")
    cell(shell, "LogisticRegression().fit(X, y)")
    assert len(tracked(workload, "churn")) == 1
    cell(shell, "%experiment churn")
    cell(shell, "LogisticRegression().fit(X, y)")
    assert len(tracked(workload, "churn")) == 2


def test_the_steps_of_a_pipeline_share_an_experiment(shell, workload, monkeypatch):
    monkeypatch.setenv("HUBYARD_EXPERIMENT", "nightly")
    said = _plain(shell, "%track status")
    assert said.startswith(f"Tracking into {workload.name}/nightly")


def _plain(shell, line):
    return cell(shell, line).value._repr_mimebundle_()["text/plain"]


# -- when it cannot be -----------------------------------------------------------------


def test_with_mlflow_down_the_cell_goes_on(workload, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port()}")
    with capture_output() as said:
        shell = _shell()
    try:
        done = cell(shell, DATA + "model = LogisticRegression().fit(X, y)\nmodel.C")
        again = cell(shell, "%%track\nmodel.fit(X, y).C")
    finally:
        hubyard.unload_ipython_extension(shell)
        shell.history_manager.end_session()
    assert done.ok, done.err
    assert done.value == again.value == 1.0
    assert done.seconds + again.seconds < DOWN_S
    # It is said when scikit-learn is first there: maybe before the first cell.
    assert "Not tracked: MLflow does not answer." in said.stdout + done.out
    assert "Not tracked: MLflow does not answer." in again.out
    assert done.err == again.err == ""


def test_mlflow_that_goes_is_noticed_and_so_is_its_return(shell, workload, monkeypatch):
    address = os.environ["MLFLOW_TRACKING_URI"]
    monkeypatch.setattr("hubyard.tracking._LOOK_AGAIN_S", 0)
    cell(shell, DATA)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port()}")
    done = cell(shell, "LogisticRegression().fit(X, y)")
    assert done.ok
    assert "Not tracked" in done.out
    assert done.seconds < DOWN_S
    assert "Not tracked" not in cell(shell, "1").out, "it is said once"
    assert "until MLflow answers" in _plain(shell, "%track status")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    cell(shell, "LogisticRegression().fit(X, y)")
    assert len(tracked(workload)) == 1


class Unsure(BaseHTTPRequestHandler):
    """As MLflow's gate answers while the hub behind it restarts."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.send_error(401)

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_error(503)

    def log_message(self, *_):
        pass


def test_what_cannot_go_to_its_own_experiment_goes_nowhere(workload, monkeypatch):
    import mlflow

    address = os.environ["MLFLOW_TRACKING_URI"]
    monkeypatch.setattr("hubyard.tracking._LOOK_AGAIN_S", 0)
    with ThreadingHTTPServer(("127.0.0.1", 0), Unsure) as unsure:
        Thread(target=unsure.serve_forever).start()
        unsure_at = f"http://127.0.0.1:{unsure.server_port}"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", unsure_at)
        with capture_output() as said:
            shell = _shell()
        done = cell(shell, DATA + "LogisticRegression().fit(X, y)")
        unsure.shutdown()
    assert done.ok
    assert done.seconds < DOWN_S
    told = said.stdout + done.out
    assert told.count("Not tracked: MLflow does not take it") == 1, told
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    before = len(mlflow.search_runs(["0"], output_format="list"))
    try:
        cell(shell, "LogisticRegression().fit(X, y)")
    finally:
        hubyard.unload_ipython_extension(shell)
        shell.history_manager.end_session()
    assert len(tracked(workload)) == 1
    assert len(mlflow.search_runs(["0"], output_format="list")) == before


def test_mlflow_that_goes_within_a_cell_costs_no_more_than_the_record(
    shell, workload, monkeypatch
):
    cell(shell, DATA + "LogisticRegression().fit(X, y)")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port()}")
    done = cell(shell, "LogisticRegression().fit(X, y).C")
    assert done.value == 1.0
    assert done.seconds < DOWN_S
    assert "Traceback" not in done.out + done.err


# -- with MLflow's own calls, in a process that has no scikit-learn --------------------

BARE = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "hubyard")
for cell in {cells!r}:
    shell.run_cell(cell, store_history=True).raise_error()
assert "sklearn" not in sys.modules
"""
LOGS = "import mlflow\nwith mlflow.start_run():\n    mlflow.log_metric('a', 1)"


def _python(*command, cwd=None, **environ):
    return subprocess.run(
        cwd=cwd,
        args=[sys.executable, "-W", "ignore", *command],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environ},
    )


def test_a_run_begun_by_mlflow_alone_is_tracked_with_the_notebook(workload):
    import mlflow

    hooked = (
        "import mlflow.models\n"
        "assert 'hubyard' in mlflow.models.infer_pip_requirements.__module__"
    )
    done = _python("-c", BARE.format(cells=[LOGS, hooked]))
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = tracked(workload)
    assert run.data.metrics == {"a": 1.0}
    kept = mlflow.MlflowClient().list_artifacts(run.info.run_id, NOTEBOOK_ARTIFACT)
    assert f"{NOTEBOOK_ARTIFACT}/train.ipynb" in {file.path for file in kept}
    assert f"Tracked as {run.info.run_name}" in done.stdout


def test_an_experiment_that_the_user_chose_stays_chosen(workload):
    own = f"own of {workload.name}"
    chosen = f"import mlflow\nexperiment = mlflow.set_experiment({own!r})"
    cells = [chosen, LOGS, "import sklearn", LOGS]
    script = BARE.format(cells=cells).replace("assert", "#")
    done = _python("-c", script)
    assert done.returncode == 0, done.stdout + done.stderr
    import mlflow

    assert tracked(workload) == []
    found = mlflow.get_experiment_by_name(own)
    assert len(mlflow.search_runs([found.experiment_id], output_format="list")) == 2


def test_what_a_cell_starts_tracks_into_the_notebooks_experiment(workload):
    script = workload / "fit.py"
    script.write_text(LOGS)
    done = _python(str(script))
    assert done.returncode == 0, done.stderr
    assert len(tracked(workload)) == 1


def test_a_script_in_a_terminal_has_an_experiment_of_its_own(workload, monkeypatch):
    monkeypatch.delenv("HUBYARD_NOTEBOOK")
    script = workload / "fit.py"
    script.write_text(LOGS)
    done = _python(str(script))
    assert done.returncode == 0, done.stderr
    assert len(tracked(workload, "fit")) == 1


def test_what_mlflow_refuses_goes_nowhere_else(workload, monkeypatch):
    import mlflow

    monkeypatch.setenv("JUPYTERHUB_USER", "x" * 600)  # no name of an experiment
    before = len(mlflow.search_runs(["0"], output_format="list"))
    done = _python("-c", LOGS)
    assert done.returncode != 0
    assert "MLflow does not take the experiment" in done.stderr
    assert len(mlflow.search_runs(["0"], output_format="list")) == before


FRESH = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "hubyard")
{before}
done = shell.run_cell("import sklearn; sklearn.__name__")
print(shell.run_line_magic("track", "status")._repr_mimebundle_()["text/plain"])
sys.exit(0 if done.result == "sklearn" else "the import failed")
"""


@pytest.mark.parametrize(
    ("before", "address", "why"),
    [
        ("sys.modules['mlflow'] = None", "file:kept", "import of mlflow halted"),
        ("", "http://[::1", "Invalid"),
    ],
)
def test_what_keeps_tracking_off_leaves_the_users_import_alone(
    workload, monkeypatch, before, address, why
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    script = FRESH.format(before=before)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Not tracked: {why}" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert "Nothing is tracked: %experiment or %%track" in done.stdout


def test_outside_the_hub_nothing_happens(workload, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    finders = list(sys.meta_path)
    shell = _shell()
    hooks = {name: len(found) for name, found in shell.events.callbacks.items()}
    try:
        assert sys.meta_path == finders
        assert cell(shell, DATA + "LogisticRegression().fit(X, y).C").value == 1.0
        assert "no workspace" in _plain(shell, "%track status")
    finally:
        hubyard.unload_ipython_extension(shell)
        shell.history_manager.end_session()
    left = {name: len(found) for name, found in shell.events.callbacks.items()}
    assert left == hooks, "nothing was hooked"
    assert not list(workload.glob("ml*")), "MLflow wrote no files of its own"


def test_unload_takes_tracking_back(shell, workload):
    cell(shell, DATA + "LogisticRegression().fit(X, y)")
    finders = [type(finder).__module__ for finder in sys.meta_path]
    import mlflow

    hubyard.unload_ipython_extension(shell)
    assert not mlflow.models.infer_pip_requirements.__module__.startswith("hubyard")
    assert not any(name.startswith("hubyard") for name in finders)
    assert not any(
        hook.__module__.startswith("hubyard.tracking")
        for hooks in shell.events.callbacks.values()
        for hook in hooks
    )
    done = cell(shell, "LogisticRegression().fit(X, y)")
    assert "Tracked" not in done.out
    assert len(tracked(workload)) == 1
