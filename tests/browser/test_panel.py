"""The panel in a real browser: keys, long lists, and answers that do not come."""

import httpx
import pytest
from playwright.sync_api import expect

from hubyard.contract.run import RunRequest
from hubyard.contract.schedule import ScheduleRequest
from support.browser import PATIENCE_MS, chromium, sign_in
from support.hub import REPOSITORY
from support.platform import code_cell, notebook
from support.running import running

pytestmark = [pytest.mark.hub, pytest.mark.browser]

TRACKED = 57
KEEP_ALERTS = """
window.alerts = [];
new MutationObserver(() => {
  for (const each of document.querySelectorAll('.hy-Dialog [role=alert]')) {
    window.alerts.push(each.textContent);
  }
}).observe(document, {childList: true, subtree: true});
"""


@pytest.fixture(scope="module")
def hubyard(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hubyard")
    examples = str(REPOSITORY / "examples")
    with running(folder, "--skeleton", examples) as hubyard:
        yield hubyard


@pytest.fixture(scope="module")
def ana(hubyard):
    ana = hubyard.administrator()
    ana.start_workspace()
    return ana


@pytest.fixture(scope="module")
def page(hubyard, ana):
    with chromium() as page:
        sign_in(page, hubyard.url, "ana")
        yield page


@pytest.fixture
def lab(hubyard, page):
    """Ana's Lab, with a notebook and the panel open."""
    expect.set_options(timeout=PATIENCE_MS)
    page.goto(f"{hubyard.url}/user/ana/lab/tree/flights/train.ipynb?reset")
    expect(page.get_by_text("Python 3 | Idle")).to_be_visible()
    page.keyboard.press("Control+Alt+Y")
    expect(section(page, "spend")).to_be_visible()
    yield page
    page.unroute("**/hubyard/api/**")


def section(page, noun):
    return page.get_by_test_id(f"hy-section-{noun}")


def head(page, noun):
    return section(page, noun).get_by_role("heading").first.get_by_role("button")


def test_the_shortcut_leads_into_the_panel(lab):
    expect(head(lab, "experiments")).to_be_focused()


def test_every_tracked_run_is_reached_by_keys_alone(hubyard, ana, lab):
    track(hubyard, ana, TRACKED)
    experiments = section(lab, "experiments")
    expect(experiments.locator(".hy-Count")).to_have_text("50+")
    more = experiments.get_by_test_id("hy-more")
    expect(more).to_have_text("Show more (45+)")
    more.focus()
    for shown in (25, 45, TRACKED):
        lab.keyboard.press("Enter")
        expect(experiments.get_by_test_id("hy-row")).to_have_count(shown)
        expect(more).to_be_focused()
    expect(experiments.locator(".hy-Count")).to_have_text(str(TRACKED))
    expect(more).to_have_text("Show fewer")
    lab.keyboard.press("Enter")
    expect(experiments.get_by_test_id("hy-row")).to_have_count(5)
    expect(more).to_be_focused()


def track(hubyard, person, count):
    """So many tracked runs of a person, in one experiment."""
    mlflow = httpx.Client(
        base_url=f"{hubyard.url}/services/mlflow/api/2.0/mlflow",
        headers={"Authorization": f"Bearer {person.token()}"},
        timeout=60,
    )
    made = mlflow.post("/experiments/create", json={"name": f"{person.name}/long"})
    experiment = made.raise_for_status().json()["experiment_id"]
    for number in range(count):
        wish = {"experiment_id": experiment, "start_time": 1_000 + number}
        mlflow.post("/runs/create", json=wish).raise_for_status()


def test_a_form_says_nothing_of_no_compute_while_it_chooses(lab):
    lab.evaluate(KEEP_ALERTS)
    lab.locator("[data-command='hubyard:schedule']:visible").first.click()
    expect(lab.get_by_test_id("hy-per-month")).to_contain_text("$")
    assert lab.evaluate("window.alerts") == []


def test_what_cannot_be_renewed_is_called_stale_folded_or_not(lab):
    spend, models = section(lab, "spend"), section(lab, "models")
    price = lab.get_by_test_id("hy-status-price")
    expect(spend.locator(".hy-Count")).to_contain_text("$")
    expect(models.locator(".hy-Count")).to_have_text("0")
    expect(price).to_contain_text("this month")
    lab.route("**/hubyard/api/**", lambda route: route.abort())
    head(lab, "models").click()
    expect(models.locator(".hy-Count")).to_have_text("0 · stale")
    assert "how it was at" in (models.locator(".hy-Count").get_attribute("title") or "")
    expect(spend.locator(".hy-Count")).to_contain_text("stale")
    expect(price).to_contain_text("stale")
    assert "how it was at" in (price.get_attribute("title") or "")
    lab.unroute("**/hubyard/api/**")
    expect(price).not_to_contain_text("stale")
    head(lab, "models").click()


def test_a_failed_run_shows_its_notebook_and_its_log(hubyard, ana, lab, tmp_path):
    file = tmp_path / "count.ipynb"
    file.write_bytes(notebook(code_cell("1 / 0")))
    with hubyard.client(ana) as client:
        source = client.sources.upload_notebook(file)
        wish = RunRequest(source=source.digest, notebook=source.notebook)
        run = client.runs.start(wish)
    row = section(lab, "pipelines").locator(f"[data-id='{run.id}']")
    expect(row).to_have_attribute("data-status", "failed")
    row.get_by_text("Log", exact=True).click()
    expect(row.get_by_test_id("hy-run-log")).to_be_visible()
    row.get_by_test_id("hy-executed").click()
    expect(lab.get_by_role("tab", name="count-")).to_be_visible()
    expect(lab.locator(".jp-NotebookPanel:visible")).to_contain_text(
        "ZeroDivisionError"
    )


def test_a_schedule_is_edited_and_takes_the_notebook_as_it_is_now(
    hubyard, ana, lab, tmp_path
):
    file = tmp_path / "train.ipynb"
    file.write_bytes(notebook(code_cell("before = 1")))
    with hubyard.client(ana) as client:
        source = client.sources.upload_notebook(file)
        made = client.schedules.create(
            ScheduleRequest(
                source=source.digest,
                notebook=source.notebook,
                name="nightly",
                cron="0 3 * * *",
                grace_s=60,
            )
        )
        row = section(lab, "pipelines").get_by_test_id("hy-schedules")
        row.get_by_role("button", name="Edit nightly").click()
        expect(lab.get_by_test_id("hy-cron")).to_have_value("0 3 * * *")
        lab.get_by_test_id("hy-preset").select_option("hourly")
        lab.get_by_test_id("hy-overlap").select_option("queue")
        expect(lab.get_by_test_id("hy-preview-text")).to_contain_text("Every hour (")
        lab.get_by_test_id("hy-edit-confirm").click()
        expect(row).to_contain_text("Every hour")
        found = client.schedules.get(made.id)
        assert (found.cron, found.overlap, found.grace_s) == ("0 * * * *", "queue", 60)

        update = row.get_by_role("button", name="Update nightly to my latest notebook")
        update.click()
        expect(lab.get_by_test_id("hy-changes")).to_contain_text("-before = 1")
        lab.get_by_test_id("hy-update-confirm").click()
        expect(lab.get_by_test_id("hy-update-dialog")).to_have_count(0)
        assert client.schedules.get(made.id).source != source.digest
        expect(row).to_contain_text("Every hour")
        lab.reload()
        update.click()
        expect(lab.get_by_test_id("hy-no-changes")).to_be_visible()
        expect(lab.get_by_test_id("hy-update-confirm")).to_be_disabled()
        client.schedules.delete(made.id)
