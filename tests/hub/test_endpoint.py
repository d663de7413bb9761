"""The endpoint's real process, behind its gate, a real proxy and a real hub."""

from __future__ import annotations

import signal
import time

import httpx
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from hubyard_spawner.ports import free_port
from support.endpoints import (
    KEY,
    OWN_TOKEN,
    PREFIX,
    environment,
    neighbours,
    start_endpoint,
)
from support.hub import end_process, running_hub, wait_until_answers
from support.patience import PATIENCE_S

pytestmark = [pytest.mark.hub, pytest.mark.filterwarnings("ignore:::mlflow.*")]
SCOPE = "access:services!service=delays"
URL = "/services/delays/"
ROW = {"dataframe_split": {"columns": ["dep_delay"], "data": [[10]]}}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    import mlflow.sklearn
    from mlflow.models import infer_signature

    rows = pd.DataFrame({"dep_delay": [0.0, 1.0, 2.0]})
    folder = tmp_path_factory.mktemp("model") / "model"
    mlflow.sklearn.save_model(
        LinearRegression().fit(rows, [0, 2, 4]),
        folder,
        signature=infer_signature(rows, [0.0]),
        input_example=rows,
        pip_requirements=["scikit-learn"],
    )
    return folder


@pytest.fixture(scope="module")
def hub(tmp_path_factory, model):
    """A hub that routes to an endpoint; ann may use it and bob may not."""
    port = free_port()
    scratch = tmp_path_factory.mktemp("scratch")
    service = {
        "name": "delays",
        "url": f"http://127.0.0.1:{port}",
        "api_token": OWN_TOKEN,
        "timeout": 1,
    }
    role = {"name": "callers", "users": ["ann"], "scopes": [SCOPE]}
    with (
        neighbours(model) as url,
        running_hub(
            tmp_path_factory.mktemp("hub"), services=[service], roles=[role]
        ) as hub,
    ):
        environ = {
            **environment(url, port, scratch),
            **hub.service_environment("delays", port, OWN_TOKEN),
        }
        # The service's own scope is asked for, not the hub server's.
        del environ["JUPYTERHUB_OAUTH_ACCESS_SCOPES"]
        for name in ("ann", "bob"):
            hub.add_user(name)
        began = time.monotonic()
        process = start_endpoint(environ, scratch / "log")
        wait_until_answers(f"http://127.0.0.1:{port}{URL}health", process)
        print(f"endpoint answers after {time.monotonic() - began:.1f} s")
        yield hub
        end_process(process, signal.SIGTERM)
        assert process.returncode in {0, -signal.SIGTERM}


def ask(hub, method, path, token=None, **options):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.request(method, f"{hub.url}{URL}{path}", headers=headers, **options)


def test_a_key_of_one_scope_gets_predictions(hub):
    key = hub.token("ann", SCOPE)
    answer = ask(hub, "POST", "invocations", key, json=ROW)
    assert answer.json() == {"predictions": [pytest.approx(20)]}
    wrong = {"dataframe_records": [{"dep_delay": "late"}]}
    refused = ask(hub, "POST", "invocations", key, json=wrong)
    assert refused.status_code == 422
    assert refused.json()["field"] == "dataframe_records[0].dep_delay"


def test_every_page_answers_ann(hub):
    key = hub.token("ann", SCOPE)
    for path in ("health", "info", "openapi.json", "docs"):
        assert ask(hub, "GET", path, key).status_code == 200, path
    example = ask(hub, "GET", "info", key).json()["example"]
    assert ask(hub, "POST", "invocations", key, json=example).status_code == 200


@pytest.mark.parametrize("path", ["health", "info", "openapi.json", "docs"])
def test_nobody_and_bob_get_nothing(hub, path):
    assert ask(hub, "GET", path).status_code == 401
    assert ask(hub, "GET", path, hub.token("bob")).status_code == 403
    assert ask(hub, "POST", "invocations", json=ROW).status_code == 401


def test_a_body_that_is_too_large_is_told_so(hub):
    key = hub.token("ann", SCOPE)
    content = b" " * 11_000_000
    answer = ask(hub, "POST", "invocations", key, content=content)
    assert answer.status_code in {413, 415}
    assert answer.json()["message"]


def test_a_bad_model_ends_the_process_with_its_reason_last(tmp_path, model):
    (model.parent / "bad").mkdir()
    with neighbours(model.parent / "bad") as url:
        log = tmp_path / "log"
        process = start_endpoint(environment(url, free_port(), tmp_path), log)
        assert process.wait(PATIENCE_S) == 1
    last = log.read_text().splitlines()[-1]
    assert last == "The model's folder has no MLmodel file: log the model again."


IN_A_SECOND = """
import sys
from hubyard_runtime.endpoint import batcher
from hubyard_runtime.endpoint.__main__ import main
batcher.LONGEST_CALL_S = 1
sys.exit(main())
"""


def test_a_model_that_hangs_ends_the_process_with_its_reason_last(tmp_path):
    import mlflow.pyfunc

    class Hangs(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            while True:
                time.sleep(1)

    folder, log, port = tmp_path / "model", tmp_path / "log", free_port()
    mlflow.pyfunc.save_model(folder, python_model=Hangs(), pip_requirements=["mlflow"])
    with neighbours(folder) as url:
        environ = environment(url, port, tmp_path)
        process = start_endpoint(environ, log, "-c", IN_A_SECOND)
        address = f"http://127.0.0.1:{port}{PREFIX}"
        wait_until_answers(f"{address}health", process)
        answer = httpx.post(
            f"{address}invocations",
            json=ROW,
            headers={"Authorization": f"Bearer {KEY}"},
            timeout=PATIENCE_S,
        )
        assert answer.status_code == 503
        assert process.wait(PATIENCE_S) == 1
    last = log.read_text().splitlines()[-1]
    assert last.startswith("The model has worked on one call for more than 1 s")


IMPATIENT = """
import sys
from hubyard_runtime.endpoint import __main__ as endpoint
endpoint.PATIENCE_S = 1
sys.exit(endpoint.main())
"""


def test_a_silent_platform_ends_the_process_with_its_reason_last(tmp_path):
    nowhere = f"http://127.0.0.1:{free_port()}"
    log = tmp_path / "log"
    environ = environment(nowhere, free_port(), tmp_path)
    process = start_endpoint(environ, log, "-c", IMPATIENT)
    assert process.wait(PATIENCE_S) == 1
    assert "Waiting for the platform" in log.read_text()
    assert "Traceback" not in log.read_text()
    assert log.read_text().splitlines()[-1].startswith("Hubyard does not answer")


def test_a_platform_that_comes_up_late_is_waited_for(tmp_path, model):
    log, port, late = tmp_path / "log", free_port(), free_port()
    environ = environment(f"http://127.0.0.1:{late}", port, tmp_path)
    process = start_endpoint(environ, log)
    while "Waiting for the platform" not in log.read_text():
        assert process.poll() is None, log.read_text()
        time.sleep(0.05)
    with neighbours(model, late):
        wait_until_answers(f"http://127.0.0.1:{port}{PREFIX}health", process)
    process.terminate()
    process.wait(PATIENCE_S)
