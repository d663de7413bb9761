"""Trains kinds of models in a shell of a workspace; prints what came of each as JSON.

`python train.py KIND...`, in the folder of the notebook. The last line of the output
has, by kind: the tracked run, a request with its rows, the answer that is expected, and
what the cell has shown.
"""

from __future__ import annotations

import json
import math
import sys
from typing import Any

import numpy as np
import pandas as pd
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from zoo.kinds import KINDS, SETUP


def said(value: Any) -> Any:
    """A value as JSON says it, by the rules of docs/models-and-endpoints.md."""
    if isinstance(value, pd.DataFrame):
        value = value.to_dict("records")
    elif isinstance(value, pd.Series | np.ndarray):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(name): said(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [said(item) for item in value]
    return said_alone(value.item() if isinstance(value, np.generic) else value)


def said_alone(value: Any) -> Any:
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if pd.isna(value):
        return None
    return value.isoformat() if isinstance(value, pd.Timestamp) else value


def request(rows: Any) -> dict[str, Any]:
    kind = "dataframe_records" if isinstance(rows, pd.DataFrame) else "inputs"
    return {kind: said(rows)}


def trained(shell: InteractiveShell, kind: str) -> dict[str, Any]:
    for name in ("rows", "expected"):
        shell.user_ns.pop(name, None)
    with capture_output() as shown:
        shell.run_cell(KINDS[kind], store_history=True).raise_error()
    import mlflow

    names = shell.user_ns
    rows = names["rows"] if "rows" in names else names["X"][:4]
    expected = (
        names["expected"] if "expected" in names else names["model"].predict(rows)
    )
    notes = [each.data.get("text/plain", "") for each in shown.outputs]
    return {
        "run": mlflow.last_active_run().info.run_id,
        "request": request(rows),
        "expected": said(expected),
        "shown": shown.stdout + "".join(notes),
    }


def tried(shell: InteractiveShell, kind: str) -> dict[str, Any]:
    """As `trained`; one kind that fails costs no other its turn."""
    try:
        return trained(shell, kind)
    except Exception as error:  # noqa: BLE001  whatever a library raises
        return {"shown": f"{type(error).__name__}: {error}"}


def main() -> None:
    sys.path.insert(0, "")
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "hubyard")
    shell.run_cell(SETUP).raise_error()
    found = {kind: tried(shell, kind) for kind in sys.argv[1:]}
    sys.stderr.flush()
    print("\n" + json.dumps(found))


if __name__ == "__main__":
    main()
