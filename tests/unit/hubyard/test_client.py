"""The client: one method a call, and every way in which a call can fail."""

from __future__ import annotations

import io
import os
import socket
import tarfile
import threading

import pytest

from hubyard.client import Client, Outside, nouns, source
from hubyard.client.wire import Wire
from hubyard.contract.app import AppRequest, Share
from hubyard.contract.base import now
from hubyard.contract.budget import BudgetRequest, Scope
from hubyard.contract.deployment import DeploymentJob, DeploymentRequest
from hubyard.contract.errors import (
    Conflict,
    Forbidden,
    HubyardError,
    Invalid,
    NotFound,
    Rejected,
    TooLarge,
    Unavailable,
)
from hubyard.contract.notice import ChannelRequest
from hubyard.contract.run import RunRecord, RunRequest
from hubyard.contract.schedule import ScheduleChange, ScheduleRequest
from hubyard.contract.tracking import RegisterRequest
from hubyard.contract.workload import Status
from support.answering import (
    APP,
    DEPLOYMENT,
    DIGEST,
    NOTHING,
    RUN,
    TRACKED,
    Raw,
    answering,
    served,
)

__all__ = ["answering", "served"]  # fixtures

NAMES = ("HUBYARD_PLATFORM_URL", "HUBYARD_TOKEN", "JUPYTERHUB_API_TOKEN")


@pytest.fixture
def client(answering):
    with Client.from_environment() as client:
        yield client


# -- one method a call -----------------------------------------------------------------

RUN_WISH = RunRequest(source=DIGEST, notebook="train.ipynb")
SCHEDULE_WISH = ScheduleRequest(source=DIGEST, notebook="train.ipynb", cron="0 6 * * *")
CHANNEL_WISH = ChannelRequest(url="mailto://mail.example.org")
DEPLOYMENT_WISH = DeploymentRequest(model="churn", version="3")
APP_WISH = AppRequest(source=DIGEST, path="app.py")
REGISTER = RegisterRequest(run_id=TRACKED, name="churn")
BEN = Share(user="ben")

