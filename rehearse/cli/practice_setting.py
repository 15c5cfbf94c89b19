"""`rehearse practice setting list | put | clear`: what the practice org assumes where no source settles a fact.

Each setting has a default and one sentence about what it decides (docs/practice-org.md lists them). They are kept in
the practice world's own file; a running server heeds a change from its next request on. Refuses names that are no
setting and values of another kind than the default.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rehearse.cli.answers import Json, finish
from rehearse.cli.practice_world import Folder, find_home, open_world
from rehearse.errors import UsageError
from rehearse.report.view import Page, Paragraph, Rows, build_table

if TYPE_CHECKING:
    from rehearse.practice.estate import Estate

HINT = "See `rehearse practice setting list`."
app = typer.Typer(
    help="Choose what the practice org assumes. Each fact that no source settles is a setting with a default.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Name = Annotated[str, typer.Argument(help="Name of a setting.")]


@app.command("list")
def list_(
    changed: Annotated[bool, typer.Option("--changed", help="Only those that differ from their default.")] = False,
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Show every setting, its value and what it decides.

    Example: rehearse practice setting list --changed
    """
    with open_world(find_home(folder)) as estate:
        _show(estate, as_json, changed=changed)


@app.command()
def put(
    name: Name,
    value: Annotated[str, typer.Argument(help="Its value: a number, true, false, a text, or JSON for lists and maps.")],
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Give a setting another value.

    Example: rehearse practice setting put field_security false
    """
    with open_world(find_home(folder)) as estate:
        _check(estate, name)
        try:
            estate.settings.put(name, _read(value))
        except TypeError as error:
            try:
                estate.settings.put(name, value)  # a text that looks like a number
            except TypeError:
                raise UsageError(str(error), HINT) from error
        _show(estate, as_json, changed=True)


@app.command()
def clear(
    name: Annotated[str, typer.Argument(help="Name of a setting; all of them unless given.")] = "",
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Go back to the default.

    Example: rehearse practice setting clear field_security
    """
    with open_world(find_home(folder)) as estate:
        if name:
            _check(estate, name)
        for one in [name] if name else list(estate.settings):
            estate.settings.clear(one)
        _show(estate, as_json, changed=True)


def _check(estate: Estate, name: str) -> None:
    if name not in estate.settings:
        raise UsageError(f"There is no setting {name}.", HINT)


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _show(estate: Estate, as_json: bool, *, changed: bool) -> None:
    from rehearse.practice.settings import KNOBS

    now = estate.settings.load()
    shown = [knob for knob in KNOBS if not changed or now[knob.name] != knob.default]
    rows: Rows = [[knob.name, _text(now[knob.name]), _text(knob.default), knob.meaning] for knob in shown]
    table = build_table("Settings", ["setting", "value", "default", "what it decides"], rows)
    page = Page("", (table if rows else Paragraph("Every setting has its default."),))
    body = [{"name": one.name, "value": now[one.name], "default": one.default, "meaning": one.meaning} for one in shown]
    finish("practice-settings", estate.clock.now(), {"settings": body}, page, as_json=as_json)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
