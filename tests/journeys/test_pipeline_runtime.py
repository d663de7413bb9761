"""A run of several steps: a real run process against the real platform."""

from __future__ import annotations

import os
import signal

import psutil
import pytest
from mlflow import MlflowClient

from hubyard.contract.run import CellStatus, FailureReason, StepStatus
from hubyard.contract.workload import Status
from hubyard_hub.runs import kept
from support.mlflow_server import mlflow_server
from support.patience import SOON_S, until
from support.platform import app, code_cell, hub, notebook, parts, upload
from support.runs import RunProcess, gone, notebook_of, platform, text_of

__all__ = ["app", "hub", "parts", "platform"]

PIPELINE = "pipelines/train.yml"
S = StepStatus
WAIT = "import time; time.sleep(600)"


@pytest.fixture
def begin(platform, tmp_path):
    """Starts a run of a pipeline, or one that exists."""
    started = []

    def begin(steps="", files=(), path=PIPELINE, id_=None, extra=None, **more):
        if id_ is None:
            held = {PIPELINE: steps.encode(), **dict(files)}
            body = {"source": upload(platform.owner, held), "notebook": path, **more}
            answer = platform.owner.post("/runs", json=body)
            assert answer.status_code == 201, answer.text
            id_ = answer.json()["id"]
        run = RunProcess(id_, tmp_path / id_, platform, extra or {})
        started.append(run)
        run.start()
        return run

    yield begin
    for run in started:
        run.end()


def ended(run, code=0):
    assert run.wait() == code, run.log()
    return run.platform.detail(run.id)


def status_of(detail):
    return {step.key: step.status for step in detail.steps}


def step_of(detail, key):
    return next(step for step in detail.steps if step.key == key)


TRAINING = """
name: Nightly training
parameters:
  rows: 100
steps:
  prepare:
    notebook: prepare.ipynb
    parameters: {rows: "${rows}"}
    outputs: [rows, data]
  train:
    notebook: train.ipynb
    parameters:
      data: ${prepare.data}
      trees: ${each}
    each: [10, 50]
    outputs: score
  best:
    script: best.py
    parameters: {scores: "${train.score}", rows: "${prepare.rows}"}
    when: ${prepare.rows} > 50
  sorry:
    script: best.py
    when: ${prepare.rows} <= 50
"""
NOTEBOOKS = {
    "prepare.ipynb": notebook_of(
        "rows = 10  # parameters",
        "from pathlib import Path\nfrom hubyard import pipelines",
        "Path('big.csv').write_text('x' * rows)",
        "pipelines.output('rows', rows * 2)",
        "pipelines.output('data', Path('big.csv'))",
    ),
    "train.ipynb": notebook_of(
        "data: str = ''\ntrees: int = 0  # parameters",
        "from hubyard import pipelines",
        "print(len(open(data).read()), trees)",
        "pipelines.output('score', trees / 100)",
    ),
    "best.py": (
        b'# %% tags=["parameters"]\nscores: list = []\nrows: int = 0\n'
        b"# %%\nprint(scores, rows)\n"
    ),
}


def test_steps_follow_one_another_and_hand_over(begin):
    run = begin(TRAINING, NOTEBOOKS, parameters={"rows": 7000})
    detail = ended(run)
    assert detail.name == "Nightly training"
    assert status_of(detail) == {
        **dict.fromkeys(("prepare", "train.0", "train.1", "best"), S.SUCCEEDED),
        "sorry": S.SKIPPED,
    }
    assert (detail.steps_done, detail.steps_total) == (5, 5)
    assert text_of(run.output("train.1")["cells"][3]) == "7000 50\n"
    assert text_of(run.output("best")["cells"][2]) == "[0.1, 0.5] 14000\n"
    train = step_of(detail, "train.1")
    assert (train.item, train.attempt, train.file) == (50, 1, "train.ipynb")
    assert train.peak_bytes > 10**7
    assert train.started_at >= step_of(detail, "prepare").ended_at
    owner = run.platform.owner
    for key in ("prepare", "train.0", "train.1", "best"):
        for kind in ("notebook", "report"):
            got = owner.get(f"/runs/{run.id}/{kind}?step={key}")
            assert got.status_code == 200, key
    assert owner.get(f"/runs/{run.id}/notebook?step=sorry").status_code == 404
    assert owner.get(f"/runs/{run.id}/notebook?step=../x").status_code == 404


