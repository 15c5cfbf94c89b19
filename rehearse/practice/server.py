"""The practice org as a process: HTTPS and plain HTTP on two loopback ports over one estate folder.

`PracticeServer(folder).start()` serves from threads of this process; `python -m rehearse.practice.server FOLDER` serves
until it is told to end. It listens on 127.0.0.1 and on nothing else. Promise: everything is in the estate folder, so a
killed server that is started again continues where it was, bulk jobs included.
"""

import argparse
import asyncio
import fcntl
import json
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from rehearse.practice.app import build_app
from rehearse.practice.bulk_workers import BulkWorkers
from rehearse.practice.estate import Estate
from rehearse.practice.faults import Faults
from rehearse.practice.process import process_start
from rehearse.practice.request_log import LoggedRequest, RequestLog
from rehearse.practice.throttle import Throttle
from rehearse.practice.tls import ensure_certificate

HOST = "127.0.0.1"
STATUS_FILE = "server.json"  # who serves the folder and where; stays after the end, for the ports
BIRTH_FILE = "server.born.json"  # the process that a detaching start left behind


class FolderTaken(RuntimeError):
    """Another process serves this estate folder: two would run the same bulk jobs."""


class PracticeProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, with the connection in reach of the front, which can drop it on purpose."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class PortServer(uvicorn.Server):
    """uvicorn on one port, that ends when it is told to and does not look ten times a second whether it was."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        await super().startup(sockets)

    async def main_loop(self) -> None:
        if not self.should_exit:
            await self._ended.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, let running requests finish for a second, then drop every connection.

        An idle TLS peer is not waited for: uvicorn's own shutdown would wait a second for its goodbye.
        """
        for listener in self.servers:
            for sock in listener.sockets:
                self._loop.remove_reader(sock.fileno())
        for _ in range(3):  # asyncio leaks a connection that it accepted just before its listener is closed
            await asyncio.sleep(0)
        for listener in self.servers:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        patience = self._loop.time() + 1
        while self.server_state.tasks and self._loop.time() < patience:
            await asyncio.sleep(0.005)
        for task in list(self.server_state.tasks):
            task.cancel()

    def end(self) -> None:
        """Let the port close; from any thread, once the server has started."""
        self.should_exit = True
        self._loop.call_soon_threadsafe(self._ended.set)


class PracticeServer:
    """A running practice org. `start()` returns when both ports answer; `stop()` when everything has ended."""

    def __init__(self, folder: Path, *, https_port: int = 0, http_port: int = 0) -> None:
        self.folder = folder
        self.throttle = Throttle(self._load_rate)
        self.url = self.http_url = ""
        self.estate: Any = None
        self._ports = (https_port, http_port)
        self._servers: list[PortServer] = []
        self._thread: threading.Thread | None = None

    def start(self) -> "PracticeServer":
        """Open the estate, bind both ports, and serve from a thread.

        Raises FileNotFoundError for a folder without an estate, FolderTaken, and OSError when a given port is taken.
        """
        self.estate = Estate.open(self.folder)
        try:
            self._claim = claim_folder(self.folder)
            sockets = bind_both(*self._ports)
        except (FolderTaken, OSError):
            self.estate.close()
            raise
        self.ca_file, server_file = ensure_certificate(self.folder)
        self.faults: Faults = self.estate.faults
        self.requests = RequestLog(self.folder / "estate.db")
        self.workers = BulkWorkers(self.estate, self.folder / "pages", self.faults)
        self.url, self.http_url = (f"{kind}://{HOST}:{sock.getsockname()[1]}" for kind, sock in sockets.items())
        app = build_app(self)
        self._servers = [PortServer(_configure(app, certificate)) for certificate in (server_file, None)]
        self._thread = threading.Thread(target=self._serve, args=(list(sockets.values()),), daemon=True)
        self._thread.start()
        self.workers.start()
        while not all(server.started for server in self._servers):
            if not self._thread.is_alive():
                raise RuntimeError("The practice org ended while it was starting; its log says why.")
            time.sleep(0.002)
        return self

    def stop(self) -> None:
        """End both ports, the bulk workers and the estate; running jobs stop at the next chunk and continue later.

        Harmless to repeat.
        """
        if self._thread is None:
            return
        for server in self._servers:
            server.end()
        self.workers.stop()
        self._thread.join()
        self._thread = None
        self.requests.close()
        self.estate.close()
        self._claim.close()

    def production_requests(self) -> list[LoggedRequest]:
        """Every request that production has received, oldest first."""
        return self.requests.entries()

    def _load_rate(self) -> int | None:
        """Bytes a second for all bulk results together: the setting `result_bytes_per_second`, 0 for no bound."""
        return int(self.estate.settings.get("result_bytes_per_second", 0)) or None

    def _serve(self, sockets: list[socket.socket]) -> None:
        async def serve_all() -> None:
            await asyncio.gather(
                *(server.serve(sockets=[sock]) for server, sock in zip(self._servers, sockets, strict=True))
            )
            await drop_connections()

        try:
            asyncio.run(serve_all())
        finally:
            for sock in sockets:
                sock.close()

    def __enter__(self) -> "PracticeServer":
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def _configure(app: Any, certificate: Path | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=PracticeProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        h11_max_incomplete_event_size=65_536,
        timeout_keep_alive=60,
        ssl_certfile=certificate,
    )