CALLS = {
    "GET me": lambda c: c.me().name == "ana",
    "GET compute": lambda c: c.compute().compute[0].name == "small",
    "POST runs/preview": lambda c: c.runs.preview(RUN_WISH).total.text == "$0.20",
    "POST estimate": lambda c: c.estimate("small", 60).total.text == "$0.20",
    "GET workloads": lambda c: c.workloads()[0].seconds_left == 5400,
    "GET workloads/self": lambda c: c.workload().entry_id == "e1",
    "GET spend": lambda c: c.spend().total.text == "$0.20",
    "GET spend/everybody": lambda c: c.everybodys_spend().owner == "",
    "GET ledger": lambda c: c.ledger_csv() == b"number,id\r\n",
    "POST workloads/e1/extend": lambda c: c.extend("e1", 60).entry_id == "e1",
    "GET budgets": lambda c: c.budgets.list()[0].name == "ana",
    "GET budgets/changes": lambda c: c.budgets.changes()[0].amount is None,
    "PUT budgets/user/ana": lambda c: (
        c.budgets.set(Scope.USER, "ana", BudgetRequest(amount=5)).percent == 4
    ),
    "DELETE budgets/user/ana": lambda c: c.budgets.remove(Scope.USER, "ana") is None,
    "GET experiments": lambda c: c.experiments()[0].name == "ana/train",
    "GET tracked-runs": lambda c: c.last_tracked_run().id == TRACKED,
    f"GET tracked-runs/{TRACKED}/notebook": lambda c: c.tracked_notebook(TRACKED),
    "GET runs": lambda c: c.runs.list()[0].id == "r1",
    "POST runs": lambda c: c.runs.start(RUN_WISH).id == "r1",
    "GET runs/r1": lambda c: c.runs.get("r1").cells == (),
    "POST runs/r1/stop": lambda c: c.runs.stop("r1").id == "r1",
    "DELETE runs/r1": lambda c: c.runs.delete("r1") is None,
    "GET runs/r1/log": lambda c: c.runs.log("r1") == "what it printed\n",
    "GET schedules": lambda c: c.schedules.list()[0].id == "s1",
    "GET calendar": lambda c: c.schedules.calendar().days[0].today,
    "POST schedules": lambda c: c.schedules.create(SCHEDULE_WISH).id == "s1",
    "GET schedules/s1": lambda c: c.schedules.get("s1").id == "s1",
    "PATCH schedules/s1": lambda c: c.schedules.change("s1", ScheduleChange()).paused,
    "POST schedules/s1/run": lambda c: c.schedules.run("s1").id == "r1",
    "DELETE schedules/s1": lambda c: c.schedules.delete("s1") is None,
    "GET models": lambda c: c.models.list()[0].name == "churn",
    "GET notices": lambda c: c.bell.list().unseen == 1,
    "POST notices/seen": lambda c: c.bell.see(("n1",)).unseen == 0,
    "GET channels": lambda c: c.channels.list()[0].name == "ops",
    "PUT channels/ops": lambda c: c.channels.put("ops", CHANNEL_WISH).kind == "mail",
    "POST channels/ops/trial": lambda c: c.channels.try_out("ops").status == "sent",
    "DELETE channels/ops": lambda c: c.channels.remove("ops") is None,
    "GET channels/deliveries": lambda c: c.channels.deliveries()[0].attempts == 1,
    "POST models": lambda c: c.models.register(REGISTER).version == "3",
    "GET deployments": lambda c: c.deployments.list()[0].id == "churn-1",
    "POST deployments": lambda c: c.deployments.create(DEPLOYMENT_WISH).id == "churn-1",
    "GET deployments/churn-1": lambda c: (
        c.deployments.wait("churn-1").status == "ready"
    ),
    "POST deployments/churn-1/start": lambda c: c.deployments.start("churn-1").name,
    "POST deployments/churn-1/stop": lambda c: c.deployments.stop("churn-1").name,
    "DELETE deployments/churn-1": lambda c: c.deployments.delete("churn-1") is None,
    "POST deployments/churn-1/keys": lambda c: c.deployments.key("churn-1").token,
    "GET deployments/churn-1/log": lambda c: c.deployments.log("churn-1"),
    "GET apps": lambda c: c.apps.list()[0].id == "report-1",
    "POST apps": lambda c: c.apps.publish(APP_WISH).id == "report-1",
    "GET apps/report-1": lambda c: c.apps.wait("report-1").status == "ready",
    "POST apps/report-1/start": lambda c: c.apps.start("report-1").name,
    "POST apps/report-1/stop": lambda c: c.apps.stop("report-1").name,
    "DELETE apps/report-1": lambda c: c.apps.delete("report-1") is None,
    "POST apps/report-1/shares": lambda c: c.apps.share("report-1", BEN).id,
    "DELETE apps/report-1/shares": lambda c: c.apps.unshare("report-1", BEN).id,
    "GET apps/report-1/log": lambda c: c.apps.log("report-1"),
}


@pytest.mark.parametrize("call", CALLS)
def test_each_method_is_one_call(client, answering, call):
    assert CALLS[call](client)
    assert answering.calls() == [call]


@pytest.mark.parametrize("name", ["notebook", "report"])
def test_what_a_run_has_kept_comes_as_it_is(client, answering, name):
    answering.answers[f"GET runs/r1/{name}"] = Raw(content=b"\xff<html>")
    assert getattr(client.runs, name)("r1") == b"\xff<html>"


def test_what_has_no_word_is_left_out(client, answering):
    client.runs.start(RUN_WISH.model_copy(update={"parameters": {"a": None}}))
    assert answering.bodies("POST runs") == [
        {
            "source": DIGEST,
            "notebook": "train.ipynb",
            "parameters": {"a": None},
            "parameter_texts": {},
            "fresh": False,
        }
    ]
    client.runs.stop("r1")
    assert answering.bodies("POST runs/r1/stop") == [{}]


# -- for workloads ---------------------------------------------------------------------


def test_a_workload_takes_its_job_and_hands_in_its_record(client, answering, tmp_path):
    answering.answers["GET job"] = {
        "deployment_id": "churn-1",
        "name": "churn",
        "revision": DEPLOYMENT["revision"],
    }
    (tmp_path / "model.py").write_text("x = 1")
    packed = source.pack(tmp_path / "model.py")
    answering.answers["GET job/source"] = Raw(content=packed)
    for name in ("record", "steps/train/notebook", "steps/train/report"):
        answering.answers[f"PUT job/{name}"] = NOTHING
    assert client.job(DeploymentJob).name == "churn"
    client.job_source(tmp_path / "into")
    assert (tmp_path / "into" / "model.py").read_text() == "x = 1"
    record = RunRecord(revision=1, status=Status.RUNNING, started_at=now())
    client.put_record(record)
    (sent,) = answering.bodies("PUT job/record")
    assert RunRecord.model_validate(sent) == record
    client.put_file("notebook", "train", tmp_path / "model.py")
    client.put_file("report", "train", tmp_path / "model.py")
    assert answering.asked[-1] == ("PUT job/steps/train/report", b"x = 1")


