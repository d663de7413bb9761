"""Pipelines in the Lab, in a real browser: from the file to the run run again."""

import json
import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from hubyard.contract.base import now
from hubyard.contract.run import RunRequest
from hubyard.contract.schedule import ScheduleRequest
from support.browser import PATIENCE_MS, chromium, sign_in
from support.hub import REPOSITORY
from support.patience import until
from support.platform import code_cell, notebook
from support.running import running

pytestmark = [pytest.mark.hub, pytest.mark.browser]

PIPELINE = """
name: Nightly
parameters:
  rows: 100
  wait: 0.0
steps:
  prepare:
    notebook: prepare.ipynb
    parameters:
      rows: ${rows}
      wait: ${wait}
    outputs: rows
  fit:
    script: fit.py
    each: [1, 2]
    parameters:
      depth: ${each}
      rows: ${prepare.rows}
  check:
    notebook: check.ipynb
    after: fit
  report:
    notebook: report.ipynb
    after: [check, prepare]
"""
PREPARE = "rows: int = 10  # to learn from\nwait: float = 0.0  # seconds"
FIT = """
# %% tags=["parameters"]
depth: int = 1  # of each tree
rows: int = 0
# %%
print(depth, rows)
"""
LONG = "print('a line\\n' * 40)"
READY = "from pathlib import Path\nassert (Path.home() / 'ready').exists(), 'not ready'"
KERNEL = {"name": "python3", "display_name": "Python 3"}
FAILING = 8
"""The index of the cell that fails, below the fold."""

NOTHING = "\N{EN DASH}"

AXE = REPOSITORY / "lab_extension" / "node_modules" / "axe-core" / "axe.min.js"
# JupyterLab's body has no height, and what overflows it counts as hidden for axe.
FAULTS = """
async view => {
  document.body.style.height = '100vh';
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'];
  const found = await axe.run({include: [[view]]}, {runOnly: tags});
  return found.violations.flatMap(({id, nodes}) =>
    nodes.map(({html, failureSummary}) => [id, html, failureSummary]));
}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project whose pipeline fails until a file is there."""
    folder = tmp_path_factory.mktemp("skeleton") / "nightly"
    (folder / "pipelines").mkdir(parents=True)
    (folder / "pipelines" / "nightly.yml").write_text(PIPELINE)
    (folder / "notes.yml").write_text("no: pipeline")
    (folder / "fit.py").write_text(FIT)
    wait = "import time\ntime.sleep(wait)"
    hand_over = "from hubyard import pipelines\npipelines.output('rows', rows)"
    cells = {
        "prepare": [
            code_cell(PREPARE, "parameters"),
            *map(code_cell, [wait, hand_over]),
        ],
        "check": [code_cell(each) for each in (*[LONG] * FAILING, READY, *[LONG] * 4)],
        "report": [code_cell("'done'")],
    }
    for name, each in cells.items():
        document = json.loads(notebook(*each)) | {"metadata": {"kernelspec": KERNEL}}
        (folder / f"{name}.ipynb").write_text(json.dumps(document))
    return folder


@pytest.fixture(scope="module")
def hubyard(tmp_path_factory, project):
    folder = tmp_path_factory.mktemp("hubyard")
    with running(folder, "--skeleton", str(project.parent)) as hubyard:
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
def start(client, project):
    """Run the pipeline by its API."""
    source = client.sources.upload_notebook(project / "pipelines" / "nightly.yml")

    def start(**parameters):
        wish = RunRequest(
            source=source.digest, notebook=source.notebook, parameters=parameters
        )
        return client.runs.start(wish)

    return start


@pytest.fixture(scope="module")
def failed(client, start):
    """A run of the pipeline that has failed in its third step."""
    return client.runs.wait(start(rows=200).id)


@pytest.fixture(scope="module")
def page(hubyard, ana):
    with chromium() as page:
        sign_in(page, hubyard.url, ana.name)
        yield page


@pytest.fixture
def lab(hubyard, page):
    """Ana's Lab, with the panel open."""
    expect.set_options(timeout=PATIENCE_MS)
    page.goto(f"{hubyard.url}/user/ana/lab?reset")
    expect(page.locator(".jp-Launcher")).to_be_visible()
    page.keyboard.press("Control+Alt+Y")
    expect(row(page)).to_be_visible()
    return page


