"""The zoo: many kinds of models, trained, registered, deployed and asked over HTTP.

`python tests/zoo/visit.py [KIND ...] [--few]`: an ordinary user of a real hub trains
each kind in a shell of a workspace, MLflow behind its gate. The platform registers and
deploys it; the endpoint's real process fetches the model and is asked behind its own
gate: with the model's rows, and with twenty bad bodies. The last line has the figures;
the exit code is 0 where none is missed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from hubyard.contract.deployment import DeploymentRequest
from hubyard.contract.errors import HubyardError
from hubyard.contract.identity import Identity
from hubyard.contract.tracking import RegisterRequest
from hubyard_spawner.local.ports import free_port
from support.endpoints import KEY, PREFIX, environment, neighbours, start_endpoint
from support.hub import end_process, wait_until_answers
from support.models_place import models_place
from support.patience import PATIENCE_S
from zoo.bodies import COUNT, bodies
from zoo.kinds import FEW, KINDS, OWN_FILES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from support.models_place import Place

LEAST_MODELS = 25
_AT_ONCE = 2
_ADA = Identity(name="ada")
_CLOSE = {"rel_tol": 1e-5, "abs_tol": 1e-9}
_SHOWN = 400


@dataclass
class Seen:
    """What came of one kind."""

    kind: str
    equal: bool = False
    bad: int = 0
    server_errors: int = 0
    clear: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def is_right(self) -> bool:
        well = self.equal and not self.server_errors
        return well and self.bad == self.clear == COUNT


def train(place: Place, folder: Path, kinds: Sequence[str]) -> dict[str, Any]:
    """What `train` printed, by kind; in one shell, as in one notebook."""
    for name, text in OWN_FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (folder / "zoo.ipynb").write_text('{"cells": []}')
    environ = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "PYTHONWARNINGS": "ignore",
        "MLFLOW_TRACKING_URI": place.parts.settings.mlflow_url,
        "MLFLOW_TRACKING_TOKEN": place.ada,
        "HUBYARD_ENTRY": "entry-of-the-zoo",
        "HUBYARD_NOTEBOOK": str(folder / "zoo.ipynb"),
        "JUPYTERHUB_USER": "ada",
        "HOME": str(folder),
    }
    command = [sys.executable, str(Path(__file__).with_name("train.py")), *kinds]
    done = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"The training failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def deploy(place: Place, kind: str, run: str, folder: Path) -> Path:
    """Register and deploy a tracked run's model; the folder that the endpoint gets."""
    if not run:
        raise RuntimeError("its cell failed")
    name = f"zoo-{kind}"
    place.models.register(place.ada, RegisterRequest(run_id=run, name=name))
    wish = DeploymentRequest(model=name, version="1", name=name)
    made = place.deployments.create(_ADA, place.ada, wish)
    model = folder / "model"
    with tarfile.open(place.deployments.source("ada", made.id)) as packed:
        packed.extractall(model, filter="data")
    return model


@contextlib.contextmanager
def endpoint(model: Path, folder: Path) -> Iterator[httpx.Client]:
    """The real process, asked with its key."""
    port, log = free_port(), folder / "log"
    with neighbours(model) as url:
        process = start_endpoint(environment(url, port, folder), log)
        address = f"http://127.0.0.1:{port}{PREFIX}"
        try:
            wait_until_answers(f"{address}health", process)
            headers = {"Authorization": f"Bearer {KEY}"}
            with httpx.Client(
                base_url=address, headers=headers, timeout=PATIENCE_S
            ) as http:
                yield http
        except AssertionError:
            raise RuntimeError(log.read_text()[-_SHOWN:]) from None
        finally:
            end_process(process, signal.SIGTERM)


def look(place: Place, kind: str, trained: dict[str, Any], folder: Path) -> Seen:
    """Take one kind all the way."""
    seen = Seen(kind)
    folder.mkdir()
    try:
        model = deploy(place, kind, trained.get("run", ""), folder)
        with endpoint(model, folder) as http:
            ask_own_rows(http, trained, seen)
            ask_bad_bodies(http, trained["request"], seen)
    except (HubyardError, RuntimeError, httpx.HTTPError) as error:
        seen.faults.append(f"{type(error).__name__}: {error}; {trained.get('shown')}")
    print(f"{'ok' if seen.is_right else 'WRONG':5} {kind}", flush=True)
    for fault in seen.faults:
        print(f"      {fault[: 2 * _SHOWN]}", flush=True)
    return seen


def ask_own_rows(http: httpx.Client, trained: dict[str, Any], seen: Seen) -> None:
    """Whether the answer is what the model said where it was trained."""
    answer = http.post("invocations", json=trained["request"])
    seen.server_errors += answer.is_server_error
    said = answer.json().get("predictions") if answer.is_success else None
    seen.equal = answer.is_success and alike(said, trained["expected"])
    if not seen.equal:
        wanted = json.dumps(trained["expected"])[:_SHOWN]
        seen.faults.append(f"own rows: {answer.text[:_SHOWN]}; expected {wanted}")


def ask_bad_bodies(http: httpx.Client, good: dict[str, Any], seen: Seen) -> None:
    """How many of twenty bad bodies are refused clearly."""
    for bad in bodies(good):
        answer = http.post("invocations", content=bad.content, headers=bad.headers)
        seen.bad += 1
        seen.server_errors += answer.is_server_error
        if bad.is_clear(answer.status_code, answer.content):
            seen.clear += 1
        else:
            told = f"{answer.status_code} {answer.text[:_SHOWN]}"
            seen.faults.append(f"{bad.what}: {told}; to be named: {bad.names}")


def alike(one: Any, other: Any) -> bool:
    """Whether two answers are the same but for the last bits of their numbers."""
    match one, other:
        case list(), list():
            return len(one) == len(other) and all(map(alike, one, other))
        case dict(), dict():
            same = one.keys() == other.keys()
            return same and all(alike(one[name], other[name]) for name in one)
        case bool(), _:
            return one is other
        case int() | float(), int() | float():
            return math.isclose(one, other, **_CLOSE)
        case _:
            return one == other


def run(kinds: Sequence[str], folder: Path) -> list[Seen]:
    notebook = folder / "notebook"
    notebook.mkdir()
    with models_place(folder) as place, ThreadPoolExecutor(_AT_ONCE) as pool:
        trained = train(place, notebook, kinds)
        work = [
            pool.submit(look, place, kind, trained[kind], folder / kind)
            for kind in kinds
        ]
        return [each.result() for each in work]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", choices=[[], *KINDS])
    parser.add_argument("--few", action="store_true", help="a small part of them")
    options = parser.parse_args()
    kinds = options.kinds or (FEW if options.few else tuple(KINDS))
    with tempfile.TemporaryDirectory() as folder:
        seen = run(kinds, Path(folder))
    bad, clear = sum(s.bad for s in seen), sum(s.clear for s in seen)
    equal, errors = sum(s.equal for s in seen), sum(s.server_errors for s in seen)
    print(
        f"zoo models={len(seen)} served_equal={equal} bad_bodies={bad} "
        f"server_errors={errors} clear={clear}"
    )
    is_whole = bool(options.kinds or options.few) or len(seen) >= LEAST_MODELS
    return 0 if is_whole and all(each.is_right for each in seen) else 1


if __name__ == "__main__":
    sys.exit(main())
