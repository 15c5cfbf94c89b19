"""A proof as a file: JSON of the schema `rehearse.proof/1`, signed with the workspace key, checked offline.

The signature (HMAC-SHA-256) covers the exact bytes of the content, so one edited byte is noticed. Holds keys, field
names, digests and counts, never a record value.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rehearse import clock
from rehearse.baseline.keys import Keys
from rehearse.baseline.writing import write_durably
from rehearse.errors import Damaged, NotFound, UsageError
from rehearse.reset.model import Allowed, Proof, ProofItem, SetupChange

SCHEMA = "rehearse.proof/1"


def build_content(proof: Proof) -> dict[str, Any]:
    """The proof in the shape that scripts read (formats.md): items carry their outcome as `grade`."""
    return {
        "schema": SCHEMA,
        **{name: value for name, value in asdict(proof).items() if name not in ("items", "outside_scope")},
        "at": clock.iso(proof.at),
        "scope": {name: list(values) for name, values in proof.scope.items()},
        "items": [_item(one) for one in proof.items],
        "outside_scope": [{"type": name, "changed": number} for name, number in proof.outside_scope.items()],
        "assumptions": list(proof.assumptions),
        "not_compared": list(proof.not_compared),
        "egress": [asdict(one) for one in proof.egress],
        "setup_changes": [asdict(one) for one in proof.setup_changes],
        "carried": list(proof.carried),
    }


def _item(one: ProofItem) -> dict[str, str]:
    return {
        "kind": one.kind,
        "type": one.type,
        "key": one.key,
        "grade": one.outcome,
        "detail": one.detail,
        "by": one.by,
    }


def save_proof(proof: Proof, path: Path, keys: Keys) -> None:
    """Write a signed proof; the file appears whole or not at all. Raises DiskFull, KeyUnavailable."""
    content = _text(build_content(proof))
    signed = content[: -len("\n}\n")] + f',\n "signature": "{keys.sign(content.encode())}"\n}}\n'
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(path, signed.encode())


def load_proof(path: Path, keys: Keys) -> Proof:
    """Read a proof and check its signature.

    Raises NotFound, Damaged for one changed byte, KeyUnavailable where the key is not the one of this store.
    """
    if not os.path.isfile(path):  # unlike Path.exists, False also for a name that no file can have
        raise NotFound(f"There is no proof at {path}.", "Proofs are kept in the folder `proofs` of the storage.")
    try:
        text = path.read_bytes().decode()
        content = json.loads(text)
        signature = str(content.pop("signature"))
        unsigned = text.replace(f',\n "signature": "{signature}"\n}}\n', "\n}\n")
        proof = _from_content(content)
    except (ValueError, KeyError, TypeError, AttributeError, UsageError) as error:
        raise Damaged(f"The proof {path} cannot be read.", "Prove the sandbox again.") from error
    if content.get("schema") != SCHEMA or not keys.check(unsigned.encode(), signature):
        keys.require_fit()
        raise Damaged(
            f"The proof {path} was changed after it was signed, or it is of a store with another workspace key.",
            "Check it beside the rehearse.yaml of the store that made it, or prove the sandbox again.",
        )
    return proof


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=True) + "\n"


def _from_content(content: Mapping[str, Any]) -> Proof:
    rest = {name: value for name, value in content.items() if name != "schema"}
    items = tuple(
        ProofItem(one["kind"], one["type"], one["key"], one["grade"], one["detail"], one["by"]) for one in rest["items"]
    )
    return Proof(
        **{
            **rest,
            "at": clock.from_iso(rest["at"]),
            "items": items,
            "scope": {name: tuple(values) for name, values in rest["scope"].items()},
            "outside_scope": {one["type"]: one["changed"] for one in rest["outside_scope"]},
            "assumptions": tuple(rest["assumptions"]),
            "not_compared": tuple(rest.get("not_compared", ())),
            "egress": tuple(Allowed(**one) for one in rest.get("egress", ())),
            "setup_changes": tuple(SetupChange(**one) for one in rest.get("setup_changes", ())),
            "carried": tuple(rest.get("carried", ())),
        }
    )
