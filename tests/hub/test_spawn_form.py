"""The spawn page, and whoever posts to it: a page says in one line what to do.

What is refused leaves nothing: no entry in the ledger, no process, no server.
"""

import html
import json
import re

import psutil
import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select

from hubyard.contract import money
from hubyard_hub.store import Store
from hubyard_hub.store.tables import entries
from support.browser import chromium, sign_in
from support.running import running

pytestmark = pytest.mark.hub

ALERT = re.compile(r'(?s)<p class="(?:spawn-error-msg|error)[^>]*>(.*?)</p>')
GOOD = {"compute": "small", "hours": "1"}
LONG = "x" * 5000


@pytest.fixture(scope="module")
def hubyard(tmp_path_factory):
    with running(tmp_path_factory.mktemp("form")) as started:
        yield started


@pytest.fixture(scope="module")
def ana(hubyard):
    return hubyard.administrator()


@pytest.fixture
def nothing_started(hubyard, ana):
    """Before and after: no server, no entry, no process of a workload."""
    yield
    store = Store(hubyard.settings.database_url)
    with store.read() as connection:
        count = select(func.count()).select_from(entries)
        assert connection.execute(count).scalar_one() == 0
    store.close()
    assert ana.servers() == {}
    hub = psutil.Process(hubyard.pids()["hub"])
    assert "hubyard_runtime" not in str([p.cmdline() for p in hub.children()])


def said(page):
    """The one line that the page says."""
    (line,) = ALERT.findall(page.text)
    text = html.unescape(re.sub(r"<[^>]*>", "", line))
    return " ".join(text.split()).removeprefix("Error: ")


HOURS = "Hours must be a number above zero, at most 8784."
FORMS = [
    ({**GOOD, "price": "0"}, "'price' is not known here: remove it."),
    ({**GOOD, "lifetime_s": "1"}, "'lifetime_s' is not known here: remove it."),
    ({**GOOD, "cmd": "sh"}, "'cmd' is not known here: remove it."),
    ({**GOOD, "<b>": "x"}, "'<b>' is not known here: remove it."),
    ({**GOOD, "compute": "huge"}, "There is no compute called 'huge' for you: choose "),
    ({**GOOD, "compute": "SMALL"}, "There is no compute called 'SMALL' for you"),
    ({**GOOD, "compute": "<b>x"}, "There is no compute called '<b>x' for you"),
    (
        {**GOOD, "compute": LONG},
        "compute cannot be used: string should have at most 40",
    ),
    ({**GOOD, "hours": "nan"}, HOURS),
    ({**GOOD, "hours": "-1"}, HOURS),
    ({**GOOD, "hours": "0"}, HOURS),
    ({**GOOD, "hours": "1e400"}, HOURS),
    ({**GOOD, "hours": "9000"}, HOURS),
    ({**GOOD, "hours": "many"}, HOURS),
    ({**GOOD, "hours": LONG}, HOURS),
    ({**GOOD, "hours": "200"}, "small may live at most 7d: choose fewer hours."),
    (
        {**GOOD, "kind": "run"},
        "'(unnamed)' names no run: its server is called run-<id>.",
    ),
    (
        {**GOOD, "kind": "app"},
        "'(unnamed)' names no app: its server is called app-<id>.",
    ),
    (
        {**GOOD, "kind": "root"},
        "kind cannot be used: input should be 'workspace', 'run'",
    ),
]


@pytest.mark.parametrize(("fields", "says"), FORMS, ids=lambda x: str(x)[:40])
def test_what_the_form_cannot_mean_is_said_above_it(ana, nothing_started, fields, says):
    page = ana.form("/hub/spawn", **fields)
    assert page.status_code == 422
    assert said(page).startswith(says)
    assert 'name="compute"' in page.text, "the form is still there"


@pytest.mark.parametrize("name", ["run-1", "endpoint-1", "app-1"])
def test_no_form_starts_what_is_no_workspace(ana, nothing_started, name):
    page = ana.form(f"/hub/spawn/ana/{name}", **GOOD)
    assert page.status_code == 422
    assert said(page).startswith(f"'{name}' names no workspace: ")
    kind = name.partition("-")[0]
    page = ana.form(f"/hub/spawn/ana/{name}", **GOOD, kind=kind)
    assert page.status_code == 403
    assert "is not started by hand" in said(page)


