"""Money in the Lab, in a real browser: told before, while and after, and more time."""

import csv
import re
import time

import pytest
from playwright.sync_api import expect

from hubyard.contract.budget import BudgetRequest, Scope, Stop
from support.browser import PATIENCE_MS, chromium, sign_in
from support.hub import REPOSITORY
from support.months import month
from support.patience import until
from support.running import running

__all__ = ["month"]  # fixtures
pytestmark = [pytest.mark.hub, pytest.mark.browser]

CATALOGUE = """
currency = "USD"
[[compute]]
name = "small"
description = "Exploring"
cpu = 1
memory = "2 GiB"
price = 0.60
default_lifetime = "1h"
longest_lifetime = "3h"
"""
IDLE = '[idle]\nworkspace = "6m"\n'
HOUR_S = 3600
AXE = REPOSITORY / "lab_extension" / "node_modules" / "axe-core" / "axe.min.js"
# JupyterLab's body has no height, and what overflows it counts as hidden for axe.
FAULTS = """
async () => {
  document.body.style.height = '100vh';
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'];
  const ours = {include: [['.hy-Panel'], ['.hy-StatusItem'], ['.hy-Form']]};
  const found = await axe.run(ours, {runOnly: tags});
  return found.violations.flatMap(({id, nodes}) =>
    nodes.map(({html, failureSummary}) => [id, html, failureSummary]));
}
"""


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    file = tmp_path_factory.mktemp("catalogue") / "compute.toml"
    file.write_text(CATALOGUE)
    return file


@pytest.fixture(scope="module")
def hubyard(tmp_path_factory, catalogue, month):
    folder = tmp_path_factory.mktemp("hubyard")
    options = ("--skeleton", str(REPOSITORY / "examples"))
    with running(folder, *options, "--catalogue", str(catalogue)) as hubyard:
        yield hubyard


@pytest.fixture(scope="module")
def root(hubyard):
    return hubyard.administrator("root")


@pytest.fixture(scope="module")
def budgets(hubyard, root):
    with hubyard.client(root) as client:
        yield client.budgets


@pytest.fixture(scope="module")
def ana(hubyard, root):
    ana = hubyard.person("ana", admits=root)
    ana.start_workspace(hours="0.22")  # 13 minutes: the first warning is due at once
    return ana


@pytest.fixture(scope="module")
def client(hubyard, ana):
    with hubyard.client(ana) as client:
        yield client


@pytest.fixture(scope="module")
def page(hubyard, ana):
    """Ana's Lab, with a notebook and the panel open."""
    with chromium() as page:
        sign_in(page, hubyard.url, ana.name)
        page.goto(f"{hubyard.url}/user/ana/lab/tree/flights/train.ipynb")
        expect(page.get_by_text("Python 3 | Idle")).to_be_visible()
        page.keyboard.press("Control+Alt+Y")
        yield page


@pytest.fixture
def lab(page):
    expect.set_options(timeout=PATIENCE_MS)
    page.bring_to_front()
    expect(spend(page).get_by_test_id("hy-spend-total")).to_be_visible()
    return page


def spend(page):
    return page.get_by_test_id("hy-section-spend")


def status(page):
    return page.get_by_test_id("hy-status-price")


def toast(page, text):
    return page.locator(".Toastify__toast").filter(has_text=text)


def command(page, label):
    """Call a command by its name, from the palette."""
    page.keyboard.press("Control+Shift+C")
    palette = page.locator("#modal-command-palette")
    palette.locator("input").fill(label)
    expect(palette.locator(".lm-CommandPalette-item")).to_have_count(1)
    palette.get_by_text(label, exact=True).click()


def workspace(client):
    (found,) = client.workloads()
    return found


def wait_for_end(client, reason):
    """Wait until the platform says that the workspace ends for a reason."""
    until(lambda: workspace(client).ends == reason, lambda: workspace(client))


def test_before_the_end_a_toast_offers_more_time_at_its_price(lab, client):
    before = workspace(client)
    assert before.extension is not None
    warning = toast(lab, "The lifetime of this workspace is over in 1")
    expect(warning).to_contain_text("minutes. Save your work.")
    expect(status(lab)).to_have_text(re.compile(r"^small · \$0\.60/h · 1\dm left · "))
    more = warning.get_by_role("button", name=f"+1 h for {before.extension.cost.text}")
    expect(more).to_have_text("+1 h for $0.60")
    more.click()
    expect(toast(lab, "This workspace now ends at")).to_be_visible()
    expect(warning).to_have_count(0)
    after = workspace(client)
    assert (after.deadline - before.deadline).total_seconds() == HOUR_S
    expect(status(lab)).to_contain_text("· 1h 1")


