"""The hub's pages of money, asked as nobody, as the owner, as another and as an admin.

Whatever is refused says so in one line and changes nothing.
"""

import csv
import html
import io
import re
import time
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from hubyard.contract.base import now
from hubyard.contract.entry import EndReason, Entry, Settlement
from hubyard.contract.workload import Kind, Limits, new_id
from hubyard_hub.money.budgets import Budgets
from hubyard_hub.money.ledger import Ledger
from hubyard_hub.store import Store
from hubyard_hub.store.tables import budgets, extensions
from support.hub import NAVIGATION, REPOSITORY
from support.months import border_after, month
from support.patience import PATIENCE_S
from support.running import running

__all__ = ["month"]  # fixtures
pytestmark = pytest.mark.hub

ALERT = re.compile(r'(?s)<p class="[^"]*alert-danger" role="alert">(.*?)</p>')
PAGES = ["/hub/spend", "/hub/spend?of=everybody", "/hub/spend/ledger.csv"]
FORMS = ["/hub/spend/extend", "/hub/spend/budget"]
EVIL = '<img src=x onerror="alert(1)">'


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    """The file of compute, which tests may spoil."""
    file = tmp_path_factory.mktemp("catalogue") / "compute.toml"
    file.write_text((REPOSITORY / "hub_config" / "compute.toml").read_text())
    return file


@pytest.fixture(scope="module")
def hubyard(tmp_path_factory, catalogue, month):
    folder = tmp_path_factory.mktemp("money")
    with running(folder, "--catalogue", str(catalogue)) as started:
        yield started


@pytest.fixture(scope="module")
def root(hubyard):
    """The administrator, who has spent nothing."""
    return hubyard.administrator("root")


@pytest.fixture(scope="module")
def ana(hubyard, root):
    """Somebody whose workspace runs."""
    person = hubyard.person("ana", admits=root)
    person.start_workspace(compute="small", hours="1")
    return person


@pytest.fixture(scope="module")
def bo(hubyard, root):
    return hubyard.person("bo", admits=root)


@pytest.fixture(scope="module")
def store(hubyard):
    opened = Store(hubyard.settings.database_url)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def ledger(store):
    return Ledger(store)


@pytest.fixture
def nothing_changed(store, ana):
    """Before and after: the same budgets on record, and the same extensions."""
    before = [rows(store, budgets), rows(store, extensions)]
    yield
    assert [rows(store, budgets), rows(store, extensions)] == before


def rows(store, table):
    """All that stands in a table."""
    with store.read() as connection:
        return [tuple(row) for row in connection.execute(select(table))]


def said(page):
    """The one line that a refused form gets."""
    (line,) = ALERT.findall(page.text)
    return " ".join(html.unescape(line).split())


def spent(ledger, owner, reason=EndReason.EXITED, **about):
    """A line of the ledger: somebody's run, which has ended."""
    started_at = now() - timedelta(minutes=2)
    about = {"server_name": "run-1", "kind": Kind.RUN, "compute": "small", **about}
    entry = Entry(
        id=new_id(),
        owner=owner,
        price_micros=20_000,
        currency="USD",
        lifetime_s=3600,
        limits=Limits.SOFT,
        started_at=started_at,
        **about,
    )
    ledger.open(entry)
    ledger.settle(
        Settlement(
            entry_id=entry.id,
            ended_at=started_at + timedelta(minutes=1),
            exact=True,
            reason=reason,
        )
    )
    return entry


def running_entry(ledger, owner):
    """The ledger's line of somebody's running workspace."""
    (line,) = ledger.open_lines(owner)
    return line


# -- who may come --------------------------------------------------------------------


@pytest.mark.parametrize("path", [*PAGES, *FORMS])
def test_nobody_is_sent_to_sign_in(hubyard, path):
    answer = httpx.get(f"{hubyard.url}{path}", headers=NAVIGATION)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/hub/login?next=")


