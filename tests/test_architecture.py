"""The map of the house: who may import whom, what only one file may hold, and how large things may grow."""

import ast
import re
from fnmatch import fnmatchcase
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import rehearse
from rehearse import errors

HOUSE = Path(rehearse.__file__).parent
FILES = sorted(path for path in HOUSE.rglob("*.py") if "migrations" not in path.parts)

LEAVES = {"errors", "events", "clock", "ids", "state", "state_copy", "lock", "journal", "documents", "secret"}
EVERYWHERE = {"errors", "events", "clock", "ids"}
ACTING = {"journal", "lock"}
MAP: dict[str, set[str]] = {
    "workspace": {"documents", "secret"},
    "release": {"documents", "workspace.calendar_file"},
    "org": set(),
    "schedule": {"org.model", "release", "state"},
    "baseline": {"org", "state", "secret"},
    "reset": {"org", "baseline", "state", *ACTING},
    "refresh": {"org", "schedule", "baseline", "state", *ACTING},
    "report": {
        "org.model",
        "schedule.model",
        "schedule.ledger",
        "schedule.ledger_outlook",
        "baseline.model",
        "baseline.fidelity",
        "baseline.store_model",
        "reset.model",
        "reset.backout_model",
        "release.model",
        "refresh.model",
    },
    "practice": set(),
}
LEAF_MAP: dict[str, set[str]] = {
    "errors": set(),
    "events": set(),
    "clock": {"errors"},
    "ids": {"errors"},
    "state": {"errors", "state_copy"},
    "state_copy": set(),
    "lock": {"errors", "clock", "ids", "state"},
    "journal": {"errors", "clock", "lock", "state"},
    "documents": {"errors"},
    "secret": {"errors"},
}


@cache
def _parsed(path: Path) -> ast.Module:
    """A file is parsed once for all the rules."""
    return ast.parse(path.read_text())


@cache
def _nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(_parsed(path)))


def _room(path: Path) -> str:
    parts = path.relative_to(HOUSE).with_suffix("").parts
    return parts[0]


@cache
def _imports(path: Path) -> set[str]:
    """Dotted names inside the package that a file imports, without the leading `rehearse.`."""
    found: set[str] = set()
    for node in _nodes(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("rehearse")}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            if node.module == "rehearse":
                found |= {f"rehearse.{alias.name}" for alias in node.names}
            elif node.module and node.module.startswith("rehearse."):
                known = HOUSE / "/".join(node.module.split(".")[1:])
                found |= {
                    f"{node.module}.{alias.name}" if (known / f"{alias.name}.py").exists() else node.module
                    for alias in node.names
                }
    return {name.removeprefix("rehearse").lstrip(".") for name in found} - {"", "__version__"}


def _allowed(room: str, name: str) -> bool:
    top = name.split(".")[0]
    if top == room:
        return True
    if room in LEAF_MAP:
        return top in LEAF_MAP[room]
    if room == "practice":
        return False
    may = MAP[room] | EVERYWHERE
    return any(name == one or name.startswith(f"{one}.") for one in may)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_imports_follow_the_map(path: Path) -> None:
    room = _room(path)
    if room in ("cli", "__init__", "__main__"):
        return
    assert room in MAP or room in LEAF_MAP, f"{room} is not on the map"
    wrong = sorted(name for name in _imports(path) if not _allowed(room, name))
    assert not wrong, f"{path.relative_to(HOUSE)} may not import {wrong}"


def test_no_files_import_each_other_in_a_circle() -> None:
    """Not inside a room either, whether at the top of a file, in a function, or for its types alone."""
    known = {".".join(path.relative_to(HOUSE).with_suffix("").parts): path for path in FILES}
    TopologicalSorter({name: _imports(path) & known.keys() for name, path in known.items()}).prepare()


def test_only_the_command_line_and_nothing_else_imports_the_practice_org() -> None:
    for path in FILES:
        if _room(path) not in ("practice", "cli"):
            assert not {name for name in _imports(path) if name.startswith("practice")}, path


