"""What the Python scripts share: each step prints a line that says whether it passed, and with what evidence.

These scripts run in the Python of the clients, without this project; all they know comes as one JSON argument.
"""

import json
import sys
import traceback


class Steps:
    """Runs steps one after the other; a failed one does not stop the next."""

    def __init__(self):
        self.world = json.loads(sys.argv[1])

    def __call__(self, name):
        """A decorator that runs a function at once; what it returns is the evidence."""

        def run(step):
            try:
                self._say(name, True, step())
            except Exception as error:  # the evidence of a failure is whatever went wrong
                where = traceback.extract_tb(error.__traceback__)[-1]
                self._say(name, False, f"{type(error).__name__}: {error} ({where.name}:{where.lineno})")
            return step

        return run

    @staticmethod
    def _say(name, passed, evidence):
        print(json.dumps({"check": name, "passed": passed, "evidence": str(evidence)}), flush=True)


def need(held, evidence=""):
    """Raise AssertionError with the evidence unless something holds."""
    if not held:
        raise AssertionError(str(evidence)[:500])
