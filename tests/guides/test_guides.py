"""Every command and every cell that the guides show, in their order, in one Hubyard.

They are typed as a person would in a workspace: in the folder `flights`, with the
environment that the spawner has given to the workspace, and in its own kernel.
"""

import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

import hubyard_runtime.workspace
from support.hub import REPOSITORY
from support.pages import pages
from support.patience import PATIENCE_S
from support.running import running

pytestmark = pytest.mark.hub

ELSEWHERE = {
    "make ": ".ci/run",
    "pip install ": "tests/journeys/test_wheel.py",
    "hubyard up": "tests/journeys/test_up.py",
    "hubyard pipeline --elyra": "tests/unit/hubyard/test_elyra.py",
    "HUBYARD_HUB_CONFIG=hub.py hubyard up": "tests/unit/hubyard_hub/test_configure.py",
}
"""Commands that would change this machine or start a second Hubyard, and what proves
them instead."""

IDS = {
    "DEPLOYMENT": lambda client: client.deployments.list()[0].id,
    "RUN": lambda client: client.runs.list()[0].id,
    "SCHEDULE": lambda client: client.schedules.list()[0].id,
    "APP": lambda client: client.apps.list()[0].id,
}
"""The words that stand for an id: the newest of its kind."""

ENDING = ("It is still ending", "It is active: stop it first, and wait")
LONGEST_S = 480


@dataclass(frozen=True)
class Step:
    """One command, or one cell."""

    place: str
    text: str
    is_cell: bool = False

    def __str__(self) -> str:
        return f"{self.place} {self.text.splitlines()[0]}"


def steps():
    for page in pages():
        for block in page.blocks():
            if block.kind == "ipython":
                yield Step(f"{page.name}:{block.line}", block.text, is_cell=True)
            for line, command in block.commands():
                yield Step(f"{page.name}:{line}", command)


def is_elsewhere(step):
    return not step.is_cell and step.text.startswith(tuple(ELSEWHERE))


@pytest.fixture(scope="module")
def hubyard(tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs")
    examples = str(REPOSITORY / "examples")
    with running(folder, "--skeleton", examples) as started:
        yield started


@pytest.fixture(scope="module")
def client(hubyard):
    ana = hubyard.administrator()
    hubyard.person("ben", admits=ana)
    ana.start_workspace()
    with hubyard.client(ana) as client:
        yield client


@pytest.fixture(scope="module")
def environment(hubyard, client):
    """What the spawner has told ana's workspace."""
    (workspace,) = client.workloads()
    found = (_environ(process) for process in psutil.process_iter())
    told = next(e for e in found if e.get("HUBYARD_ENTRY") == workspace.entry_id)
    return {**told, "HUBYARD_STATE": str(hubyard.state)}


def _environ(process):
    try:
        return process.environ()
    except (psutil.Error, OSError):
        return {}


@pytest.fixture(scope="module")
def flights(hubyard, environment):
    return hubyard.settings.homes / "ana" / "flights"


@pytest.fixture(scope="module")
def kernel(environment, flights):
    """A kernel of the workspace, as its Lab would start it for `train.ipynb`."""
    specs = KernelSpecManager()
    ours = Path(hubyard_runtime.workspace.__file__).parent / "jupyter" / "kernels"
    specs.kernel_dirs.insert(0, str(ours))
    manager = KernelManager(kernel_name="python3", kernel_spec_manager=specs)
    told = {**environment, "JPY_SESSION_NAME": str(flights / "train.ipynb")}
    manager.start_kernel(env=told, cwd=str(flights))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=PATIENCE_S)
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def typed(command, environment, folder):
    """Type a command; where it shall wait for an end, again until that has come."""
    end = time.monotonic() + LONGEST_S
    while True:
        done = subprocess.run(
            ["/bin/bash", "-c", command],
            env=environment,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
            check=False,
        )
        waits = any(words in done.stderr for words in ENDING)
        if not waits or time.monotonic() > end:
            return done
        time.sleep(0.5)


def with_ids(text, client):
    words = "|".join(IDS)
    return re.sub(rf"\b({words})\b", lambda found: IDS[found[1]](client), text)


@pytest.mark.parametrize("step", [s for s in steps() if not is_elsewhere(s)], ids=str)
def test_what_the_guides_show_can_be_done(step, request, client, environment, flights):
    if step.is_cell:
        run_cell(request.getfixturevalue("kernel"), step.text)
        return
    done = typed(with_ids(step.text, client), environment, flights)
    assert done.returncode == 0, done
    if "| sh" in step.text:
        assert re.search('"(predictions|run_id)"', done.stdout), done


def run_cell(kernel, text):
    said = []
    reply = kernel.execute_interactive(
        text, allow_stdin=False, timeout=LONGEST_S, output_hook=said.append
    )
    shown = [message["content"] for message in said]
    assert reply["content"]["status"] == "ok", shown


def test_what_is_proved_elsewhere_is_few_and_there():
    left_out = [step for step in steps() if is_elsewhere(step)]
    for start, proof in ELSEWHERE.items():
        assert any(step.text.startswith(start) for step in left_out), start
        assert (REPOSITORY / proof).is_file(), proof