EMPTY = """
parameters: {numbers: [1, 2]}
steps:
  square:
    script: square.py
    each: ${numbers}
    when: ${each} != 2
    parameters: {n: "${each}"}
    outputs: [square]
  join:
    script: join.py
    parameters: {squares: "${square.square}", of: "${square.each}"}
"""
SQUARES = {
    "square.py": b'# %% tags=["parameters"]\nn: int = 0\n'
    b"# %%\nfrom hubyard import pipelines\npipelines.output('square', n * n)\n",
    "join.py": b'# %% tags=["parameters"]\nsquares: list = [0]\nof: list = [0]\n'
    b"# %%\nprint(squares, of)\n",
}


@pytest.mark.parametrize(
    ("numbers", "joined"), [("[]", "[] []"), ("[3, 2, 5]", "[9, 25] [3, 5]")]
)
def test_a_join_gets_what_has_run_also_of_no_items(begin, numbers, joined):
    run = begin(EMPTY, SQUARES, parameter_texts={"numbers": numbers})
    detail = ended(run)
    assert text_of(run.output("join")["cells"][2]) == f"{joined}\n"
    assert detail.steps_done == detail.steps_total > 1


LEFT = """
environment: {PLACE: north, MODE: all}
steps:
  make:
    script: sub/make.py
    environment: {MODE: fast}
    files: data/*.csv
  use:
    script: use.py
    after: [make]
    parameters: {path: sub/data/x.csv}
"""
MAKERS = {
    "sub/make.py": b"import os, pathlib\npathlib.Path('data').mkdir()\n"
    b"said = os.environ['PLACE'] + os.environ['MODE']\n"
    b"pathlib.Path('data/x.csv').write_text(said)\n",
    "use.py": b'# %% tags=["parameters"]\npath: str = ""\n'
    b"# %%\nprint(open(path).read())\n",
}


def test_files_that_a_step_leaves_are_kept_for_a_run_that_is_resumed(begin, platform):
    run = begin(LEFT, MAKERS)
    ended(run)
    assert text_of(run.output("use")["cells"][2]) == "northfast\n"
    body = {"step": "use"}
    again = platform.owner.post(f"/runs/{run.id}/resume", json=body).json()
    second = begin(id_=again["id"])
    assert step_of(ended(second), "make").reused
    assert text_of(second.output("use")["cells"][2]) == "northfast\n"


def test_a_file_that_a_step_does_not_leave_fails_it(begin):
    run = begin(LEFT.replace("data/*.csv", "[data/*.csv, lost.txt]"), MAKERS)
    failure = ended(run, 1).failure
    assert failure.reason is FailureReason.NO_OUTPUT
    assert "It has not left lost.txt" in failure.message


LAYOUT = {
    "hubyard.yml": b"data: data/*.csv\n",
    "helpers.py": b"N = 7\n",
    "random.py": b"raise SystemExit('it is no module of the kernel')\n",
    "data/x.csv": b"1,2",
    "work/own.py": b"M = 8\n",
    "work/train.ipynb": notebook_of(
        "import helpers, own\nprint(open('../data/x.csv').read(), helpers.N, own.M)"
    ),
    "work/lost.ipynb": notebook_of("open('../data/lost.csv')"),
    "work/alone.ipynb": notebook_of("import modules_of_mine"),
}


def test_a_step_in_a_subfolder_runs_in_its_projects_layout(begin):
    run = begin("", LAYOUT, path="work/train.ipynb")
    ended(run)
    assert text_of(run.output("train")["cells"][0]) == "1,2 7 8\n"


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("work/lost.ipynb", "the files that `data` of its hubyard.yml names"),
        ("work/alone.ipynb", "the nearest one above with a hubyard.yml"),
    ],
)
def test_what_a_run_lacks_is_told_with_what_to_declare(begin, path, says):
    assert says in ended(begin("", LAYOUT, path=path), 1).failure.message