@pytest.mark.parametrize("name", ["Team", "a b", "a_b", "x" * 31, "-a", "%00"])
def test_no_form_starts_what_has_no_name(ana, nothing_started, name):
    assert ana.form(f"/hub/spawn/ana/{name}", **GOOD).status_code == 400


def test_no_link_starts_anything(ana, nothing_started):
    for query in ("compute=small&hours=1", "kind=workspace", "opt-compute=small"):
        page = ana.http.get(f"/hub/spawn?{query}")
        assert said(page) == "A link starts nothing: choose here, and press Start."
    assert page.status_code == 400


@pytest.mark.browser
def test_the_pages_address_is_a_link_to_its_choice(hubyard, ana, nothing_started):
    with chromium() as page:
        sign_in(page, hubyard.url, "ana")
        page.goto(f"{hubyard.url}/hub/spawn")
        page.locator("label[for=hy-medium]").click()
        page.get_by_label("Stop it after").fill("4")
        expect(page).to_have_url(re.compile(r"/hub/spawn#compute=medium&hours=4$"))
        for come in (page.reload, page.go_back):
            come()
            expect(page.get_by_label("medium")).to_be_checked()
            expect(page.get_by_label("Stop it after")).to_have_value("4")
            expect(page.get_by_text("costs at most $0.32")).to_be_visible()
            page.goto(f"{hubyard.url}/hub/home")


def test_without_a_script_the_form_shows_prices_and_what_is_left(ana, nothing_started):
    ana.form("/hub/spend/budget", scope="user", name="ana", amount="1")
    page = " ".join(ana.http.get("/hub/spawn").text.split())
    ana.form("/hub/spend/budget", scope="user", name="ana", remove="yes")
    assert "The budget of ana has $1.00 left of $1.00 this month." in page
    assert '<span class="hy-price">$0.02 <small>an hour</small></span>' in page
    assert "at most 7d, $3.36" in page


@pytest.fixture
def form(hubyard, ana, nothing_started):
    """Ana's spawn page in a browser, as early in a month."""
    with chromium() as page:
        sign_in(page, hubyard.url, "ana")

        def opened(amount, stop):
            wish = {"scope": "user", "name": "ana", "amount": amount, "stop": stop}
            ana.form("/hub/spend/budget", **wish)
            page.goto(f"{hubyard.url}/hub/home")
            page.goto(f"{hubyard.url}/hub/spawn")
            page.evaluate(
                "Object.assign(document.getElementById('hy-budget').dataset,"
                "{reservedHours: 24, monthHours: 700})"
            )
            page.locator("label[for=hy-medium]").click()
            return page

        yield opened
        ana.form("/hub/spend/budget", scope="user", name="ana", remove="yes")


@pytest.mark.browser
def test_the_form_says_what_is_left_and_what_would_fit(form):
    page = form("1", "hard")
    hours, total = page.get_by_label("Stop it after"), page.locator("#hy-total")
    warning = page.locator("#hy-warning[role=status]")
    hours.fill("4")
    expect(total).to_have_text("costs at most $0.32, 32 % of $1.00 left this month")
    expect(warning).to_be_empty()
    hours.fill("20")
    expect(total).to_have_text("costs at most $1.60, 160 % of $1.00 left this month")
    expect(warning).to_contain_text(
        "This is more than the budget of ana has left: the start will be refused. At "
        "$0.08 an hour it covers 12.5 hours: choose that or cheaper compute, or ask "
        "ana, who set it, to raise it."
    )
    warning.get_by_role("button", name="Choose 12.5 hours").press("Enter")
    expect(hours).to_have_value("12.5")
    expect(hours).to_be_focused()
    expect(total).to_have_text("costs at most $1.00, 100 % of $1.00 left this month")
    expect(warning).to_be_empty()
    page.locator("label[for=hy-small]").click()
    hours.fill("60")
    expect(warning).to_contain_text(
        "At $0.02 an hour it covers 50 hours of this: the workspace will be ended "
        "then, after a warning, unless ana raises it."
    )


