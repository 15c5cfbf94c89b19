"""A process that has imported everything once and then forks a process of its own for each command.

Each command is a real process: own folder, environment, exit code, and it can be killed. What is saved is the second
that Python needs to import the program. A fork copies no threads, so none may run by then. Talks JSON lines: one
request in, the process id out, then its wait status.
"""

import gc
import json
import os
import pkgutil
import signal
import sys
import threading
from typing import Any

import rehearse

HEAVY = (
    "alembic.command", "cryptography.hazmat.primitives.ciphers.aead", "dateutil.parser", "duckdb", "icalendar",
    "jinja2", "keyring", "lxml.etree", "mako.template", "openpyxl", "ortools.sat.python.cp_model", "pyarrow.compute",
    "pyarrow.parquet", "pydantic.type_adapter", "pygit2", "rich.console", "rich.live", "rich.markup", "rich.progress",
    "rich.table", "ruamel.yaml", "sqlalchemy.dialects.sqlite", "typer.rich_utils",
)  # fmt: skip
"""What commands load only when they need it, besides every module of our own."""


def _run(ask: dict[str, Any]) -> None:
    os.chdir(ask["folder"])
    os.environ.clear()
    os.environ.update(ask["environment"])
    for number, path in ((0, os.devnull), (1, ask["out"]), (2, ask["err"])):
        handle = os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(handle, number)
    sys.stdin = open(0)  # noqa: SIM115
    sys.stdout, sys.stderr = open(1, "w"), open(2, "w", buffering=1)  # noqa: SIM115
    sys.argv = ["rehearse", *ask["words"]]
    from rehearse.cli.app import main

    main()


def serve() -> None:
    os.environ.update(OPENBLAS_NUM_THREADS="1", JE_ARROW_MALLOC_CONF="background_thread:false")
    own = (one.name for one in pkgutil.walk_packages(rehearse.__path__, "rehearse."))
    for name in (*HEAVY, *(one for one in own if "__main__" not in one and ".migrations" not in one)):
        __import__(name)
    gc.set_threshold(50_000, 20, 100)
    gc.freeze()  # else the first collection in a child would copy the memory that it shares with this process
    assert threading.active_count() == len(os.listdir("/proc/self/task")) == 1, "a fork would copy locks of a thread"
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    print("ready", file=answers)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            code = 70
            try:
                _run(json.loads(line))
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
            except BaseException:
                import traceback

                traceback.print_exc()
                code = 1
            finally:
                for stream in (sys.stdout, sys.stderr):
                    stream.flush()
                os._exit(code)
        print(child, file=answers)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=answers)
    gc.unfreeze()  # what ends with this process is freed as ever: some modules count what is left


if __name__ == "__main__":
    serve()
