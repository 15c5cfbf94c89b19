"""The command line: one file a verb, `app` with the error boundary, and the only room that wires the others."""

import gc
import os

gc.set_threshold(200_000, 20, 20)
"""A command makes about 100,000 objects that stay; walking them again and again costs a tenth of its start."""

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
"""Arrow loads numpy, whose algebra nobody here uses: its threads, one a core, cost a tenth of a second to begin."""

os.environ.setdefault("MIMALLOC_ALLOW_THP", "0")
"""Arrow's memory in huge pages: a capture of a million rows held 35 MB more, and now and then a hundred."""

os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
"""They would be looked for in every package that is installed, and run in commands that hold credentials."""
