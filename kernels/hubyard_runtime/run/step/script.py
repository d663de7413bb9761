"""A script in a kernel: what its code finds is what `python FILE` would show it.

An IPython extension, which the engine loads into the kernel of a script: `__file__`,
`__doc__`, `sys.argv` and `sys.path` are the script's own, `exit` ends it, and
`asyncio.run` works although the kernel's loop runs. The reply to a cell that has ended
the script by SystemExit says its exit code, as Python would have it.
"""

from __future__ import annotations

import ast
import asyncio
import contextvars
import os
import sys
import threading
import warnings
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from hubyard.contract import environment

if TYPE_CHECKING:
    from collections.abc import Callable

"""The variable that names the script."""
EXIT = "hubyard_exit"
"""The source of a payload that holds a `code`, and a `text` where one was given."""


def load_ipython_extension(shell: Any) -> None:  # noqa: ANN401  a shell in a kernel
    """Called by IPython when the kernel starts."""
    path = Path(os.environ[environment.NOTEBOOK])
    sys.argv = [str(path)]
    sys.path.insert(0, str(path.parent))
    shell.user_ns.update(
        __file__=str(path), __doc__=_docstring(path), exit=_exit, quit=_exit
    )
    asyncio.run = asyncio.runners.run = _beside_the_loop(asyncio.run)
    warnings.filterwarnings("ignore", message="To exit: use")
    shell.events.register("post_run_cell", lambda result: _tell_exit(shell, result))


def exit_of(error: SystemExit) -> tuple[int, str]:
    """Exit code and text, as Python's own end has them.

    https://docs.python.org/3/library/exceptions.html#SystemExit
    """
    match error.code:
        case None:
            return 0, ""
        case int(code):
            return code & 0xFF, ""
        case said:
            return 1, str(said)


def _tell_exit(shell: Any, result: Any) -> None:  # noqa: ANN401  IPython's own
    error = getattr(result, "error_in_exec", None)
    if isinstance(error, SystemExit):
        code, text = exit_of(error)
        told = {"source": EXIT, "code": code, "text": text}
        shell.payload_manager.write_payload(told)


def _exit(code: object = None) -> NoReturn:
    raise SystemExit(code)


def _docstring(path: Path) -> str | None:
    with suppress(SyntaxError, ValueError, OSError):
        return ast.get_docstring(ast.parse(path.read_bytes()), clean=False)
    return None


def _beside_the_loop(run: Callable[..., Any]) -> Callable[..., Any]:
    """`asyncio.run` in a thread of its own, which has no loop yet."""

    def run_beside(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401  as asyncio's
        outcome: Future[Any] = Future()
        context = contextvars.copy_context()

        def work() -> None:
            try:
                outcome.set_result(context.run(run, *arguments, **named))
            except BaseException as error:  # noqa: BLE001  it goes to who has called
                outcome.set_exception(error)

        threading.Thread(target=work, daemon=True).start()
        return outcome.result()

    return run_beside
