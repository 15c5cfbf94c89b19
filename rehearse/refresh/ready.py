"""The ready list: what must be done, by whom, before a refreshed sandbox counts as ready. Pure.

What no tool can bring back is on it by name, because only people can. An item without an owner cannot be ticked, so
"ready" is never reached by an item that belongs to nobody.
"""

from __future__ import annotations

from collections.abc import Sequence

from rehearse.refresh.model import Keepsake, ReadyItem
from rehearse.refresh.ready_store import MASKED

_WITH_DATA = ("FULL", "PARTIAL", "FULL_PLUS", "ADVANCED_FULL")
_ALWAYS = (
    ("endpoints checked", "copied endpoints and named credentials may still point at production's systems"),
    ("e-mail deliverability checked", "it is 'System email only' after every refresh; no API tells or sets it"),
    ("logins and secrets given again", "tokens, certificates and secrets of the old org are dead"),
    ("schedules started again", "scheduled jobs do not run in a new copy; each is started by its owner"),
)


def default_items(licence: str) -> tuple[ReadyItem, ...]:
    """The items that ship with us: masking only where records of production were copied."""
    found = [ReadyItem(MASKED, why="records of people were copied from production")] if licence in _WITH_DATA else []
    return (*found, *(ReadyItem(item, why=why) for item, why in _ALWAYS))


def build_items(licence: str, configured: Sequence[ReadyItem] | None, kept: Sequence[Keepsake]) -> list[ReadyItem]:
    """The list of a new generation: the configured items, else ours, then what the loss guard found before it."""
    found = list(default_items(licence) if configured is None else configured)
    return found + [ReadyItem(one.item, one.owner, one.why) for one in kept]


def is_ready(items: Sequence[ReadyItem]) -> bool:
    """Whether there is a list and every item of it is ticked."""
    return bool(items) and all(one.is_done for one in items)