async def drop_connections() -> None:
    """End what is still open: a TLS peer that never says goodbye would be waited for half a minute, or leak."""
    transports = getattr(asyncio.get_running_loop(), "_transports", {})
    for _ in range(20):  # closing happens in callbacks, and a connection may have been accepted a moment ago
        for transport in list(transports.values()):
            transport.abort()
        await asyncio.sleep(0)


def bind_both(https_port: int, http_port: int) -> dict[str, socket.socket]:
    """Bound sockets for `https` and `http`, on the given ports or free ones (0). Raises OSError for a taken port."""
    bound: dict[str, socket.socket] = {}
    try:
        for kind, port in (("https", https_port), ("http", http_port)):
            # The protocol is named so that asyncio turns Nagle's waiting off: 40 ms an answer otherwise.
            bound[kind] = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            bound[kind].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound[kind].bind((HOST, port))
    except OSError:
        for sock in bound.values():
            sock.close()
        raise
    return bound


def claim_folder(folder: Path) -> IO[bytes]:
    """Take the one right to serve a folder, released by the system when the process ends. Raises FolderTaken."""
    claim = (folder / "serving.lock").open("ab")
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        claim.close()
        raise FolderTaken(f"Another process serves {folder.name}.") from error
    return claim


def main(arguments: list[str] | None = None) -> None:
    """Serve an estate folder until SIGTERM or SIGINT; with `--detach`, from a process of its own."""
    parser = argparse.ArgumentParser(prog="rehearse.practice.server", description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--https-port", type=int, default=0)
    parser.add_argument("--http-port", type=int, default=0)
    parser.add_argument("--rate", type=int, default=None, help="bytes a second for all bulk results together")
    parser.add_argument("--detach", action="store_true")
    options = parser.parse_args(arguments)
    if options.detach:
        detach(options.folder)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end.set())
    server = PracticeServer(options.folder, https_port=options.https_port, http_port=options.http_port)
    with server:
        if options.rate is not None:
            server.estate.settings.put("result_bytes_per_second", options.rate)
        write_status(server)
        while not end.wait(60):
            pass


def detach(folder: Path) -> None:
    """Go on in a child process with a session of its own; the parent notes who the child is, and ends."""
    child = os.fork()
    if child:
        write_json(folder / BIRTH_FILE, {"pid": child, "started": process_start(child)})
        os._exit(0)
    os.setsid()


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Write a small file aside and rename it, so that nobody reads half of it."""
    aside = path.with_suffix(".new")
    aside.write_text(json.dumps(content), encoding="utf-8")
    aside.replace(path)


def write_status(server: PracticeServer) -> None:
    """Say in the estate folder which process serves it and where: written aside, then renamed."""
    pid = os.getpid()
    status = {"pid": pid, "started": process_start(pid), "url": server.url, "http_url": server.http_url}
    write_json(server.folder / STATUS_FILE, status)


if __name__ == "__main__":
    main()
