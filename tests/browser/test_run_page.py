"""The live page of a run, as a person sees it in a browser."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from types import SimpleNamespace
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import expect

from hubyard.contract import run_record, step_run
from hubyard.contract.base import now
from hubyard.contract.pipeline import StepPlan
from hubyard.contract.run import FailureReason, RunFailure, RunRequest
from hubyard_runtime.run.page import Page
from support.browser import chromium, sign_in
from support.platform import code_cell, notebook
from support.running import running

pytestmark = [pytest.mark.hub, pytest.mark.browser]

CELLS = ["import time; time.sleep(8)", "1 + 1", "1 / 0", "'never'"]


def test_a_run_is_watched_cell_by_cell_to_its_failure(tmp_path):
    file = tmp_path / "count.ipynb"
    file.write_bytes(notebook(*map(code_cell, CELLS)))
    with running(tmp_path) as hubyard, chromium() as page:
        ana = hubyard.administrator()
        sign_in(page, hubyard.url, "ana")
        with hubyard.client(ana) as client:
            source = client.sources.upload_notebook(file)
            wish = RunRequest(source=source.digest, notebook=source.notebook)
            run = client.runs.start(wish)
            while not client.runs.get(run.id).cells_total:
                page.wait_for_timeout(200)
            errors = []
            page.on("console", lambda said: errors.append(said.text))
            page.goto(client.runs.get(run.id).url)
            expect(page.locator("#state")).to_contain_text("cell 1 of 4")
            expect(page.get_by_role("alert")).to_contain_text("ZeroDivisionError")
            expect(page.locator("#cells li").nth(3)).to_contain_text("not run")
            expect(page).to_have_title("failed: count")
            assert not errors


ONE_TAB_OF_MANY = """
let hidden = false;
Object.defineProperty(document, "hidden", {get: () => hidden});
window.hide = yes => {
  hidden = yes;
  document.dispatchEvent(new Event("visibilitychange"));
};
"""


@asynccontextmanager
async def nothing(_):
    yield


class AnswersFor:
    """Answers a browser in the place of a run's server, and counts its looks."""

    def __init__(self, run):
        self.looks = 0
        self._app = Page(run).application(nothing)

    def __call__(self, route):
        # This thread has a loop already, which is Playwright's.
        with ThreadPoolExecutor(1) as aside:
            path = urlsplit(route.request.url).path
            answer = aside.submit(asyncio.run, self._ask(path)).result()
        self.looks += answer.headers["content-type"] == "application/json"
        route.fulfill(
            status=answer.status_code, headers=dict(answer.headers), body=answer.text
        )

    async def _ask(self, path):
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport) as asking:
            return await asking.get(f"http://run.test{path}")


def waiting(name, *after):
    return step_run.waiting(StepPlan(name=name, file=f"{name}.ipynb", after=after))


def begun(each, *cells):
    return step_run.planned(step_run.began(each, now()), cells)


def test_several_steps_are_watched_each_with_its_cells():
    first = begun(waiting("prepare"), 0, 1)
    for cell in (0, 1):
        first = step_run.cell_started(first, cell, now())
        first = step_run.cell_succeeded(first, cell, now())
    done = step_run.succeeded(first, now())
    train = step_run.cell_started(begun(waiting("train", "prepare"), 0, 2), 0, now())
    report = waiting("report", "train")
    run = SimpleNamespace(
        job=None,
        record=run_record.planned(run_record.begun(now()), [done, train, report]),
    )
    with chromium() as page:
        page.clock.install()
        page.route("http://run.test/**", AnswersFor(run))
        page.goto("http://run.test/")
        state, lines = page.locator("#state"), page.locator("#steps > li")
        expect(state).to_contain_text("Running: step 2 of 3, cell 3 of 4")
        expect(page.get_by_role("progressbar", name="Steps done")).to_be_visible()
        expect(lines.nth(2)).to_contain_text("waiting")
        expect(lines.nth(1).locator("ol")).to_be_hidden()
        lines.nth(1).locator("summary").click()
        expect(lines.nth(1).locator("ol > li")).to_have_count(2)

        why = RunFailure(
            reason=FailureReason.CELL_ERROR, message="train broke", step="train", cell=0
        )
        broken = run_record.put(run.record, step_run.failed(train, now(), why))
        run.record = run_record.failed(broken, now(), why)
        page.clock.run_for(1500)
        expect(state).to_contain_text("Failed, 1 of 3 steps done")
        expect(lines.nth(1).locator(".why")).to_have_text("train broke")
        expect(lines.nth(1).locator("ol > li").first).to_contain_text("failed")
        expect(lines.nth(1).locator("ol")).to_be_visible()
        expect(lines.nth(2)).to_contain_text("not run")


def test_a_hidden_tab_looks_rarely_and_at_once_when_it_is_seen_again():
    planned = run_record.planned(run_record.begun(now()), [begun(waiting("count"), 0)])
    answers = AnswersFor(SimpleNamespace(job=None, record=planned))

    def seconds(page, count):
        for _ in range(count):
            page.clock.run_for(1000)
            page.wait_for_timeout(50)

    with chromium() as page:
        page.clock.install()
        page.add_init_script(ONE_TAB_OF_MANY)
        page.route("http://run.test/**", answers)
        page.goto("http://run.test/")
        expect(page.locator("#state")).to_contain_text("Running")
        seconds(page, 5)
        assert answers.looks >= 4

        page.evaluate("hide(true)")
        before = answers.looks
        seconds(page, 25)
        assert answers.looks <= before + 1, "a look was due when it was hidden"
        seconds(page, 10)
        assert before < answers.looks <= before + 2

        before = answers.looks
        page.evaluate("hide(false)")
        page.wait_for_timeout(500)
        assert answers.looks == before + 1
        seconds(page, 5)
        assert before + 4 <= answers.looks <= before + 6
