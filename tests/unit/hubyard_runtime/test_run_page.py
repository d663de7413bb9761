from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from html.parser import HTMLParser
from types import SimpleNamespace

import httpx
import pytest

from hubyard.contract import run_record, step_run
from hubyard.contract.pipeline import StepPlan
from hubyard.contract.run import RunJob
from hubyard_runtime.run.page import Page

NOW = datetime(2026, 11, 24, tzinfo=UTC)
PLAN = StepPlan(name="a", file="a.ipynb")
JOB = RunJob(
    run_id="r1",
    name="<b>n</b>",
    notebook="a.ipynb",
    source="0" * 64,
    parameters={},
    steps=(PLAN,),
)


@asynccontextmanager
async def nothing(_):
    yield


@pytest.fixture
def run():
    return SimpleNamespace(job=None, record=run_record.begun(NOW))


class Client:
    """Asks the page without a server."""

    def __init__(self, page):
        self.app = page.application(nothing)

    def __call__(self, method, path):
        return asyncio.run(self._ask(method, path))

    def get(self, path):
        return self("GET", path)

    async def _ask(self, method, path):
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://run"
        ) as http:
            return await http.request(method, path)


@pytest.fixture
def page(run):
    return Page(run)


@pytest.fixture
def client(page):
    return Client(page)


def test_the_status_is_there_before_the_job_is_known(client, run):
    said = client.get("/status").json()
    assert (said["status"], said["name"], said["steps"]) == ("starting", None, [])
    begun = step_run.planned(step_run.began(step_run.waiting(PLAN), NOW), [0, 2])
    run.job, run.record = JOB, run_record.planned(run.record, [begun])
    (said,) = client.get("/status").json()["steps"]
    assert (said["key"], said["file"], said["status"]) == ("a", "a.ipynb", "running")
    assert [cell["index"] for cell in said["cells"]] == [0, 2]
    about = client.get("/status").json()
    assert (about["id"], about["name"]) == ("r1", "<b>n</b>")
    assert about["notebook"] == "a.ipynb"
    assert client.get("/status").headers["cache-control"] == "no-store"


def test_the_page_needs_nothing_from_elsewhere(client):
    shown = client.get("/")
    assert not re.search(r"https?://|//[a-z]|src=|href=", shown.text)
    assert "prefers-color-scheme: dark" in shown.text
    assert 'aria-live="polite"' in shown.text
    assert "innerHTML" not in shown.text
    policy = shown.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_the_page_is_well_formed(client):
    open_tags = []

    class Checker(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag not in {"meta", "link", "br"}:
                open_tags.append(tag)

        def handle_endtag(self, tag):
            assert open_tags.pop() == tag

    Checker().feed(client.get("/").text)
    assert open_tags == []


def test_no_other_method_or_path_answers(client):
    assert client("POST", "/").status_code == 405
    assert client.get("/record.json").status_code == 404


def test_who_is_watching_sees_the_end(client, page, run):
    asyncio.run(asyncio.wait_for(page.show_the_end(), 0.5))  # nobody is: no wait
    client.get("/status")

    async def end():
        run.record = run_record.stopped(run.record, NOW)
        shown = asyncio.create_task(page.show_the_end())
        await asyncio.sleep(0)
        assert not shown.done()
        await client._ask("GET", "/status")
        await asyncio.wait_for(shown, 1)

    asyncio.run(end())


def test_slow_imports_are_skipped_in_this_process_alone():
    code = (
        "import sys; from hubyard_runtime.quickstart import skip_slow_imports;"
        "skip_slow_imports(); import jsonschema, papermill;"
        "print(any(name.startswith('rfc3987_syntax.') for name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_the_process_listens_before_it_imports_jupyter():
    code = (
        "import sys; import hubyard_runtime.run.__main__;"
        "heavy = {'papermill', 'nbclient', 'nbformat', 'nbconvert', 'jupyter_client'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
