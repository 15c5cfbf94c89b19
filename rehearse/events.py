"""The small frozen events that long work emits; the command line turns them into progress.

Rooms never print. A function that takes long has a parameter `on_event: OnEvent = ignore`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Started:
    """A piece of work began; `total` is its size in `unit`s where that is known."""

    work: str
    total: int | None = None
    unit: str = "items"


@dataclass(frozen=True)
class Advanced:
    """`done` units of the named work are finished now (a running total, not a step)."""

    work: str
    done: int
    total: int | None = None
    unit: str = "items"


@dataclass(frozen=True)
class Finished:
    """The named work ended; `note` is one clause for people."""

    work: str
    note: str = ""


@dataclass(frozen=True)
class Noted:
    """Something the user should read while the work goes on."""

    text: str


Event = Started | Advanced | Finished | Noted
OnEvent = Callable[[Event], None]


def ignore(event: Event) -> None:
    """The listener that hears nothing."""
