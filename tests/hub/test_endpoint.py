"""The endpoint's real process, behind its gate, a real proxy and a real hub."""

from __future__ import annotations

import json
import signal
import time
from http.client import HTTPConnection

import httpx
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from hubyard_spawner.local.ports import free_port
from support.endpoints import (
    KEY,
    OWN_TOKEN,
    PREFIX,
    environment,
    neighbours,
    start_endpoint,
)
from support.hub import end_process, running_hub, wait_until_answers
from support.patience import PATIENCE_S, until

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
        hub.port = port
        yield hub
        end_process(process, signal.SIGTERM)
        assert process.returncode == 0


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
    asked = HTTPConnection("127.0.0.1", hub.port, timeout=PATIENCE_S)
    asked.putrequest("POST", f"{URL}invocations")
    asked.putheader("Authorization", f"Bearer {hub.token('ann', SCOPE)}")
    asked.putheader("Content-Type", "application/json")
    asked.putheader("Content-Length", "11000000")
    asked.endheaders()
    answer = asked.getresponse()  # before any of the body is sent
    assert answer.status == 413
    assert "over 10 MB" in json.loads(answer.read())["message"]
    asked.close()


def test_a_bad_model_ends_the_process_with_its_reason_last(tmp_path, model):
    (model.parent / "bad").mkdir()
    with neighbours(model.parent / "bad") as url:
        log = tmp_path / "log"
        process = start_endpoint(environment(url, free_port(), tmp_path), log)
        assert process.wait(PATIENCE_S) == 1
    last = log.read_text().splitlines()[-1]
    assert last == "The model's folder has no MLmodel file: log the model again."


KEPT = """
import sys
from hubyard_runtime.endpoint.keeper import Keeper
worker = '''
import sys
from hubyard_runtime.endpoint import batcher, worker
batcher.LONGEST_CALL_S = 2
sys.exit(worker.main())
'''
sys.exit(Keeper([sys.executable, "-c", worker], longest_silence_s=10).run())
"""
"""An endpoint that waits for seconds where the real one waits for a minute."""


@pytest.fixture(scope="module")
def troubled(tmp_path_factory):
    """The endpoint of a model that one request can hang, crash or end."""
    import mlflow.pyfunc

    class Troubled(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            import ctypes
            import os
            import time

            trouble = model_input["trouble"][0]
            while trouble == "hang":
                time.sleep(1)
            if trouble == "hold":  # the interpreter's lock: no other thread runs
                ctypes.PyDLL(None).sleep(3600)
            if trouble == "crash":
                ctypes.string_at(0)
            if trouble == "leave":
                os._exit(0)
            return [os.getpid()]

    folder = tmp_path_factory.mktemp("troubled")
    model, log, port = folder / "model", folder / "log", free_port()
    mlflow.pyfunc.save_model(
        model, python_model=Troubled(), pip_requirements=["mlflow"]
    )
    with neighbours(model) as url:
        process = start_endpoint(environment(url, port, folder), log, "-c", KEPT)
        endpoint = Asked(f"http://127.0.0.1:{port}{PREFIX}", log)
        wait_until_answers(f"{endpoint.url}health", process)
        yield endpoint
        assert process.poll() is None
        end_process(process, signal.SIGTERM)


class Asked:
    """An endpoint, asked with its key."""

    def __init__(self, url, log):
        self.url, self.log = url, log
        headers = {"Authorization": f"Bearer {KEY}"}
        self.http = httpx.Client(base_url=url, headers=headers, timeout=PATIENCE_S)

    def predict(self, trouble=""):
        rows = {"dataframe_records": [{"trouble": trouble}]}
        return self.http.post("invocations", json=rows)

    def info(self):
        """What it tells of itself; None while nobody answers."""
        try:
            return self.http.get("info").json()
        except (httpx.TransportError, ValueError):
            return None


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        ("hang", "has ended with exit code 1"),
        ("leave", "has ended with exit code 0"),
        ("crash", "was ended by SIGSEGV"),
        ("hold", "was ended by SIGABRT"),
    ],
)
def test_what_one_request_does_to_the_model_costs_nobody_the_endpoint(
    troubled, trouble, told
):
    before, worker = troubled.info(), troubled.predict().json()["predictions"]
    try:
        answer = troubled.predict(trouble)
    except httpx.TransportError:
        answer = None  # it went with the process
    if trouble == "hang":
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert "try again" in answer.json()["message"]
    expected = before["replaced"] + 1
    until(lambda: (said := troubled.info()) and said["replaced"] == expected)
    after = troubled.predict()
    assert after.status_code == 200
    assert after.json()["predictions"] != worker
    assert troubled.info()["requests"] >= before["requests"]
    assert f"The model's worker {told}" in troubled.log.read_text()


def test_what_hangs_without_a_word_leaves_its_stack(troubled):
    log = troubled.log.read_text()
    assert "The model has held up its worker" in log
    assert "in predict" in log


IMPATIENT = """
import sys
from hubyard_runtime.endpoint.keeper import Keeper
worker = '''
import sys
from hubyard_runtime.endpoint import worker
worker.PATIENCE_S = 1
sys.exit(worker.main())
'''
sys.exit(Keeper([sys.executable, "-c", worker]).run())
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