@pytest.mark.parametrize("path", [*PAGES, *FORMS])
def test_nobody_posts_anything(hubyard, path, nothing_changed):
    answer = httpx.post(f"{hubyard.url}{path}", data={"scope": "user", "name": "ana"})
    assert answer.status_code == 403


@pytest.mark.parametrize("path", [*PAGES, *FORMS])
def test_a_token_opens_no_page(hubyard, root, path):
    token = {"Authorization": f"token {root.token()}"}
    alone = httpx.get(f"{hubyard.url}{path}", headers={**NAVIGATION, **token})
    assert alone.status_code == 302
    assert alone.headers["Location"].startswith("/hub/login")
    beside_a_login = root.http.get(path, headers=token)
    assert beside_a_login.status_code == 403
    assert "Open this page in a browser." in beside_a_login.text


@pytest.mark.parametrize("path", FORMS)
def test_a_token_posts_no_form(hubyard, root, ledger, path, nothing_changed):
    token = {"Authorization": f"token {root.token()}"}
    wish = {"scope": "user", "name": "ana", "amount": "1"}
    wish |= {"entry": running_entry(ledger, "ana").entry.id, "seconds": "60"}
    alone = httpx.post(f"{hubyard.url}{path}", headers=token, data=wish)
    assert alone.status_code == 403
    proof = {"_xsrf": root.xsrf}
    beside_a_login = root.http.post(path, headers=token, data={**proof, **wish})
    assert beside_a_login.status_code == 403


@pytest.mark.parametrize("proof", [{}, {"_xsrf": ""}, {"_xsrf": "forged"}])
@pytest.mark.parametrize("path", FORMS)
def test_no_form_without_its_proof(root, ledger, path, proof, nothing_changed):
    wish = {"scope": "user", "name": "ana", "amount": "1"}
    wish |= {"entry": running_entry(ledger, "ana").entry.id, "seconds": "60"}
    assert root.http.post(path, data={**proof, **wish}).status_code == 403


def test_anothers_proof_proves_nothing(root, bo, nothing_changed):
    wish = {"_xsrf": bo.xsrf, "scope": "user", "name": "bo", "amount": "1"}
    assert root.http.post("/hub/spend/budget", data=wish).status_code == 403


# -- what is another's -----------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_nobody_sees_what_another_has_spent(ana, bo, ledger, path):
    spent(ledger, "ana", name="anas-secret-run", project="anas-secret-project")
    mine, others = ana.http.get(path), bo.http.get(path)
    assert mine.status_code == others.status_code == 200
    assert "anas-secret-run" in mine.text
    assert "anas-secret" not in others.text
    assert "ana" not in re.findall(r"\w+", others.text)


def test_everybodys_spend_is_an_administrators(root, bo, ledger):
    spent(ledger, "bo", name="bos-run")
    page = root.http.get("/hub/spend?of=everybody").text
    assert "By owner" in page
    assert "bos-run" in page
    assert "Set a budget" in page
    page = bo.http.get("/hub/spend?of=everybody").text
    assert "By owner" not in page
    assert "Set a budget" not in page
    assert "bos-run" not in root.http.get("/hub/spend").text
    assert "bos-run" not in root.http.get("/hub/spend/ledger.csv").text
    assert "bos-run" in root.http.get("/hub/spend/ledger.csv?of=everybody").text


def test_nobody_extends_what_is_anothers(ledger, bo, nothing_changed):
    entry = running_entry(ledger, "ana").entry.id
    page = bo.form("/hub/spend/extend", entry=entry, seconds="60")
    assert page.status_code == 404
    assert said(page) == "No such workload runs, or it is not yours."


def test_only_an_administrator_sets_budgets(bo, nothing_changed):
    for wish in ({"amount": "1000"}, {"remove": "yes"}):
        page = bo.form("/hub/spend/budget", scope="user", name="bo", **wish)
        assert page.status_code == 403
        assert "Only an administrator may do this." in page.text


# -- what a form cannot mean -----------------------------------------------------------

