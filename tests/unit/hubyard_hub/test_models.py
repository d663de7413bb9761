from __future__ import annotations

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from hubyard.contract.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Rejected,
    TooLarge,
    Unavailable,
)
from hubyard.contract.slug import name_of
from hubyard_hub.models import model_copy
from hubyard_hub.models.example import example_of
from hubyard_hub.models.mlflow_client import MlflowClient
from hubyard_hub.models.model_copy import copy_model
from hubyard_hub.models.registry import _source
from hubyard_hub.models.servable import Servable
from hubyard_hub.models.tracked import moment
from hubyard_hub.serving.deployments import _NAME_LENGTH
from hubyard_hub.sources.blobs import Blobs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MLMODEL = 'signature:\n  inputs: \'[{"type": "double", "name": "x"}]\'\n'


def client(answer: Callable[[httpx.Request], httpx.Response]) -> MlflowClient:
    return MlflowClient("http://mlflow/s", transport=httpx.MockTransport(answer))


def always(status: int, **more: Any) -> MlflowClient:
    return client(lambda _: httpx.Response(status, **more))


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"message": "bad\nfilter"}, Invalid),
        (400, {"error_code": "RESOURCE_ALREADY_EXISTS", "message": "there"}, Conflict),
        (401, {}, Forbidden),
        (403, {"error_code": "PERMISSION_DENIED"}, Forbidden),
        (404, {"error_code": "RESOURCE_DOES_NOT_EXIST"}, NotFound),
        (409, {}, Conflict),
        (418, {}, Rejected),
        (500, {"message": "oops"}, Unavailable),
    ],
)
def test_mlflows_no_is_translated_once(
    status: int, body: dict[str, str], kind: type[Exception]
):
    with pytest.raises(kind) as caught:
        always(status, json=body).get("t", "/runs/get", run_id="r")
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)


def test_an_answer_that_is_no_json_is_still_a_no():
    with pytest.raises(Unavailable, match="answered 502"):
        always(502, text="<html>").post("t", "/runs/search", {})


def test_a_redirect_to_a_login_is_a_no():
    with pytest.raises(Forbidden):
        always(302, headers={"location": "/hub/login"}).get("t", "/x")


def test_mlflow_that_is_down_is_unavailable():
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(Unavailable, match="does not answer"):
        client(refuse).get("t", "/x")
    with pytest.raises(Unavailable), client(refuse).run_file("t", "r", "p"):
        pass


def test_a_refused_file_is_a_no():
    with pytest.raises(NotFound), always(404, json={}).model_file("t", "m", "p"):
        pass


class Folder:
    """A logged model's folder, served as MLflow serves it."""

    def __init__(self, **files: bytes) -> None:
        self.files = {name.replace("__", "."): body for name, body in files.items()}
        self.listing: list[dict[str, Any]] | None = None

    def client(self) -> MlflowClient:
        return client(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        params = request.url.params
        assert request.headers["authorization"] == "Bearer token"
        if (name := params.get("artifact_file_path")) is not None:
            if name not in self.files:
                return httpx.Response(404, json={})
            return httpx.Response(200, content=self.files[name])
        if self.listing is not None:
            return httpx.Response(200, json={"files": self.listing})
        listed = [{"path": name, "is_dir": False} for name in self.files]
        return httpx.Response(200, json={"files": listed})

    def copy(self, folder: Path) -> model_copy.ModelCopy:
        version = {"source": "models:/m-1", "version": "1"}
        return copy_model(self.client(), "token", version, Blobs(folder))


def test_a_copy_is_the_same_for_the_same_files(tmp_path: Path):
    files = Folder(MLmodel=MLMODEL.encode(), model__pkl=b"\x80evil")
    one, two = files.copy(tmp_path), files.copy(tmp_path)
    assert one == two
    assert one.signature == {"inputs": [{"type": "double", "name": "x"}]}
    assert one.example == {"dataframe_split": {"columns": ["x"], "data": [[0.0]]}}


def test_a_kept_example_is_preferred(tmp_path: Path):
    body = {"dataframe_split": {"columns": ["x"], "data": [[7.5]]}}
    files = Folder(MLmodel=MLMODEL.encode())
    files.files["serving_input_example.json"] = json.dumps(body).encode()
    assert files.copy(tmp_path).example == body
    for odd in (b'{"a": NaN}', b"[1]", b"{"):
        files.files["serving_input_example.json"] = odd
        example = files.copy(tmp_path).example
        assert example is not None
        assert example["dataframe_split"]["data"] == [[0.0]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "cannot be read"),
        (b"[]", "cannot be read"),
        (b"signature: {inputs: '{'}", "cannot be read"),
        (b"signature: {inputs: '[1]'}", "cannot be read"),
        (b'signature: {inputs: \'[{"type": "tensor"}]\'}', "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
        (b"{", "cannot be read"),
    ],
)
def test_an_mlmodel_that_cannot_be_read_is_refused(
    tmp_path: Path, text: bytes, words: str
):
    with pytest.raises(Invalid, match=words):
        Folder(MLmodel=text).copy(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_bomb_of_aliases_in_yaml_stays_small(tmp_path: Path):
    bomb = b"a: &a [x, x]\nb: &b [*a, *a]\nsignature:\n  inputs: *b\n"
    assert Folder(MLmodel=bomb).copy(tmp_path).signature is None
    merges = "".join(
        f"k{n}: &k{n}\n  <<: [{f'*k{n - 1}, ' * 9}]\n" for n in range(1, 9)
    )
    began = time.process_time()
    assert Folder(MLmodel=f"k0: &k0 {{a: b}}\n{merges}".encode()).copy(tmp_path)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "text",
    [
        b"a: [" + b"[" * 100_000,
        b"- " * 2**19,
        rb"signature: {inputs: '[{\"name\": \"\ud800\"}]'}",
    ],
    ids=["brackets", "dashes", "half a character"],
)
def test_an_mlmodel_of_no_sense_ends_no_platform(tmp_path: Path, text: bytes):
    with pytest.raises((Invalid, TooLarge)):
        Folder(MLmodel=text).copy(tmp_path)
    assert Folder(MLmodel=MLMODEL.encode()).copy(tmp_path)