@pytest.mark.browser
def test_the_form_says_where_nothing_is_left_and_where_that_only_warns(form):
    page = form("0", "hard")
    warning = page.locator("#hy-warning[role=status]")
    expect(page.locator("#hy-total")).to_have_text(
        "costs at most $0.64; nothing is left this month"
    )
    expect(warning).to_contain_text("The budget of ana is spent: the start will")
    page = form("0.004", "hard")
    expect(warning).to_contain_text("the start will be refused. Choose cheaper compute")
    page = form("0.04", "soft")
    expect(warning).to_contain_text(
        "This is more than the budget of ana has left. At $0.08 an hour it covers 0.5 "
        "hours; it is a soft one, which only warns."
    )


MICROS = [1, 49, 50, 9_999, 10_000, 5_000, 125_000, 1_005_000, 2_675_000, 1_234_567_890]


@pytest.mark.browser
def test_the_form_writes_money_as_every_surface_does(form):
    page = form("1", "hard")
    page.get_by_label("Stop it after").fill("1")
    for micros in MICROS:
        page.locator("#hy-medium").evaluate(f"c => c.dataset.priceMicros = {micros}")
        page.get_by_label("Stop it after").dispatch_event("input")
        written = re.escape(money.cost(micros, "USD").text)
        expect(page.locator("#hy-total")).to_have_text(
            re.compile(rf"^costs at most {written}, ")
        )


def test_nobody_elses_page_posts_the_form(ana, nothing_started):
    for forged in ({}, {"_xsrf": "forged"}):
        answer = ana.http.post("/hub/spawn", data={**GOOD, **forged})
        assert answer.status_code == 403


OPTIONS = [
    ({"price": 0}, "price is not known here: remove it."),
    ({"lifetime_s": -5}, "lifetime_s cannot be used: input should be"),
    ({"lifetime_s": True}, "lifetime_s cannot be used: input should be"),
    ({"lifetime_s": float("inf")}, "lifetime_s cannot be used: input should be"),
    ({"lifetime_s": float("nan")}, "lifetime_s cannot be used: input should be"),
    ({"lifetime_s": 10**9}, "lifetime_s cannot be used: input should be"),
    ({"lifetime_s": 8 * 86_400}, "small may live at most 7d: choose fewer hours."),
    ({"compute": ["small"]}, "compute cannot be used: input should be"),
    ({"compute": "huge"}, "There is no compute called 'huge' for you"),
    ({"kind": "run"}, "'(unnamed)' names no run"),
    ([1], "Body must be a JSON object"),
    ("x", "Body must be a JSON object"),
]


@pytest.mark.parametrize(("options", "says"), OPTIONS, ids=lambda x: str(x)[:40])
def test_the_hubs_api_refuses_the_same_and_the_page_forgets_it(
    ana, nothing_started, options, says
):
    headers = {
        "X-XSRFToken": ana.xsrf,
        "Accept": "application/json",
        "Content-Type": "application/json",
        "Sec-Fetch-Mode": "cors",
    }
    answer = ana.http.post(
        "/hub/api/users/ana/server", headers=headers, content=json.dumps(options)
    )
    assert answer.status_code in {400, 422}
    assert answer.json()["message"].startswith(says)
    page = ana.http.get("/hub/spawn")
    (hours,) = re.findall(r'name="hours" value="([^"]*)"', page.text)
    assert 0.1 <= float(hours) <= 168
    assert ALERT.findall(page.text) == []


def test_after_all_that_the_form_still_starts_a_workspace_at_its_true_price(
    ana, hubyard
):
    ana.start_workspace(compute="small", hours="1")
    (workspace,) = hubyard.client(ana).workloads()
    assert (workspace.compute, workspace.price.text) == ("small", "$0.02")
    assert 3500 < workspace.seconds_left <= 3600
    again = ana.form("/hub/spawn", **GOOD)
    assert again.status_code == 400
    assert len(hubyard.client(ana).workloads()) == 1
