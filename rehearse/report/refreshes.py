"""A refresh on its way, as pages and as data: what it would take, how far it is, and what is left to do after it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rehearse import clock
from rehearse.refresh.model import Answer, Losses, LostComponent, Obstacle, Progress, ReadyItem
from rehearse.report.schedule import build_booking_body, build_bookings_table
from rehearse.report.view import Cell, Paragraph, Rows, Table, Tone, build_table

_SHOWN = 25


def build_answer_body(answer: Answer) -> dict[str, Any]:
    """What a request would meet, as data."""
    return {
        "refreshable": answer.refreshable,
        "possible_from": answer.possible_from,
        "certain_from": answer.certain_from,
        "reasons": list(answer.reasons),
        "bookings": [build_booking_body(one) for one in answer.bookings],
    }


def build_answer_blocks(name: str, answer: Answer, zone: ZoneInfo) -> list[Paragraph | Table]:
    """What a request would meet, for people."""
    words: dict[str, tuple[str, Tone]] = {
        "yes": (f"{name} may be refreshed now.", "good"),
        "maybe": (f"{name} may or may not be refreshed now: only a request would tell.", "warn"),
        "no": (f"{name} cannot be refreshed now: a request would be refused.", "bad"),
    }
    blocks: list[Paragraph | Table] = [Paragraph(*words[answer.refreshable])]
    blocks += [Paragraph(f"  - {clock.show_within(one, zone)}") for one in answer.reasons]
    if answer.refreshable != "yes" and answer.possible_from:
        certain = f", certain from {clock.show(answer.certain_from, zone)}" if answer.certain_from else ""
        blocks.append(Paragraph(f"Possible from {clock.show(answer.possible_from, zone)}{certain}."))
    if answer.bookings:
        blocks.append(
            build_bookings_table(
                "Booked there: it would take the sandbox from them, or put another org under them",
                answer.bookings,
                zone,
            )
        )
    return blocks


def build_losses_body(losses: Losses | None) -> dict[str, Any] | None:
    """What a refresh would take, as data; null where the sandbox was not asked."""
    if losses is None:
        return None
    return {
        "since": losses.since,
        "setup": [one.__dict__ for one in losses.setup],
        "records": [
            {"who": one.who, "object": one.where, "count": one.count, "last": one.last} for one in losses.records
        ],
        "components": [one.__dict__ for one in losses.components],
        "keepsakes": [one.__dict__ for one in losses.keepsakes],
        "not_asked": list(losses.not_asked),
    }


def build_losses_blocks(losses: Losses, zone: ZoneInfo) -> list[Paragraph | Table]:
    """What a refresh would take, for people: who worked here, what differs from production, what never comes back."""
    if losses.is_empty and not losses.keepsakes:
        blocks: list[Paragraph | Table] = [
            Paragraph(f"Nobody changed anything here since {clock.show(losses.since, zone)} that we can see.", "good")
        ]
    else:
        blocks = [Paragraph(f"What the refresh would take, since {clock.show(losses.since, zone)}:", "warn")]
    touches = [*losses.setup, *losses.records]
    if touches:
        rows: Rows = [
            [one.who, one.where, str(one.count), clock.show(one.last, zone), one.example] for one in touches[:_SHOWN]
        ]
        columns = ["who", "where", "changes", "last", "such as"]
        blocks += [build_table("Set-up and records that somebody changed", columns, rows, right=(2,)), *_more(touches)]
    if losses.components:
        blocks += _build_components(losses.components, zone)
    if losses.keepsakes:
        rows = [[one.item, _owner(one.owner), one.why] for one in losses.keepsakes[:_SHOWN]]
        title = "What no tool can bring back (goes on the ready list)"
        blocks += [build_table(title, ["what", "owner", "why"], rows), *_more(losses.keepsakes)]
    if losses.not_asked:
        blocks.append(Paragraph(f"Not asked: {'; '.join(losses.not_asked)}.", "warn"))
    return blocks


def _build_components(components: Sequence[LostComponent], zone: ZoneInfo) -> list[Paragraph | Table]:
    """What is not the same as in production: changed here, and deleted here."""
    changed = [one for one in components if one.state != "deleted here"]
    deleted = [one for one in components if one.state == "deleted here"]
    blocks: list[Paragraph | Table] = []
    if changed:
        rows: Rows = [
            [one.type, one.name, one.by or "-", clock.show(one.at, zone) if one.at else "-", one.state]
            for one in changed[:_SHOWN]
        ]
        title = "Changed here and not the same in production"
        blocks += [build_table(title, ["type", "name", "by", "at", ""], rows), *_more(changed)]
    if deleted:
        rows = [[one.type, one.name] for one in deleted[:_SHOWN]]
        title = "Deleted here and still in production (it would be back)"
        blocks += [build_table(title, ["type", "name"], rows), *_more(deleted)]
    return blocks


def _more(rows: Sequence[object]) -> list[Paragraph]:
    return [Paragraph(f"… and {len(rows) - _SHOWN} more (all of them with --json)")] if len(rows) > _SHOWN else []


def _owner(owner: str) -> Cell:
    return Cell(owner) if owner else Cell("nobody yet", "warn")


def build_progress_body(found: Progress) -> dict[str, Any]:
    """How far a copy is, as data."""
    estimate = found.estimate
    return {
        "state": found.verdict,
        "words": found.words,
        "queue_place": found.queue_place,
        "percent": found.percent,
        "expected": estimate and {"p50": estimate.p50, "p90": estimate.p90, "basis": estimate.basis},
        "activate_by": found.deadline,
        "run_next": found.run_next or None,
    }


def build_progress_blocks(found: Progress, zone: ZoneInfo, now: datetime) -> list[Paragraph | Table]:
    """How far a copy is, for people."""
    tones: dict[str, Tone] = {"stopped": "bad", "suspended": "warn", "decide": "warn", "done": "good"}
    blocks: list[Paragraph | Table] = [Paragraph(found.words, tones.get(found.verdict, "plain"))]
    if found.estimate:
        one = found.estimate
        when = f"{clock.show(one.p50, zone)} (P50) to {clock.show(one.p90, zone)} (P90)"
        if one.p90 < now:
            late = (
                f"The copy was expected from {when}, from {one.basis}: it takes longer. Plans count on it from now on."
            )
            blocks.append(Paragraph(late, "warn"))
        else:
            blocks.append(Paragraph(f"The copy is expected from {when}, from {one.basis}."))
    if found.deadline:
        blocks.append(Paragraph(f"It is deleted unless it is activated by {clock.show(found.deadline, zone)}.", "warn"))
    return blocks


def build_obstacles(obstacles: Sequence[Obstacle], zone: ZoneInfo) -> list[Paragraph | Table]:
    """What stands against an activation."""
    return [
        Paragraph(f"  - {clock.show_within(one.text, zone)}{f' ({one.lifted_by} lifts it)' * bool(one.lifted_by)}")
        for one in obstacles
    ]


def build_ready_body(items: Sequence[ReadyItem]) -> list[dict[str, Any]]:
    """The ready list as data."""
    return [
        {
            "item": one.item,
            "owner": one.owner or None,
            "why": one.why,
            "done": one.is_done,
            "by": one.ticked_by or None,
            "at": one.ticked_at,
            "note": one.note,
        }
        for one in items
    ]


def build_ready_table(title: str, items: Sequence[ReadyItem], zone: ZoneInfo) -> Table:
    """The ready list as a table."""
    rows: Rows = []
    for one in items:
        done = Cell(f"{one.ticked_by}, {clock.show(one.ticked_at, zone)}", "good") if one.ticked_at else Cell("open")
        rows.append([one.item, _owner(one.owner), done, one.note or one.why])
    return build_table(title, ["item", "owner", "done", ""], rows, empty="no list was started")


def build_letter_blocks(lines: Sequence[str]) -> list[Paragraph | Table]:
    """What to ask the platform team for."""
    return [Paragraph("No login here may do this: send this to the people who may.", "warn"), *map(Paragraph, lines)]


def when(instant: datetime | None, zone: ZoneInfo) -> str:
    """An instant for a table, or a dash."""
    return "-" if instant is None else clock.show(instant, zone)