GOOD = {"scope": "user", "name": "bo", "amount": "5"}
BUDGETS = [
    ({"scope": ""}, "scope cannot be used: input should be 'user', 'group'"),
    ({"scope": "root"}, "scope cannot be used: input should be 'user', 'group'"),
    ({"name": ""}, "name cannot be used: write 1 to 128 characters"),
    ({"name": "   "}, "name cannot be used: write 1 to 128 characters"),
    ({"name": "x" * 129}, "name cannot be used: write 1 to 128 characters"),
    ({"amount": ""}, "amount is missing."),
    ({"amount": "nan"}, "amount cannot be used: 'nan' is not an amount of money"),
    ({"amount": "inf"}, "amount cannot be used: 'inf' is not an amount of money"),
    ({"amount": "-1"}, "amount cannot be used: '-1' is not an amount of money from 0"),
    ({"amount": "1e30"}, "amount cannot be used: '1e30' is not an amount of money"),
    ({"amount": "9" * 5000}, "amount cannot be used: write an amount such as 50"),
    ({"amount": "0.0000001"}, "amount cannot be used: '0.0000001' has more than six"),
    ({"amount": "lots"}, "amount cannot be used: 'lots' is not an amount of money"),
    ({"amount": EVIL}, "amount cannot be used: '<img src=x onerror="),
    ({"stop": "never"}, "stop cannot be used: input should be 'hard' or 'soft'."),
    ({"endpoints": "sell"}, "endpoints cannot be used: input should be 'keep' or"),
]


@pytest.mark.parametrize(("wrong", "says"), BUDGETS, ids=lambda x: str(x)[:30])
def test_what_no_budget_can_be_is_said_in_a_line(root, wrong, says, nothing_changed):
    wish = {**GOOD, **wrong}
    page = root.form("/hub/spend/budget?of=everybody", **wish)
    assert page.status_code == 422
    assert said(page).startswith(says)
    assert EVIL not in page.text
    assert "Set a budget" in page.text, "the form is still there"
    assert html.escape(wish["amount"], quote=False)[:9] in page.text.replace(
        "&#34;", '"'
    )


def test_a_budget_that_is_not_there_cannot_be_removed(root, nothing_changed):
    page = root.form("/hub/spend/budget", scope="user", name="nobody", remove="yes")
    assert page.status_code == 404
    assert said(page) == "There is no budget of nobody."


SECONDS = ["0", "-1", "1.5", "many", "nan", "9" * 12, "9" * 5000, "٣٦٠٠", "0x10"]


@pytest.mark.parametrize("seconds", SECONDS, ids=lambda x: x[:20])
def test_what_no_extension_can_be_is_said_in_a_line(
    ana, ledger, seconds, nothing_changed
):
    entry = running_entry(ledger, "ana").entry.id
    page = ana.form("/hub/spend/extend", entry=entry, seconds=seconds)
    assert page.status_code == 422
    assert said(page).startswith("seconds cannot be used: input should be ")


@pytest.mark.parametrize("entry", ["", "x", "../1", "' OR 1=1 --", "x" * 5000, EVIL])
def test_what_does_not_run_cannot_be_extended(ana, entry, nothing_changed):
    page = ana.form("/hub/spend/extend", entry=entry, seconds="60")
    assert page.status_code == 404
    assert said(page) == "No such workload runs, or it is not yours."


def test_nothing_lives_longer_than_its_compute_allows(ana, ledger, nothing_changed):
    entry = running_entry(ledger, "ana").entry.id
    page = ana.form("/hub/spend/extend", entry=entry, seconds=str(8 * 86_400))
    assert page.status_code == 409
    assert said(page) == "small may live at most 7d: save your work, and start anew."


# -- what is written by people --------------------------------------------------------


def test_names_are_text_on_every_page(root, bo, ledger):
    spent(ledger, "bo", name=EVIL, project=f"p{EVIL}", compute=f"c{EVIL}")
    root.form("/hub/spend/budget", scope="project", name=EVIL, group="ml", amount="7")
    for who, path in ((bo, PAGES[0]), (root, PAGES[1])):
        page = who.http.get(path).text
        assert EVIL not in page
        assert "&lt;img src=x onerror=" in page
    root.form("/hub/spend/budget", scope="project", name=EVIL, remove="yes")


