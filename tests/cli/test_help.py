"""The help of every command: a list that can be read, an example, and no second name for an option."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from rehearse.cli import verbs
from rehearse.cli.app import app


def _commands() -> Iterator[tuple[str, Any]]:
    verbs.register(app)
    waiting: list[tuple[str, Any]] = [("rehearse", typer.main.get_command(app))]
    while waiting:
        path, command = waiting.pop(0)
        yield path, command
        waiting += [(f"{path} {name}", one) for name, one in getattr(command, "commands", {}).items()]


COMMANDS = dict(_commands())
VERBS = {path: one for path, one in COMMANDS.items() if not hasattr(one, "commands")}


@pytest.mark.parametrize("path", COMMANDS)
def test_the_line_in_the_list_of_commands_is_whole(path: str) -> None:
    short = COMMANDS[path].get_short_help_str(200)
    assert short.endswith(".") and len(short) < 60, short


@pytest.mark.parametrize("path", VERBS)
def test_every_verb_has_an_example_of_itself(path: str) -> None:
    assert f"Example: {path}" in (VERBS[path].help or "")


@pytest.mark.parametrize("path", VERBS)
def test_an_option_says_what_it_does_and_has_no_opposite(path: str) -> None:
    for one in VERBS[path].params:
        assert getattr(one, "help", None), f"{path} {one.name}"
        assert not getattr(one, "secondary_opts", []), f"{path} {one.secondary_opts}"


WRITES = (
    "init", "plan", "book add", "book cancel", "book drop", "baseline capture", "baseline prune", "baseline export",
    "baseline repair", "reset plan", "reset apply", "reset prove",
)  # fmt: skip


@pytest.mark.parametrize("verb", WRITES)
def test_every_verb_that_writes_can_be_tried_first(verb: str) -> None:
    assert any("--dry-run" in one.opts for one in VERBS[f"rehearse {verb}"].params)


@pytest.mark.parametrize("path", VERBS)
def test_every_verb_answers_scripts(path: str) -> None:
    assert any("--json" in one.opts for one in VERBS[path].params)


HOUSE = Path(__file__).parents[2]
SAID = re.compile(r"(?:`|: |\(|^ {0,4}\$? ?)rehearse ([a-z][^`\"\n]*)", re.M)


def test_every_command_that_is_suggested_anywhere_exists_with_its_options() -> None:
    wrong = []
    for file in (*(HOUSE / "rehearse").rglob("*.py"), *(HOUSE / "docs").glob("*.md"), HOUSE / "README.md"):
        for said in SAID.finditer(file.read_text(encoding="utf-8")):
            words = re.split(r"  |[|;]\s", said[1])[0].split()
            path = "rehearse"
            while words and f"{path} {words[0]}" in COMMANDS:
                path += f" {words.pop(0)}"
            known = {name for one in COMMANDS[path].params for name in one.opts} | {"--help"}
            given = re.findall(r"(?<![\w-])--[a-z][a-z-]*", " ".join(words)) if path in VERBS else []
            if (path == "rehearse" and said[0][0] == "`") or set(given) - known:
                wrong.append(f"{file.name}: {said[0]}")
    assert not wrong