def test_nothing_that_a_tag_asks_for_is_done(tmp_path: Path):
    asked = f"a: !!python/object/apply:os.mkdir ['{tmp_path / 'made'}']"
    assert Folder(MLmodel=asked.encode()).copy(tmp_path).signature is None
    assert not (tmp_path / "made").exists()


def test_a_version_without_a_model_is_refused(tmp_path: Path):
    with pytest.raises(Invalid, match="no MLflow model"):
        Folder(readme=b"x").copy(tmp_path)


@pytest.mark.parametrize("path", ["/etc/passwd", "../up", "a/../../up"])
def test_a_file_outside_is_refused(tmp_path: Path, path: str):
    files = Folder()
    files.listing = [{"path": path, "is_dir": False}]
    with pytest.raises(Invalid, match="outside"):
        files.copy(tmp_path)


def test_folders_without_end_are_refused(tmp_path: Path):
    files = Folder()
    files.listing = [{"path": "again", "is_dir": True}]
    with pytest.raises(Invalid, match="too deeply"):
        files.copy(tmp_path)


def test_too_many_or_too_large_files_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    files = Folder(MLmodel=MLMODEL.encode(), other=b"1")
    monkeypatch.setattr(model_copy, "_FILES", 1)
    with pytest.raises(TooLarge, match="files"):
        files.copy(tmp_path)
    monkeypatch.setattr(model_copy, "_FILES", 10)
    monkeypatch.setattr(model_copy, "LIMIT_BYTES", 3)
    with pytest.raises(TooLarge):
        files.copy(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_version_whose_files_are_elsewhere_is_refused(tmp_path: Path):
    run = {"run": {"info": {"artifact_uri": "mlflow-artifacts:/0/r/artifacts"}}}
    version = {"run_id": "r", "source": "mlflow-artifacts:/0/other/artifacts/m"}
    with pytest.raises(Invalid, match="outside MLflow"):
        copy_model(always(200, json=run), "token", version, Blobs(tmp_path))


def column(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, **more}


def tensor(dtype: str, *shape: int, **more: Any) -> dict[str, Any]:
    spec = {"dtype": dtype, "shape": list(shape)}
    return {"type": "tensor", "tensor-spec": spec, **more}


@pytest.mark.parametrize(
    ("inputs", "example"),
    [
        (None, None),
        ([], None),
        (
            [column("long", name="a"), column("string", name="b")],
            {"dataframe_split": {"columns": ["a", "b"], "data": [[0, ""]]}},
        ),
        ([column("double"), column("boolean")], {"inputs": [[0.0, False]]}),
        ([column("binary", name="a")], None),
        ([column("array", name="a")], None),
        ([tensor("float64", -1, 2)], {"inputs": [[0.0, 0.0]]}),
        ([tensor("int32", -1, name="a")], {"inputs": {"a": [0]}}),
        ([tensor("str", -1), tensor("bool", 1)], {"inputs": {"0": [""], "1": [False]}}),
        ([tensor("float32", -1, 640, 480)], None),
    ],
)
def test_an_example_fits_its_signature(inputs: Any, example: Any):
    assert example_of({"inputs": inputs} if inputs is not None else {}) == example


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("Flight Delays", "flight-delays"),
        ("churn", "churn"),
        ("2fast", "model-2fast"),
        ("日本", "model"),
        ("x" * 99, "x" * 40),
        ("a" * 39 + "-b", "a" * 39),
    ],
)
def test_a_deployment_is_named_after_its_model(model: str, name: str):
    assert name_of(model, _NAME_LENGTH, "model") == name


