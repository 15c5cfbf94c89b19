"""The identity of fixed content, written down once: a snapshot id that changed would make every old baseline differ.

A change of these constants needs a new CANONICALISER, and a reason.
"""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from rehearse.baseline.canonical import build_snapshot_id
from rehearse.baseline.components import read_components
from rehearse.baseline.csv_page import read_page
from rehearse.baseline.model import ComparableField, ObjectCapture, ObjectScope, ResolvedScope
from rehearse.baseline.record_parts import PartWriter, RowShape, build_batch, read_part
from rehearse.baseline.record_store import CaptureStore
from rehearse.baseline.row_reading import part_file, total, write_rows
from rehearse.baseline.working import Purpose, Working, begin

TYPES = {
    "Active__c": "boolean",
    "Amount__c": "currency",
    "Count__c": "int",
    "Day__c": "date",
    "Hour__c": "time",
    "Kinds__c": "multipicklist",
    "Moment__c": "datetime",
    "Name": "string",
    "Notes__c": "textarea",
    "Owner__c": "reference",
    "Share__c": "percent",
}
FIELDS = tuple(ComparableField(name, kind) for name, kind in sorted(TYPES.items()))
SHAPE = RowShape("Odd__c", FIELDS)
PAGE = (
    '"Id","Active__c","Amount__c","Count__c","Day__c","Hour__c","Kinds__c","Moment__c","Name","Notes__c","Owner__c",'
    '"Share__c","SystemModstamp","LastModifiedById"\n'
    "a00000000000003AAA,true,12.50,7,2026-01-31,08:15:00.000Z,b;a;b,2026-01-31T08:15:00.000+0000,Ann,"
    '"one\r\ntwo",005000000000001AAA,0.0,2026-01-31T08:15:00.000Z,005000000000001AAA\n'
    'a00000000000001AAA,TRUE,-0.0,0,,08:15Z,,2026-01-31T09:15:00+01:00,"Bo ""Boy"" O\'Neil",'
    '"one\ntwo",005000000000001,100,2026-01-31T08:15:00Z,005000000000001\n'
    "a00000000000002,false,1.0E3,+5,2026-02-01 ,,a,,\u00e6\u00f8\u00e5 \U0001f600,,,-00.10,2026-01-31T08:15:00.1Z,\n"
    "a00000000000004AAA,,9999999999999999.990,1234567,,,c,1999-12-31T23:59:59.999Z,,,,1.5E10,"
    "2026-01-31T08:15:00.000Z,\n"
    "a00000000000005AAA,,.5,5.,,,,,twelve,,,1e999,2026-01-31T08:15:00.000Z,\n"
)
FILES = {
    "objects/Odd__c.object": (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<CustomObject xmlns="http://soap.sforce.com/2006/04/metadata">\n'
        b"  <fields><fullName>Name2__c</fullName><type>Text</type><length>80</length></fields>\n"
        b"  <fields><fullName>Kinds__c</fullName><type>MultiselectPicklist</type></fields>\n"
        b"  <label>Odd</label>\n</CustomObject>\n"
    ),
    "classes/Odd.cls": b"public class Odd { }\n",
    "classes/Odd.cls-meta.xml": (
        b'<ApexClass xmlns="http://soap.sforce.com/2006/04/metadata"><apiVersion>60.0</apiVersion></ApexClass>'
    ),
}
START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
ROWS_SUM = "6d0d3d8ae59116c51b328b9b16e5f53a"
SNAPSHOT = "731e5128093b79cecd6e0e01a185624e208a83acb371e2bcef0edcc8ad3515a8"


def _convert(working: Working, folder: Path) -> ObjectCapture:
    """The page as the capture converts it."""
    path = folder / "page.csv"
    path.write_text(PAGE, encoding="utf-8", newline="")
    file = part_file(working, "Odd__c", 1)
    with PartWriter(file, FIELDS) as writer:
        for batch in read_page(path, SHAPE.columns, 5):
            writer.write(build_batch({name: batch.column(name) for name in batch.schema.names}, SHAPE))
    return total("Odd__c", [(writer.finish(), writer.digest_sum)])


def test_the_snapshot_id_of_fixed_content_is_the_one_of_these_forms(store: CaptureStore, tmp_path: Path) -> None:
    with begin(store.root / "captures", store.keys, Purpose("golden", START)) as working:
        found = _convert(working, tmp_path)
    components = read_components(FILES)
    scope = ResolvedScope(("ApexClass", "CustomObject"), (ObjectScope("Odd__c", FIELDS, "Count__c > 0"),))
    assert found.digest_sum == ROWS_SUM
    assert build_snapshot_id(scope, components, [found]) == SNAPSHOT


def test_rows_that_come_as_json_have_the_digests_of_the_same_rows_as_csv(store: CaptureStore, tmp_path: Path) -> None:
    with begin(store.root / "captures", store.keys, Purpose("golden", START)) as working:
        found = _convert(working, tmp_path)
        stored = [
            row
            for batch in read_part(part_file(working, "Odd__c", 1), ["Id", *(one.name for one in FIELDS)])
            for row in batch.to_pylist()
        ]
        again = total(
            "Odd__c", [write_rows(part_file(working, "Odd__c", 2), RowShape("Odd__c", FIELDS, None, None), stored)]
        )
    assert (again.rows, again.digest_sum) == (found.rows, found.digest_sum)
    assert [row["Id"] for row in stored] == [f"a0000000000000{number}AAA" for number in range(1, 6)]
    assert [row["Amount__c"] for row in stored] == ["0", "1000", "12.5", "9999999999999999.99", "0.5"]


WITHOUT_PANDAS = """
import sys
from rehearse.baseline.canonical_arrays import text_array
from rehearse.baseline.model import ComparableField
from rehearse.baseline.record_parts import RowShape, build_batch
fields = tuple(ComparableField(kind, kind) for kind in ("boolean", "currency", "datetime", "string"))
values = {"currency": [None, "1.50"], "boolean": ["TRUE", None], "datetime": [None, "2026-01-31T08:15Z"]}
values["string"] = ["", "x"]
columns = {"Id": text_array(["b", "a"]), **{name: text_array(pair) for name, pair in values.items()}}
rows = build_batch(columns, RowShape("Odd__c", fields, None, None)).to_pylist()
assert [row["Id"] for row in rows] == ["a", "b"] and [row["string"] for row in rows] == ["x", None]
sys.exit("pandas" in sys.modules)
"""


def test_converting_rows_does_not_import_pandas() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_PANDAS], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