def test_a_warning_that_is_no_longer_true_does_not_come_back(lab):
    lab.reload()
    expect(status(lab)).to_contain_text("· 1h 1")
    expect(toast(lab, "of this workspace")).to_have_count(0)


def test_status_bar_section_and_platform_say_the_same(lab, client):
    section = spend(lab)
    section.get_by_test_id("hy-refresh").click()
    said = client.spend()  # within the minute in which a cent is spent
    end = time.monotonic() + PATIENCE_MS / 1000
    total = section.get_by_test_id("hy-spend-total")
    while total.inner_text() != said.total.text:
        assert time.monotonic() < end, (total.inner_text(), said.total)
        said = client.spend()
    assert f"· {said.total.text} this month" in status(lab).inner_text()
    expect(section.locator(".hy-Count").first).to_have_text(said.total.text)
    expect(section.get_by_test_id("hy-spend-per-hour")).to_have_text("$0.60")
    (line,) = said.lines
    row = section.get_by_test_id("hy-spend-lines").locator(
        f"[data-id='{line.entry_id}']"
    )
    expect(row).to_contain_text(line.name)
    expect(row).to_contain_text("still costs")


def test_the_section_gives_more_time_too_and_asks_before(lab, client):
    before = workspace(client)
    own = spend(lab).get_by_test_id("hy-own-workspace")
    expect(own).to_contain_text("1h 1")
    own.get_by_test_id("hy-extend").click()
    question = lab.get_by_test_id("hy-question")
    expect(question).to_contain_text("It runs on small at $0.60 an hour until")
    expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    confirm = lab.get_by_test_id("hy-confirm")
    expect(confirm).to_have_text("+1 h for $0.60")
    confirm.click()
    expect(toast(lab, "This workspace now ends at")).to_be_visible()
    after = workspace(client)
    assert (after.deadline - before.deadline).total_seconds() == HOUR_S
    expect(own).to_contain_text("2h 1")


def test_where_there_is_no_more_time_it_says_why(lab):
    reason = "small may live at most 3h"
    own = spend(lab).get_by_test_id("hy-own-workspace")
    expect(own).to_contain_text(reason)
    expect(own.get_by_test_id("hy-extend")).to_be_disabled()
    command(lab, "Extend Workspace…")
    expect(toast(lab, reason)).to_be_visible()


def test_each_day_is_a_bar_and_a_row(lab, client):
    days = spend(lab).get_by_test_id("hy-days")
    drawing = days.get_by_role("img", name="Cost of each day")
    said = client.spend().days
    expect(drawing.locator(".hy-Chart-bar")).to_have_count(len(said))
    days.get_by_text("As a table").click()
    expect(days.get_by_role("row")).to_have_count(len(said) + 1)


def test_usage_is_drawn_below_its_limit(lab):
    row = spend(lab).get_by_test_id("hy-spend-lines").get_by_test_id("hy-row").first
    button = row.get_by_role("button", name="Usage of")
    button.click()
    expect(button).to_have_attribute("aria-expanded", "true")
    memory = row.get_by_role("img", name="Memory")
    expect(memory.locator(".hy-Chart-limit")).to_have_count(1)
    expect(row.get_by_test_id("hy-usage")).to_contain_text("of 2 GiB")
    expect(row.get_by_role("img", name="Cores")).to_be_visible()


def test_the_ledger_comes_as_a_file(lab, client):
    with lab.expect_download() as coming:
        spend(lab).get_by_test_id("hy-ledger-csv").click()
    rows = list(csv.DictReader(coming.value.path().read_text().splitlines()))
    assert [row["id"] for row in rows] == [workspace(client).entry_id]


def test_the_hub_has_a_page_of_it(hubyard, lab):
    with lab.expect_popup() as coming:
        spend(lab).get_by_test_id("hy-hub-spend").click()
    hub = coming.value
    expect(hub.get_by_role("heading", level=1)).to_be_visible()
    assert hub.url == f"{hubyard.url}/hub/spend"
    hub.close()