def test_a_source_that_is_refused_or_cut_off_is_an_error(client, answering, tmp_path):
    answering.answers["GET job/source"] = "It is gone."
    with pytest.raises(Conflict, match="It is gone"):
        client.job_source(tmp_path)
    answering.answers["GET job/source"] = Raw(after=threading.Event(), content=b"x")
    with (
        Client.from_environment(patience_s=0.2) as hurried,
        pytest.raises(Unavailable, match="does not answer"),
    ):
        hurried.job_source(tmp_path)
    answering.answers["GET job/source"].after.set()


# -- ids -------------------------------------------------------------------------------


@pytest.mark.parametrize("noun", ["runs", "schedules", "deployments", "apps"])
@pytest.mark.parametrize(
    "id_",
    ["", ".", "..", "../me", "a/b", "a?b=c", "a#b", "a b", "a\x00", "é", "%2e", "-"],
)
def test_what_is_no_id_asks_nothing(client, answering, noun, id_):
    with pytest.raises(NotFound, match=f"list the {noun} to see theirs") as refused:
        getattr(client, noun).get(id_)
    assert "\n" not in refused.value.message
    assert answering.calls() == []


# -- how a call can fail ---------------------------------------------------------------

FAILS = [
    (Raw(400, b'{"message": "no", "field": "cron"}'), Rejected, "no"),
    (Raw(403, b'{"message": "no"}'), Forbidden, "no"),
    (Raw(404, b'{"message": "no"}'), NotFound, "no"),
    (Raw(409, b'{"message": "no"}'), Conflict, "no"),
    (Raw(413, b'{"message": "no"}'), TooLarge, "no"),
    (Raw(422, b'{"message": "two\\nlines"}'), Invalid, "two lines"),
    (Raw(500, b'{"message": "no"}'), HubyardError, "no"),
    (Raw(503, b'{"message": "no"}'), Unavailable, "no"),
    (Raw(401, b'{"message": "Log in."}'), Rejected, "make another on its page Token"),
    (Raw(302), Rejected, "answered 302: look whether HUBYARD_PLATFORM_URL leads"),
    (Raw(404, b"<html>"), NotFound, "answered 404: look whether HUBYARD_PLATFORM_URL"),
    (Raw(502, b"<html>"), HubyardError, "answered 502: try again in a moment."),
    (Raw(503, b"<html>"), Unavailable, "answered 503: try again in a moment."),
    (Raw(200, b"<html>"), HubyardError, "do not belong together"),
    (Raw(200, b"\xff"), HubyardError, "do not belong together"),
    (Raw(200, b""), HubyardError, "do not belong together"),
    (Raw(200, b"[]"), HubyardError, "do not belong together"),
    (Raw(200, b'{"currency": 1}'), HubyardError, "do not belong together"),
]


@pytest.mark.parametrize(("answer", "kind", "says"), FAILS, ids=lambda x: str(x)[:40])
def test_an_answer_becomes_the_error_that_it_stands_for(
    client, answering, answer, kind, says
):
    answering.answers["GET compute"] = answer
    with pytest.raises(HubyardError) as failed:
        client.compute()
    assert type(failed.value) is kind
    assert says in failed.value.message
    assert "\n" not in failed.value.message


def test_a_refusal_names_its_field(client, answering):
    answering.answers["POST estimate"] = Raw(422, b'{"message": "no", "field": "x"}')
    with pytest.raises(Invalid) as failed:
        client.estimate("small")
    assert failed.value.field == "x"


def test_whom_no_compute_is_offered_gets_no_estimate(client, answering):
    nothing = {"currency": "USD", "limits": "soft", "compute": []}
    answering.answers["GET compute"] = nothing
    with pytest.raises(NotFound, match="ask who runs this hub"):
        client.estimate()
    answering.answers["GET tracked-runs"] = {"runs": [], "next_page": None}
    with pytest.raises(NotFound, match="train a model in a cell first"):
        client.last_tracked_run()


