"""No function over sixty lines, in any room."""

import ast
import sys
from pathlib import Path

LIMIT = 60
ROOMS = ("kernels", "spawner", "hub_config", "lab_extension/hubyard_lab")

found = [
    f"{path}:{node.lineno} {node.name} has {node.end_lineno - node.lineno + 1} lines"
    for room in ROOMS
    for path in sorted(Path(room).rglob("*.py"))
    if "node_modules" not in path.parts
    for node in ast.walk(ast.parse(path.read_text()))
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    and node.end_lineno - node.lineno + 1 > LIMIT
]
sys.exit("\n".join(found) or None)
