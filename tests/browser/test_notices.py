"""A run that breaks, in a real browser: the bell, one toast, one message, the cell."""

import pytest
from playwright.sync_api import expect

from hubyard.contract.notice import ChannelRequest
from hubyard.contract.schedule import ScheduleChange, ScheduleRequest
from support.browser import chromium, sign_in
from support.hub import REPOSITORY
from support.patience import until
from support.platform import code_cell, notebook
from support.receivers import webhook
from support.running import running

pytestmark = [pytest.mark.hub, pytest.mark.browser]

LONG = "\n".join(f"print({number})" for number in range(12))
CELLS = [*[code_cell(LONG)] * 12, code_cell("1 / 0"), *[code_cell(LONG)] * 12]
AXE = REPOSITORY / "lab_extension" / "node_modules" / "axe-core" / "axe.min.js"
FAULTS = """
async () => {
  document.body.style.height = '100vh';
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'];
  const ours = {include: [['.hy-Panel'], ['.hy-Bell']]};
  const found = await axe.run(ours, {runOnly: tags});
  return found.violations.flatMap(({id, nodes}) =>
    nodes.map(({html, failureSummary}) => [id, html, failureSummary]));
}
"""


@pytest.fixture(scope="module")
def hook():
    with webhook() as found:
        yield found


@pytest.fixture(scope="module")
def hubyard(tmp_path_factory, hook):
    folder = tmp_path_factory.mktemp("hubyard")
    with running(folder, "--reach", hook.place) as hubyard:
        yield hubyard


@pytest.fixture(scope="module")
def ana(hubyard):
    ana = hubyard.administrator()
    ana.start_workspace()
    return ana


@pytest.fixture(scope="module")
def client(hubyard, ana):
    with hubyard.client(ana) as client:
        yield client


@pytest.fixture(scope="module")
def schedule(client, hook, tmp_path_factory):
    """A schedule whose runs fail, and a channel that hears of it."""
    client.channels.put("pager", ChannelRequest(url=hook.url, is_default=True))
    file = tmp_path_factory.mktemp("notebooks") / "nightly.ipynb"
    file.write_bytes(notebook(*CELLS))
    source = client.sources.upload_notebook(file)
    wish = ScheduleRequest(
        source=source.digest, notebook=source.notebook, cron="0 0 1 1 *"
    )
    return client.schedules.create(wish)


@pytest.fixture(scope="module")
def lab(hubyard, ana):
    with chromium() as page:
        sign_in(page, hubyard.url, "ana")
        page.goto(f"{hubyard.url}/user/ana/lab?reset")
        expect(bell(page)).to_have_attribute("aria-label", "No new notices")
        yield page


def bell(page):
    return page.get_by_test_id("hy-bell")


def toast(page):
    return page.locator(".Toastify__toast").filter(has_text="nightly: failed")


def broken_cell(page):
    panel = page.locator(".jp-NotebookPanel:visible")
    return panel.locator(".jp-Cell").filter(has_text="ZeroDivisionError")


def fail_once(client, schedule):
    run = client.schedules.run(schedule.id)
    assert client.runs.wait(run.id).status == "failed"
    return run


def test_a_failure_rings_once_and_opens_at_the_cell(lab, client, schedule, hook):
    run = fail_once(client, schedule)
    expect(toast(lab)).to_have_count(1)
    expect(toast(lab)).to_contain_text("ZeroDivisionError: division by zero")
    expect(bell(lab)).to_have_attribute("aria-label", "1 new notice")
    expect(bell(lab)).to_have_text("1")
    toast(lab).get_by_role("button", name="Open").click()
    expect(broken_cell(lab)).to_be_in_viewport()
    expect(bell(lab)).to_have_attribute("aria-label", "No new notices")
    until(lambda: hook.posted)
    until(lambda: [d.status for d in client.channels.deliveries()] == ["sent"])
    lab.reload()
    expect(bell(lab)).to_have_attribute("aria-label", "No new notices")
    expect(toast(lab)).to_have_count(0)
    (posted,) = hook.posted
    assert (posted["run_id"], posted["name"]) == (run.id, "nightly")
    assert "division by zero" in posted["message"]


def test_the_bell_leads_to_what_was_not_seen(lab, client, schedule):
    fail_once(client, schedule)
    expect(bell(lab)).to_have_text("1")
    bell(lab).focus()
    lab.keyboard.press("Enter")
    notices = lab.get_by_test_id("hy-notices")
    expect(notices.get_by_test_id("hy-row")).to_have_count(1)
    expect(notices).to_contain_text("ZeroDivisionError")
    lab.add_script_tag(path=str(AXE))
    assert lab.evaluate(FAULTS) == []
    lab.reload()
    expect(bell(lab)).to_have_text("1")
    expect(toast(lab)).to_have_count(0)
    lab.get_by_test_id("hy-see-all").click()
    expect(notices).to_have_count(0)
    expect(bell(lab)).to_have_attribute("aria-label", "No new notices")
    assert client.bell.list().unseen == 0


def test_the_link_leads_to_the_failed_cell_of_the_report(lab, hook):
    lab.goto(hook.posted[0]["link"])
    assert lab.url.endswith("/report#failed")
    error = lab.locator(".jp-Cell").filter(has_text="ZeroDivisionError")
    expect(error).to_be_in_viewport()
    expect(lab.locator(".jp-Cell").first).not_to_be_in_viewport()


def test_the_dialog_of_a_schedule_asks_who_is_told(lab, hubyard):
    lab.goto(f"{hubyard.url}/user/ana/lab?reset")
    lab.get_by_role("button", name="Python 3").first.click()
    expect(lab.get_by_text("Python 3 | Idle")).to_be_visible()
    lab.locator("[data-command='hubyard:schedule']:visible").first.click()
    field = lab.get_by_test_id("hy-notify")
    expect(field.locator("option")).to_have_text(
        ["The usual: pager", "Only me", "pager"]
    )


def test_who_is_told_can_be_changed_back_and_forth(lab, hubyard, client, schedule):
    lab.goto(f"{hubyard.url}/user/ana/lab?reset")
    expect(lab.locator(".jp-Launcher").first).to_be_visible()
    lab.keyboard.press("Control+Alt+Y")
    client.schedules.change(schedule.id, ScheduleChange(notify=("pager",)))
    for choice, told in (("nobody", ()), ("usual", None)):
        lab.get_by_role("button", name="Edit nightly").click()
        expect(lab.get_by_test_id("hy-notify")).not_to_have_value(choice)
        lab.get_by_test_id("hy-notify").select_option(choice)
        expect(lab.get_by_test_id("hy-preview-text")).to_be_visible()
        lab.get_by_test_id("hy-edit-confirm").click()
        expect(lab.get_by_test_id("hy-edit-dialog")).to_have_count(0)
        assert client.schedules.get(schedule.id).notify == told
