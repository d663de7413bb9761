"""Streamlit as a child: serves one file at the root of a Unix socket."""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit
import uvicorn
from streamlit import config
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner import script_runner
from streamlit.starlette import App
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, unix_connect

from hubyard_runtime.app import first
from hubyard_runtime.app.first import FirstVisit
from hubyard_runtime.gate import KEEP_ALIVE_S

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOK_S = 0.05
_GRACE_S = 1


class Exited(Exception):
    """The app's code has called `sys.exit`."""


def main(file: str, socket: str, _prefix: str) -> None:
    """Serve until SIGTERM; Streamlit's page finds its prefix by itself."""
    os.umask(0o077)
    # As `streamlit run` does: the modules beside the file can be imported.
    sys.path.insert(0, str(Path(file).parent))
    _check_syntax(file)
    visit = FirstVisit.from_environment(Path(socket))
    app = App(file, on_script_error=partial(_tell, visit))
    _see_exits()
    for option, value in OPTIONS.items():
        config.set_option(option, value)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            uds=socket,
            access_log=False,
            log_level="warning",
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=_GRACE_S,
        )
    )
    visit.begin(lambda: _look(visit), lambda: setattr(server, "should_exit", True))
    server.run()
    sys.exit(1 if visit.failure else 0)


OPTIONS = {
    "browser.gatherUsageStats": False,
    "server.fileWatcherType": "none",
    # People who look at an app are not those who make it.
    "client.toolbarMode": "viewer",
    "client.showErrorDetails": "none",
    # Its frames of colour are no text in a log.
    "logger.enableRich": False,
}


def _check_syntax(file: str) -> None:
    """End with the line that is no Python, which Streamlit shows to visitors alone."""
    try:
        compile(Path(file).read_bytes(), file, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        sys.excepthook(type(error), error, None)
        sys.exit(1)


def _tell(visit: FirstVisit, error: Exception) -> bool:
    """Show visitors a sentence; Streamlit has written the traceback into the log."""
    streamlit.error(first.SENTENCE)
    if first.is_first(streamlit.context.headers):
        visit.fail(f"{type(error).__name__}: {error}")
    return True


def _see_exits() -> None:
    """Let `sys.exit` fail a script: Streamlit's thread would end without a word."""
    runner: Any = script_runner
    run = runner.exec_func_with_error_handling

    def running(func: Callable[[], object], context: object) -> object:
        def guarded() -> object:
            try:
                return func()
            except SystemExit as error:
                said = f"the app calls sys.exit({error.code!r}); use st.stop()"
                raise Exited(said) from error

        return run(guarded, context)

    runner.exec_func_with_error_handling = running


def _look(visit: FirstVisit) -> None:
    """Open the page, and wait until the script has run once."""
    while not visit.socket.exists():
        time.sleep(_LOOK_S)
    try:
        with unix_connect(
            str(visit.socket),
            "ws://app/_stcore/stream",
            additional_headers=visit.headers,
            subprotocols=["streamlit"],  # pyright: ignore[reportArgumentType]  its own type is a `str`
            max_size=None,
        ) as page:
            _run_once(visit, page)
    except TimeoutError:
        return  # it computes for long, and that is no failure
    except (WebSocketException, OSError) as error:
        visit.fail(f"Streamlit does not answer: {error}.")


def _run_once(visit: FirstVisit, page: ClientConnection) -> None:
    question = BackMsg()
    question.rerun_script.query_string = ""
    page.send(question.SerializeToString())
    answer = ForwardMsg()
    while visit.left_s:
        answer.ParseFromString(page.recv(visit.left_s, decode=False))
        finished = answer.WhichOneof("type") == "script_finished"
        if finished and answer.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