@pytest.mark.parametrize("first", ["=", "+", "-", "@"])
def test_a_spreadsheet_computes_nothing_of_the_ledger(bo, ledger, first):
    name = f'{first}HYPERLINK("https://evil.example","{new_id()}")'
    spent(ledger, "bo", name=name, project=name)
    answer = bo.http.get("/hub/spend/ledger.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["Content-Disposition"]
    newest = list(csv.DictReader(io.StringIO(answer.text)))[-1]
    assert (newest["name"], newest["project"]) == (f"'{name}", f"'{name}")
    assert newest["owner"] == "bo"


# -- what an administrator does -------------------------------------------------------


def test_a_budget_is_set_changed_and_removed_on_record(store, root):
    before = len(rows(store, budgets))
    form = "/hub/spend/budget?of=everybody"
    page = root.form(form, scope="user", name=" Carla ", amount="12.50", stop="soft")
    assert str(page.url).endswith("/hub/spend?of=everybody#hy-budgets")
    (budget,) = Budgets(store).list()
    assert (budget.name, budget.amount.text) == ("carla", "$12.50")
    assert (budget.stop, budget.set_by) == ("soft", "root")
    assert 'name="amount" value="12.5"' in page.text
    page = root.form(form, scope="user", name="carla", amount="1", endpoints="stop")
    assert "$0.00 of $1.00, 0 %" in page.text
    page = root.form(form, scope="user", name="carla", amount="", remove="yes")
    assert ">removed<" in page.text
    assert "No budget is set" in page.text
    assert len(rows(store, budgets)) == before + 3


def test_the_owner_gives_an_hour_more_and_is_back_home(ana, ledger):
    before = running_entry(ledger, "ana")
    page = ana.form("/hub/spend/extend", entry=before.entry.id, seconds="3600")
    assert str(page.url).endswith("/hub/home")
    after = running_entry(ledger, "ana")
    assert after.deadline.at - before.deadline.at == timedelta(hours=1)


def test_a_refused_extension_says_why_and_gives_nothing(root, ana, ledger):
    root.form("/hub/spend/budget", scope="user", name="ana", amount="0.03")
    before = running_entry(ledger, "ana")
    page = ana.form("/hub/spend/extend", entry=before.entry.id, seconds="36000")
    root.form("/hub/spend/budget", scope="user", name="ana", remove="yes")
    assert page.status_code == 409
    assert said(page).startswith("The budget of ana has $")
    assert said(page).endswith("ask root, who set it, to raise it.")
    assert running_entry(ledger, "ana").deadline == before.deadline


def test_home_says_that_a_budget_ends_it_and_why_it_gets_no_hour_more(hubyard, root):
    eva = hubyard.person("eva", admits=root)
    eva.start_workspace(compute="small", hours="1")
    root.form("/hub/spend/budget", scope="user", name="eva", amount="0")
    end = time.monotonic() + PATIENCE_S
    while "a budget is spent" not in (page := eva.http.get("/hub/home")).text:
        assert time.monotonic() < end, page.text
        time.sleep(0.5)
    root.form("/hub/spend/budget", scope="user", name="eva", remove="yes")
    assert "ends because a budget is spent" in page.text
    assert ">Ends soon<" in page.text
    assert "for $0.02" in page.text
    why = "The budget of eva has $0.00 left of $0.00 this month, and this may cost $0.0"
    assert f'title="{why}' in page.text
    assert re.search(rf"<small id=[^>]*>{re.escape(why)}", page.text)
    assert 'aria-valuetext="100 %"' in page.text
    assert ">Spent<" in page.text


def test_a_mistake_in_the_catalogue_is_told_to_administrators(root, ana, catalogue):
    good = catalogue.read_text()
    catalogue.write_text(good.replace("price = 0.08", "price = -1"))
    (line,) = [n for n, t in enumerate(good.splitlines(), 1) if t == "price = 0.08"]
    for path in ("/hub/home", "/hub/spend"):
        page = root.http.get(path).text
        assert "the\n  last good one is in use" in page
        assert f"compute.toml:{line}: price" in page
        assert "compute.toml" not in ana.http.get(path).text
    catalogue.write_text(good)
    assert "compute.toml" not in root.http.get("/hub/home").text


def test_whoever_opens_a_stopped_workspace_reads_why_it_ended(root, ana, bo, ledger):
    about = {"server_name": "", "kind": Kind.WORKSPACE}
    spent(ledger, "bo", EndReason.IDLE, **about)
    why = "workspace ended 1m ago: nothing had happened in it for too long."
    page = bo.http.get("/hub/user/bo/lab")
    assert page.status_code == 424
    assert page.text.index(f"Your {why}") < page.text.index("Start it</a>")
    for path in ("/hub/home", "/hub/spawn"):
        assert f"Your {why}" in bo.http.get(path).text
    assert f"bo&#39;s {why}" in root.http.get("/hub/user/bo/").text
    assert "ended" not in ana.http.get("/hub/user/bo/").text
    spent(ledger, "bo", EndReason.STOPPED, **about)
    assert "ended" not in bo.http.get("/hub/user/bo/").text


def test_what_is_no_workspace_has_no_button_that_cannot_start_it(bo, ledger):
    spent(ledger, "bo", EndReason.LIFETIME, kind=Kind.APP, server_name="app-1")
    page = bo.http.get("/hub/user/bo/app-1/").text
    assert "Your app ended 1m ago: its lifetime of 1h was over." in page
    assert "/hub/spawn" not in page.partition("<h1>")[2]


def test_a_start_over_the_budget_is_refused_in_words(root, bo, ledger):
    root.form("/hub/spend/budget", scope="user", name="bo", amount="0.05")
    page = bo.form("/hub/spawn", compute="medium", hours="1")
    end = time.monotonic() + PATIENCE_S
    while "This workspace could not be started" not in page.text and (
        "spawn-error-msg" not in page.text
    ):
        assert time.monotonic() < end, page.text
        time.sleep(0.2)
        page = bo.http.get("/hub/spawn-pending/bo")
    assert re.fullmatch(
        r"The budget of bo has \$0\.0\d left of \$0\.05 this month, and this may cost "
        r"\$0\.08: at \$0\.08 an hour at most \d\dm fits: choose that or cheaper "
        r"compute, or ask root, who set it, to raise it\.",
        said(page),
    )
    assert bo.servers().get("") is None
    assert ledger.open_lines("bo") == []
    root.form("/hub/spend/budget", scope="user", name="bo", remove="yes")


def test_the_pages_begin_anew_in_the_first_minutes_of_a_month(
    hubyard, root, ledger, month
):
    if month is None:
        pytest.skip("no C compiler: the clock cannot be set")
    eve = hubyard.person("eve", admits=root)
    root.form("/hub/spend/budget", scope="user", name="eve", amount="1")
    middle, border = month.now(), border_after(month.now())
    try:
        month.set_to(border - timedelta(minutes=10))
        spent(ledger, "eve")
        last = this_month(eve)
        page = eve.http.get("/hub/spawn").text
        month.set_to(border + timedelta(minutes=3))
        first = this_month(eve)
    finally:
        month.set_to(middle)
        root.form("/hub/spend/budget", scope="user", name="eve", remove="yes")
    hours = re.search(r'data-month-hours="([\d.]+)"', page)
    assert float(hours[1]) == pytest.approx(1 / 6, abs=0.1), "what a start reserves"
    assert (last, first) == ("$0.0003", "$0.00")


def this_month(person):
    """What somebody's home page says of the month."""
    (said,) = re.findall(r'id="hy-month">([^<]*)<', person.http.get("/hub/home").text)
    return said