DIAMOND = """
parameters: {right: true}
steps:
  first: {notebook: first.ipynb, outputs: at}
  left: {notebook: ok.ipynb, after: first}
  right:
    notebook: right.ipynb
    parameters: {right: "${right}", at: "${first.at}"}
  last: {notebook: ok.ipynb, after: [left, right]}
  apart: {notebook: ok.ipynb}
"""
BROKEN = {
    "first.ipynb": notebook_of(
        "import time; from hubyard import pipelines",
        "pipelines.output('at', time.time())",
    ),
    "ok.ipynb": notebook_of("1"),
    "right.ipynb": notebook_of(
        "right = True; at = 0.0  # parameters",
        "print('at', at)",
        "import os; assert os.path.exists('/proc/self') and not right, 'not yet'",
        "2",
    ),
}


def test_a_step_that_fails_takes_along_only_what_follows_it(begin):
    run = begin(DIAMOND, BROKEN)
    detail = ended(run, code=1)
    assert detail.status is Status.FAILED
    assert status_of(detail) == {
        "first": S.SUCCEEDED,
        "left": S.SUCCEEDED,
        "right": S.FAILED,
        "last": S.NOT_RUN,
        "apart": S.SUCCEEDED,
    }
    failure = detail.failure
    assert failure.message.startswith("Step right: Cell 4 of 5 failed: AssertionError")
    assert (failure.step, failure.cell) == ("right", 3)
    cells = [cell.status for cell in step_of(detail, "right").cells]
    assert cells == ["succeeded"] * 3 + ["failed", "not-run"]
    shown = run.platform.owner.get(f"/runs/{run.id}/notebook").json()
    assert "print('at', at)" in str(shown), "the one that failed is shown first"


def test_resuming_runs_what_failed_and_what_follows_it(begin, platform):
    run = begin(DIAMOND, BROKEN)
    before = ended(run, code=1)
    owner = platform.owner
    mended = {
        **BROKEN,
        "right.ipynb": BROKEN["right.ipynb"].replace(b"not right", b"right"),
    }
    source = upload(owner, {PIPELINE: DIAMOND.encode(), **mended})
    answer = owner.post(f"/runs/{run.id}/resume", json={"source": source})
    assert answer.status_code == 201, answer.text
    now = answer.json()
    assert now["resumes"] == run.id
    second = begin(id_=now["id"])
    after = ended(second)
    assert {step.key for step in after.steps if step.reused} == {
        "first",
        "left",
        "apart",
    }
    assert set(status_of(after).values()) == {S.SUCCEEDED}
    assert step_of(after, "left").ended_at == step_of(before, "left").ended_at
    assert step_of(after, "last").started_at > before.ended_at
    # What was handed over is there again, and so are the notebooks.
    at = text_of(second.output("right")["cells"][2])
    assert at == text_of(run.output("right")["cells"][2])
    assert owner.get(f"/runs/{second.id}/notebook?step=left").status_code == 200
    owner.post(f"/runs/{run.id}/stop")
    # All of it has succeeded: there is nothing left, unless a step is named.
    assert owner.post(f"/runs/{second.id}/resume", json={}).status_code == 409
    wrong = owner.post(f"/runs/{second.id}/resume", json={"step": "lost"})
    assert (wrong.status_code, "write one of" in wrong.text) == (404, True)


def test_one_step_runs_alone_on_its_kept_inputs(begin, platform):
    run = begin(TRAINING, NOTEBOOKS)
    ended(run)
    edited = {
        **NOTEBOOKS,
        "train.ipynb": NOTEBOOKS["train.ipynb"].replace(b"/ 100", b"/ 10"),
    }
    source = upload(platform.owner, {PIPELINE: TRAINING.encode(), **edited})
    wish = {"step": "train", "only": True, "source": source}
    answer = platform.owner.post(f"/runs/{run.id}/resume", json=wish)
    assert answer.status_code == 201, answer.text
    spun = begin(id_=answer.json()["id"])
    detail = ended(spun)
    assert status_of(detail) == dict.fromkeys(
        ("prepare", "train.0", "train.1"), S.SUCCEEDED
    )
    assert step_of(detail, "prepare").reused
    assert text_of(spun.output("train.1")["cells"][3]) == "100 50\n"


