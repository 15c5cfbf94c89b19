"""The quiet gate as a step of a command: refuse while something else writes to the org; name recent writes."""

from __future__ import annotations

from collections.abc import Iterable

from rehearse.cli.answers import say
from rehearse.org.connect import OrgReader
from rehearse.reset.gates import fetch_noise, require_quiet


def check_quiet(reader: OrgReader, objects: Iterable[str]) -> None:
    """Raise GateClosed while jobs, deployments or schedules run; recent writes of others are only named."""
    for sentence in require_quiet(fetch_noise(reader, objects)):
        say(f"note: {sentence}")
