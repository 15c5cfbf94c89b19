"""rehearse: plan release rehearsals into Salesforce sandboxes, put the sandbox back, and prove it."""

import os

__version__ = "0.1.0"

os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
"""pydantic would read the metadata of every installed package to find plugins: a tenth of what `status` takes."""