@pytest.fixture
def view(lab, failed):
    """The view of the run that has failed."""
    return opened(lab, failed)


def execute(page, command, **arguments):
    """Execute a command of the Lab."""
    execute = "([id, args]) => jupyterapp.commands.execute(id, args).then(() => null)"
    page.evaluate(execute, [command, arguments])


def dressed(page, theme):
    """Whether the Lab has taken a theme; while it starts it forgets the wish."""
    execute(page, "apputils:change-theme", theme=theme)
    page.wait_for_timeout(1000)
    return page.locator("body").get_attribute("data-jp-theme-name") == theme


def row(page, run=None):
    """A run in the panel; without one, the section of pipelines."""
    section = page.get_by_test_id("hy-section-pipelines")
    return section if run is None else section.locator(f"[data-id='{run.id}']")


def opened(page, run):
    row(page, run).get_by_test_id("hy-open-run").click()
    view = shown(page)
    expect(view.get_by_test_id("hy-run-head")).to_be_visible()
    return view


def shown(page):
    """The view of a run that is in front."""
    return page.locator("[data-testid=hy-run-view]:visible")


def assert_without_fault(page, view):
    """axe finds nothing in a view, in either theme."""
    page.add_script_tag(path=AXE)
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        until(lambda theme=theme: dressed(page, theme))
        assert page.evaluate(FAULTS, view) == []


def assert_fits(view):
    view.evaluate("node => { node.style.width = '250px'; }")
    assert view.evaluate("node => node.scrollWidth") <= 250


def step(view, key):
    return view.locator(f"[data-testid=hy-step][data-id='{key}']")


def menu(page, path, label):
    """Choose an entry of the file browser's menu of a file."""
    page.get_by_role("tab", name="File Browser").click()
    page.locator(".jp-BreadCrumbs-home").click()
    *folders, name = path.split("/")
    for folder in folders:
        page.locator(".jp-DirListing-item", has_text=folder).dblclick()
    item = page.locator(".jp-DirListing-item", has_text=name)
    item.click(button="right")
    return page.locator(".lm-Menu").get_by_text(label, exact=True)


# -- statements 31 and 32: the dialog --------------------------------------------------


def test_a_pipeline_is_scheduled_from_its_file_with_its_parameters(lab):
    menu(lab, "nightly/pipelines/nightly.yml", "Schedule…").click()
    dialog = lab.get_by_test_id("hy-schedule-dialog")
    expect(dialog.get_by_label("rows")).to_have_value("100")
    expect(dialog.get_by_test_id("hy-preview-text")).to_contain_text("02:30")
    expect(dialog.get_by_test_id("hy-next-fires").locator("li")).to_have_count(5)
    expect(dialog.get_by_test_id("hy-per-run")).to_contain_text("$")
    expect(dialog.get_by_test_id("hy-per-month")).to_contain_text("$")
    dialog.get_by_label("rows").fill("many")
    expect(dialog.get_by_role("alert")).to_be_visible()
    expect(lab.get_by_test_id("hy-schedule-confirm")).to_be_disabled()
    dialog.get_by_label("rows").fill("300")
    dialog.get_by_test_id("hy-cron").fill("61 2 * * *")
    expect(dialog.get_by_test_id("hy-preview").get_by_role("alert")).to_be_visible()
    expect(lab.get_by_test_id("hy-schedule-confirm")).to_be_disabled()
    dialog.get_by_test_id("hy-cron").fill("30 2 * * *")
    expect(dialog.get_by_test_id("hy-preview-text")).to_contain_text("02:30")
    lab.get_by_test_id("hy-schedule-confirm").click()
    lab.keyboard.press("Control+Alt+Y")
    expect(row(lab).get_by_test_id("hy-schedules")).to_contain_text("Nightly")
    update = lab.get_by_role("button", name="Update Nightly to my latest notebook")
    update.click()
    expect(lab.get_by_text("Open pipelines/nightly.yml first.")).to_be_visible()
    execute(lab, "docmanager:open", path="nightly/pipelines/nightly.yml")
    update.click()
    expect(lab.get_by_test_id("hy-no-changes")).to_be_visible()
    lab.keyboard.press("Escape")