def test_who_does_not_answer_is_named(client, answering, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    url = f"http://127.0.0.1:{port}/services/hubyard"
    with (
        Client(Wire(f"{url}/", "a token")) as away,
        pytest.raises(Unavailable, match=r"at http://.*hubyard \(ConnectError\): try"),
    ):
        away.compute()
    silent = Raw(after=threading.Event())
    answering.answers["GET compute"] = silent
    with (
        Client.from_environment(patience_s=0.2) as hurried,
        pytest.raises(Unavailable, match=r"\(ReadTimeout\): try again in a moment"),
    ):
        hurried.compute()
    silent.after.set()


# -- where Hubyard is ------------------------------------------------------------------

GOOD_URL = "http://127.0.0.1:1/services/hubyard"


@pytest.mark.parametrize(
    ("url", "token", "says"),
    [
        (None, "t", "set HUBYARD_PLATFORM_URL and HUBYARD_TOKEN"),
        ("", "t", "set HUBYARD_PLATFORM_URL and HUBYARD_TOKEN"),
        (GOOD_URL, None, "set HUBYARD_PLATFORM_URL and HUBYARD_TOKEN"),
        (GOOD_URL, "", "set HUBYARD_PLATFORM_URL and HUBYARD_TOKEN"),
        ("nonsense", "t", "write it as http://HOST:PORT/services/hubyard"),
        ("http://", "t", "write it as http://HOST:PORT/services/hubyard"),
        ("ftp://hub", "t", "write it as http://HOST:PORT/services/hubyard"),
        ("http://[hub", "t", "write it as http://HOST:PORT/services/hubyard"),
        ("http://hub:port/", "t", "write it as http://HOST:PORT/services/hubyard"),
        ("http://hub:99999/", "t", "write it as http://HOST:PORT/services/hubyard"),
        ("http://hub:0/", "t", "write it as http://HOST:PORT/services/hubyard"),
        (GOOD_URL, " ", "make one on the hub's page Token"),
        (GOOD_URL, "t\n", "make one on the hub's page Token"),
        (GOOD_URL, "é", "make one on the hub's page Token"),
        (GOOD_URL, "\udcff", "make one on the hub's page Token"),
    ],
)
def test_an_environment_that_leads_nowhere_is_one_line(monkeypatch, url, token, says):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in zip(NAMES, (url, token), strict=False):
        if value is not None:
            monkeypatch.setenv(name, value)
    with pytest.raises(Outside) as outside:
        Client.from_environment()
    assert says in outside.value.message
    assert "\n" not in outside.value.message


def test_a_workspaces_own_token_serves_where_nobody_gave_another(
    answering, monkeypatch
):
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "of the workspace")
    for given, used in (("mine", "mine"), ("", "of the workspace")):
        monkeypatch.setenv("HUBYARD_TOKEN", given)
        with Client.from_environment() as client:
            headers = client._wire._http.headers
        assert headers["Authorization"] == f"Bearer {used}"


# -- waiting ---------------------------------------------------------------------------


def test_waiting_tells_of_each_answer_and_ends_with_the_work(
    client, answering, monkeypatch
):
    states = iter(["running", "running", "succeeded"])

    def next_state(*_):
        answering.answers["GET runs/r1"] = {**RUN, "status": next(states)}

    next_state()
    monkeypatch.setattr(nouns.time, "sleep", next_state)
    told = []
    ended = client.runs.wait("r1", told.append)
    assert [run.status for run in told] == ["running", "running", "succeeded"]
    assert ended.status is Status.SUCCEEDED


@pytest.mark.parametrize(
    ("noun", "id_", "thing"),
    [
        ("runs", "r1", RUN),
        ("deployments", "churn-1", DEPLOYMENT),
        ("apps", "report-1", APP),
    ],
)
def test_waiting_has_an_end(client, answering, monkeypatch, noun, id_, thing):
    monkeypatch.setattr(nouns, "_POLL_S", 0)
    answering.answers[f"GET {noun}/{id_}"] = {**thing, "status": "starting"}
    with pytest.raises(Unavailable, match="is still starting: look again later"):
        getattr(client, noun).wait(id_, timeout_s=0)


