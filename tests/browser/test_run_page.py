"""The live page of a run, as a person sees it in a browser."""

import pytest
from playwright.sync_api import expect

from hubyard.contract.run import RunRequest
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
