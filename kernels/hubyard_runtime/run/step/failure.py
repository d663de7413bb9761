"""A failure: what broke, in the words that the owner is told."""

from __future__ import annotations

import errno
import re
import signal
from typing import TYPE_CHECKING

from hubyard.contract.run import FailureReason, RunFailure

if TYPE_CHECKING:
    from collections.abc import Sequence

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))")
_FULL = {errno.ENOSPC, errno.EDQUOT}
_FULL_IN_A_CELL = re.compile(rf"\[Errno ({errno.ENOSPC}|{errno.EDQUOT})\]")
_OWN_FILE = re.compile(r"\[Errno 2\].*'(?!/)[^']+'$")
"""A file that was not there, by a path that does not begin at the machine's root."""
_LINE_LIMIT = 300
_TRACEBACK_LIMIT = 32_000


class Broken(Exception):
    """The run has failed, for a reason that is known."""

    def __init__(
        self,
        reason: FailureReason,
        message: str,
        cell: int | None = None,
        traceback: str | None = None,
    ) -> None:
        super().__init__(message)
        self.failure = RunFailure(
            reason=reason,
            message=_sendable(message),
            cell=cell,
            traceback=traceback and _sendable(traceback),
        )

    @classmethod
    def of(cls, why: RunFailure) -> Broken:
        """What is known already, as it is."""
        broken = cls(why.reason, why.message)
        broken.failure = why
        return broken


class NotStarted(Broken):
    """A kernel was not there for any cell: another one may be started."""


class Stopped(Exception):
    """The run was stopped."""


def cell_error(
    place: str, cell: int, name: str, value: str, lines: Sequence[str]
) -> Broken:
    """A cell has raised.

    Args:
        place: the cell as people count it.
        cell: its index.
        name: of the exception's class.
        value: what the exception says.
        lines: the traceback, as the kernel paints it.
    """
    traceback = plain("\n".join(lines))[-_TRACEBACK_LIMIT:]
    said = plain(value).strip().partition("\n")[0][:_LINE_LIMIT]
    if name == "SystemExit":
        return Broken(
            FailureReason.CELL_EXIT,
            f"{place} ended the run with sys.exit({said}): let the notebook run to "
            "its end instead.",
            cell,
            traceback,
        )
    if name == "OSError" and _FULL_IN_A_CELL.match(said):
        return Broken(
            FailureReason.NO_SPACE,
            f"{place} found no space left on the disk: write less, or free some.",
            cell,
            traceback,
        )
    message = f"{place} failed: {name}: {said}" if said else f"{place} failed: {name}"
    return Broken(
        FailureReason.CELL_ERROR,
        message + _what_to_declare(name, said),
        cell,
        traceback,
    )


def _what_to_declare(name: str, said: str) -> str:
    """What lets a run have a file or a module that was beside the notebook."""
    if name == "FileNotFoundError" and _OWN_FILE.search(said):
        return (
            ". A run has the code of its project, and the files that `data` of its "
            "hubyard.yml names: name it there."
        )
    if name == "ModuleNotFoundError":
        return (
            ". A module of your own lies beside the notebook or below, or in the "
            "project's folder: the nearest one above with a hubyard.yml."
        )
    return ""


def display_error(place: str, cell: int) -> Broken:
    """A display has failed, and its error was cleared or is shown in a widget."""
    return Broken(
        FailureReason.CELL_ERROR,
        f"{place} failed: a result could not be displayed.",
        cell,
    )


def cell_exit(place: str, cell: int) -> Broken:
    """A cell has asked, by `exit` or `quit`, that its kernel be ended."""
    return Broken(
        FailureReason.CELL_EXIT,
        f"{place} ended the run with exit(): let the notebook run to its end instead.",
        cell,
    )


def script_exit(
    place: str, cell: int, code: int, said: str, lines: Sequence[str]
) -> Broken:
    """A script has ended itself with a code other than 0, or before its last cell.

    Args:
        place: the cell as people count it.
        cell: its index.
        code: what the process of a script would have ended with.
        said: the text that was given in the place of a code.
        lines: the traceback, as the kernel paints it.
    """
    if code == 0:
        message = (
            f"{place} ended the script: `sys.exit(0)` is a success only in the last "
            "cell."
        )
    else:
        text = plain(said).strip().partition("\n")[0][:_LINE_LIMIT]
        message = f"{place} ended the script with exit code {code}"
        message += f": {text}" if text else "."
    traceback = plain("\n".join(lines))[-_TRACEBACK_LIMIT:]
    return Broken(FailureReason.CELL_EXIT, message, cell, traceback)