# -- sources ---------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path):
    files = [
        "train.ipynb",
        "other.ipynb",
        "data.csv",
        "hubyard.yml",
        "features.py",
        "sub/more.py",
        "sub/hubyard.yml",
        ".hidden.py",
        ".git/hook.py",
        "__pycache__/a.py",
        "node_modules/b.py",
        "env/pyvenv.cfg",
        "env/lib/c.py",
    ]
    for name in files:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "link.py").symlink_to("features.py")
    (tmp_path / "linked").symlink_to("sub")
    return tmp_path


def names(packed):
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        return archive.getnames()


def test_a_source_is_the_file_and_the_modules_beside_it(project, monkeypatch):
    packed = source.pack(project / "train.ipynb")
    expected = ["features.py", "hubyard.yml", "sub/more.py", "train.ipynb"]
    assert names(packed) == expected
    os.utime(project / "features.py", (0, 0))
    assert source.pack(project / "train.ipynb") == packed
    monkeypatch.chdir(project / "sub")
    assert source.pack(project / "sub" / ".." / "train.ipynb") == packed


def test_what_a_run_executes_is_packed_in_its_projects_layout(tmp_path, monkeypatch):
    held = ["hubyard.yml", "lib.py", "data/x.csv", "work/a/train.ipynb", "work/b.py"]
    for name in [*held, "work/a/own.py", "work/other.ipynb"]:
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("data: data/*.csv")
    file = tmp_path / "project" / "work" / "a" / "train.ipynb"
    root = source.root_of_run(file)
    assert source.name_of(file, root) == "work/a/train.ipynb"
    assert names(source.pack(file, root)) == sorted([*held, "work/a/own.py"])
    assert names(source.pack(file)) == ["own.py", "train.ipynb"], "of an app"

    nearer = file.parent.parent / "hubyard.yml"
    nearer.touch()
    assert source.root_of_run(file) == nearer.parent
    assert source.root_of_run(tmp_path / "project" / "flow.yml") == root
    monkeypatch.setenv("HOME", str(nearer.parent))
    assert source.root_of_run(file) == file.parent, "the home is no project of all"
    in_home = nearer.parent / "other.ipynb"
    assert source.root_of_run(in_home) == nearer.parent


@pytest.mark.parametrize(
    ("name", "root"),
    [
        ("train.ipynb", "project/work"),
        ("work/train.ipynb", "project"),
        ("other/train.ipynb", "project"),
    ],
)
def test_a_file_may_keep_the_name_that_it_had(tmp_path, name, root):
    (tmp_path / "project" / "work").mkdir(parents=True)
    (tmp_path / "project" / "hubyard.yml").touch()
    file = tmp_path / "project" / "work" / "train.ipynb"
    assert source.root_by_name(file, name) == tmp_path / root


def test_a_link_that_is_named_is_followed(project):
    (project / "board.ipynb").symlink_to("train.ipynb")
    packed = source.pack(project / "board.ipynb")
    assert "board.ipynb" in names(packed)


def test_a_notebook_is_asked_for_its_parameters_and_a_file_is_not(
    client, answering, project
):
    assert client.sources.upload(project / "train.ipynb").notebook == "train.ipynb"
    kept = client.sources.upload(str(project / "features.py"))
    assert not hasattr(kept, "notebook")
    client.sources.upload_notebook(str(project / "features.py"))
    assert answering.calls() == ["POST sources"] * 3


UNPACKABLE = [
    (
        "nowhere.ipynb",
        NotFound,
        "There is no file 'nowhere.ipynb' here: save it first.",
    ),
    ("nowhere/a.ipynb", NotFound, "There is no file 'a.ipynb' here: save it first."),
    ("sub", Invalid, "is a folder: name a notebook or file in it."),
    ("dangling.ipynb", NotFound, "There is no file 'dangling.ipynb' here"),
    ("pipe.ipynb", NotFound, "There is no file 'pipe.ipynb' here"),
    ("x" * 300, Invalid, "cannot be read: File name too long."),
    ("memory.ipynb", Invalid, "'memory.ipynb' cannot be read: Input/output error."),
]


