"""A process that has imported everything once and then forks a process of its own for each command.

Each command is a real process: own folder, environment, exit code, and it can be killed. What is saved is the second
that Python needs to import the program. A fork copies no threads, so none may run by then. Talks JSON lines: one
request in, the process id out, then its wait status.
"""

import json
import os
import signal
import sys
import threading
from typing import Any

HEAVY = (
    "duckdb", "keyring", "lxml.etree", "pyarrow.parquet", "pygit2", "sqlalchemy",
    "simple_salesforce", "jinja2", "icalendar", "cryptography.hazmat.primitives.ciphers.aead",
    "rehearse.cli.app", "rehearse.cli.desk", "rehearse.cli.verbs", "rehearse.org.connect", "rehearse.baseline.capture",
    "rehearse.baseline.compare", "rehearse.baseline.verify", "rehearse.reset.apply", "rehearse.reset.gather",
    "rehearse.reset.prove", "rehearse.report.text", "rehearse.practice.control",
)  # fmt: skip


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
    for name in HEAVY:
        __import__(name)
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


if __name__ == "__main__":
    serve()
