"""The hub's pages of money, with a month on them that somebody could have had.

The month is written into the ledger as the hub itself does it; what runs there, runs.
The last line is `pages=<n> pictures=<n>`.

`--pictures FOLDER` keeps a screenshot of each page: `spawn`, `home`, `offboard`,
`spend`. `--all` keeps them narrow and dark as well, as `home-narrow-dark` and so on.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from playwright.sync_api import expect

from hubyard.contract.base import now
from hubyard.contract.entry import EndReason, Entry, Settlement
from hubyard.contract.money import MICROS
from hubyard.contract.workload import Kind, Limits, new_id
from hubyard_hub.money.ledger import Ledger
from hubyard_hub.store import Store
from support.browser import chromium, sign_in
from support.furnish import deploy, publish_app, start_run
from support.months import NOON
from support.running import Person, Running, running
from support.wall_clock import go_by_our_own

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from playwright.sync_api import Page

CATALOGUE = """
currency = "USD"
[[compute]]
name = "small"
description = "Exploring, small models, apps"
cpu = 1
memory = "2 GiB"
price = 0.02
default_lifetime = "8h"
longest_lifetime = "7d"
[[compute]]
name = "medium"
description = "Training on a few gigabytes"
cpu = 2
memory = "6 GiB"
price = 0.08
default_lifetime = "8h"
longest_lifetime = "3d"
[[compute]]
name = "accelerated"
description = "Deep learning"
cpu = 2
memory = "8 GiB"
gpu = 1
price = 1.20
default_lifetime = "2h"
longest_lifetime = "1d"
[[compute]]
name = "tiny"
description = "Formerly the smallest"
cpu = 1
memory = "1 GiB"
price = 0.01
default_lifetime = "8h"
longest_lifetime = "7d"
successor = "small"
message = "It is twice the memory."
"""
PRICES = {"small": 20_000, "medium": 80_000}
WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 375, "height": 800}
PAGES = {
    "spawn": ("ana", "/hub/spawn"),
    "home": ("bo", "/hub/home"),
    "offboard": ("root", "/hub/offboard/bo"),
    "spend": ("root", "/hub/spend?of=everybody"),
}


@dataclass(frozen=True)
class Lines:
    """Writes lines of the ledger."""

    ledger: Ledger

    def ended(
        self,
        owner: str,
        kind: Kind,
        compute: str,
        started_at: datetime,
        hours: float,
        reason: EndReason = EndReason.EXITED,
        **about: str,
    ) -> None:
        """A workload that has ended."""
        entry = self._open(owner, kind, compute, started_at, hours, about)
        self.ledger.settle(
            Settlement(
                entry_id=entry.id,
                ended_at=started_at + timedelta(hours=hours),
                exact=True,
                reason=reason,
            )
        )

    def _open(
        self,
        owner: str,
        kind: Kind,
        compute: str,
        started_at: datetime,
        hours: float,
        about: dict[str, str],
    ) -> Entry:
        name = about.get("name", "")
        entry = Entry(
            id=new_id(),
            owner=owner,
            server_name=f"{kind}-{name}" if name else "",
            kind=kind,
            compute=compute,
            price_micros=PRICES[compute],
            currency="USD",
            lifetime_s=round(hours * 3600),
            limits=Limits.SOFT,
            started_at=started_at,
            **about,
        )
        self.ledger.open(entry)
        return entry


def a_month(lines: Lines) -> None:
    """What ana and bo have done since the first."""
    today = now().replace(hour=0, minute=0, second=0, microsecond=0)
    for day in range(1, today.day):
        at = today.replace(day=day) + timedelta(hours=9)
        if at.weekday() < 5:
            hours = 4 + day * 7 % 5
            lines.ended("ana", Kind.WORKSPACE, "medium", at, hours, EndReason.IDLE)
            lines.ended("bo", Kind.WORKSPACE, "small", at, hours - 2)
        lines.ended(
            *("ana", Kind.RUN, "medium", at - timedelta(hours=6), 0.4 + day % 3 / 5),
            name="flights-retraining",
            project="flights",
        )
        lines.ended(
            *("bo", Kind.APP, "small", at, 11),
            name="delays",
            project="flights",
        )
    yesterday = now() - timedelta(hours=14)
    lines.ended(
        *("ana", Kind.WORKSPACE, "medium", yesterday, 8),
        reason=EndReason.LIFETIME,
    )


def what_runs(hubyard: Running, bo: Person, *, everything: bool) -> None:
    """What bo has at work: a workspace that ends soon, and more."""
    bo.start_workspace("small", hours="0.24")
    client = hubyard.client(bo)
    start_run(client, "flights-retraining", ["import time; time.sleep(3600)"])
    if everything:
        deploy(hubyard, bo, "flights")
        publish_app(client, "delays")


def set_budgets(hubyard: Running, root: Person) -> None:
    """Leave everybody a little to spend, on whatever day of the month this is."""
    spend = hubyard.client(root).everybodys_spend()
    spent = {part.name: part.cost.micros / MICROS for part in spend.by_owner}
    spent |= {part.name: part.cost.micros / MICROS for part in spend.by_project}
    for scope, name, left, stop in (
        ("user", "ana", 2, "hard"),
        ("user", "bo", 4, "hard"),
        ("project", "flights", 1, "soft"),
    ):
        amount = f"{spent.get(name, 0) + left:.2f}"
        request = {"scope": scope, "name": name, "amount": amount, "stop": stop}
        if scope == "project":
            request["group"] = "analysts"
        answer = root.form("/hub/spend/budget", **request)
        assert answer.status_code == 200, answer.text


@dataclass(frozen=True)
class Furnished:
    """A Hubyard with that month on its pages."""

    hubyard: Running
    root: Person
    ana: Person
    bo: Person

    def open(self, page: Page, name: str) -> None:
        """Sign in whoever has something on a page, and go there."""
        who, path = PAGES[name]
        page.context.clear_cookies()
        sign_in(page, self.hubyard.url, who)
        page.goto(f"{self.hubyard.url}{path}")
        expect(page.locator("main")).to_be_visible()


@contextlib.contextmanager
def furnished(folder: Path, *, everything: bool = False) -> Iterator[Furnished]:
    """Start it, with ana, bo and the administrator root.

    Ana's workspace has ended, bo's runs; beside it one thing or all there is.
    """
    catalogue = folder / "compute.toml"
    catalogue.write_text(CATALOGUE)
    with running(folder, "--catalogue", str(catalogue)) as hubyard:
        root = hubyard.administrator("root")
        ana = hubyard.person("ana", admits=root)
        bo = hubyard.person("bo", admits=root)
        store = Store(hubyard.settings.database_url)
        a_month(Lines(Ledger(store)))
        store.close()
        what_runs(hubyard, bo, everything=everything)
        set_budgets(hubyard, root)
        yield Furnished(hubyard, root, ana, bo)


def take_pictures(folder: Path, here: Furnished, *, every: bool) -> int:
    """Take a picture of each page; returns how many."""
    looks = [("", WIDE, "light")]
    if every:
        looks += [("-narrow", NARROW, "light"), ("-dark", WIDE, "dark")]
        looks += [("-narrow-dark", NARROW, "dark")]
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as page:
        for name in PAGES:
            here.open(page, name)
            for suffix, size, scheme in looks:
                page.set_viewport_size(size)
                page.emulate_media(color_scheme=scheme)
                picture = folder / f"{name}{suffix}.png"
                page.screenshot(path=picture, full_page=True, animations="disabled")
    return len(PAGES) * len(looks)


def main() -> int:
    """Take the pictures of a month's middle, and print the last line."""
    go_by_our_own(NOON)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, required=True, help="where to")
    parser.add_argument("--all", action="store_true", help="narrow and dark as well")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        furnished(Path(folder), everything=True) as here,
    ):
        taken = take_pictures(arguments.pictures, here, every=arguments.all)
    print(f"pages={len(PAGES)} pictures={taken}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
