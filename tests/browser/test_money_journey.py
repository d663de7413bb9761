"""The journey of a budget: refused in words, ended on time, one number everywhere."""

import csv
import io
import re
from datetime import datetime

import pytest
from playwright.sync_api import expect

from hubyard.contract.budget import BudgetRequest, Scope
from support.browser import chromium, sign_in
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
cpu = 1
memory = "2 GiB"
price = 0.60
default_lifetime = "1h"
longest_lifetime = "1d"
[[compute]]
name = "free"
cpu = 1
memory = "2 GiB"
price = 0
default_lifetime = "1h"
longest_lifetime = "1d"
"""
LIFETIME_S = 120
GRACE_S = 10
"""The eight seconds that a workspace has to end, and a little more."""


@pytest.fixture(scope="module")
def hubyard(tmp_path_factory, month):
    folder = tmp_path_factory.mktemp("hubyard")
    catalogue = folder / "compute.toml"
    catalogue.write_text(CATALOGUE)
    options = ("--skeleton", str(REPOSITORY / "examples"))
    with running(folder, *options, "--catalogue", str(catalogue)) as hubyard:
        yield hubyard


def choose(page, compute, hours):
    """Pick a card and a time; as short as the server takes, not as the page offers."""
    page.locator(f"label[for=hy-{compute}]").click()
    field = page.get_by_label("Stop it after")
    field.evaluate("each => { each.min = 0; }")
    field.fill(f"{hours:g}")


def start(page):
    page.get_by_role("button", name="Start").click()


def ledger(client):
    return list(csv.DictReader(io.StringIO(client.ledger_csv().decode())))


def seconds(line):
    began, ended = line["started_at"], line["ended_at"]
    lived = datetime.fromisoformat(ended) - datetime.fromisoformat(began)
    return lived.total_seconds()


def test_a_budget_from_the_refusal_to_the_end_and_beyond(hubyard):
    ana = hubyard.administrator()
    with hubyard.client(ana) as client, chromium() as page:
        client.budgets.set(Scope.USER, "ana", BudgetRequest(amount="1"))
        sign_in(page, hubyard.url, "ana")
        it_is_refused_in_words(hubyard, client, page)
        it_is_warned_and_ended_on_time_though_the_hub_was_killed(hubyard, client, page)
        until(lambda: not ana.servers().get("", {}).get("ready"))
        it_says_why_and_brings_the_tabs_back(hubyard, page)
        every_surface_says_the_same(hubyard, client, page)


def it_is_refused_in_words(hubyard, client, page):
    page.goto(f"{hubyard.url}/hub/spawn")
    choose(page, "small", 5)
    expect(page.locator("#hy-total")).to_contain_text("costs at most $3.00")
    start(page)
    refusal = "The budget of ana has $1.00 left of $1.00 this month, and this may cost"
    said = page.locator(".spawn-error-msg")
    expect(said).to_contain_text(refusal)
    expect(said).to_contain_text("or ask ana, who set it, to raise it.")
    assert ledger(client) == []


def it_is_warned_and_ended_on_time_though_the_hub_was_killed(hubyard, client, page):
    choose(page, "small", LIFETIME_S / 3600)
    start(page)
    page.wait_for_url("**/lab**")
    page.goto(f"{hubyard.url}/user/ana/lab/tree/flights/train.ipynb")
    warning = page.locator(".Toastify__toast", has_text="of this workspace is over in")
    expect(warning.get_by_role("button", name="+1 h for $0.60")).to_be_visible()
    before = hubyard.pids()["hub"]
    hubyard.kill("hub")
    until(lambda: hubyard.pids().get("hub") not in {None, before})
    until(lambda: not client.workloads())
    (line,) = ledger(client)
    assert (line["reason"], line["exact"]) == ("lifetime", "True")
    assert LIFETIME_S <= seconds(line) <= LIFETIME_S + GRACE_S


def it_says_why_and_brings_the_tabs_back(hubyard, page):
    page.goto(f"{hubyard.url}/user/ana/lab")
    expect(page.get_by_text("its lifetime of 2m")).to_be_visible()
    page.goto(f"{hubyard.url}/hub/spawn")
    expect(page.get_by_text("its lifetime of 2m")).to_be_visible()
    choose(page, "free", 1)
    start(page)
    page.wait_for_url("**/lab**")
    expect(page.get_by_role("tab", name="train.ipynb")).to_be_visible()


def every_surface_says_the_same(hubyard, client, page):
    (line,) = ledger(client)[:1]
    assert int(line["cost_micros"]) > 0
    status = page.get_by_test_id("hy-status-price")
    expect(status).to_have_text(re.compile(r"\$0\.\d+ of \$1\.00 this month$"))
    said = re.search(r"(\$[\d.]+) of", status.inner_text())
    expect(page.get_by_text("Python 3 | Idle")).to_be_visible()
    page.locator(".jp-Notebook .jp-Cell").first.click()
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    page.keyboard.type("%cost")
    page.keyboard.press("Shift+Enter")
    expect(page.get_by_text(f"You have spent {said[1]} since").first).to_be_visible()
    page.goto(f"{hubyard.url}/hub/home")
    expect(page.locator("#hy-month")).to_have_text(said[1])
    assert client.spend().total.text == said[1]
