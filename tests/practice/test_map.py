"""The map in the room's docstring leads to every file of it, and its modules import in one direction."""

import ast
import re
from fnmatch import fnmatch
from pathlib import Path

import rehearse.practice

ROOM = Path(rehearse.practice.__file__).parent
MODULES = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in ROOM.glob("*.py")}


def test_every_file_is_on_the_map():
    left = "".join(line[4:40] + " " for line in (rehearse.practice.__doc__ or "").splitlines() if line[:4].isspace())
    words = re.findall(r"[a-z0-9_*]+", left)
    lost = [name for name in MODULES if not any(fnmatch(name, one) or f"{name}_*" == one for one in words)]
    assert lost == ["__init__"], "write the others into the docstring of rehearse/practice/__init__.py"


def imports(tree):
    """The modules of the room that one imports, wherever in the file."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rehearse.practice"):
            rest = (node.module or "").split(".")[2:]
            found |= {rest[0]} if rest else {one.name for one in node.names}
    return found & MODULES.keys()


def test_no_two_files_import_each_other_even_in_a_round():
    graph = {name: imports(tree) for name, tree in MODULES.items()}
    while leaves := {name for name, needed in graph.items() if not needed & graph.keys()}:
        graph = {name: needed for name, needed in graph.items() if name not in leaves}
    assert graph == {}, "these stand in a circle, or behind one"
