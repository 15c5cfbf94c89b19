"""The table of facts names tests that are there, none twice in one row, and misses no row of a checklist."""

import ast
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
TABLE = tomllib.loads((HERE / "held.toml").read_text(encoding="utf-8"))
TESTS = {
    node.name
    for path in HERE.parent.rglob("test_*.py")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
}
CHECKLISTS = {"data 5.1": 12, "metadata 8": 12}
SECTIONS = {
    "sandbox": "1_1 1_2 1_3 1_4 1_5 1_6 1_8 2_1 2_2 2_3 2_4 2_5 2_6 2_7 2_8 2_9 2_10 3 4_1 4_3 5",
    "data": "1_1 1_2 1_3 1_4 1_5 1_7 1_8 1_9 2_1 2_2 2_3 2_4 2_5 2_6 3 4_row_21 5_1",
    "metadata": "1_1 1_2 1_3 1_4 1_5 2 3 3_3 3_5 3_6 4_1 4_2 4_3 6_1 6_2 8",
}


def test_every_test_that_the_table_names_is_there():
    assert {name for names in TABLE.values() for name in names} - TESTS == set()
    assert all(names and len(set(names)) == len(names) for names in TABLE.values())


def test_every_row_of_the_checklists_is_in_the_table():
    for name, rows in CHECKLISTS.items():
        for row in range(1, rows + 1):
            assert any(f"{key} ".startswith(f"{name} row {row} ") for key in TABLE), f"{name} row {row}"


def test_every_section_about_the_wire_has_tests_that_carry_its_key():
    for file, keys in SECTIONS.items():
        for key in keys.split():
            head = f"test_{file}_{key}_"
            assert any(head in f"{name}_" for name in TESTS), head
