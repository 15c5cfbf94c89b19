"""How fast bulk result pages are served: four plain downloads at once, beside a static file server with the same bytes.

The pages of queries over six objects are fetched over plain HTTP, over HTTPS, and then, as the reference,
from Python's own `http.server`. Also shown: how large the process of the practice org was at most.
"""

from __future__ import annotations

import functools
import http.server
import json
import shutil
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.bench import download
from tests.bench.measure import Command, show
from tests.bench.world import World, serve

QUERIES = [
    "SELECT Id, Name, Email, Phone, Title, MailingStreet, MailingCity, AccountId, CreatedDate FROM Contact",
    "SELECT Id, Name, Phone, Industry, BillingStreet, BillingCity, Description, SystemModstamp FROM Account",
    "SELECT Id, Subject, Description, Status, AccountId, CreatedDate, SystemModstamp FROM Case",
    "SELECT Id, Subject, Description, Status, WhoId, WhatId, CreatedDate, SystemModstamp FROM Task",
    "SELECT Id, Name, StageName, Amount, CloseDate, AccountId, CreatedDate, SystemModstamp FROM Opportunity",
    "SELECT Id, Name, Invoice__c, CreatedDate, CreatedById, LastModifiedDate, SystemModstamp FROM InvoiceLine__c",
]
PIECE = 1 << 20


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep still."""


def run(folder: Path, rounds: int, records: int) -> None:
    """Print megabytes a second of each road, and the reference."""
    with serve(folder, records, 0) as world:
        pages = folder / "pages"
        shutil.rmtree(pages, ignore_errors=True)
        pages.mkdir()
        roads: dict[str, list[float]] = {"plain HTTP": [], "HTTPS": [], "http.server": []}
        for _ in range(rounds):
            size = 0
            for road, url in (("plain HTTP", world.http_url), ("HTTPS", world.url)):
                told = _fetch(world, url, pages)
                size = told["bytes"]
                roads[road].append(size / told["download"] / 1e6)
            roads["http.server"].append(_reference(pages) / 1e6)
        show(f"pages of {size / 1e6:,.0f} MB served to four downloads, MB/s (median, range):")
        for road, rates in roads.items():
            show(f"  {road:12} {statistics.median(rates):8,.0f}   {min(rates):,.0f} … {max(rates):,.0f}")
        show(f"  largest size of the practice org's process: {_peak(world) / 1e6:,.0f} MB")
        shutil.rmtree(pages)


def _fetch(world: World, url: str, pages: Path) -> dict[str, float]:
    question = pages.parent / "question.json"
    asked = {"url": url, "ca_file": world.ca_file, "token": world.access_token, "queries": QUERIES}
    question.write_text(json.dumps(asked))
    told = Command([sys.executable, "-m", "tests.bench.download", str(question), str(pages)], Path.cwd()).run()
    found: dict[str, float] = json.loads(told.said)
    return found


def _reference(pages: Path) -> float:
    """Bytes a second of the same pages from a static file server."""
    with _static(pages) as url, ThreadPoolExecutor(download.THREADS) as pool:
        began = time.monotonic()
        size = sum(pool.map(functools.partial(_get, url), sorted(one.name for one in pages.iterdir())))
        return size / (time.monotonic() - began)


@contextmanager
def _static(pages: Path) -> Iterator[str]:
    handler = functools.partial(Quiet, directory=str(pages))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def _get(url: str, name: str) -> int:
    with requests.get(f"{url}/{name}", stream=True, timeout=600) as answer, Path("/dev/null").open("wb") as away:
        return sum(away.write(piece) for piece in answer.iter_content(PIECE))


def _peak(world: World) -> int:
    """The most memory that the serving process ever had, in bytes; 0 where the system does not say."""
    pid = json.loads((world.folder / ".practice" / "server.json").read_text())["pid"]
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return 0
    line = next(one for one in status.read_text().splitlines() if one.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