@pytest.mark.parametrize(
    ("library", "holders"),
    [
        ("pendulum", {"clock.py"}),
        ("requests", {"org", "practice"}),
        ("sqlalchemy", {"state.py", "lock.py", "journal.py", "schedule", "baseline", "reset", "refresh"}),
        ("alembic", {"state.py"}),
        ("pygit2", {"baseline"}),
        ("duckdb", {"baseline"}),
        ("ortools", {"schedule"}),
        ("starlette", {"practice"}),
        ("typer", {"cli"}),
    ],
)
def test_a_library_stays_in_its_room(library: str, holders: set[str]) -> None:
    for path in FILES:
        names = {
            (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
            for node in _nodes(path)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        if any(name == library or name.startswith(f"{library}.") for name in names):
            relative = path.relative_to(HOUSE)
            assert relative.parts[0] in holders, f"{relative} imports {library}"


def test_only_the_reset_room_and_the_desk_hold_a_writer() -> None:
    for path in FILES:
        if "OrgWriter" in path.read_text():
            relative = str(path.relative_to(HOUSE))
            assert relative.startswith(("org/", "reset/apply", "reset/drill", "cli/desk", "cli/reset")), relative


def test_only_refresh_act_holds_the_control_of_production() -> None:
    for path in FILES:
        relative = str(path.relative_to(HOUSE))
        names = {
            name.id if isinstance(name, ast.Name) else name.name
            for name in _nodes(path)
            if isinstance(name, ast.Name | ast.alias)
        }
        if names & {"ProductionControl", "connect_control", "SandboxLifecycle"}:
            assert relative.startswith("org/") or relative == "refresh/act.py", relative


def test_no_room_prints_and_no_folder_is_nested() -> None:
    for path in FILES:
        relative = path.relative_to(HOUSE)
        assert len(relative.parts) <= 2, f"{relative} is nested too deep"
        if relative.parts[0] in ("cli", "practice"):
            continue
        calls = [node for node in _nodes(path) if isinstance(node, ast.Call)]
        assert not [one for one in calls if isinstance(one.func, ast.Name) and one.func.id == "print"], relative


def test_what_an_org_gave_lies_in_no_temporary_file_with_a_name() -> None:
    """After a kill it would lie there in clear text: a file without a name, or one in the store's scratch."""
    named = {"TemporaryDirectory", "NamedTemporaryFile", "mkdtemp", "mkstemp"}
    allowed = {"baseline/writing.py", "baseline/digest_join.py", "cli/demo.py", "cli/output.py"}
    for path in FILES:
        relative = path.relative_to(HOUSE).as_posix()
        if relative not in allowed and not relative.startswith("practice/"):
            used = {one.attr for one in _nodes(path) if isinstance(one, ast.Attribute)}
            assert not used & named, f"{relative}: use nameless_file"


def test_files_and_functions_stay_small() -> None:
    large: list[str] = []
    for path in FILES:
        text = path.read_text()
        if text.count("\n") > 300:
            large.append(f"{path.relative_to(HOUSE)}: {text.count(chr(10))} lines")
        for node in _nodes(path):
            if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno + 1 > 40:
                large.append(f"{path.relative_to(HOUSE)}:{node.lineno} {node.name}")
    assert not large


def _tree(one: type[errors.RehearseError]) -> list[type[errors.RehearseError]]:
    return [one, *(deeper for child in one.__subclasses__() for deeper in _tree(child))]


def test_the_error_tree_is_drawn_in_its_docstring_with_its_exit_codes() -> None:
    drawn = errors.__doc__ or ""
    for one in _tree(errors.RehearseError):
        assert one.__name__ in drawn
    codes = {one.__name__: one.exit_code for one in _tree(errors.RehearseError)}
    assert codes["DocumentError"] == 2 and codes["StoppedPartWay"] == codes["AllowanceSpent"] == 4
    assert codes["NotASandbox"] == codes["StalePlan"] == codes["GenerationChanged"] == 5
    assert codes["AmbiguousId"] == 10 and codes["Locked"] == 11
    assert codes["KeyUnavailable"] == codes["SessionExpired"] == 12
    assert codes["Damaged"] == codes["OrgRejected"] == 1
    assert set(codes.values()) == {1, 2, 4, 5, 10, 11, 12, 130}


def test_every_file_says_what_it_is_for() -> None:
    for path in FILES:
        if path.name != "__init__.py":
            assert ast.get_docstring(_parsed(path)), path


@pytest.mark.parametrize("room", ["baseline", "org", "reset", "schedule"])
def test_the_map_of_a_large_room_leads_to_every_file(room: str) -> None:
    page = ast.get_docstring(ast.parse((HOUSE / room / "__init__.py").read_text(encoding="utf-8"))) or ""
    left = " ".join(line[4:40] for line in page.splitlines() if line.startswith("    "))
    globs = re.findall(r"[a-z0-9_*]+", left)
    names = sorted(path.stem for path in (HOUSE / room).glob("*.py") if path.stem != "__init__")
    lost = [name for name in names if not any(fnmatchcase(name, one) for one in globs)]
    assert not lost, f"write these into the docstring of rehearse/{room}/__init__.py"
    away = [one for one in globs if not any(fnmatchcase(name, one) for name in names)]
    assert not away, "these stand on the map and are no files"
