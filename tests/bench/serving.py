"""Serving one row: an endpoint against `mlflow models serve`, in turn, in one run.

The endpoint is the real process: behind its gate, with a token, typed by its signature.
Its figures and MLflow's are requests per second of a logistic regression over thirty
features, asked over loopback by one client and by sixteen. Last line:

    serving lr1_ratio=<endpoint / MLflow> lr16_ratio=<the same with sixteen clients>
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from hubyard_spawner.local.ports import free_port
from support.endpoints import KEY, PREFIX, environment, neighbours, start_endpoint
from support.hub import end_process, wait_until_answers

ROUNDS = 3
SECONDS = 2.0
CLIENTS = (1, 16)


def save_model(folder: Path) -> bytes:
    """Train and save the model; gives the body of a request for one row."""
    import mlflow.sklearn
    from mlflow.models import infer_signature
    from sklearn.datasets import load_breast_cancer
    from sklearn.linear_model import LogisticRegression

    rows, labels = load_breast_cancer(return_X_y=True, as_frame=True)
    model = LogisticRegression(max_iter=10_000).fit(rows, labels)
    mlflow.sklearn.save_model(
        model,
        folder,
        signature=infer_signature(rows, model.predict(rows)),
        pip_requirements=["scikit-learn"],
    )
    split = json.loads(rows.head(1).to_json(orient="split", index=False))
    return json.dumps({"dataframe_split": split}).encode()


@dataclass
class Server:
    """One of the two, and what it was measured to do."""

    name: str
    port: int
    path: str
    body: bytes
    process: subprocess.Popen[bytes]
    rates: dict[int, list[float]] = field(default_factory=dict)
    p99_ms: dict[int, list[float]] = field(default_factory=dict)

    @property
    def request(self) -> bytes:
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Authorization: Bearer {KEY}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(self.body)}\r\n\r\n"
        )
        return head.encode() + self.body

    async def measure(self, clients: int) -> None:
        """Ask for some seconds, each client again as soon as it is answered."""
        loop = asyncio.get_running_loop()
        end = loop.time() + SECONDS
        asking = [_Client(self.request, end) for _ in range(clients)]
        for client in asking:
            await loop.create_connection(
                lambda client=client: client, "127.0.0.1", self.port
            )
        await asyncio.gather(*(client.ended for client in asking))
        times = sorted(time for client in asking for time in client.times)
        self.rates.setdefault(clients, []).append(len(times) / SECONDS)
        p99 = times[int(len(times) * 0.99)] * 1000
        self.p99_ms.setdefault(clients, []).append(p99)

    def median(self, clients: int) -> float:
        return statistics.median(self.rates[clients])


class _Client(asyncio.Protocol):
    def __init__(self, request: bytes, end: float) -> None:
        self._request = request
        self._end = end
        self._read = b""
        self._loop = asyncio.get_running_loop()
        self.ended = self._loop.create_future()
        self.times: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        self._asked = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, found, body = self._read.partition(b"\r\n\r\n")
        if not found:
            return
        length = head.lower().partition(b"content-length:")[2].partition(b"\r")[0]
        if len(body) < int(length):
            return
        assert head.startswith(b"HTTP/1.1 200"), self._read
        self._read = b""
        self.times.append(time.perf_counter() - self._asked)
        if self._loop.time() < self._end:
            self._ask()
        else:
            self._transport.close()
            self.ended.set_result(None)


def start_mlflow(model: Path, port: int, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "mlflow", "models", "serve"),
                *("--model-uri", str(model), "--env-manager", "local"),
                *("--host", "127.0.0.1", "--port", str(port)),
            ],
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"},
            stdout=output,
            stderr=output,
            start_new_session=True,  # it starts a server of its own
        )


def start(name: str, folder: Path, url: str, body: bytes) -> Server:
    """Start one of the two and wait until it answers."""
    port, log = free_port(), folder / f"{name}.log"
    began = time.perf_counter()
    if name == "mlflow":
        path, process = "/", start_mlflow(folder / "model", port, log)
    else:
        environ = environment(url, port, folder / "scratch")
        path, process = PREFIX, start_endpoint(environ, log)
    server = Server(name, port, f"{path}invocations", body, process)
    try:
        wait_until_answers(f"http://127.0.0.1:{port}{path}health", process)
    except AssertionError:
        stop(server)
        raise
    print(f"{name}: answers after {time.perf_counter() - began:.1f} s")
    return server


def stop(server: Server) -> None:
    if server.name == "mlflow":
        os.killpg(server.process.pid, signal.SIGTERM)
    end_process(server.process, signal.SIGTERM)


async def measure(servers: list[Server]) -> None:
    for _ in range(ROUNDS):
        for clients in CLIENTS:
            for server in servers:
                await server.measure(clients)


def report(endpoint: Server, mlflow: Server) -> None:
    print(f"cores={os.cpu_count()} load={os.getloadavg()[0]:.2f} rounds={ROUNDS}")
    for server in (endpoint, mlflow):
        for clients in CLIENTS:
            p99 = statistics.median(server.p99_ms[clients])
            rate = server.median(clients)
            print(f"{server.name}: {clients} clients {rate:.0f}/s p99 {p99:.1f} ms")
    ratios = (
        f"lr{clients}_ratio={endpoint.median(clients) / mlflow.median(clients):.1f}"
        for clients in CLIENTS
    )
    print("serving", *ratios)


def main() -> None:
    warnings.simplefilter("ignore")
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        body = save_model(folder / "model")
        (folder / "scratch").mkdir()
        with neighbours(folder / "model") as url, contextlib.ExitStack() as ends:
            servers: list[Server] = []
            for kind in ("endpoint", "mlflow"):
                servers.append(start(kind, folder, url, body))
                ends.callback(stop, servers[-1])
            asyncio.run(measure(servers))
    report(*servers)


if __name__ == "__main__":
    main()