CACHED = """
parameters: {rows: 100}
steps:
  prepare:
    notebook: prepare.ipynb
    parameters: {rows: "${rows}"}
    outputs: [rows, data]
    cache: true
  train:
    notebook: train.ipynb
    parameters: {data: "${prepare.data}", trees: 10}
    outputs: score
    cache: true
  best:
    script: best.py
    parameters: {scores: ["${train.score}"], rows: 1}
"""


def test_a_cached_step_is_taken_over_while_all_that_goes_into_it_is_the_same(
    begin, platform
):
    def reused(files=NOTEBOOKS, **more):
        run = begin(CACHED, files, **more)
        detail = ended(run)
        assert set(status_of(detail).values()) == {S.SUCCEEDED}
        return run, [each.key for each in detail.steps if each.reused]

    first, none = reused()
    assert none == []
    second, both = reused()
    assert both == ["prepare", "train"], second.log()
    shown = platform.owner.get(f"/runs/{second.id}/notebook?step=train").json()
    assert text_of(shown["cells"][3]) == text_of(first.output("train")["cells"][3])
    assert reused(fresh=True)[1] == []
    assert reused(parameters={"rows": 7})[1] == []
    edited = NOTEBOOKS["train.ipynb"].replace(b"/ 100", b"/ 10")
    assert reused({**NOTEBOOKS, "train.ipynb": edited})[1] == ["prepare"]
    # What was taken over can be resumed from, and answers as long as its run is kept.
    wish = {"step": "best"}
    again = platform.owner.post(f"/runs/{second.id}/resume", json=wish).json()
    detail = ended(begin(id_=again["id"]))
    assert [e.key for e in detail.steps if e.reused] == both


TRACKED = """
steps:
  fit: {notebook: fit.ipynb}
  check: {notebook: check.ipynb, after: fit}
  plain: {notebook: plain.ipynb}
"""
TRACK = "import mlflow\nwith mlflow.start_run():\n    mlflow.log_metric('auc', 0.9)"


def test_what_steps_track_lies_below_their_run(begin, platform, tmp_path):
    files = {
        "fit.ipynb": notebook_of(TRACK, TRACK),
        "check.ipynb": notebook_of(TRACK, "assert not 'good enough'"),
        "plain.ipynb": notebook_of("1"),
    }
    with mlflow_server(tmp_path) as url:
        told = {"HUBYARD_ENTRY": "e1", "MLFLOW_TRACKING_URI": url}
        run = begin(TRACKED, files, extra={**told, "JUPYTERHUB_USER": "ada"})
        ended(run, code=1)
        client = MlflowClient(url)
        seen = [each.experiment_id for each in client.search_experiments()]
        below = {}
        for each in client.search_runs(seen):
            parent = each.data.tags.get("mlflow.parentRunId")
            below.setdefault(parent, []).append(each)
        (top,) = below.pop(None)
        steps = {each.info.run_name: each for each in below.pop(top.info.run_id)}
        assert top.data.tags["hubyard.run"] == run.id
        assert top.data.tags["hubyard.source"] == platform.detail(run.id).source
        assert (top.info.run_name, top.info.status) == ("train", "FAILED")
        ends = {name: each.info.status for name, each in steps.items()}
        assert ends == {"fit": "FINISHED", "check": "FAILED"}
        counts = {n: len(below[each.info.run_id]) for n, each in steps.items()}
        assert counts == {"fit": 2, "check": 1}
        kept = client.list_artifacts(steps["check"].info.run_id, "notebook")
        assert [each.path for each in kept] == [
            "notebook/notebook.ipynb",
            "notebook/report.html",
        ]


FLAKY = """
steps:
  flaky: {notebook: flaky.ipynb, retries: 2, retry_wait: 1s}
  after: {notebook: ok.ipynb, after: flaky}
"""