def test_the_panel_lists_the_pipelines_of_the_workspace(lab):
    files = row(lab).get_by_test_id("hy-pipeline-files")
    expect(files.get_by_test_id("hy-row")).to_have_count(1)
    expect(files).to_contain_text("nightly/pipelines/nightly.yml")
    expect(files).to_contain_text("4 steps")
    for button, dialog in (("run", "run-now"), ("schedule", "schedule")):
        files.get_by_test_id(f"hy-{button}-file").click()
        asked = lab.get_by_test_id(f"hy-{dialog}-dialog")
        expect(asked.get_by_label("rows")).to_have_value("100")
        lab.keyboard.press("Escape")
        expect(asked).to_have_count(0)
    files.get_by_role("button", name="Nightly", exact=True).click()
    expect(lab.locator(".jp-FileEditor:visible")).to_contain_text("prepare.ipynb")


def test_the_toolbar_of_a_notebook_opens_the_dialog_with_its_parameters(lab):
    execute(lab, "docmanager:open", path="nightly/prepare.ipynb")
    lab.locator("[data-command='hubyard:schedule']:visible").first.click()
    dialog = lab.get_by_test_id("hy-schedule-dialog")
    expect(dialog.get_by_label("rows")).to_have_value("10")
    expect(dialog.get_by_label("wait")).to_have_value("0")
    expect(dialog).to_contain_text("to learn from")
    lab.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_script_runs_once_from_its_file_with_its_parameters(lab):
    menu(lab, "nightly/fit.py", "Run Once…").click()
    dialog = lab.get_by_test_id("hy-run-now-dialog")
    expect(dialog.get_by_label("depth")).to_have_value("1")
    expect(dialog).to_contain_text("of each tree")
    lab.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_file_that_is_no_pipeline_offers_no_run(lab):
    expect(menu(lab, "nightly/notes.yml", "Delete")).to_be_visible()
    expect(lab.locator(".lm-Menu").get_by_text("Run Once…")).to_be_hidden()
    lab.keyboard.press("Escape")


# -- statement 33: while it runs -------------------------------------------------------


def test_a_running_run_says_how_far_it_is_and_its_graph_follows(client, lab, start):
    run = start(wait=600)
    place = "step 1 of 4, cell 3 of 4"  # what was given stands in a cell of its own
    expect(row(lab, run).get_by_test_id("hy-cells")).to_have_text(place)
    view = opened(lab, run)
    expect(view.get_by_test_id("hy-run-head")).to_contain_text(place)
    node = view.locator("[data-testid=hy-node][data-step=prepare]")
    expect(node).to_have_attribute("data-status", "running")
    expect(node).to_contain_text("running")
    waiting = view.locator("[data-testid=hy-node][data-step=report]")
    expect(waiting).to_contain_text("waiting")
    expect(waiting).to_contain_text("after prepare, check")
    bar = step(view, "prepare").get_by_test_id("hy-bar")
    expect(bar).to_be_visible()
    view.get_by_test_id("hy-stop-run").click()
    lab.get_by_test_id("hy-confirm").click()
    expect(node).to_have_attribute("data-status", "stopped")
    assert client.runs.wait(run.id).status == "stopped"


# -- statement 34: what failed ---------------------------------------------------------


def test_a_failed_run_opens_its_notebook_at_the_failing_cell(lab, view):
    expect(view.get_by_test_id("hy-run-head")).to_contain_text("not ready")
    expect(step(view, "check")).to_have_attribute("data-status", "failed")
    step(view, "check").get_by_test_id("hy-step-notebook").click()
    cell = lab.locator(".jp-NotebookPanel:visible .jp-Notebook-cell").nth(FAILING)
    expect(cell).to_have_class(re.compile("jp-mod-active"))
    expect(cell.get_by_text("AssertionError").first).to_be_in_viewport()


def test_each_step_has_its_own_report(lab, view):
    step(view, "fit.1").get_by_test_id("hy-step-report").click()
    frame = lab.frame_locator("[data-testid=hy-report-view]:visible iframe")
    expect(frame.get_by_text("2 200")).to_be_visible()


# -- the view of a run -----------------------------------------------------------------


