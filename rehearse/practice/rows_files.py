"""Files: what the insert of a ContentVersion makes beside the row, and what belongs to its bytes.

A version without a document makes one, and links it to its owner and to where it is first published; a version of a
document that is there becomes its latest. Versions are never deleted or undeleted alone, and documents never made by
hand: the objects themselves say so [data.md 4 row 29; object reference, ContentVersion, ContentDocumentLink]. Refuses,
with RowError, versions without a name or bytes, and bytes that are no base64.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping

from rehearse.practice.org_state import OrgState
from rehearse.practice.rows_values import RowError, Stored

MOST_BODY = 26_214_400  # bytes of an attachment; a file in JSON may hold 37.5 MB of base64
KINDS = {"csv": "CSV", "docx": "WORD_X", "jpg": "JPG", "pdf": "PDF", "png": "PNG", "txt": "TEXT", "xlsx": "EXCEL_X"}


def measure_body(body: str, field: str) -> tuple[str, bytes]:
    """A body in base64 without blanks, and its bytes. Raises RowError for what is no base64, or too large."""
    packed = "".join(body.split())
    try:
        content = base64.b64decode(packed, validate=True)
    except binascii.Error as error:
        raise RowError("JSON_PARSER_ERROR", f"{field}: no base64: {error}", (field,)) from error
    if len(content) > MOST_BODY:
        raise RowError("FIELD_INTEGRITY_EXCEPTION", f"{field}: larger than {MOST_BODY} bytes", (field,))
    return packed, content


def before_insert(org: OrgState, name: str, values: dict[str, Stored], user_id: str) -> None:
    """Complete and check a new row that belongs to files; nothing for other objects."""
    if name == "ContentVersion":
        prepare_version(org, values, user_id)
    elif name == "ContentDocumentLink":
        check_link(org, values)


def after_insert(org: OrgState, name: str, row_id: str, user_id: str) -> None:
    """What follows from a new ContentVersion."""
    if name == "ContentVersion":
        columns = ("ContentDocumentId", "Title", "FileType", "FileExtension", "ContentSize")
        named = ", ".join(f'"{one}"' for one in columns)
        row = org.db.execute(f'SELECT {named} FROM "ContentVersion" WHERE "Id" = ?', (row_id,)).fetchone()
        follow_version(org, row_id, dict(zip(columns, row, strict=True)), user_id)


def prepare_version(org: OrgState, values: dict[str, Stored], user_id: str) -> None:
    """Complete a new ContentVersion: its name, kind, size and checksum, and the document that it belongs to."""
    missing = [name for name in ("VersionData", "PathOnClient") if not values.get(name)]
    if missing:
        raise RowError("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", tuple(missing))
    packed, content = measure_body(str(values["VersionData"]), "VersionData")
    name = str(values["PathOnClient"]).replace("\\", "/").rpartition("/")[2]
    stem, dot, extension = name.rpartition(".")
    extension = extension.lower() if dot else ""
    values |= {
        "VersionData": packed,
        "ContentSize": len(content),
        "Checksum": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "FileExtension": extension or None,
        "FileType": KINDS.get(extension, "UNKNOWN"),
        "IsLatest": 1,
        "Title": values.get("Title") or stem or name,
    }
    document = values.get("ContentDocumentId")
    if document is None:
        values["ContentDocumentId"] = _make_document(org, values, user_id)
        values["VersionNumber"] = "1"
        return
    if values.get("FirstPublishLocationId"):
        text = "You can't set FirstPublishLocationId on a new version of an existing document."
        raise RowError("FIELD_INTEGRITY_EXCEPTION", text, ("FirstPublishLocationId",))
    older = 'FROM "ContentVersion" WHERE "ContentDocumentId" = ?'
    (count,) = org.db.execute(f"SELECT count(*) {older}", (document,)).fetchone()
    values["VersionNumber"] = str(count + 1)


def _make_document(org: OrgState, values: Mapping[str, Stored], user_id: str) -> str:
    """A ContentDocument with its links; answers its id."""
    document, stamp = org.new_id("069"), org.stamp()
    _put(
        org,
        "ContentDocument",
        {
            "Id": document,
            "OwnerId": values.get("OwnerId") or user_id,
            "PublishStatus": "P",
            "SharingOption": "A",
            "CreatedById": user_id,
            "CreatedDate": stamp,
        },
    )
    place = values.get("FirstPublishLocationId")
    linked = {str(values.get("OwnerId") or user_id): "I"}
    if place:
        linked.setdefault(str(place), "V")
    for entity, share in linked.items():
        link: dict[str, Stored] = {"Id": org.new_id("06A"), "LinkedEntityId": entity, "ContentDocumentId": document}
        _put(
            org, "ContentDocumentLink", {**link, "ShareType": share, "Visibility": "AllUsers", "SystemModstamp": stamp}
        )
    return document


def follow_version(org: OrgState, row_id: str, values: Mapping[str, Stored], user_id: str) -> None:
    """Make a new version the latest of its document, which takes its name and size."""
    document, stamp = values["ContentDocumentId"], org.stamp()
    sql = 'UPDATE "ContentVersion" SET "IsLatest" = 0, "SystemModstamp" = ? WHERE "ContentDocumentId" = ? AND "Id" <> ?'
    org.db.execute(f'{sql} AND "IsLatest" = 1', (stamp, document, row_id))
    changed: dict[str, Stored] = {
        "LatestPublishedVersionId": row_id,
        "Title": values["Title"],
        "FileType": values["FileType"],
        "FileExtension": values["FileExtension"],
        "ContentSize": values["ContentSize"],
        "ContentModifiedDate": stamp,
        "LastModifiedById": user_id,
        "LastModifiedDate": stamp,
        "SystemModstamp": stamp,
    }
    sets = ", ".join(f'"{name}" = ?' for name in changed)
    org.db.execute(f'UPDATE "ContentDocument" SET {sets} WHERE "Id" = ?', (*changed.values(), document))


def check_link(org: OrgState, values: Mapping[str, Stored]) -> None:
    """Raise RowError where a document is linked twice to one row."""
    sql = (
        'SELECT 1 FROM "ContentDocumentLink" WHERE "ContentDocumentId" = ? AND "LinkedEntityId" = ? AND "IsDeleted" = 0'
    )
    if org.db.execute(sql, (values.get("ContentDocumentId"), values.get("LinkedEntityId"))).fetchone() is not None:
        text = "Document with ID: {} is already linked with the entity with ID: {}"
        said = text.format(values.get("ContentDocumentId"), values.get("LinkedEntityId"))
        raise RowError("DUPLICATE_VALUE", said, ("LinkedEntityId",))


def _put(org: OrgState, name: str, values: Mapping[str, Stored]) -> None:
    columns = ", ".join(f'"{column}"' for column in values)
    marks = ", ".join("?" for _ in values)
    org.db.execute(f'INSERT INTO "{name}" ({columns}) VALUES ({marks})', tuple(values.values()))