def test_a_step_is_tried_again(begin, tmp_path):
    tries = tmp_path / "tries"
    cell = (
        f"with open({str(tries)!r}, 'a+') as f:\n"
        "    f.write('x'); f.seek(0)\n"
        "    assert f.read() == 'xx', 'not yet'"
    )
    files = {"flaky.ipynb": notebook_of(cell), "ok.ipynb": notebook_of("1")}
    detail = ended(run := begin(FLAKY, files))
    assert step_of(detail, "flaky").attempt == 2
    assert step_of(detail, "flaky").failure is None
    assert "tried again in 1 s" in run.log()


def test_the_time_of_a_step_is_bounded_with_all_that_it_has_started(begin):
    child = "__import__('subprocess').Popen(['sleep', '600'], start_new_session=True)"
    files = {"slow.ipynb": notebook_of("1", f"{child}\n{WAIT}", "3")}
    run = begin("steps: {slow: {notebook: slow.ipynb, timeout: 8s}}", files)
    detail = ended(run, code=1)
    assert detail.failure.reason is FailureReason.STEP_TIMEOUT, run.log()
    assert not [
        p
        for p in psutil.process_iter(["cmdline"])
        if p.info["cmdline"] == ["sleep", "600"]
    ]


TWO = """
steps:
  a: {notebook: wait.ipynb}
  b: {notebook: wait.ipynb}
  c: {notebook: ok.ipynb, after: [a, b]}
"""


def both_run(run):
    """Until the kernels of two steps execute side by side."""

    def holds():
        steps = run.platform.detail(run.id).steps
        cells = [cell.status for step in steps[:2] for cell in step.cells]
        return cells == [CellStatus.RUNNING] * 2

    until(holds, run.log)


def test_a_worker_that_is_killed_fails_its_step_and_no_other(begin, tmp_path):
    go = tmp_path / "go"
    wait = f"import os, time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.05)"
    run = begin(TWO, {"wait.ipynb": notebook_of(wait), "ok.ipynb": notebook_of("1")})
    both_run(run)
    kernels = [p for p in run.below() if "ipykernel" in " ".join(p.cmdline())]
    worker = kernels[0].parent()
    os.kill(worker.pid, signal.SIGKILL)
    until(lambda: gone(kernels[0]))
    go.touch()
    detail = ended(run, code=1)
    found = status_of(detail)
    assert sorted([found["a"], found["b"]]) == [S.FAILED, S.SUCCEEDED]
    assert found["c"] is S.NOT_RUN
    assert detail.failure.reason is FailureReason.KILLED
    assert "SIGKILL" in detail.failure.message


def test_a_stopped_run_ends_all_of_its_steps(begin):
    run = begin(TWO, {"wait.ipynb": notebook_of(WAIT), "ok.ipynb": notebook_of("1")})
    both_run(run)
    below = run.below()
    run.stop()
    assert run.wait(SOON_S) == 1
    assert all(map(gone, below))
    detail = run.platform.detail(run.id)
    assert detail.status is Status.STOPPED
    assert status_of(detail) == {"a": S.STOPPED, "b": S.STOPPED, "c": S.NOT_RUN}


def test_an_output_that_is_promised_and_not_handed_over_is_a_failure(begin):
    steps = "steps: {a: {notebook: ok.ipynb, outputs: [rows]}}"
    detail = ended(begin(steps, {"ok.ipynb": notebook_of("1")}), code=1)
    assert detail.failure.reason is FailureReason.NO_OUTPUT
    assert 'hubyard.pipelines.output("rows", ...)' in detail.failure.message


RANDOM = """
import os
from pathlib import Path
from hubyard import pipelines
with open("model.bin", "wb") as file:
    for _ in range({mib}):
        file.write(os.urandom(2**20))
pipelines.output("model", Path("model.bin"))
"""
HANDS_OVER = "steps: {a: {notebook: a.ipynb, outputs: [model]}, b: {notebook: b.ipynb}}"


def test_a_step_that_hands_over_more_than_is_kept_has_failed(begin):
    cell = notebook_of(RANDOM.format(mib=201))
    files = {"a.ipynb": cell, "b.ipynb": notebook_of("1")}
    detail = ended(begin(HANDS_OVER, files), code=1)
    assert detail.failure.reason is FailureReason.NO_OUTPUT
    assert "too much: at most 200 MiB, packed," in detail.failure.message
    assert status_of(detail) == {"a": S.FAILED, "b": S.SUCCEEDED}
    assert step_of(detail, "a").failure.step == "a"


