"""`rehearse practice up | down | status | connect | play | reset | clock | seed | fault | setting`."""

from __future__ import annotations

from typing import Annotated

import typer

from rehearse.cli import practice_fault, practice_org, practice_setting
from rehearse.cli.answers import Json, finish, say, tell
from rehearse.cli.practice_world import Folder, as_text, find_home, open_world, translated, world_now
from rehearse.errors import NotConfirmed, NotFound, RehearseError, UsageError
from rehearse.report.view import Page, Paragraph, Rows, build_table

app = typer.Typer(
    help="A local Salesforce to learn with. Production and five sandboxes, without a licence or a risk.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(practice_fault.app, name="fault")
app.add_typer(practice_org.app, name="org")
app.add_typer(practice_setting.app, name="setting")


@app.command()
def up(
    folder: Folder = None,
    rate: Annotated[
        int | None, typer.Option(min=0, help="Serve bulk results at so many bytes a second in all.")
    ] = None,
    https_port: Annotated[int, typer.Option(min=0, max=65_535, help="Port for HTTPS; a free one unless given.")] = 0,
    http_port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port for plain HTTP; a free one unless given.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """Start the practice org.

    The first time, its world is made, and beside its folder a rehearse.yaml for it and the example releases.

    Example: rehearse practice up
    """
    from rehearse.cli.examples import copy_plans
    from rehearse.practice import connect as access
    from rehearse.practice import control, seed

    home = find_home(folder, must_exist=False)
    with translated():
        if not (home / "estate.db").is_file():
            say("Making the practice world: one production org and five sandboxes …")
            seed.build(home, 1).close()
        status = control.up(home, https_port=https_port, http_port=http_port, rate=rate)
        written = plans = None
        if not (home.parent / access.WORKSPACE_FILE).exists():
            written, plans = access.write_workspace(home, status, home.parent), copy_plans(home.parent)
    lines = [f"The practice org answers at {status.url} (HTTPS) and {status.http_url} (plain)."]
    lines += [f"Wrote {written}." if written else f"{access.WORKSPACE_FILE} was there already and was not touched."]
    lines += [f"Wrote the example releases into {plans}."] if plans else []
    body = {"url": status.url, "http_url": status.http_url, "folder": home, "workspace": written, "plans": plans}
    page = Page("", tuple(Paragraph(line) for line in lines))
    finish("practice", world_now(home), body, page, as_json=as_json, then="rehearse sandboxes")


@app.command()
def down(folder: Folder = None, as_json: Json = False) -> None:
    """End the practice org; `up` brings it back as it was.

    Example: rehearse practice down
    """
    from rehearse.practice import control

    home = find_home(folder)
    with translated():
        ended = control.down(home)
    words = "The practice org has ended." if ended else "The practice org was not running."
    tell("practice-down", world_now(home), {"folder": home, "ended": ended}, words, as_json=as_json)


@app.command()
def status(folder: Folder = None, as_json: Json = False) -> None:
    """Show whether it runs, its clock and its sandboxes.

    Also shows how many requests production received.

    Example: rehearse practice status
    """
    from rehearse.practice import admin, control

    home = find_home(folder)
    found = control.status(home)
    with open_world(home) as estate:
        world = admin.show_world(estate)
    asked = len(control.production_requests(home))
    rows: Rows = [
        [one.name, one.licence, one.status, one.org_id or "-", as_text(one.requested), as_text(one.refresh_from)]
        for one in world.sandboxes
    ]
    state = f"running at {found.url} and {found.http_url}" if found.running else "not running"
    speed = "paused" if world.paused else f"speed {world.speed:g}"
    head = f"Practice world in {home}: {state}. Its clock says {as_text(world.now)} UTC ({speed}). "
    columns = ["sandbox", "type", "status", "org id", "requested", "refresh from"]
    table = build_table("Sandboxes", columns, rows)
    page = Page("", (Paragraph(f"{head}Production {world.production_id} received {asked} request(s)."), table))
    body = {
        "running": found.running,
        "url": found.url,
        "http_url": found.http_url,
        "folder": home,
        "clock": {"now": world.now, "paused": world.paused, "speed": world.speed},
        "production": {"org_id": world.production_id, "requests": asked},
        "sandboxes": [one.__dict__ for one in world.sandboxes],
    }
    finish("practice-status", world.now, body, page, as_json=as_json)


@app.command()
def connect(
    org: Annotated[str, typer.Option(help="The org that clients are set up for; the first sandbox unless given.")] = "",
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Print how to reach each org, from any client.

    With --org, also how each known client (sf, cci, SFDMU, jsforce, …) is set up for one of them.

    Example: rehearse practice connect --org UATFULL
    """
    from rehearse.cli.practice_access import build_access_page
    from rehearse.practice import connect as access
    from rehearse.practice import control

    home = find_home(folder)
    with translated():
        found = access.connect(home, control.status(home), org)
    finish("practice-connect", world_now(home), found.as_json(), build_access_page(found), as_json=as_json)


@app.command()
def play(
    sandbox: Annotated[str, typer.Argument(help="Name of a practice sandbox.")],
    hard: Annotated[
        bool, typer.Option("--hard", help="Also delete rows for good, so that they come back under new Ids.")
    ] = False,
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Let a team hold the rehearsal of R41 in a sandbox.

    It works from outside, as a team does, and it goes wrong.

    Example: rehearse practice play UATFULL
    """
    from rehearse.practice import control
    from rehearse.practice import play as theatre
    from rehearse.practice.play_client import PlayFailed

    home = find_home(folder)
    found = control.status(home)
    if not found.running:
        raise RehearseError(f"The practice org in {home} is not running.", "Run `rehearse practice up`.")
    with open_world(home) as estate:
        number = estate.seed
        try:
            seats = theatre.take_seats(estate, sandbox, found.url, home / "tls" / "ca.pem")
        except PlayFailed as error:
            raise NotFound(str(error), "Look at `rehearse practice status`.") from error
    heard = (lambda step: None) if as_json else (lambda step: typer.echo(f"{step.who}: {step.line}"))
    try:
        steps = theatre.play(*seats, number, hard=hard, on_step=heard)
    except PlayFailed as error:
        raise RehearseError(f"The play stopped in {sandbox}: {error}", _after_a_play(str(error))) from error
    if as_json:
        body = {"sandbox": sandbox, "steps": [one.__dict__ for one in steps]}
        finish("practice-play", world_now(home), body, Page("", ()), as_json=True)


@app.command()
def reset(
    confirm: Annotated[str, typer.Option(help="Write `practice`: everything in the practice world is made anew.")] = "",
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Put the whole practice world back to its beginning.

    It is as large as it was made. Settings and faults are forgotten; logins, certificates and ports stay.

    Example: rehearse practice reset --confirm practice
    """
    from rehearse.practice import control
    from rehearse.practice.rebuild import rebuild

    home = find_home(folder)
    if confirm != "practice":
        raise NotConfirmed(f"Everything done in {home} would be lost.", "Add --confirm practice.")
    with translated():
        ran = control.down(home)
        rebuild(home)
        if ran:
            control.up(home)
    words = "The practice world is back at its beginning."
    tell("practice-reset", world_now(home), {"folder": home, "running": ran}, words, as_json=as_json)


@app.command()
def clock(
    move: Annotated[str, typer.Option(help="Move the clock on by a duration, such as 29d or 6h.")] = "",
    to: Annotated[str, typer.Option("--set", help="Set the clock to a later instant, ISO with an offset.")] = "",
    pause: Annotated[bool, typer.Option("--pause", help="Stop the clock.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Let a stopped clock run again.")] = False,
    speed: Annotated[float, typer.Option(help="Let the clock run so many times as fast as real time.")] = 0.0,
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Show or move the clock of the practice world.

    Days of copying pass in a moment.

    Example: rehearse practice clock --move 29d
    """
    from rehearse import clock as time
    from rehearse.practice import admin

    if pause and resume:
        raise UsageError("A clock cannot be stopped and started at once.", "Give --pause or --resume.")
    with open_world(find_home(folder)) as estate:
        try:
            if move:
                admin.move_clock(estate, time.parse_span(move).amount)
            if to:
                admin.set_clock(estate, time.from_iso(to))
            if speed:
                estate.clock.run_at(speed)
        except ValueError as error:
            hint = "It moves forward only, to 2199 at the most, and up to 1000000 times as fast as real time."
            raise UsageError(f"{str(error).rstrip('.')}.", hint) from error
        if pause or resume:
            (estate.clock.pause if pause else estate.clock.resume)()
        world, following = admin.show_world(estate), admin.next_event(estate)
    body = {"now": world.now, "paused": world.paused, "speed": world.speed, "next_step": following}
    fast = "" if world.speed == 1 else f" {world.speed:g} times as fast"
    runs = "It is stopped" if world.paused else f"It runs{fast}"
    due = f" The next step of a copy is due {as_text(following)} UTC." if following else ""
    page = Page("", (Paragraph(f"The practice clock says {as_text(world.now)} UTC. {runs}.{due}"),))
    finish("practice-clock", world.now, body, page, as_json=as_json)


@app.command("seed")
def seed_(
    number: Annotated[int, typer.Option("--seed", help="The same number makes the same world.")] = 1,
    records: Annotated[int, typer.Option(min=1000, help="Roughly how many records production holds.")] = 3000,
    components: Annotated[int, typer.Option(min=0, help="Metadata components on top of the company's own.")] = 0,
    skew: Annotated[int, typer.Option(min=0, help="So many contacts belong to one account.")] = 0,
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Make a practice world, without starting it.

    Example: rehearse practice seed --records 20000 --folder big
    """
    from rehearse.practice import seed

    home = find_home(folder, must_exist=False)
    if (home / "estate.db").exists():
        raise UsageError(f"There is a practice world in {home} already.", "Choose another --folder.")
    seed.build(home, number, records, components, skew).close()
    words = f"Made a practice world in {home}. Start it with `rehearse practice up --folder {home}`."
    tell("practice-seed", world_now(home), {"folder": home, "seed": number}, words, as_json=as_json)


def _after_a_play(said: str) -> str:
    if "DUPLICATE_VALUE" not in said:
        return "Put the sandbox back, then try again."
    return (
        "Put the sandbox back. What is deleted keeps its unique values in the recycle bin for 15 days: move the clock "
        "(`rehearse practice clock`), or `rehearse practice setting put binned_rows_hold_unique_values false`."
    )