@pytest.mark.parametrize("tag", ["", "{", "1", "{}", "[]", "[1]", '[{"x": 1}]'])
def test_a_run_whose_tag_says_nothing_of_a_model_has_none(tag: str):
    tags = [{"key": "mlflow.log-model.history", "value": tag}]
    with pytest.raises(Rejected, match="has no model"):
        _source({"data": {"tags": tags}, "info": {"artifact_uri": "x"}})


@pytest.mark.parametrize(
    ("milliseconds", "year"), [("-5", 1970), (10**17, 9999), (1_795_593_575_486, 2026)]
)
def test_any_time_that_a_client_has_logged_can_be_shown(
    milliseconds: int | str, year: int
):
    assert moment(milliseconds).year == year


def test_a_silent_mlflow_is_not_asked_by_everybody():
    asked: list[int] = []

    def hang(_: httpx.Request) -> httpx.Response:
        asked.append(1)
        raise httpx.ReadTimeout("")

    silent = client(hang)
    for _ in range(5):
        with pytest.raises(Unavailable, match="does not answer"):
            silent.get("t", "/runs/get", run_id="r")
        with (
            pytest.raises(Unavailable, match="answer"),
            silent.run_file("t", "r", "model/MLmodel"),
        ):
            pass
    assert len(asked) == 1
    assert silent.is_silent


@pytest.mark.parametrize(
    "raised", [httpx.ConnectError(""), httpx.PoolTimeout(""), httpx.ReadError("")]
)
def test_an_mlflow_that_restarts_or_is_busy_is_asked_again(raised: httpx.HTTPError):
    def fail(_: httpx.Request) -> httpx.Response:
        raise raised

    restarting = client(fail)
    with pytest.raises(Unavailable):
        restarting.get("t", "/runs/get", run_id="r")
    assert not restarting.is_silent


def test_a_hung_mlflow_keeps_few_threads_waiting(monkeypatch: pytest.MonkeyPatch):
    short = httpx.Timeout(3, pool=0.5)
    monkeypatch.setattr("hubyard_hub.models.mlflow_client._TIMEOUT", short)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as mute:
        hung = MlflowClient(f"http://127.0.0.1:{mute.getsockname()[1]}")

        def wait(_: int) -> float:
            began = time.monotonic()
            with pytest.raises(Unavailable):
                hung.get("t", "/runs/get", run_id="r")
            return time.monotonic() - began

        with ThreadPoolExecutor(40) as pool:
            waited = sorted(pool.map(wait, range(40)))
        hung.close()
    assert sum(seconds >= 3 for seconds in waited) <= 16


SERVES = "flavors:\n  python_function:\n    env: conda.yaml\n  sklearn: {}\n"
NEEDS = b"""# what it needs
-c other.txt
mlflow[auth]==3.17.2
scikit-learn == 1.9.0 ; python_version > "3"
pywin32==1; sys_platform == "win32"
https://example.org/x.whl
"""


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"MLmodel": SERVES.encode(), "requirements__txt": NEEDS}, None),
        ({"MLmodel": SERVES.encode()}, None),
        ({"MLmodel": b"flavors:\n  sklearn: {}\n"}, "no predict"),
        ({"MLmodel": b"flavors: 5"}, "no predict"),
        ({"MLmodel": b"["}, "cannot be read"),
        ({"MLmodel": b"\xff\x00"}, "cannot be read"),
        ({"model__pkl": b"x"}, "logging it was not finished"),
        (
            {"MLmodel": SERVES.encode(), "requirements__txt": b"of-nobody==1.2"},
            "needs of-nobody, which endpoints here do not have",
        ),
    ],
)
def test_what_cannot_be_served_says_so_before_anything_starts(
    files: dict[str, bytes], words: str | None
):
    servable = Servable(Folder(**files).client())
    version = {"source": "models:/m-1", "version": "1"}
    marks = servable.marks("token", [version])
    if words is None:
        servable.check("token", version, "version")
        assert marks == {}
        return
    with pytest.raises(Invalid, match=words) as caught:
        servable.check("token", version, "version")
    assert caught.value.field == "version"
    assert words in marks["models:/m-1"]


def test_a_list_reads_only_some_versions_that_it_does_not_know():
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200, content=b"flavors: {}\n")

    versions = [{"source": f"models:/m-{n}", "version": "1"} for n in range(15)]
    servable = Servable(client(answer))
    assert len(servable.marks("token", versions)) == 10
    assert len(asked) == 20
    assert len(servable.marks("token", versions)) == 15
    assert len(asked) == 30