def test_a_step_whose_outputs_are_refused_has_failed(begin, monkeypatch):
    monkeypatch.setattr(kept, "OUTPUT_LIMIT_BYTES", 2**20)
    files = {"a.ipynb": notebook_of(RANDOM.format(mib=2)), "b.ipynb": notebook_of("1")}
    run = begin(HANDS_OVER, files)
    detail = ended(run, code=1)
    assert detail.failure.reason is FailureReason.NO_OUTPUT
    words = "Step a: What it hands over is not kept: At most 1 MiB are taken."
    assert detail.failure.message == words
    assert status_of(detail) == {"a": S.FAILED, "b": S.SUCCEEDED}
    assert detail.has_notebook
    assert run.record().status is Status.FAILED


def test_what_a_step_takes_must_be_what_it_can_use(begin):
    steps = (
        "steps:\n"
        "  a: {notebook: a.ipynb, outputs: [items]}\n"
        "  b: {notebook: ok.ipynb, each: '${a.items}'}\n"
        "  c: {notebook: ok.ipynb, after: b}\n"
    )
    give = "from hubyard import pipelines; pipelines.output('items', 7)"
    files = {"a.ipynb": notebook_of(give), "ok.ipynb": notebook_of("1")}
    detail = ended(begin(steps, files), code=1)
    assert detail.failure.reason is FailureReason.BAD_INPUT
    assert "each of b is no list, but 7" in detail.failure.message
    assert step_of(detail, "c").status is S.NOT_RUN


def test_a_tagged_notebook_means_what_it_means_from_top_to_bottom(begin):
    cells = notebook(
        code_cell("raise SystemExit", "skip"),
        code_cell("rows = []\nsame = rows", "parameters"),
        code_cell("%%bash\necho hello", "block:first"),
        code_cell("k = 7\ndef g():\n    return k\nv = 1"),
        code_cell("said = !echo hi\n%time k = 8", "step:left", "prev:first"),
        code_cell("v = 2\nsame.append(v)"),
        code_cell("w = v", "step:right", "prev:first"),
        code_cell("print(g(), said, v, w, rows)", "step:join", "prev:left"),
        code_cell("print(rows is same)", "step:join", "prev:right"),
    )
    run = begin("", {"book.ipynb": cells}, "book.ipynb")
    detail = ended(run)
    assert [step.key for step in detail.steps] == ["first", "left", "right", "join"]
    assert step_of(detail, "right").after == ("first", "left")
    shown = [text_of(c) for c in run.output("join")["cells"] if "outputs" in c]
    assert "8 ['hi'] 2 2 [2]\n" in shown
    assert "True\n" in shown


def test_a_variable_that_cannot_be_handed_over_fails_its_step_in_words(begin):
    cells = notebook(
        code_cell("g = (x for x in [1])", "step:one"),
        code_cell("print(list(g))", "step:two", "prev:one"),
    )
    detail = ended(begin("", {"book.ipynb": cells}, "book.ipynb"), code=1)
    assert status_of(detail) == {"one": S.FAILED, "two": S.NOT_RUN}
    assert "The variable g cannot be handed to the next step" in detail.failure.message


def test_a_tagged_notebook_is_a_pipeline_whose_variables_are_handed_over(begin):
    cells = notebook(
        code_cell("import math", "imports"),
        code_cell("n = 3", "parameters"),
        code_cell("raise SystemExit", "skip"),
        code_cell("numbers = list(range(n))\ndef twice(x): return 2 * x", "step:load"),
        code_cell("total = sum(map(twice, numbers))", "step:add", "prev:load"),
        code_cell("print(math.floor(total), len(numbers))"),
        code_cell("print('apart', math.pi > 3)", "step:apart"),
    )
    run = begin("", {"book.ipynb": cells}, "book.ipynb", parameters={"n": 5})
    detail = ended(run)
    assert [step.key for step in detail.steps] == ["load", "add", "apart"]
    assert "20 5\n" in [
        text_of(c) for c in run.output("add")["cells"] if "outputs" in c
    ]
    assert not step_of(detail, "apart").after
