"""The first execution of an app decides: real children of both frameworks, no hub."""

from __future__ import annotations

import time

import httpx
import nbformat
import psutil
import pytest

from hubyard.contract.app import Framework
from hubyard_runtime.app.child import Child, Died
from hubyard_runtime.app.first import SENTENCE
from hubyard_runtime.app.frameworks import READY_PATH
from support.patience import PATIENCE_S

VISITOR = {"X-Hubyard-User": "ana", "X-Hubyard-Groups": "ops"}
NEEDS_VISITOR = "import os; assert os.environ['HTTP_X_HUBYARD_USER'] == 'ana'\n"
SECRET = "figure-4711"


@pytest.fixture
def started(tmp_path):
    """A started child of a file's content, by its name."""
    children = []

    def start(name, content):
        file = tmp_path / name
        if isinstance(content, list):
            cells = [nbformat.v4.new_code_cell(cell) for cell in content]
            cells[-1].metadata.tags = ["raises-exception"] * name.startswith("tagged")
            content = nbformat.writes(nbformat.v4.new_notebook(cells=cells))
        file.write_text(content)
        framework = Framework.of(name)
        child = Child.start(framework, file, "/user/ana/app-x/", VISITOR)
        children.append(child)
        child.wait_until_ready(READY_PATH[framework])
        child.wait_until_shown()
        return child

    yield start
    for child in children:
        child.stop()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "raises.ipynb",
            ["x = 1", "1 / 0", "y"],
            "Cell 2 of 3 failed: ZeroDivisionErr",
        ),
        ("lacks.ipynb", ["import not_there"], "ModuleNotFoundError: No module named"),
        (
            "exits.ipynb",
            ["import sys", "sys.exit(0)"],
            "Cell 2 of 2 failed: SystemExit",
        ),
        ("quits.ipynb", ["quit()"], "Cell 1 of 1 failed: SystemExit"),
        ("dies.ipynb", ["import os; os._exit(0)"], "DeadKernel: the kernel has ended"),
        ("shows.ipynb", ["%%writefile b.py\n1/0", "%run b.py"], "Cell 2 of 2 failed"),
        ("magic.ipynb", ["%no_such_magic"], "UsageError"),
        ("broken.ipynb", "{", "Voila answers with status"),
        ("raises.py", "import streamlit\n1 / 0", "ZeroDivisionError: division by zero"),
        ("lacks.py", "import not_there", "ModuleNotFoundError: No module named"),
        ("exits.py", "import sys; sys.exit(0)", "the app calls sys.exit(0)"),
        ("dies.py", "import os; os._exit(3)", "ended with exit code 3."),
        ("broken.py", "if:", "SyntaxError: invalid syntax"),
    ],
)
def test_an_app_that_fails_is_not_ready_and_its_log_says_why(
    started, capsys, name, content, said
):
    with pytest.raises(Died) as died:
        started(name, content)
    log = [*capsys.readouterr().out.splitlines(), died.value.message]
    assert any(said in line for line in log[-3:]), log
    assert "show_tracebacks" not in "".join(log)
    assert "nbclient" not in "".join(log)
    if "raises" in name:
        assert any("1 / 0" in line for line in log[-20:]), log


STOPS = """
import streamlit as st
assert st.context.headers["X-Hubyard-Groups"] == "ops"
st.exception(ValueError("shown on purpose"))
st.stop()
1 / 0
"""
RUNS_AGAIN = """
import streamlit as st
if "seen" not in st.session_state:
    st.session_state.seen = 1
    st.rerun()
"""


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("good.ipynb", [NEEDS_VISITOR, "print('good')"]),
        ("tagged.ipynb", ["print('good')", "1 / 0"]),
        ("good.py", STOPS),
        ("again.py", RUNS_AGAIN),
    ],
)
def test_an_app_that_does_not_fail_is_shown(started, name, content):
    child = started(name, content)
    assert child._process.poll() is None


def test_visitors_of_a_later_failure_read_a_sentence(started, capsys):
    code = (
        "import os\nif 'bad' in os.environ['QUERY_STRING']:\n"
        f"    raise Exception('{SECRET}')"
    )
    child = started("later.ipynb", [code, "print('this is fine')"])
    transport = httpx.HTTPTransport(uds=str(child.socket))
    with httpx.Client(
        transport=transport, base_url="http://app", timeout=PATIENCE_S
    ) as browser:
        fine = browser.get("/", headers=VISITOR).text
        bad = browser.get("/?bad=1", headers={"X-Hubyard-User": "o%27hara"}).text
    assert "this is fine" in fine
    assert SENTENCE not in fine
    for hidden in (SECRET, "Traceback", "show_tracebacks", "is fine", "Exception"):
        assert hidden not in bad
    assert SENTENCE.replace("'", "&#39;") in bad
    assert child._process.poll() is None
    log = capsys.readouterr().out
    assert f"Cell 1 of 2 failed: Exception: {SECRET} (the visitor was o'hara)" in log


def test_the_kernel_of_the_first_visit_is_gone(started):
    child = started("good.ipynb", ["print('good')"])
    process = psutil.Process(child._process.pid)
    end = time.monotonic() + PATIENCE_S
    while any("ipykernel_launcher" in p.cmdline() for p in process.children()):
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("slow.ipynb", ["import time; time.sleep(600)"]),
        ("slow.py", "import time; time.sleep(600)"),
    ],
)
def test_the_first_visit_is_cut_off(started, monkeypatch, name, content):
    monkeypatch.setattr("hubyard_runtime.app.first.VISIT_S", 12)
    child = started(name, content)
    assert child._process.poll() is None