@pytest.fixture
def whole(lab):
    """A screen on which nothing is hidden: axe judges only colours that are seen."""
    before = lab.viewport_size
    lab.set_viewport_size({"width": 1440, "height": 3000})
    expect(spend(lab).get_by_test_id("hy-hub-spend")).to_be_in_viewport()
    lab.evaluate(AXE.read_text())
    yield lab
    lab.set_viewport_size(before)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(whole, scheme):
    whole.emulate_media(color_scheme=scheme)
    theme = f"JupyterLab {scheme.title()}"
    expect(whole.locator("body")).to_have_attribute("data-jp-theme-name", theme)
    expect(spend(whole).get_by_role("img", name="Memory")).to_be_visible()
    spend(whole).get_by_test_id("hy-row").last.hover()
    assert whole.evaluate(FAULTS) == []
    whole.locator("[data-command='hubyard:schedule']:visible").first.click()
    expect(whole.get_by_test_id("hy-per-month")).to_contain_text("$")
    assert whole.evaluate(FAULTS) == []
    whole.keyboard.press("Escape")
    expect(whole.get_by_test_id("hy-schedule-dialog")).to_have_count(0)


def test_axe_would_find_what_cannot_be_read(whole):
    total = spend(whole).get_by_test_id("hy-spend-total")
    total.evaluate("each => { each.style.color = 'var(--jp-layout-color2)'; }")
    assert [fault[0] for fault in whole.evaluate(FAULTS)] == ["color-contrast"]
    total.evaluate("each => { each.style.color = ''; }")


def test_a_dialog_says_what_the_budget_says(lab, budgets):
    budgets.set(Scope.USER, "ana", BudgetRequest(amount="100"))
    try:
        open_run_once(lab)
        says = lab.get_by_test_id("hy-estimate-budget")
        expect(says).to_have_text(
            re.compile(r"^0 % of \$9\d\.\d\d left of the budget$")
        )
        expect(lab.get_by_test_id("hy-run-now-confirm")).to_be_enabled()
        lab.keyboard.press("Escape")
        budgets.set(Scope.USER, "ana", BudgetRequest(amount="1"))
        open_run_once(lab)
        dialog = lab.get_by_test_id("hy-run-now-dialog")
        expect(dialog.get_by_role("alert")).to_contain_text("The budget of ana has $0.")
        expect(lab.get_by_test_id("hy-run-now-confirm")).to_be_disabled()
        lab.keyboard.press("Escape")
    finally:
        budgets.remove(Scope.USER, "ana")


def open_run_once(lab):
    command(lab, "Run Notebook or Pipeline Once…")
    expect(lab.get_by_test_id("hy-estimate-budget")).to_be_visible()


def test_a_level_of_a_budget_is_told_once(lab, budgets):
    tiny = BudgetRequest(amount="0.01", stop=Stop.SOFT)
    budgets.set(Scope.USER, "ana", tiny)
    try:
        warning = toast(lab, "Budget of ana: $0.")
        expect(warning).to_contain_text("of $0.01 spent. It only warns")
        expect(status(lab)).to_have_text(re.compile(r" of \$0\.01 this month$"))
        budget = spend(lab).get_by_test_id("hy-budget")
        expect(budget).to_contain_text("spent")
        meter = budget.get_by_role("meter", name="Budget of ana")
        expect(meter).to_have_attribute("aria-valuenow", "100")
        lab.reload()
        expect(budget).to_be_visible()
        expect(warning).to_have_count(0)
    finally:
        budgets.remove(Scope.USER, "ana")


@pytest.fixture(scope="module")
def anew(hubyard, ana, page):
    """A workspace that nobody has extended: that would outlast idleness and budget."""
    ana.hub("DELETE", f"/users/{ana.name}/server")
    until(lambda: not ana.servers(), ana.servers)
    ana.start_workspace()
    page.goto(f"{hubyard.url}/user/{ana.name}/lab")


@pytest.mark.usefixtures("anew")
def test_a_spent_budget_is_the_reason_until_it_is_not(lab, client, budgets):
    budgets.set(Scope.USER, "ana", BudgetRequest(amount="0.01"))
    try:
        wait_for_end(client, "budget")
        lab.reload()
        warning = toast(lab, "The month's budget is spent: this workspace ends in 15")
        expect(warning).to_contain_text("The budget of ana has $0.00 left of $0.01")
        expect(warning.get_by_role("button", name="+1 h")).to_have_count(0)
        expect(status(lab)).to_contain_text("budget spent: 1")
    finally:
        budgets.remove(Scope.USER, "ana")
    expect(warning).to_have_count(0)
    expect(status(lab)).not_to_contain_text("budget spent")


@pytest.mark.usefixtures("anew")
def test_who_touches_a_key_is_not_idle(lab, client, catalogue):
    catalogue.write_text(CATALOGUE + IDLE)
    wait_for_end(client, "idle")
    lab.reload()
    warning = toast(lab, "Nothing happens in this workspace: it ends in")
    expect(warning).to_contain_text("unless you go on working.")
    expect(status(lab)).to_contain_text("idle: ")
    lab.keyboard.press("Shift")
    expect(warning).to_have_count(0)
