"""The table of facts and tests names tests that are there, and none twice in one row."""

import ast
import tomllib
from pathlib import Path

HERE = Path(__file__).parent


def test_every_test_that_the_table_names_is_there():
    defined = {
        node.name
        for path in HERE.parent.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
    table = tomllib.loads((HERE / "held.toml").read_text(encoding="utf-8"))
    assert {name for names in table.values() for name in names} - defined == set()
    assert all(names and len(set(names)) == len(names) for names in table.values())
