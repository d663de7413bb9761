"""The hub's pages of money in a real browser: for everybody, on every screen."""

import json
import re

import pytest
from playwright.sync_api import expect

from browser.hub_pages import NARROW, PAGES, WIDE, furnished
from support.browser import chromium
from support.hub import REPOSITORY
from support.months import month
from support.patience import until

__all__ = ["month"]  # fixtures
pytestmark = [pytest.mark.hub, pytest.mark.browser]

AXE = REPOSITORY / "lab_extension" / "node_modules" / "axe-core" / "axe.min.js"
LOOK = """async () => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"];
  const {passes, violations} = await axe.run("main", {runOnly: tags});
  const faults = violations.flatMap(({id, nodes}) =>
    nodes.map(({html, failureSummary}) => [id, html, failureSummary]));
  return {looked: passes.length, faults};
}"""


@pytest.fixture(scope="module")
def here(tmp_path_factory, month):
    with furnished(tmp_path_factory.mktemp("pages")) as made:
        yield made


@pytest.fixture(scope="module")
def screen():
    with chromium() as opened:
        yield opened


def faults(page):
    """What axe holds against our part of a page: the rule, the HTML, what to do."""
    page.add_script_tag(path=AXE)
    found = page.evaluate(LOOK)
    assert found["looked"], "it has looked at something"
    return found["faults"]


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_in_light_and_dark(here, screen, name):
    here.open(screen, name)
    if name == "spawn":  # with its warning
        screen.locator("label[for=hy-medium]").click()
        screen.get_by_label("Stop it after").fill("72")
    for closed in screen.locator("details").all():
        closed.evaluate("each => { each.open = true; }")
    for size in (WIDE, NARROW):
        for scheme in ("light", "dark"):
            screen.set_viewport_size(size)
            screen.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            expect(screen.locator("html")).to_have_attribute("data-bs-theme", scheme)
            assert faults(screen) == [], json.dumps([size, scheme])


def test_axe_would_find_what_cannot_be_read(here, screen):
    screen.emulate_media(color_scheme="light")
    here.open(screen, "spend")
    screen.locator("main h1").evaluate("h => { h.style.color = '#eee'; }")
    assert [fault[0] for fault in faults(screen)] == ["color-contrast"]


@pytest.mark.parametrize("name", PAGES)
def test_a_telephone_shows_it_all_without_scrolling_sideways(here, screen, name):
    screen.set_viewport_size(NARROW)
    here.open(screen, name)
    widest = screen.evaluate("document.documentElement.scrollWidth")
    assert widest <= NARROW["width"]


def test_an_hour_more_by_keyboard(here, screen):
    screen.set_viewport_size(WIDE)
    here.open(screen, "home")
    row = screen.locator(".home-server-row").filter(has_text="Ends soon")
    expect(row).to_have_count(1)
    button = row.get_by_role("button", name="+1h for $0.02")
    button.focus()
    button.press("Enter")
    expect(screen.locator(".hy-left").first).to_have_text(re.compile(r"^1h\d+m$"))
    expect(screen.get_by_text("Ends soon")).to_have_count(0)


def test_what_this_machine_has_not_cannot_be_chosen_and_says_why(here, screen):
    here.open(screen, "spawn")
    card = screen.get_by_label("accelerated")
    expect(card).to_be_disabled()
    why = "needs a GPU, which single-machine Hubyard does not hand out yet"
    expect(screen.locator("label[for=hy-accelerated]")).to_contain_text(why)
    refused = here.ana.form("/hub/spawn", compute="accelerated", hours="1")
    assert refused.status_code == 400
    assert f"accelerated {why}" in refused.text


def test_retired_compute_leads_to_its_successor_and_says_so(here, screen):
    ana = here.ana
    ana.start_workspace("tiny", hours="1")
    ana.hub("DELETE", "/users/ana/server")
    until(lambda: "" not in ana.servers())
    here.open(screen, "spawn")
    expect(screen.locator("#hy-notice")).to_have_text(
        "tiny is retired: you get small. It is twice the memory."
    )
    expect(screen.get_by_label("small")).to_be_checked()
    expect(screen.get_by_text("Formerly the smallest")).to_have_count(0)
