"""The help of every command: a list that can be read, an example, and no second name for an option."""

from collections.abc import Iterator
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
