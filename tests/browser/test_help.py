"""Help inside the Lab: the guides in the main area, and the links between them."""

import pytest
from playwright.sync_api import expect

from support.browser import chromium, sign_in
from support.running import running

pytestmark = [pytest.mark.hub, pytest.mark.browser]


@pytest.fixture
def lab(tmp_path):
    """Ana's Lab, with the Hubyard panel open."""
    with running(tmp_path) as hubyard, chromium() as page:
        hubyard.administrator().start_workspace()
        sign_in(page, hubyard.url, "ana")
        page.goto(f"{hubyard.url}/user/ana/lab")
        expect(page.locator(".jp-Launcher").first).to_be_visible()
        page.keyboard.press("Control+Alt+Y")
        yield page


def test_help_opens_from_the_panel_and_its_links_lead_on(lab):
    view = lab.get_by_test_id("hy-help-view")
    title = view.get_by_role("heading", level=1)
    lab.get_by_test_id("hy-help").click()
    expect(title).to_contain_text("Hubyard's guides")
    view.get_by_role("link", name="Workspaces").click()
    expect(title).to_contain_text("Workspaces")
    view.get_by_role("link", name="enforced").click()
    expect(title).to_contain_text("Compute and cost")
    expect(view.get_by_role("heading", name="Limits")).to_be_in_viewport()
    expect(lab.get_by_role("tab", name="Help: Compute and cost")).to_be_visible()

    view.get_by_role("button", name="Contents").click()
    expect(title).to_contain_text("Hubyard's guides")
    assert lab.url.endswith("/lab"), "no link has left the Lab"

    lab.get_by_role("menuitem", name="Help").click()
    lab.get_by_role("menuitem", name="Hubyard Help").click()
    expect(lab.get_by_test_id("hy-help-view")).to_have_count(1)
