"""The least that a workload may be: it listens, and ends as its server's name says."""

import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlparse

how = os.environ["JUPYTERHUB_SERVER_NAME"].partition("-")[2]
address = urlparse(os.environ["JUPYTERHUB_SERVICE_URL"])
kept = []


class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("X-JupyterHub-Version", "6.1.1")
        self.end_headers()
        self.wfile.write(os.environ["HUBYARD_ENTRY"].encode())

    def log_message(self, *_):
        pass


def eat():
    kept.extend(bytearray(10_000_000) for _ in range(40))


def later(act, *arguments):
    def now():
        Path(os.environ["HUBYARD_SCRATCH"], "acted").touch()
        act(*arguments)

    timer = threading.Timer(1, now)
    timer.daemon = True
    timer.start()


if how == "dies-early":
    print("no such module: colour")
    sys.exit(3)
if how == "never-listens":
    time.sleep(60)
if how == "listens-late":
    time.sleep(4)
if how == "ends-by-itself":
    later(os._exit, 0)
if how == "is-killed":
    later(os.kill, os.getpid(), signal.SIGKILL)
if how == "eats":
    later(eat)
if how == "leaves-a-daemon" and os.fork() == 0:
    os.setsid()
    time.sleep(60)
HTTPServer((address.hostname, address.port), Answers).serve_forever()
