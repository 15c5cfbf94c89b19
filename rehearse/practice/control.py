"""Start, end and look after the practice org as a process of its own, for the command line.

One process serves a folder: `up` twice is fine, `down` ends only the process that this folder noted (by id and start
time) and waits until it is gone. Refuses a folder without an estate and ports that are taken. Promise: after `up`
returns, both addresses answer; after a kill, the next `up` brings the same world back on the same ports.
"""

import json
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearse.practice.process import end_process, is_running
from rehearse.practice.request_log import LoggedRequest, load_requests
from rehearse.practice.server import BIRTH_FILE, STATUS_FILE, bind_both

LOG_FILE = "server.log"


class ControlError(Exception):
    """The practice org cannot be started or ended; `hint` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True)
class Status:
    """Whether a folder is served, by which process and where; the addresses are empty while it is not."""

    folder: Path
    running: bool
    pid: int | None = None
    url: str = ""
    http_url: str = ""


def status(folder: Path) -> Status:
    """The state of a folder's server, from what it wrote down and whether that very process lives."""
    noted = _load(folder / STATUS_FILE)
    if not noted or not is_running(int(noted["pid"]), noted["started"]):
        return Status(folder, False)
    return Status(folder, True, int(noted["pid"]), noted["url"], noted["http_url"])


def up(
    folder: Path, *, https_port: int = 0, http_port: int = 0, rate: int | None = None, patience: float = 60.0
) -> Status:
    """Serve an estate folder from a process of its own; at once if it is served already. Raises ControlError.

    Ports are those given, else those of last time, else free ones. `rate` is in bytes a second for all bulk results.
    """
    if not (folder / "estate.db").is_file():
        raise ControlError(f"There is no practice world in {folder}.", "Run `rehearse practice up` to make one.")
    found = status(folder)
    if found.running:
        return found
    ports = choose_ports(folder, https_port, http_port)
    command = [sys.executable, "-m", "rehearse.practice.server", str(folder.resolve()), "--detach"]
    command += ["--https-port", str(ports[0]), "--http-port", str(ports[1])]
    command += ["--rate", str(rate)] if rate is not None else []
    (folder / BIRTH_FILE).unlink(missing_ok=True)
    with (folder / LOG_FILE).open("ab") as log:
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False)
    return _wait_until_it_answers(folder, patience)


def _wait_until_it_answers(folder: Path, patience: float) -> Status:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        born, found = _load(folder / BIRTH_FILE), status(folder)
        if found.running and _answers(found.http_url) and _answers(found.url):
            return found
        if not found.running and not (born and is_running(int(born["pid"]), born["started"])):
            found = status(folder)  # somebody else's `up` may have won the race
            if not found.running:
                break
        time.sleep(0.02)
    hint = f"The end of {folder / LOG_FILE}: {_last_line(folder / LOG_FILE)}"
    raise ControlError(f"The practice org in {folder} did not start.", hint)


def choose_ports(folder: Path, https_port: int, http_port: int) -> tuple[int, int]:
    """Ports to listen on: given ones, which must be free, else those of last time if they are, else 0 for any."""
    if https_port or http_port:
        if not _can_bind(https_port, http_port):
            raise ControlError(f"Port {https_port or http_port} is taken.", "Give another one, or none.")
        return https_port, http_port
    noted = _load(folder / STATUS_FILE)
    if noted:
        last = tuple(int(noted[name].rpartition(":")[2]) for name in ("url", "http_url"))
        if _can_bind(last[0], last[1]):
            return last[0], last[1]
    return 0, 0


def down(folder: Path) -> bool:
    """End the process that serves a folder and wait until it is gone; False when none did. Raises ControlError."""
    noted = _load(folder / STATUS_FILE)
    if not noted or not is_running(int(noted["pid"]), noted["started"]):
        return False
    if not end_process(int(noted["pid"]), noted["started"]):
        raise ControlError(f"Process {noted['pid']} did not end.", f"Look at {folder / LOG_FILE}.")
    return True


def production_requests(folder: Path) -> list[LoggedRequest]:
    """Every request that production of a folder has received, oldest first, whether the server runs or not."""
    return load_requests(folder)


def _load(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _can_bind(https_port: int, http_port: int) -> bool:
    try:
        for sock in bind_both(https_port, http_port).values():
            sock.close()
    except OSError:
        return False
    return True


def _answers(url: str) -> bool:
    host, _, port = url.partition("://")[2].rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


def _last_line(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return "(empty)"
    return lines[-1] if lines else "(empty)"
