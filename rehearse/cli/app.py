"""The command line: the Typer app, and the one error boundary that turns the error tree into words and exit codes.

Data goes to stdout, words to stderr. With `--json` an error is one JSON object on stdout. Anything outside the tree of
`rehearse.errors` is a bug and keeps its traceback.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from rehearse.errors import RehearseError

app = typer.Typer(
    name="rehearse",
    help="Plan release rehearsals into Salesforce sandboxes, put the sandbox back, and prove it.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        from rehearse import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; the only place where an error of the tree ends the process."""
    from rehearse.cli import verbs

    verbs.register(app)
    try:
        app(prog_name="rehearse")
    except RehearseError as error:
        _show(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        typer.echo("Interrupted. Run the same command again to continue.", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)


def _show(error: RehearseError) -> None:
    if "--json" in sys.argv:
        import json

        from rehearse import clock

        body = {"code": error.code, "message": error.message, "hint": error.hint, "exit": error.exit_code}
        typer.echo(json.dumps({"schema": "rehearse.error/1", "at": clock.iso(clock.now()), **body}))
        return
    typer.echo(f"error: {error.message}", err=True)
    if error.hint:
        typer.echo(f"hint: {error.hint}", err=True)
