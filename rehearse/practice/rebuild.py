"""Put a practice world back to its beginning: the seed's rows, metadata, history and clock, made anew.

The clients, their secrets, the certificate authority and the ports stay, so a workspace that was written for the world
goes on working; the world is as large as it was. Settings are the defaults again, and no fault waits. Refuses a folder
without an estate; the caller has ended its server. The new world is complete before the old one is touched.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from rehearse.practice import seed
from rehearse.practice.estate import Estate

REPLACED = ("estate.db", "estate.db-wal", "estate.db-shm", "orgs", "pages")


def rebuild(folder: Path, number: int | None = None) -> None:
    """Build the world anew, as large, with the seed that it had unless another is given. Raises FileNotFoundError."""
    estate = Estate.open(folder)
    clients = estate.tokens.clients()
    number = estate.seed if number is None else number
    recipe = estate.recipe
    estate.close()
    aside = folder / "rebuilding"
    if aside.exists():
        shutil.rmtree(aside)
    fresh = seed.build(aside, number, **recipe)
    for client in clients:
        fresh.tokens.keep_client(client)
    fresh.close()
    for name in REPLACED:
        old = folder / name
        if old.is_dir():
            shutil.rmtree(old)
        else:
            old.unlink(missing_ok=True)
        if (aside / name).exists():
            (aside / name).replace(folder / name)
    shutil.rmtree(aside)
