"""The reference of the capture: the same query jobs and a plain parallel download of their pages, with `requests`.

Run as a process of its own: `python -m tests.bench.download QUESTION.json FOLDER`. Pages come uncompressed, in four
threads, and are written to disk as they come; nothing is checked, converted or encrypted. Prints its two parts as JSON.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests

THREADS = 4
JOBS_AT_ONCE = 4
VERSION = "67.0"
POLL = 0.1
_own = threading.local()


def main(question: Path, folder: Path) -> None:
    """Do both parts and print how long each took, and how many bytes and pages there were."""
    asked = json.loads(question.read_text())
    began = time.monotonic()
    with ThreadPoolExecutor(JOBS_AT_ONCE) as pool:
        jobs = list(pool.map(lambda soql: _finish_job(asked, soql), asked["queries"]))
    ready = time.monotonic()
    pages = [(job, locator) for job in jobs for locator in _locators(asked, job)]
    with ThreadPoolExecutor(THREADS) as pool:
        sizes = list(pool.map(lambda page: _download(asked, page[1], folder / f"{page[0]}.csv"), enumerate(pages)))
    done = time.monotonic()
    print(json.dumps({"jobs": ready - began, "download": done - ready, "pages": len(sizes), "bytes": sum(sizes)}))


def _finish_job(asked: dict[str, Any], soql: str) -> str:
    job = _ask(asked, "POST", "", json={"operation": "query", "query": soql}).json()["id"]
    while _ask(asked, "GET", f"/{job}").json()["state"] != "JobComplete":
        time.sleep(POLL)
    return str(job)


def _locators(asked: dict[str, Any], job: str) -> list[str]:
    found: list[str] = []
    path = f"/{job}/resultPages"
    while path:
        told = _ask(asked, "GET", path).json()
        found += [one["resultUrl"].partition("locator=")[2] for one in told["resultPages"]]
        path = f"/{job}/resultPages?{told['nextRecordsUrl'].partition('?')[2]}" if not told["done"] else ""
    return found


def _download(asked: dict[str, Any], page: tuple[str, str], to: Path) -> int:
    job, locator = page
    size = 0
    answer = _ask(
        asked, "GET", f"/{job}/results?locator={locator}", headers={"Accept-Encoding": "identity"}, stream=True
    )
    with answer, to.open("wb") as file:
        for piece in answer.iter_content(1 << 20):
            size += file.write(piece)
    return size


def _ask(asked: dict[str, Any], method: str, path: str, **options: Any) -> requests.Response:
    session: requests.Session | None = getattr(_own, "session", None)
    if session is None:
        session = _own.session = requests.Session()
        session.headers["Authorization"] = f"Bearer {asked['token']}"
    url = f"{asked['url']}/services/data/v{VERSION}/jobs/query{path}"
    answer = session.request(method, url, timeout=600, verify=asked["ca_file"], **options)
    answer.raise_for_status()
    return answer


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
