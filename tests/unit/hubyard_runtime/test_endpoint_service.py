"""The endpoint's application over real models: answers, refusals, documents."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from typing import ClassVar
from urllib.parse import unquote

import httpx
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from hubyard.contract.errors import Invalid, Problem
from hubyard_runtime.endpoint import batcher, service
from hubyard_runtime.endpoint import model as models
from hubyard_runtime.endpoint.model import Model
from hubyard_runtime.endpoint.protocol import signature
from hubyard_runtime.endpoint.service import Endpoint
from hubyard_runtime.endpoint.speed import LONGEST_S, Speed
from support.endpoints import job
from support.patience import PATIENCE_S
from support.sending import Sending

# MLflow itself calls pandas in ways that pandas 4 will not know.
pytestmark = pytest.mark.filterwarnings("ignore:::mlflow.*")

PREFIX = "/user/ann/endpoint-delays"
FLIGHTS = pd.DataFrame(
    {
        "distance": np.linspace(100.0, 2000.0, 60),
        "month": np.arange(60, dtype="int64") % 12 + 1,
        "carrier": pd.Series(["AA", "UA", "DL"] * 20, dtype="str"),
        "weekend": [True, False] * 30,
        "dep_delay": [None, *np.linspace(-10.0, 60.0, 59)],
    }
)
DELAYS = FLIGHTS["distance"] / 100 + FLIGHTS["month"]
ROW = {
    "distance": 500,
    "month": 3,
    "carrier": "UA",
    "weekend": True,
    "dep_delay": 4.5,
}


@pytest.fixture(scope="module", autouse=True)
def untold():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        yield


def save(folder, model, **options):
    import mlflow.sklearn

    mlflow.sklearn.save_model(
        model,
        folder,
        pip_requirements=["scikit-learn"],
        serialization_format="cloudpickle",
        **options,
    )
    return folder


def save_python(folder, predict, **options):
    import mlflow.pyfunc

    class Own(mlflow.pyfunc.PythonModel):
        pass

    Own.predict = predict
    mlflow.pyfunc.save_model(
        folder, python_model=Own(), pip_requirements=["mlflow"], **options
    )
    return folder


def signed(rows, answer, params=None):
    from mlflow.models import infer_signature

    return infer_signature(rows, answer, params)


def loaded(folder):
    model = models.load(folder)
    model.check()
    return model


@pytest.fixture(scope="module")
def flights(tmp_path_factory):
    """Five columns of four types, one of which may be missing."""
    encode = make_column_transformer(
        (OneHotEncoder(), ["carrier"]), remainder="passthrough"
    )
    model = make_pipeline(encode, HistGradientBoostingRegressor(max_iter=5))
    model.fit(FLIGHTS, DELAYS)
    return loaded(
        save(
            tmp_path_factory.mktemp("models") / "flights",
            model,
            signature=signed(FLIGHTS, model.predict(FLIGHTS)),
            input_example=FLIGHTS.head(2),
        )
    )


def client(model, prefix=PREFIX):
    class Prefixed:
        """As the gate does it: the whole path, and the prefix beside it."""

        def __init__(self, app):
            self.app = app

        async def __call__(self, scope, receive, send):
            await self.app({**scope, "root_path": unquote(prefix)}, receive, send)

    return httpx.AsyncClient(
        transport=httpx.ASGITransport(Prefixed(Endpoint(model, job(), "http://hub"))),
        base_url=f"http://hub{prefix}/",
    )


def call(model, method, path, **options):
    async def main():
        async with client(model) as asking:
            return await asking.request(method, path, **options)

    return asyncio.run(main())


def invoke(model, said):
    content = said if isinstance(said, bytes) else json.dumps(said)
    headers = {"Content-Type": "application/json"}
    return call(model, "POST", "invocations", content=content, headers=headers)


def records(*changes):
    return {"dataframe_records": [{**ROW, **change} for change in changes]}


def test_an_answer_is_the_models_own(flights):
    answer = invoke(flights, records({}, {"carrier": "AA", "dep_delay": None}))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    rows = pd.DataFrame([ROW, {**ROW, "carrier": "AA", "dep_delay": None}])
    expected = flights.predict(rows.astype({"distance": float, "dep_delay": float}), {})
    assert answer.json() == {"predictions": pytest.approx(expected.tolist())}


def test_an_optional_column_may_be_left_out(flights):
    row = {name: value for name, value in ROW.items() if name != "dep_delay"}
    left_out = invoke(flights, {"dataframe_records": [row]}).json()
    null = invoke(flights, records({"dep_delay": None})).json()
    assert left_out == null


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"distance": "far"}, "distance"),
        ({"distance": True}, "distance"),
        ({"month": 1.5}, "month"),
        ({"month": None}, "month"),
        ({"month": float("nan")}, "month"),
        ({"carrier": 5}, "carrier"),
        ({"weekend": 1}, "weekend"),
        ({"gate": "B4"}, "gate"),
    ],
)
def test_a_wrong_value_is_named(flights, change, field):
    answer = invoke(flights, records({}, change))
    assert answer.status_code == 422
    problem = Problem.model_validate(answer.json())
    assert problem.field == f"dataframe_records[1].{field}"
    assert field in problem.message


def test_a_value_that_the_model_refuses_is_not_a_failure(flights, caplog):
    answer = invoke(flights, records({"carrier": "ZZ"}))
    assert answer.status_code == 422
    assert "unknown categories" in answer.json()["message"]
    assert "Traceback" not in answer.text
    assert "Traceback" in caplog.text


def test_a_request_may_have_as_many_rows_as_the_model_answers_in_time(
    flights, monkeypatch
):
    assert flights.speed.most_rows > 2000  # it was measured on its own example
    slow = Speed()
    slow.saw(1, LONGEST_S / 2)
    monkeypatch.setattr(flights, "speed", slow)
    answer = invoke(flights, records({}, {}, {}))
    assert answer.status_code == 413
    assert "has 3 rows" in answer.json()["message"]
    assert "send at most 2 at a time" in answer.json()["message"]
    assert invoke(flights, records({}, {})).status_code == 200


def test_a_body_of_a_million_values_is_not_even_read(flights):
    content = b'{"inputs": [' + b"[1]," * 1_000_000 + b"[1]]}"
    answer = invoke(flights, content)
    assert answer.status_code == 413
    assert "over 1,000,000 values" in answer.json()["message"]


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{", {"Content-Type": "application/json"}, 400),
        (b"{}", {"Content-Type": "application/json"}, 422),
        (b"{}", {"Content-Type": "text/csv"}, 415),
        (b"{}", {"Content-Type": "application/json; charset=latin-1"}, 415),
        (b"{}", {"Content-Type": "application/json; a=b; charset=latin-1"}, 415),
        (b"{}", {"Content-Type": "application/json", "Content-Encoding": "gzip"}, 415),
        (b"{}", {}, 415),
        (b" " * 10_000_001, {"Content-Type": "application/json"}, 413),
    ],
)
def test_what_is_no_request_is_refused(flights, content, headers, status):
    answer = call(flights, "POST", "invocations", content=content, headers=headers)
    assert answer.status_code == status
    assert Problem.model_validate(answer.json()).message


@pytest.mark.parametrize(
    ("headers", "read"), [({}, 10), ({"Content-Length": "10000001"}, 0)]
)
def test_no_more_of_a_body_is_read_than_it_takes_to_refuse_it(flights, headers, read):
    sent = Sending()
    headers = {"Content-Type": "application/json", **headers}
    answer = call(flights, "POST", "invocations", content=sent, headers=headers)
    assert answer.status_code == 413
    assert sent.pieces == read


@pytest.mark.parametrize(
    "parameters",
    ['; charset="UTF-8"', "; charset=utf-8; profile=x", ";odata=verbose", " ;", ""],
)
def test_json_with_parameters_is_json(flights, parameters):
    headers = {"Content-Type": f"application/json{parameters}"}
    content = json.dumps(records({}))
    answer = call(flights, "POST", "invocations", content=content, headers=headers)
    assert answer.status_code == 200


def test_a_large_body_is_read_too(flights):
    answer = invoke(flights, records(*[{}] * 2000))
    assert len(answer.json()["predictions"]) == 2000


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "invocations", 405),
        ("POST", "health", 405),
        ("DELETE", "docs", 405),
        ("GET", "nowhere", 404),
        ("GET", "", 404),
        ("HEAD", "health", 200),
    ],
)
def test_each_route_has_its_method(flights, method, path, status):
    answer = call(flights, method, path)
    assert answer.status_code == status
    if status == 405:
        assert answer.headers["allow"] == Endpoint.ROUTES[path]


def test_sixteen_clients_each_get_their_own_answer(flights):
    def asked(n):
        return records({"distance": 100.0 * n, "month": n % 12 + 1})

    async def ask(asking, n):
        answer = await asking.post("invocations", json=asked(n))
        return answer.json()["predictions"]

    async def main():
        async with client(flights) as asking:
            return await asyncio.gather(*(ask(asking, n) for n in range(160)))

    together = asyncio.run(main())
    alone = [invoke(flights, asked(n)).json()["predictions"] for n in range(0, 160, 16)]
    assert together[::16] == [pytest.approx(one) for one in alone]


def test_one_bad_request_among_sixteen_harms_no_other(flights):
    async def main():
        async with client(flights) as asking:
            bodies = [records({"carrier": "ZZ" if n == 7 else "AA"}) for n in range(16)]
            posts = (asking.post("invocations", json=body) for body in bodies)
            return [answer.status_code for answer in await asyncio.gather(*posts)]

    assert asyncio.run(main()) == [200] * 7 + [422] + [200] * 8


def test_info_counts_and_has_no_data_at_first(flights):
    async def main():
        async with client(flights) as asking:
            before = (await asking.get("info")).json()
            await asking.post("invocations", json=records({}))
            await asking.post("invocations", json=records({"month": "x"}))
            return before, (await asking.get("info")).json()

    before, after = asyncio.run(main())
    assert before["latency_ms"] == {"p50": None, "p95": None}
    assert (before["requests"], before["errors"]) == (0, 0)
    assert (after["requests"], after["errors"]) == (2, 1)
    assert after["statuses"] == {"200": 1, "422": 1}
    assert 0 < after["latency_ms"]["p50"] <= after["latency_ms"]["p95"]
    assert (after["model"], after["version"], after["revision"]) == ("delays", "7", 3)
    assert [spec["name"] for spec in after["signature"]["inputs"]] == [*FLIGHTS.columns]


def test_the_documents_are_typed_and_their_example_is_accepted(flights):
    document = call(flights, "GET", "openapi.json").json()
    content = document["paths"]["/invocations"]["post"]["requestBody"]["content"]
    said = content["application/json"]
    split = said["schema"]["oneOf"][0]["properties"]["dataframe_split"]
    assert split["properties"]["columns"]["items"]["enum"] == [*FLIGHTS.columns]
    record = said["schema"]["oneOf"][1]["properties"]["dataframe_records"]["items"]
    assert record["properties"]["month"]["type"] == "integer"
    assert record["required"] == ["distance", "month", "carrier", "weekend"]
    assert document["servers"] == [{"url": f"{PREFIX}/"}]
    assert len(said["example"]["dataframe_split"]["data"]) == 1
    assert invoke(flights, said["example"]).status_code == 200


def test_the_documents_spell_an_owners_name_as_the_hub_does(flights):
    prefix = "/user/o%27malley%20%25@example.org/endpoint-x"

    async def main():
        async with client(flights, prefix) as asking:
            return await asking.get("openapi.json"), await asking.get("docs")

    document, page = asyncio.run(main())
    assert document.json()["servers"] == [{"url": f"{prefix}/"}]
    assert f"curl http://hub{prefix}/invocations" in page.text


def test_the_page_has_each_column_and_no_script(flights):
    answer = call(flights, "GET", "docs")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<script" not in answer.text
    assert f"curl http://hub{PREFIX}/invocations" in answer.text
    for name in FLIGHTS.columns:
        assert f"<td>{name}</td>" in answer.text


def test_names_in_the_page_are_text(tmp_path):
    rows = pd.DataFrame({"<b>it's</b>": [1.0, 2.0]})
    model = LinearRegression().fit(rows, [1, 2])
    model = loaded(save(tmp_path / "m", model, signature=signed(rows, [1.0, 2.0])))
    page = call(model, "GET", "docs").text
    assert "<b>it" not in page
    assert "&lt;b&gt;it" in page
    assert "it's</b>': " not in page


def test_a_tensor_model_is_served(tmp_path):
    rows = FLIGHTS[["distance", "month"]].to_numpy()
    model = LogisticRegression(max_iter=1000).fit(rows, DELAYS > 15)
    model = loaded(
        save(
            tmp_path / "m",
            model,
            signature=signed(rows, model.predict(rows)),
            input_example=rows[:2],
        )
    )
    assert invoke(model, {"inputs": [[2000, 12], [100, 1]]}).json() == {
        "predictions": [True, False]
    }
    refused = invoke(model, {"inputs": [[2000, None]]})
    assert refused.status_code == 422
    assert refused.json()["field"] == "inputs[0][1]"
    assert invoke(model, {"inputs": [[2000]]}).json()["field"] == "inputs[0]"


def test_a_model_without_a_signature_is_served(tmp_path):
    rows = FLIGHTS[["distance", "month"]]
    model = RandomForestClassifier(5, random_state=0).fit(rows.to_numpy(), DELAYS > 15)
    model = loaded(save(tmp_path / "m", model))
    assert invoke(model, {"instances": [[2000, 12]]}).json() == {"predictions": [True]}
    assert invoke(model, {"instances": [[2000]]}).status_code == 422
    assert invoke(model, {"instances": [[2000, "x"]]}).status_code == 422
    info = call(model, "GET", "info").json()
    assert info["signature"] is None


@pytest.mark.parametrize("size", [1, 3])
def test_what_a_model_that_is_well_cannot_use_is_the_askers_to_put_right(
    tmp_path, size
):
    def predict(self, context, model_input, params=None):
        return [{"a": 1}[each] for each in model_input["a"]]

    example = pd.DataFrame({"a": ["a"]})
    folder = save_python(
        tmp_path / "m",
        predict,
        input_example=example,
        signature=signed(example, np.array([1])),
    )
    model = loaded(folder)
    rows = [{"a": "a"}] * (size - 1) + [{"a": "z"}]
    answer = invoke(model, {"dataframe_records": rows})
    assert answer.status_code == 422
    assert answer.json()["field"] == f"dataframe_records[{size - 1}]"
    said = f"The model refuses row {size - 1} of this input: KeyError: 'z'. Write it as"
    assert answer.json()["message"].startswith(said)
    assert invoke(model, {"dataframe_records": rows[:1]}).status_code in {200, 422}


def test_an_infinite_prediction_is_told_apart_from_none(tmp_path):
    def predict(self, context, model_input, params=None):
        with np.errstate(all="ignore"):
            return np.log(model_input["a"].to_numpy())

    model = loaded(save_python(tmp_path / "m", predict))
    answer = invoke(model, {"dataframe_records": [{"a": 1}, {"a": 0}, {"a": -1}]})
    assert answer.json() == {"predictions": [0.0, "-Infinity", None]}


def test_optional_values_arrive_as_na_also_past_mlflows_own_check(tmp_path):
    def predict(self, context, model_input, params=None):
        return [str(model_input.dtypes[n]) for n in model_input] + [
            int(model_input.isna().sum().sum())
        ]

    rows = pd.DataFrame(
        {
            "i": pd.array([1, None], dtype="Int64"),
            "b": pd.array([None, True], dtype="boolean"),
        }
    )
    signature_ = signed(rows, np.array([1]))
    model = loaded(save_python(tmp_path / "m", predict, signature=signature_))
    answer = invoke(model, {"dataframe_records": [{"b": None}]})
    assert answer.json() == {"predictions": ["Int64", "boolean", 2]}


def test_what_mlflow_says_of_a_schema_is_told_whole():
    schema = "['a': long (required)]"
    said = f"Failed to enforce schema of data '   a\n0  x' with schema '{schema}'."
    error = RuntimeError(f"{said} Error: Incompatible input types for column a.")
    told = "RuntimeError: Incompatible input types for column a."
    assert models.told(error) == told
    assert models.told(ValueError("one\n two")) == "ValueError: one two"


def test_a_models_failure_is_one_line_and_logged(tmp_path, caplog):
    def predict(self, context, model_input, params=None):
        return 1 // (model_input["a"].to_numpy() - 13).item()

    model = loaded(save_python(tmp_path / "m", predict))
    with caplog.at_level(logging.ERROR), np.errstate(all="raise"):
        answer = invoke(model, {"dataframe_records": [{"a": 13}]})
    assert answer.status_code == 500
    message = answer.json()["message"]
    assert message.startswith("The model failed on this request: ")
    assert "\n" not in message
    assert "Traceback" not in message
    assert "Traceback" in caplog.text


def test_params_reach_the_model(tmp_path):
    def predict(self, context, model_input, params=None):
        return model_input["a"] * params["factor"]

    rows = pd.DataFrame({"a": [1.0, 2.0]})
    own = save_python(
        tmp_path / "m",
        predict,
        signature=signed(rows, rows["a"], {"factor": 2.0}),
    )
    model = loaded(own)
    said = {"dataframe_records": [{"a": 3}]}
    assert invoke(model, said).json() == {"predictions": [6.0]}
    answer = invoke(model, {**said, "params": {"factor": 5}})
    assert answer.json() == {"predictions": [15.0]}
    refused = invoke(model, {**said, "params": {"factor": "x"}})
    assert refused.json()["field"] == "params.factor"


def own_with_example(folder, predict):
    rows = pd.DataFrame({"a": [1.0, 2.0, 4.0]})
    signature = signed(rows, np.array([1.0, 2.0, 4.0]))
    saved = save_python(folder, predict, signature=signature, input_example=rows)
    return loaded(saved)


def test_an_own_model_is_batched_once_it_answers_its_example_by_row(tmp_path):
    def predict(self, context, model_input, params=None):
        return model_input["a"].to_numpy() * 2

    assert own_with_example(tmp_path / "m", predict).by_row


def test_an_own_model_that_looks_at_all_rows_is_never_batched(tmp_path):
    def predict(self, context, model_input, params=None):
        return (model_input["a"] / model_input["a"].max()).to_numpy()

    model = own_with_example(tmp_path / "m", predict)
    assert not model.by_row

    async def main():
        async with client(model) as asking:
            bodies = [{"dataframe_records": [{"a": n}]} for n in range(1, 17)]
            posts = (asking.post("invocations", json=body) for body in bodies)
            return [a.json()["predictions"] for a in await asyncio.gather(*posts)]

    assert asyncio.run(main()) == [[1.0]] * 16


def estimator_with_example(folder, model, rows):
    signature = signed(rows, model.predict(rows))
    return loaded(save(folder, model, signature=signature, input_example=rows))


def test_an_estimator_that_looks_at_all_rows_is_never_batched(tmp_path):
    rows = FLIGHTS[["distance", "dep_delay"]].tail(50)
    centred = FunctionTransformer(lambda all_rows: all_rows - all_rows.mean())
    model = make_pipeline(centred, LinearRegression()).fit(rows, DELAYS.tail(50))
    model = estimator_with_example(tmp_path / "m", model, rows)
    assert not model.by_row

    async def main():
        async with client(model) as asking:
            bodies = [
                {"instances": [{"distance": n * 100, "dep_delay": 0}]}
                for n in range(1, 17)
            ]
            posts = (asking.post("invocations", json=body) for body in bodies)
            return [a.json()["predictions"] for a in await asyncio.gather(*posts)]

    answers = asyncio.run(main())
    assert answers == [answers[0]] * 16


def test_the_last_bits_of_a_sum_do_not_keep_a_model_from_being_batched(tmp_path):
    numbers = np.random.default_rng(0).normal(size=(20, 40))
    rows = pd.DataFrame(numbers, columns=[f"c{n}" for n in range(40)])
    plain = LinearRegression().fit(rows, numbers.sum(axis=1) / 3)
    alone = [plain.predict(rows[n : n + 1])[0] for n in range(20)]
    assert alone != plain.predict(rows).tolist()
    assert estimator_with_example(tmp_path / "m", plain, rows).by_row


def test_an_estimator_without_an_example_of_two_rows_is_taken_by_its_flavour(tmp_path):
    rows = pd.DataFrame({"a": [1.0, 2.0]})
    model = LinearRegression().fit(rows, [1, 2])
    assert estimator_with_example(tmp_path / "m", model, rows.head(1)).by_row


def test_a_model_that_needs_several_rows_is_served_and_never_batched(tmp_path):
    def predict(self, context, model_input, params=None):
        if len(model_input) == 1:
            raise RuntimeError("one is no series")
        return model_input["a"].to_numpy()

    assert not own_with_example(tmp_path / "m", predict).by_row


def test_a_model_that_fails_on_its_own_example_does_not_start(tmp_path):
    def predict(self, context, model_input, params=None):
        if "trained" not in params:
            raise RuntimeError("not trained")
        return [1]

    rows = pd.DataFrame({"a": [1.0]})
    folder = save_python(
        tmp_path / "m",
        predict,
        signature=signed(rows, [1.0]),
        input_example=rows,
    )
    model = models.load(folder)
    with pytest.raises(Invalid, match="fails on its own example: ") as caught:
        model.check()
    assert "\n" not in caught.value.message


def _replace(folder, old, new):
    file = folder / "MLmodel"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


BROKEN = {
    "no MLmodel": lambda folder: (folder / "MLmodel").unlink(),
    "cannot be loaded: ParserError": lambda folder: (folder / "MLmodel").write_text(
        "{"
    ),
    "python_function": lambda folder: (folder / "MLmodel").write_text("flavors: {}"),
    "cannot be loaded: Unpickling": lambda folder: (folder / "model.pkl").write_bytes(
        b"x"
    ),
    "needs the module 'mlflow_of_nobody'": lambda folder: _replace(
        folder, "mlflow.sklearn", "mlflow_of_nobody"
    ),
}


@pytest.mark.parametrize("words", BROKEN)
def test_a_bad_model_says_in_one_line_what_is_wrong(tmp_path, words):
    rows = pd.DataFrame({"a": [1.0, 2.0]})
    model = LinearRegression().fit(rows, [1, 2])
    folder = save(tmp_path / "m", model, signature=signed(rows, [1.0, 2.0]))
    BROKEN[words](folder)
    with pytest.raises(Invalid, match=words) as caught:
        models.load(folder)
    assert "\n" not in caught.value.message


def test_a_websocket_is_declined_and_the_lifespan_kept(flights):
    async def talk(kind, *messages):
        said, heard = iter(messages), []

        async def receive():
            return {"type": next(said)}

        async def send(message):
            heard.append(message["type"])

        await Endpoint(flights, job())({"type": kind}, receive, send)
        return heard

    assert asyncio.run(talk("websocket", "websocket.connect")) == ["websocket.close"]
    assert asyncio.run(talk("lifespan", "lifespan.startup", "lifespan.shutdown")) == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


def test_a_client_that_goes_away_counts_for_nothing(flights):
    endpoint = Endpoint(flights, job())

    async def main():
        async def receive():
            return {"type": "http.disconnect"}

        async def send(message):
            raise AssertionError(message)

        scope = {"type": "http", "method": "POST", "path": "/invocations"}
        await endpoint({**scope, "headers": []}, receive, send)

    asyncio.run(main())
    assert endpoint._metrics.requests == 0


class Visit:
    """One POST of an input, as the server shows it to the application."""

    scope: ClassVar = {
        "type": "http",
        "method": "POST",
        "path": "/invocations",
        "headers": [(b"content-type", b"application/json")],
    }

    def __init__(self, endpoint, value):
        self.gone = asyncio.Event()
        self.status = None
        self._body = json.dumps({"dataframe_records": [{"a": value}]}).encode()
        self.task = asyncio.create_task(endpoint(self.scope, self.receive, self.send))

    async def receive(self):
        if self._body:
            body, self._body = self._body, b""
            return {"type": "http.request", "body": body}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        self.status = message.get("status", self.status)


class Held:
    """A model that answers once it is let go, and notes what it was asked."""

    def __init__(self):
        self.asked = []
        self.busy, self.go = threading.Event(), threading.Event()
        recorded = {"inputs": json.dumps([{"name": "a", "type": "long"}])}
        read = signature.parse(recorded, typed_by_hint=False)
        self.model = Model(self.predict, read, {}, example=None, by_row=True)

    def predict(self, data, params):
        self.asked.append(data["a"].tolist())
        self.busy.set()
        assert self.go.wait(PATIENCE_S)
        return data["a"]


async def until(true):
    async with asyncio.timeout(PATIENCE_S):
        while not true():  # noqa: ASYNC110  the other side is a thread
            await asyncio.sleep(0.001)


def test_a_request_whose_client_has_left_is_not_computed():
    held = Held()

    async def main():
        endpoint = Endpoint(held.model, job())
        visits = [Visit(endpoint, 0)]
        await until(held.busy.is_set)
        visits += [Visit(endpoint, n) for n in range(1, 21)]
        await until(lambda: endpoint._info()["waiting"] == 20)
        for visit in visits[:-1]:
            visit.gone.set()
        await until(lambda: endpoint._info()["waiting"] == 1)
        held.go.set()
        await asyncio.gather(*(visit.task for visit in visits))
        return [visit.status for visit in visits]

    # The first is being computed already, and nobody looks whether its client stays.
    assert asyncio.run(main()) == [200, *[None] * 19, 200]
    assert held.asked == [[0], [20]]


def test_a_model_that_hangs_is_not_healthy(monkeypatch):
    monkeypatch.setattr(batcher, "LONGEST_CALL_S", 1)
    held = Held()

    async def main():
        async with client(held.model) as asking:
            before = await asking.get("health")
            answer = await asking.post("invocations", json={"instances": [[1]]})
            return before, answer, await asking.get("health")

    before, answer, after = asyncio.run(main())
    held.go.set()
    assert [said.status_code for said in (before, answer, after)] == [200, 503, 503]
    for said in (answer, after):
        assert "The model" in Problem.model_validate(said.json()).message


def test_the_limit_of_a_body_is_the_documented_one():
    assert service.LARGEST_BODY == 10_000_000