def test_a_node_of_the_graph_leads_to_its_step_by_keys_alone(lab, view):
    node = view.locator("[data-testid=hy-node][data-step=fit]")
    expect(node).to_contain_text("2 of 2")
    node.focus()
    lab.keyboard.press("Enter")
    expect(step(view, "fit.0")).to_be_focused()


def test_the_view_has_no_fault_of_access_and_fits_into_250_pixels(lab, view):
    assert_without_fault(lab, ".hy-RunView")
    assert_fits(view)


def test_the_view_comes_back_after_a_reload(hubyard, lab, failed):
    opened(lab, failed)
    lab.wait_for_timeout(1500)  # Lab keeps its layout a second after it changes
    lab.goto(f"{hubyard.url}/user/ana/lab")
    expect(lab.locator("[data-testid=hy-run-view]")).to_contain_text("not ready")


# -- the week --------------------------------------------------------------------------


def test_a_week_shows_what_ran_and_what_comes_due(hubyard, client, lab, failed):
    day = now() + timedelta(days=7)
    wish = ScheduleRequest(
        source=failed.source,
        notebook=failed.notebook,
        name="often",
        cron=f"*/5 * {day.day} {day.month} *",
    )
    made = client.schedules.create(wish)
    row(lab).get_by_test_id("hy-open-week").click()
    week = lab.locator("[data-testid=hy-week-view]:visible")
    today = week.locator("[data-testid=hy-day][aria-current=date]")
    expect(today).to_contain_text("Today")
    expect(today.locator("[data-status=failed]").last).to_contain_text("failed")

    week.get_by_test_id("hy-next-week").click()
    coming = week.locator("[data-status=due]").filter(has_text="often")
    expect(coming).to_contain_text(": 288")
    expect(week.get_by_test_id("hy-day")).to_have_count(7)
    expect(today).to_have_count(0)
    week.get_by_role("button", name="often").focus()
    lab.keyboard.press("Enter")
    expect(row(lab, made)).to_be_focused()
    client.schedules.delete(made.id)

    week.get_by_test_id("hy-this-week").click()
    expect(today).to_be_visible()
    assert_without_fault(lab, ".hy-WeekView")
    lab.goto(f"{hubyard.url}/user/ana/lab")
    ran = today.locator("[data-status=failed]").last
    ran.get_by_role("button", name=failed.name).click()
    expect(shown(lab).get_by_test_id("hy-run-head")).to_be_visible()
    lab.get_by_role("tab", name="Week").click()
    assert_fits(week)


# -- statement 35: run again -----------------------------------------------------------


def test_only_what_failed_and_follows_it_runs_again(hubyard, client, lab, view, failed):
    (hubyard.state / "homes" / "ana" / "ready").write_text("")
    view.get_by_test_id("hy-resume-run").click()
    question = lab.get_by_test_id("hy-question")
    expect(question).to_contain_text("Nightly")
    expect(question).to_contain_text("$")
    expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    lab.get_by_test_id("hy-confirm").click()
    head = shown(lab).get_by_test_id("hy-run-head")
    expect(head.get_by_test_id("hy-resumes")).to_contain_text("3 steps")
    expect(head).to_have_attribute("data-status", "succeeded")
    now = shown(lab)
    expect(now.get_by_test_id("hy-reused")).to_have_count(3)
    expect(step(now, "check").get_by_test_id("hy-reused")).to_have_count(0)
    (again,) = (each for each in client.runs.list() if each.resumes == failed.id)
    reused = {each.key for each in client.runs.get(again.id).steps if each.reused}
    assert reused == {"prepare", "fit.0", "fit.1"}


def test_two_runs_stand_beside_one_another(client, lab, start, failed):
    other = start(wait=600)
    client.runs.stop(other.id)
    view = opened(lab, failed)
    expect(view.get_by_test_id("hy-history")).to_contain_text("this run")
    view.get_by_test_id("hy-compare-with").select_option(other.id)
    table = view.get_by_test_id("hy-comparison")
    expect(table.get_by_role("row", name="rows")).to_contain_text("200")
    expect(table.get_by_role("row", name="wait")).to_contain_text("600")
    expect(table.get_by_role("row", name="report")).to_contain_text(NOTHING)
    expect(table.get_by_role("row", name="Cost")).to_contain_text("$")