@pytest.mark.parametrize(
    ("name", "kind", "says"), UNPACKABLE, ids=lambda x: str(x)[:20]
)
def test_what_cannot_be_packed_is_one_line(project, name, kind, says):
    (project / "dangling.ipynb").symlink_to("gone.ipynb")
    (project / "memory.ipynb").symlink_to("/proc/self/mem")
    os.mkfifo(project / "pipe.ipynb")
    with pytest.raises(kind) as refused:
        source.pack(project / name)
    assert says in refused.value.message


@pytest.mark.parametrize("large", ["train.ipynb", "features.py"])
def test_a_source_has_a_largest_size(project, monkeypatch, large):
    monkeypatch.setattr(source, "SOURCE_LIMIT_BYTES", 2**20)
    (project / large).write_bytes(os.urandom(2**21))
    with pytest.raises(TooLarge, match="and its modules are larger than 1 MB"):
        source.pack(project / "train.ipynb")


def test_what_the_last_flush_adds_counts_too(project, monkeypatch):
    packed = len(source.pack(project / "train.ipynb"))
    monkeypatch.setattr(source, "SOURCE_LIMIT_BYTES", packed - 1)
    with pytest.raises(TooLarge):
        source.pack(project / "train.ipynb")
    monkeypatch.setattr(source, "SOURCE_LIMIT_BYTES", packed)
    assert len(source.pack(project / "train.ipynb")) == packed


def archive(*members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as made:
        for name, kind, content in members:
            member = tarfile.TarInfo(name)
            member.type, member.size = kind, len(content)
            if kind == tarfile.SYMTYPE:
                member.linkname = "/etc/passwd"
            made.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


GOOD = ("a.py", tarfile.REGTYPE, os.urandom(5000))
TEXT = archive(("a.py", tarfile.REGTYPE, " ".join(map(str, range(9999))).encode()))
HOSTILE = {
    "nothing": (b"", "cannot be unpacked"),
    "nonsense": (b"nonsense", "cannot be unpacked"),
    "cut off": (archive(GOOD)[:-100], "cannot be unpacked"),
    "garbled": (TEXT[:5000] + b"\xff" * 5000, "cannot be unpacked"),
    "above": (archive(("../a.py", tarfile.REGTYPE, b"x")), "cannot be unpacked"),
    "a link": (archive(("a", tarfile.SYMTYPE, b"")), "'a', which is no file"),
    "a device": (archive(("a", tarfile.CHRTYPE, b"")), "'a', which is no file"),
    "a pipe": (archive(("a", tarfile.FIFOTYPE, b"")), "'a', which is no file"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_source_stays_outside(tmp_path, name):
    packed, says = HOSTILE[name]
    into = tmp_path / "into"
    into.mkdir()
    with pytest.raises(Invalid, match=says) as refused:
        source.unpack(packed, into)
    assert "\n" not in refused.value.message
    assert not (tmp_path / "a.py").exists()


def test_a_file_in_the_way_of_a_folder_is_named_and_no_path_of_the_machine(tmp_path):
    both = archive(("a", tarfile.REGTYPE, b""), ("a/b.py", tarfile.REGTYPE, b""))
    with pytest.raises(
        Invalid, match=r"'a/b\.py' as a file and as a folder"
    ) as refused:
        source.unpack(both, tmp_path)
    assert str(tmp_path) not in refused.value.message


def test_a_folder_that_cannot_be_written_is_not_shown(tmp_path):
    into = tmp_path / "file" / "below"
    into.parent.touch()
    with pytest.raises(Invalid) as refused:
        source.unpack(archive(GOOD), into)
    assert str(tmp_path) not in refused.value.message


@pytest.mark.parametrize("limit", ["MEMBER_LIMIT", "UNPACKED_LIMIT_BYTES"])
def test_a_bomb_is_not_unpacked_to_its_end(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(source, limit, 1)
    files = [(f"{n}.py", tarfile.REGTYPE, b"xx"[: n + 1]) for n in range(3)]
    with pytest.raises(TooLarge):
        source.unpack(archive(*files), tmp_path)
    assert len(list(tmp_path.iterdir())) == 1


def test_folders_come_along_and_streams_are_read(tmp_path):
    packed = archive(("sub", tarfile.DIRTYPE, b""), ("sub/a.py", tarfile.REGTYPE, b"x"))
    source.unpack(io.BytesIO(packed), tmp_path)
    assert (tmp_path / "sub" / "a.py").read_bytes() == b"x"
