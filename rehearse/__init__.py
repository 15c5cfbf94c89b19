"""rehearse: plan release rehearsals into Salesforce sandboxes, put the sandbox back, and prove it."""

__version__ = "0.1.0"
