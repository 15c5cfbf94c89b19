"""`rehearse fidelity`: how like production a sandbox is, before a rehearsal in it is believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli.answers import Json, finish, say

if TYPE_CHECKING:
    from rehearse.baseline.fidelity import Fidelity, Side
    from rehearse.baseline.model import Scope
    from rehearse.cli.desk import Desk
    from rehearse.events import OnEvent
    from rehearse.org.reader import OrgReader

_FEW = 5


def fidelity(
    sandbox: Annotated[str, typer.Argument(help="Name of the sandbox in rehearse.yaml.")],
    every: Annotated[bool, typer.Option("--all", help="Name every component, not only a few of each type.")] = False,
    as_json: Json = False,
) -> None:
    """Compare a sandbox with production.

    Metadata, installed packages, release and numbers of rows, in the scope of rehearse.yaml. Reads both orgs and keeps
    nothing of them. Numbers of rows are shown and decide nothing. Exit 3 when metadata, packages or release differ.

    Example: rehearse fidelity UATFULL
    """
    from rehearse.cli import progress
    from rehearse.cli.desk import PRODUCTION, open_desk
    from rehearse.report.fidelity import build_fidelity_body, build_fidelity_page

    with open_desk() as desk:
        name = desk.workspace.sandbox(sandbox).name
        with progress.shown() as on_event:
            production = desk.connect_org(PRODUCTION)
            found = _compare(desk, (production, desk.connect_org(name)), name, on_event)
        page = build_fidelity_page(found, name, None if every else _FEW)
        finish("fidelity", desk.fetch_now(), build_fidelity_body(found, name), page, as_json=as_json)
    if not found.alike:
        say("What differs may behave differently on the day. A refresh, or deploying what is missing, closes the gap.")
        raise typer.Exit(3)


def _compare(desk: Desk, readers: tuple[OrgReader, OrgReader], name: str, on_event: OnEvent) -> Fidelity:
    """Capture both sides, compare their components, and destroy both captures again."""
    from rehearse.baseline.compare_components import compare_components
    from rehearse.baseline.fidelity import build_fidelity
    from rehearse.cli.baseline_capture import build_scope
    from rehearse.cli.desk import PRODUCTION

    store, scope = desk.store(), build_scope(desk)
    kept: list[str] = []
    try:
        sides: list[Side] = []
        for reader, called in zip(readers, (PRODUCTION, name), strict=True):
            side = _read(desk, reader, called, scope, on_event)
            kept.append(side.capture.ulid)
            sides.append(side)
        changes = compare_components(store, sides[0].capture, sides[1].capture)
        return build_fidelity(sides[0], sides[1], changes)
    finally:
        for ulid in kept:
            store.drop(ulid)


def _read(desk: Desk, reader: OrgReader, name: str, scope: Scope, on_event: OnEvent) -> Side:
    from dataclasses import replace

    from rehearse.baseline.capture import CaptureRequest, capture
    from rehearse.baseline.fidelity import Side, count_rows
    from rehearse.baseline.scope import match_objects
    from rehearse.errors import OrgRejected
    from rehearse.events import Started

    on_event(Started(f"Reading {name}"))
    objects = match_objects(scope, reader.fetch_objects())
    taken = capture(reader, CaptureRequest(name, replace(scope, objects=())), desk.store(), on_event)

    def count(object: str) -> int | None:
        where = (scope.where or {}).get(object)
        try:
            return reader.fetch_count(f"SELECT COUNT() FROM {object}{f' WHERE {where}' if where else ''}")
        except OrgRejected:
            return None

    return Side(taken, count_rows(objects, count))
