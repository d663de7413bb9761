"""The golden path in a real Chromium: from the first sign-in to an endpoint and an app.

Walks the flights example as a newcomer would, counts what they do and times each
milestone. The last line is
`golden acts=<n> lines=<n> login_s=<s> workspace_s=<s> tracked_s=<s> registered_s=<s>
endpoint_s=<s> scheduled_s=<s> app_s=<s> total_s=<s>` in one line.

`--pictures FOLDER` keeps screenshots of what was seen on the way.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from playwright.sync_api import expect

from support.browser import chromium
from support.hub import REPOSITORY
from support.journey import Journey
from support.running import PASSWORD, Person, Running, running

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

MOST_ACTS, MOST_S = 12, 300


@dataclass
class Walk:
    """One walk of the golden path."""

    hubyard: Running
    page: Page
    journey: Journey
    pictures: Path | None = None

    def section(self, noun: str) -> Locator:
        """A section of the panel."""
        return self.page.get_by_test_id(f"hy-section-{noun}")

    def press(self, what: str, button: Locator) -> None:
        """One act: a button."""
        with self.journey.act(what):
            button.click()

    def confirm(self, what: str, name: str) -> None:
        """One act: what a dialog offers."""
        self.press(what, self.page.get_by_test_id(f"hy-{name}-confirm"))

    def picture(self, name: str) -> None:
        """Keep what is seen now."""
        if self.pictures:
            self.pictures.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=self.pictures / f"{name}.png")

    def all(self) -> None:
        """Every milestone, in its order."""
        self.sign_in()
        self.start_workspace()
        self.track()
        self.register()
        self.deploy()
        self.schedule()
        self.publish()

    # -- the milestones ----------------------------------------------------------------

    def sign_in(self) -> None:
        with self.journey.milestone("login"):
            self.page.goto(f"{self.hubyard.url}/hub/welcome#code={self.hubyard.code()}")
            self.picture("welcome")
            self.page.get_by_label("Name").fill("ana")
            self.page.get_by_label("Password").fill(PASSWORD)
            self.page.get_by_role("button", name="Start using Hubyard").click()
            expect(self.page.get_by_role("heading", level=1)).to_have_text(
                "Start a workspace"
            )

    def start_workspace(self) -> None:
        with self.journey.milestone("workspace"):
            card = self.page.locator("label[for=hy-medium]")
            self.press("pick a compute card", card)
            expect(self.page.locator("#hy-total")).to_have_text("costs at most $0.64")
            self.picture("spawn")
            self.press("Start", self.page.get_by_role("button", name="Start"))
            expect(self.page.locator(".jp-Launcher").first).to_be_visible()
        self.open_file("flights/train.ipynb")
        with self.journey.act("open the Hubyard panel"):
            self.page.keyboard.press("Control+Alt+Y")
        expect(self.section("experiments")).to_be_visible()

    def open_file(self, path: str) -> None:
        """A file, as from a link; the person's own business, and no act."""
        self.page.goto(f"{self.hubyard.url}/user/ana/lab/tree/{path}")
        tab = self.page.locator("#jp-main-dock-panel .lm-TabBar-tab.lm-mod-current")
        # What was open before is shown first, with buttons of its own.
        expect(tab).to_have_text(Path(path).name)
        notebook = self.page.locator(".jp-NotebookPanel:visible")
        expect(notebook.locator(".jp-Cell").first).to_be_visible()
        expect(self.page.get_by_text("Python 3 | Idle")).to_be_visible()

    def track(self) -> None:
        with self.journey.milestone("tracked"):
            self.press("run the notebook", self.page.get_by_text("Run", exact=True))
            self.page.get_by_text("Run All Cells", exact=True).click()
            row = self.section("experiments").get_by_test_id("hy-row").first
            expect(row).to_have_attribute("data-status", "succeeded")
        printed = self.page.locator(".jp-OutputArea pre")
        expect(printed.get_by_text("AUC on flights")).to_be_visible()

    def register(self) -> None:
        with self.journey.milestone("registered"):
            row = self.section("experiments").get_by_test_id("hy-row").first
            self.press("Register", row.get_by_test_id("hy-register"))
            self.page.get_by_test_id("hy-register-name").fill("flights")
            self.confirm("its name, confirmed", "register")
            expect(
                self.section("models").get_by_test_id("hy-row").first
            ).to_be_visible()

    def deploy(self) -> None:
        with self.journey.milestone("endpoint"):
            row = self.section("models").get_by_test_id("hy-row").first
            self.press("Deploy", row.get_by_test_id("hy-deploy"))
            expect(self.page.get_by_test_id("hy-estimate")).to_contain_text("$")
            self.picture("deploy")
            self.confirm("price and lifetime, confirmed", "deploy")
            served = self.section("deployments").get_by_test_id("hy-row").first
            expect(served).to_have_attribute("data-status", "ready")
            assert "predictions" in self.ask()

    def ask(self) -> str:
        """Run the endpoint's own curl, unchanged, as another program would."""
        ana = Person(self.hubyard.url, "ana")
        ana.sign_in()
        client = self.hubyard.client(ana)
        (deployment,) = client.deployments.list()
        curl = client.deployments.key(deployment.id).curl
        done = subprocess.run(
            ["/bin/sh", "-c", curl], capture_output=True, text=True, check=True
        )
        return done.stdout

    def schedule(self) -> None:
        with self.journey.milestone("scheduled"):
            button = self.page.locator("[data-command='hubyard:schedule']:visible")
            self.press("Schedule", button.first)
            expect(self.page.get_by_test_id("hy-per-month")).to_contain_text("$")
            self.picture("schedule")
            self.confirm("price a month, confirmed", "schedule")
            rows = self.section("pipelines").get_by_test_id("hy-row")
            expect(rows.first).to_be_visible()

    def publish(self) -> None:
        self.open_file("flights/dashboard.ipynb")
        with self.journey.milestone("app"):
            button = self.page.locator("[data-command='hubyard:publish-app']:visible")
            self.press("Publish as app", button.first)
            self.confirm("price, confirmed", "publish")
            row = self.section("apps").get_by_test_id("hy-row").first
            expect(row).to_have_attribute("data-status", "ready")
            with self.page.expect_popup() as opened:
                row.get_by_test_id("hy-open-app").click()
            app = opened.value
            expect(app.get_by_text("flights, ")).to_be_visible()
            if self.pictures:
                app.screenshot(path=self.pictures / "app.png")
            app.close()
        self.picture("lab")


def walk(folder: Path, pictures: Path | None = None) -> Journey:
    """Walk the whole path on a Hubyard of its own; returns what it took."""
    examples = REPOSITORY / "examples"
    with running(folder, "--skeleton", str(examples)) as hubyard, chromium() as page:
        path = Walk(hubyard, page, Journey(), pictures)
        try:
            path.all()
        except AssertionError:
            path.picture("failed")
            raise
        return path.journey


def broken(journey: Journey) -> list[str]:
    """What took a newcomer more than was promised."""
    took = sum(journey.seconds.values())
    promises = {
        f"{journey.acts} acts, and {MOST_ACTS} were promised": journey.acts > MOST_ACTS,
        f"{journey.lines} lines of code, and none was promised": journey.lines > 0,
        f"{took:.0f} s, and {MOST_S} s were promised": took > MOST_S,
    }
    return [says for says, is_broken in promises.items() if is_broken]


def main() -> int:
    """Walk, and print the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, help="keep screenshots here")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        journey = walk(Path(folder), arguments.pictures)
    found = broken(journey)
    for promise in found:
        print(f"broken: {promise}")
    print(journey.line())
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
