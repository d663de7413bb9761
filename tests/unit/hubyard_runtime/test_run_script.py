"""What a script finds in its kernel, and what its own end means."""

import asyncio
from pathlib import Path

import pytest

from hubyard.contract import environment
from hubyard.contract.run import FailureReason
from hubyard_runtime.run.step import script
from support.engines import engine_of, outcome, text_shown

SCRIPT = '''"""Score {rows}."""
import argparse, asyncio, sys
from pathlib import Path

argparse.ArgumentParser(description=__doc__).parse_args()
print(Path(__file__).is_file(), Path(sys.argv[0]) == Path(__file__), sys.argv[1:])
print(__name__, __doc__, sys.path[0] == str(Path(__file__).parent))

async def main():
    await asyncio.sleep(0)
    return 7

print(asyncio.run(main()))
'''
SHOWN = "True True []\n__main__ Score {rows}. True\n7\n"
ENDS = {
    "import sys; sys.exit(0)": None,
    "sys.exit()": None,
    "sys.exit(None)": None,
    "sys.exit(False)": None,
    "raise SystemExit": None,
    "exit()": None,
    "quit(0)": None,
    "await asyncio.sleep(0); sys.exit(0)": None,
    "sys.exit(3)": "ended the script with exit code 3.",
    "sys.exit(-1)": "ended the script with exit code 255.",
    "sys.exit(True)": "ended the script with exit code 1.",
    "exit(1)": "ended the script with exit code 1.",
    "sys.exit('')": "ended the script with exit code 1.",
    "sys.exit('0')": "ended the script with exit code 1: 0",
    "sys.exit('no data\\nat all')": "ended the script with exit code 1: no data",
    "1 / 0": "failed: ZeroDivisionError: division by zero",
    "try:\n    sys.exit(0)\nexcept SystemExit:\n    1 / 0": "ZeroDivisionError",
}
"""Last cells, and what their failure says; None: the script succeeds."""


def run_of(folder, cells, **more):
    """The failure of each of these cells, each of which is the last one."""
    path = folder / "score.py"
    path.write_text(SCRIPT)

    async def run():
        told = {environment.NOTEBOOK: str(path)}
        async with engine_of(
            folder, cells, environment=told, extensions=[script]
        ) as engine:
            await engine._connect()
            failures = []
            for index in range(len(cells)):
                if not more.get("is_whole"):
                    engine._cells = [index]
                failures.append(await outcome(engine, index))
            return engine, failures

    return asyncio.run(run())


def test_a_script_finds_itself_and_its_end_is_its_exit_code(tmp_path):
    engine, (first, *ends) = run_of(tmp_path, [SCRIPT, *ENDS])
    assert first is None
    assert text_shown(engine, 0) == SHOWN
    for index, (source, expected) in enumerate(ENDS.items(), 1):
        failure = ends[index - 1]
        if expected is None:
            assert failure is None, (source, failure)
            assert not engine.nb.cells[index].outputs, source
        else:
            assert expected in failure.message, source
            is_error = "Division" in expected
            wanted = FailureReason.CELL_ERROR if is_error else FailureReason.CELL_EXIT
            assert failure.reason is wanted, source


def test_a_script_that_ends_before_its_last_cell_has_not_succeeded(tmp_path):
    cells = ["import sys; sys.exit(0)", "print(1)"]
    _, (first, _) = run_of(tmp_path, cells, is_whole=True)
    assert first.reason is FailureReason.CELL_EXIT
    assert "only in the last cell" in first.message


@pytest.mark.parametrize(
    ("code", "exit_"), [(None, 0), (True, 1), (256, 0), (0.0, 1), ("", 1), ((), 1)]
)
def test_an_exit_code_is_what_python_makes_of_it(code, exit_):
    assert script.exit_of(SystemExit(code))[0] == exit_


def test_a_script_that_is_gone_has_no_docstring(tmp_path):
    assert script._docstring(tmp_path / "gone.py") is None
    broken = Path(tmp_path, "broken.py")
    broken.write_text("def")
    assert script._docstring(broken) is None