def cell_timeout(
    place: str, cell: int, limit_s: float, traceback: str | None
) -> Broken:
    """A cell took longer than the run allows."""
    return Broken(
        FailureReason.CELL_TIMEOUT,
        f"{place} was ended: it took longer than {limit_s:g} s, the limit for a cell.",
        cell,
        traceback,
    )


def step_timeout(cell: int | None, limit_s: float) -> Broken:
    """The whole step took longer than its pipeline allows."""
    return Broken(
        FailureReason.STEP_TIMEOUT,
        f"It was ended: it took longer than {limit_s:g} s, the limit of this step. "
        "Raise its `timeout` in the pipeline, or do less in it.",
        cell,
    )


def no_output(names: Sequence[str]) -> Broken:
    """The step has not handed over what its pipeline says that it does."""
    listed = ", ".join(names)
    return Broken(
        FailureReason.NO_OUTPUT,
        f"It has not handed over {listed}: call "
        f'hubyard.pipelines.output("{names[0]}", ...) in it.',
    )


def too_much_output(why: str) -> Broken:
    """The step hands over more than is kept."""
    return Broken(
        FailureReason.NO_OUTPUT,
        f"It hands over too much: {why} are kept of a step. Hand over less, or write "
        "it to your own folder and hand over its path as text.",
    )


def output_not_packed(error: OSError) -> Broken:
    """What the step hands over could not be brought together."""
    if is_disk_full(error):
        return Broken(
            FailureReason.NO_SPACE,
            "No space is left on the disk for what it hands over: free some.",
        )
    return Broken(
        FailureReason.NO_OUTPUT,
        f"What it hands over could not be packed: {error.strerror or error}.",
    )


def output_refused(key: str, why: str) -> RunFailure:
    """The platform does not take what a step run hands over."""
    message = f"What it hands over is not kept: {why}"
    broken = Broken(FailureReason.NO_OUTPUT, message)
    return broken.failure.model_copy(update={"step": key})


def no_file(patterns: Sequence[str]) -> Broken:
    """The step has not left the files that its pipeline says that it does."""
    listed = ", ".join(patterns)
    return Broken(
        FailureReason.NO_OUTPUT,
        f"It has not left {listed}: write it beside the notebook, or take it out of "
        "`files`.",
    )


def bad_input(message: str) -> Broken:
    """What the step takes from others cannot be used."""
    return Broken(FailureReason.BAD_INPUT, f"What it takes cannot be used: {message}.")


def mistake(error: Exception) -> Broken:
    """Something that nobody foresaw."""
    return Broken(
        FailureReason.LOST,
        f"The run broke by a mistake of Hubyard ({type(error).__name__}): its log says "
        "more.",
    )


def process_died(code: int | None) -> Broken:
    """The process that executed a step was gone without a last word."""
    return Broken(
        FailureReason.KILLED, f"The process of the step died: {_end_of(code)}."
    )


def kernel_died(place: str, cell: int, code: int | None) -> Broken:
    """The kernel was gone while a cell ran."""
    return Broken(
        FailureReason.KERNEL_DIED,
        f"The kernel died in {place[0].lower()}{place[1:]}: {_end_of(code)}.",
        cell,
    )


def out_of_memory(place: str, cell: int, limit_bytes: int | None) -> Broken:
    """The operating system ended the kernel at the memory limit."""
    limit = f" ({limit_bytes / 2**30:.3g} GiB)" if limit_bytes else ""
    return Broken(
        FailureReason.OUT_OF_MEMORY,
        f"{place} used more memory than its compute has{limit}: choose more memory, "
        "or load less at once.",
        cell,
    )


def no_space(cell: int | None = None) -> Broken:
    """The run could not write its own files."""
    return Broken(
        FailureReason.NO_SPACE,
        "No space is left on the disk for the executed notebook: free some.",
        cell,
    )


def not_saved(error: OSError) -> Broken:
    """The executed notebook could not be written at the end."""
    if is_disk_full(error):
        return no_space()
    return Broken(
        FailureReason.LOST,
        f"The executed notebook could not be written: {error.strerror or error}.",
    )


def is_disk_full(error: BaseException | None) -> bool:
    """Whether a full disk is what an error, or what led to it, is about."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        error = error.__cause__ or error.__context__
    return False


def plain(text: str) -> str:
    """Text without the escape sequences that colour it in a terminal."""
    return _ANSI.sub("", text)


def _end_of(code: int | None) -> str:
    if code is None:
        return "nothing says how"
    if code >= 0:
        return f"it exited with code {code}"
    try:
        return f"it was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"it was ended by signal {-code}"


def _sendable(text: str) -> str:
    """Text that can be written as UTF-8: a lone surrogate becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")
